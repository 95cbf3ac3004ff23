/**
 * The Wasm backend against the reference backend: the same ops on the same numbers in every layout that a tensor can
 * have, for all dtypes. What has no kernel goes through both the same way, so a wrong choice of kernel shows too.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NDArray } from '../../src/backend/array.ts';
import type { BinarySpec, ReduceSpec, UnarySpec } from '../../src/backend/backend.ts';
import { ReferenceBackend } from '../../src/backend/reference/index.ts';
import { WasmBackend } from '../../src/backend/wasm/index.ts';
import { type DType, dtypeInfo, type TypedArray } from '../../src/core/dtype.ts';
import { contiguousStrides, numElements, type Shape } from '../../src/core/shape.ts';
import { geluGrad, hardsigmoid, hardswish } from '../../src/ops/activation.ts';
import * as arithmetic from '../../src/ops/arithmetic.ts';
import * as comparison from '../../src/ops/comparison.ts';
import * as elementwise from '../../src/ops/elementwise.ts';
import { xlogy } from '../../src/ops/pairs.ts';
import { eluGradRow, gateRow, hardswishGrad, reluGrad, sigmoidGrad, tanhGrad } from '../../src/ops/slopes.ts';
import { adam } from '../../src/optim/steps.ts';

const reference = new ReferenceBackend();
const wasm = new WasmBackend();
const both = [reference, wasm] as const;

beforeAll(() => wasm.runtime.pool.start(2));
afterAll(() => wasm.runtime.pool.stop());

type Layout = 'contiguous' | 'transposed' | 'stepped' | 'expanded' | 'offset';
const LAYOUTS: readonly Layout[] = ['contiguous', 'transposed', 'stepped', 'expanded', 'offset'];

/** Element i of a test array: both signs, ties, fractions that every float holds exactly. */
const element = (i: number, dtype: DType, seed: number): number => {
  const x = ((i * 37 + seed * 11) % 41) - 20;
  if (dtype === 'bool') return ((i * 7 + seed) % 3) % 2;
  if (dtype === 'uint8') return Math.abs(x);
  return dtypeInfo[dtype].category === 2 ? x / 8 : x;
};

function upload(backend: ReferenceBackend, shape: Shape, dtype: DType, seed: number): NDArray {
  const data: TypedArray = dtypeInfo[dtype].allocate(numElements(shape));
  for (let i = 0; i < data.length; i++) {
    const x = element(i, dtype, seed);
    if (data instanceof BigInt64Array) data[i] = BigInt(x);
    else data[i] = x;
  }
  return backend.upload(data, shape, dtype);
}

/** An array of this shape and layout; equal numbers on both backends. */
function make(backend: ReferenceBackend, shape: Shape, dtype: DType, layout: Layout, seed = 1): NDArray {
  const n = shape.length;
  switch (layout) {
    case 'transposed': {
      const x = upload(backend, [...shape].reverse(), dtype, seed);
      return x.view(shape, [...x.strides].reverse());
    }
    case 'stepped': {
      const wide = shape.map((s, d) => (d === n - 1 ? 3 * s : 2 * s));
      const x = upload(backend, wide, dtype, seed);
      return x.view(
        shape,
        x.strides.map((s, d) => (d === n - 1 ? 3 * s : 2 * s)),
        n > 0 && numElements(shape) > 0 ? 1 : 0,
      );
    }
    case 'expanded': {
      const x = upload(
        backend,
        shape.map((s, d) => (d === 0 ? 1 : s)),
        dtype,
        seed,
      );
      return x.view(
        shape,
        x.strides.map((s, d) => (d === 0 ? 0 : s)),
      );
    }
    case 'offset': {
      const x = upload(backend, [numElements(shape) + 5], dtype, seed);
      return x.view(shape, contiguousStrides(shape), 3);
    }
    default:
      return upload(backend, shape, dtype, seed);
  }
}

const SHAPES: readonly Shape[] = [
  [],
  [1],
  [7],
  [33],
  [4, 5],
  [3, 16],
  [16, 17],
  [2, 3, 4],
  [3, 1, 9],
  [2, 3, 4, 5],
  [0, 3],
];
const DTYPES: readonly DType[] = ['float32', 'float64', 'int64', 'int32', 'int16', 'int8', 'uint8', 'bool'];

/** What the derivative of gelu may be off by: around its zero an error is no longer a part of the result. */
const GELU_GRAD_NEAR_ZERO = 1e-6;

/** Equal up to the rounding of float32 functions. */
function expectSame(got: NDArray, want: NDArray, what: string): void {
  expect(got.dtype, what).toBe(want.dtype);
  expect(got.shape, what).toEqual(want.shape);
  const [a, b] = [wasm.read(got), reference.read(want)];
  const near = what.includes('gelu_grad') ? GELU_GRAD_NEAR_ZERO : 0;
  const loose = got.dtype === 'float32' || got.dtype === 'float64';
  for (let i = 0; i < b.length; i++) {
    if (Object.is(a[i], b[i])) continue;
    const [x, y] = [Number(a[i]), Number(b[i])];
    const close = loose && Math.abs(x - y) <= 1e-6 * Math.max(Math.abs(x), Math.abs(y)) + near;
    if (!close && !(x === 0 && y === 0)) expect.fail(`${what}: element ${i} is ${x}, expected ${y}`);
  }
}

/** Runs the same on both backends and compares. */
function compare(what: string, run: (backend: ReferenceBackend) => NDArray): void {
  const [want, got] = both.map(run);
  expectSame(got, want, what);
}

const unarySpecs: UnarySpec[] = [
  ...Object.values(elementwise),
  hardsigmoid,
  hardswish,
  arithmetic.neg,
  comparison.logicalNot,
  comparison.isnan,
  comparison.isinf,
  comparison.isfinite,
]
  .map((op) => op.row)
  .filter((row): row is typeof row & UnarySpec => row.name !== 'relu_grad');
