/**
 * Kernels called directly, in both builds: any cut of [0, total) must give the same bits, nothing outside the output
 * may be written, and an output may lie over an operand. (What they compute is compared in kernelsBackend.test.ts.)
 */
import { describe, expect, it } from 'vitest';
import { type AnyArray, benches, LENGTHS, waves } from './kernelsHarness.ts';

const ints = (n: number, seed = 1) =>
  Int32Array.from({ length: n }, (_, i) => ((i * 7919 + seed * 31) % 201) - 100);
const make = {
  f32: (n: number, seed = 1): AnyArray => waves(n, 3, seed),
  f64: (n: number, seed = 1): AnyArray => Float64Array.from(waves(n, 3, seed)),
  i64: (n: number, seed = 1): AnyArray => BigInt64Array.from(ints(n, seed), BigInt),
  i32: (n: number, seed = 1): AnyArray => ints(n, seed),
  u8: (n: number, seed = 1): AnyArray => Uint8Array.from(ints(n, seed), (x) => x & 1),
};
type Suffix = keyof typeof make;
const size: { readonly [S in Suffix]: number } = { f32: 4, f64: 8, i64: 8, i32: 4, u8: 1 };

const arithmetic = {
  f32:
    'add atan2 div floor_divide fmod gelu_grad hypot maximum minimum mul pow relu_grad remainder sigmoid_grad sub ' +
    'tanh_grad trunc_divide xlogy',
  f64: 'add div maximum minimum mul relu_grad sub',
  i64: 'add floor_divide maximum minimum mul remainder sub',
  i32: 'add maximum minimum mul sub',
  u8: 'logical_and logical_or logical_xor',
} satisfies Record<Suffix, string>;
const comparisons = 'eq ge gt le lt ne';
const suffixes: readonly Suffix[] = ['f32', 'f64', 'i64', 'i32', 'u8'];

