/** Running folds, sorting and the adaptive optimisers against the reference backend, on one thread and on two. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NDArray } from '../../src/backend/array.ts';
import type { StepSpec } from '../../src/backend/backend.ts';
import { ReferenceBackend } from '../../src/backend/reference/index.ts';
import { WasmBackend } from '../../src/backend/wasm/index.ts';
import { type DType, dtypeInfo } from '../../src/core/dtype.ts';
import { numElements, type Shape } from '../../src/core/shape.ts';
import * as steps from '../../src/optim/steps.ts';
import { benches, waves } from './kernelsHarness.ts';

const reference = new ReferenceBackend();
const wasm = new WasmBackend();
beforeAll(() => wasm.runtime.pool.start(2));
afterAll(() => wasm.runtime.pool.stop());

const SPECIAL = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0, 1e-40, -1e-40, 3e38];

/** Many ties, both signs, and in floats every kind of special value. */
function upload(b: ReferenceBackend, shape: Shape, dtype: DType, special = false): NDArray {
  const data = dtypeInfo[dtype].allocate(numElements(shape));
  for (let i = 0; i < data.length; i++) {
    const x = ((i * 7919 + 13) % 61) - 30;
    if (data instanceof BigInt64Array) data[i] = BigInt(x) * 2n ** 40n;
    else if (dtype === 'uint8' || dtype === 'bool') data[i] = dtype === 'bool' ? Math.abs(x) & 1 : x + 100;
    else if (dtype === 'int32') data[i] = x * 2 ** 24;
    else data[i] = special && i % 5 === 2 ? SPECIAL[(i * 3) % SPECIAL.length] : x / 8;
  }
  return b.upload(data, shape, dtype);
}

/** Transposed in memory where there is more than one dimension. */
const turned = (x: NDArray): NDArray => x.view([...x.shape].reverse(), [...x.strides].reverse());

function expectSame(got: NDArray, want: NDArray, what: string): void {
  expect(got.shape, what).toEqual(want.shape);
  expect(got.dtype, what).toBe(want.dtype);
  const [a, b] = [wasm.read(got), reference.read(want)];
  for (let i = 0; i < b.length; i++)
    if (!Object.is(a[i], b[i])) expect.fail(`${what}: element ${i} is ${a[i]}, expected ${b[i]}`);
}

const SHAPES: readonly Shape[] = [
  [],
  [1],
  [23],
  [24],
  [25],
  [300],
  [5, 7],
  [3, 40, 4],
  [2, 3, 19],
  [70, 130],
];
const DTYPES: readonly DType[] = ['float32', 'float64', 'int64', 'int32', 'uint8', 'bool'];

function forEachCase(
  run: (b: ReferenceBackend, x: NDArray, dim: number) => NDArray[],
  dtypes = DTYPES,
): void {
  for (const dtype of dtypes) {
    for (const shape of SHAPES) {
      for (const special of dtypeInfo[dtype].category === 2 ? [false, true] : [false]) {
        for (const flip of shape.length > 1 ? [false, true] : [false]) {
          for (let dim = 0; dim < Math.max(1, shape.length); dim++) {
            const [want, got] = [reference, wasm].map((b) => {
              const x = upload(b, shape, dtype, special);
              return run(b, flip ? turned(x) : x, dim);
            });
            const what = `${dtype} [${shape}] dim ${dim}${special ? ' special' : ''}${flip ? ' turned' : ''}`;
            want.forEach((each, i) => {
              expectSame(got[i], each, `${what}, result ${i}`);
            });
          }
        }
      }
    }
  }
}

describe('running folds', () => {
  it('sums', () => forEachCase((b, x, dim) => [b.scan('sum', x, dim)], ['float32', 'float64', 'int64']));
  it('products', () => forEachCase((b, x, dim) => [b.scan('prod', x, dim)], ['float32', 'float64', 'int64']));
  it.each(['max', 'min'] as const)('%s with positions', (kind) =>
    forEachCase((b, x, dim) => Object.values(b.scanExtreme(kind, x, dim))),
  );

  it('gives the same bits for any slices', () => {
    for (const bench of benches) {
      for (const [outer, axis, inner] of [
        [9, 17, 1],
        [3, 5, 11],
        [2, 33, 6],
      ]) {
        const lines = outer * inner;
        const x = waves(lines * axis);
        const p = bench.put(x);
        for (const kernel of ['cumsum_f32', 'cumprod_f32'])
          bench.sliced(kernel, (out) => [p, out, axis, inner], lines, x.byteLength);
        bench.reset();
      }
    }
  });
});

