/** Arguments by PyTorch's names: functions and methods take any tail of them in an options object. */
import { describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';

const { functional: F, init } = torch.nn;
const x = torch.arange(12).reshape(3, 4).float();
const image = torch.arange(32).reshape(1, 2, 4, 4).float();
const index = torch.tensor([[0n, 2n]]).expand(3, 2);
const target = torch.tensor([0n, 3n, 1n]);

/** Each pair: by position, by name. */
const pairs: { readonly [what: string]: () => [unknown, unknown] } = {
  gather: () => [x.gather(1, index), torch.gather(x, { dim: 1, index })],
  'gather, one by position': () => [x.gather(1, index), torch.gather(x, 1, { index })],
  'scatter, its own options behind': () => [
    x.scatter(1, index, index.float(), { reduce: 'add' }),
    torch.scatter(x, { dim: 1, index, src: index.float(), reduce: 'add' }),
  ],
  'scatter of a value': () => [x.scatter(1, index, 5), torch.scatter(x, 1, index, { value: 5 })],
  indexAdd: () => [
    x.indexAdd(0, target.narrow(0, 2, 1), torch.ones(1, 4), { alpha: 2 }),
    torch.indexAdd(x, { dim: 0, index: target.narrow(0, 2, 1), source: torch.ones(1, 4), alpha: 2 }),
  ],
  topk: () => [x.topk(2, 0).values, torch.topk(x, { k: 2, dim: 0 }).values],
  'topk of the least': () => [x.topk(2, 1, false).values, torch.topk(x, 2, { largest: false }).values],
  split: () => [x.split(3, 1)[1], torch.split(x, { splitSizeOrSections: 3, dim: 1 })[1]],
  permute: () => [x.permute(1, 0), torch.permute(x, { dims: [1, 0] })],
  transpose: () => [x.transpose(0, 1), torch.transpose(x, { dim0: 0, dim1: 1 })],
  narrow: () => [x.narrow(1, 1, 2), torch.narrow(x, 1, { start: 1, length: 2 })],
  linspace: () => [torch.linspace(0, 1, 5), torch.linspace(0, { end: 1, steps: 5 })],
  arange: () => [torch.arange(1, 9, 2), torch.arange({ start: 1, end: 9, step: 2 })],
  lerp: () => [torch.lerp(x, x.neg(), 0.25), torch.lerp(x, { end: x.neg(), weight: 0.25 })],
  linear: () => [F.linear(x, x, target.float()), F.linear(x, x, { bias: target.float() })],
  conv2d: () => [
    F.conv2d(image, torch.ones(1, 2, 2, 2), null, 2),
    F.conv2d(image, { weight: torch.ones(1, 2, 2, 2), stride: 2 }),
  ],
  maxPool2d: () => [F.maxPool2d(image, 2, 1), F.maxPool2d(image, { kernelSize: 2, stride: 1 })],
  pad: () => [F.pad(x, [1, 1], 'constant', 2), F.pad(x, { pad: [1, 1], value: 2 })],
  layerNorm: () => [F.layerNorm(x, [4]), F.layerNorm(x, { normalizedShape: [4] })],
  crossEntropy: () => [
    F.crossEntropy(x, target, { labelSmoothing: 0.1 }),
    F.crossEntropy(x, { target, labelSmoothing: 0.1 }),
  ],
  pixelShuffle: () => [
    F.pixelShuffle(torch.ones(1, 4, 2, 2), 2),
    F.pixelShuffle(torch.ones(1, 4, 2, 2), { upscaleFactor: 2 }),
  ],
};

const drawn = (draw: () => torch.Tensor): torch.Tensor => {
  torch.manualSeed(3);
  return draw();
};
const pairOf = (...draws: [() => torch.Tensor, () => torch.Tensor]) => draws.map(drawn);
const weights = torch.tensor([0.1, 0.5, 0.4]);
const fresh = () => torch.zeros(3, 4);
const leaf = torch.tensor([1, 2], { requiresGrad: true });

/** The same of what makes and draws tensors, and of gradients. */
const others: { readonly [what: string]: () => torch.Tensor[] } = {
  zeros: () => [torch.zeros(2, 3), torch.zeros({ size: [2, 3] })],
  ones: () => [torch.ones([2], { dtype: 'int64' }), torch.ones({ size: [2], dtype: 'int64' })],
  newOnes: () => [x.newOnes(2, 3), x.newOnes({ size: [2, 3] })],
  newFull: () => [x.newFull([2], 7), x.newFull({ size: [2], fillValue: 7 })],
  full: () => [torch.full([2], 7, { dtype: 'int8' }), torch.full({ size: [2], fillValue: 7, dtype: 'int8' })],
  eye: () => [torch.eye(2, 3), torch.eye({ n: 2, m: 3 })],
  rand: () =>
    pairOf(
      () => torch.rand(2, 3),
      () => torch.rand({ size: [2, 3] }),
    ),
  randint: () =>
    pairOf(
      () => torch.randint(2, 9, [5]),
      () => torch.randint(2, 9, { size: [5] }),
    ),
  'randint from 0': () =>
    pairOf(
      () => torch.randint(9, [5]),
      () => torch.randint(9, { size: [5] }),
    ),
  'randint, all by name': () =>
    pairOf(
      () => torch.randint(9, [5]),
      () => torch.randint({ high: 9, size: [5] }),
    ),
  'randint, the upper bound by name': () =>
    pairOf(
      () => torch.randint(2, 9, [5]),
      () => torch.randint(2, { high: 9, size: [5] }),
    ),
  randintLike: () =>
    pairOf(
      () => torch.randintLike(x, 2, 9),
      () => torch.randintLike(x, { low: 2, high: 9 }),
    ),
  normal: () =>
    pairOf(
      () => torch.normal(1, 2, [3]),
      () => torch.normal({ mean: 1, std: 2, size: [3] }),
    ),
  'normal, its size by name': () =>
    pairOf(
      () => torch.normal(1, 2, [3]),
      () => torch.normal(1, 2, { size: [3] }),
    ),
  'normal of tensors': () =>
    pairOf(
      () => torch.normal(x, 2),
      () => torch.normal(x, { std: 2 }),
    ),
  multinomial: () =>
    pairOf(
      () => weights.multinomial(2),
      () => torch.multinomial(weights, { numSamples: 2 }),
    ),
  'multinomial as a method': () =>
    pairOf(
      () => weights.multinomial(9, true),
      () => weights.multinomial({ numSamples: 9, replacement: true }),
    ),
  quantile: () => [x.quantile(0.3), x.quantile({ q: 0.3 })],
  'quantile along a dimension': () => [
    torch.quantile(x, [0.2, 0.7], 1, true),
    torch.quantile(x, { q: [0.2, 0.7], dim: 1, keepdim: true }),
  ],
  'quantile between': () => [
    x.quantile(0.3, { dim: 0, interpolation: 'lower' }),
    x.quantile(0.3, 0, { interpolation: 'lower' } as never),
  ],
  normal_: () =>
    pairOf(
      () => fresh().normal_(0, 3),
      () => fresh().normal_(0, { std: 3 }),
    ),
  uniform_: () =>
    pairOf(
      () => fresh().uniform_(0, 3),
      () => fresh().uniform_({ to: 3 }),
    ),
  random_: () =>
    pairOf(
      () => fresh().random_(2, 5),
      () => fresh().random_({ from: 2, to: 5 }),
    ),
  bernoulli_: () =>
    pairOf(
      () => fresh().bernoulli_(0.9),
      () => fresh().bernoulli_({ p: 0.9 }),
    ),
  geometric_: () =>
    pairOf(
      () => fresh().geometric_(0.2),
      () => fresh().geometric_({ p: 0.2 }),
    ),
  'init.normal_': () =>
    pairOf(
      () => init.normal_(fresh(), 0, 3),
      () => init.normal_(fresh(), 0, { std: 3 }),
    ),
  'init.constant_': () => [init.constant_(fresh(), 3), init.constant_(fresh(), { val: 3 })],
  'init.kaimingUniform_': () =>
    pairOf(
      () => init.kaimingUniform_(fresh(), 0, 'fan_out', 'relu'),
      () => init.kaimingUniform_(fresh(), 0, { mode: 'fan_out', nonlinearity: 'relu' }),
    ),
  'init.truncNormal_': () =>
    pairOf(
      () => init.truncNormal_(fresh(), 0, 2, -1, 1),
      () => init.truncNormal_(fresh(), 0, 2, { a: -1, b: 1 }),
    ),
  grad: () => {
    const gradOutputs = torch.tensor([3, 5]);
    return [
      ...torch.autograd.grad(leaf.square(), leaf, gradOutputs),
      ...torch.autograd.grad({ outputs: leaf.square(), inputs: leaf, gradOutputs }),
    ];
  },
  vjp: () => {
    const { vjp } = torch.autograd.functional;
    const f = (y: torch.Tensor) => y.square();
    return [vjp(f, weights, weights)[1], vjp(f, weights, { v: weights })[1]];
  },
  getTotalNorm: () => [
    torch.nn.utils.getTotalNorm([x], 1),
    torch.nn.utils.getTotalNorm([x], { normType: 1 }),
  ],
};

const { nn, linalg } = torch;
const square = torch.tensor([
  [0.5, 0.25],
  [0.125, 0.75],
]);
const repeated = torch.tensor([2n, 1n, 2n, 2n]);
/** Rows that are too long are shortened in place. */
const table = () => torch.arange(8).reshape(4, 2).float();
/** One argument by position and the next by name: by position, so, and all by name. */
const behind: { readonly [what: string]: () => readonly unknown[] } = {
  hardtanh: () => [
    F.hardtanh(x, 2, 5),
    F.hardtanh(x, 2, { maxVal: 5 }),
    F.hardtanh(x, { minVal: 2, maxVal: 5 }),
  ],
  softplus: () => [
    F.softplus(x, 2, 3),
    F.softplus(x, 2, { threshold: 3 }),
    F.softplus(x, { beta: 2, threshold: 3 }),
  ],
  leakyRelu: () => [F.leakyRelu(x.neg(), 0.5, true), F.leakyRelu(x.neg(), 0.5, { inplace: true })],
  rrelu: () => [F.rrelu(x.neg(), 0.1, 0.3), F.rrelu(x.neg(), 0.1, { upper: 0.3 })],
  threshold: () => [
    F.threshold(x, 3, -1),
    F.threshold(x, 3, { value: -1 }),
    F.threshold(x, { threshold: 3, value: -1 }),
  ],
  normalize: () => [F.normalize(x, 1, 0), F.normalize(x, 1, { dim: 0 }), F.normalize(x, { p: 1, dim: 0 })],
  rmsNorm: () => [
    F.rmsNorm(x, [4], null, 1),
    F.rmsNorm(x, [4], null, { eps: 1 }),
    F.rmsNorm(x, { normalizedShape: [4], eps: 1 }),
  ],
  localResponseNorm: () => [
    F.localResponseNorm(image, 2, 0.5, 1),
    F.localResponseNorm(image, 2, 0.5, { beta: 1 }),
    F.localResponseNorm(image, { size: 2, alpha: 0.5, beta: 1 }),
  ],
  embedding: () => [
    F.embedding(target, table(), null, 1, 1),
    F.embedding(target, table(), null, 1, { normType: 1 }),
    F.embedding(target, table(), { maxNorm: 1, normType: 1 }),
  ],
  gumbelSoftmax: () =>
    [
      F.gumbelSoftmax(x, 0.5, { hard: true, dim: 0 }),
      F.gumbelSoftmax(x, { tau: 0.5, hard: true, dim: 0 }),
    ].map((y) => y.sum(0)),
  softmax: () => [
    x.softmax(1, 'float64'),
    x.softmax(1, { dtype: 'float64' }),
    F.softmax(x, { dim: 1, dtype: 'float64' }),
  ],
  norm: () => [
    x.norm(1, 0, true, 'float64'),
    x.norm(1, 0, { keepdim: true, dtype: 'float64' }),
    x.norm({ p: 1, dim: 0, keepdim: true, dtype: 'float64' }),
  ],
  matrixNorm: () => [
    linalg.matrixNorm(x, 1, [0, 1], true),
    linalg.matrixNorm(x, 1, { keepdim: true, dim: [0, 1] }),
  ],
  'linalg.norm': () => [linalg.norm(x, 1, 0, true), linalg.norm(x, 1, { dim: 0, keepdim: true })],
  dist: () => [x.dist(x.sin(), 1), x.dist(x.sin(), { p: 1 }), torch.dist(x, x.sin(), { p: 1 })],
  logit: () => [square.logit(0.3), square.logit({ eps: 0.3 }), torch.logit(square, { eps: 0.3 })],
  quantile: () => [
    x.quantile(0.3, 0, true),
    x.quantile(0.3, 0, { keepdim: true }),
    x.quantile({ q: 0.3, dim: 0, keepdim: true }),
  ],
  diff: () => [x.diff(1, 0, x), x.diff(1, 0, { prepend: x }), x.diff({ dim: 0, prepend: x })],
  unique: () =>
    [
      repeated.unique(true, false, true),
      repeated.unique(true, { returnCounts: true }),
      repeated.unique({ returnCounts: true }),
    ].map((found) => (found as torch.Tensor[])[1]),
  uniqueConsecutive: () =>
    [
      repeated.uniqueConsecutive(false, true),
      repeated.uniqueConsecutive(false, { returnCounts: true }),
      repeated.uniqueConsecutive({ returnCounts: true }),
    ].map((found) => (found as torch.Tensor[])[1]),
  bincount: () => [
    repeated.bincount(null, 5),
    repeated.bincount(null, { minlength: 5 }),
    repeated.bincount({ minlength: 5 }),
  ],
  histc: () => [x.histc(4, 1, 9), x.histc(4, { min: 1, max: 9 }), x.histc({ bins: 4, min: 1, max: 9 })],
  diagEmbed: () => [
    x.diagEmbed(1, 0, 2),
    x.diagEmbed(1, { dim1: 0, dim2: 2 }),
    x.diagEmbed({ offset: 1, dim1: 0, dim2: 2 }),
  ],
  diagonal: () => [
    x.diagonal(1, 1, 0),
    x.diagonal(1, { dim1: 1, dim2: 0 }),
    torch.diagonal(x, { offset: 1, dim1: 1, dim2: 0 }),
  ],
  nanToNum: () => [
    x.log().nanToNum(0, null, 5),
    x.log().nanToNum(0, { neginf: 5 }),
    x.log().nanToNum({ neginf: 5 }),
  ],
  isclose: () => [
    x.isclose(x.add(1), 0, 1),
    x.isclose(x.add(1), 0, { atol: 1 }),
    x.isclose(x.add(1), { rtol: 0, atol: 1 }),
  ],
  clamp: () => [x.clamp(2, 5), x.clamp(2, { max: 5 }), x.clamp({ min: 2, max: 5 })],
  flatten: () => [
    image.flatten(1, 2),
    image.flatten(1, { endDim: 2 }),
    torch.flatten(image, { startDim: 1, endDim: 2 }),
  ],
  var: () => [
    x.var(0, false, true),
    x.var(0, false, { keepdim: true }),
    x.var({ dim: 0, unbiased: false, keepdim: true }),
  ],
  sort: () =>
    [x.sort(0, true), x.sort(0, { descending: true }), torch.sort(x, { dim: 0, descending: true })].map(
      ({ values }) => values,
    ),
  mode: () =>
    [x.mode(0, true), x.mode(0, { keepdim: true }), torch.mode(x, { dim: 0, keepdim: true })].map(
      ({ values }) => values,
    ),
  roll: () => [x.roll(1, 0), x.roll(1, { dims: 0 }), torch.roll(x, { shifts: 1, dims: 0 })],
  rot90: () => [x.rot90(1, [1, 0]), x.rot90(1, { dims: [1, 0] }), torch.rot90(x, { k: 1, dims: [1, 0] })],
  combinations: () => [
    torch.combinations(weights, 2, true),
    torch.combinations(weights, 2, { withReplacement: true }),
    torch.combinations(weights, { r: 2, withReplacement: true }),
  ],
  Hardtanh: () => [new nn.Hardtanh(2, 5), new nn.Hardtanh(2, { maxVal: 5 })].map((layer) => layer.forward(x)),
  Softplus: () =>
    [new nn.Softplus(2, 3), new nn.Softplus(2, { threshold: 3 })].map((layer) => layer.forward(x)),
  RReLU: () =>
    [new nn.RReLU(0.1, 0.3), new nn.RReLU(0.1, { upper: 0.3 })].map((layer) => layer.eval().forward(x.neg())),
  Flatten: () =>
    [new nn.Flatten(1, 2), new nn.Flatten(1, { endDim: 2 })].map((layer) => layer.forward(image)),
  PReLU: () => [new nn.PReLU(4, 0.5), new nn.PReLU(4, { init: 0.5 })].map((layer) => layer.forward(x.neg())),
  AdaptiveMaxPool2d: () => [
    new nn.AdaptiveMaxPool2d(2, true).forward(image)[1],
    new nn.AdaptiveMaxPool2d(2, { returnIndices: true }).forward(image)[1],
    new nn.AdaptiveMaxPool2d({ outputSize: 2, returnIndices: true }).forward(image)[1],
  ],
};

describe('arguments by name behind those by position', () => {
  it.each(Object.keys(behind))('%s', (what) => {
    const [expected, ...others] = behind[what]() as torch.Tensor[];
    expect(others.length).toBeGreaterThan(0);
    for (const each of others) {
      expect(each.dtype).toBe(expected.dtype);
      expect(each.shape).toEqual(expected.shape);
      expect(each.tolist()).toEqual(expected.tolist());
    }
  });

  it('are refused where they came by position too', () => {
    for (const call of [
      () => F.hardtanh(x, 2, { minVal: 1 }),
      () => new nn.Hardtanh(2, { minVal: 1 }),
      () => x.sort(0, { dim: 1 }),
    ])
      expect(call).toThrow('got multiple values for argument');
  });
});

describe('arguments by name of what makes and draws tensors', () => {
  it.each(Object.keys(others))('%s', (what) => {
    const [byPosition, byName] = others[what]();
    expect(byName.dtype).toBe(byPosition.dtype);
    expect(byName.shape).toEqual(byPosition.shape);
    expect(byName.tolist()).toEqual(byPosition.tolist());
  });

  it('are no shapes, which other libraries take there', () => {
    // @ts-expect-error options are an object
    expect(() => torch.tensor([1, 2, 3, 4], [2, 2])).toThrow(
      /tensor: argument 'options' .*shapes come by reshape/,
    );
  });
  it('bound gradients', () => {
    const clipped = (clip: (p: torch.Tensor) => void) => {
      const p = torch.ones(2, { requiresGrad: true });
      p.mul(torch.tensor([3, 4]))
        .sum()
        .backward();
      clip(p);
      return (p.grad as torch.Tensor).tolist();
    };
    const { clipGradNorm_, clipGradValue_ } = torch.nn.utils;
    for (const clip of [
      (p: torch.Tensor) => clipGradNorm_([p], { maxNorm: 1, normType: 1 }),
      (p: torch.Tensor) => clipGradNorm_([p], 1, { normType: 1, errorIfNonfinite: true }),
    ])
      expect(clipped(clip)).toEqual(clipped((p) => clipGradNorm_([p], 1, 1)));
    expect(clipped((p) => clipGradValue_([p], { clipValue: 3.5 }))).toEqual([3, 3.5]);
    expect(() => clipGradNorm_([leaf], {} as never)).toThrow(
      "clip_grad_norm_: argument 'maxNorm' must be given, but got nothing",
    );
  });

  it('that say nothing here are taken all the same', () => {
    expect(x.to('cpu', { nonBlocking: true }).tolist()).toEqual(x.tolist());
    expect(() => x.to('cpu', { non_blocking: true } as never)).toThrow('write nonBlocking');
  });

  it('are refused where they came by position too', () => {
    expect(() => torch.zeros(2, { size: [3] } as never)).toThrow(
      "zeros: got multiple values for argument 'size': by position and by name",
    );
    expect(() => torch.autograd.backward({ tensors: [leaf], outputs: leaf } as never)).toThrow(
      "got an unexpected option 'outputs'; it has gradTensors, retainGraph, createGraph, inputs",
    );
  });
});

describe('arguments by name', () => {
  it.each(Object.keys(pairs))('%s', (what) => {
    const [byPosition, byName] = pairs[what]() as [torch.Tensor, torch.Tensor];
    expect(byName.shape).toEqual(byPosition.shape);
    expect(byName.tolist()).toEqual(byPosition.tolist());
  });

  it('in methods too, where JavaScript calls them so', () => {
    const gather = x.gather as unknown as (options: object) => torch.Tensor;
    expect(gather.call(x, { dim: 1, index }).tolist()).toEqual(x.gather(1, index).tolist());
  });

  it('says which is missing, and which came twice', () => {
    const gather = torch.gather as unknown as (...args: unknown[]) => torch.Tensor;
    expect(() => gather(x, { dim: 1 })).toThrow("gather: argument 'index' must be given, but got nothing");
    expect(() => gather(x, 1, { dim: 1, index })).toThrow(
      "gather: got multiple values for argument 'dim': by position and by name",
    );
    expect(() => (torch.where as unknown as (...args: unknown[]) => unknown)(x.gt(1), x)).toThrow(
      "where: argument 'other' must be a Tensor or a number, but got nothing",
    );
  });
});

describe('objects without a prototype', () => {
  it('are options, too', () => {
    const options = Object.assign(Object.create(null), { dim: 1, keepdim: true });
    expect(x.sum(options).shape).toEqual([3, 1]);
    expect(torch.gather(x, Object.assign(Object.create(null), { dim: 1, index })).shape).toEqual([3, 2]);
  });
});
