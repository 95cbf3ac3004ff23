/** Optimisers and schedules: groups, saving, printing, errors. The numbers of every step are golden cases. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';
import { ArgumentError, optim, type Tensor } from '../../src/index.ts';

const { lrScheduler } = optim;
const values = (x: Tensor) => Array.from(x.data, Number);
const leaf = (list: number[]) => torch.tensor(list).requiresGrad_();

/** One step down the bowl Σ p². */
function descend(optimizer: optim.Optimizer, params: Tensor[]): void {
  optimizer.zeroGrad();
  for (const p of params) p.square().sum().backward();
  optimizer.step();
}

const all: [string, (params: Tensor[]) => optim.Optimizer][] = [
  ['SGD', (params) => new optim.SGD(params, { lr: 0.1, momentum: 0.9, nesterov: true })],
  ['Adam', (params) => new optim.Adam(params, { lr: 0.1, amsgrad: true })],
  ['AdamW', (params) => new optim.AdamW(params, { lr: 0.1 })],
  ['Adamax', (params) => new optim.Adamax(params, { lr: 0.1 })],
  ['RAdam', (params) => new optim.RAdam(params, { lr: 0.1 })],
  ['NAdam', (params) => new optim.NAdam(params, { lr: 0.1 })],
  ['Adagrad', (params) => new optim.Adagrad(params, { lr: 0.1 })],
  ['Adadelta', (params) => new optim.Adadelta(params)],
  ['RMSprop', (params) => new optim.RMSprop(params, { lr: 0.1, momentum: 0.5, centered: true })],
  ['Rprop', (params) => new optim.Rprop(params, { lr: 0.1 })],
  ['ASGD', (params) => new optim.ASGD(params, { lr: 0.1, t0: 2 })],
  ['Adafactor', (params) => new optim.Adafactor(params, { lr: 0.1 })],
];

/** PyTorch's parameters, [3, 4] and [3], after eight steps on six samples; Muon has the first alone, and rounds less. */
const trajectories: [string, (params: Tensor[]) => optim.Optimizer, number[], number[]][] = [
  [
    'Rprop',
    (p) => new optim.Rprop(p, {}),
    [
      -0.335009, -0.0350091, -0.0649909, 0.235009, 0.535009, -0.664991, -0.0350091, -0.0649909, 0.235009,
      0.535009, -0.335009, -0.0350091,
    ],
    [0.113142, -0.235009, 0.335009],
  ],
  [
    'Rprop',
    (p) => new optim.Rprop(p, { lr: 0.1, etas: [0.3, 1.5], stepSizes: [0.01, 0.2] }),
    [0.108, 0.79, -0.4, -0.85, 0, -0.76125, 0.5, -0.89, 0.211875, -0.29, -0.173, 0.79],
    [-0.295625, -0.073, -0.2],
  ],
  [
    'Rprop',
    (p) => new optim.Rprop(p, { maximize: true, lr: 0.05 }),
    [
      -1.32495, -1.02495, 0.924954, 1.22495, 1.52495, 0.324954, -1.02495, 0.924954, 1.22495, 1.52495,
      -1.32495, -1.02495,
    ],
    [1.02495, -1.22495, 1.32495],
  ],
  [
    'ASGD',
    (p) => new optim.ASGD(p, { lr: 0.1 }),
    [
      -0.270348, 0.205717, -0.138482, 0.066567, 0.33809, -0.552546, 0.174611, -0.288613, 0.343624, 0.247944,
      -0.394687, 0.16104,
    ],
    [0.148431, -0.207053, 0.161712],
  ],
  [
    'ASGD',
    (p) => new optim.ASGD(p, { lr: 0.2, lambd: 0.01, alpha: 0.5, t0: 3, weightDecay: 0.1 }),
    [
      -0.0912947, 0.427981, -0.260726, -0.181869, 0.108866, -0.521456, 0.364773, -0.464833, 0.263121,
      -0.0480159, -0.294893, 0.358318,
    ],
    [0.0711971, -0.100137, -0.0166737],
  ],
  [
    'Adafactor',
    (p) => new optim.Adafactor(p, {}),
    [
      -0.4703, -0.160809, 0.0698025, 0.370251, 0.654702, -0.504125, -0.156155, 0.0661699, 0.39359, 0.654937,
      -0.486352, -0.164669,
    ],
    [0.171744, -0.370426, 0.470271],
  ],
  [
    'Adafactor',
    (p) =>
      new optim.Adafactor(p, { lr: 0.3, beta2Decay: -0.5, eps: [0.0001, 0.1], d: 1.5, weightDecay: 0.05 }),
    [
      0.0358445, 0.515727, -0.394685, -0.274862, -0.0401311, -0.531929, 0.60364, -0.508541, 0.243614,
      -0.170788, -0.270142, 0.45196,
    ],
    [-0.0272873, -0.0624493, 0.0795206],
  ],
  [
    'Adafactor',
    (p) => new optim.Adafactor(p, { maximize: true, lr: 0.1 }),
    [
      -0.936849, -0.746996, 0.547578, 0.777249, 1.33475, -0.44604, -0.804359, 0.578156, 0.480611, 1.34216,
      -0.695055, -0.703063,
    ],
    [0.67987, -0.818516, 0.903998],
  ],
  [
    'Muon',
    (p) => new optim.Muon(p, { lr: 0.05 }),
    [
      -0.258587, -0.162152, -0.0805205, 0.0799071, 0.507336, -0.558487, -0.0075482, -0.158473, 0.472475,
      0.26705, -0.487118, -0.157133,
    ],
    [0.2, -0.4, 0.5],
  ],
  [
    'Muon',
    (p) =>
      new optim.Muon(p, {
        lr: 0.05,
        nesterov: false,
        adjustLrFn: 'match_rms_adamw',
        weightDecay: 0.0,
        momentum: 0.8,
      }),
    [
      -0.39945, -0.191474, 0.0345098, 0.273944, 0.632416, -0.532569, -0.120063, -0.00726588, 0.446216,
      0.532437, -0.495859, -0.189097,
    ],
    [0.2, -0.4, 0.5],
  ],
];