const binarySpecs: BinarySpec[] = [
  ...[
    arithmetic.mul,
    arithmetic.maximum,
    arithmetic.minimum,
    arithmetic.remainder,
    arithmetic.fmod,
    arithmetic.floorDivide,
  ].map((op) => op.row),
  ...[
    arithmetic.atan2,
    arithmetic.hypot,
    xlogy,
    geluGrad,
    hardswishGrad,
    reluGrad,
    sigmoidGrad,
    tanhGrad,
  ].map((op) => op.row),
  ...[comparison.eq, comparison.ne, comparison.lt, comparison.le, comparison.gt, comparison.ge].map(
    (op) => op.row,
  ),
  gateRow({ p: -1, q: 1.5, r: 0.25, s: 1, t: 0, u: 0.5 }),
  eluGradRow(1.5, 0.75, 0.5),
  { name: 'add_scaled', js: (a, b) => a + b * 0.375, wgsl: '', scalars: { p: 0.375 } },
  { name: 'add', js: (a, b) => a + b, big: (a, b) => a + b, wgsl: '' },
  { name: 'sub', js: (a, b) => a - b, big: (a, b) => a - b, wgsl: '' },
  { name: 'div', js: (a, b) => a / b, wgsl: '' },
];
const FLOAT_ONLY = new Set(['remainder', 'fmod', 'floor_divide', 'atan2', 'hypot', 'div', 'xlogy', 'gate']);
const isFloat = (dtype: DType) => dtypeInfo[dtype].category === 2;
const isArithmetic = (dtype: DType) => isFloat(dtype) || dtype === 'int64' || dtype === 'int32';

describe('elementwise', () => {
  it.each(unarySpecs.map((spec) => [spec.name, spec] as const))('%s', (_, spec) => {
    for (const dtype of spec.predicate
      ? DTYPES
      : isArithmeticSpec(spec)
        ? DTYPES.filter(isArithmetic)
        : DTYPES.filter(isFloat)) {
      for (const shape of SHAPES) {
        for (const layout of LAYOUTS) {
          if (layout === 'expanded' && shape.length === 0) continue;
          compare(`${spec.name} ${dtype} ${shape} ${layout}`, (b) =>
            b.unary(spec, make(b, shape, dtype, layout)),
          );
        }
      }
    }
  });

  it('gradients of activations at their bounds, at infinity and at NaN', () => {
    const bounds = [0, 1, 3, 3.5, 100, 1e20, 3e38, Infinity];
    const points = [...bounds, ...bounds.map((x) => -x), Number.NaN];
    const grads = [1, -2, 0, Infinity, Number.NaN];
    const pairs = grads.flatMap((grad) => points.map((x) => [grad, x] as const));
    const rows = [
      geluGrad.row,
      hardswishGrad.row,
      eluGradRow(1.5, 0.75, 0.5),
      gateRow({ p: -3, q: 3, r: 0, s: 0.5, t: 2, u: 0.25 }),
      gateRow({ p: 0, q: 0, r: 0.25, s: 1, t: 1, u: 3 }),
    ];
    for (const dtype of ['float32', 'float64'] as const) {
      const column = (backend: ReferenceBackend, k: 0 | 1) => {
        const values = dtypeInfo[dtype].allocate(pairs.length);
        pairs.forEach((pair, i) => {
          values[i] = pair[k];
        });
        return backend.upload(values, [pairs.length], dtype);
      };
      for (const row of rows)
        compare(`${row.name} ${dtype}`, (b) => b.binary(row, column(b, 0), column(b, 1)));
    }
  });

  it('whole numbers divided and their remainders', () => {
    const edges = [0n, 1n, -1n, 2n, -3n, 7n, -7n, 2n ** 31n, 3n - 2n ** 31n, 2n ** 63n - 1n, -(2n ** 63n)];
    const divisors = edges.filter((b) => b !== 0n);
    const values = edges.flatMap((a) => divisors.map((b) => [a, b] as const));
    const column = (backend: ReferenceBackend, k: 0 | 1) =>
      backend.upload(
        BigInt64Array.from(values, (pair) => pair[k]),
        [values.length],
        'int64',
      );
    for (const op of [arithmetic.floorDivide, arithmetic.remainder])
      compare(`${op.row.name} int64`, (b) => b.binary(op.row, column(b, 0), column(b, 1)));
  });

  it.each(binarySpecs.map((spec) => [spec.name, spec] as const))('%s', (_, spec) => {
    for (const dtype of spec.predicate
      ? DTYPES
      : DTYPES.filter(FLOAT_ONLY.has(spec.name) || spec.name.endsWith('_grad') ? isFloat : isArithmetic)) {
      for (const shape of SHAPES) {
        for (const [left, right] of [
          ...LAYOUTS.map((l) => ['contiguous', l] as const),
          ...LAYOUTS.map((l) => [l, 'transposed'] as const),
        ]) {
          if ((left === 'expanded' || right === 'expanded') && shape.length === 0) continue;
          compare(`${spec.name} ${dtype} ${shape} ${left} ${right}`, (b) =>
            b.binary(spec, make(b, shape, dtype, left), make(b, shape, dtype, right, 3)),
          );
        }
        if (dtype !== 'bool') {
          compare(`${spec.name} ${dtype} ${shape} number`, (b) =>
            b.binary(spec, make(b, shape, dtype, 'contiguous'), 3),
          );
          compare(`number ${spec.name} ${dtype} ${shape}`, (b) =>
            b.binary(spec, 3, make(b, shape, dtype, 'transposed')),
          );
        }
      }
      const pairs: [Shape, Shape][] = [
        [[4, 5], [5]],
        [
          [4, 5],
          [4, 1],
        ],
        [
          [4, 1],
          [1, 5],
        ],
        [
          [2, 3, 4],
          [3, 1],
        ],
        [
          [2, 1, 4],
          [5, 1],
        ],
        [[3, 4], []],
        [[64, 40], [40]],
      ];
      for (const [one, two] of pairs) {
        compare(`${spec.name} ${dtype} [${one}] [${two}]`, (b) =>
          b.binary(spec, make(b, one, dtype, 'contiguous'), make(b, two, dtype, 'contiguous', 2)),
        );
        compare(`${spec.name} ${dtype} [${two}] [${one}]`, (b) =>
          b.binary(spec, make(b, two, dtype, 'contiguous'), make(b, one, dtype, 'stepped', 2)),
        );
      }
    }
  });

  it('writes into outputs of any layout, into an operand, and beside a view of one', () => {
    const add: BinarySpec = { name: 'add', js: (a, b) => a + b, big: (a, b) => a + b, wgsl: '' };
    for (const layout of LAYOUTS.filter((l) => l !== 'expanded')) {
      for (const shape of [[7], [4, 5], [16, 17], [2, 3, 4]]) {
        compare(`out ${layout} ${shape}`, (b) =>
          b.binary(add, make(b, shape, 'float32', 'contiguous'), 2, make(b, shape, 'float32', layout, 5)),
        );
        compare(`in place ${layout} ${shape}`, (b) => {
          const x = make(b, shape, 'float32', layout);
          return b.binary(add, x, make(b, shape, 'float32', 'transposed', 3), x);
        });
        compare(`unary in place ${layout} ${shape}`, (b) => {
          const x = make(b, shape, 'float32', layout);
          return b.unary(elementwise.square.row, x, 0, 0, x);
        });
      }
    }
    // A value for each channel, at row lengths around those of a vector of lanes and of a block.
    for (const width of [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33]) {
      for (const small of [
        [1, 3, 1, 1],
        [3, 1, 1],
        [2, 1, 4, 1],
        [2, 3, 4, 1],
      ]) {
        const shape = [2, 3, 4, width];
        const what = `[${small}] beside [${shape}]`;
        compare(`${what} first`, (b) =>
          b.binary(add, make(b, small, 'float32', 'stepped', 2), make(b, shape, 'float32', 'contiguous')),
        );
        compare(`${what} second`, (b) =>
          b.binary(add, make(b, shape, 'float32', 'contiguous'), make(b, small, 'float32', 'contiguous', 2)),
        );
        compare(`where ${what}`, (b) =>
          b.where(
            make(b, small, 'bool', 'contiguous'),
            make(b, shape, 'float32', 'contiguous'),
            make(b, small, 'float32', 'contiguous', 3),
            'float32',
          ),
        );
      }
    }
    compare('a value for each channel of many', (b) =>
      b.binary(
        add,
        make(b, [16, 9, 31, 33], 'float32', 'contiguous'),
        make(b, [9, 1, 1], 'float32', 'contiguous', 2),
      ),
    );
    // Operands from some size on are copied, and moved in blocks, if they lie across the output.
    for (const [m, n] of [
      [30, 33],
      [33, 40],
      [65, 130],
    ]) {
      for (const layout of ['transposed', 'stepped'] as const) {
        compare(`${layout} [${m}, ${n}]`, (b) =>
          b.binary(add, make(b, [m, n], 'float32', 'contiguous'), make(b, [m, n], 'float32', layout, 2)),
        );
        compare(`where ${layout} [${m}, ${n}]`, (b) =>
          b.where(
            make(b, [m, n], 'bool', layout),
            make(b, [m, n], 'float32', 'contiguous'),
            make(b, [m, n], 'float32', layout, 2),
            'float32',
          ),
        );
      }
    }
    compare('an operand that is a row of the output', (b) => {
      const x = make(b, [5, 6], 'float32', 'contiguous');
      return b.binary(add, x, x.view([6], [1], 6), x);
    });
    compare('an operand that is the output transposed', (b) => {
      const x = make(b, [6, 6], 'float32', 'contiguous');
      return b.binary(add, x, x.view([6, 6], [1, 6]), x);
    });
  });

  it('where', () => {
    for (const dtype of DTYPES) {
      for (const shape of SHAPES) {
        for (const layout of LAYOUTS) {
          if (layout === 'expanded' && shape.length === 0) continue;
          compare(`where ${dtype} ${shape} ${layout}`, (b) =>
            b.where(
              make(b, shape, 'bool', 'contiguous'),
              make(b, shape, dtype, layout),
              make(b, shape, dtype, 'contiguous', 2),
              dtype,
            ),
          );
          compare(`where condition ${layout}`, (b) =>
            b.where(make(b, shape, 'bool', layout), make(b, shape, dtype, 'contiguous'), 1, dtype),
          );
        }
      }
      compare(`where broadcasts ${dtype}`, (b) =>
        b.where(
          make(b, [4, 1], 'bool', 'contiguous'),
          make(b, [7], dtype, 'contiguous'),
          make(b, [2, 1, 7], dtype, 'contiguous', 2),
          dtype,
        ),
      );
    }
  });
});

