/**
 * What editors and compilers know of the public surface. Nothing here runs: `npm run check` compiles it against the
 * sources, test/unit/package.test.ts against the installed package, and each `@ts-expect-error` must be one.
 */
import * as torch from 'wasmgrad';
import { data, distributions, nn, optim, type Tensor } from 'wasmgrad';
import { Normal } from 'wasmgrad/distributions';

const F = nn.functional;

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Compiles only if the value has exactly the type that is asked for. */
const is =
  <Expected>() =>
  <Actual>(_: Actual, ..._proof: Same<Actual, Expected> extends true ? [] : [never]) => {};
const isTensor = is<Tensor>();

export function overloads(x: Tensor, y: Tensor): void {
  isTensor(x.max());
  isTensor(x.max(y));
  isTensor(torch.max(x));
  const { values, indices } = x.max(1);
  isTensor(values);
  isTensor(indices);
  const [best, where] = torch.max(x, { dim: 1, keepdim: true });
  isTensor(best);
  isTensor(where);
  isTensor(x.median());
  isTensor(x.median(0).values);
  isTensor(x.sort(0, true).indices);
  isTensor(x.topk(3, { dim: 0, largest: false }).values);
  isTensor(torch.where(x, y, 0));
  is<Tensor[]>()(torch.where(x));
  isTensor(x.nonzero());
  is<Tensor[]>()(x.nonzero({ asTuple: true }));
  isTensor(x.unique());
  is<Tensor[]>()(x.split([1, 2], 1));
  is<[Tensor, Tensor]>()(torch.varMean(x, 1));
  is<boolean>()(torch.equal(x, y));
  is<readonly number[]>()(x.size());
  is<number>()(x.size(0));
  // @ts-expect-error a dimension is a number
  x.max('rows');
  // @ts-expect-error the first of the pair is called values
  x.max(1).value;
}

export function optionsBehindArguments(x: Tensor): void {
  isTensor(F.hardtanh(x, -2, { maxVal: 2 }));
  isTensor(F.threshold(x, 0, { value: 1 }));
  isTensor(F.dropout(x, 0.5, { training: false }));
  isTensor(F.embedding(x, x, null, { maxNorm: 1 }));
  isTensor(F.localResponseNorm(x, { size: 2, alpha: 1 }));
  isTensor(torch.where(x, { input: x, other: 0 }));
  isTensor(x.softmax(1, 'float64'));
  isTensor(x.norm(2, { dim: 0 }));
  isTensor(x.quantile(0.5, 0, { interpolation: 'lower' }));
  isTensor(x.diff(1, { prepend: x }));
  isTensor(x.sort(0, { descending: true }).values);
  isTensor(torch.topk(x, 2, 1, { largest: false }).values);
  isTensor(torch.isclose(x, x, 0, { atol: 1 }));
  is<nn.Hardtanh>()(new nn.Hardtanh(-2, { maxVal: 2 }));
  is<nn.Flatten>()(new nn.Flatten(1, { endDim: 2 }));
  isTensor(new nn.AdaptiveMaxPool1d({ outputSize: 2 }).forward(x));
  // @ts-expect-error an option of topk
  x.sum({ largest: true });
  // @ts-expect-error an option of SGD
  new nn.Linear(2, 3, { nesterov: true });
  // @ts-expect-error an option of leakyRelu
  F.hardtanh(x, -2, { negativeSlope: 1 });
  // @ts-expect-error an option of sum
  x.sort(0, { keepdim: true });
  // @ts-expect-error a module without options
  new nn.Sigmoid({ inplace: true });
}

export function reading(x: Tensor): void {
  is<number>()(x.item());
  is<torch.DType>()(x.dtype);
  is<torch.TypedArray>()(x.data);
  is<Promise<torch.TypedArray>>()(x.read());
  is<torch.NestedNumbers>()(x.toArray());
  is<Tensor | null>()(x.grad);
  isTensor(x.float().to('int64').to({ dtype: 'float64', device: 'cpu' }));
  is<torch.DType>()(torch.promoteTypes('int32', 'float32'));
  // @ts-expect-error there is no such dtype
  x.to({ dtype: 'float128' });
  // @ts-expect-error operands are tensors and plain values
  x.add([1, 2]);
}