describe.each(['cpu', 'reference'])('on %s', (device) => {
  let before: string;
  beforeEach(() => {
    before = torch.getDefaultDevice();
    torch.setDefaultDevice(device);
  });
  afterEach(() => torch.setDefaultDevice(before));

  it.each(all)('%s goes on from a saved state as if nothing had happened', (_, make) => {
    const [p, q] = [leaf([1, -2, 3]), leaf([1, -2, 3])];
    const [one, two] = [make([p]), make([q])];
    for (let i = 0; i < 3; i++) descend(one, [p]);
    torch.noGrad(() => q.copy_(p));
    two.loadStateDict(structuredCloneOfState(one.stateDict()));
    for (let i = 0; i < 3; i++) {
      descend(one, [p]);
      descend(two, [q]);
    }
    expect(values(q)).toEqual(values(p));
    expect(Math.hypot(...values(p))).toBeLessThan(Math.hypot(1, 2, 3));
  });

  it.each(all)('%s treats a transposed parameter as any other', (_, make) => {
    const list = [1, -2, 3, 4, -5, 6];
    const plain = leaf(list).detach().reshape(2, 3).clone().requiresGrad_();
    const turned = torch.zeros(3, 2).t().requiresGrad_();
    torch.noGrad(() => turned.copy_(plain));
    const [one, two] = [make([plain]), make([turned])];
    for (let i = 0; i < 3; i++) {
      descend(one, [plain]);
      descend(two, [turned]);
    }
    expect(turned.stride()).toEqual([1, 2]);
    expect(values(turned)).toEqual(values(plain));
  });

  it.each(trajectories)('%s steps as PyTorch does', (name, make, weights, biases) => {
    const table = (rows: number, columns: number, at: (i: number, j: number) => number) =>
      torch.tensor(
        Array.from({ length: rows }, (_, i) => Array.from({ length: columns }, (_, j) => at(i, j))),
      );
    const w = table(3, 4, (i, j) => (((4 * i + j) % 5) - 2) * 0.3 + 0.1).requiresGrad_();
    const b = leaf([0.2, -0.4, 0.5]);
    const x = table(6, 4, (i, j) => (((7 * i + 3 * j) % 11) - 5) / 4);
    const y = table(6, 3, (i, j) => (((5 * i + 2 * j) % 7) - 3) / 2);
    const optimizer = make(name === 'Muon' ? [w] : [w, b]);
    for (let i = 0; i < 8; i++) {
      optimizer.zeroGrad();
      x.matmul(w.t()).add(b).sub(y).square().mean().backward();
      optimizer.step();
    }
    const digits = name === 'Muon' ? 2 : 5;
    for (const [i, value] of [...values(w), ...values(b)].entries())
      expect(value, `${i}`).toBeCloseTo([...weights, ...biases][i], digits);
  });

  it('of rows and columns Adafactor keeps their averages, and loads them', () => {
    const [p, q] = [torch.ones(2, 3, 4).requiresGrad_(), torch.ones(2, 3, 4).requiresGrad_()];
    const [one, two] = [new optim.Adafactor([p]), new optim.Adafactor([q])];
    descend(one, [p]);
    torch.noGrad(() => q.copy_(p));
    const saved = structuredCloneOfState(one.stateDict());
    two.loadStateDict(saved);
    const { rowVar, colVar, variance } = two.state.get(q)!;
    expect([rowVar?.shape, colVar?.shape, variance]).toEqual([[2, 3, 1], [2, 1, 4], null]);
    for (const [optimizer, param] of [
      [one, p],
      [two, q],
    ] as const)
      descend(optimizer, [param]);
    expect(values(q)).toEqual(values(p));
    const wrong = { ...saved, state: { 0: { ...saved.state[0], rowVar: torch.ones(2, 3, 4) } } };
    expect(() => two.loadStateDict(wrong)).toThrow('the saved rowVar has shape [2, 3, 4]');
  });

  it('what is out of range for them is refused', () => {
    const p = () => [torch.ones(2, 2).requiresGrad_()];
    expect(() => new optim.Rprop(p(), { etas: [1.5, 2] })).toThrow('Invalid eta values: 1.5, 2');
    expect(() => new optim.Rprop(p(), { stepSizes: 1 as never })).toThrow(
      'stepSizes must be a list of two numbers',
    );
    expect(() => new optim.ASGD(p(), { weightDecay: -1 })).toThrow('Invalid weight_decay value: -1');
    expect(() => new optim.Adafactor(p(), { beta2Decay: 0.8 })).toThrow(
      'beta2_decay should be <= 0 but is: 0.8',
    );
    expect(() => new optim.Adafactor(p(), { d: 0.5 })).toThrow(
      'Clipping threshold d should be >= 1 but is: 0.5',
    );
    expect(() => new optim.Muon(p(), { nsSteps: 100 })).toThrow('Number of steps must be less than 100');
    expect(() => new optim.Muon(p(), { adjustLrFn: 'none' as never })).toThrow('none is not supported');
    expect(() => new optim.Muon([leaf([1])])).toThrow(
      'only supports 2D parameters whereas we found a parameter with size: [1]',
    );
  });

  it('groups have options of their own', () => {
    const [p, q, r] = [leaf([1]), leaf([1]), leaf([1])];
    const optimizer = new optim.SGD([{ params: [p] }, { params: q, lr: 0.25 }], { lr: 0.5 });
    optimizer.addParamGroup({ params: [r], maximize: true });
    for (const x of [p, q, r]) x.sum().backward();
    optimizer.step();
    expect([p, q, r].map((x) => x.item())).toEqual([0.5, 0.75, 1.5]);
    expect(() => optimizer.addParamGroup({ params: [p] })).toThrow(
      'some parameters appear in more than one parameter group',
    );
  });

  it('keeps saved values of the graph honest: a step after forward is noticed by backward', () => {
    const p = leaf([2]);
    const optimizer = new optim.SGD([p], { lr: 0.1 });
    const loss = p.square().sum();
    p.grad = torch.ones(1);
    optimizer.step();
    expect(() => loss.backward()).toThrow('modified by an inplace operation');
  });

  it('evaluates a closure with recording on', () => {
    const p = leaf([3]);
    const optimizer = new optim.SGD([p], { lr: 0.1 });
    const loss = torch.noGrad(() =>
      optimizer.step(() => {
        optimizer.zeroGrad();
        const value = p.square().sum();
        value.backward();
        return value;
      }),
    );
    expect(loss.item()).toBe(9);
    expect(p.item()).toBeCloseTo(2.4, 6);
  });

  it('refuses what is no option, instead of training with the defaults', () => {
    const p = () => [leaf([1])];
    const untyped = (options: unknown) => options as { lr: number };
    expect(() => new optim.SGD(p(), untyped('0.1'))).toThrow('Invalid learning rate: 0.1');
    expect(() => new optim.AdamW(p(), untyped(null))).toThrow('Invalid learning rate: null');
    expect(() => new optim.SGD(p(), untyped({ learningRate: 0.1 }))).toThrow(
      "SGD: there is no option 'learningRate', but lr, momentum, dampening, weightDecay, nesterov, maximize",
    );
    expect(() => new optim.LBFGS(p(), untyped({ maxiter: 4 }))).toThrow(
      /no option 'maxiter', but lr, maxIter/,
    );
    // What means nothing here may stay in programs that come from PyTorch.
    expect(new optim.Adam(p(), untyped({ lr: 0.5, foreach: false, fused: null })).defaults.lr).toBe(0.5);
  });

  it('refuses what cannot be optimised', () => {
    const p = leaf([1]);
    expect(() => new optim.SGD([])).toThrow('optimizer got an empty parameter list');
    expect(() => new optim.SGD([p.mul(2)])).toThrow("can't optimize a non-leaf Tensor");
    expect(() => new optim.SGD([p], { lr: -1 })).toThrow('Invalid learning rate: -1');
    expect(() => new optim.SGD([p], { nesterov: true })).toThrow(
      'Nesterov momentum requires a momentum and zero dampening',
    );
    expect(() => new optim.Adam([p], { betas: [0.9, 1] })).toThrow('Invalid beta parameter at index 1: 1');
    expect(() => new optim.SGD([p, p])).toThrow(ArgumentError);
    const optimizer = new optim.Adam([p]);
    expect(() => optimizer.loadStateDict({ state: {}, paramGroups: [] })).toThrow(
      'different number of parameter groups',
    );
    expect(() =>
      optimizer.loadStateDict({ state: { 0: { step: 1 } }, paramGroups: [{ params: [0] }] }),
    ).toThrow(ArgumentError);
  });

  it('is as it was after a state that lacks something', () => {
    for (const optimizer of [new optim.Adam([leaf([1])]), new optim.LBFGS([leaf([1])])]) {
      const before = JSON.stringify(optimizer.stateDict());
      const dict = { state: { 0: { step: 1 } }, paramGroups: [{ params: [0], lr: 7 }] };
      expect(() => optimizer.loadStateDict(dict)).toThrow(/the state of a parameter lacks/);
      expect(JSON.stringify(optimizer.stateDict())).toBe(before);
    }
  });

  it('call hooks around every step, of a user’s too', () => {
    const p = leaf([1]);
    class Own extends optim.SGD {
      override step(): never {
        return 'own' as never;
      }
    }
    for (const optimizer of [new optim.SGD([p], { lr: 0.1 }), new Own([p], { lr: 0.1 })]) {
      const log: unknown[] = [];
      const before = optimizer.registerStepPreHook(
        (who, args) => void log.push(who === optimizer, args.length),
      );
      const after = optimizer.registerStepPostHook((_, args) => void log.push('after', args.length));
      optimizer.step();
      optimizer.step(() => 3);
      before.remove();
      optimizer.step();
      after();
      optimizer.step();
      expect(log).toEqual([true, 0, 'after', 0, true, 1, 'after', 1, 'after', 0]);
    }
    const optimizer = new optim.SGD([p], { lr: 0.1 });
    optimizer.registerStepPreHook(() => [() => 5]);
    expect(optimizer.step(() => 3)).toBe(5);
    optimizer.registerStepPreHook(() => 3 as never);
    expect(() => optimizer.step()).toThrow(
      'expected the hook to return nothing or a list of arguments, but got 3',
    );
    expect(() => optimizer.registerStepPostHook(3 as never)).toThrow(
      "registerStepPostHook: argument 'hook' must be a function, but got 3",
    );
  });

  it('take parameters with their names, which stay with the groups', () => {
    const layer = new torch.nn.Linear(2, 1);
    const [named, plain] = [layer.namedParameters(), layer.parameters()].map(
      (params) => new optim.SGD(params as Tensor[], { lr: 0.1 }),
    );
    expect(named.paramGroups[0].params[1]).toBe(layer.bias);
    expect(named.stateDict().paramGroups[0]).toMatchObject({
      params: [0, 1],
      paramNames: ['weight', 'bias'],
    });
    expect(String(named)).toContain(
      "    nesterov: False\n    param_names: ['weight', 'bias']\n    weight_decay: 0\n",
    );
    named.loadStateDict(plain.stateDict());
    plain.loadStateDict(named.stateDict());
    for (const { paramGroups } of [named, plain])
      expect(paramGroups[0].paramNames).toEqual(['weight', 'bias']);
    expect(() => new optim.SGD([['a', layer.weight], layer.bias as Tensor], { lr: 0.1 })).toThrow(
      'all optimizer params should be with/without names. Some param names are missing',
    );
    expect(() => named.addParamGroup({ params: leaf([1]) })).toThrow(
      'all optimizer param groups should be with/without names. cannot add param group without names to the optimizer',
    );
  });

  it('are helped by averages of weights, moving or plain, with PyTorch’s answers', () => {
    const { swaUtils } = optim;
    const make = () => {
      const model = new torch.nn.Sequential(new torch.nn.Linear(2, 2), new torch.nn.BatchNorm1d(2));
      model.loadStateDict(
        {
          '0.weight': torch.tensor([
            [1, 2],
            [3, 4],
          ]),
          '0.bias': torch.zeros(2),
        },
        false,
      );
      return model;
    };
    const ema = swaUtils.getEmaMultiAvgFn(0.9);
    for (const [options, first, mean, batches] of [
      [{}, 3, [12.9855, 19.1565], 3],
      [{ multiAvgFn: ema }, 2.29, [12.9855, 19.1565], 3],
      [{ avgFn: swaUtils.getEmaAvgFn(0.9) }, 2.29, [12.9855, 19.1565], 3],
      [{ multiAvgFn: swaUtils.getSwaMultiAvgFn() }, 3, [12.9855, 19.1565], 3],
      [{ multiAvgFn: swaUtils.getEmaMultiAvgFn(0.5), useBuffers: true }, 3.25, [8.279, 12.437], 2],
    ] as const) {
      const model = make();
      const averaged = new swaUtils.AveragedModel(model, options);
      for (let i = 1; i < 4; i++) {
        torch.noGrad(() => model.parameters().map((p) => p.add_(1)));
        model.forward(
          torch
            .tensor([
              [1, 2],
              [3, 5],
            ])
            .mul(i),
        );
        averaged.updateParameters(model);
      }
      const state = averaged.stateDict();
      expect(Object.keys(state).slice(0, 2)).toEqual(['n_averaged', 'module.0.weight']);
      expect(state.n_averaged.item()).toBe(3);
      expect(values(state['module.0.weight']).map((x) => x - first)).toEqual(
        [0, 1, 2, 3].map((x) => expect.closeTo(x, 5)),
      );
      expect(values(state['module.1.running_mean'])).toEqual(mean.map((x) => expect.closeTo(x, 3)));
      expect(state['module.1.num_batches_tracked'].item()).toBe(batches);
      expect(averaged.eval().forward(torch.zeros(1, 2)).shape).toEqual([1, 2]);
      const again = new swaUtils.AveragedModel(model);
      again.loadStateDict(state);
      expect(again.n_averaged.item()).toBe(3);
      expect(torch.equal(again.parameters()[0], averaged.parameters()[0])).toBe(true);
    }
    const model = make().eval();
    swaUtils.updateBn(
      [
        torch.tensor([
          [1, 2],
          [3, 5],
        ]),
        [
          torch.tensor([
            [0, 1],
            [4, 1],
          ]),
          3,
        ],
      ],
      model,
    );
    const norm = model[1] as torch.nn.BatchNorm1d;
    expect([norm.running_mean?.tolist(), norm.running_var?.tolist()]).toEqual([
      [6.5, 15],
      [20, 117],
    ]);
    expect([norm.momentum, norm.training]).toEqual([0.1, false]);
    const copy = new swaUtils.AveragedModel(model);
    swaUtils.updateBn([torch.ones(4, 2)], copy);
    expect((copy.module[1] as torch.nn.BatchNorm1d).num_batches_tracked?.item()).toBe(1);
    expect([copy.namedParameters()[0][0], copy.modules().length, copy.train().training]).toEqual([
      'module.0.weight',
      3,
      true,
    ]);
    expect(String(copy)).toContain('AveragedModel(\n  (module): Sequential(\n    (0): Linear');
    expect(() => swaUtils.getEmaAvgFn(2)).toThrow('Invalid decay value 2 provided');
    expect(
      () => new swaUtils.AveragedModel(model, { avgFn: () => model[0], multiAvgFn: ema } as never),
    ).toThrow('Only one of avgFn and multiAvgFn should be provided');
  });

  it('may be a user’s, with a step or for one group', () => {
    class Signs extends optim.Optimizer<{ lr: number }> {
      constructor(params: Iterable<torch.Tensor>, lr: number) {
        super(params, { lr });
      }
      override step(): void {
        torch.noGrad(() => {
          for (const { params, lr } of this.paramGroups)
            for (const p of params) {
              const { count = 0 } = this.state.get(p) ?? {};
              this.state.set(p, { count: Number(count) + 1 });
              if (p.grad) p.sub_(p.grad.sign().mul(lr));
            }
        });
      }
    }
    const p = torch.tensor([1, 2], { requiresGrad: true });
    const optimizer = new Signs([p], 0.5);
    p.mul(torch.tensor([3, -3]))
      .sum()
      .backward();
    optimizer.step();
    expect(p.tolist()).toEqual([0.5, 2.5]);
    const again = new Signs([p], 1);
    again.loadStateDict(optimizer.stateDict());
    expect([again.paramGroups[0].lr, again.state.get(p)]).toEqual([0.5, { count: 1 }]);
    class Nothing extends optim.Optimizer {}
    expect(() => new Nothing([p], { lr: 1 }).step()).toThrow(
      'Nothing is missing the required "step" function',
    );
  });

  describe('schedules', () => {
    const sgd = (lr = 1) => new optim.SGD([leaf([1])], { lr, momentum: 0.9 });
    const run = (scheduler: { step(): void; getLastLr(): number[] }, steps: number) =>
      Array.from({ length: steps }, () => {
        scheduler.step();
        return scheduler.getLastLr()[0];
      });

    it('take options by position, by name, or both', () => {
      expect(run(new lrScheduler.StepLR(sgd(), 2, 0.5), 4)).toEqual([1, 0.5, 0.5, 0.25]);
      expect(run(new lrScheduler.StepLR(sgd(), 2, { gamma: 0.5 }), 4)).toEqual([1, 0.5, 0.5, 0.25]);
      expect(run(new lrScheduler.StepLR(sgd(), { stepSize: 2, gamma: 0.5 }), 4)).toEqual([1, 0.5, 0.5, 0.25]);
      expect(run(new lrScheduler.LambdaLR(sgd(), (epoch) => 1 / (epoch + 1)), 3)).toEqual([
        1 / 2,
        1 / 3,
        1 / 4,
      ]);
    });

    it.each<[string, (optimizer: optim.Optimizer) => optim.lrScheduler.LRScheduler]>([
      ['LambdaLR', (o) => new lrScheduler.LambdaLR(o, () => 0.5)],
      ['MultiplicativeLR', (o) => new lrScheduler.MultiplicativeLR(o, () => 0.5)],
      ['OneCycleLR', (o) => new lrScheduler.OneCycleLR(o, { maxLr: 1, totalSteps: 9 })],
      ['CyclicLR', (o) => new lrScheduler.CyclicLR(o, 0.1, 1)],
      ['CosineAnnealingLR', (o) => new lrScheduler.CosineAnnealingLR(o, 1)],
      ['CosineAnnealingWarmRestarts', (o) => new lrScheduler.CosineAnnealingWarmRestarts(o, 3)],
    ])('%s leaves no group without a rate that came after it', (name, make) => {
      const optimizer = sgd();
      const scheduler = make(optimizer);
      optimizer.addParamGroup({ params: [leaf([1])], lr: 0.3 });
      const rates = () => optimizer.paramGroups.map(({ lr, momentum }) => [lr, momentum]);
      expect(() => {
        // Of a cosine, the first step scales the rate before, and those of both groups can be.
        if (name === 'CosineAnnealingLR') scheduler.step();
        const before = rates();
        try {
          scheduler.step();
        } finally {
          expect(rates()).toEqual(before);
        }
      }).toThrow(`${name}: expected 1 param groups, but the optimizer has 2`);
    });

    it('that watch a metric lower the rates of groups that came after them', () => {
      const optimizer = sgd();
      const plateau = new lrScheduler.ReduceLROnPlateau(optimizer, { patience: 0, minLr: 0.1 });
      const state = plateau.stateDict();
      optimizer.addParamGroup({ params: [leaf([1])], lr: 0.5 });
      for (const loss of [1, 1]) plateau.step(loss);
      expect(plateau.getLastLr()).toEqual([0.1, 0.1]);
      new lrScheduler.ReduceLROnPlateau(optimizer).loadStateDict(state);
      const apart = new lrScheduler.ReduceLROnPlateau(optimizer, { patience: 0, minLr: [0, 0.1] });
      optimizer.addParamGroup({ params: [leaf([1])], lr: 0.5 });
      apart.step(1);
      expect(() => apart.step(1)).toThrow('expected 2 param groups, but the optimizer has 3; set minLrs');
    });

    it('that cycle start from the initial rate where another schedule has set one', () => {
      const optimizer = sgd(0.5);
      new lrScheduler.StepLR(optimizer, 5);
      const cycle = new lrScheduler.CyclicLR(optimizer, 0.1, 1, 4);
      expect(optimizer.paramGroups[0].lr).toBe(0.5);
      const rates = run(cycle, 3);
      for (const [i, lr] of [0.325, 0.55, 0.775].entries()) expect(rates[i]).toBeCloseTo(lr, 12);
    });

    it('follow one another', () => {
      const optimizer = sgd();
      const scheduler = new lrScheduler.SequentialLR(
        optimizer,
        [
          new lrScheduler.ConstantLR(optimizer, { factor: 0.5, totalIters: 2 }),
          new lrScheduler.ExponentialLR(optimizer, { gamma: 0.5 }),
        ],
        [3],
      );
      expect(optimizer.paramGroups[0].lr).toBe(0.5);
      expect(run(scheduler, 5)).toEqual([0.5, 1, 1, 0.5, 0.25]);
    });

    it('act together', () => {
      const optimizer = sgd();
      const scheduler = new lrScheduler.ChainedScheduler([
        new lrScheduler.ConstantLR(optimizer, { factor: 0.5, totalIters: 2 }),
        new lrScheduler.ExponentialLR(optimizer, { gamma: 0.5 }),
      ]);
      expect(run(scheduler, 3)).toEqual([0.25, 0.25, 0.125]);
    });

    it('follow one another from an epoch of theirs, and as parts of others, as in PyTorch', () => {
      const s = lrScheduler;
      const first = (make: (o: ReturnType<typeof sgd>) => unknown): number => {
        const optimizer = sgd();
        make(optimizer);
        return optimizer.paramGroups[0].lr;
      };
      const linear = (o: ReturnType<typeof sgd>) => new s.LinearLR(o, 0.1, 1, 1);
      expect(first((o) => new s.SequentialLR(o, [linear(o), new s.CosineAnnealingLR(o, 10)], [0]))).toBe(1);
      const sequence = (o: ReturnType<typeof sgd>) =>
        new s.SequentialLR(o, [new s.ConstantLR(o, 0.5, 3), new s.StepLR(o, 2)], [3]);
      const chain = (o: ReturnType<typeof sgd>) =>
        new s.ChainedScheduler([new s.ConstantLR(o, 0.5, 3), new s.ExponentialLR(o, 0.9)]);
      for (const [part, rate] of [
        [sequence, 0.5],
        [chain, 0.45],
      ] as const) {
        const nested = (o: ReturnType<typeof sgd>) =>
          new s.SequentialLR(o, [part(o) as never, new s.ExponentialLR(o, 0.5)], [7]);
        expect(first(nested)).toBeCloseTo(rate, 12);
      }
      const optimizer = sgd();
      const halved = new s.MultiplicativeLR(optimizer, () => 0.5);
      expect(run(new s.SequentialLR(optimizer, [new s.ConstantLR(optimizer, 1, 1), halved], [1]), 1)).toEqual(
        [0.5],
      );
      expect(() => new s.SequentialLR(optimizer, [new s.ReduceLROnPlateau(optimizer) as never], [])).toThrow(
        'SequentialLR does not support `ReduceLROnPlateau`',
      );
    });

    it('resume behind an epoch with the rates that they find', () => {
      const s = lrScheduler;
      const resumed = (lr: number, make: (o: ReturnType<typeof sgd>) => unknown): number => {
        const optimizer = sgd();
        Object.assign(optimizer.paramGroups[0], { initialLr: 1, lr });
        make(optimizer);
        return optimizer.paramGroups[0].lr;
      };
      expect(resumed(0.59, (o) => new s.ExponentialLR(o, 0.9, 4))).toBe(0.59);
      expect(resumed(0.59, (o) => new s.MultiplicativeLR(o, () => 0.5, 4))).toBe(0.59);
      expect(resumed(0.73, (o) => new s.LinearLR(o, { startFactor: 0.3, totalIters: 8, lastEpoch: 4 }))).toBe(
        0.73,
      );
      expect(resumed(0.14, (o) => new s.PolynomialLR(o, { totalIters: 8, power: 2, lastEpoch: 4 }))).toBe(
        0.14,
      );
      expect(resumed(1, (o) => new s.CosineAnnealingLR(o, { TMax: 10, lastEpoch: 4 }))).toBe(1);
      const restarts = { T0: 3, TMult: 2, etaMin: 0.01, lastEpoch: 5 };
      expect(resumed(1, (o) => new s.CosineAnnealingWarmRestarts(o, restarts))).toBe(1);
    });

    it('keep their functions when a state of PyTorch is loaded, and leave their base rate behind', () => {
      const optimizer = sgd();
      const scheduler = new lrScheduler.LambdaLR(optimizer, (epoch) => 0.5 ** epoch);
      scheduler.loadStateDict({
        base_lrs: [1],
        last_epoch: 3,
        _step_count: 4,
        _last_lr: [0.125],
        lr_lambdas: [null],
      });
      expect(run(scheduler, 2)).toEqual([0.0625, 0.03125]);
      const cyclic = sgd();
      new lrScheduler.CyclicLR(cyclic, { baseLr: 0.1, maxLr: 1 });
      expect(cyclic.paramGroups[0].initialLr).toBe(0.1);
    });

    it('continue from a saved state', () => {
      const [a, b] = [sgd(), sgd()];
      const one = new lrScheduler.CosineAnnealingWarmRestarts(a, { T0: 3, TMult: 2 });
      run(one, 4);
      const two = new lrScheduler.CosineAnnealingWarmRestarts(b, { T0: 3, TMult: 2 });
      two.loadStateDict(JSON.parse(JSON.stringify(one.stateDict())));
      b.paramGroups[0].lr = a.paramGroups[0].lr;
      expect(run(two, 5)).toEqual(run(one, 5));
    });

    it('cycle the momentum, of Adam its first beta', () => {
      const optimizer = new optim.Adam([leaf([1])], { lr: 1 });
      new lrScheduler.OneCycleLR(optimizer, { maxLr: 1, totalSteps: 10 });
      expect(optimizer.paramGroups[0].betas).toEqual([0.95, 0.999]);
      const rms = new optim.Adagrad([leaf([1])]);
      expect(() => new lrScheduler.OneCycleLR(rms, { maxLr: 1, totalSteps: 10 })).toThrow(
        'optimizer must support momentum',
      );
      expect(() => new lrScheduler.OneCycleLR(sgd(), { maxLr: 1 })).toThrow(
        'You must define either total_steps OR',
      );
    });

    it('watch a metric, which may be a tensor', () => {
      const optimizer = sgd();
      const scheduler = new lrScheduler.ReduceLROnPlateau(optimizer, {
        mode: 'max',
        patience: 0,
        factor: 0.5,
      });
      for (const metric of [0.1, 0.2, torch.tensor(0.2), 0.3]) scheduler.step(metric);
      expect(optimizer.paramGroups[0].lr).toBe(0.5);
      expect(() => scheduler.step()).toThrow(ArgumentError);
    });

    it('end at the rate of averaging', () => {
      const rates = (annealEpochs: number, annealStrategy: 'cos' | 'linear') => {
        const optimizer = new optim.SGD([leaf([1])], { lr: 1 });
        const schedule = new optim.swaUtils.SWALR(optimizer, 0.1, { annealEpochs, annealStrategy });
        return [0, 1, 2, 3, 4].map(() => {
          const { lr } = optimizer.paramGroups[0];
          schedule.step();
          return Number(lr.toFixed(6));
        });
      };
      expect(rates(4, 'cos')).toEqual([1, 0.868198, 0.55, 0.231802, 0.1]);
      expect(rates(4, 'linear')).toEqual([1, 0.775, 0.55, 0.325, 0.1]);
      expect(rates(0, 'cos')).toEqual([0.1, 0.1, 0.1, 0.1, 0.1]);
      const make = (annealEpochs: number, annealStrategy: unknown) => () =>
        rates(annealEpochs, annealStrategy as 'cos');
      expect(make(-1, 'cos')).toThrow('annealEpochs must be equal or greater than 0, got -1');
      expect(make(1, 'x')).toThrow("annealStrategy must be one of 'cos' or 'linear', instead got x");
    });

    it('of users have getLr, as in PyTorch, and start by themselves or with the first step', () => {
      class Inverse extends lrScheduler.LRScheduler {
        readonly power: number;
        constructor(optimizer: optim.Optimizer, power: number, starts: boolean) {
          super(optimizer);
          this.power = power;
          if (starts) this.start();
        }
        override getLr(): number[] {
          return this.baseLrs.map((lr) => lr / (this.lastEpoch + 2) ** this.power);
        }
      }
      const rates = (starts: boolean) => {
        const optimizer = sgd(1);
        const scheduler = new Inverse(optimizer, 2, starts);
        return [0, 1, 2].map(() => {
          const [{ lr }] = optimizer.paramGroups;
          scheduler.step();
          expect(scheduler.getLastLr()).toEqual([optimizer.paramGroups[0].lr]);
          return lr;
        });
      };
      expect(rates(true)).toEqual([1 / 4, 1 / 9, 1 / 16]);
      expect(rates(false)).toEqual([1, 1 / 9, 1 / 16]);
      expect(new lrScheduler.StepLR(sgd(1), 1).getLr()).toEqual([1]);
      class Nothing extends lrScheduler.LRScheduler {}
      expect(() => new Nothing(sgd()).step()).toThrow('Nothing is missing the required "getLr" function');
      expect(() => new lrScheduler.StepLR(5 as never, 1)).toThrow('5 is not an Optimizer');
    });

    it('are printed with the groups they changed', () => {
      const optimizer = sgd(0.5);
      new lrScheduler.StepLR(optimizer, 2);
      expect(String(optimizer)).toContain('\n    initial_lr: 0.5\n    lr: 0.5\n');
    });
  });
});

/** A saved state whose tensors are copies. */
function structuredCloneOfState({ state, paramGroups }: optim.OptimizerStateDict): optim.OptimizerStateDict {
  const copied = Object.entries(state).map(([at, kept]) => [
    at,
    Object.fromEntries(
      Object.entries(kept).map(([name, x]) => [name, x instanceof torch.Tensor ? x.clone() : x]),
    ),
  ]);
  return { state: Object.fromEntries(copied), paramGroups };
}
