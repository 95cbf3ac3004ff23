/**
 * The matrix product of the built binaries against a triple loop in double precision, and bit for bit against
 * itself: however C is sliced, a thread must compute what one thread alone would. Sizes lie around every edge of the
 * kernel: tiles (4, 5, 6 rows; 8 columns), blocks (60 rows, 384 to 768 k, 1024 columns) and the choices of plan.
 */
import fs from 'node:fs';
import { describe, expect, it } from 'vitest';

const ACCUMULATE = 1;
const RELU = 2;
const COLUMNS = 4;
const HEAP = 65536;
const PAGES = 512;

type Gemm = (...args: number[]) => void;
interface Kernels {
  gemm_f32: Gemm;
  gemm_f64: Gemm;
  bmm_f32: Gemm;
  bmm_f64: Gemm;
  gemm_pack_f32: Gemm;
  gemm_pack_f64: Gemm;
  gemm_packed_f32: Gemm;
  gemm_packed_f64: Gemm;
  gemm_tile_rows(m: number): number;
  gemm_packed_scratch_f32(depth: number, lines: number, width: number): number;
  gemm_packed_scratch_f64(depth: number, lines: number, width: number): number;
  gemm_scratch_f32(m: number, n: number, k: number): number;
  gemm_scratch_f64(m: number, n: number, k: number): number;
}
type Floats = Float32Array<ArrayBufferLike> | Float64Array<ArrayBufferLike>;

interface Product {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly transA?: boolean;
  readonly transB?: boolean;
  /** Elements between neighbours of the contiguous dimension; 1 unless odd strides are wanted. */
  readonly spread?: number;
  /** Rows of C without gaps between them. */
  readonly tight?: boolean;
  readonly flags?: number;
  readonly bias?: boolean;
  /** Slice boundaries, without 0 and the end. */
  readonly cuts?: readonly number[];
  /** One operand is packed first, by parts: for slices of columns A, else B. Blocks of k have at most so many terms. */
  readonly packed?: number;
  /** It is packed by the first slice, at the head of its scratch memory. */
  readonly alone?: boolean;
  /** Turns the usual elements into others; `place` counts over both operands. */
  readonly change?: (x: number, place: number) => number;
}

/** Different in every place, of either sign, with a full mantissa. */
const waves = Float64Array.from({ length: 65521 }, (_, i) => Math.sin(i * 12.9898 + 1) * 1.5);
const wave = (i: number) => waves[i % waves.length];
const elementOfA = (i: number, q: number) => wave(i * 1031 + q);
const elementOfB = (q: number, j: number) => wave(q * 1033 + j * 7 + 29);
const GUARD = 12345;

interface Run {
  readonly c: Floats;
  reference(): { expected: Float64Array; bound: Float64Array };
}

class Bench {
  readonly #kernels: Kernels;
  readonly #memory: WebAssembly.Memory;
  readonly #double: boolean;

