/**
 * One valid call of every op of the public surface, in a short notation, so that tests can walk over all of them and
 * spoil one argument after the other. A new op without a row fails test/unit/errorMessages.test.ts.
 *
 * `f2x3` is a float32 tensor of shape [2, 3] (`f` alone: 0-d), `l…` int64, `b…` bool, `u…` a float tensor of
 * probabilities; `@3` an int64 tensor of indices (zeros); `[f2;f3]` a list of tensors; `d1` the number of a dimension;
 * everything else is JSON.
 */
import * as torch from '../../src/index.ts';
import type { GoldenCase, GoldenInput } from '../goldenCases.ts';

/** Functions of `torch` that are no ops: they take no tensors, or anything at all. */
export const NO_OPS = new Set(
  (
    'backendInfo backwardSteps checkpoint checkpointSequential detectAnomaly enableGrad forkRng formatSequence ' +
    'formatSize getDefaultDevice getPrintOptions getRngState graph inferenceMode init initialSeed isGradEnabled ' +
    'isInferenceModeEnabled manualSeed memoryStats noGrad promoteTypes seed setDefaultDevice setGradEnabled ' +
    'setPrintOptions setPrintoptions setRngState asTensor broadcastShapes canCast resultType slice tick webgpu clone detach detach_ isFloatingPoint isInference isTensor numel resizeAs_ finfo iinfo'
  ).split(' '),
);

/** Methods that read, place or describe a tensor, belong to autograd, or are the class's own. */
export const NO_OP_METHODS = new Set(
  (
    'addGrad backward become bool castTo clearGrad clone contiguous cpu derive detach detach_ dim dispose double edge ' +
    'elementSize float int isContiguous isFloatingPoint isInference item itemAsync long markView numel read rebase ' +
    'registerHook registerPostAccumulateGradHook requiresGrad_ retainGrad setArray short storageOffset stride sumTo to toArray toAsync toJSON ' +
    'toString tolist typeAs type nelement ndimension resize_ resizeAs_ newEmpty newFull newOnes newZeros'
  ).split(' '),
);

const each = (names: string, call: string): { [name: string]: string } =>
  Object.fromEntries(names.split(' ').map((name) => [name, call]));