/** Specs that integers keep their dtype in. */
const isArithmeticSpec = (spec: UnarySpec): boolean => spec.big !== undefined;

describe('movement', () => {
  it('converts between all dtypes and layouts', () => {
    for (const from of DTYPES) {
      for (const to of DTYPES) {
        for (const shape of [[], [33], [4, 5], [17, 16], [2, 3, 4]]) {
          for (const layout of LAYOUTS) {
            if (layout === 'expanded' && shape.length === 0) continue;
            compare(`${from} to ${to} ${shape} ${layout}`, (b) => {
              const out = b.empty(shape, to);
              b.assign(out, make(b, shape, from, layout));
              return out;
            });
          }
        }
      }
    }
  });

  it('copies every layout into every layout', () => {
    for (const dtype of DTYPES) {
      for (const shape of SHAPES) {
        for (const from of LAYOUTS) {
          for (const to of LAYOUTS.filter((l) => l !== 'expanded')) {
            if (from === 'expanded' && shape.length === 0) continue;
            compare(`${dtype} ${shape} ${from} to ${to}`, (b) => {
              const out = make(b, shape, dtype, to, 9);
              b.assign(out, make(b, shape, dtype, from));
              return out;
            });
          }
        }
      }
    }
  });

  it('permutes and transposes large arrays', () => {
    const orders = [
      [1, 0, 2],
      [0, 2, 1],
      [2, 1, 0],
      [2, 0, 1],
    ];
    for (const dtype of DTYPES) {
      for (const order of orders) {
        compare(`permute ${order} ${dtype}`, (b) => {
          const x = make(b, [5, 35, 66], dtype, 'contiguous');
          const out = b.empty(
            order.map((d) => x.shape[d]),
            dtype,
          );
          b.assign(
            out,
            x.view(
              out.shape,
              order.map((d) => x.strides[d]),
            ),
          );
          return out;
        });
      }
    }
  });

  it('copies rows of few elements', () => {
    for (const dtype of ['float32', 'int64', 'int16', 'bool'] as const) {
      for (const [n, few] of [
        [3, 2],
        [30_001, 2],
        [5_000, 7],
        [4_000, 8],
        [4_000, 9],
      ]) {
        compare(`each of ${n} ${few} times ${dtype}`, (b) => {
          const out = b.empty([2, n, few], dtype);
          b.assign(out, make(b, [2, n, 1], dtype, 'contiguous'));
          return out;
        });
        compare(`${few} of ${few + 1} of ${n} ${dtype}`, (b) => {
          const out = b.empty([n, few], dtype);
          b.assign(out, make(b, [n, few + 1], dtype, 'contiguous').view([n, few], [few + 1, 1], 1));
          return out;
        });
      }
    }
  });

  it('fills every layout', () => {
    for (const dtype of DTYPES) {
      for (const shape of SHAPES) {
        for (const layout of LAYOUTS.filter((l) => l !== 'expanded')) {
          compare(`fill ${dtype} ${shape} ${layout}`, (b) => {
            const out = make(b, shape, dtype, layout);
            b.fill(out, 1);
            return out;
          });
        }
      }
    }
  });

  it('reads what it overwrites before it writes', () => {
    compare('transpose in place', (b) => {
      const x = make(b, [6, 6], 'float32', 'contiguous');
      b.assign(x, x.view([6, 6], [1, 6]));
      return x;
    });
    compare('shift', (b) => {
      const x = make(b, [40], 'float32', 'contiguous');
      b.assign(x.view([39], [1], 1), x.view([39], [1], 0));
      return x;
    });
  });
});

