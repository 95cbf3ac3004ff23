/** Calls as programs in PyTorch make them: with options that say nothing here, and by names that are rare. */
import { describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';
import { autograd, data, nn, optim } from '../../src/index.ts';

const F = nn.functional;
const untyped = (x: unknown) => x as never;
const weight = () => torch.tensor([3, 4], { requiresGrad: true });

describe('options of which PyTorch alone has several values', () => {
  it('are taken by what clips gradients', () => {
    const w = weight();
    w.square().sum().backward();
    expect(nn.utils.clipGradNorm_([w], 1, { foreach: true }).item()).toBe(10);
    expect(nn.utils.clipGradNorm_([w], 1, 2, false, false).item()).toBeCloseTo(1, 5);
    nn.utils.clipGradValue_([w], 0.5, { foreach: false });
    const total = nn.utils.getTotalNorm([weight().detach()], 2, false, true);
    nn.utils.clipGradsWithNorm_([w], 1, total, { foreach: null });
    expect(w.grad?.sum().item()).toBeCloseTo(0.2, 5);
  });

  it('are taken by grad, but not the other way', () => {
    const w = weight();
    const [g] = autograd.grad(w.square().sum(), w, { onlyInputs: true });
    expect(g.tolist()).toEqual([6, 8]);
    expect(() => autograd.grad(w.sum(), w, untyped({ onlyInputs: false }))).toThrow(
      'grad: onlyInputs is always true here, but got false',
    );
  });

  it('are taken by tables, but not the other way', () => {
    const table = torch.ones(3, 2);
    const rows = torch.tensor([1n]);
    expect(new nn.Embedding(3, 2, { sparse: false }).forward(rows).shape).toEqual([1, 2]);
    expect(new nn.Embedding(3, 2, null, null, 2, false, false).forward(rows).shape).toEqual([1, 2]);
    nn.Embedding.fromPretrained(table, { sparse: false });
    new nn.EmbeddingBag(3, 2, { sparse: false });
    nn.EmbeddingBag.fromPretrained(table, { sparse: false });
    F.embedding(rows, table, { sparse: false });
    F.embedding(rows, table, null, null, 2, false, false);
    F.embeddingBag(rows, table, torch.tensor([0n]), null, 2, false, 'mean', false);
    const sparse = untyped({ sparse: true });
    const offsets = torch.tensor([0n]);
    for (const call of [
      () => new nn.Embedding(3, 2, sparse),
      () => nn.Embedding.fromPretrained(table, sparse),
      () => new nn.EmbeddingBag(3, 2, sparse),
      () => nn.EmbeddingBag.fromPretrained(table, sparse),
      () => F.embedding(rows, table, sparse),
      () => F.embeddingBag(rows, table, offsets, sparse),
    ])
      expect(call).toThrow('sparse is always false here, but got true');
  });

  it('are taken by data loaders', () => {
    const loader = new data.DataLoader([1, 2, 3], {
      batchSize: 2,
      numWorkers: 4,
      persistentWorkers: true,
      prefetchFactor: 2,
      pinMemoryDevice: 'cuda',
      workerInitFn: null,
      multiprocessingContext: 'spawn',
      timeout: 0,
    });
    expect([...loader].map((batch) => batch.tolist())).toEqual([[1, 2], [3]]);
  });

  it('are taken by optimisers that have them in PyTorch, but not the other way', () => {
    const how = { foreach: true, fused: false, differentiable: false } as const;
    expect(String(new optim.SGD([weight()], { lr: 1, ...how }))).toContain('    foreach: True\n');
    new optim.AdamW([weight()], { lr: 1, ...how, capturable: true });
    expect(() => new optim.SGD([weight()], { capturable: true })).toThrow("no option 'capturable'");
    const params = [weight()];
    for (const call of [
      () => new optim.SGD(params, untyped({ differentiable: true })),
      () => new optim.SGD(untyped([{ params, differentiable: true }])),
    ])
      expect(call).toThrow('SGD: differentiable is always false here, but got true');
  });
});

describe('the state of a module', () => {
  it('is replaced with assign, kinds and dtypes with it', () => {
    const layer = new nn.Linear(2, 2);
    const before = layer.weight;
    const weight = torch.ones(2, 2, { dtype: 'float64' });
    const bias = new nn.Parameter(torch.ones(2), false);
    layer.loadStateDict({ weight, bias }, { assign: true });
    expect(layer.weight === before).toBe(false);
    expect([layer.weight.dtype, layer.weight.requiresGrad]).toEqual(['float64', true]);
    expect(layer.weight).toBeInstanceOf(nn.Parameter);
    weight.mul_(3);
    expect(layer.weight.sum().item()).toBe(12);
    expect(layer.bias === bias).toBe(true);
    expect(bias.requiresGrad).toBe(true);
    const norm = new nn.BatchNorm1d(2);
    const mean = torch.full([2], 7);
    norm.loadStateDict({ ...norm.stateDict(), running_mean: mean }, true, true);
    expect(norm.running_mean === mean).toBe(true);
    expect(() => layer.loadStateDict({ weight: torch.ones(3, 2), bias }, { assign: true })).toThrow(
      'size mismatch for weight',
    );
    const lazy = new nn.LazyLinear(2);
    lazy.loadStateDict({ weight: torch.ones(2, 3), bias: torch.zeros(2) }, { assign: true });
    expect(lazy.forward(torch.ones(1, 3)).tolist()).toEqual([[3, 3]]);
  });

  it('is the tensors themselves with keepVars', () => {
    const layer = new nn.Linear(2, 2);
    expect(layer.stateDict({ keepVars: true }).weight === layer.weight).toBe(true);
    expect(layer.stateDict({ prefix: 'a.', keepVars: false })['a.weight'].requiresGrad).toBe(false);
  });

  it('has what is shared under every name without removeDuplicate', () => {
    class Tied extends nn.Module {
      a = new nn.Linear(2, 2);
      b = this.a;
      w = this.a.weight;
      n = new nn.BatchNorm1d(1);
      m = this.n;
      override forward(): void {}
    }
    const tied = new Tied();
    const names = (list: [string, unknown][]) => list.map(([name]) => name);
    const off = { removeDuplicate: false };
    expect(names(tied.namedModules(off))).toEqual(['', 'a', 'b', 'n', 'm']);
    expect(names(tied.namedModules('x', false))).toEqual(['x', 'x.a', 'x.b', 'x.n', 'x.m']);
    expect(names(tied.namedParameters(off)).slice(0, 5)).toEqual([
      'w',
      'a.weight',
      'a.bias',
      'b.weight',
      'b.bias',
    ]);
    expect(names(tied.namedParameters('p', true, false))).toHaveLength(9);
    expect(names(tied.namedParameters())).toEqual(['w', 'a.bias', 'n.weight', 'n.bias']);
    expect(names(tied.namedBuffers(off))).toHaveLength(6);
    expect(names(tied.namedBuffers())).toHaveLength(3);
  });

  it('has forward hooks that are called after an error', () => {
    class Failing extends nn.Module {
      override forward(_x: torch.Tensor): torch.Tensor {
        throw new Error('boom');
      }
    }
    const x = torch.ones(1);
    const log: unknown[] = [];
    const always = (what: string) => (_m: unknown, _i: unknown, y: unknown) => void log.push([what, y]);
    const failing = new Failing();
    failing.registerForwardHook(always('always'), { alwaysCall: true });
    failing.registerForwardHook(always('never'));
    expect(() => failing.forward(x)).toThrow('boom');
    expect(() => failing.deepcopy().forward(x)).toThrow('boom');
    expect(log.splice(0)).toEqual([
      ['always', null],
      ['always', null],
    ]);
    const relu = new nn.ReLU();
    const throws = () => {
      throw new Error('hook');
    };
    relu.registerForwardHook(always('first'), { alwaysCall: true });
    relu.registerForwardHook(throws, { alwaysCall: true });
    relu.registerForwardHook(always('last'), { alwaysCall: true });
    expect(() => relu.forward(x)).toThrow('hook');
    expect(log.splice(0).map((entry) => (entry as [string])[0])).toEqual(['first', 'last']);
    expect(() => relu.registerForwardPreHook(() => {}, untyped({ alwaysCall: true }))).toThrow('alwaysCall');
  });
});

describe('what is not what it should be is refused in words', () => {
  class Half extends autograd.Function {
    static forward(_ctx: unknown, x: torch.Tensor): torch.Tensor {
      return x.mul(2);
    }
  }
  class Empty extends autograd.Function {}
  const apply = autograd.Function.apply as (this: unknown, x: torch.Tensor) => torch.Tensor;
  const x = weight();
  it.each<[string, () => unknown, string]>([
    ['addParamGroup', () => new optim.SGD([x]).addParamGroup(untyped({ params: 3 })), 'but got 3'],
    ['addParamGroup of nothing', () => new optim.SGD([x]).addParamGroup(untyped(null)), 'but got null'],
    ['forward', () => apply.call(Empty, x), 'Empty: You must implement the static method forward'],
    [
      'backward',
      () => apply.call(Half, x).sum().backward(),
      'Half: You must implement the static method backward',
    ],
    [
      'jacobian',
      () =>
        autograd.functional.jacobian(
          untyped(() => 3),
          x,
        ),
      'must return Tensors, but it returned number',
    ],
    [
      'jacobian of a list',
      () =>
        autograd.functional.jacobian(
          untyped(() => [x, 3]),
          x,
        ),
      'it returned number',
    ],
    [
      'hessian',
      () =>
        autograd.functional.hessian(
          untyped(() => undefined),
          x,
        ),
      'it returned undefined',
    ],
    [
      'vectorToParameters',
      () => nn.utils.vectorToParameters(untyped([1, 2]), [x]),
      "vector_to_parameters: argument 'vec' must be a Tensor",
    ],
    ['of numbers', () => nn.utils.vectorToParameters(torch.ones(2), untyped([3])), "'parameters'"],
    ['parametersToVector', () => nn.utils.parametersToVector(untyped(3)), "'parameters'"],
  ])('%s', (_name, call, message) => {
    expect(call).toThrow(torch.WasmgradError);
    expect(call).toThrow(message);
  });
});

describe('schedules', () => {
  const withMomentum = () => new optim.SGD([weight()], { lr: 1, momentum: 0.5 });

  it('write their bounds into the groups, and one cycle reads them there', () => {
    const sgd = withMomentum();
    const cycle = new optim.lrScheduler.OneCycleLR(sgd, 1, 10);
    const [group] = sgd.paramGroups;
    const bounds = { initialLr: 0.04, maxLr: 1, maxMomentum: 0.95, baseMomentum: 0.85, momentum: 0.95 };
    expect(group).toMatchObject(bounds);
    expect(group.minLr).toBeCloseTo(4e-6, 15);
    expect(sgd.stateDict().paramGroups[0].maxLr).toBe(1);
    // PyTorch: g['max_lr'] = 2; s.step(); s.step()
    group.maxLr = 2;
    cycle.step();
    cycle.step();
    expect(group.lr).toBe(2);
    const plain = new optim.SGD([weight()], { lr: 1 });
    new optim.lrScheduler.OneCycleLR(plain, { maxLr: 1, totalSteps: 10, cycleMomentum: false });
    expect(plain.paramGroups[0]).not.toHaveProperty('maxMomentum');
    const cyclic = withMomentum();
    new optim.lrScheduler.CyclicLR(cyclic, 0.1, 1);
    expect(cyclic.paramGroups[0]).toMatchObject({
      lr: 0.1,
      maxMomentum: 0.9,
      baseMomentum: 0.8,
      momentum: 0.9,
    });
    expect(cyclic.paramGroups[0]).not.toHaveProperty('maxLr');
  });

  it('refuse groups that were added later', () => {
    for (const make of [
      (sgd: optim.SGD) => new optim.swaUtils.SWALR(sgd, 0.5),
      (sgd: optim.SGD) => new optim.lrScheduler.OneCycleLR(sgd, 1, 10),
    ]) {
      const sgd = withMomentum();
      const schedule = make(sgd);
      sgd.addParamGroup({ params: weight() });
      expect(() => schedule.step()).toThrow('expected 1 param groups, but the optimizer has 2');
    }
  });

  it('average models that have a mode of their own', () => {
    const averaged = new optim.swaUtils.AveragedModel(new nn.Dropout().eval());
    expect([averaged.training, averaged.module.training]).toEqual([true, false]);
    averaged.train();
    expect(averaged.module.training).toBe(true);
    averaged.eval();
    expect([averaged.training, averaged.module.training]).toEqual([false, false]);
  });
});

describe('rare names', () => {
  it('say what a tensor is, and turn it into another', () => {
    const x = torch.ones(2, 3);
    expect([x.nelement(), x.ndimension(), x.type(), x.long().type()]).toEqual([
      6,
      2,
      'torch.FloatTensor',
      'torch.LongTensor',
    ]);
    expect([x.type(torch.float64).dtype, x.type({ dtype: 'bool' }).dtype]).toEqual(['float64', 'bool']);
    expect(x.type(torch.float32) === x).toBe(true);
    expect(() => x.type(untyped('half'))).toThrow(torch.DTypeError);
  });

  it('are logarithms of determinants', () => {
    const a = torch.tensor([
      [4, 1],
      [1, 3],
    ]);
    a.requiresGrad_();
    const y = torch.logdet(a);
    expect(y.item()).toBeCloseTo(2.397895, 5);
    y.backward();
    // PyTorch: [[0.2727, -0.0909], [-0.0909, 0.3636]]
    expect(
      torch.allclose(
        a.grad as torch.Tensor,
        torch
          .tensor([
            [3, -1],
            [-1, 4],
          ])
          .div(11),
      ),
    ).toBe(true);
    expect(torch.logdet(torch.eye(3).neg()).item()).toBeNaN();
    expect(torch.logdet(torch.zeros(2, 2)).item()).toBe(-Infinity);
    expect(torch.logdet(torch.stack([a, torch.eye(2)])).shape).toEqual([2]);
    expect(() => torch.logdet(torch.ones(2, 3))).toThrow(/^logdet: /);
  });

  it('are solutions by Cholesky’s factor', () => {
    const a = torch.tensor([
      [4, 1],
      [1, 3],
    ]);
    const l = torch.linalg.cholesky(a).detach().requiresGrad_();
    const b = torch.tensor([
      [1, 2],
      [3, 4],
    ]);
    b.requiresGrad_();
    const near = (x: torch.Tensor | null, values: number[][]) =>
      expect(torch.allclose(x as torch.Tensor, torch.tensor(values), { atol: 1e-3 })).toBe(true);
    const x = torch.choleskySolve(b, l);
    near(x, [
      [0, 0.1818],
      [1, 1.2727],
    ]);
    x.square().sum().backward();
    near(b.grad, [
      [-0.1818, -0.1322],
      [0.7273, 0.8926],
    ]);
    // PyTorch has a number above the diagonal, too, which is not read.
    near(l.grad, [
      [0.1901, 0],
      [-1.4876, -6.1797],
    ]);
    near(torch.choleskySolve(b, l.detach().t(), { upper: true }), [
      [0, 0.1818],
      [1, 1.2727],
    ]);
    expect(torch.choleskySolve(torch.ones(5, 2, 1), l.expand(3, 1, 2, 2)).shape).toEqual([3, 5, 2, 1]);
    expect(() => torch.choleskySolve(torch.ones(3, 1), l)).toThrow('cholesky_solve: ');
  });
});

describe('a Function that changes its input in place', () => {
  class Doubling extends autograd.Function {
    static forward(ctx: autograd.FunctionContext, x: torch.Tensor): torch.Tensor {
      torch.noGrad(() => x.mul_(2));
      ctx.markDirty(x);
      return x;
    }
    static backward(_ctx: unknown, grad: torch.Tensor): torch.Tensor {
      return grad.mul(2);
    }
  }
  class Exp extends autograd.Function {
    static forward(ctx: autograd.FunctionContext, x: torch.Tensor): torch.Tensor {
      x.exp_();
      ctx.markDirty(x);
      ctx.saveForBackward(x);
      return x;
    }
    static backward(ctx: autograd.FunctionContext, grad: torch.Tensor): torch.Tensor {
      return grad.mul(ctx.savedTensors[0]);
    }
  }
  class Losing extends Doubling {
    static override forward(ctx: autograd.FunctionContext, x: torch.Tensor): torch.Tensor {
      return Doubling.forward(ctx, x).clone();
    }
  }
  const leaf = () => torch.ones(3, { requiresGrad: true });

  it('gives that very tensor a new history', () => {
    const a = leaf();
    const b = a.mul(3);
    expect(Doubling.apply(b) === b).toBe(true);
    expect([b.tolist(), b.gradFn?.name]).toEqual([[6, 6, 6], 'DoublingBackward']);
    b.sum().backward();
    expect(a.grad?.tolist()).toEqual([6, 6, 6]);
    const plain = torch.ones(2);
    expect(Doubling.apply(plain) === plain).toBe(true);
    expect(plain.requiresGrad).toBe(false);
  });

  it('reaches the base of a view, and may keep the result', () => {
    const a = leaf();
    const b = a.mul(1);
    Doubling.apply(b.narrow(0, 0, 2));
    expect(b.tolist()).toEqual([2, 2, 1]);
    b.sum().backward();
    expect(a.grad?.tolist()).toEqual([2, 2, 1]);
    const c = torch.zeros(2, { requiresGrad: true });
    Exp.apply(c.mul(1)).sum().backward();
    expect(c.grad?.tolist()).toEqual([1, 1]);
  });

  it('may neither change leaves, nor keep the change to itself, nor what others saved', () => {
    expect(() => Doubling.apply(leaf())).toThrow('leaf Variable that requires grad');
    expect(() => Losing.apply(leaf().mul(1))).toThrow('marked as dirty');
    const b = leaf().mul(1);
    const square = b.mul(b);
    Doubling.apply(b);
    expect(() => square.sum().backward()).toThrow('modified by an inplace operation');
  });
});
