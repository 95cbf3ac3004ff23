/** First and second derivatives of every op against central differences, in double precision, on both backends. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';

type T = torch.Tensor;
interface Row {
  readonly fn: (...inputs: T[]) => T | readonly T[];
  /** Shapes of the inputs. */
  readonly shapes: readonly (readonly number[])[];
  /** Interval from which elements are drawn. */
  readonly from?: number;
  readonly to?: number;
  /** False where the second derivative is zero or not defined. */
  readonly second?: boolean;
}

const row = (fn: Row['fn'], shapes: Row['shapes'] = [[2, 3]], from = -1.5, to = 1.5, second = true): Row => ({
  fn,
  shapes,
  from,
  to,
  second,
});
const index = (list: number[][]) => torch.tensor(list, { dtype: 'int64' });
const vector = (list: number[]) => torch.tensor(list, { dtype: 'int64' });
const mask = () =>
  torch.tensor([
    [true, false, true],
    [false, false, true],
  ]);

const unary: { readonly [name: string]: [from: number, to: number] } = {
  neg: [-2, 2],
  abs: [0.2, 2],
  square: [-2, 2],
  sqrt: [0.3, 2],
  rsqrt: [0.3, 2],
  reciprocal: [0.3, 2],
  exp: [-2, 2],
  exp2: [-2, 2],
  expm1: [-2, 2],
  log: [0.3, 2],
  log2: [0.3, 2],
  log10: [0.3, 2],
  log1p: [-0.5, 2],
  sin: [-2, 2],
  cos: [-2, 2],
  tan: [-1, 1],
  asin: [-0.8, 0.8],
  acos: [-0.8, 0.8],
  atan: [-2, 2],
  sinh: [-2, 2],
  cosh: [-2, 2],
  tanh: [-2, 2],
  sigmoid: [-2, 2],
  relu: [0.2, 2],
  erf: [-2, 2],
  erfc: [-2, 2],
  erfinv: [-0.8, 0.8],
  lgamma: [0.4, 3],
  asinh: [-2, 2],
  acosh: [1.3, 3],
  atanh: [-0.8, 0.8],
  sinc: [0.2, 2],
  rad2deg: [-2, 2],
  deg2rad: [-2, 2],
  logit: [0.2, 0.8],
  nanToNum: [-2, 2],
  softsign: [0.2, 2],
  frac: [0.1, 0.9],
};

