/**
 * Checkpoints: everything that a run is made of, in one file that is there whole or not at all. The file is a
 * safetensors file; how its tensors and the other values hang together, and a checksum, are in its metadata.
 */
import { noGrad } from '../autograd/gradMode.ts';
import type { TypedArray } from '../core/dtype.ts';
import { ArgumentError, DataError, WasmgradError } from '../core/errors.ts';
import { sameShape } from '../core/shape.ts';
import { isPlain } from '../ops/options.ts';
import { defaultGenerator, Generator } from '../random.ts';
import { Tensor } from '../tensor.ts';
import { crc32 } from './crc32.ts';
import { parseJson } from './json.ts';
import { readSafetensors, safetensorsSnapshot } from './safetensors.ts';
import { type ByteSource, type Source, withSource } from './source.ts';
import { type Target, writeTo } from './target.ts';
import { decodeTree, encodeTree } from './tree.ts';

/** What a run is made of. Modules, optimisers, schedulers, data loaders: all save and restore themselves. */
export interface Stateful {
  stateDict(): unknown;
  loadStateDict(state: never): unknown;
}

/**
 * Anything nested: objects with a state, generators, tensors, typed arrays, numbers (NaN and −0 too), strings, bools,
 * bigints, null, undefined, dates, lists, maps and plain objects.
 */
export type CheckpointState = Readonly<Record<string, unknown>>;

export interface LoadCheckpointOptions {
  /** Where tensors of the returned values go. Default 'cpu'. */
  device?: string;
  /** Continue the default generator where it was, if anything is restored. Default true. */
  rng?: boolean;
}

const FORMAT_KEY = 'wasmgrad.checkpoint';
const FORMAT = '1';
const STRUCTURE_KEY = 'wasmgrad.structure';
const RNG_NAME = 'wasmgrad.rng';
const CHECKSUM_KEY = 'wasmgrad.crc32';

const isStateful = (x: object): x is Stateful =>
  typeof Reflect.get(x, 'stateDict') === 'function' && typeof Reflect.get(x, 'loadStateDict') === 'function';

/** What stands for a live object in the file. */
function plain(x: object): unknown {
  if (x instanceof Generator) return x.engine.getState();
  return isStateful(x) ? x.stateDict() : x;
}

const checksumOf = (pieces: readonly Uint8Array[]): string =>
  pieces.reduce((sum, bytes) => crc32(bytes, sum), 0).toString(16);

/**
 * Saves what a run is made of, as it is at the time of the call, together with the default generator's state. The path
 * holds the checkpoint before until this one is complete and on the disk.
 *
 * `await saveCheckpoint('run/last.safetensors', { model, optimizer, scheduler, loader, epoch, history })`
 * @throws ArgumentError at once for what cannot be saved; DataError, StorageFullError if it cannot be written
 */
export async function saveCheckpoint(target: Target, state: CheckpointState): Promise<void> {
  const op = 'saveCheckpoint';
  if (typeof state !== 'object' || state === null || isStateful(state) || state instanceof Tensor) {
    throw new ArgumentError(`${op}: expected an object of what to save, such as { model, optimizer, epoch }`);
  }
  const { json, tensors } = encodeTree(state, op, plain);
  if (Object.hasOwn(tensors, RNG_NAME)) throw new ArgumentError(`${op}: the name ${RNG_NAME} is taken`);
  tensors[RNG_NAME] = defaultGenerator.getState();
  const pieces = await safetensorsSnapshot(
    tensors,
    (elements) => ({
      [FORMAT_KEY]: FORMAT,
      [CHECKSUM_KEY]: checksumOf(elements),
      [STRUCTURE_KEY]: JSON.stringify(json),
    }),
    op,
  );
  await writeTo(target, op, () => pieces);
}

interface Contents {
  readonly state: Record<string, unknown>;
  readonly rng: Uint8Array;
}

async function readCheckpoint(source: ByteSource, device: string | undefined): Promise<Contents> {
  const { fail } = source;
  let checksum = 0;
  const { tensors, metadata } = await readSafetensors(source, device, (elements) => {
    checksum = crc32(elements, checksum);
  });
  const { [FORMAT_KEY]: format, [STRUCTURE_KEY]: structure, [CHECKSUM_KEY]: expected } = metadata;
  if (format === undefined || structure === undefined)
    throw fail('it holds tensors, but is no checkpoint; load(…) reads them');
  if (format !== FORMAT)
    throw fail(`it is a checkpoint of the format ${format}, but this version reads ${FORMAT}`);
  if (expected !== checksum.toString(16)) {
    throw fail(`its checksum is ${checksum.toString(16)} instead of ${expected}: its elements are damaged`);
  }
  const state = decodeTree(parseJson(new TextEncoder().encode(structure), fail), tensors, fail);
  const rng = Object.hasOwn(tensors, RNG_NAME) ? tensors[RNG_NAME].data : null;
  if (!isPlain(state) || !(rng instanceof Uint8Array)) throw fail('its structure is damaged');
  return { state: state as Record<string, unknown>, rng };
}

