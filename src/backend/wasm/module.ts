/**
 * The kernels' module on its memory, started synchronously: validate the very bytes that will run, make the largest
 * memory that the engine grants, instantiate. The binaries declare a shared memory; where only an unshared one is to
 * be had, one flag byte of the import is changed before compiling, so two binaries serve four cases.
 */
import { DeviceError } from '../../core/errors.ts';
import type { Kernels } from '../../generated/kernels.ts';
import { Cursor, IMPORTS, sections } from './sections.ts';

/** Views of the whole memory as it is now. */
export interface MemoryViews {
  readonly f32: Float32Array;
  readonly f64: Float64Array;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  readonly i16: Int16Array;
  readonly u16: Uint16Array;
  readonly i8: Int8Array;
  readonly u8: Uint8Array;
  readonly i64: BigInt64Array;
}

export interface WasmModule<K = Kernels> {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly exports: K;
  /** The binary with relaxed SIMD (fused multiply-add) is the one that runs. */
  readonly relaxed: boolean;
  /** The memory is shared, so that worker threads can see it. */
  readonly shared: boolean;
  /** First byte that belongs to the allocator. */
  readonly heapBase: number;
  /** How many bytes the memory can grow to. */
  readonly maximumBytes: number;
  /** Why something is off, in words for people. */
  readonly reasons: readonly string[];
  /** The current views. Ask again after anything that may have allocated: growing replaces them. */
  views(): MemoryViews;
}

export interface Binaries {
  simd(): Uint8Array;
  relaxed(): Uint8Array;
}

export interface ModuleOptions {
  /** The same bits on every machine: no fused multiply-add. */
  readonly deterministic?: boolean;
  /** `false` asks for an unshared memory even where a shared one is possible. */
  readonly shared?: boolean;
  /** An existing memory to run on, for changing the binary under tensors that exist already. */
  readonly memory?: WebAssembly.Memory;
}

/** 4 GiB, then what engines grant that reserve address space sparingly. */
const MAXIMUM_PAGES = [65536, 16384, 4096];
const PAGE = 65536;

/**
 * Compiles and instantiates the best of the two binaries that this engine takes.
 * @throws DeviceError where WebAssembly, its SIMD, or any memory at all is refused
 */
export function createModule<K = Kernels>(binaries: Binaries, options: ModuleOptions = {}): WasmModule<K> {
  if (typeof WebAssembly !== 'object') throw new DeviceError('wasm: this engine has no WebAssembly');
  const reasons: string[] = [];
  const { bytes, relaxed } = chooseBinary(binaries, options.deterministic ?? false, reasons);
  const layout = readMemoryImport(bytes);
  const memory = options.memory ?? createMemory(layout.initial, options.shared ?? true, reasons);
  const shared = isShared(memory.buffer);
  const module = compile(shared ? bytes : withUnsharedMemory(bytes, layout.flagOffset));
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  if (typeof exports.heapBase !== 'function')
    throw new DeviceError('wasm: the binary does not export heapBase');
  return {
    module,
    memory,
    exports: exports as K,
    relaxed,
    shared,
    // A whole page, so that the binaries with and without relaxed SIMD agree on it.
    heapBase: Math.ceil((exports.heapBase() >>> 0) / PAGE) * PAGE,
    maximumBytes: maximumOf.get(memory) ?? memory.buffer.byteLength,
    reasons,
    views: viewsOf(memory),
  };
}

function chooseBinary(binaries: Binaries, deterministic: boolean, reasons: string[]) {
  if (deterministic) {
    reasons.push('relaxed SIMD is off: deterministic results were asked for');
  } else {
    const bytes = binaries.relaxed();
    if (WebAssembly.validate(bytes as BufferSource)) return { bytes, relaxed: true };
    reasons.push('relaxed SIMD is off: this engine does not have it (or has it behind a flag)');
  }
  const bytes = binaries.simd();
  if (!WebAssembly.validate(bytes as BufferSource))
    throw new DeviceError(
      'wasm: this engine has no WebAssembly SIMD with atomics; every browser since 2023 and Node 20 do',
    );
  return { bytes, relaxed: false };
}