describe('reductions', () => {
  const big = (f: (a: bigint, b: bigint) => bigint, bigInitial: bigint) => ({ big: f, bigInitial });
  const specs: ReduceSpec[] = [
    { name: 'sum', initial: 0, js: (a, x) => a + x, ...big((a, x) => a + x, 0n), wgsl: '' },
    {
      name: 'prod',
      initial: 1,
      js: (a, x) => a * x,
      ...big((a, x) => BigInt.asIntN(64, a * x), 1n),
      wgsl: '',
    },
    {
      name: 'max',
      initial: -Infinity,
      js: Math.max,
      ...big((a, x) => (a > x ? a : x), -(2n ** 63n)),
      wgsl: '',
    },
    {
      name: 'min',
      initial: Infinity,
      js: Math.min,
      ...big((a, x) => (a < x ? a : x), 2n ** 63n - 1n),
      wgsl: '',
    },
  ];
  const shapes: Shape[] = [
    [1],
    [7],
    [33],
    [130],
    [4, 5],
    [3, 70],
    [70, 3],
    [40, 17],
    [2, 3, 4],
    [3, 40, 5],
    [2, 3, 4, 5],
  ];

  it.each(specs.map((spec) => [spec.name, spec] as const))('%s', (name, spec) => {
    for (const dtype of DTYPES.filter((d) => isArithmetic(d) && !(name === 'prod' && d === 'int32'))) {
      for (const shape of shapes) {
        for (const layout of LAYOUTS) {
          for (const dims of dimsOf(shape.length)) {
            const what = `${name} ${dtype} [${shape}] over [${dims}] ${layout}`;
            compareClose(what, (b) =>
              b.reduce(spec, make(b, shape, dtype, layout), dims, dims.length % 2 === 0),
            );
          }
        }
      }
    }
  });

  it('any and all of bools', () => {
    for (const shape of shapes) {
      for (const dims of dimsOf(shape.length)) {
        compare(`any [${shape}]`, (b) =>
          b.reduce(
            { name: 'any', initial: 0, js: (a, x) => (a || x ? 1 : 0), wgsl: '' },
            make(b, shape, 'bool', 'contiguous'),
            dims,
            false,
          ),
        );
        compare(`all [${shape}]`, (b) =>
          b.reduce(
            { name: 'all', initial: 1, js: (a, x) => (a && x ? 1 : 0), wgsl: '' },
            make(b, shape, 'bool', 'stepped'),
            dims,
            false,
          ),
        );
      }
    }
  });

  it('any and all of bools, wherever the one that decides stands', () => {
    for (const [name, decides] of [
      ['any', 1],
      ['all', 0],
    ] as const) {
      const js = (a: number, x: number) => (name === 'any' ? Number(a || x) : Number(a && x));
      const spec: ReduceSpec = { name, initial: 1 - decides, js, wgsl: '' };
      for (const [rows, columns] of [
        [1, 15],
        [1, 16],
        [1, 49],
        [4, 15],
        [3, 16],
        [3, 33],
      ])
        for (let at = -1; at < rows * columns; at++) {
          const bytes = new Uint8Array(rows * columns).fill(1 - decides);
          if (at >= 0) bytes[at] = decides;
          for (const dim of [0, 1])
            compare(`${name} of dim ${dim} of [${rows}, ${columns}], ${at}`, (b) =>
              b.reduce(spec, b.upload(bytes, [rows, columns], 'bool'), [dim], false),
            );
        }
    }
  });

  it('NaN wins in extremes, wherever it stands', () => {
    for (const kind of ['max', 'min'] as const) {
      for (let at = 0; at < 23; at++) {
        const data = Float32Array.from({ length: 23 }, (_, i) => (i === at ? Number.NaN : Math.sin(i)));
        const x = wasm.upload(data, [23], 'float32');
        expect(
          wasm.read(wasm.reduce({ name: kind, initial: 0, js: Math.max, wgsl: '' }, x, [0], false))[0],
        ).toBeNaN();
        const { values, indices } = wasm.extreme(kind, x, 0, false);
        expect(wasm.read(values)[0]).toBeNaN();
        expect(wasm.read(indices)[0]).toBe(BigInt(at));
      }
    }
  });

  it('extremes of columns, wherever NaN, infinities and equal elements stand', () => {
    for (const shape of [
      [1, 5],
      [5, 3],
      [9, 16],
      [8, 35],
      [33, 20],
      [2, 17, 37],
      [4097, 35],
      [8199, 16],
    ]) {
      const n = numElements(shape);
      for (const rare of [3, 50, 4001]) {
        const x = Float32Array.from({ length: n }, (_, i) => {
          const special =
            (i * 7919 + rare) % rare === 0 ? [Number.NaN, Infinity, -Infinity, 9, -9][i % 5] : 0;
          return special || Math.round(1000 * Math.sin(i * 12.9898)) / 128;
        });
        const dim = shape.length - 2;
        for (const spec of [specs[2], specs[3]]) {
          const kind = spec.name === 'max' ? 'max' : 'min';
          const what = `${kind} of [${shape}], one of ${rare}`;
          const put = (b: ReferenceBackend) => b.upload(x, shape, 'float32');
          compare(what, (b) => b.reduce(spec, put(b), [dim], false));
          compare(what, (b) => b.extreme(kind, put(b), dim, false).values);
          compare(what, (b) => b.extreme(kind, put(b), dim, false).indices);
          compare(what, (b) => b.argReduce(kind, put(b), dim, false));
        }
      }
    }
  });

  it('the first of zeros of either sign', () => {
    for (const kind of ['max', 'min'] as const) {
      const x = Float32Array.from({ length: 20 * 18 }, (_, i) => ((i * 7) % 5 < 2 ? -0 : 0));
      compare(kind, (b) => b.extreme(kind, b.upload(x, [20, 18], 'float32'), 0, false).values);
      compare(kind, (b) => b.argReduce(kind, b.upload(x, [20, 18], 'float32'), 0, false));
    }
  });

  it('folds columns of all dtypes, tall ones in blocks', () => {
    const any = { name: 'any', initial: 0, js: (a: number, x: number) => (a || x ? 1 : 0), wgsl: '' };
    const all = { name: 'all', initial: 1, js: (a: number, x: number) => (a && x ? 1 : 0), wgsl: '' };
    for (const shape of [
      [8, 33],
      [41, 50],
      [3, 20, 18],
      [8199, 16],
    ]) {
      const dims = [shape.length - 2];
      for (const dtype of ['float64', 'int64', 'int32', 'uint8'] as const) {
        for (const spec of specs.filter(({ name }) => name !== 'prod')) {
          const what = `${spec.name} of ${dtype} [${shape}]`;
          compare(what, (b) => b.reduce(spec, make(b, shape, dtype, 'contiguous'), dims, false));
        }
      }
      for (const spec of [any, all]) {
        compare(spec.name, (b) => b.reduce(spec, make(b, shape, 'bool', 'contiguous'), dims, false));
      }
      const factors = Float32Array.from({ length: numElements(shape) }, (_, i) => 1 + Math.sin(i) / 8);
      compareClose(`products of [${shape}]`, (b) =>
        b.reduce(specs[1], b.upload(factors, shape, 'float32'), dims, false),
      );
    }
  });

  it('first extremes and their positions', () => {
    for (const dtype of DTYPES.filter((d) => d !== 'int16' && d !== 'int8')) {
      for (const shape of shapes) {
        for (const layout of LAYOUTS) {
          for (let dim = 0; dim < shape.length; dim++) {
            for (const kind of ['max', 'min'] as const) {
              const what = `${kind} ${dtype} [${shape}] dim ${dim} ${layout}`;
              compare(what, (b) => b.extreme(kind, make(b, shape, dtype, layout), dim, false).values);
              compare(what, (b) => b.extreme(kind, make(b, shape, dtype, layout), dim, true).indices);
              compare(what, (b) => b.argReduce(kind, make(b, shape, dtype, layout), dim, false));
            }
          }
        }
      }
    }
  });

  it('sums all but the channels', () => {
    const sum = specs[0];
    for (const dtype of ['float32', 'float64'] as const) {
      for (const shape of [
        [2, 3, 2, 3],
        [2, 3, 2, 4],
        [5, 3, 3, 3],
        [4, 17, 4, 4],
        [1, 3, 5, 7],
        [16, 5, 33, 31],
        [3, 20, 65, 127],
      ]) {
        for (const keepdim of [false, true]) {
          compareClose(`${dtype} [${shape}] ${keepdim}`, (b) =>
            b.reduce(sum, make(b, shape, dtype, 'contiguous'), [0, 2, 3], keepdim),
          );
          compareClose(`${dtype} [${shape}] ${keepdim}, two of four`, (b) =>
            b.reduce(sum, make(b, shape, dtype, 'contiguous'), [1, 3], keepdim),
          );
        }
      }
    }
  });

  it('sums elements, magnitudes and squares by columns, rows and all', () => {
    const magnitudes = { ...specs[0], name: 'abs_sum', js: (a: number, x: number) => a + Math.abs(x) };
    const squares = { ...specs[0], name: 'square_sum', js: (a: number, x: number) => a + x * x };
    for (const shape of [
      [1, 1],
      [7, 21],
      [40, 3],
      [129, 1031],
      [8199, 16],
      [8200, 17],
      [4097, 35],
      [2, 300, 450],
    ]) {
      for (const spec of [specs[0], magnitudes, squares]) {
        for (const dims of [[shape.length - 2], [0], [shape.length - 1], [...shape.keys()]]) {
          for (const dtype of ['float32', 'float64'] as const) {
            compareClose(`${spec.name} of ${dtype} [${shape}] ${dims}`, (b) =>
              b.reduce(spec, make(b, shape, dtype, 'contiguous'), dims, false),
            );
          }
        }
      }
    }
  });

  it('sums doubles to the last digits, around its blocks, with what is infinite', () => {
    const sumOf = (data: Float64Array) =>
      Number(wasm.read(wasm.reduce(specs[0], wasm.upload(data, [data.length], 'float64'), [0], false))[0]);
    for (const n of [1, 7, 8, 9, 255, 256, 257, 264, 511, 513, 100_003]) {
      const whole = Float64Array.from({ length: n }, (_, i) => (i * 7919) % 1013);
      const exact = whole.reduce((a, b) => a + b, 0);
      expect(sumOf(whole)).toBe(exact);
      const tenths = sumOf(whole.map((x) => x / 10));
      expect(Math.abs(tenths * 10 - exact)).toBeLessThanOrEqual(4e-16 * 10 * exact);
    }
    for (const at of [0, 300, 599]) {
      const data = new Float64Array(600).fill(1);
      data[at] = Infinity;
      expect(sumOf(data)).toBe(Infinity);
      data[(at + 300) % 600] = -Infinity;
      expect(sumOf(data)).toBeNaN();
      data[at] = Number.NaN;
      expect(sumOf(data)).toBeNaN();
    }
    expect(sumOf(new Float64Array(16).fill(1e308))).toBe(Infinity);
  });

  it('sums millions of tenths, however they lie, to the last digits', () => {
    const sum = specs[0];
    const x = wasm.empty([4_000_000], 'float32');
    wasm.fill(x, 0.1);
    const exact = 4_000_000 * Math.fround(0.1);
    const relative = (y: NDArray) => Math.abs(Number(wasm.read(y)[0]) - exact) / exact;
    expect(relative(wasm.reduce(sum, x, [0], false))).toBeLessThan(5e-7);
    expect(relative(wasm.reduce(sum, x.view([2000, 2000], [2000, 1]), [0, 1], false))).toBeLessThan(5e-7);
    for (const shape of [
      [4_000_000, 1],
      [400_000, 10],
      [40_000, 100],
      [4000, 1000],
    ]) {
      const columns = wasm.reduce(sum, x.view(shape, contiguousStrides(shape)), [0], false);
      const column = exact / shape[1];
      for (const y of wasm.read(columns)) expect(Math.abs(Number(y) - column) / column).toBeLessThan(5e-7);
    }
  });
});

