/**
 * The Wasm backend against the reference backend: the same ops on the same numbers in every layout that a tensor can
 * have, for all dtypes. What has no kernel goes through both the same way, so a wrong choice of kernel shows too.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NDArray } from '../../src/backend/array.ts';
import type { BinarySpec, UnarySpec } from '../../src/backend/backend.ts';
import { ReferenceBackend } from '../../src/backend/reference/index.ts';
import { WasmBackend } from '../../src/backend/wasm/index.ts';
import { type DType, dtypeInfo, type TypedArray } from '../../src/core/dtype.ts';
import { contiguousStrides, numElements, type Shape } from '../../src/core/shape.ts';
import * as arithmetic from '../../src/ops/arithmetic.ts';
import * as comparison from '../../src/ops/comparison.ts';
import * as elementwise from '../../src/ops/elementwise.ts';

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

/** Equal up to the rounding of float32 functions. */
function expectSame(got: NDArray, want: NDArray, what: string): void {
  expect(got.dtype, what).toBe(want.dtype);
  expect(got.shape, what).toEqual(want.shape);
  const [a, b] = [wasm.read(got), reference.read(want)];
  const loose = got.dtype === 'float32' || got.dtype === 'float64';
  for (let i = 0; i < b.length; i++) {
    if (Object.is(a[i], b[i])) continue;
    const [x, y] = [Number(a[i]), Number(b[i])];
    const close = loose && Math.abs(x - y) <= 1e-6 * Math.max(Math.abs(x), Math.abs(y));
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
  ...[arithmetic.atan2, arithmetic.hypot, elementwise.reluGrad].map((op) => op.row),
  ...[comparison.eq, comparison.ne, comparison.lt, comparison.le, comparison.gt, comparison.ge].map(
    (op) => op.row,
  ),
  { name: 'add', js: (a, b) => a + b, big: (a, b) => a + b, wgsl: '' },
  { name: 'sub', js: (a, b) => a - b, big: (a, b) => a - b, wgsl: '' },
  { name: 'div', js: (a, b) => a / b, wgsl: '' },
];
const FLOAT_ONLY = new Set(['remainder', 'fmod', 'floor_divide', 'atan2', 'hypot', 'div', 'relu_grad']);
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

  it.each(binarySpecs.map((spec) => [spec.name, spec] as const))('%s', (_, spec) => {
    for (const dtype of spec.predicate
      ? DTYPES
      : DTYPES.filter(FLOAT_ONLY.has(spec.name) ? isFloat : isArithmetic)) {
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