export function makers(): void {
  isTensor(torch.zeros(2, 3));
  isTensor(torch.zeros([2, 3], { dtype: 'int64' }));
  isTensor(torch.ones(2, 3, { requiresGrad: true }));
  isTensor(
    torch.tensor(
      [
        [1, 2],
        [3, 4],
      ],
      { dtype: 'float64' },
    ),
  );
  isTensor(torch.tensor(new Int32Array(4)));
  isTensor(torch.arange(0, 10, 2, { device: 'cpu' }));
  isTensor(torch.randint(0, 5, [2]));
  // @ts-expect-error sizes are numbers
  torch.zeros('2', 3);
  // @ts-expect-error the option is called requiresGrad
  torch.zeros(2, { requires_grad: true });
}

export function namedArguments(x: Tensor, y: Tensor): void {
  isTensor(x.sum(1, true));
  isTensor(x.sum({ dim: [0, 1], keepdim: true, dtype: 'float64' }));
  isTensor(x.std({ dim: 0, unbiased: false }));
  isTensor(F.crossEntropy(x, y, { labelSmoothing: 0.1, reduction: 'sum' }));
  isTensor(F.conv2d(x, y, null, 2, 1));
  isTensor(F.conv2d(x, y, { stride: 2, padding: 'valid' }));
  isTensor(x.addmm(x, y, { beta: 0.5 }));
  isTensor(x.index(0, torch.slice(1, 3), '...', null, y));
  // @ts-expect-error the name is dim
  x.sum({ dims: 1 });
  // @ts-expect-error not a reduction
  F.mseLoss(x, y, { reduction: 'average' });
  // @ts-expect-error the target is missing
  F.crossEntropy(x);
  // @ts-expect-error not a padding
  F.conv2d(x, y, { padding: 'full' });
}

class Network extends nn.Module {
  readonly hidden: nn.Linear;
  readonly out = new nn.Linear(8, 2, { bias: false });
  readonly scale: nn.Parameter;
  constructor(inputs: number) {
    super();
    this.hidden = new nn.Linear(inputs, 8);
    this.scale = new nn.Parameter(torch.ones(1));
  }
  override forward(x: Tensor): Tensor {
    return this.out.forward(F.relu(this.hidden.forward(x))).mul(this.scale);
  }
}

export function training(x: Tensor): void {
  const model = new Network(4);
  isTensor(model.forward(x));
  isTensor(model.hidden.weight);
  is<Network>()(model.train());
  is<Network>()(model.eval());
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
  optimizer.zeroGrad();
  optimizer.step();
  new optim.Adam([{ params: model.hidden.parameters(), lr: 0.01 }, { params: [model.scale] }], { lr: 0.1 });
  new optim.lrScheduler.StepLR(optimizer, { stepSize: 3 }).step();
  for (const parameter of model.parameters()) is<boolean>()(parameter.requiresGrad);
  for (const [name, parameter] of model.namedParameters()) {
    is<string>()(name);
    is<number>()(parameter.ndim);
  }
  is<number>()(torch.noGrad(() => 5));
  const loader = new data.DataLoader(new data.TensorDataset(x, x), { batchSize: 2, shuffle: true });
  const pairs = new data.TensorDataset(x, x);
  type Part = data.Subset<[Tensor, Tensor]>;
  is<[Part, Part]>()(data.randomSplit(pairs, [2, 1]));
  is<[Part, Part]>()(data.randomSplit(pairs, [0.5, 0.5], { generator: torch.defaultGenerator }));
  const lengths: number[] = [2, 1];
  is<Part[]>()(data.randomSplit(pairs, lengths));
  is<Part[]>()(data.randomSplit<[Tensor, Tensor]>(pairs, [2, 1]));
  for (const [inputs, labels] of loader) {
    isTensor(inputs);
    isTensor(labels);
  }
  class Lines extends data.IterableDataset<[Tensor, number]> {
    override *[Symbol.iterator]() {
      yield [x, 1] as [Tensor, number];
    }
  }
  for (const [inputs, labels] of new data.DataLoader(new Lines(), 4)) {
    isTensor(inputs);
    isTensor(labels);
  }
  for (const rows of new data.DataLoader(x, { batchSize: 4, shuffle: true })) isTensor(rows);
  for (const numbers of new data.DataLoader(new Float32Array(3))) isTensor(numbers);
  const [output, [h, c]] = new nn.LSTM(3, 4).forward(x);
  isTensor(output);
  isTensor(h);
  isTensor(c);
  // @ts-expect-error the number of outputs is missing
  new nn.Linear(3);
  // @ts-expect-error the option is called lr
  new optim.SGD(model.parameters(), { learningRate: 0.1 });
  // @ts-expect-error a module is called through forward
  model(x);
}

