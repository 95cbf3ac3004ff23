/** Elementwise functions and reductions, in cache and beyond it, in G elements/s. */
import * as torch from 'wasmgrad';
import type { Case } from './harness.ts';

const SIZES = [65_536, 4_194_304];

export function elementwiseCases(): Case[] {
  torch.manualSeed(1);
  return SIZES.flatMap((size) => {
    const x = torch.rand(size);
    const y = torch.rand(size);
    const matrix = x.reshape(-1, 256);
    const work: Record<string, () => unknown> = {
      add: () => x.add(y),
      'mul by a number': () => x.mul(2),
      relu: () => x.relu(),
      exp: () => x.exp(),
      log: () => x.log(),
      tanh: () => x.tanh(),
      sigmoid: () => x.sigmoid(),
      sum: () => x.sum(),
      'sum of columns': () => matrix.sum(0),
      'softmax of rows of 256': () => matrix.softmax(1),
    };
    return Object.entries(work).map(([name, body]) => ({
      name: `${name}, ${size.toLocaleString('en')}`,
      run: (count: number) => {
        for (let i = 0; i < count; i++) body();
      },
      rate: { amount: size, unit: 'G elements/s' },
    }));
  });
}