describe.each(benches)('slices, $name build', (bench) => {
  it.each(suffixes)('operations on two operands, %s', (suffix) => {
    for (const name of `${arithmetic[suffix]} ${comparisons}`.split(' ')) {
      const outSize = comparisons.includes(name) ? 1 : size[suffix];
      for (const n of LENGTHS) {
        const [a, b] = [bench.put(make[suffix](n + 1)), bench.put(make[suffix](n + 1, 2))];
        for (const [aStep, bStep] of [
          [1, 1],
          [1, 0],
          [0, 1],
          [0, 0],
        ]) {
          const args = (out: number) => [a, b, out, Math.max(n, 1), 0, aStep, 0, bStep];
          bench.sliced(`${name}_${suffix}`, args, n, n * outSize);
        }
        bench.reset();
      }
      for (const [rows, inner] of [
        [1, 40],
        [40, 1],
        [3, 7],
        [5, 16],
        [9, 35],
      ]) {
        const [a, b] = [
          bench.put(make[suffix](2 * rows * inner)),
          bench.put(make[suffix](2 * rows * inner, 2)),
        ];
        for (const [aRow, aStep, bRow, bStep] of [
          [inner, 1, 0, 1],
          [0, 1, inner, 1],
          [inner, 1, 1, 0],
          [1, rows, inner, 1],
          [2 * inner, 2, 0, 0],
        ]) {
          const args = (out: number) => [a, b, out, inner, aRow, aStep, bRow, bStep];
          bench.sliced(`${name}_${suffix}`, args, rows * inner, rows * inner * outSize);
        }
        bench.reset();
      }
    }
  });

  it('the output may lie over either operand', () => {
    for (const name of arithmetic.f32.split(' ')) {
      for (const n of LENGTHS) {
        const [x, y] = [make.f32(n), make.f32(n, 2)];
        const [a, b, out] = [bench.put(x), bench.put(y), bench.alloc(n * 4)];
        const args = (to: number) => [a, b, to, Math.max(n, 1), n, 1, n, 1, 0, n];
        bench.call(`${name}_f32`, ...args(out));
        const expected = bench.f32(out, n);
        bench.call(`${name}_f32`, ...args(a));
        expect(bench.f32(a, n)).toEqual(expected);
        const [c, d] = [bench.put(x), bench.put(y)];
        bench.call(`${name}_f32`, c, d, d, Math.max(n, 1), n, 1, n, 1, 0, n);
        expect(bench.f32(d, n)).toEqual(expected);
        bench.reset();
      }
    }
  });

  it('gradients of activations', () => {
    for (const n of LENGTHS) {
      const [grad, x] = [bench.put(make.f32(n)), bench.put(make.f32(n, 2))];
      bench.sliced('hardswish_grad_f32', (out) => [grad, x, out], n, n * 4);
      bench.sliced('add_scaled_f32', (out) => [grad, x, out, 0.3], n, n * 4);
      bench.sliced('elu_grad_f32', (out) => [grad, x, out, 1.5, 0.75, 0.5], n, n * 4);
      bench.sliced('gate_f32', (out) => [grad, x, out, -1, 1, 0.25, 1, 0, 0.5], n, n * 4);
      bench.reset();
    }
  });

  it('choices', () => {
    for (const [width, suffix] of [
      ['u8', 'u8'],
      ['u32', 'f32'],
      ['u64', 'f64'],
    ] as const) {
      for (const n of LENGTHS) {
        const [c, a, b] = [
          bench.put(make.u8(n)),
          bench.put(make[suffix](n + 1)),
          bench.put(make[suffix](n + 1, 2)),
        ];
        for (const [cStep, aStep, bStep] of [
          [1, 1, 1],
          [1, 0, 1],
          [1, 1, 0],
          [0, 1, 1],
        ]) {
          const args = (out: number) => [c, a, b, out, Math.max(n, 1), 0, cStep, 0, aStep, 0, bStep];
          bench.sliced(`where_${width}`, args, n, n * size[suffix]);
        }
        bench.reset();
      }
    }
  });

  it('copies, fills and transpositions', () => {
    const widths = [
      ['u8', 1],
      ['u16', 2],
      ['u32', 4],
      ['u64', 8],
    ] as const;
    for (const [width, bytes] of widths) {
      const source = Uint8Array.from({ length: 70 * 40 * bytes }, (_, i) => (i * 73) ^ (i >> 8));
      for (const n of LENGTHS) {
        const x = bench.put(source);
        bench.sliced(`fill_${width}`, (out) => [x, out], n, n * bytes);
        const rows = 6;
        bench.sliced(
          `copy_${width}`,
          (out) => [x, out, 2, 3, n, 0, 3 * n, n, 1, 0, 3 * n, n, 1],
          rows,
          rows * n * bytes,
        );
        const at = (i: number) => source.subarray(i * bytes, (i + 1) * bytes);
        for (const step of [-1, 0, 2]) {
          const first = step < 0 ? n - 1 : 0;
          const got = bench.sliced(
            `copy_${width}`,
            (out) => [x + first * bytes, out, 1, rows, n, 0, 0, n, step, 0, 0, n, 1],
            rows,
            rows * n * bytes,
          );
          for (let i = 0; i < rows * n; i++) {
            const from = Math.floor(i / n) * n + first + (i % n) * step;
            expect(got.subarray(i * bytes, (i + 1) * bytes)).toEqual(at(from));
          }
        }
        bench.reset();
      }
      if (bytes < 4) continue;
      for (const [m, n] of [
        [1, 1],
        [4, 4],
        [16, 16],
        [17, 5],
        [33, 40],
        [40, 64],
        [3, 70],
      ]) {
        const x = bench.put(source);
        const at = (i: number) => source.subarray(i * bytes, (i + 1) * bytes);
        const got = bench.sliced(`transpose_${width}`, (out) => [x, out, m, n, 0, m, 0, n], m, m * n * bytes);
        for (let i = 0; i < m; i++) {
          for (let j = 0; j < n; j++)
            expect(got.subarray((i * n + j) * bytes, (i * n + j + 1) * bytes)).toEqual(at(j * m + i));
        }
        bench.reset();
      }
      const x = bench.put(source);
      const [batch, m, n] = [3, 7, 9];
      bench.sliced(
        `transpose_${width}`,
        (out) => [x, out, m, n, m * n, m, m * n, n],
        batch * m,
        batch * m * n * bytes,
      );
      bench.reset();
    }
  });

  it('conversions', () => {
    for (const from of suffixes) {
      for (const to of [...suffixes, 'bool'] as const) {
        if (!bench.has(`convert_${from}_${to}`)) {
          expect([from, to === 'bool' ? 'u8' : to].join()).toBe(`${from},${from}`);
          continue;
        }
        for (const n of LENGTHS) {
          const x = bench.put(make[from](n));
          bench.sliced(`convert_${from}_${to}`, (out) => [x, out], n, n * (to === 'bool' ? 1 : size[to]));
          bench.reset();
        }
      }
    }
    const x = bench.put(
      Float32Array.from([1e10, -1e10, 3e38, -3e38, Infinity, Number.NaN, 300.7, -1.9, 2147483648]),
    );
    const [wide, narrow] = [bench.alloc(72), bench.alloc(9)];
    bench.call('convert_f32_i64', x, wide, 0, 9);
    const least = -(2n ** 63n);
    expect([...bench.i64(wide, 9)]).toEqual([
      10000000000n,
      -10000000000n,
      least,
      least,
      least,
      least,
      300n,
      -1n,
      2147483648n,
    ]);
    // Where all four fit into 32 bits they go another way.
    const edges = [2147483520, -2147483648, -0.9, 1.9, 2147483648, 1, 2, 3, 4, Number.NaN, 5, -6.5, 7];
    const y = bench.put(Float32Array.from(edges));
    const [long, int] = [bench.alloc(8 * edges.length), bench.alloc(4 * edges.length)];
    bench.call('convert_f32_i64', y, long, 0, edges.length);
    bench.call('convert_f32_i32', y, int, 0, edges.length);
    const whole = edges.map((v) => (Number.isNaN(v) ? least : BigInt(Math.trunc(v))));
    expect([...bench.i64(long, edges.length)]).toEqual(whole);
    expect([...new Int32Array(bench.bytes(int, 4 * edges.length).buffer)]).toEqual(
      whole.map((v) => Number(BigInt.asIntN(32, v))),
    );
    bench.call('convert_f32_u8', x, narrow, 0, 9);
    expect([...bench.bytes(narrow, 9)]).toEqual([0, 0, 0, 0, 0, 0, 44, 255, 0]);
    bench.reset();
  });

  it('folds over rows, columns and blocks', () => {
    const kernels = ['sum', 'prod', 'max', 'min'].flatMap((name) =>
      (['f32', 'f64', 'i64', 'i32'] as const).map((s) => [name, s] as const),
    );
    for (const [outer, axis, inner] of [
      [1, 1, 1],
      [3, 40, 1],
      [2, 700, 1],
      [3, 33, 4],
      [2, 70, 17],
      [1, 9, 65],
      [4, 5, 3],
      [2, 35, 50],
    ]) {
      for (const [name, suffix] of kernels) {
        const x = bench.put(make[suffix](outer * axis * inner));
        for (const block of new Set([axis, Math.ceil(axis / 3)])) {
          const total = outer * Math.ceil(axis / block) * inner;
          bench.sliced(
            `${name}_${suffix}`,
            (out) => [x, out, axis, inner, block],
            total,
            total * size[suffix],
          );
          if (name === 'sum' && suffix === 'f32') {
            for (const kernel of ['sum_blocks_f32', 'square_sum_f32'])
              bench.sliced(kernel, (out) => [x, out, axis, inner, block], total, total * 8);
          }
        }
        bench.reset();
      }
      for (const suffix of suffixes) {
        for (const name of ['argmax', 'argmin']) {
          const x = bench.put(make[suffix](outer * axis * inner));
          const total = outer * inner;
          bench.sliced(`${name}_${suffix}`, (out) => [x, 0, out, axis, inner], total, total * 8);
          bench.reset();
        }
      }
    }
  });

  it('rows of softmax and cross-entropy', () => {
    for (const n of [1, 3, 4, 5, 10, 16, 33]) {
      const rows = 11;
      const [x, g] = [bench.put(make.f32(rows * n)), bench.put(make.f32(rows * n, 2))];
      const target = bench.put(
        BigInt64Array.from({ length: rows }, (_, i) => (i % 5 === 4 ? -100n : BigInt(i % n))),
      );
      const scratch = bench.alloc(rows * 16);
      for (const safe of [0, 1]) bench.sliced('softmax_f32', (out) => [x, out, n, safe], rows, rows * n * 4);
      bench.sliced('log_softmax_f32', (out) => [x, out, n], rows, rows * n * 4);
      bench.sliced('softmax_grad_f32', (out) => [g, x, out, n], rows, rows * n * 4);
      bench.sliced('log_softmax_grad_f32', (out) => [g, x, out, n], rows, rows * n * 4);
      bench.sliced(
        'cross_entropy_f32',
        (out) => [x, target, 0, out, scratch, scratch + rows * 4, n, -100, 0.1],
        rows,
        rows * 4,
      );
      const stats = bench.put(make.f32(rows * 2));
      bench.sliced(
        'cross_entropy_grad_f32',
        (out) => [x, target, 0, stats, g, 1, out, n, -100, 0.1, n, 1],
        rows,
        rows * n * 4,
      );
      bench.reset();
    }
  });

  it('indexing', () => {
    const [outer, axis, picks, inner] = [3, 6, 5, 9];
    for (const [width, suffix] of [
      ['u8', 'u8'],
      ['u32', 'f32'],
      ['u64', 'f64'],
    ] as const) {
      const bytes = size[suffix];
      const index = (n: number, limit: number) =>
        bench.put(BigInt64Array.from({ length: n }, (_, i) => BigInt((i * 7) % limit)));
      const x = bench.put(make[suffix](outer * axis * inner));
      const total = outer * picks * inner;
      const flat = index(total, axis);
      bench.sliced(`take_${width}`, (out) => [x, index(40, 100), out], 40, 40 * bytes);
      bench.sliced(`gather_${width}`, (out) => [x, flat, out, axis, picks, inner], total, total * bytes);
      bench.sliced(
        'select_rows',
        (out) => [x, index(picks, axis), out, axis, picks, inner * bytes],
        outer * picks,
        total * bytes,
      );
      const source = bench.put(make[suffix](total, 3));
      const start = make[suffix](outer * axis * inner, 4);
      bench.sliced(
        `scatter_${width}`,
        (out) => [out, flat, source, axis, picks, inner],
        outer,
        start.byteLength,
        start,
      );
      if (suffix !== 'u8') {
        bench.sliced(
          `scatter_add_${suffix}`,
          (out) => [out, flat, source, axis, picks, inner],
          outer,
          start.byteLength,
          start,
        );
        for (const least of suffix === 'f32' ? [0, 1] : [])
          for (const steps of [
            [picks * inner, inner, 1],
            [0, 1, 0],
          ])
            bench.sliced(
              'scatter_extreme_f32',
              (out) => [least, out, flat, ...steps, source, axis, picks, inner],
              outer * inner,
              start.byteLength,
              start,
            );
        bench.sliced(
          `index_add_${suffix}`,
          (out) => [out, flat, source, axis, picks, inner],
          outer * inner,
          start.byteLength,
          start,
        );
      }
      bench.reset();
    }
  });

  it('the check notices a kernel that depends on the order of its slices', () => {
    const [positions, source] = [bench.put(new BigInt64Array(6)), bench.put(make.f32(6))];
    const args = (out: number) => [out, positions, source];
    expect(() => bench.sliced('put_u32', args, 6, 4)).toThrow('differs');
    bench.reset();
  });

  it('optimiser steps', () => {
    for (const n of LENGTHS) {
      const [g, m, v] = [
        bench.put(make.f32(n, 2)),
        bench.put(make.f32(n, 3)),
        bench.put(waves(n, 3, 4).map(Math.abs)),
      ];
      const start = make.f32(n, 5);
      bench.sliced('sgd_f32', (p) => [p, g, 0, 0, 0.1, 0, 0, 0.01, 0, 1], n, n * 4, start);
      bench.sliced(
        'sgd_f32',
        (velocity) => [bench.put(start), g, velocity, 0, 0.1, 0.9, 0.1, 0.01, 1, 0],
        n,
        n * 4,
        start,
      );
      bench.sliced(
        'adam_f32',
        (p) => [
          p,
          g,
          bench.put(make.f32(n, 3)),
          bench.put(waves(n, 3, 5).map(Math.abs)),
          0,
          1,
          0,
          1,
          0.1,
          0.999,
          0.5,
          1e-8,
          -0.1,
        ],
        n,
        n * 4,
        start,
      );
      bench.sliced(
        'adam_f32',
        (first) => [bench.put(start), g, first, v, m, -1, 0.1, 0.99, 0.7, 0.999, 0.5, 1e-8, -0.1],
        n,
        n * 4,
        start,
      );
      bench.reset();
    }
  });
});
