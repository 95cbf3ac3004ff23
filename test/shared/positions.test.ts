/**
 * What plain JavaScript can write and TypeScript would refuse: values where PyTorch has arguments by name only must be refused
 * too, not ignored; and where PyTorch takes an argument by position, so do we.
 */
import { describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';
import { data, nn, optim } from '../../src/index.ts';
import { transforms } from '../../src/vision/index.ts';

const F = nn.functional;
/** As a program without types sees it. */
// biome-ignore lint/suspicious/noExplicitAny: that is what is tested
const untyped = (x: unknown): any => x;
const [t, f] = [torch, F].map(untyped);
const x = torch.arange(12, { dtype: 'float32' }).reshape(4, 3).sin();
const y = x.cos();
const classes = torch.tensor([0n, 1n, 2n, 0n]);
const generator = new torch.Generator();
const stepper = () => new optim.SGD([x.clone()], { lr: 1 });

const refused: { [name: string]: () => unknown } = {
  add: () => t.add(x, y, 2),
  'add_ of a tensor': () => untyped(x.clone()).add_(y, 2),
  sub: () => t.sub(x, y, y),
  rsub: () => t.rsub(x, y, 2),
  div: () => t.div(x, y, 'floor'),
  round: () => t.round(x, 2),
  'round of a tensor': () => untyped(x).round(2),
  addcmul: () => t.addcmul(x, x, y, 2),
  addcdiv: () => t.addcdiv(x, x, y, 2),
  addmm: () => t.addmm(torch.zeros(4, 4), x, x.t(), 2),
  scatter: () => t.scatter(x, 1, classes.reshape(4, 1), y, 'add'),
  index_add: () => t.indexAdd(x, 0, classes, y, 2),
  cov: () => t.cov(x, 0),
  nonzero: () => t.nonzero(x, true),
  isin: () => t.isin(x, y, true),
  searchsorted: () => t.searchsorted(torch.tensor([1, 2, 3]), torch.tensor([2]), true),
  aminmax: () => t.aminmax(x, 0),
  trapezoid: () => t.trapezoid(x, y, 2),
  tensor: () => t.tensor([1, 2], 'int64'),
  bernoulli: () => t.bernoulli(torch.rand(3), generator),
  randperm: () => t.randperm(3, generator),
  mse_loss: () => f.mseLoss(x, y, 'sum'),
  l1_loss: () => f.l1Loss(x, y, 'sum'),
  smooth_l1_loss: () => f.smoothL1Loss(x, y, 'sum'),
  huber_loss: () => f.huberLoss(x, y, 'sum', 1, y),
  kl_div: () => f.klDiv(x, y, 'sum'),
  poisson_nll_loss: () => f.poissonNllLoss(x, y, false, true, 'sum'),
  gaussian_nll_loss: () => f.gaussianNllLoss(x, y, x.square(), true, 1, 'sum', 1),
  hinge_embedding_loss: () => f.hingeEmbeddingLoss(x, y, 2, 'sum'),
  margin_ranking_loss: () => f.marginRankingLoss(x, y, x, 2, 'sum'),
  cosine_embedding_loss: () => f.cosineEmbeddingLoss(x, y, torch.ones(4), 0.5, 'sum'),
  triplet_margin_loss: () => f.tripletMarginLoss(x, y, x, 2, 2, 1, true, 'sum'),
  soft_margin_loss: () => f.softMarginLoss(x, y, 'sum'),
  multi_margin_loss: () => f.multiMarginLoss(x, classes, 2, 1, null, 'sum'),
  multilabel_soft_margin_loss: () => f.multilabelSoftMarginLoss(x, y, y),
  'cross_entropy, a text for the weight': () => f.crossEntropy(x, classes, 'sum'),
  'cross_entropy, behind the weight': () => f.crossEntropy(x, classes, null, 'sum'),
  'nll_loss, behind the weight': () => f.nllLoss(x, classes, null, 'sum'),
  'binary_cross_entropy, a text for the weight': () => f.binaryCrossEntropy(x.abs(), y.abs(), 'sum'),
  binary_cross_entropy_with_logits: () => f.binaryCrossEntropyWithLogits(x, y, null, 'sum'),
  gumbel_softmax: () => f.gumbelSoftmax(x, 0.5, true, 1),
  MSELoss: () => new (untyped(nn.MSELoss))('sum'),
  KLDivLoss: () => new (untyped(nn.KLDivLoss))('sum'),
  jacobian: () => untyped(torch.autograd.functional).jacobian((v: torch.Tensor) => v.square(), x, 1),
  'to, a number': () => untyped(x).to('cpu', 7),
  'to, behind the dtype': () => untyped(x).to('cpu', 'float64', true),
  'StepLR, a fifth': () => new (untyped(optim.lrScheduler.StepLR))(stepper(), 1, 0.5, -1, 1),
  'SGD, behind nesterov': () => new (untyped(optim.SGD))([x.clone()], 0.1, 0, 0, 0, false, true),
  'a fifth of linspace': () => t.linspace(0, 1, 5, 'float64'),
};

describe('arguments that PyTorch takes by name only', () => {
  it.each(Object.keys(refused))('are refused by position: %s', (name) => {
    expect(refused[name]).toThrow(torch.ArgumentError);
    expect(refused[name]).toThrow(/options|by name|must be a Tensor/);
  });
});

const pythonNames: { [name: string]: () => unknown } = {
  batchSize: () => new (untyped(data.DataLoader))(new data.TensorDataset(x), { batch_size: 2 }),
  batchFirst: () => new (untyped(nn.LSTM))(3, 4, { batch_first: true }),
  paddingMode: () => new (untyped(nn.Conv2d))(1, 2, 3, { padding_mode: 'circular' }),
  trackRunningStats: () => new (untyped(nn.BatchNorm2d))(3, { track_running_stats: false }),
  paddingIdx: () => new (untyped(nn.Embedding))(3, 2, { padding_idx: 0 }),
  dimFeedforward: () => new (untyped(nn.TransformerEncoderLayer))(4, 2, { dim_feedforward: 8 }),
  labelSmoothing: () => f.crossEntropy(x, classes, { label_smoothing: 0.1 }),
  labelSmoothing_: () => new (untyped(nn.CrossEntropyLoss))({ label_smoothing: 0.1 }),
  weightDecay: () => new (untyped(optim.SGD))([x.clone()], { lr: 1, weight_decay: 0.1 }),
  weightDecay_: () => new (untyped(optim.SGD))([{ params: [x.clone()], weight_decay: 0.1 }], { lr: 1 }),
  startFactor: () => new (untyped(optim.lrScheduler.LinearLR))(stepper(), { start_factor: 0.1 }),
  retainGraph: () => untyped(x.clone().requiresGrad_().sum()).backward({ retain_graph: true }),
  requiresGrad: () => t.tensor([1], { requires_grad: true }),
  roundingMode: () => t.div(x, y, { rounding_mode: 'floor' }),
  asTuple: () => t.nonzero(x, { as_tuple: true }),
  returnCounts: () => t.unique(classes, { return_counts: true }),
  keepDim: () => t.sum(x, { dim: 1, keep_dim: true }),
  isCausal: () => f.scaledDotProductAttention(x, y, x, { is_causal: true }),
  ceilMode: () => f.avgPool2d(torch.rand(1, 1, 4, 4), 2, { ceil_mode: true }),
  normType: () => untyped(nn.utils).clipGradNorm_([x], 1, { norm_type: 1 }),
};

describe('Python’s names of arguments', () => {
  it.each(Object.keys(pythonNames))('are refused, with the name that is meant: %s', (name) => {
    expect(pythonNames[name]).toThrow(torch.ArgumentError);
    expect(pythonNames[name]).toThrow(`write ${name.replace('_', '')}, not '`);
  });
});

describe('arguments that PyTorch takes by position', () => {
  it.each<[string, () => torch.Tensor, () => torch.Tensor]>([
    [
      'huber_loss',
      () => F.huberLoss(x, y, 'sum', 0.1),
      () => F.huberLoss(x, y, { reduction: 'sum', delta: 0.1 }),
    ],
    [
      'poisson_nll_loss',
      () => F.poissonNllLoss(x, y, false),
      () => F.poissonNllLoss(x, y, { logInput: false }),
    ],
    [
      'gaussian_nll_loss',
      () => F.gaussianNllLoss(x, y, x.square(), true, 0.1, 'sum'),
      () => F.gaussianNllLoss(x, y, x.square(), { full: true, eps: 0.1, reduction: 'sum' }),
    ],
    [
      'hinge_embedding_loss',
      () => F.hingeEmbeddingLoss(x, y, 3),
      () => F.hingeEmbeddingLoss(x, y, { margin: 3 }),
    ],
    [
      'margin_ranking_loss',
      () => F.marginRankingLoss(x, y, x, 3),
      () => F.marginRankingLoss(x, y, x, { margin: 3 }),
    ],
    [
      'cosine_embedding_loss',
      () => F.cosineEmbeddingLoss(x, y, torch.ones(4).neg(), -0.9),
      () => F.cosineEmbeddingLoss(x, y, torch.ones(4).neg(), { margin: -0.9 }),
    ],
    [
      'triplet_margin_loss',
      () => F.tripletMarginLoss(x, y, x, 3, 1, 0.1, true),
      () => F.tripletMarginLoss(x, y, x, { margin: 3, p: 1, eps: 0.1, swap: true }),
    ],
    [
      'multi_margin_loss',
      () => F.multiMarginLoss(x, classes, 2, 3),
      () => F.multiMarginLoss(x, classes, { p: 2, margin: 3 }),
    ],
    [
      'gumbel_softmax',
      () => F.gumbelSoftmax(x, 0.5, true),
      () => F.gumbelSoftmax(x, { tau: 0.5, hard: true }),
    ],
  ])('are taken by position: %s', (_, byPosition, byName) => {
    const [found, wanted] = [byPosition, byName].map((run) => {
      torch.manualSeed(1);
      return run().tolist();
    });
    expect(found).toEqual(wanted);
  });

  it('are taken by optimizers and schedules', () => {
    const of = (make: (p: torch.Tensor[]) => { paramGroups: readonly object[] }) =>
      make([x.clone()]).paramGroups[0];
    expect(of((p) => new optim.SGD(p, 0.1, 0.9, 0, 0.01, true))).toMatchObject({
      lr: 0.1,
      momentum: 0.9,
      weightDecay: 0.01,
      nesterov: true,
    });
    expect(of((p) => new optim.SGD(p, 0.1, { momentum: 0.5 }))).toMatchObject({ lr: 0.1, momentum: 0.5 });
    expect(of((p) => new optim.Adam(p, 0.1, [0.5, 0.6], 1e-3, 0.2, true))).toMatchObject({
      lr: 0.1,
      betas: [0.5, 0.6],
      eps: 1e-3,
      weightDecay: 0.2,
      amsgrad: true,
    });
    expect(of((p) => new optim.AdamW(p, 0.1))).toMatchObject({
      lr: 0.1,
      weightDecay: 0.01,
      decoupledWeightDecay: true,
    });
    expect(of((p) => new optim.Adamax(p, 0.1, [0.5, 0.6]))).toMatchObject({ lr: 0.1, betas: [0.5, 0.6] });
    expect(of((p) => new optim.RAdam(p, 0.1, [0.5, 0.6], 1e-3, 0.2, true))).toMatchObject({
      decoupledWeightDecay: true,
    });
    expect(of((p) => new optim.NAdam(p, 0.1, [0.5, 0.6], 1e-3, 0.2, 0.3))).toMatchObject({
      momentumDecay: 0.3,
    });
    expect(of((p) => new optim.Adagrad(p, 0.1, 0.2, 0.3, 0.4, 0.5))).toMatchObject({
      lr: 0.1,
      lrDecay: 0.2,
      weightDecay: 0.3,
      initialAccumulatorValue: 0.4,
      eps: 0.5,
    });
    expect(of((p) => new optim.Adadelta(p, 0.1, 0.2, 0.3, 0.4))).toMatchObject({
      lr: 0.1,
      rho: 0.2,
      eps: 0.3,
      weightDecay: 0.4,
    });
    expect(of((p) => new optim.RMSprop(p, 0.1, 0.2, 0.3, 0.4, 0.5, true))).toMatchObject({
      alpha: 0.2,
      eps: 0.3,
      weightDecay: 0.4,
      momentum: 0.5,
      centered: true,
    });
    expect(of((p) => new optim.LBFGS(p, 0.5, 7, 8, 0.1, 0.2, 9, 'strong_wolfe'))).toMatchObject({
      lr: 0.5,
      maxIter: 7,
      maxEval: 8,
      toleranceGrad: 0.1,
      toleranceChange: 0.2,
      historySize: 9,
      lineSearchFn: 'strong_wolfe',
    });
    for (const lr of [null, '0.1', -1])
      expect(() => new optim.SGD([x.clone()], lr as never)).toThrow(/Invalid learning rate/);
    const schedule = new optim.lrScheduler.OneCycleLR(stepper(), 2, null, 5, 4);
    expect(schedule.totalSteps).toBe(20);
  });

  it('are taken by randomSplit, quantile and transforms', () => {
    const set = new data.TensorDataset(x);
    const loader = new data.DataLoader(set, 2, true);
    expect([loader.batchSize, loader.sampler?.constructor.name]).toEqual([2, 'RandomSampler']);
    const parts = (...rest: [torch.Generator] | [{ generator: torch.Generator }]) =>
      data.randomSplit(set, [2, 2], ...rest).map(({ indices }) => Array.from(indices));
    expect(parts(new torch.Generator().manualSeed(3))).toEqual(
      parts({ generator: new torch.Generator().manualSeed(3) }),
    );
    const image = torch.rand(1, 4, 4);
    const apply = (transform: ReturnType<typeof transforms.pad>) => {
      torch.manualSeed(2);
      return transform.apply(image).tolist();
    };
    expect(apply(transforms.pad(1, 2))).toEqual(apply(transforms.pad(1, { fill: 2 })));
    expect(apply(transforms.randomCrop(6, 2))).toEqual(apply(transforms.randomCrop(6, { padding: 2 })));
    const sample = torch.tensor([3, 1, 4, 1.5, 9, 2.6]);
    const at = (interpolation: 'linear') =>
      sample.quantile([0.1, 0.3, 0.5, 0.77], { interpolation }).toArray();
    const wanted = {
      linear: [1.25, 2.05, 2.8, 3.85],
      lower: [1, 1.5, 2.6, 3],
      higher: [1.5, 2.6, 3, 4],
      nearest: [1, 2.6, 2.6, 4],
      midpoint: [1.25, 2.05, 2.8, 3.5],
    };
    for (const [mode, values] of Object.entries(wanted)) {
      const found = at(mode as 'linear') as number[];
      for (const [i, value] of values.entries()) expect(found[i], mode).toBeCloseTo(value, 5);
    }
    expect(() => at('middle' as never)).toThrow(/interpolation must be one of linear/);
  });

  it('are taken by position', () => {
    expect(x.to('cpu', 'float64').dtype).toBe('float64');
    expect(x.to('cpu', 'float32', { copy: true }) === x).toBe(false);
    const layer = new nn.Linear(3, 2);
    expect(layer.to('cpu', 'float64').weight.dtype).toBe('float64');
    layer.registerBuffer('seen', torch.zeros(1), false);
    expect(Object.keys(layer.stateDict())).toEqual(['weight', 'bias']);
    const { missingKeys } = layer.loadStateDict({ weight: torch.zeros(2, 3) }, false);
    expect(missingKeys).toEqual(['bias']);
    const square = (v: torch.Tensor) => v.square();
    const point = torch.tensor([1, 2], { dtype: 'float64', requiresGrad: true });
    expect(torch.autograd.functional.jacobian(square, point, true).requiresGrad).toBe(true);
    expect(torch.autograd.gradcheck(square, point, 1e-6, 1e-4)).toBe(true);
    expect(() => torch.autograd.gradcheck(square, point, 1, 0, 0)).not.toThrow();
    expect(() => torch.autograd.gradcheck((v) => v.exp(), point, 1, 1e-9, 1e-9)).toThrow(torch.AutogradError);
  });

  it('are known by their names to modules', () => {
    const model = new nn.Sequential(new nn.Linear(3, 2), new nn.BatchNorm1d(2));
    expect(model.train({ mode: false })[1].training).toBe(false);
    expect(() => model.train('eval' as never)).toThrow(
      'training mode is expected to be boolean, but got eval',
    );
    expect(model.requiresGrad_({ requiresGrad: false }).parameters()[0].requiresGrad).toBe(false);
    expect(x.clone().requiresGrad_({ requiresGrad: true }).requiresGrad).toBe(true);
    expect(model.namedParameters({ prefix: 'net' })[0][0]).toBe('net.0.weight');
    expect([model.parameters({ recurse: false }), model.buffers({ recurse: false })]).toEqual([[], []]);
    expect(model.namedBuffers({ prefix: 'net', recurse: true })[0][0]).toBe('net.1.running_mean');
    expect(model.namedModules({ prefix: 'net' })[1][0]).toBe('net.0');
    expect(Object.keys(model.stateDict({ prefix: 'net.' }))[0]).toBe('net.0.weight');
    expect(() => model.parameters(untyped({ removeDuplicate: false }))).toThrow(
      "unexpected option 'removeDuplicate'",
    );
    expect(() => torch.setGradEnabled(untyped({ mode: false }))).toThrow('expected true or false');
    expect(torch.isGradEnabled()).toBe(true);
  });

  it('are known by their names to forward', () => {
    const [sequence, h, c] = [torch.randn(5, 2, 3), torch.randn(1, 2, 4), torch.randn(1, 2, 4)];
    const lstm = new nn.LSTM(3, 4);
    expect(lstm.forward(sequence, { hx: [h, c] })[0].equal(lstm.forward(sequence, [h, c])[0])).toBe(true);
    for (const layer of [new nn.GRU(3, 4), new nn.RNN(3, 4)])
      expect(layer.forward(sequence, { hx: h })[0].equal(layer.forward(sequence, h)[0])).toBe(true);
    for (const cell of [new nn.GRUCell(3, 4), new nn.RNNCell(3, 4)])
      expect(cell.forward(sequence.select(0, 0), { hx: h.select(0, 0) }).shape).toEqual([2, 4]);
    const state = [h.select(0, 0), c.select(0, 0)] as const;
    expect(new nn.LSTMCell(3, 4).forward(sequence.select(0, 0), { hx: state })[0].shape).toEqual([2, 4]);
    const grown = new nn.ConvTranspose2d(1, 1, 3, { stride: 2 }).forward(torch.ones(1, 1, 4, 4), {
      outputSize: [10, 10],
    });
    expect(grown.shape).toEqual([1, 1, 10, 10]);
    const plateau = new optim.lrScheduler.ReduceLROnPlateau(stepper());
    plateau.step({ metrics: 1 });
    expect(plateau.best).toBe(1);
    const attention = new nn.MultiheadAttention(4, 2);
    expect(() => untyped(attention).forward(h, { key: h, value: h })).toThrow(
      "MultiheadAttention.forward: argument 'key' must be a Tensor",
    );
  });

  it('are known by their names to losses', () => {
    expect(new nn.MSELoss().reduction).toBe('mean');
    expect(new nn.HuberLoss('sum').reduction).toBe('sum');
    expect(new nn.CrossEntropyLoss({ reduction: 'none' }).reduction).toBe('none');
  });
});