/** Every set of neighbouring or separate dimensions. */
const dimsOf = (n: number): number[][] =>
  Array.from({ length: 2 ** n - 1 }, (_, mask) =>
    [...new Array(n).keys()].filter((d) => ((mask + 1) >> d) & 1),
  );

/** As compare, where sums and products of floats may differ in rounding. */
function compareClose(what: string, run: (backend: ReferenceBackend) => NDArray): void {
  const [want, got] = both.map(run);
  const [a, b] = [wasm.read(got), reference.read(want)];
  expect(got.shape, what).toEqual(want.shape);
  for (let i = 0; i < b.length; i++) {
    const [x, y] = [Number(a[i]), Number(b[i])];
    const scale = got.dtype === 'float32' ? 1e-5 : got.dtype === 'float64' ? 1e-12 : 0;
    if (!Object.is(x, y) && x !== y && !(Math.abs(x - y) <= scale * (1 + Math.abs(y))))
      expect.fail(`${what}: element ${i} is ${x}, expected ${y}`);
  }
}

describe('rows', () => {
  const shapes: Shape[] = [
    [1],
    [2],
    [3],
    [4],
    [5],
    [10],
    [17],
    [3, 1],
    [5, 10],
    [7, 33],
    [2, 3, 8],
    [40, 130],
  ];

  it('softmax, its logarithm, their gradients', () => {
    for (const dtype of ['float32', 'float64'] as const) {
      for (const shape of shapes) {
        for (const layout of LAYOUTS) {
          for (const kind of ['softmax', 'logSoftmax', 'safeSoftmax'] as const) {
            compareClose(`${kind} [${shape}] ${layout}`, (b) =>
              b.softmax(make(b, shape, dtype, layout), kind),
            );
            compareClose(`gradient of ${kind} [${shape}] ${layout}`, (b) =>
              b.softmaxGrad(
                make(b, shape, dtype, layout, 4),
                b.softmax(make(b, shape, dtype, 'contiguous'), kind),
                kind === 'logSoftmax',
              ),
            );
          }
        }
      }
    }
  });

  it('rows with infinities and NaN', () => {
    const rows = [
      [-Infinity, 1, 2, -Infinity, 0],
      [-Infinity, -Infinity, -Infinity, -Infinity, -Infinity],
      [Number.NaN, 1, 2, 3, 4],
      [1, 2, 3, 4, Number.NaN],
      [Infinity, 0, 0, 0, 0],
      [1000, 999, -1000, 0, 500],
      [-Infinity, Number.NaN, -Infinity, -Infinity, -Infinity],
    ];
    for (const kind of ['softmax', 'logSoftmax', 'safeSoftmax'] as const) {
      compareClose(`special ${kind}`, (b) =>
        b.softmax(b.upload(Float32Array.from(rows.flat()), [7, 5], 'float32'), kind),
      );
    }
  });

  it('rows of which a mask leaves so many elements', () => {
    const n = 70;
    const values = Float32Array.from({ length: (n + 1) * n }, (_, i) =>
      i % n < Math.floor(i / n) ? ((i * 37) % 101) / 25 - 2 : -Infinity,
    );
    for (const kind of ['softmax', 'safeSoftmax'] as const)
      compareClose(`masked ${kind}`, (b) => b.softmax(b.upload(values, [n + 1, n], 'float32'), kind));
    // What is far below the largest, but not by so much that it vanishes, must not be lost.
    const deep = Float32Array.from({ length: 40 }, (_, i) => (i === 0 ? 0 : i < 20 ? -103.5 : -104.5));
    compareClose('far below', (b) => b.softmax(b.upload(deep, [40], 'float32'), 'softmax'));
  });

  it('cross-entropy and its gradient', () => {
    const target = (b: ReferenceBackend, rows: number, classes: number) =>
      b.upload(
        BigInt64Array.from({ length: rows }, (_, i) => (i % 4 === 3 ? -100n : BigInt((i * 7) % classes))),
        [rows],
        'int64',
      );
    for (const [rows, classes] of [
      [1, 1],
      [2, 3],
      [5, 10],
      [33, 17],
      [128, 10],
    ]) {
      for (const reduction of ['none', 'mean', 'sum'] as const) {
        for (const labelSmoothing of [0, 0.1]) {
          for (const weighted of [false, true]) {
            const options = { ignoreIndex: -100, labelSmoothing, reduction };
            const weightOf = (b: ReferenceBackend) =>
              weighted
                ? b.upload(
                    Float32Array.from({ length: classes }, (_, i) => 0.5 + (i % 3)),
                    [classes],
                    'float32',
                  )
                : null;
            const what = `${rows}x${classes} ${reduction} ${labelSmoothing} ${weighted}`;
            const forward = (b: ReferenceBackend) =>
              b.crossEntropy(
                make(b, [rows, classes], 'float32', 'transposed'),
                target(b, rows, classes),
                weightOf(b),
                options,
              );
            compareClose(what, (b) => forward(b).loss);
            compareClose(what, (b) => forward(b).rowStats);
            compareClose(what, (b) => forward(b).divisor);
            compareClose(what, (b) =>
              b.crossEntropyGrad(
                make(b, reduction === 'none' ? [rows] : [], 'float32', 'contiguous', 6),
                make(b, [rows, classes], 'float32', 'transposed'),
                target(b, rows, classes),
                weightOf(b),
                forward(b),
                options,
              ),
            );
          }
        }
      }
    }
  });
});

