/** What an operation costs when there is next to nothing to compute. */
import * as torch from 'wasmgrad';
import type { Case } from './harness.ts';

export function overheadCases(): Case[] {
  const a = torch.ones(4);
  const b = torch.ones(4);
  const leaf = torch.ones(4, { requiresGrad: true });
  const repeat = (body: () => unknown) => (count: number) => {
    for (let i = 0; i < count; i++) body();
  };
  return [
    { name: 'add of 4 elements', run: repeat(() => a.add(b)) },
    { name: 'add of 4 elements, recorded', run: repeat(() => leaf.add(b)) },
    {
      name: 'graph of 100 ops, forward and backward',
      run: repeat(() => {
        let y = leaf;
        for (let i = 0; i < 100; i++) y = y.mul(b);
        y.sum().backward();
      }),
    },
  ];
}
