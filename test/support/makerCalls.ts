/** Valid positional arguments for whatever takes options but no tensor alone: classes, initializers, gradients and the like. */
import * as torch from '../../src/index.ts';
import { autograd, data, distributions, nn, optim } from '../../src/index.ts';

const { lrScheduler } = optim;
const f = (...shape: number[]) => torch.ones(shape).mul(0.5);
const leaf = () => torch.ones(2, 2, { requiresGrad: true });
const stepper = () => new optim.SGD([leaf()], { lr: 1, momentum: 0.5 });

/** A call for each public class or function of a namespace: its arguments by position, without options. */
export type Calls = { readonly [name: string]: () => unknown[] };

const each = (names: string, args: () => unknown[]): Calls =>
  Object.fromEntries(names.split(' ').map((name) => [name, args]));

export const modules: Calls = {
  ...each(
    'ReLU ReLU6 ELU CELU SELU GELU Hardsigmoid Hardswish Hardtanh LeakyReLU LogSigmoid Mish PReLU SiLU Sigmoid Softplus ' +
      'Softshrink Hardshrink Softsign Tanh Tanhshrink RReLU GLU Softmax LogSoftmax Softmin Softmax2d Dropout Dropout1d ' +
      'Dropout2d Dropout3d AlphaDropout FeatureAlphaDropout Flatten Identity CosineSimilarity PairwiseDistance Sequential ' +
      'ModuleList ModuleDict ParameterList ParameterDict Module Upsample UpsamplingNearest2d UpsamplingBilinear2d',
    () => [],
  ),
  ...each(
    'L1Loss MSELoss SmoothL1Loss HuberLoss CrossEntropyLoss NLLLoss BCELoss BCEWithLogitsLoss KLDivLoss PoissonNLLLoss ' +
      'GaussianNLLLoss HingeEmbeddingLoss MarginRankingLoss CosineEmbeddingLoss TripletMarginLoss SoftMarginLoss ' +
      'TripletMarginWithDistanceLoss MultiLabelSoftMarginLoss MultiMarginLoss MultiLabelMarginLoss CTCLoss',
    () => [],
  ),
  Threshold: () => [0, 1],
  Linear: () => [2, 3],
  Bilinear: () => [2, 3, 4],
  ...each('Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d', () => [1, 1, 2]),
  ...each('MaxPool1d MaxPool2d MaxPool3d AvgPool1d AvgPool2d AvgPool3d', () => [2]),
  ...each('MaxUnpool1d MaxUnpool2d MaxUnpool3d', () => [2]),
  ...each('AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d', () => [2]),
  ...each('AdaptiveMaxPool1d AdaptiveMaxPool2d AdaptiveMaxPool3d', () => [2]),
  ...each('LPPool1d LPPool2d LPPool3d', () => [2, 2]),
  ...each('BatchNorm1d BatchNorm2d BatchNorm3d InstanceNorm1d InstanceNorm2d InstanceNorm3d', () => [2]),
  LazyLinear: () => [3],
  ...each(
    'LazyConv1d LazyConv2d LazyConv3d LazyConvTranspose1d LazyConvTranspose2d LazyConvTranspose3d',
    () => [1, 2],
  ),
  ...each('LazyBatchNorm1d LazyBatchNorm2d LazyBatchNorm3d', () => []),
  ...each('LazyInstanceNorm1d LazyInstanceNorm2d LazyInstanceNorm3d', () => []),
  ...each('LayerNorm RMSNorm', () => [[2]]),
  GroupNorm: () => [2, 4],
  LocalResponseNorm: () => [2],
  ...each('Embedding EmbeddingBag', () => [4, 2]),
  AdaptiveLogSoftmaxWithLoss: () => [4, 6, [2]],
  ...each('RNN LSTM GRU RNNCell LSTMCell GRUCell', () => [2, 3]),
  MultiheadAttention: () => [4, 2],
  Transformer: () => [4, 2, 1, 1, 8],
  ...each('TransformerEncoderLayer TransformerDecoderLayer', () => [4, 2, 8]),
  TransformerEncoder: () => [new nn.TransformerEncoderLayer(4, 2, 8), 1],
  TransformerDecoder: () => [new nn.TransformerDecoderLayer(4, 2, 8), 1],
  ...each('PixelShuffle PixelUnshuffle ChannelShuffle', () => [2]),
  Unfold: () => [2],
  Fold: () => [[3, 3], 2],
  Unflatten: () => [1, [1, 2]],
  ...each('ConstantPad1d ConstantPad2d ConstantPad3d', () => [1, 0]),
  ...each('ZeroPad1d ZeroPad2d ZeroPad3d ReflectionPad1d ReflectionPad2d ReflectionPad3d', () => [1]),
  ...each('ReplicationPad1d ReplicationPad2d ReplicationPad3d', () => [1]),
  ...each('CircularPad1d CircularPad2d CircularPad3d', () => [1]),
  ...each('Parameter Buffer', () => [f(2)]),
  ...each('UninitializedParameter UninitializedBuffer', () => []),
};

