import { describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';

const { functional } = torch.autograd;
const { nn, optim } = torch;
const f64 = (list: number[]) => torch.tensor(list, { dtype: 'float64' });

describe('autograd.functional', () => {
  const x = f64([1, 2]);
  const y = f64([3, 5]);

  it('jacobian: one or several inputs and outputs', () => {
    expect(functional.jacobian((a) => a.pow(2), x).toArray()).toEqual([
      [2, 0],
      [0, 4],
    ]);
    const [da, db] = functional.jacobian((a, b) => a.mul(b), [x, y]);
    expect(da.toArray()).toEqual([
      [3, 0],
      [0, 5],
    ]);
    expect(db.toArray()).toEqual([
      [1, 0],
      [0, 2],
    ]);
    const [sum, double] = functional.jacobian((a: torch.Tensor) => [a.sum(), a.mul(2)], x);
    expect([sum.shape, double.shape]).toEqual([[2], [2, 2]]);
    expect(functional.jacobian(() => f64([1, 2, 3]), x).toArray()).toEqual([
      [0, 0],
      [0, 0],
      [0, 0],
    ]);
    expect(() => functional.jacobian(() => f64([1]), x, { strict: true })).toThrow(/strict mode/);
    expect(functional.jacobian((a) => a.mul(2), torch.zeros(0)).shape).toEqual([0, 0]);
  });

  it('hessian: a matrix, and blocks', () => {
    const cubes = (a: torch.Tensor) => a.pow(3).sum();
    expect(functional.hessian(cubes, x).toArray()).toEqual([
      [6, 0],
      [0, 12],
    ]);
    const blocks = functional.hessian((a, b) => a.mul(b).sum(), [x, y]);
    expect(blocks.map((row) => row.map((block) => block.toArray()))).toEqual([
      [
        [
          [0, 0],
          [0, 0],
        ],
        [
          [1, 0],
          [0, 1],
        ],
      ],
      [
        [
          [1, 0],
          [0, 1],
        ],
        [
          [0, 0],
          [0, 0],
        ],
      ],
    ]);
    expect(() => functional.hessian((a) => a.mul(2), x)).toThrow(/hessian.*single element.*\[2\]/);
  });

  it('vjp, jvp, vhp and hvp agree with the matrices', () => {
    const f = (a: torch.Tensor) =>
      a.pow(2).matmul(
        torch.tensor(
          [
            [1, 2, 3],
            [4, 5, 6],
          ],
          { dtype: 'float64' },
        ),
      );
    const J = functional.jacobian(f, x);
    const u = f64([1, -1, 2]);
    const v = f64([0.5, 3]);
    const [value, left] = functional.vjp(f, x, u);
    expect(value.toArray()).toEqual(f(x).toArray());
    expect(left.toArray()).toEqual(u.matmul(J).toArray());
    expect(functional.jvp(f, x, v)[1].toArray()).toEqual(J.matmul(v).toArray());
    const g = (a: torch.Tensor) => a.prod().mul(a.sum());
    const H = functional.hessian(g, x);
    expect(functional.vhp(g, x, v)[1].toArray()).toEqual(v.matmul(H).toArray());
    expect(functional.hvp(g, x, v)[1].toArray()).toEqual(H.matmul(v).toArray());
    expect(() => functional.vjp(f, x)).toThrow(/can only be omitted/);
    expect(() => functional.vjp(f, x, v)).toThrow(/invalid size: entry 0 should be \[3\] but got \[2\]/);
    expect(x.grad).toBeNull();
  });

  it('createGraph: the result can be differentiated', () => {
    const a = f64([2]).requiresGrad_();
    functional
      .jacobian((t) => t.pow(3), a, { createGraph: true })
      .sum()
      .backward();
    expect(a.grad?.toArray()).toEqual([12]);
  });
});

describe('checkpoint', () => {
  const parts = () => {
    torch.manualSeed(1);
    const model = new nn.Sequential(
      new nn.Linear(4, 8),
      new nn.Tanh(),
      new nn.Dropout(0.5),
      new nn.Linear(8, 2),
    );
    return { model, x: torch.randn(3, 4, { requiresGrad: true }) };
  };
  const run = (through: (model: torch.nn.Sequential, x: torch.Tensor) => torch.Tensor) => {
    const { model, x } = parts();
    torch.manualSeed(2);
    through(model, x).pow(2).sum().backward();
    return [x, ...model.parameters()].map((p) => p.grad?.toArray());
  };

  it('gives the same gradients, dropout included, and leaves the random stream alone', () => {
    const plain = run((model, x) => model.forward(x));
    const next = torch.rand(1).item();
    expect(run((model, x) => torch.checkpoint((t: torch.Tensor) => model.forward(t), x))).toEqual(plain);
    expect(torch.rand(1).item()).toBe(next);
    expect(run((model, x) => torch.checkpointSequential(model, 2, x))).toEqual(plain);
  });

  it('keeps nothing meanwhile, and gives higher derivatives', () => {
    const x = f64([1, 2]).requiresGrad_();
    const y = torch.checkpoint((t: torch.Tensor) => t.sin().mul(t), x).sum();
    expect(torch.graph(y).savedBytes).toBe(0);
    const [first] = torch.autograd.grad(y, x, { createGraph: true });
    const [second] = torch.autograd.grad(first.sum(), x);
    second.toArray();
    const want = [1, 2].map((t) => 2 * Math.cos(t) - t * Math.sin(t));
    for (const [i, got] of (second.toArray() as number[]).entries()) expect(got).toBeCloseTo(want[i], 10);
    expect(
      torch.autograd.gradcheck(
        (t) => torch.checkpoint((u: torch.Tensor) => u.exp().mul(u), t),
        f64([0.3, 1]).requiresGrad_(),
      ),
    ).toBe(true);
  });

  it('notices a function that does something else the second time', () => {
    const x = torch.ones(2, { requiresGrad: true });
    let calls = 0;
    const y = torch.checkpoint((t: torch.Tensor) => (calls++ === 0 ? t.mul(t) : t.mul(t).mul(t)), x);
    expect(() => y.sum().backward()).toThrow(/different number of tensors/);
    const z = torch.ones(2);
    const w = torch.checkpoint((t: torch.Tensor, u: torch.Tensor) => t.mul(u), x, z);
    z.add_(1);
    expect(() => w.sum().backward()).toThrow(/input 1 was modified by an inplace operation/);
  });
});

describe('inferenceMode', () => {
  it('records nothing, and what it makes stays out of graphs', () => {
    const w = torch.ones(2, { requiresGrad: true });
    const y = torch.inferenceMode(() => {
      expect(torch.isInferenceModeEnabled()).toBe(true);
      const z = w.mul(2);
      z.add_(1);
      return z;
    });
    expect([y.requiresGrad, y.isInference(), w.isInference(), torch.isGradEnabled()]).toEqual([
      false,
      true,
      false,
      true,
    ]);
    expect(() => w.mul(y)).toThrow(/Inference tensors cannot be saved for backward/);
    expect(() => y.add_(1)).toThrow(/add_: Inplace update to inference tensor outside InferenceMode/);
    expect(() => y.requiresGrad_()).toThrow(/inference tensor outside InferenceMode/);
    expect(w.mul(y.clone()).requiresGrad).toBe(true);
    expect(torch.inferenceMode(() => torch.inferenceMode(() => w.mul(2).requiresGrad, false))).toBe(true);
  });
});

describe('LBFGS', () => {
  const rosenbrock = (p: torch.Tensor) => {
    const [a, b] = [p.select(0, 0), p.select(0, 1)];
    return a
      .mul(-1)
      .add(1)
      .pow(2)
      .add(b.sub(a.pow(2)).pow(2).mul(100));
  };
  const train = (options: object, steps: number) => {
    const p = f64([-1.5, 2]).requiresGrad_();
    const optimizer = new optim.LBFGS([p], options);
    const closure = () => {
      optimizer.zeroGrad();
      const loss = rosenbrock(p);
      loss.backward();
      return loss;
    };
    let first = Number.NaN;
    for (let i = 0; i < steps; i++) {
      const loss = optimizer.step(closure);
      if (i === 0) first = loss.item();
    }
    return { p, optimizer, closure, first };
  };

  it('finds the minimum of Rosenbrock, and returns the loss from before the step', () => {
    const { p, first } = train({ lineSearchFn: 'strong_wolfe' }, 4);
    expect(first).toBeCloseTo(6.25 + 100 * 0.0625, 10);
    for (const v of p.toArray() as number[]) expect(v).toBeCloseTo(1, 5);
  });

  it('solves a quadratic without a line search', () => {
    const p = f64([5, -3]).requiresGrad_();
    const optimizer = new optim.LBFGS([p], { lr: 0.5, maxIter: 60 });
    optimizer.step(() => {
      optimizer.zeroGrad();
      const loss = p
        .sub(f64([1, 2]))
        .pow(2)
        .mul(f64([1, 10]))
        .sum();
      loss.backward();
      return loss;
    });
    for (const [i, v] of (p.toArray() as number[]).entries()) expect(v).toBeCloseTo([1, 2][i], 4);
  });

  it('continues from its state as if it had never stopped', () => {
    const options = { lineSearchFn: 'strong_wolfe', maxIter: 5 };
    const whole = train(options, 3);
    const half = train(options, 2);
    const q = half.p.detach().clone().requiresGrad_();
    const other = new optim.LBFGS([q], options as object);
    other.loadStateDict(half.optimizer.stateDict());
    other.step(() => {
      other.zeroGrad();
      const loss = rosenbrock(q);
      loss.backward();
      return loss;
    });
    expect(q.toArray()).toEqual(whole.p.toArray());
  });

  it('refuses what it cannot do', () => {
    const p = torch.ones(2, { requiresGrad: true });
    expect(() => new optim.LBFGS([{ params: [p] }, { params: [torch.ones(1)] }])).toThrow(/parameter groups/);
    expect(() => new optim.LBFGS([p]).step()).toThrow(/closure/);
  });
});

describe('required arguments by name', () => {
  it('are taken everywhere in nn', () => {
    const shape = (m: torch.nn.Module) => m.parameters().map((p) => p.shape);
    expect(shape(new nn.Conv2d(1, 32, { kernelSize: 3 }))).toEqual(shape(new nn.Conv2d(1, 32, 3)));
    expect(String(new nn.Conv2d({ inChannels: 1, outChannels: 4, kernelSize: 3, padding: 1 }))).toBe(
      String(new nn.Conv2d(1, 4, 3, { padding: 1 })),
    );
    expect(String(new nn.Linear({ inFeatures: 2, outFeatures: 3, bias: false }))).toBe(
      String(new nn.Linear(2, 3, false)),
    );
    expect(String(new nn.Linear(2, { outFeatures: 3 }))).toBe(String(new nn.Linear(2, 3)));
    expect(String(new nn.LSTM({ inputSize: 2, hiddenSize: 3, numLayers: 2 }))).toBe(
      String(new nn.LSTM(2, 3, 2)),
    );
    expect(String(new nn.MaxPool2d({ kernelSize: 2 }))).toBe(String(new nn.MaxPool2d(2)));
    expect(String(new nn.Embedding({ numEmbeddings: 4, embeddingDim: 2, paddingIdx: 0 }))).toBe(
      String(new nn.Embedding(4, 2, 0)),
    );
    expect(String(new nn.GroupNorm(2, { numChannels: 4 }))).toBe(String(new nn.GroupNorm(2, 4)));
    expect(String(new nn.BatchNorm1d({ numFeatures: 4, affine: false }))).toBe(
      String(new nn.BatchNorm1d(4, { affine: false })),
    );
    expect(new nn.CrossEntropyLoss(torch.ones(3)).weight?.shape).toEqual([3]);
    expect(new nn.TripletMarginLoss(2, 1).options).toMatchObject({ margin: 2, p: 1 });
  });

  it('missing or doubled ones are named', () => {
    const broken = (build: unknown) => build as (...args: unknown[]) => unknown;
    const make =
      (...args: unknown[]) =>
      () =>
        Reflect.construct(broken(nn.Conv2d), args);
    expect(make(1, 32)).toThrow(/Conv2d: missing required argument 'kernelSize': expected it as argument 3/);
    expect(make(1, 32, { stride: 2 })).toThrow(/'kernelSize'.*2 positional arguments and the names stride/);
    expect(make(1, 32, 3, { kernelSize: 3 })).toThrow(/multiple values for argument 'kernelSize'/);
    expect(() => Reflect.construct(broken(nn.Linear), [])).toThrow(
      /Linear: missing required argument 'inFeatures'/,
    );
  });
});

describe('resize_', () => {
  it('shows the same memory in another shape, and grows', () => {
    const x = torch.arange(6);
    expect(x.resize_(2, 2).toArray()).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect(x.resize_([6]).toArray()).toEqual([0, 1, 2, 3, 4, 5]);
    const grown = x.resize_(2, 4);
    expect(grown).toBe(x);
    expect((grown.reshape(-1).toArray() as number[]).slice(0, 6)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(() => torch.ones(2, { requiresGrad: true }).resize_(3)).toThrow(/resize_: cannot resize/);
  });
});

describe('what mutated golden cases found', () => {
  it('integers clamped from one side', () => {
    const x = torch.tensor([-3, 0, 5], { dtype: 'int32' });
    expect(x.clamp({ min: -1 }).toArray()).toEqual([-1, 0, 5]);
    expect(torch.clampMax(x.to('uint8').to('int16'), 3).toArray()).toEqual([3, 0, 3]);
  });
  it('outer products of two dtypes', () => {
    expect(torch.outer(torch.tensor([0.5, 2]), torch.tensor([1n, 3n])).toArray()).toEqual([
      [0.5, 1.5],
      [2, 6],
    ]);
  });
  it('linear with a bias that is a column', () => {
    const bias = torch
      .tensor([
        [1, 4],
        [2, 5],
        [3, 6],
      ])
      .select(1, 1);
    expect(nn.functional.linear(torch.ones(2), torch.zeros(3, 2), bias).toArray()).toEqual([4, 5, 6]);
    expect(
      nn.functional.linear(torch.ones(1, 2), torch.zeros(3, 2), torch.ones(1).expand(3)).toArray(),
    ).toEqual([[1, 1, 1]]);
  });
});
