/** A linear layer with ReLU behind it is one pass in a Sequential; nobody can tell but by the clock. */
import { describe, expect, it } from 'vitest';
import type { Tensor } from '../../src/index.ts';
import * as torch from '../../src/index.ts';
import { profile } from '../../src/profiler/index.ts';

const { nn } = torch;

/** Distinct values in every place, zeros of both signs among them. */
function input(shape: readonly number[], dtype: 'float32' | 'float64'): Tensor {
  torch.manualSeed(3);
  const x = torch.randn(shape, { dtype });
  return x.mul(x.gt(-0.5).to(dtype)).requiresGrad_();
}

/** All that one pass and its gradients give, bit for bit. */
function outcome(x: Tensor, forward: (x: Tensor) => Tensor, parameters: Iterable<Tensor>): unknown[] {
  const y = forward(x);
  y.mul(torch.arange(y.numel()).reshape(y.shape).to(y.dtype)).sum().backward();
  const values = [y, x.grad, ...[...parameters].map((p) => p.grad)].map((t) =>
    t === null ? null : (t as Tensor).detach().clone().toArray(),
  );
  x.grad = null;
  for (const p of parameters) p.grad = null;
  return [values, y.gradFn?.name, y.gradFn?.edges[0]?.node.name];
}

describe('Linear and ReLU in a Sequential', () => {
  for (const dtype of ['float32', 'float64'] as const) {
    for (const shape of [[33, 17], [17], [2, 3, 17], [0, 17], [128, 500]]) {
      it(`give the bits and the graph of the two, ${dtype} [${shape}]`, () => {
        const linear = new nn.Linear(shape.at(-1) as number, 70, { dtype });
        const both = new nn.Sequential(linear, new nn.ReLU());
        const x = input(shape, dtype);
        const parameters = [linear.weight, linear.bias as Tensor];
        const apart = outcome(x, (t) => nn.functional.relu(linear.forward(t)), parameters);
        expect(outcome(x, (t) => both.forward(t), parameters)).toEqual(apart);
      });
    }
  }

  it('keep NaN and infinities, and what a second derivative says', () => {
    const linear = new nn.Linear(3, 4);
    const both = new nn.Sequential(linear, new nn.ReLU());
    const x = torch.tensor([
      [Number.NaN, 1, 2],
      [Number.POSITIVE_INFINITY, 1, 2],
      [1, 2, 3],
    ]);
    expect(both.forward(x).toArray()).toEqual(nn.functional.relu(linear.forward(x)).toArray());
    const z = torch.tensor([[0.5, -1, 2]], { requiresGrad: true });
    const second = (f: (z: Tensor) => Tensor) => {
      const [g] = torch.autograd.grad([f(z).pow(2).sum()], [z], { createGraph: true });
      return torch.autograd.grad([(g as Tensor).sum()], [z])[0]?.toArray();
    };
    expect(second((t) => both.forward(t))).toEqual(second((t) => nn.functional.relu(linear.forward(t))));
  });

  it('add the bias of whole numbers, and rectify them', () => {
    const linear = new nn.Linear(3, 2);
    const whole = (data: number[] | number[][]) =>
      new nn.Parameter(torch.tensor(data, { dtype: 'int64' }), false);
    linear.weight = whole([
      [1, -2, 3],
      [-1, 0, -4],
    ]);
    linear.bias = whole([1, 1]);
    const x = torch.tensor([[1, 2, 3]], { dtype: 'int64' });
    expect(linear.forward(x).toArray()).toEqual([[7, -12]]);
    expect(new nn.Sequential(linear, new nn.ReLU()).forward(x).toArray()).toEqual([[7, 0]]);
  });

  it('are two where somebody looks: a hook, a subclass, a profile', () => {
    const linear = new nn.Linear(3, 4);
    const both = new nn.Sequential(linear, new nn.ReLU());
    const x = torch.tensor([[1, -2, 3]]);
    let seen: number[] = [];
    const hook = linear.registerForwardHook((_, __, output) => {
      seen = (output as Tensor).flatten().toArray() as number[];
    });
    both.forward(x);
    expect(seen).toEqual(linear.forward(x).flatten().toArray());
    expect(Math.min(...seen.map((v) => Math.abs(v)))).toBeGreaterThan(0);
    hook.remove();

    class Doubled extends nn.Linear {
      override forward(t: Tensor): Tensor {
        return super.forward(t).mul(2);
      }
    }
    const doubled = new Doubled(3, 4);
    const expected = nn.functional.relu(doubled.forward(x)).toArray();
    expect(new nn.Sequential(doubled, new nn.ReLU()).forward(x).toArray()).toEqual(expected);

    const names = profile(() => both.forward(x)).keyAverages();
    expect(names.get('relu')?.count).toBe(1);
  });
});