/** Rows of `torch`. A method of the same name is called with the same arguments. */
export const torchCalls: { readonly [name: string]: string } = {
  ...each(
    'abs absolute acos acosh arccos arccosh arcsin arcsinh arctan arctanh asin asinh atan atanh ceil cos cosh deg2rad ' +
      'digamma erf erfc erfinv exp exp2 expm1 fix floor frac isfinite isinf isnan isneginf isposinf lgamma log log10 ' +
      'log1p log2 logicalNot logit nanToNum neg negative rad2deg reciprocal relu round rsqrt sgn sigmoid sign signbit ' +
      'sin sinc sinh sqrt square tan tanh trunc',
    'f2x3',
  ),
  bitwiseNot: 'l2x3',
  ...each(
    'add arctan2 atan2 copysign div divide dist eq floorDivide fmax fmin fmod ge greater greaterEqual gt heaviside ' +
      'hypot isclose allclose le less lessEqual logaddexp logaddexp2 logicalAnd logicalOr logicalXor lt maximum ' +
      'minimum mul multiply ne notEqual remainder rsub sub subtract trueDivide xlogy pow floatPower ldexp',
    'f2x3 f2x3',
  ),
  ...each('bitwiseAnd bitwiseLeftShift bitwiseOr bitwiseRightShift bitwiseXor gcd lcm', 'l2x3 l2x3'),
  ...each('addcdiv addcmul', 'f2x3 f2x3 f2x3'),
  lerp: 'f2x3 f2x3 f2x3',
  ...each('clamp clip', 'f2x3 0 1'),
  ...each('clampMin clampMax', 'f2x3 f2x3'),
  where: 'b2x3 f2x3 f2x3',
  equal: 'f2x3 f2x3',
  // reductions
  ...each(
    'sum mean amax amin max min argmax argmin any all countNonzero prod median logsumexp nansum nanmean std var ' +
      'varMean stdMean mode',
    'f2x3 d1',
  ),
  aminmax: 'f2x3 {"dim":"d1"}',
  nanmedian: 'f6',
  norm: 'f2x3 2 d1',
  ...each('cumsum cumprod cummax cummin logcumsumexp softmax logSoftmax', 'f2x3 d1'),
  kthvalue: 'f2x3 2 d1',
  ...each('sort argsort', 'f2x3 d1'),
  msort: 'f2x3',
  topk: 'f2x3 2 d1',
  ...each('quantile nanquantile', 'f2x3 0.5 d1'),
  unique: 'l6 true false false d0',
  uniqueConsecutive: 'l6',
  bincount: 'l6',
  histc: 'f6 4',
  bucketize: 'f2x3 f4',
  searchsorted: 'f4 f2x3',
  isin: 'f2x3 f4',
  diff: 'f2x3 1 d1',
  ...each('trapezoid trapz cumulativeTrapezoid', 'f2x3 {"dx":1,"dim":"d1"}'),
  gradient: 'f2x3 {"spacing":2,"dim":"d1"}',
  ...each('cov corrcoef', 'f2x3'),
  // products
  matmul: 'f2x3 f3x4',
  mm: 'f2x3 f3x4',
  bmm: 'f2x2x3 f2x3x4',
  mv: 'f2x3 f3',
  ...each('dot vdot', 'f3 f3'),
  ...each('outer ger', 'f3 f4'),
  inner: 'f2x3 f4x3',
  addmm: 'f2x4 f2x3 f3x4',
  addmv: 'f2 f2x3 f3',
  addr: 'f3x4 f3 f4',
  baddbmm: 'f2x2x4 f2x2x3 f2x3x4',
  addbmm: 'f2x4 f2x2x3 f2x3x4',
  chainMatmul: 'f2x3 f3x4',
  tensordot: 'f2x3 f3x4 1',
  kron: 'f2x3 f2x2',
  cross: 'f2x3 f2x3 d1',
  cdist: 'f2x3 f4x3',
  pdist: 'f4x3',
  matrixPower: 'f3x3 3',
  logdet: 'f3x3',
  choleskySolve: 'f3x2 f3x3',
  einsum: '"ij,jk->ik" f2x3 f3x4',
  trace: 'f3x3',
  adjoint: 'f2x3',
  // shapes
  reshape: 'f2x3 [3,2]',
  flatten: 'f2x3x4 d1 d2',
  unflatten: 'f2x6 d1 [2,3]',
  squeeze: 'f2x1 d1',
  unsqueeze: 'f2x3 d1',
  ...each('transpose swapaxes swapdims', 'f2x3 d0 d1'),
  ...each('movedim moveaxis', 'f2x3 d0 d1'),
  permute: 'f2x3 [1,0]',
  t: 'f2x3',
  narrow: 'f2x3 d1 0 2',
  select: 'f2x3 d1 1',
  asStrided: 'f2x3 [2,2] [3,1]',
  broadcastTo: 'f1x3 [2,3]',
  broadcastTensors: 'f2x1 f1x3',
  ...each('atleast1d atleast2d atleast3d', 'f'),
  ...each('cat concat concatenate', '[f2x3;f2x3] d1'),
  stack: '[f2x3;f2x3] d1',
  ...each('hstack vstack dstack columnStack rowStack', '[f2x3;f2x3]'),
  split: 'f2x6 2 d1',
  chunk: 'f2x6 3 d1',
  tensorSplit: 'f2x6 3 d1',
  hsplit: 'f2x6 3',
  vsplit: 'f2x6 2',
  unbind: 'f2x3 d1',
  meshgrid: 'f2 f3',
  cartesianProd: 'f2 f3',
  combinations: 'f4 2',
  blockDiag: 'f2x3 f2x2',
  flip: 'f2x3 ["d1"]',
  fliplr: 'f2x3',
  flipud: 'f2x3',
  roll: 'f2x3 1 d1',
  rot90: 'f2x3 1 ["d0","d1"]',
  tile: 'f2x3 [2]',
  repeatInterleave: 'f2x3 2 d1',
  diag: 'f3x3',
  diagflat: 'f3 0',
  vander: 'f3 3',
  renorm: 'f2x3 2 d1 5',
  diagonal: 'f2x3 0 d0 d1',
  diagEmbed: 'f3 0 d0 d1',
  ...each('tril triu ravel', 'f2x3'),
  ...each('trilIndices triuIndices', '2 3'),
  // indexing
  unravelIndex: '@4 [2,3]',
  selectScatter: 'f2x3 f2 d1 1',
  sliceScatter: 'f2x3 f2x3 d0 0 2',
  diagonalScatter: 'f3x3 f3 0 d0 d1',
  indexPut: 'f2x3 ["@2"] f2x3',
  gather: 'f2x3 d1 @2x2',
  scatter: 'f2x3 d1 @2x2 f2x2',
  scatterAdd: 'f2x3 d1 @2x2 f2x2',
  scatterReduce: 'f2x3 d1 @2x2 f2x2 "mean"',
  takeAlongDim: 'f2x3 @2x1 d1',
  indexSelect: 'f2x3 d1 @2',
  indexAdd: 'f2x3 d1 @2 f2x2',
  indexReduce: 'f2x3 d1 @2 f2x2 "prod"',
  indexCopy: 'f2x3 d1 @2 f2x2',
  indexFill: 'f2x3 d1 @2 5',
  take: 'f2x3 @4',
  put: 'f2x3 @4 f4',
  maskedFill: 'f2x3 b2x3 5',
  maskedSelect: 'f2x3 b2x3',
  maskedScatter: 'f2x3 b2x3 f6',
  ...each('nonzero argwhere', 'f2x3'),
  // new tensors
  ...each('zeros ones empty rand randn', '[2,3]'),
  ...each('zerosLike onesLike emptyLike randLike randnLike', 'f2x3'),
  full: '[2,3] 5',
  fullLike: 'f2x3 5',
  randint: '0 5 [2]',
  randintLike: 'f2x3 0 5',
  randperm: '5',
  normal: 'f2x3 1',
  bernoulli: 'u2x3',
  poisson: 'u2x3',
  multinomial: 'u2x3 2',
  arange: '0 5 1',
  linspace: '0 1 5',
  logspace: '0 1 5',
  eye: '3 3',
  tensor: '[[1,2],[3,4]]',
  fromTypedArray: '"Float32Array" [2]',
};

