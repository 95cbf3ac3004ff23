/** The built binaries on memories of their own, for tests that call kernels directly. */
import fs from 'node:fs';

export type AnyArray = Float32Array | Float64Array | BigInt64Array | Int32Array | Uint8Array | Uint32Array;
type Kernel = (...args: number[]) => number;

const FIRST = 65536 * 2;
const PAGES = 1024;
/** Bytes around every allocation that no kernel may touch. */
const GUARD = 64;
const GUARD_BYTE = 0xa5;

/** Lengths around the edges of vectors and of unrolled loops. */
export const LENGTHS = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 130];

export class KernelBench {
  readonly name: string;
  readonly #memory = new WebAssembly.Memory({ initial: PAGES, maximum: 65536, shared: true });
  readonly #exports: Record<string, Kernel>;
  #next = FIRST;
  #allocations: [number, number][] = [];

  constructor(name: 'simd' | 'relaxed') {
    this.name = name;
    const module = new WebAssembly.Module(fs.readFileSync(`build/${name}.wasm`));
    const instance = new WebAssembly.Instance(module, { env: { memory: this.#memory } });
    this.#exports = instance.exports as unknown as Record<string, Kernel>;
  }

  /** Forgets all allocations. @throws if a guard was overwritten */
  reset(): void {
    const bytes = new Uint8Array(this.#memory.buffer);
    for (const [from, to] of this.#allocations) {
      for (let i = 1; i <= GUARD; i++) {
        if (bytes[from - i] !== GUARD_BYTE) throw new Error(`byte ${-i} before an array was overwritten`);
        if (bytes[to + i - 1] !== GUARD_BYTE) throw new Error(`byte ${i} behind an array was overwritten`);
      }
    }
    this.#allocations = [];
    this.#next = FIRST;
  }

  alloc(bytes: number): number {
    const pointer = this.#next + GUARD;
    const memory = new Uint8Array(this.#memory.buffer);
    memory.fill(GUARD_BYTE, this.#next, pointer + bytes + GUARD);
    this.#allocations.push([pointer, pointer + bytes]);
    this.#next = Math.ceil((pointer + bytes + GUARD) / 16) * 16;
    return pointer;
  }

  put(data: AnyArray): number {
    const pointer = this.alloc(data.byteLength);
    new Uint8Array(this.#memory.buffer).set(
      new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
      pointer,
    );
    return pointer;
  }

  bytes(pointer: number, length: number): Uint8Array {
    return new Uint8Array(this.#memory.buffer).slice(pointer, pointer + length);
  }
  f32 = (pointer: number, n: number): Float32Array => new Float32Array(this.bytes(pointer, n * 4).buffer);
  f64 = (pointer: number, n: number): Float64Array => new Float64Array(this.bytes(pointer, n * 8).buffer);
  i32 = (pointer: number, n: number): Int32Array => new Int32Array(this.bytes(pointer, n * 4).buffer);
  i64 = (pointer: number, n: number): BigInt64Array => new BigInt64Array(this.bytes(pointer, n * 8).buffer);

  has(kernel: string): boolean {
    return kernel in this.#exports;
  }

  call(kernel: string, ...args: number[]): number {
    const f = this.#exports[kernel];
    if (f === undefined) throw new Error(`no kernel ${kernel}`);
    return f(...args);
  }

  /**
   * Runs a kernel over [0, total) at once, then in slices in reverse order over a fresh output, and returns the output
   * bytes. @throws if the slices do not give the same bits
   */
  sliced(
    kernel: string,
    args: (out: number) => number[],
    total: number,
    outBytes: number,
    start?: AnyArray,
  ): Uint8Array {
    const fresh = () => (start ? this.put(start) : this.alloc(outBytes));
    const whole = fresh();
    this.call(kernel, ...args(whole), 0, total);
    const expected = this.bytes(whole, outBytes);
    for (const cuts of cutsOf(total)) {
      const parts = fresh();
      const edges = [0, ...cuts, total];
      for (let i = edges.length - 2; i >= 0; i--) this.call(kernel, ...args(parts), edges[i], edges[i + 1]);
      const got = this.bytes(parts, outBytes);
      for (let i = 0; i < outBytes; i++) {
        if (got[i] !== expected[i])
          throw new Error(`${kernel}: cut at ${cuts} of ${total}, byte ${i} differs`);
      }
    }
    return expected;
  }
}

function cutsOf(total: number): number[][] {
  if (total < 2) return [];
  const third = Math.max(1, Math.floor(total / 3));
  return [
    [1],
    [total - 1],
    [third, Math.min(total - 1, third + 5)].filter((c, i, all) => i === 0 || c > all[0]),
  ];
}

export const benches = [new KernelBench('simd'), new KernelBench('relaxed')];

/** Different in every place, of either sign, with a full mantissa. */
export const waves = (n: number, scale = 1.5, seed = 1): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => Math.sin(i * 12.9898 + seed) * scale);

/** Distance from `want` in units in the last place of a float of that size. */
export function ulps(got: number, want: number): number {
  if (Object.is(Math.fround(want), got) || (Number.isNaN(got) && Number.isNaN(want))) return 0;
  if (got === 0 && Math.fround(want) === 0) return Infinity;
  if (!Number.isFinite(got) || !Number.isFinite(want)) return Infinity;
  const exponent = Math.max(-126, Math.floor(Math.log2(Math.abs(want))));
  return Math.abs(got - want) / 2 ** (exponent - 23);
}
