/** What an operation costs when there is next to nothing to compute. */

import type { Tensor } from 'wasmgrad';
import * as torch from 'wasmgrad';
import { on } from './inputs.ts';
import type { Setting, Timed } from './types.ts';

const GRAPH_OPS = 100;

interface Tiny {
  readonly a: Tensor;
  readonly b: Tensor;
  /** Requires a gradient. */
  readonly leaf: Tensor;
  readonly square: Tensor;
}

const BODIES: Readonly<Record<string, (tiny: Tiny) => Tensor | undefined>> = {
  'add of 4 elements': ({ a, b }) => a.add(b),
  'add of 4 elements, recorded': ({ leaf, b }) => leaf.add(b),
  'exp of 4 elements, recorded': ({ leaf }) => leaf.exp(),
  'sum of 4 elements': ({ a }) => a.sum(),
  'view: reshape to 2×2': ({ a }) => a.reshape(2, 2),
  'in place: add_ of 4 elements': ({ a, b }) => a.add_(b),
  'matmul 4³': ({ square }) => square.matmul(square),
  'item()': ({ a }) => void a.select(0, 0).item(),
  'tensor([1, 2, 3, 4])': () => torch.tensor([1, 2, 3, 4]),
  '(leaf · b).sum() forward and backward': ({ leaf, b }) => {
    leaf.grad = null;
    leaf.mul(b).sum().backward();
    return leaf.grad!;
  },
  [`graph of ${GRAPH_OPS} ops, forward`]: ({ leaf, b }) => chain(leaf, b),
  [`graph of ${GRAPH_OPS} ops, forward and backward`]: ({ leaf, b }) => {
    leaf.grad = null;
    chain(leaf, b).sum().backward();
    return leaf.grad!;
  },
};

function chain(leaf: Tensor, b: Tensor): Tensor {
  let y = leaf;
  for (let i = 0; i < GRAPH_OPS; i++) y = y.mul(b);
  return y;
}

export function overhead(_: Setting): Timed[] {
  return Object.entries(BODIES).map(([name, body]) => ({
    group: 'overhead',
    name,
    unable: ({ device }) =>
      name === 'item()' && device !== 'cpu' ? 'values of this device have to be awaited' : undefined,
    prepare: (setting) => {
      const tiny = {
        a: on(torch.ones(4), setting),
        b: on(torch.ones(4), setting),
        leaf: on(torch.ones(4), setting).requiresGrad_(),
        square: on(torch.ones(4, 4), setting),
      };
      return { run: () => body(tiny) };
    },
  }));
}