/** Rows of methods that are no function, or that take other arguments. */
export const methodCalls: { readonly [name: string]: string } = {
  where: 'f2x3 b2x3 f2x3',
  view: 'f2x3 [3,2]',
  viewAs: 'f2x3 f3x2',
  reshapeAs: 'f2x3 f3x2',
  expand: 'f1x3 [2,3]',
  expandAs: 'f1x3 f2x3',
  repeat: 'f2x3 [2,2]',
  unfold: 'f2x3 d1 2 1',
  index: 'f2x3 @2',
  indexPut_: 'f2x3 ["@2"] f2x3',
  size: 'f2x3 d1',
  copy_: 'f2x3 f2x3',
  unsqueeze_: 'f2x3 d1',
  squeeze_: 'f2x1 d1',
  transpose_: 'f2x3 d0 d1',
  swapaxes_: 'f2x3 d0 d1',
  swapdims_: 'f2x3 d0 d1',
  t_: 'f2x3',

  fill_: 'f2x3 5',
  zero_: 'f2x3',
  fillDiagonal_: 'f3x3 5',
  bernoulli_: 'f2x3 0.5',
  cauchy_: 'f2x3',
  exponential_: 'f2x3',
  geometric_: 'f2x3 0.5',
  logNormal_: 'f2x3',
  normal_: 'f2x3',
  random_: 'f2x3',
  uniform_: 'f2x3',
  norm: 'f2x3 2 d1',
  var: 'f2x3 d1',
  dist: 'f2x3 f2x3',
  nanmedian: 'f6',
  randint: 'f2x3',
};

/** Rows of `torch.linalg`. */
export const linalgCalls: { readonly [name: string]: string } = {
  matrixExp: 'f2x2',
  vander: 'f2x3 3',
  vecdot: 'f2x3 f2x3 d1',
  norm: 'f2x3 2 d1',
  vectorNorm: 'f2x3 2 d1',
  matrixNorm: 'f2x3 "fro" ["d0","d1"]',
  matrixPower: 'f3x3 2',
  matmul: 'f2x3 f3x4',
  cross: 'f2x3 f2x3',
  diagonal: 'f2x3',
  multiDot: '[f2x3;f3x4]',
  cholesky: 'f1x1',
  ...each('inv det slogdet eigh eigvalsh', 'f3x3'),
  ...each('qr svd svdvals pinv matrixRank cond', 'f2x3'),
  solve: 'f3x3 f3x2',
  solveTriangular: 'f3x3 f3x2 {"upper":true}',
  lstsq: 'f3x2 f3x2',
};