export const initializers: Calls = {
  ...each(
    'uniform_ normal_ ones_ zeros_ eye_ xavierUniform_ xavierNormal_ kaimingUniform_ kaimingNormal_ truncNormal_ orthogonal_',
    () => [f(2, 2)],
  ),
  constant_: () => [f(2), 3],
  dirac_: () => [f(2, 2, 2)],
  sparse_: () => [f(2, 2), 0.5],
  calculateGain: () => ['leaky_relu'],
};

export const utilities: Calls = {
  clipGradNorm_: () => [[leaf()], 1],
  clipGradsWithNorm_: () => [[leaf()], 1, f(1)],
  clipGradValue_: () => [[leaf()], 1],
  getTotalNorm: () => [[f(2)]],
  parametersToVector: () => [[leaf()]],
  vectorToParameters: () => [f(4), [leaf()]],
  ...each('weightNorm spectralNorm', () => [new nn.Linear(2, 3)]),
  fuseConvBnEval: () => [new nn.Conv1d(1, 2, 1).eval(), new nn.BatchNorm1d(2).eval()],
  fuseLinearBnEval: () => [new nn.Linear(1, 2).eval(), new nn.BatchNorm1d(2).eval()],
  removeWeightNorm: () => [nn.utils.weightNorm(new nn.Linear(2, 3))],
  removeSpectralNorm: () => [nn.utils.spectralNorm(new nn.Linear(2, 3))],
};

export const parametrizations: Calls = each('weightNorm spectralNorm', () => [new nn.Linear(2, 3)]);

export const sequences: Calls = {
  padSequence: () => [[f(2), f(3)]],
  unpadSequence: () => [f(3, 2), torch.tensor([3, 2], { dtype: 'int64' })],
  packSequence: () => [[f(3), f(2)]],
  packPaddedSequence: () => [f(3, 2), [3, 2]],
  padPackedSequence: () => [nn.utils.rnn.packSequence([f(3), f(2)])],
};

export const optimizers: Calls = {
  ...each('SGD Adam AdamW Adamax RAdam NAdam Adagrad Adadelta RMSprop Rprop ASGD Adafactor LBFGS', () => [
    [leaf()],
    0.1,
  ]),
  Muon: () => [[leaf()], 0.1],
};

export const schedules: Calls = {
  ...each('LambdaLR MultiplicativeLR', () => [stepper(), () => 1]),
  ...each('StepLR ConstantLR LinearLR ExponentialLR PolynomialLR', () => [stepper(), 1]),
  ConstantLR: () => [stepper()],
  LinearLR: () => [stepper()],
  ExponentialLR: () => [stepper(), 0.5],
  MultiStepLR: () => [stepper(), [1]],
  ...each('CosineAnnealingLR CosineAnnealingWarmRestarts', () => [stepper(), 5]),
  CyclicLR: () => [stepper(), 0.1, 1],
  OneCycleLR: () => [stepper(), 1, 10],
  SequentialLR: () => {
    const one = stepper();
    return [one, [new lrScheduler.StepLR(one, 1), new lrScheduler.StepLR(one, 1)], [2]];
  },
  ChainedScheduler: () => [[new lrScheduler.StepLR(stepper(), 1)]],
  ReduceLROnPlateau: () => [stepper()],
};

export const averages: Calls = {
  AveragedModel: () => [new nn.Linear(1, 1)],
  SWALR: () => [stepper(), 0.1],
  ...each('getEmaAvgFn getEmaMultiAvgFn', () => [0.9]),
  ...each('getSwaAvgFn getSwaMultiAvgFn', () => []),
  updateBn: () => [[], new nn.Linear(1, 1)],
};

export const loading: Calls = {
  DataLoader: () => [[1, 2, 3]],
  TensorDataset: () => [f(3)],
  StackDataset: () => [f(3), f(3)],
  ConcatDataset: () => [[[1], [2]]],
  ChainDataset: () => [[[1], [2]]],
  Subset: () => [[1, 2], [0]],
  SequentialSampler: () => [[1, 2]],
  RandomSampler: () => [[1, 2]],
  SubsetRandomSampler: () => [[1, 2]],
  WeightedRandomSampler: () => [[1, 2], 2],
  BatchSampler: () => [[1, 2], 2, false],
  randomSplit: () => [
    [1, 2, 3],
    [1, 2],
  ],
};