/** @throws DeviceError that tells what a page's security policy must allow */
export function compile(bytes: Uint8Array): WebAssembly.Module {
  try {
    return new WebAssembly.Module(bytes as BufferSource);
  } catch (error) {
    const hint = "a page with a content security policy must allow script-src 'wasm-unsafe-eval'";
    throw new DeviceError(`wasm: the kernels could not be compiled (${String(error)}); ${hint}`, {
      cause: error,
    });
  }
}

const maximumOf = new WeakMap<WebAssembly.Memory, number>();

function createMemory(initial: number, wantShared: boolean, reasons: string[]): WebAssembly.Memory {
  const refusal = wantShared ? whyNotShared() : 'threads are off: an unshared memory was asked for';
  let refused: unknown;
  for (const shared of refusal ? [false] : [true, false]) {
    for (const maximum of MAXIMUM_PAGES) {
      try {
        const memory = new WebAssembly.Memory({ initial, maximum, shared });
        if (maximum < MAXIMUM_PAGES[0])
          reasons.push(`memory is limited to ${maximum / 16} MiB: the engine refused more`);
        if (!shared) reasons.push(refusal ?? `threads are off: no shared memory (${String(refused)})`);
        // The very last page is left out: no engine makes a view of 2^32 bytes and it would buy little.
        maximumOf.set(memory, Math.min(maximum, 65535) * PAGE);
        return memory;
      } catch (error) {
        refused = error;
      }
    }
  }
  throw new DeviceError(`wasm: no memory (${String(refused)})`, { cause: refused });
}

/** Pages get shared memory only when they are cross-origin isolated; elsewhere it just works. */
function whyNotShared(): string | undefined {
  const scope = globalThis as { isSecureContext?: boolean; wasmgradIsolation?: string };
  if (typeof crossOriginIsolated === 'boolean' && !crossOriginIsolated) {
    if (scope.isSecureContext === false)
      return 'threads are off: the page is not a secure context; serve it by https, or from localhost';
    // isolate.js leaves word of why it could not help.
    if (scope.wasmgradIsolation !== undefined)
      return `threads are off: isolate.js could not isolate the page: ${scope.wasmgradIsolation}`;
    return (
      'threads are off: the page is not cross-origin isolated (headers COOP: same-origin and COEP: require-corp, ' +
      'or the script isolate.js of the package where you cannot send headers)'
    );
  }
  if (typeof SharedArrayBuffer !== 'function') return 'threads are off: this engine has no SharedArrayBuffer';
  return undefined;
}

export function isShared(buffer: ArrayBufferLike): buffer is SharedArrayBuffer {
  return typeof SharedArrayBuffer === 'function' && buffer instanceof SharedArrayBuffer;
}

function viewsOf(memory: WebAssembly.Memory): () => MemoryViews {
  let views = makeViews(memory.buffer);
  return () => {
    const { buffer } = memory;
    if (views.u8.buffer !== buffer) views = makeViews(buffer);
    return views;
  };
}

function makeViews(buffer: ArrayBufferLike): MemoryViews {
  return {
    f32: new Float32Array(buffer),
    f64: new Float64Array(buffer),
    i32: new Int32Array(buffer),
    u32: new Uint32Array(buffer),
    i16: new Int16Array(buffer),
    u16: new Uint16Array(buffer),
    i8: new Int8Array(buffer),
    u8: new Uint8Array(buffer),
    i64: new BigInt64Array(buffer),
  };
}

const KIND_MEMORY = 2;
/** Limits: bit 0 says that a maximum follows, bit 1 that the memory is shared. */
const LIMITS_SHARED = 2;

/** Where the limits of the imported memory lie in a binary, and how many pages it starts with. */
export function readMemoryImport(bytes: Uint8Array): { flagOffset: number; initial: number } {
  const imports = sections(bytes).get(IMPORTS);
  const cursor = new Cursor(bytes, imports?.start);
  if (!imports || cursor.number() === 0) throw new DeviceError('wasm: the binary imports no memory');
  for (let part = 0; part < 2; part++) cursor.skip(cursor.number());
  if (cursor.byte() !== KIND_MEMORY) throw new DeviceError('wasm: the binary imports more than its memory');
  const flagOffset = cursor.at++;
  return { flagOffset, initial: cursor.number() };
}

function withUnsharedMemory(bytes: Uint8Array, flagOffset: number): Uint8Array {
  const copy = bytes.slice();
  copy[flagOffset] &= ~LIMITS_SHARED;
  return copy;
}
