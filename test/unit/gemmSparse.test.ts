/**
 * The product that skips exact zeros, bit for bit against the dense one of the same binary: at every density, around
 * its blocks (48 and 24 columns, 400 k, 32 rows), in slices of both steps, and where B is not finite.
 */
import fs from 'node:fs';
import { describe, expect, it } from 'vitest';

const ACCUMULATE = 1;
const RELU = 2;
const LIST_ROWS = 32;
const A = 65536 / 4;

type Gemm = (...args: number[]) => void;
interface Kernels {
  gemm_f32: Gemm;
  sparse_lists_f32: Gemm;
  gemm_sparse_f32: Gemm;
  sparse_lists_bytes(rows: number, k: number): number;
  gemm_scratch_f32(m: number, n: number, k: number): number;
  gemm_sparse_scratch_f32(m: number, n: number, k: number): number;
  gemm_sparse_tiles_f32(m: number, n: number, groupRows: number, tailRows: number): number;
  gemm_sparse_pays_f32(m: number, n: number, k: number, nonZeros: number): number;
  density_f32(x: number, n: number): number;
}

interface Product {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly density: number;
  readonly transA?: boolean;
  readonly transB?: boolean;
  /** Rows 2i and 2i + 1 of A are zero in the same places. */
  readonly neighbours?: boolean;
  readonly spread?: number;
  readonly flags?: number;
  readonly bias?: boolean;
  /** Where blocks of rows and tiles of C are cut into slices, as shares of all. */
  readonly cuts?: readonly number[];
  /** Rows of a tile, and of a tile of columns that fill no panel. */
  readonly groupRows?: number;
  readonly tailRows?: number;
  /** A value to put into B at (k / 2, n / 2). */
  readonly odd?: number;
}