/** Rows of `torch.nn.functional`. */
export const functionalCalls: { readonly [name: string]: string } = {
  ...each(
    'celu elu gelu hardshrink hardsigmoid hardswish hardtanh leakyRelu logsigmoid mish relu relu6 relu_ rrelu selu ' +
      'sigmoid silu softplus softshrink softsign tanh tanhshrink dropout alphaDropout',
    'f2x3',
  ),
  ...each('dropout2d dropout3d dropout1d featureAlphaDropout', 'f2x3x4'),
  threshold: 'f2x3 0 1',
  prelu: 'f2x3 f3',
  glu: 'f2x4 d1',
  ...each('softmax logSoftmax softmin', 'f2x3 d1'),
  gumbelSoftmax: 'f2x3 {"dim":"d1"}',
  normalize: 'f2x3 2 d1',
  linear: 'f2x3 f4x3 f4',
  bilinear: 'f2x3 f2x4 f5x3x4 f5',
  conv1d: 'f2x3x5 f4x3x2 f4',
  conv2d: 'f2x3x5x5 f4x3x2x2 f4',
  conv3d: 'f2x3x5x5x5 f4x3x2x2x2 f4',
  convTranspose1d: 'f2x3x5 f3x4x2 f4',
  convTranspose2d: 'f2x3x5x5 f3x4x2x2 f4',
  convTranspose3d: 'f2x3x3x3x3 f3x4x2x2x2 f4',
  unfold: 'f2x3x4x4 2',
  fold: 'f1x8x4 [3,3] 2',
  ...each('maxPool1d maxPool1dWithIndices avgPool1d', 'f2x3x6 2'),
  ...each('maxPool2d maxPool2dWithIndices avgPool2d', 'f2x3x6x6 2'),
  ...each('maxPool3d maxPool3dWithIndices avgPool3d', 'f2x3x4x4x4 2'),
  lpPool1d: 'f2x3x6 2 2',
  lpPool2d: 'f2x3x6x6 2 2',
  lpPool3d: 'f2x3x4x4x4 2 2',
  ...each('adaptiveAvgPool1d adaptiveMaxPool1d', 'f2x3x6 2'),
  ...each('adaptiveAvgPool2d adaptiveMaxPool2d', 'f2x3x6x6 [2,3]'),
  ...each('adaptiveAvgPool3d adaptiveMaxPool3d', 'f2x3x4x4x4 2'),
  maxUnpool1d: 'f1x1x2 @1x1x2 2',
  maxUnpool2d: 'f1x1x2x2 @1x1x2x2 2',
  maxUnpool3d: 'f1x1x2x2x2 @1x1x2x2x2 2',
  batchNorm: 'f4x3 f3 f3 f3 f3',
  instanceNorm: 'f2x3x4',
  layerNorm: 'f2x3 [3] f3 f3',
  groupNorm: 'f2x4x3 2 f4 f4',
  rmsNorm: 'f2x3 [3] f3',
  localResponseNorm: 'f2x3x4 2',
  embedding: '@2x3 f5x3',
  oneHot: '@4 4',
  embeddingBag: '@6 f5x3 @2',
  gridSample: 'f1x2x3x3 f1x2x2x2',
  affineGrid: 'f1x2x3 [1,1,2,2]',
  pad: 'f2x3 [1,2]',
  ...each('interpolate upsample', 'f1x2x3x3 [4,4]'),
  pixelShuffle: 'f1x4x2x2 2',
  pixelUnshuffle: 'f1x1x4x4 2',
  channelShuffle: 'f1x4x2x2 2',
  scaledDotProductAttention: 'f2x3x4 f2x5x4 f2x5x6',
  ...each('mseLoss l1Loss smoothL1Loss huberLoss poissonNllLoss klDiv', 'f2x3 f2x3'),
  ...each('hingeEmbeddingLoss softMarginLoss multilabelSoftMarginLoss', 'f2x3 f2x3'),
  binaryCrossEntropy: 'u2x3 u2x3 f3',
  binaryCrossEntropyWithLogits: 'f2x3 u2x3 f3',
  ...each('crossEntropy nllLoss', 'f2x3 @2 f3'),
  multiMarginLoss: 'f2x3 @2',
  multilabelMarginLoss: 'f2x3 @2x3',
  ctcLoss: 'f5x2x3 @2x2 [5,4] [2,1]',
  gaussianNllLoss: 'f2x3 f2x3 u2x3',
  marginRankingLoss: 'f3 f3 f3',
  cosineEmbeddingLoss: 'f2x3 f2x3 f2',
  ...each('tripletMarginLoss tripletMarginWithDistanceLoss', 'f2x3 f2x3 f2x3'),
  cosineSimilarity: 'f2x3 f2x3 d1',
  pairwiseDistance: 'f2x3 f2x3',
  pdist: 'f4x3',
};