class Stack extends nn.Module {
  readonly layers = new nn.ModuleList([new nn.Linear(2, 2), new nn.Linear(2, 2)]);
  readonly mixed = new nn.ModuleList([new nn.Linear(2, 2), new nn.ReLU()]);
  readonly named = new nn.ModuleDict({ first: new nn.Linear(2, 2), last: new nn.ReLU() });
  readonly grown: nn.ModuleList = new nn.ModuleList();
  readonly empty = new nn.ModuleList([]);
  readonly typed = new nn.ModuleList<nn.Linear>();
  constructor() {
    super();
    this.grown.append(new nn.Linear(2, 2)).append(new nn.ReLU());
    this.empty.append(new nn.Linear(2, 2));
    this.typed.append(new nn.Linear(2, 2));
  }
  forward(x: Tensor): Tensor {
    for (const layer of this.layers) x = layer.forward(x);
    for (const layer of this.mixed) x = layer.forward(x);
    for (const layer of this.grown) x = layer.forward(x);
    for (const layer of this.typed) isTensor(layer.weight);
    for (const [, layer] of this.named.items()) x = layer.forward(x);
    return this.named.get('last').forward(this.layers[0].forward(x));
  }
}

class Pair extends nn.Module {
  forward(x: Tensor, y: Tensor, options: { scale?: number } = {}): [Tensor, Tensor] {
    return [x.mul(options.scale ?? 1), y];
  }
}

export function anyModule(x: Tensor, model: nn.Module, loss: (y: Tensor) => Tensor): void {
  loss(model.forward(x)).backward();
  const modules: nn.Module[] = [new nn.Linear(1, 1), new nn.LSTM(1, 1), new Stack(), new Pair()];
  for (const module of modules) module.forward(x, x);
  anyModule(x, new nn.Sequential(...modules), loss);
  anyModule(x, new Stack(), loss);
  const lists: nn.ModuleList = new Stack().layers;
  for (const layer of lists) loss(layer.forward(x));
  new Pair().registerForwardHook((_module, [first], [output]) => {
    isTensor(first);
    isTensor(output);
  });
  // @ts-expect-error a layer's own signature stays what it says
  new nn.Linear(1, 1).forward('x');
  // @ts-expect-error only modules
  new nn.ModuleList([x]);
}

class Warmup extends optim.lrScheduler.LRScheduler {
  readonly steps: number;
  constructor(optimizer: optim.Optimizer, steps: number) {
    super(optimizer);
    this.steps = steps;
    this.start();
  }
  override getLr(): number[] {
    return this.baseLrs.map((lr) => lr * Math.min(1, (this.lastEpoch + 1) / this.steps));
  }
}

class Reversed extends data.Sampler {
  readonly source: data.Sized;
  constructor(source: data.Sized) {
    super();
    this.source = source;
  }
  get length(): number {
    return this.source.length;
  }
  *[Symbol.iterator](): Iterator<number> {
    for (let i = this.length - 1; i >= 0; i--) yield i;
  }
}

class Signs extends optim.Optimizer<{ lr: number }> {
  constructor(params: Iterable<Tensor>, lr: number) {
    super(params, { lr });
  }
  override stepGroup({ params, lr }: optim.ParamGroup<{ lr: number }>): void {
    for (const p of params) if (p.grad) p.sub_(p.grad.sign().mul(lr));
  }
}

