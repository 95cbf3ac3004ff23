/** Products of float32 matrices, in GFLOP/s. */
import * as torch from 'wasmgrad';
import type { Case } from './harness.ts';

function product(label: string, m: number, k: number, n: number, form: 'NN' | 'NT' | 'TN'): Case {
  const a = form === 'TN' ? torch.rand(k, m).t() : torch.rand(m, k);
  const b = form === 'NT' ? torch.rand(n, k).t() : torch.rand(k, n);
  return {
    name: `matmul ${form} ${label}`,
    run: (count) => {
      for (let i = 0; i < count; i++) a.matmul(b);
    },
    rate: { amount: 2 * m * k * n, unit: 'GFLOP/s' },
  };
}

export function matmulCases(): Case[] {
  torch.manualSeed(1);
  const square = [4, 16, 64, 256, 512, 1024].map((n) => product(`${n}³`, n, n, n, 'NN'));
  return [
    ...square,
    product('128×784×500', 128, 784, 500, 'NN'),
    product('784×128×500', 784, 128, 500, 'TN'),
    product('128×500×784', 128, 500, 784, 'NT'),
    product('128×500×10', 128, 500, 10, 'NN'),
  ];
}
