// What graphs keep, counted inside a job: in pages nothing can be found dropped there.
import { describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';

const MB = 2 ** 20;

describe('memory', () => {
  const x = torch.full([256, 256], 0.5);
  const b = torch.full([256], 0.5);
  const lower = torch.ones(256, 256).tril().bool();
  class Doubled extends torch.autograd.Function {
    static forward(_ctx: unknown, value: torch.Tensor): torch.Tensor {
      return value.mul(2);
    }
    static backward(_ctx: unknown, grad: torch.Tensor): torch.Tensor {
      return grad.mul(2);
    }
  }
  class Squared extends torch.autograd.Function {
    static forward(ctx: torch.autograd.FunctionContext, value: torch.Tensor): torch.Tensor {
      ctx.saveForBackward(value);
      return value.mul(value);
    }
    static backward(ctx: torch.autograd.FunctionContext, grad: torch.Tensor): torch.Tensor {
      return ctx.savedTensors[0].mul(grad).mul(2);
    }
  }

  it.each<[string, (y: torch.Tensor) => torch.Tensor]>([
    ['add', (y) => y.add(b).sub(1)],
    ['mul', (y) => y.mul(2).mul(x)],
    ['neg', (y) => y.neg()],
    ['exp', (y) => y.exp()],
    ['mean', (y) => y.mean(0)],
    ['cat', (y) => torch.cat([y, y])],
    ['split', (y) => torch.stack(y.add(1).unbind())],
    ['permute', (y) => y.permute(1, 0).clone()],
    ['pad', (y) => torch.nn.functional.pad(y, [1, 1])],
    ['tril', (y) => y.tril()],
    ['where', (y) => torch.where(lower, y, 0)],
    ['sort', (y) => y.sort()[0]],
    ['lerp', (y) => y.lerp(x, 0.25)],
    ['addcmul', (y) => y.addcmul(x, x)],
    ['addcdiv', (y) => y.addcdiv(x, x)],
    ['linear', (y) => torch.nn.functional.linear(y, x, b)],
    ['Function', (y) => Doubled.apply(y)],
    ['Function with something saved', (y) => Squared.apply(y)],
  ])('of a graph goes with backward, though its loss is kept: %s', (_name, op) => {
    const w = torch.full([256], 0.5, { requiresGrad: true });
    const losses: torch.Tensor[] = [];
    const { bytesInUse } = torch.memoryStats();
    for (let step = 0; step < 160; step++) {
      const loss = op(w.expand(256, 256).clone()).sum();
      loss.backward();
      losses.push(loss);
    }
    expect(torch.memoryStats().bytesInUse).toBeLessThan(bytesInUse + 28 * MB);
    expect(losses).toHaveLength(160);
  });

  it('of results that no derivative needs is not held by the graph', () => {
    const w = torch.full([256, 256], 0.5, { requiresGrad: true });
    const { bytesInUse } = torch.memoryStats();
    let y: torch.Tensor = w;
    for (let step = 0; step < 200; step++) y = Doubled.apply(torch.cat(y.neg().add(1).mul(0.5).chunk(2)));
    expect(torch.memoryStats().bytesInUse).toBeLessThan(bytesInUse + 28 * MB);
    y.sum().backward();
    expect(w.grad?.isfinite().all().item()).toBe(true);
  });

  it('of a graph that saved nothing is still walked twice, and what was saved is missed with words', () => {
    const w = torch.ones(3, { requiresGrad: true });
    const sum = w.add(1).neg().sum();
    sum.backward();
    sum.backward();
    expect(w.grad?.toArray()).toEqual([-2, -2, -2]);
    for (const y of [w.exp(), Squared.apply(w), w.max(0)[0], torch.where(w.gt(0), w, 0)]) {
      y.sum().backward();
      expect(() => y.sum().backward()).toThrow('Trying to backward through the graph a second time');
    }
  });
});