describe('sorting', () => {
  it.each([false, true])('is stable, NaN counts as the largest (descending: %s)', (descending) =>
    forEachCase((b, x, dim) => Object.values(b.sort(x, dim, descending))),
  );

  it.each([false, true])('gives a part of the order alone (descending: %s)', (descending) =>
    forEachCase((b, x, dim) => {
      const n = x.shape[dim] ?? 1;
      const parts: [number, number][] = [
        [0, Math.min(5, n)],
        [n >> 1, (n >> 1) + 1],
        [n - 1, n],
        [n >> 2, n - (n >> 2)],
        [0, 0],
      ];
      return parts.flatMap(([from, to]) => Object.values(b.sort(x, dim, descending, from, to)));
    }),
  );

  it('finds places among many distinct floats', () => {
    const data = waves(70_000, 1e3);
    const want = data.slice().sort();
    const x = wasm.upload(data, [data.length], 'float32');
    for (const [from, to] of [
      [0, 300],
      [34_999, 35_000],
      [69_000, 70_000],
    ])
      expect(wasm.read(wasm.sort(x, 0, false, from, to).values)).toEqual(want.slice(from, to));
  });

  it('sorts rows of many distinct floats', () => {
    for (const n of [1000, 70_000]) {
      const data = waves(n, 1e3);
      const { values, indices } = wasm.sort(wasm.upload(data, [n], 'float32'), 0, false);
      const want = data.slice().sort();
      expect(wasm.read(values)).toEqual(want);
      const at = wasm.read(indices) as BigInt64Array;
      expect(at.every((j, i) => data[Number(j)] === want[i])).toBe(true);
    }
  });
});

describe('adaptive optimisers', () => {
  const cases: [StepSpec, number, number[][]][] = [
    [
      steps.adadelta,
      2,
      [
        [1, 0, 0.9, 1e-6, 1],
        [-1, 0.1, 0.8, 1e-3, 0.5],
      ],
    ],
    [
      steps.adagrad,
      1,
      [
        [1, 0, 1e-10, -0.01],
        [-1, 0.1, 1e-6, -0.1],
      ],
    ],
    [
      steps.adamax,
      2,
      [
        [1, 0, 0.1, 0.999, 1e-8, -0.02],
        [-1, 0.1, 0.7, 0.9, 1e-4, -0.1],
      ],
    ],
    [
      steps.nadam,
      2,
      [
        [1, 0, 1, 0.1, 0.999, 0.04, 1e-8, -0.01, -0.02],
        [-1, 0.1, 0.9, 0.6, 0.9, 0.3, 1e-3, -0.1, -0.1],
      ],
    ],
    [
      steps.radam,
      2,
      [
        [1, 0, 1, 0.1, 0.999, 0.1, 0.01, 1e-8, 0.04, 0],
        [-1, 0.1, 0.9, 0.6, 0.9, 0.3, 0.1, 1e-3, 0.5, 0.7],
      ],
    ],
    [
      steps.rmsprop,
      3,
      [
        [1, 0, 0.99, 1e-8, 0.01, 0, 0],
        [1, 0.1, 0.9, 1e-8, 0.01, 0.9, 0],
        [-1, 0.1, 0.9, 1e-3, 0.01, 0, 1],
        [1, 0, 0.3, 1e-3, 0.1, 0.5, 1],
      ],
    ],
  ];
  it.each(cases)('$name', (spec, buffers, scalars) => {
    const list = (seed: number, n: number) => waves(n, 1, seed);
    for (const c of scalars) {
      for (const n of [1, 3, 4, 5, 130, 300_000]) {
        const [want, got] = [reference, wasm].map((b) => {
          const p = b.upload(list(1, n), [n], 'float32');
          const g = b.upload(list(2, n), [n], 'float32');
          // Averages of squares are not negative, and not smaller than the square of the average.
          const kept = Array.from({ length: 3 }, (_, i) =>
            i < buffers
              ? b.upload(
                  list(3 + i, n).map((x) => (i === 1 && spec === steps.rmsprop ? x / 10 : x * x + 0.5)),
                  [n],
                  'float32',
                )
              : null,
          );
          b.optimizerStep(spec, p, g, kept, c);
          return [p, ...kept];
        });
        want.forEach((each, i) => {
          if (!each) return;
          const [a, b] = [wasm.read(got[i] as NDArray), reference.read(each)];
          for (let k = 0; k < n; k++) {
            const [x, y] = [Number(a[k]), Number(b[k])];
            if (!(Math.abs(x - y) <= 2e-6 * Math.max(1, Math.abs(y))))
              expect.fail(`${spec.name} [${c}] array ${i}, element ${k} of ${n}: ${x}, expected ${y}`);
          }
        });
      }
    }
  });
});