const p = () => f(2);
export const laws: Calls = {
  ...each('Normal Laplace Gumbel Cauchy LogNormal Uniform Beta Gamma HalfNormal', () => [f(2), f(2).add(1)]),
  ...each('HalfNormal HalfCauchy Exponential Poisson Chi2', () => [p()]),
  ...each('Bernoulli Geometric Categorical OneHotCategorical OneHotCategoricalStraightThrough', () => [p()]),
  ...each('Pareto Weibull InverseGamma Kumaraswamy FisherSnedecor VonMises', () => [f(2), f(2).add(1)]),
  GeneralizedPareto: () => [f(2), f(2), f(2)],
  ContinuousBernoulli: () => [p()],
  ...each('RelaxedBernoulli RelaxedOneHotCategorical', () => [0.5, p()]),
  LogisticNormal: () => [f(2), f(2)],
  LowRankMultivariateNormal: () => [f(2), f(2, 1), f(2)],
  LKJCholesky: () => [2],
  Wishart: () => [3, torch.eye(2)],
  Dirichlet: () => [p()],
  StudentT: () => [p()],
  Binomial: () => [3, p()],
  Multinomial: () => [3, p()],
  NegativeBinomial: () => [3, p()],
  MultivariateNormal: () => [f(2), torch.eye(2)],
  Independent: () => [new distributions.Normal(f(2), f(2)), 1],
  ...each(
    'AbsTransform ExpTransform SigmoidTransform SoftmaxTransform SoftplusTransform StickBreakingTransform TanhTransform',
    () => [],
  ),
  ...each('CorrCholeskyTransform LowerCholeskyTransform PositiveDefiniteTransform', () => []),
  ReshapeTransform: () => [[2], [2, 1]],
  ...each('CatTransform StackTransform', () => [[new distributions.ExpTransform()]]),
  CumulativeDistributionTransform: () => [new distributions.Normal(0, 1)],
  AffineTransform: () => [1, f(2)],
  PowerTransform: () => [2],
  ComposeTransform: () => [[new distributions.ExpTransform()]],
  IndependentTransform: () => [new distributions.ExpTransform(), 1],
  TransformedDistribution: () => [new distributions.Normal(f(2), f(2)), new distributions.ExpTransform()],
  MixtureSameFamily: () => [new distributions.Categorical(p()), new distributions.Normal(f(2), f(2))],
};

export const gradients: Calls = {
  grad: () => {
    const x = leaf();
    return [x.square().sum(), x];
  },
  backward: () => [leaf().sum()],
};

/** Methods that have no row among the ops, with their tensor. */
export const methods: Calls = {
  to: () => [f(2), 'float64'],
  newFull: () => [f(2), [2], 1],
  ...each('newZeros newOnes newEmpty', () => [f(2), [2]]),
  backward: () => [leaf().sum()],
};

/** What looks for NaN, and tests gradients. */
const double = () => torch.ones([2], { dtype: 'float64', requiresGrad: true });
const checks: Calls = {
  ...each('gradcheck gradgradcheck', () => [(x: torch.Tensor) => x.square(), double()]),
  detectAnomaly: () => [() => 1],
  setDetectAnomaly: () => [false],
};
const derivatives: Calls = {
  ...each('jacobian hessian', () => [(x: torch.Tensor) => x.square().sum(), f(2)]),
  ...each('vjp jvp vhp hvp', () => [(x: torch.Tensor) => x.square().sum(), f(2), f(2)]),
  vjp: () => [(x: torch.Tensor) => x.square().sum(), f(2)],
};
/** Of the main namespace, what has no row among the ops. */
export const others: Calls = {
  setPrintOptions: () => [],
  ...each('graph backwardSteps', () => [leaf().sum()]),
  detectAnomaly: () => [() => 1],
};

/** All of them: the namespace, and the calls. */
export const namespaces: { readonly [name: string]: readonly [object, Calls] } = {
  nn: [nn, modules],
  'nn.init': [nn.init, initializers],
  'nn.utils': [nn.utils, utilities],
  'nn.utils.parametrizations': [nn.utils.parametrizations, parametrizations],
  'nn.utils.rnn': [nn.utils.rnn, sequences],
  optim: [optim, optimizers],
  'optim.lrScheduler': [lrScheduler, schedules],
  'optim.swaUtils': [optim.swaUtils, averages],
  data: [data, loading],
  distributions: [distributions, laws],
  autograd: [autograd, { ...gradients, ...checks }],
  'autograd.functional': [autograd.functional, derivatives],
};