/** One thing to restore, and how to take that back. */
interface Step {
  readonly path: string;
  readonly apply: () => void;
  readonly remember: () => () => void;
}

/**
 * Reads a checkpoint and restores what it is given in place, in the form in which it was saved:
 *
 * `const { epoch, history } = await loadCheckpoint('run/last.safetensors', { model, optimizer, scheduler, loader })`
 *
 * Objects with a state load theirs, generators and tensors get their values; everything in the file is returned. If
 * something does not fit, nothing has changed. @throws DataError for a file that is missing, damaged or something else,
 * or lacks what is to be restored; ArgumentError if a saved state does not fit the object
 */
export async function loadCheckpoint<T = Record<string, unknown>>(
  source: Source,
  into: CheckpointState = {},
  { device, rng = true }: LoadCheckpointOptions = {},
): Promise<T> {
  const op = 'loadCheckpoint';
  return withSource(source, op, false, async (bytes) => {
    const contents = await readCheckpoint(bytes, device);
    const steps = stepsFor(contents.state, into, '', bytes);
    if (rng && steps.length > 0) steps.push(generatorStep('rng', defaultGenerator, contents.rng, bytes));
    applyAll(steps, (path, error) => {
      const Kind = error instanceof WasmgradError ? (error.constructor as typeof WasmgradError) : DataError;
      const message = error instanceof Error ? error.message : String(error);
      return new Kind(`${op}: ${bytes.name}: ${path}: ${message}`, { cause: error });
    });
    return contents.state as T;
  });
}

/** What to do for `into` and everything in it. @throws DataError for something that the file lacks */
function stepsFor(saved: unknown, into: unknown, path: string, source: ByteSource): Step[] {
  if (typeof into !== 'object' || into === null) return [];
  if (into instanceof Generator) return [generatorStep(path, into, saved, source)];
  if (into instanceof Tensor) return [tensorStep(path, into, saved, source)];
  if (isStateful(into)) return [statefulStep(path, into, saved)];
  return Object.entries(into).flatMap(([key, item]) => {
    if (typeof item !== 'object' || item === null) return [];
    const inside = path === '' ? key : `${path}.${key}`;
    if (typeof saved !== 'object' || saved === null || !Object.hasOwn(saved, key)) {
      const there = typeof saved === 'object' && saved !== null ? Object.keys(saved).join(', ') : '';
      throw source.fail(`it has no ${inside}${there === '' ? '' : `; it has ${there}`}`);
    }
    return stepsFor(Reflect.get(saved, key), item, inside, source);
  });
}

function statefulStep(path: string, object: Stateful, saved: unknown): Step {
  return {
    path,
    apply: () => object.loadStateDict(saved as never),
    remember: () => {
      const before = copyOf(object.stateDict());
      return () => object.loadStateDict(before as never);
    },
  };
}

function generatorStep(path: string, generator: Generator, saved: unknown, { fail }: ByteSource): Step {
  if (!(saved instanceof Uint8Array)) throw fail(`its ${path} is no state of a generator`);
  return {
    path,
    apply: () => void generator.engine.setState(saved),
    remember: () => {
      const before = generator.engine.getState();
      return () => void generator.engine.setState(before);
    },
  };
}

function tensorStep(path: string, target: Tensor, saved: unknown, { fail }: ByteSource): Step {
  if (!(saved instanceof Tensor)) throw fail(`its ${path} is no tensor`);
  if (!sameShape(saved.shape, target.shape) || saved.dtype !== target.dtype) {
    throw fail(
      `its ${path} is a tensor of ${saved.dtype} [${saved.shape.join(', ')}], but ${target.dtype} ` +
        `[${target.shape.join(', ')}] is expected`,
    );
  }
  const copy = (from: Tensor) => noGrad(() => void target.copy_(from.to({ device: target.device })));
  return {
    path,
    apply: () => copy(saved),
    remember: () => {
      const before = target.detach().clone();
      return () => copy(before);
    },
  };
}

/** All or nothing. */
function applyAll(steps: readonly Step[], failed: (path: string, error: unknown) => Error): void {
  const undo: (() => void)[] = [];
  for (const { path, apply, remember } of steps) {
    try {
      undo.push(remember());
      apply();
    } catch (error) {
      for (const back of undo.reverse()) {
        try {
          back();
        } catch {
          // An object that loads nothing at all does not keep the others from going back.
        }
      }
      throw failed(path, error);
    }
  }
}

/** A copy that shares no memory with the original. */
function copyOf(x: unknown): unknown {
  if (x instanceof Tensor) return x.detach().clone();
  if (ArrayBuffer.isView(x)) return (x as TypedArray).slice();
  if (Array.isArray(x)) return x.map(copyOf);
  if (x instanceof Map) return new Map(Array.from(x, ([key, item]) => [copyOf(key), copyOf(item)]));
  if (isPlain(x)) return Object.fromEntries(Object.entries(x).map(([key, item]) => [key, copyOf(item)]));
  return x;
}