class Doubled extends torch.autograd.Function {
  static forward(x: Tensor): Tensor {
    return x.mul(2);
  }
  static setupContext(ctx: torch.autograd.FunctionContext, [x]: [x: Tensor], _output: Tensor): void {
    ctx.saveForBackward(x);
  }
  static backward(_ctx: torch.autograd.FunctionContext, grad: Tensor): Tensor {
    return grad.mul(2);
  }
}

export function subclasses(x: Tensor): void {
  const optimizer = new Signs([x], 0.1);
  new Warmup(optimizer, 4).step();
  const sampler: data.Sampler = new Reversed({ length: 3 });
  new data.DataLoader(new data.TensorDataset(x), { sampler });
  isTensor(Doubled.apply(x));
  isTensor(torch.checkpoint(new nn.Linear(1, 1), x));
  isTensor(torch.autograd.functional.jacobian(new nn.Linear(1, 1), x));
  is<boolean>()(torch.autograd.gradcheck(new nn.Linear(1, 1), x));
  isTensor(x.to('cpu', { nonBlocking: true }));
}

export function byName(x: Tensor, index: Tensor): void {
  isTensor(torch.gather(x, { dim: 1, index }));
  isTensor(x.gather({ dim: 1, index }));
  isTensor(x.scatter({ dim: 1, index, value: 2, reduce: 'add' }));
  isTensor(x.transpose({ dim0: 0, dim1: 1 }));
  isTensor(x.narrow({ dim: 0, start: 0, length: 1 }));
  // @ts-expect-error: 'index' is missing
  x.gather({ dim: 1 });
  isTensor(torch.topk(x, 2, { largest: false }).values);
  isTensor(torch.split(x, { splitSize: 2, dim: 0 })[0]);
  isTensor(torch.linspace(0, { end: 1, steps: 5 }));
  isTensor(nn.functional.crossEntropy(x, { target: index, labelSmoothing: 0.1 }));
  isTensor(nn.functional.pad(x, { pad: [1, 1], value: 3 }));
  // @ts-expect-error the index is missing
  torch.gather(x, { dim: 1 });
}

export function derivatives(x: Tensor): void {
  is<void>()(x.sum().backward());
  is<void>()(x.sum().backward({ retainGraph: true }));
  is<void>()(x.backward(x, true, { createGraph: true }));
  is<void>()(torch.autograd.backward([x], { gradTensors: [x] }));
  isTensor(torch.autograd.grad(x, x, [x], true)[0]);
  const unused: Tensor | null = torch.autograd.grad(x, [x], { allowUnused: true })[0];
  is<Tensor | null>()(unused);
  const grads = torch.autograd.grad(x.sum(), [x]);
  is<number>()(grads.length);
  isTensor(torch.autograd.functional.hessian((v: Tensor) => v.square().sum(), x));
  is<string>()(torch.graph(x).toDOT());
}

export function decompositions(a: Tensor, b: Tensor): void {
  const { linalg } = torch;
  const { U, S, Vh } = linalg.svd(a, { fullMatrices: false });
  const [q, r] = linalg.qr(a, 'reduced');
  for (const x of [U, S, Vh, q, r, linalg.eigh(a, 'U').eigenvalues, linalg.slogdet(a).logabsdet]) isTensor(x);
  isTensor(linalg.solve(a, b, { left: false }));
  isTensor(linalg.lstsq(a, b).solution);
  // @ts-expect-error which triangle is missing
  linalg.solveTriangular(a, b);
}

