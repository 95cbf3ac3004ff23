/** Products of float32 matrices: square, the tutorial's, transposed, small and odd, batched, and with zeros. */
import * as torch from 'wasmgrad';
import { MNIST_DENSITY, on, seeded } from './inputs.ts';
import type { Setting, Timed } from './types.ts';

type Form = 'NN' | 'NT' | 'TN';
type Shape = readonly [m: number, k: number, n: number];

const SQUARE = [4, 8, 16, 32, 48, 64, 128, 256, 512, 1024, 2048];
const FOR_GPUS = 4096;
/** [form, m, k, n]: the tutorial's forward pass and its two gradients, hidden layer and output layer. */
const TUTORIAL: readonly [Form, ...Shape][] = [
  ['NN', 128, 784, 500],
  ['TN', 784, 128, 500],
  ['NT', 128, 500, 784],
  ['NN', 128, 500, 10],
  ['TN', 500, 128, 10],
  ['NT', 128, 10, 500],
];
const TRANSPOSED = [512, 1024];
const ODD: readonly Shape[] = [
  [1, 784, 500],
  [2, 784, 500],
  [17, 17, 17],
  [33, 33, 33],
  [129, 129, 129],
  [257, 129, 65],
  [500, 10, 7],
  [1000, 3, 1000],
];
const BATCHED: readonly [number, ...Shape][] = [
  [16, 64, 64, 64],
  [64, 10, 33, 17],
  [32, 128, 64, 128],
];

const label = ([m, k, n]: Shape): string => (m === k && k === n ? `${m}³` : `${m}×${k}×${n}`);

function product(form: Form, shape: Shape): Timed {
  const [m, k, n] = shape;
  return {
    group: 'matmul',
    name: `${form} ${label(shape)}`,
    work: { flops: 2 * m * k * n },
    prepare: (setting) => {
      const [a, b] = seeded(() => [
        on(form === 'TN' ? torch.randn(k, m) : torch.randn(m, k), setting),
        on(form === 'NT' ? torch.randn(n, k) : torch.randn(k, n), setting),
      ]);
      const left = form === 'TN' ? a.t() : a;
      const right = form === 'NT' ? b.t() : b;
      return { run: () => left.matmul(right) };
    },
  };
}

function batched([count, m, k, n]: readonly [number, ...Shape]): Timed {
  return {
    group: 'matmul',
    name: `${count} × ${label([m, k, n])}`,
    work: { flops: 2 * count * m * k * n },
    prepare: (setting) => {
      const [a, b] = seeded(() => [
        on(torch.randn(count, m, k), setting),
        on(torch.randn(count, k, n), setting),
      ]);
      return { run: () => a.matmul(b) };
    },
  };
}

/** A left operand with MNIST's density, zeros in runs; flops are counted as if there were none. */
function withZeros(form: 'NN' | 'TN', [m, k, n]: Shape): Timed {
  return {
    group: 'matmul',
    name: `${form} ${label([m, k, n])}, ${Math.round(100 * MNIST_DENSITY)} % not zero`,
    work: { flops: 2 * m * k * n },
    prepare: (setting) => {
      const [a, b] = seeded(() => {
        const [rows, columns] = form === 'TN' ? [k, m] : [m, k];
        const runs = torch
          .rand(rows, Math.ceil(columns / 8))
          .lt(MNIST_DENSITY)
          .float();
        const mask = runs.repeatInterleave(8, 1).narrow(1, 0, columns);
        return [
          on(torch.rand(rows, columns).mul(mask).contiguous(), setting),
          on(torch.randn(k, n), setting),
        ];
      });
      const left = form === 'TN' ? a.t() : a;
      return { run: () => left.matmul(b) };
    },
  };
}

export function matmul({ tiny, device }: Setting): Timed[] {
  if (tiny)
    return [
      product('NN', [17, 17, 17]),
      product('TN', [9, 5, 7]),
      product('NT', [9, 5, 7]),
      batched([3, 4, 5, 6]),
    ];
  return [
    ...[...SQUARE, ...(device === 'webgpu' ? [FOR_GPUS] : [])].map((n) => product('NN', [n, n, n])),
    ...TRANSPOSED.flatMap((n) => (['NT', 'TN'] as const).map((form) => product(form, [n, n, n]))),
    ...TUTORIAL.map(([form, ...shape]) => product(form, shape)),
    withZeros('NN', [128, 784, 500]),
    withZeros('TN', [784, 128, 500]),
    ...ODD.map((shape) => product('NN', shape)),
    ...BATCHED.map(batched),
  ];
}