describe('indexing', () => {
  const list = (b: ReferenceBackend, values: readonly number[], shape: Shape = [values.length]) =>
    b.upload(BigInt64Array.from(values, BigInt), shape, 'int64');
  const summable = DTYPES.filter((d) => isArithmetic(d));

  it('finds the first index out of range', () => {
    for (const b of both) {
      expect(b.findBadIndex(list(b, [0, 3, -4, 2]), 4)).toBe(-1);
      expect(b.findBadIndex(list(b, [0, 3, -5, 4]), 4)).toBe(2);
      expect(b.findBadIndex(list(b, [4]), 4)).toBe(0);
      expect(b.findBadIndex(list(b, []), 4)).toBe(-1);
      expect(b.findBadIndex(list(b, [1, 9, 2, 8]).view([2], [2], 0), 4)).toBe(-1);
      expect(b.findBadTarget(list(b, [0, 3, -100, 2]), 4, -100)).toBe(-1);
      expect(b.findBadTarget(list(b, [0, 3, -1, 2]), 4, -100)).toBe(2);
      expect(b.findBadTarget(list(b, [0, 4]), 4, null)).toBe(1);
    }
  });

  it('selects, adds, gathers and scatters along every dimension', () => {
    for (const dtype of DTYPES) {
      for (const shape of [[6], [4, 5], [3, 17], [2, 4, 3], [40, 70]]) {
        for (let dim = 0; dim < shape.length; dim++) {
          for (const layout of LAYOUTS) {
            const picks = [shape[dim] - 1, 0, -1, 1 % shape[dim], 0];
            const what = `${dtype} [${shape}] dim ${dim} ${layout}`;
            compare(`select ${what}`, (b) =>
              b.indexSelect(make(b, shape, dtype, layout), dim, list(b, picks)),
            );
            const picked = shape.map((s, d) => (d === dim ? 5 : s));
            const index = (b: ReferenceBackend) =>
              list(
                b,
                Array.from(
                  { length: numElements(picked) },
                  (_, i) => ((i * 5) % (2 * shape[dim])) - shape[dim],
                ),
                picked,
              );
            compare(`gather ${what}`, (b) => b.gather(make(b, shape, dtype, layout), dim, index(b)));
            if (layout === 'expanded') continue;
            compare(`scatter ${what}`, (b) => {
              const out = make(b, shape, dtype, 'contiguous');
              b.scatter(out, dim, index(b), make(b, picked, dtype, layout, 2), 'replace');
              return out;
            });
            if (!summable.includes(dtype)) continue;
            compare(`scatter add ${what}`, (b) => {
              const out = make(b, shape, dtype, layout);
              b.scatter(out, dim, index(b), make(b, picked, dtype, 'contiguous', 2), 'add');
              return out;
            });
            for (const how of ['max', 'min'] as const)
              compare(`scatter ${how} ${what}`, (b) => {
                const out = make(b, shape, dtype, layout);
                b.scatter(out, dim, index(b), make(b, picked, dtype, 'contiguous', 2), how);
                return out;
              });
            compare(`indexAdd ${what}`, (b) => {
              const out = make(b, shape, dtype, layout);
              b.indexAdd(out, dim, list(b, picks), make(b, picked, dtype, 'contiguous', 2));
              return out;
            });
          }
        }
      }
    }
  });

  it('selects in runs: backwards, with margins, an element again and again, or with gaps', () => {
    const n = 100;
    const indices = {
      backwards: Array.from({ length: n }, (_, i) => n - 1 - i),
      mirrored: Array.from({ length: n + 6 }, (_, i) => (i < 3 ? 3 - i : i < n + 3 ? i - 3 : 2 * n + 1 - i)),
      repeated: Array.from({ length: n + 70 }, (_, i) => Math.min(Math.max(i - 40, 0), n - 1)),
      'in twos': Array.from({ length: n }, (_, i) => (i >> 1) - n),
      'every third': Array.from({ length: 33 }, (_, i) => 3 * i + 1),
      'one only': [n - 1],
    };
    for (const dtype of ['float32', 'int64', 'int16', 'bool'] as const) {
      for (const layout of ['contiguous', 'transposed'] as const) {
        for (const [what, picks] of Object.entries(indices)) {
          compare(`${what} ${dtype} ${layout}`, (b) =>
            b.indexSelect(make(b, [6, 103, n], dtype, layout), 2, list(b, picks)),
          );
          if (layout === 'contiguous') {
            compare(`${what} ${dtype} of a vector`, (b) =>
              b.indexSelect(make(b, [n], dtype, layout), 0, list(b, picks)),
            );
          }
        }
      }
    }
  });

  it('gathers with an index that is smaller than the array', () => {
    compare('gather', (b) =>
      b.gather(make(b, [5, 6], 'float32', 'contiguous'), 0, list(b, [4, 0, 1, 2, 3, 0], [2, 3])),
    );
    compare('scatter', (b) => {
      const out = make(b, [5, 6], 'float32', 'contiguous');
      b.scatter(
        out,
        1,
        list(b, [4, 0, 1, 2], [2, 2]),
        make(b, [3, 4], 'float32', 'contiguous', 2),
        'replace',
      );
      return out;
    });
  });

  it('takes and puts at flat positions', () => {
    for (const dtype of DTYPES) {
      for (const layout of LAYOUTS) {
        const positions = [11, 0, 5, 5, 7, 11];
        compare(`take ${dtype} ${layout}`, (b) =>
          b.take(make(b, [3, 4], dtype, layout), list(b, positions, [2, 3])),
        );
        for (const accumulate of summable.includes(dtype) ? [false, true] : [false]) {
          compare(`put ${dtype} ${layout} ${accumulate}`, (b) => {
            const out = make(b, [3, 4], dtype, 'contiguous');
            b.put(out, list(b, positions), make(b, [6], dtype, layout, 2), accumulate);
            return out;
          });
        }
      }
    }
  });

  it('finds what is not zero', () => {
    for (const dtype of DTYPES) {
      for (const shape of SHAPES) {
        for (const layout of LAYOUTS) {
          if (layout === 'expanded' && shape.length === 0) continue;
          compare(`nonzero ${dtype} [${shape}] ${layout}`, (b) => b.nonzero(make(b, shape, dtype, layout)));
        }
      }
    }
  });
});