export function random(x: Tensor): void {
  const { Bernoulli, Categorical, Independent, klDivergence, MultivariateNormal, registerKl } = distributions;
  const latent = new Normal(x, 1, { validateArgs: false });
  isTensor(latent.rsample([2]));
  isTensor(latent.sample({ sampleShape: [2] }).add(latent.mean));
  isTensor(new Normal({ loc: 0, scale: x }).logProb(x));
  is<Normal>()(latent.expand([2, 3]));
  is<distributions.Independent<Normal>>()(new Independent(latent, 1));
  isTensor(new Independent(latent, 1).baseDist.scale);
  isTensor(new Categorical({ logits: x }).sample());
  isTensor(new Bernoulli(null, 0.5).enumerateSupport({ expand: false }));
  isTensor(new MultivariateNormal(x, { scaleTril: x }).covarianceMatrix);
  isTensor(klDivergence(latent, new Normal(0, 1)));
  registerKl(Normal, Bernoulli)((p, q) => p.scale.add(q.logits));
  is<readonly number[]>()(latent.batchShape);
  isTensor(new nn.CosineSimilarity(1).forward(x, x).add(new nn.PairwiseDistance({ p: 1 }).forward(x, x)));
  // @ts-expect-error the scale is missing
  new Normal(0);
  // @ts-expect-error categories have a vector of probabilities
  new Categorical(0.5);
  // @ts-expect-error values are tensors
  latent.logProb(0.5);
}

export function bagsAndGrids(x: Tensor, index: Tensor, layer: nn.Linear): void {
  isTensor(F.gridSample(x, x, 'bicubic', 'border', true));
  isTensor(F.gridSample(x, { grid: x, paddingMode: 'reflection' }));
  // @ts-expect-error there is no such padding
  F.gridSample(x, x, { paddingMode: 'circular' });
  isTensor(F.affineGrid(x, [1, 1, 2, 2], { alignCorners: false }));
  isTensor(F.embeddingBag(index, x, { offsets: index, mode: 'max' }));
  isTensor(new nn.EmbeddingBag(3, 2, { mode: 'sum' }).forward(index, null, x));
  isTensor(F.ctcLoss(x, index, [3], index, { zeroInfinity: true }));
  isTensor(new nn.CTCLoss({ blank: 1 }).forward(x, index, 3, [2]));
  isTensor(new nn.AdaptiveLogSoftmaxWithLoss(8, 10, [3], { divValue: 2 }).forward(x, index).loss);
  isTensor(new nn.LazyLinear(3, { bias: false }).forward(x));
  isTensor(new nn.LazyConv2d({ outChannels: 4, kernelSize: 3, stride: 2 }).forward(x));
  isTensor(new nn.LazyConvTranspose2d(4, 3, { outputPadding: 1 }).forward(x, [4, 4]));
  isTensor(new nn.LazyBatchNorm2d(1e-3, { momentum: null }).forward(x));
  is<boolean>()(new nn.LazyInstanceNorm1d({ affine: false }).hasUninitializedParams());
  is<nn.UninitializedParameter>()(new nn.UninitializedParameter({ dtype: 'float64' }));
  is<nn.Linear>()(nn.utils.parametrizations.spectralNorm(layer, { nPowerIterations: 2 }));
  is<nn.Linear>()(nn.utils.removeWeightNorm(nn.utils.weightNorm(layer, 'weight', null)));
  is<nn.Linear>()(nn.utils.parametrize.registerParametrization(layer, 'weight', new nn.Identity()));
  isTensor(new distributions.Beta({ concentration1: 1, concentration0: x }).rsample([2]));
  isTensor(new distributions.StudentT(3, { scale: x }).entropy());
  isTensor(new distributions.Binomial(3, null, x).mean);
  isTensor(new distributions.Pareto(1, { alpha: x }).rsample([2]));
  isTensor(new distributions.GeneralizedPareto({ loc: 0, scale: x, concentration: 1 }).logCdf(x));
  isTensor(new distributions.ContinuousBernoulli(null, x, [0.49, 0.51]).mean);
  isTensor(new distributions.RelaxedOneHotCategorical({ temperature: 0.5, logits: x }).temperature);
  isTensor(new distributions.LowRankMultivariateNormal(x, { covFactor: x, covDiag: x }).scaleTril);
  isTensor(new distributions.LKJCholesky(3, 2, { validateArgs: false }).sample());
  isTensor(new distributions.Wishart({ df: 3, scaleTril: x }).covarianceMatrix);
  const { CatTransform, ReshapeTransform } = distributions;
  is<distributions.Transform>()(new CatTransform([new ReshapeTransform([4], [2, 2])], { lengths: [2] }).inv);
  // @ts-expect-error a rate is needed
  new distributions.Gamma(1);
}