/** One argument of a call. */
export type Argument =
  | { readonly kind: 'tensor'; readonly shape: readonly number[]; readonly type: 'f' | 'l' | 'b' | 'u' | '@' }
  | { readonly kind: 'tensors'; readonly items: readonly Extract<Argument, { kind: 'tensor' }>[] }
  | { readonly kind: 'plain'; readonly value: unknown };

/** A number of a dimension among plain values. */
export class Dim {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

function tensorArgument(text: string): Extract<Argument, { kind: 'tensor' }> | null {
  const match = /^([flbu@])((?:\d+x)*\d+)?$/.exec(text);
  if (!match) return null;
  const shape = match[2] === undefined ? [] : match[2].split('x').map(Number);
  return { kind: 'tensor', shape, type: match[1] as 'f' };
}

export function parseCall(text: string): Argument[] {
  return text.split(' ').map((token): Argument => {
    const tensor = tensorArgument(token);
    if (tensor) return tensor;
    if (token.startsWith('[f')) {
      const items = token.slice(1, -1).split(';').map(tensorArgument);
      return { kind: 'tensors', items: items.filter((x) => x !== null) };
    }
    if (/^d\d$/.test(token)) return { kind: 'plain', value: new Dim(Number(token[1])) };
    const revive = (_: string, v: unknown) => (/^d\d$/.test(String(v)) ? new Dim(Number(String(v)[1])) : v);
    return { kind: 'plain', value: JSON.parse(token, revive) };
  });
}

export interface Spoiled {
  readonly shape?: readonly number[];
  readonly dtype?: torch.DType;
  readonly device?: string;
  readonly index?: number;
}

/** A tensor for an argument; distinct values in (0, 1). */
export function makeArgument(
  { shape, type }: Extract<Argument, { kind: 'tensor' }>,
  spoiled: Spoiled = {},
): torch.Tensor {
  const sizes = spoiled.shape ?? shape;
  const device = spoiled.device ?? 'cpu';
  const count = sizes.reduce((a, b) => a * b, 1);
  const dtype = spoiled.dtype ?? (type === 'l' || type === '@' ? 'int64' : type === 'b' ? 'bool' : 'float32');
  const values = Float64Array.from({ length: count }, (_, i) =>
    type === '@' ? 0 : ((i + 1) / (count + 1)) ** 2,
  );
  if (spoiled.index !== undefined && count > 0) values[count - 1] = spoiled.index;
  const whole = type === 'l' ? values.map((_, i) => i) : values;
  return torch.tensor(whole, { dtype: 'float64', device }).to(dtype).reshape(sizes);
}

/** The rows as cases of the golden kind, requiring gradients: for whoever changes such cases at random. */
export function rowCases(): GoldenCase[] {
  const cases: GoldenCase[] = [];
  const add = (op: string, row: string): void => {
    const inputs: GoldenInput[] = [];
    const put = (argument: Extract<Argument, { kind: 'tensor' }>): object => {
      const x = makeArgument(argument);
      const data = Array.from(x.data, Number);
      inputs.push({ shape: [...x.shape], dtype: x.dtype, data, requires_grad: x.isFloatingPoint() });
      return { $: inputs.length - 1 };
    };
    const plain = (value: unknown): unknown => {
      if (value instanceof Dim) return value.value;
      if (Array.isArray(value)) return value.map(plain);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, plain(v)]));
    };
    const args = parseCall(row).map((argument) => {
      if (argument.kind === 'tensor') return put(argument);
      return argument.kind === 'tensors' ? argument.items.map(put) : plain(argument.value);
    });
    const last = args.at(-1);
    const named = typeof last === 'object' && last !== null && !('$' in last) && !Array.isArray(last);
    const kwargs = named ? (last as { [name: string]: unknown }) : {};
    cases.push({ id: `row-${op}`, op, inputs, args: named ? args.slice(0, -1) : args, kwargs });
  };
  for (const [name, row] of Object.entries(torchCalls)) if (row !== torchCalls.fromTypedArray) add(name, row);
  for (const [name, row] of Object.entries(functionalCalls)) add(`nn.functional.${name}`, row);
  for (const [name, row] of Object.entries(linalgCalls)) add(`linalg.${name}`, row);
  return cases;
}