/** Random numbers in [0, 1) from a multiplicative congruence. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

function load(name: string) {
  const memory = new WebAssembly.Memory({ initial: 512, maximum: 65536, shared: true });
  const module = new WebAssembly.Module(fs.readFileSync(`build/${name}.wasm`));
  const kernels = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Kernels;
  return { kernels, all: new Float32Array(memory.buffer) };
}

/** Dense products of up to 12 rows or columns add up in another order; lists pay from 16 rows and 48 columns on. */
describe.each(['simd', 'relaxed'])('sparse gemm of %s.wasm', (name) => {
  const { kernels, all } = load(name);

  /** Both steps of the sparse product, in slices; each has scratch memory of its own at `scratch`. */
  function listAndMultiply(
    call: readonly number[],
    cuts: readonly number[],
    groupRows: number,
    tailRows: number,
  ): void {
    const [a, aRow, aCol, b, bRow, bCol, c, ldc, m, n, k, flags, bias, scratch] = call;
    const own = (kernels.gemm_sparse_scratch_f32(m, n, k) + 63) & ~63;
    const area = scratch + own;
    const slices = (total: number, run: (begin: number, end: number) => void) => {
      const ends = [0, ...cuts.map((share) => Math.floor(share * total)), total];
      for (let i = 0; i + 1 < ends.length; i++) run(ends[i], ends[i + 1]);
    };
    slices(Math.ceil(m / LIST_ROWS), (begin, end) =>
      kernels.sparse_lists_f32(a, aRow, aCol, m, k, area, scratch, begin, end),
    );
    slices(kernels.gemm_sparse_tiles_f32(m, n, groupRows, tailRows), (begin, end) =>
      // biome-ignore format: one call
      kernels.gemm_sparse_f32(a, aRow, aCol, b, bRow, bCol, c, ldc, m, n, k, flags, bias, area, groupRows, tailRows, scratch, begin, end),
    );
  }

  /** The bits of C by the dense kernel in one slice and by the sparse one in the slices asked for. */
  function both(product: Product): { dense: Buffer; sparse: Buffer; c: Float32Array } {
    const { m, n, k, density, transA, transB, spread = 1, flags = 0, bias, odd } = product;
    const [aRow, aCol] = transA ? [spread, m * spread + 1] : [k * spread + 3, spread];
    const [bRow, bCol] = transB ? [spread, k * spread + 1] : [n * spread + 3, spread];
    const ldc = n + 5;
    const b = A + m * aRow + k * aCol;
    const biasAt = b + k * bRow + n * bCol;
    const c = biasAt + n;
    const scratch = (c + m * ldc + 19) & ~15;
    const sparseBytes =
      ((kernels.gemm_sparse_scratch_f32(m, n, k) + 63) & ~63) + kernels.sparse_lists_bytes(m, k);
    const end = scratch + ((sparseBytes + 15) & ~15) / 4;
    const next = random(m * 7919 + n * 104729 + k);
    for (let i = 0; i < m; i++) {
      for (let q = 0; q < k; q++) {
        const above = all[A + (i - 1) * aRow + q * aCol];
        const present = product.neighbours && i % 2 === 1 ? above !== 0 : next() < density;
        all[A + i * aRow + q * aCol] = present ? next() - 0.5 : 0;
      }
    }
    for (let i = b; i < c; i++) all[i] = next() - 0.5;
    if (odd !== undefined) all[b + (k >> 1) * bRow + (n >> 1) * bCol] = odd;
    const run = (multiply: (call: readonly number[]) => void) => {
      for (let i = 0; i < m * ldc; i++) all[c + i] = Math.sin(i + 1);
      const before = all.slice(c, c + m * ldc);
      all.fill(4711, end, end + 32);
      const pointer = bias ? biasAt * 4 : 0;
      // biome-ignore format: one call
      multiply([A * 4, aRow, aCol, b * 4, bRow, bCol, c * 4, ldc, m, n, k, flags, pointer, scratch * 4]);
      const after = all.slice(c, c + m * ldc);
      const outside = after.findIndex((x, i) => i % ldc >= n && x !== before[i]);
      const beyond = all.subarray(end, end + 32).findIndex((x) => x !== 4711);
      expect([outside, beyond], 'what lies around C and scratch').toEqual([-1, -1]);
      return after;
    };
    const { cuts = [], groupRows = 128, tailRows = groupRows } = product;
    const dense = run((call) => kernels.gemm_f32(...call, 0, m));
    const sparse = run((call) => listAndMultiply(call, cuts, groupRows, tailRows));
    return { dense: Buffer.from(dense.buffer), sparse: Buffer.from(sparse.buffer), c: sparse };
  }

  const expectSame = (product: Product) => {
    const { dense, sparse } = both(product);
    expect(dense.equals(sparse), JSON.stringify(product)).toBe(true);
  };
  const layouts = [0, 1, 2, 3].map((i) => ({ transA: (i & 1) === 1, transB: i >= 2 }));

  it('gives the bits of the dense product around its blocks, all four transpositions', () => {
    for (const layout of layouts) {
      for (const n of [13, 23, 24, 25, 47, 48, 49, 50, 96, 120, 527, 528, 530]) {
        expectSame({ m: 13, n, k: 37, density: 0.2, ...layout });
      }
      for (const k of [1, 2, 3, 4, 5, 399, 400, 401, 803])
        expectSame({ m: 15, n: 60, k, density: 0.3, ...layout });
      for (const m of [13, 14, 31, 32, 33, 64, 127, 129, 260])
        expectSame({ m, n: 50, k: 43, density: 0.2, ...layout });
    }
  });

  it('gives them at every density, with strides that leave nothing contiguous', () => {
    for (const density of [0, 0.02, 0.2, 0.5, 0.9, 1]) {
      for (const layout of layouts) {
        expectSame({ m: 20, n: 70, k: 410, density, ...layout });
        expectSame({ m: 20, n: 70, k: 410, density, spread: 3, ...layout });
      }
    }
  });

  it('gives them for rows that come in pairs, zero in the same places', () => {
    for (const transB of [false, true]) {
      for (const density of [0.02, 0.2, 0.5, 1]) {
        for (const [m, n, k] of [
          [14, 48, 37],
          [15, 24, 41],
          [17, 71, 403],
          [33, 49, 801],
          [130, 25, 6],
          [261, 97, 43],
        ]) {
          const shape = { m, n, k, density, transA: true, transB, neighbours: true };
          expectSame(shape);
          expectSame({ ...shape, flags: ACCUMULATE, cuts: [0.5], groupRows: 32 });
        }
      }
    }
  });

  it('adds to C, adds a bias, and cuts off negative results', () => {
    for (const [m, n, k] of [
      [13, 75, 405],
      [40, 48, 40],
    ]) {
      // biome-ignore format: triples
      for (const flags of [0, ACCUMULATE, RELU, ACCUMULATE | RELU]) {
        for (const bias of [false, true]) expectSame({ m, n, k, flags, bias, density: 0.2 });
      }
    }
  });

  it('gives them for any slices of both steps and any tiles', () => {
    for (const layout of layouts) {
      const product = { m: 150, n: 130, k: 60, density: 0.2, bias: true, ...layout };
      for (const groupRows of [32, 64, 96, 160]) {
        for (const tailRows of [32, 64, 160])
          expectSame({ ...product, groupRows, tailRows, cuts: [0.1, 0.3, 0.5, 0.9] });
      }
      for (const n of [20, 48, 68, 500]) {
        for (const tailRows of [32, 96])
          expectSame({ ...product, n, groupRows: 160, tailRows, cuts: [0.25, 0.5] });
      }
    }
  });

  it('spreads an infinity or NaN of B to every row, zeros or not', () => {
    for (const layout of layouts) {
      for (const odd of [Number.NaN, Infinity, -Infinity]) {
        for (const [m, n, k] of [
          [13, 100, 30],
          [13, 30, 410],
          [14, 600, 20],
        ]) {
          // biome-ignore format: triples
          const product = { m, n, k, density: 0.2, odd, ...layout };
          expectSame(product);
          const { c } = both(product);
          for (let i = 0; i < m; i++) expect(Number.isFinite(c[i * (n + 5) + (n >> 1)])).toBe(false);
          expect(c.filter((x) => !Number.isFinite(x)).length).toBe(m);
        }
      }
      expectSame({ m: 13, n: 100, k: 30, density: 0.2, odd: 3.4e38, ...layout });
    }
  });

  it('keeps NaN and infinities of A', () => {
    const { c } = both({ m: 3, n: 50, k: 10, density: 0 });
    expect(c.subarray(0, 50).every((x) => x === 0)).toBe(true);
    all[A + 13 + 4] = Number.NaN; // row 1, k = 4: rows are k + 3 apart
    const at = A + 200;
    const scratch = (at + 3 * 55 + 1000) & ~15;
    listAndMultiply(
      [A * 4, 13, 1, A * 4 + 160, 53, 1, at * 16, 55, 3, 50, 10, 0, 0, scratch * 64],
      [],
      32,
      32,
    );
    const rows = [0, 1, 2].map((i) => all[at * 4 + i * 55]);
    expect(rows.map(Number.isNaN)).toEqual([false, true, false]);
  });

  it('counts non-zeros exactly when few and within 3 % when many', () => {
    all.set([0, 1, -2, 0, Number.NaN, -0, 0, 0, 5], A);
    expect(kernels.density_f32(A * 4, 9)).toBe(4);
    expect(kernels.density_f32(A * 4, 0)).toBe(0);
    const next = random(5);
    const size = 784 * 128;
    for (const density of [0, 0.1, 0.5, 1]) {
      let exact = 0;
      for (let i = 0; i < size; i++) {
        all[A + i] = next() < density ? 1 : 0;
        exact += all[A + i];
      }
      expect(Math.abs(kernels.density_f32(A * 4, size) - exact)).toBeLessThan(0.03 * size);
      if (density === 1) expect(kernels.density_f32(A * 4, size)).toBe(size);
    }
  });

  it('recommends itself for many rows and columns with few non-zeros', () => {
    expect(kernels.gemm_sparse_pays_f32(128, 500, 784, 19000)).toBe(1);
    expect(kernels.gemm_sparse_pays_f32(128, 500, 784, 90000)).toBe(0);
    expect(kernels.gemm_sparse_pays_f32(128, 10, 784, 1000)).toBe(0);
    expect(kernels.gemm_sparse_pays_f32(2, 500, 784, 100)).toBe(0);
    expect(kernels.gemm_sparse_pays_f32(60000, 500, 60000, 2000000000)).toBe(1);
  });
});