const table: { readonly [name: string]: Row } = {
  add: row((a, b) => a.add(b, { alpha: 2 }), [[2, 3], [3]]),
  sub: row((a, b) => a.sub(b), [[2, 1], [3]]),
  mul: row(
    (a, b) => a.mul(b),
    [
      [2, 3],
      [2, 1],
    ],
  ),
  div: row((a, b) => a.div(b), [[2, 3], [3]], 0.5, 2),
  pow: row((a, b) => a.pow(b), [[2, 3], [3]], 0.5, 2),
  'pow of a number': row((a) => torch.pow<T>(1.7, a)),
  atan2: row((a, b) => a.atan2(b), [[2, 3], [3]], 0.3, 2),
  hypot: row((a, b) => a.hypot(b), [[2, 3], [3]], 0.3, 2),
  maximum: row((a, b) => a.maximum(b), [[2, 3], [3]]),
  fmax: row((a, b) => a.fmax(b), [[2, 3], [3]]),
  fmin: row((a, b) => a.fmin(b), [[2, 3], [3]]),
  logaddexp: row((a, b) => a.logaddexp(b), [[2, 3], [3]]),
  logaddexp2: row((a, b) => a.logaddexp2(b), [[2, 3], [3]]),
  xlogy: row((a, b) => a.xlogy(b), [[2, 3], [3]], 0.4, 2),
  copysign: row((a, b) => a.copysign(b), [[2, 3], [3]], 0.3, 2),
  remainder: row((a, b) => a.remainder(b), [[2, 3], [3]], 1.1, 1.9),
  fmod: row((a, b) => a.fmod(b), [[2, 3], [3]], 1.1, 1.9),
  lerp: row((a, b, w) => a.lerp(b, w), [[2, 3], [3], [2, 1]]),
  'lerp by a number': row((a, b) => a.lerp(b, 0.7), [[2, 3], [3]]),
  addcmul: row((a, b, c) => a.addcmul(b, c, { value: 0.5 }), [[2, 3], [2, 1], [3]]),
  addcdiv: row((a, b, c) => a.addcdiv(b, c, { value: 0.5 }), [[2, 3], [2, 1], [3]], 0.5, 2),
  clamp: row((a) => a.clamp(-0.5, 0.8)),
  'clamp by tensors': row((a, low, high) => a.clamp(low, high.add(3)), [[2, 3], [3], [2, 1]]),
  where: row((a, b) => torch.where(mask(), a, b), [[2, 3], [3]]),

  sum: row((a) => a.sum(1, true)),
  mean: row((a) => a.mean([0, 1])),
  var: row((a) => a.var(1)),
  'var of all': row((a) => a.var(false)),
  std: row((a) => a.std(0, false, true), [[4, 2]]),
  norm: row((a) => a.norm()),
  'norm 1': row((a) => a.norm(1, 1), [[2, 3]], 0.2, 2),
  'norm 3': row((a) => a.norm(3, 0)),
  'norm 1.5': row((a) => a.norm(1.5, 0), [[2, 3]], 0.2, 2),
  'norm inf': row((a) => a.norm(Infinity, 1)),
  'linalg.norm of a matrix': row((a) => torch.linalg.norm(a, 1)),
  logsumexp: row((a) => a.logsumexp([0, 1], true)),
  prod: row((a) => a.prod()),
  'prod along': row((a) => a.prod(1, true)),
  'prod with a zero': row((a) => a.mul(torch.tensor([1, 0, 1], { dtype: 'float64' })).prod(1)),
  cumsum: row((a) => a.cumsum(1)),
  cumulativeTrapezoid: row((a, b) => torch.cumulativeTrapezoid(a, b), [[2, 3], [3]]),
  gradient: row((a) => torch.gradient(a, { dim: 1, edgeOrder: 2 }), [[2, 4]]),
  'gradient by coordinates': row(
    (a, b) => torch.gradient(a, { dim: 1, spacing: [b.cumsum(0)] }),
    [[2, 4], [4]],
    0.5,
    1,
  ),
  renorm: row((a) => torch.renorm(a, 2, 0, 1), [[2, 3]], 0.5, 1.5),
  vander: row((a) => torch.vander(a, 4), [[3]]),
  floatPower: row((a, b) => torch.floatPower(a, b), [[2, 3], [3]], 0.5, 1.5),
  selectScatter: row((a, b) => torch.selectScatter(a, b, 1, 1).square(), [[2, 3], [2]]),
  sliceScatter: row(
    (a, b) => torch.sliceScatter(a, b, 1, 0, null, 2).square(),
    [
      [2, 3],
      [2, 2],
    ],
  ),
  diagonalScatter: row((a, b) => torch.diagonalScatter(a, b).square(), [[2, 3], [2]]),
  indexPut: row(
    (a, b) => torch.indexPut(a, [vector([1, 0])], b, true).square(),
    [
      [2, 3],
      [2, 3],
    ],
  ),
  nanquantile: row((a) => a.nanquantile(0.3, 1), [[2, 4]], -1.5, 1.5, false),
  matrixExp: row((a) => torch.linalg.matrixExp(a), [[2, 3, 3]]),
  logcumsumexp: row((a) => a.logcumsumexp(1), [[2, 6]]),
  cumprod: row((a) => a.cumprod(1)),
  'cumprod with zeros': row(
    (a) => a.mul(torch.tensor([1, 0, 1, 0], { dtype: 'float64' })).cumprod(1),
    [[2, 4]],
  ),
  cummax: row((a) => a.cummax(1).values, [[2, 5]]),
  cummin: row((a) => a.cummin(0).values, [[4, 2]]),
  amax: row((a) => a.amax(1)),
  max: row((a) => a.max(0).values),
  median: row((a) => a.median(), [[5]]),
  'median along': row((a) => a.median(1).values, [[2, 4]]),
  kthvalue: row((a) => a.kthvalue(2, 0).values, [[4, 2]]),
  sort: row((a) => a.sort(1, true).values, [[2, 4]]),
  topk: row((a) => a.topk(2, 0).values, [[4, 2]]),
  quantile: row((a) => a.quantile([0.2, 0.7], 1), [[2, 5]]),
  nansum: row((a) => a.nansum(1)),
  softmax: row((a) => a.softmax(1)),
  logSoftmax: row((a) => a.logSoftmax(0)),

  matmul: row(
    (a, b) => a.matmul(b),
    [
      [2, 2, 3],
      [3, 2],
    ],
  ),
  mv: row((a, x) => a.mv(x), [[3, 2], [2]]),
  'mv of views': row(
    (a, b) => a.t().mv(b.select(1, 1)),
    [
      [2, 3],
      [2, 2],
    ],
  ),
  dot: row((a, b) => a.dot(b), [[3], [3]]),
  outer: row((a, b) => a.outer(b), [[2], [3]]),
  addmm: row((x, a, b) => x.addmm(a, b, { beta: 0.5, alpha: 2 }), [[2], [3, 2], [2, 2]]),
  addmv: row((x, a, v) => x.addmv(a, v), [[3], [3, 2], [2]]),
  addr: row((x, a, b) => x.addr(a, b), [[2, 3], [2], [3]]),
  baddbmm: row(
    (x, a, b) => x.baddbmm(a, b),
    [
      [2, 1, 2],
      [2, 2, 3],
      [2, 3, 2],
    ],
  ),
  addbmm: row(
    (x, a, b) => x.addbmm(a, b),
    [
      [2, 2],
      [2, 2, 3],
      [2, 3, 2],
    ],
  ),
  einsum: row(
    (a, b) => torch.einsum<T>('bij,kj->bki', a, b),
    [
      [2, 2, 3],
      [2, 3],
    ],
  ),
  'einsum of three': row((a, b, c) => torch.einsum<T>('i,ij,...j->...', a, b, c), [[2], [2, 3], [2, 3]]),
  'einsum diagonal': row((a) => torch.einsum<T>('iij->j', a), [[2, 2, 3]]),
  tensordot: row(
    (a, b) => torch.tensordot<T>(a, b, 1),
    [
      [2, 3],
      [3, 2],
    ],
  ),
  inner: row((a, b) => a.inner(b), [[2, 3], [3]]),
  kron: row(
    (a, b) => a.kron(b),
    [
      [2, 2],
      [1, 3],
    ],
  ),
  cross: row(
    (a, b) => a.cross(b),
    [
      [2, 3],
      [2, 3],
    ],
  ),
  matrixPower: row((a) => a.matrixPower(3), [[2, 2]]),
  chainMatmul: row(
    (a, b, c) => torch.chainMatmul<T>(a, b, c),
    [
      [2, 3],
      [3, 2],
      [2, 2],
    ],
  ),
  cdist: row(
    (a, b) => torch.cdist<T>(a, b),
    [
      [2, 3],
      [3, 3],
    ],
  ),
  'cdist of many rows': row(
    (a, b) => torch.cdist<T>(a, b).mul(0.01),
    [
      [26, 2],
      [2, 2, 2],
    ],
  ),
  pdist: row((a) => torch.pdist<T>(a), [[3, 2]]),

  reshape: row((a) => a.t().reshape(-1)),
  cat: row(
    (a, b) => torch.cat([a, b], 1),
    [
      [2, 3],
      [2, 1],
    ],
  ),
  stack: row(
    (a, b) => torch.stack([a, b], -1),
    [
      [2, 3],
      [2, 3],
    ],
  ),
  split: row((a) => a.split(2, 1)),
  'unbind, some of it unused': row((a) => a.square().unbind(1)[1]),
  'split, some of it unused': row((a) => a.square().split([1, 2, 1, 2], 1)[2], [[2, 6]]),
  meshgrid: row((a, b) => torch.meshgrid<T>(a, b, { indexing: 'xy' }), [[2], [3]]),
  flip: row((a) => a.flip(0, 1)),
  roll: row((a) => a.roll([1, -1], [0, 1])),
  rot90: row((a) => a.rot90(3)),
  repeat: row((a) => a.repeat(2, 1, 2)),
  repeatInterleave: row((a) => a.repeatInterleave(2, 1)),
  movedim: row((a) => a.movedim(0, -1), [[2, 1, 3]]),
  tril: row((a) => a.tril(1)),
  triu: row((a) => a.triu(-1)),
  diag: row((a) => a.diag(1), [[3]]),
  diagonal: row((a) => a.diagonal(-1, 1, 0)),
  diagEmbed: row((a) => a.diagEmbed(1)),
  unfold: row((a) => a.unfold(1, 3, 1), [[2, 5]]),
  asStrided: row((a) => a.asStrided([2, 2], [1, 1], 0)),
  gather: row((a) =>
    a.gather(
      1,
      index([
        [0, 0],
        [2, 1],
      ]),
    ),
  ),
  scatter: row(
    (a, b) =>
      a.scatter(
        1,
        index([
          [0, 2],
          [1, 0],
        ]),
        b,
      ),
    [
      [2, 3],
      [2, 3],
    ],
  ),
  scatterAdd: row(
    (a, b) =>
      a.scatterAdd(
        1,
        index([
          [0, 0],
          [1, 1],
        ]),
        b,
      ),
    [
      [2, 3],
      [2, 2],
    ],
  ),
  'scatter multiply': row(
    (a, b) =>
      a.scatter(
        1,
        index([
          [0, 2],
          [1, 0],
        ]),
        b,
        { reduce: 'multiply' },
      ),
    [
      [2, 3],
      [2, 2],
    ],
  ),
  ...Object.fromEntries(
    (['sum', 'prod', 'mean', 'amax', 'amin'] as const).flatMap((reduce) =>
      [true, false].map((includeSelf) => [
        `scatterReduce ${reduce} ${includeSelf}`,
        row(
          (a, b) =>
            a.scatterReduce(
              1,
              index([
                [0, 0],
                [1, 2],
              ]),
              b,
              reduce,
              { includeSelf },
            ),
          [
            [2, 3],
            [2, 2],
          ],
        ),
      ]),
    ),
  ),
  ...Object.fromEntries(
    (['prod', 'mean', 'amax', 'amin'] as const).map((reduce) => [
      `indexReduce ${reduce}`,
      row(
        (a, b) => a.indexReduce(1, vector([2, 2]), b, reduce),
        [
          [2, 3],
          [2, 2],
        ],
      ),
    ]),
  ),
  takeAlongDim: row((a) => a.takeAlongDim(index([[1], [2]]), 1)),
  indexSelect: row((a) => a.indexSelect(1, vector([2, 0, 2]))),
  indexAdd: row(
    (a, b) => a.indexAdd(1, vector([2, 2]), b, { alpha: 2 }),
    [
      [2, 3],
      [2, 2],
    ],
  ),
  indexCopy: row(
    (a, b) => a.indexCopy(1, vector([2, 0]), b),
    [
      [2, 3],
      [2, 2],
    ],
  ),
  indexFill: row((a) => a.indexFill(1, vector([1]), 3)),
  take: row((a) => a.take(vector([5, 0, 0]))),
  put: row((a, b) => a.put(vector([5, 0]), b, true), [[2, 3], [2]]),
  maskedFill: row((a) => a.maskedFill(mask(), 2)),
  maskedSelect: row((a) => a.maskedSelect(mask())),
  maskedScatter: row((a, b) => a.maskedScatter(mask(), b), [[2, 3], [4]]),
  index: row((a) => a.index(vector([1, 0, 1]), torch.slice(1, null))),
  'indexPut_ of a copy': row(
    (a, b) => a.clone().indexPut_([vector([1]), torch.slice(0, 2)], b),
    [[2, 3], [2]],
  ),

  exp_: row((a) => a.clone().exp_()),
  sin_: row((a) => a.clone().sin_()),
  clamp_: row((a) => a.clone().clamp_(-0.5, 0.5)),
  'mul_ by itself shifted': row((a, b) => a.clone().mul_(b), [[2, 3], [3]]),
  pow_: row((a) => a.clone().pow_(3)),
  addcmul_: row((a, b, c) => a.clone().addcmul_(b, c), [[2, 3], [3], [2, 1]]),
  'tril_ of a view': row((a) => {
    const y = a.clone();
    y.t().tril_();
    return y.mul(y);
  }),
};

describe.each(['cpu', 'reference'])('derivatives on %s', (device) => {
  const before = torch.getDefaultDevice();
  beforeEach(() => {
    torch.setDefaultDevice(device);
    torch.manualSeed(4);
  });
  afterEach(() => torch.setDefaultDevice(before));

  const inputs = ({ shapes, from = -1, to = 1 }: Row): T[] =>
    shapes.map((shape) =>
      torch
        .rand(shape, { dtype: 'float64' })
        .mul(to - from)
        .add(from)
        .requiresGrad_(),
    );

  const rows = [
    ...Object.entries(unary).map(([name, [from, to]]): [string, Row] => [
      name,
      row(
        (x) => {
          const own = (x as unknown as { [method: string]: (() => T) | undefined })[name];
          return own ? own.call(x) : torch.nn.functional.softsign(x);
        },
        [[2, 3]],
        from,
        to,
      ),
    ]),
    ...Object.entries(table),
  ];
  it.each(rows)('%s', (_, r) => {
    const given = inputs(r);
    expect(torch.autograd.gradcheck(r.fn, given)).toBe(true);
    if (r.second) expect(torch.autograd.gradgradcheck(r.fn, given)).toBe(true);
  });
});