describe('optimiser steps', () => {
  it('SGD with every option', () => {
    const flags = [false, true];
    for (const shape of [[1], [5], [130], [7, 9]]) {
      for (const layout of ['contiguous', 'transposed'] as const) {
        for (const momentum of [0, 0.9]) {
          for (const nesterov of momentum > 0 ? flags : [false]) {
            for (const maximize of flags) {
              for (const weightDecay of [0, 0.01]) {
                for (const dampening of nesterov || momentum === 0 ? [0] : [0, 0.3]) {
                  const options = { lr: 0.1, momentum, dampening, weightDecay, nesterov, maximize };
                  const run = (b: ReferenceBackend) => {
                    const p = make(b, shape, 'float32', layout);
                    const v = momentum > 0 ? make(b, shape, 'float32', layout, 2) : null;
                    for (const first of [true, false])
                      b.sgdStep(p, make(b, shape, 'float32', 'contiguous', 3), v, first, options);
                    return { p, v };
                  };
                  const what = `[${shape}] ${layout} ${JSON.stringify(options)}`;
                  compareClose(what, (b) => run(b).p);
                  if (momentum > 0)
                    compareClose(what, (b) => run(b).v ?? make(b, [1], 'float32', 'contiguous'));
                }
              }
            }
          }
        }
      }
    }
  });

  it('Adam with and without amsgrad', () => {
    for (const shape of [[1], [5], [130], [7, 9]]) {
      for (const amsgrad of [0, 1]) {
        for (const decay of [0, 0.1]) {
          for (const share of [0.1, 0.7]) {
            const run = (b: ReferenceBackend) => {
              const x = [1, 2, 3, 4].map((seed) => make(b, shape, 'float32', 'contiguous', seed));
              b.unary(elementwise.square.row, x[2], 0, 0, x[2]);
              b.unary(elementwise.square.row, x[3], 0, 0, x[3]);
              const scalars = [amsgrad ? -1 : 1, decay, 0.99, share, 0.999, 0.04, 1e-8, -0.01, amsgrad];
              b.optimizerStep(
                adam,
                x[0],
                make(b, shape, 'float32', 'transposed', 7),
                [x[1], x[2], amsgrad ? x[3] : null],
                scalars,
              );
              return x;
            };
            for (let i = 0; i < 4; i++)
              compareClose(`adam ${shape} ${amsgrad} ${decay} ${share} ${i}`, (b) => run(b)[i]);
          }
        }
      }
    }
  });
});

