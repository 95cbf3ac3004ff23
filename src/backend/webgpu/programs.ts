/**
 * WGSL modules and their pipelines, one for every key: what a key does not mention, a shader must not depend on. A pipeline
 * is compiled beside the program that records commands, from the moment that the first of them asks for it.
 */
import { DeviceError } from '../../core/errors.ts';
import { pending } from './dawn.ts';
import type { Failures } from './failures.ts';
import { ShaderStageCompute } from './flags.ts';
import { library } from './library.ts';

/** A storage buffer as the shader sees it. */
export interface Binding {
  readonly name: string;
  /** The WGSL type of an element. */
  readonly type: string;
  readonly writes?: boolean;
  /** Elements are atomics. */
  readonly atomic?: boolean;
}

export interface ShaderSource {
  readonly bindings: readonly Binding[];
  /** Members of the uniform `P`, in order, each 'name: type' with a type of 32 bits; values are given as words. */
  readonly params: readonly string[];
  /** Threads of a workgroup; `main` gets `gid` (global), `lid` (local, flat), `wid` (workgroup), `groups` (their number). */
  readonly workgroup: number;
  /** Extensions of WGSL that the text needs. Under `subgroups`, `main` gets `lane` and `lanes` (their number) too. */
  readonly enables?: readonly Extension[];
  /** Functions and workgroup variables. */
  readonly declarations?: string;
  /** The body of `main`. */
  readonly body: string;
}

/** Uniforms are bound by multiples of this. */
const UNIFORM_STEP = 1024;

export type Extension = 'f16' | 'subgroups';

/** A program that is being compiled, or is. */
export interface Program {
  readonly layout: GPUBindGroupLayout;
  readonly paramWords: number;
  /** How many bytes of uniforms a group binds: in few sizes, so that programs share groups. */
  readonly uniformBytes: number;
  /** Programs with the same number can share groups. */
  readonly groupKind: number;
  /** Null until it is compiled, and where that failed. */
  readonly pipeline: GPUComputePipeline | null;
  /** Why there is no pipeline. */
  readonly error: string | null;
  /** Compiled, or failed. */
  readonly ready: boolean;
  /** Resolves when `ready` is true. */
  readonly compiled: Promise<void>;
}

/** Programs of one key, by the names and types of what they bind. */
interface Variant {
  readonly bindings: readonly Binding[];
  readonly program: Program;
}

function sameBindings(a: readonly Binding[], b: readonly Binding[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    const { name, type, writes = false } = b[i];
    if (a[i].name !== name || a[i].type !== type || a[i].writes !== writes) return false;
  }
  return true;
}

interface Layout {
  readonly group: GPUBindGroupLayout;
  readonly pipeline: GPUPipelineLayout;
  readonly number: number;
}

/** The flat number of a thread where one row of workgroups is not enough for all. */
export const flatIndex = (workgroup: number): string => `(wid.y * groups.x + wid.x) * ${workgroup}u + lid`;

export class Programs {
  readonly #device: GPUDevice;
  readonly #programs = new Map<string, Variant[]>();
  #size = 0;
  readonly #layouts = new Map<string, Layout>();
  readonly #failures: Failures;

  constructor(device: GPUDevice, failures: Failures) {
    this.#device = device;
    this.#failures = failures;
  }

  /** The program of a key and bindings; `source` is asked for once for them, and compiled at once. */
  get(key: string, bindings: readonly Binding[], source: () => ShaderSource): Program {
    let variants = this.#programs.get(key);
    if (variants === undefined) {
      variants = [];
      this.#programs.set(key, variants);
    }
    for (let i = 0; i < variants.length; i++)
      if (sameBindings(variants[i].bindings, bindings)) return variants[i].program;
    const program = this.#build(key, source());
    // Without the arrays that they may have besides.
    const own = bindings.map(({ name, type, writes = false }) => ({ name, type, writes }));
    variants.push({ bindings: own, program });
    this.#size++;
    return program;
  }

  get size(): number {
    return this.#size;
  }

  #build(key: string, source: ShaderSource): Program {
    const { bindings, params } = source;
    if (bindings.length > this.#device.limits.maxStorageBuffersPerShaderStage) {
      throw new DeviceError(
        `webgpu: ${key} needs ${bindings.length} buffers, but the device takes ${this.#device.limits.maxStorageBuffersPerShaderStage}`,
      );
    }
    const { group, pipeline, number } = this.#layout(bindings.map((b) => (b.writes ? 'w' : 'r')).join(''));
    const steps = Math.max(1, Math.ceil((params.length * 4) / UNIFORM_STEP));
    const device = this.#device;
    const code = shaderText(source);
    const module = this.#failures.guard(() => device.createShaderModule({ label: key, code }));
    const compute = { module, entryPoint: 'main' };
    const program = {
      layout: group,
      paramWords: params.length,
      uniformBytes: steps * UNIFORM_STEP,
      groupKind: number * 64 + steps,
      ready: false,
    };
    const made: { -readonly [K in keyof Program]: Program[K] } = {
      ...program,
      pipeline: null,
      error: null,
      compiled: pending(device, () =>
        device.createComputePipelineAsync({ label: key, layout: pipeline, compute }),
      ).then(
        (found) => {
          made.pipeline = found;
          made.ready = true;
        },
        (error: unknown) => {
          made.error = String(error);
          made.ready = true;
        },
      ),
    };
    return made;
  }

  #layout(access: string): Layout {
    const known = this.#layouts.get(access);
    if (known) return known;
    const entries: GPUBindGroupLayoutEntry[] = [...access].map((letter, binding) => ({
      binding,
      visibility: ShaderStageCompute,
      buffer: { type: letter === 'w' ? 'storage' : 'read-only-storage' },
    }));
    entries.push({
      binding: access.length,
      visibility: ShaderStageCompute,
      buffer: { type: 'uniform', hasDynamicOffset: true },
    });
    const group = this.#device.createBindGroupLayout({ entries });
    const made = {
      group,
      pipeline: this.#device.createPipelineLayout({ bindGroupLayouts: [group] }),
      number: this.#layouts.size,
    };
    this.#layouts.set(access, made);
    return made;
  }
}

const BUILTINS = [
  '@builtin(local_invocation_index) lid: u32',
  '@builtin(workgroup_id) wid: vec3<u32>',
  '@builtin(num_workgroups) groups: vec3<u32>',
];
const SUBGROUP_BUILTINS = [
  '@builtin(subgroup_invocation_id) lane: u32',
  '@builtin(subgroup_size) lanes: u32',
];

/** The whole module, with those functions of the library that it mentions. */
export function shaderText(source: ShaderSource): string {
  const { bindings, params, workgroup, enables = [], declarations = '', body } = source;
  const storage = bindings.map(({ name, type, writes, atomic }, i) => {
    const element = atomic ? `atomic<${type}>` : type;
    return `@group(0) @binding(${i}) var<storage, ${writes ? 'read_write' : 'read'}> ${name}: array<${element}>;`;
  });
  const members = params.length > 0 ? params : ['unused: u32'];
  const own = [
    `struct Params { ${members.join(', ')} }`,
    ...storage,
    `@group(0) @binding(${bindings.length}) var<uniform> P: Params;`,
    declarations,
    `@compute @workgroup_size(${workgroup})`,
    `fn main(${[...BUILTINS, ...(enables.includes('subgroups') ? SUBGROUP_BUILTINS : [])].join(', ')}) {`,
    body,
    '}',
  ].join('\n');
  return `${enables.map((name) => `enable ${name};\n`).join('')}${library(own)}\n${own}\n`;
}