  constructor(name: string, double: boolean) {
    this.#memory = new WebAssembly.Memory({ initial: PAGES, maximum: 65536, shared: true });
    const module = new WebAssembly.Module(fs.readFileSync(`build/${name}.wasm`));
    const instance = new WebAssembly.Instance(module, { env: { memory: this.#memory } });
    this.#kernels = instance.exports as unknown as Kernels;
    this.#double = double;
  }

  /** C of a product; `reference`, before the next run: C in double precision and the bound of rounding errors. */
  run(product: Product): Run {
    const { m, n, k, spread = 1, flags = 0, change = (x) => x } = product;
    const columns = (flags & COLUMNS) !== 0;
    const size = this.#double ? 8 : 4;
    const all = this.#double ? new Float64Array(this.#memory.buffer) : new Float32Array(this.#memory.buffer);
    const [aRow, aCol] = product.transA ? [spread, m * spread + 1] : [k * spread + 3, spread];
    const [bRow, bCol] = product.transB ? [spread, k * spread + 1] : [n * spread + 3, spread];
    const ldc = product.tight ? n : n + 5;
    const a = HEAP / size;
    const b = a + m * aRow + k * aCol + 16;
    const bias = b + k * bRow + n * bCol + 16;
    const c = bias + n + 16;
    const scratch = (c + m * ldc + 31) & ~15;
    const scratchEnd = scratch + this.scratchBytes(product) / size;
    all.fill(GUARD, c, scratchEnd + 64);
    all.fill(GUARD, a, c);
    for (let i = 0; i < m; i++) {
      for (let q = 0; q < k; q++) all[a + i * aRow + q * aCol] = change(elementOfA(i, q), i * k + q);
      for (let j = 0; j < n; j++) all[c + i * ldc + j] = wave(7 * i + 3 * j);
    }
    for (let j = 0; j < n; j++) {
      for (let q = 0; q < k; q++) all[b + q * bRow + j * bCol] = change(elementOfB(q, j), j * k + q + 3);
      all[bias + j] = wave(j + 11);
    }
    const cuts = [0, ...(product.cuts ?? []), columns ? n : m];
    const pointer = product.bias ? bias * size : 0;
    const kernel = this.#double ? this.#kernels.gemm_f64 : this.#kernels.gemm_f32;
    const call = [a, aRow, aCol, b, bRow, bCol, c, ldc, m, n, k, flags, pointer / size, scratch];
    if (product.packed !== undefined)
      this.#runPacked(call, product.packed, cuts, product.alone ? 0 : scratchEnd + 64);
    else
      for (let s = 0; s + 1 < cuts.length; s++) {
        kernel(a * size, aRow, aCol, b * size, bRow, bCol, c * size, ldc, m, n, k, flags, pointer, scratch * size, cuts[s], cuts[s + 1]); // biome-ignore format: one call
      }
    const result = this.#double ? new Float64Array(m * n) : new Float32Array(m * n);
    let untouched = all.subarray(scratchEnd, scratchEnd + 64).every((x) => x === GUARD);
    untouched &&= all.subarray(c + m * ldc, scratch).every((x) => x === GUARD);
    for (let i = 0; i < m; i++) {
      result.set(all.subarray(c + i * ldc, c + i * ldc + n), i * n);
      untouched &&= all.subarray(c + i * ldc + n, c + (i + 1) * ldc).every((x) => x === GUARD);
    }
    expect(untouched, 'what lies around C and scratch').toBe(true);
    return {
      c: result,
      reference: () => this.#reference(all, a, aRow, aCol, b, bRow, bCol, bias, product),
    };
  }

  /** The same as one call of gemm for each slice, but one operand is packed before, at `panels`, in two parts (0: by the first one). */
  #runPacked(call: readonly number[], depthBlock: number, cuts: readonly number[], panels: number): void {
    const [a, aRow, aCol, b, bRow, bCol, c, ldc, m, n, k, flags, bias, scratch] = call;
    const size = this.#double ? 8 : 4;
    const columns = (flags & COLUMNS) !== 0;
    const height = this.#kernels.gemm_tile_rows(m);
    const [pack, multiply] = this.#double
      ? [this.#kernels.gemm_pack_f64, this.#kernels.gemm_packed_f64]
      : [this.#kernels.gemm_pack_f32, this.#kernels.gemm_packed_f32];
    const [lines, step, kStep, width] = columns ? [m, aRow, aCol, height] : [n, bCol, bRow, 32 / size];
    const count = Math.ceil(lines / width);
    for (let q = 0; q < k; q += depthBlock) {
      const depth = Math.min(k - q, depthBlock);
      const from = (columns ? a : b) + q * kStep;
      if (panels === 0) new Int32Array(this.#memory.buffer)[(scratch * size) / 4] = 0;
      for (const [begin, end] of [[count >> 1, count], [0, count >> 1]]) // biome-ignore format: pairs
        if (begin < end && panels > 0)
          pack(from * size, step, kStep, lines, depth, width, panels * size, begin, end);
      const last = q + depth === k;
      const now = (flags & COLUMNS) | (q > 0 ? ACCUMULATE : flags & ACCUMULATE) | (last ? flags & RELU : 0);
      const [x, xStep, xK] = columns ? [b + q * bRow, bCol, bRow] : [a + q * aCol, aRow, aCol];
      for (let s = 0; s + 1 < cuts.length; s++)
        multiply(x * size, xStep, xK, from * size, step, kStep, panels * size, c * size, ldc, m, n, depth, height, now, last ? bias * size : 0, scratch * size, cuts[s], cuts[s + 1]); // biome-ignore format: one call
    }
  }

  scratchBytes({ m, n, k, packed, alone = false, flags = 0 }: Product): number {
    if (packed !== undefined) {
      const { gemm_packed_scratch_f32, gemm_packed_scratch_f64 } = this.#kernels;
      const bytes = this.#double ? gemm_packed_scratch_f64 : gemm_packed_scratch_f32;
      const [lines, width] = flags & COLUMNS ? [m, this.tileRows(m)] : [n, this.#double ? 4 : 8];
      return bytes(packed, alone ? lines : 0, width);
    }
    return this.#double ? this.#kernels.gemm_scratch_f64(m, n, k) : this.#kernels.gemm_scratch_f32(m, n, k);
  }

  tileRows(m: number): number {
    return this.#kernels.gemm_tile_rows(m);
  }

  /** Whether results are sums of lines along k, whose lanes are added up last: few rows or columns of many terms. */
  addsLanes({ m, n, k, spread = 1, transA, transB }: Product): boolean {
    if (this.#double || spread > 1 || m === 1 || n === 1) return false;
    const few = (lines: number, alone = false) =>
      lines <= 12 && k >= 16 * lines && ((-lines & 7) > 1 || alone);
    return (few(m, transA) && transB === true) || (few(n) && transA !== true);
  }

  /** batch products; `shared`: all batches use the same b. */
  runBatched(batch: number, m: number, n: number, k: number, shared: boolean, cuts: number[]) {
    const size = this.#double ? 8 : 4;
    const all = this.#double ? new Float64Array(this.#memory.buffer) : new Float32Array(this.#memory.buffer);
    const a = HEAP / size;
    const b = a + batch * m * k;
    const c = b + batch * k * n;
    const scratch = (c + batch * m * n + 15) & ~15;
    for (let i = a; i < c; i++) all[i] = wave(i - a);
    const kernel = this.#double ? this.#kernels.bmm_f64 : this.#kernels.bmm_f32;
    const step = shared ? 0 : k * n;
    const ends = [0, ...cuts, batch];
    for (let s = 0; s + 1 < ends.length; s++) {
      kernel(a * size, m * k, k, 1, b * size, step, n, 1, c * size, m, n, k, scratch * size, ends[s], ends[s + 1]); // biome-ignore format: one call
    }
    const expected = new Float64Array(batch * m * n);
    for (let z = 0; z < batch; z++)
      for (let i = 0; i < m; i++)
        for (let j = 0; j < n; j++)
          for (let q = 0; q < k; q++)
            expected[(z * m + i) * n + j] += all[a + (z * m + i) * k + q] * all[b + z * step + q * n + j];
    return { c: all.slice(c, c + batch * m * n), expected };
  }

  #reference(
    all: Floats,
    a: number,
    aRow: number,
    aCol: number,
    b: number,
    bRow: number,
    bCol: number,
    bias: number,
    { m, n, k, flags = 0, bias: biased }: Product,
  ) {
    const expected = new Float64Array(m * n);
    const bound = new Float64Array(m * n);
    const unit = this.#double ? 2 ** -53 : 2 ** -24;
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        const before = this.#double ? wave(7 * i + 3 * j) : Math.fround(wave(7 * i + 3 * j));
        let sum = flags & ACCUMULATE ? before : 0;
        let magnitude = Math.abs(sum);
        for (let q = 0, x = a + i * aRow, y = b + j * bCol; q < k; q++, x += aCol, y += bRow) {
          const term = all[x] * all[y];
          sum += term;
          magnitude += Math.abs(term);
        }
        if (biased) sum += all[bias + j];
        if (flags & RELU && sum < 0) sum = 0;
        expected[i * n + j] = sum;
        bound[i * n + j] = (k + 3) * unit * (magnitude + Math.abs(biased ? all[bias + j] : 0)) * 2;
      }
    }
    return { expected, bound };
  }
}

function expectClose(product: Product, { c, reference }: Run): void {
  const { expected, bound } = reference();
  const wrong = expected.findIndex((x, i) => !(Math.abs(x - c[i]) <= bound[i]));
  if (wrong >= 0) {
    const { n } = product;
    const place = `[${Math.floor(wrong / n)}, ${wrong % n}]`;
    expect.fail(`${JSON.stringify(product)}: C${place} is ${c[wrong]}, expected ${expected[wrong]}`);
  }
}

const bits = (x: Floats) => Buffer.from(x.buffer, x.byteOffset, x.byteLength);
const cases = [
  ['simd', 'float32'],
  ['simd', 'float64'],
  ['relaxed', 'float32'],
  ['relaxed', 'float64'],
] as const;
const layouts = [0, 1, 2, 3].map((i) => ({ transA: (i & 1) === 1, transB: i >= 2 }));
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

describe.each(cases)('gemm of %s.wasm in %s', (name, dtype) => {
  const bench = new Bench(name, dtype === 'float64');

  it('multiplies every small shape, all four transpositions', () => {
    const columns = [...range(1, 17), 31, 32, 33, 40, 47, 48, 49];
    for (const layout of layouts) {
      for (const m of range(1, 13)) {
        for (const n of columns) {
          const product = { m, n, k: 1 + ((m * 5 + n) % 11), ...layout };
          expectClose(product, bench.run(product));
        }
      }
    }
  });

  it('multiplies few terms into narrow and wide rows, whole and in slices', () => {
    for (const layout of layouts) {
      for (const m of [4, 5, 6, 7, 11, 12, 13, 61]) {
        for (const n of [5, 6, 7, 8, 9, 10, 15, 16, 23, 33]) {
          for (const [k, tight] of [
            [1, true],
            [2, false],
            [15, true],
            [16, false],
            [17, true],
            [33, true],
            [65, false],
          ] as const) {
            const product = { m, n, k, tight, ...layout };
            const whole = bench.run(product);
            expectClose(product, whole);
            const rowCuts = [1, 4, 10, 11].filter((cut) => cut < m);
            const columnCuts = [1, 6, 11, 20].filter((cut) => cut < n);
            expect(bits(bench.run({ ...product, cuts: rowCuts }).c).equals(bits(whole.c))).toBe(true);
            const sliced = bench.run({ ...product, flags: COLUMNS, cuts: columnCuts });
            expect(bits(sliced.c).equals(bits(whole.c))).toBe(true);
          }
        }
      }
    }
  });

  it('multiplies around its block sizes', () => {
    const sizes = [
      ...[59, 60, 61, 62, 63, 64, 66, 119, 120, 121, 126].map((m) => ({ m, n: 19, k: 9 })),
      ...[60, 61, 62, 63, 64, 121].map((m) => ({ m, n: 100, k: 35 })),
      ...[95, 96, 97, 1023, 1024, 1025, 1033].map((n) => ({ m: 14, n, k: 6 })),
      ...[511, 512, 513, 767, 768, 769, 1279, 1280, 1281].map((k) => ({ m: 13, n: 34, k })),
      ...[14, 250].map((m) => ({ m, n: 10, k: 770 })),
      { m: 10, n: 250, k: 770 },
      { m: 3, n: 130, k: 40 },
      ...[511, 512, 513, 1024, 1025].map((n) => ({ m: 9, n, k: 16 })),
      ...[31, 32, 33, 126, 127].map((k) => ({ m: 9, n: 130, k })),
      ...[159, 160, 161].flatMap((k) => [9, 33, 40].map((n) => ({ m: 13, n, k, tight: n === 9 }))),
      ...[95, 97, 129, 513, 521].map((n) => ({ m: 13, n, k: 4, tight: true })),
    ];
    for (const size of sizes)
      for (const layout of layouts) {
        expectClose(size, bench.run({ ...size, ...layout }));
      }
  });

  it('takes every k from 0, and strides without a contiguous dimension', () => {
    for (const k of [...range(0, 20), 31, 33, 64, 67]) {
      for (const [m, n] of [
        [7, 11],
        [1, 9],
        [9, 1],
        [1, 1],
        [20, 3],
      ]) {
        // biome-ignore format: pairs
        for (const layout of layouts) {
          for (const spread of [1, 3]) {
            const product = { m, n, k, spread, ...layout };
            expectClose(product, bench.run(product));
          }
        }
      }
    }
  });

  it('does nothing for an empty C', () => {
    expect(bench.run({ m: 0, n: 5, k: 3 }).c.length).toBe(0);
    expect(bench.run({ m: 5, n: 0, k: 3 }).c.length).toBe(0);
  });

  it('adds to C, adds a bias once and cuts off negative results', () => {
    for (const flags of range(0, 7)) {
      for (const [m, n, k] of [
        [13, 21, 770],
        [1, 19, 30],
        [19, 1, 30],
        [30, 9, 5],
        [6, 8, 0],
      ]) {
        // biome-ignore format: triples
        for (const bias of [false, true]) {
          const product = { m, n, k, flags, bias };
          expectClose(product, bench.run(product));
        }
      }
    }
  });

  it('gives the same bits for any slices of rows and of columns', () => {
    const sizes = [[25, 50, 780], [30, 10, 770], [1, 70, 45], [70, 1, 45], [4, 100, 9], [125, 40, 8]]; // biome-ignore format: triples
    for (const [m, n, k] of sizes) {
      for (const layout of layouts) {
        for (const spread of [1, 2]) {
          const product = { m, n, k, spread, bias: true, flags: RELU, ...layout };
          const whole = bits(bench.run(product).c);
          const rowCuts = [1, 2, 5, 11, 12, 13, 20].filter((cut) => cut < m);
          const columnCuts = [1, 3, 8, 9, 17, 24, 33].filter((cut) => cut < n);
          expect(bits(bench.run({ ...product, cuts: rowCuts }).c).equals(whole)).toBe(true);
          const sliced = bench.run({ ...product, flags: RELU | COLUMNS, cuts: columnCuts });
          expect(bits(sliced.c).equals(whole)).toBe(true);
        }
      }
    }
  });

  it('gives the same bits where one operand is packed for all slices, around all edges', () => {
    // biome-ignore format: triples
    const sizes = [[4, 5, 1], [5, 8, 3], [6, 9, 40], [7, 63, 21], [11, 64, 33], [12, 65, 33], [13, 129, 530], [37, 100, 600],
      [59, 40, 8], [60, 40, 8], [61, 48, 9], [62, 72, 9], [63, 64, 5], [64, 65, 5], [183, 70, 35], [64, 1030, 5]];
    for (const [m, n, k] of sizes) {
      const height = bench.tileRows(m);
      const rowCuts = [1, 2, 5, 20].map((tile) => tile * height).filter((cut) => cut < m);
      const columnCuts = [8, 24, 56, 64].filter((cut) => cut < n);
      for (const layout of layouts) {
        for (const options of [
          { flags: RELU, bias: true },
          { flags: ACCUMULATE, spread: 2 },
        ]) {
          const product = { m, n, k, ...options, ...layout };
          const whole = bench.run(product);
          expectClose(product, whole);
          const ways = [k, Math.ceil(k / 2)].flatMap((packed) =>
            [true, false].map((alone) => ({ packed, alone })),
          );
          for (const way of ways) {
            for (const [flags, cuts] of [
              [options.flags, []],
              [options.flags, rowCuts],
              [options.flags | COLUMNS, []],
              [options.flags | COLUMNS, columnCuts],
            ] as const) {
              const packed = { ...product, ...way, flags, cuts };
              const { c } = bench.run(packed);
              expect(bits(c).equals(bits(whole.c)), JSON.stringify(packed)).toBe(true);
            }
          }
        }
      }
    }
  });

  it('gives the same bits whatever the plan: packed, in place, turned, or part of a larger product', () => {
    for (const k of [3, 770]) {
      const [rows, columns] = [61, 131];
      const large = bench.run({ m: rows, n: columns, k }).c;
      for (const [m, n] of [
        [61, 131],
        [61, 3],
        [61, 10],
        [61, 17],
        [2, 131],
        [5, 131],
        [12, 97],
        [9, 9],
        [13, 40],
      ]) {
        // biome-ignore format: pairs
        const corner = large.slice(0, m * n);
        for (let i = 0; i < m; i++) corner.set(large.subarray(i * columns, i * columns + n), i * n);
        for (const layout of layouts) {
          for (const spread of [1, 2]) {
            if (bench.addsLanes({ m, n, k, spread, ...layout })) continue;
            expect(bits(bench.run({ m, n, k, spread, ...layout }).c).equals(bits(corner))).toBe(true);
          }
        }
      }
    }
  });

  it('multiplies a few rows or columns, whole and in slices, in an order that depends on k alone', () => {
    const lines = [2, 3, 4, 5, 6, 7, 11, 12, 13];
    for (const k of [31, 32, 33, 64, 97, 192, 195, 770]) {
      for (const n of [29, 47, 600]) {
        const most = bench.run({ m: 12, n, k, transB: true }); // rows that do not depend on how many there are
        for (const few of lines) {
          for (const layout of layouts) {
            for (const flags of [0, ACCUMULATE]) {
              const wide = { m: few, n, k, flags, ...layout };
              const whole = bench.run(wide);
              expectClose(wide, whole);
              for (const [cuts, side] of [
                [[1, 2].filter((cut) => cut < few), 0],
                [[1, 8, 13, 21], COLUMNS],
              ] as const) {
                const { c } = bench.run({ ...wide, cuts, flags: flags | side });
                expect(bits(c).equals(bits(whole.c)), JSON.stringify(wide)).toBe(true);
              }
              if (k >= 192 && flags === 0 && bench.addsLanes(wide))
                expect(bits(whole.c).equals(bits(most.c.slice(0, few * n)))).toBe(true);
              const tall = { m: n, n: few, k, flags, ...layout };
              const turned = bench.run(tall);
              expectClose(tall, turned);
              const { c } = bench.run({ ...tall, cuts: [1, 8, 13, 21] });
              expect(bits(c).equals(bits(turned.c)), JSON.stringify(tall)).toBe(true);
            }
          }
        }
      }
    }
  });

  it('spreads NaN and infinity as a triple loop does', () => {
    const kinds = new Set<string>();
    for (const [m, n, k] of [
      [9, 13, 7],
      [1, 13, 21],
      [13, 1, 21],
      [40, 10, 30],
      [5, 100, 3],
      [3, 40, 201],
      [40, 5, 201],
    ]) {
      // biome-ignore format: triples
      for (const layout of layouts) {
        const change = (x: number, i: number) =>
          i % 211 === 7 ? Number.NaN : i % 97 === 5 ? Infinity : i % 7 === 0 ? 0 : x;
        const { c, reference } = bench.run({ m, n, k, change, ...layout });
        const { expected } = reference();
        const same = (x: number, y: number) => Object.is(x, y) || Math.abs(x - y) < 1e-4;
        expect(expected.findIndex((x, i) => !same(x, c[i]))).toBe(-1);
        for (const x of expected) kinds.add(Number.isFinite(x) ? 'finite' : String(x));
      }
    }
    expect([...kinds].sort()).toEqual(['-Infinity', 'Infinity', 'NaN', 'finite']);
  });

  it('multiplies batches, with a matrix of its own each or one for all', () => {
    for (const shared of [false, true]) {
      const { c, expected } = bench.runBatched(5, 7, 9, 11, shared, [1, 4]);
      c.forEach((x, i) => {
        expect(Math.abs(x - expected[i])).toBeLessThan(1e-4);
      });
    }
  });
});