/** Whose memory is another buffer after every allocation, as unshared memory that grows. */
class MovingBackend extends ReferenceBackend {
  readonly #made: NDArray[] = [];

  override empty(shape: Shape, dtype: DType, strides?: readonly number[]): NDArray {
    for (const { storage } of this.#made) {
      const buffer: unknown = Reflect.get(storage, 'buffer');
      if (buffer instanceof ArrayBuffer)
        Reflect.set(storage, 'buffer', structuredClone(buffer, { transfer: [buffer] }));
    }
    const made = super.empty(shape, dtype, strides);
    this.#made.push(made);
    return made;
  }
}

describe('memory that moves when it grows', () => {
  const moving = new MovingBackend();
  const x = (b: ReferenceBackend, shape: Shape, seed = 1) => make(b, shape, 'float64', 'contiguous', seed);
  const picks = (b: ReferenceBackend, dtype: DType = 'int32') =>
    b.upload(dtype === 'int64' ? BigInt64Array.of(2n, 0n) : Int32Array.of(2, 0), [2], dtype);
  const bytes = (b: ReferenceBackend) => b.upload(Uint8Array.of(1, 2, 3, 4, 5, 6), [3, 2], 'uint8');
  const options = { ignoreIndex: 1, labelSmoothing: 0.1, reduction: 'mean' } as const;
  const sum: ReduceSpec = { name: 'sum', js: (a, b) => a + b, initial: 0, wgsl: '' };

  it.each<[string, (b: ReferenceBackend) => readonly NDArray[]]>([
    ['standardize', (b) => Object.values(b.standardize(x(b, [2, 3, 4]), 1e-5))],
    ['standardizeGrad', (b) => [b.standardizeGrad(x(b, [2, 3, 4], 3), x(b, [2, 3, 4], 2), x(b, [3]))]],
    ['softmax', (b) => [b.softmax(x(b, [3, 4]), 'logSoftmax')]],
    ['softmaxGrad', (b) => [b.softmaxGrad(x(b, [3, 4]), x(b, [3, 4], 2), true)]],
    [
      'crossEntropy',
      (b) => Object.values(b.crossEntropy(x(b, [2, 3]), picks(b, 'int64'), x(b, [3]), options)),
    ],
    [
      'crossEntropyGrad',
      (b) => {
        const saved = { rowStats: x(b, [2, 2], 2), divisor: x(b, [], 3) };
        return [b.crossEntropyGrad(x(b, []), x(b, [2, 3]), picks(b, 'int64'), x(b, [3]), saved, options)];
      },
    ],
    ['reduce', (b) => [b.reduce(sum, x(b, [3, 4]), [1], false)]],
    ['extreme', (b) => Object.values(b.extreme('max', x(b, [3, 4]), 1, false))],
    ['scan', (b) => [b.scan('sum', x(b, [3, 4]), 1)]],
    ['scanExtreme', (b) => Object.values(b.scanExtreme('max', x(b, [3, 4]), 1))],
    ['sort', (b) => Object.values(b.sort(x(b, [3, 4]), 1, true))],
    ['matmul', (b) => [b.matmul(x(b, [2, 3]), x(b, [3, 4]), { bias: x(b, [4], 2) })]],
    ['indexSelect', (b) => [b.indexSelect(x(b, [3, 4]), 0, picks(b))]],
    ['gatherScaled', (b) => [b.gatherScaled(bytes(b), picks(b), { divisor: 2, mean: 1, std: 3 })]],
    ['take', (b) => [b.take(x(b, [3, 4]), picks(b))]],
    ['gather', (b) => [b.gather(x(b, [3]), 0, picks(b))]],
    ['nonzero', (b) => [b.nonzero(x(b, [3, 4]))]],
    ['unary', (b) => [b.unary(elementwise.sin.row, x(b, [3, 4]))]],
    ['binary', (b) => [b.binary(arithmetic.mul.row, x(b, [3, 4]), x(b, [4], 2))]],
    ['where', (b) => [b.where(make(b, [3, 4], 'bool', 'contiguous'), x(b, [3, 4]), x(b, [4]), 'float64')]],
  ])('%s', (what, run) => {
    const want = run(reference);
    const got = run(moving);
    got.forEach((y, i) => {
      expect(moving.read(y), `${what} ${i}`).toEqual(reference.read(want[i]));
    });
  });
});
