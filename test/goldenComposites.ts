/** The composite golden cases, translated from the Python text that defines them. */
import * as torch from '../src/index.ts';
import { lookUp } from './goldenLookUp.ts';

type T = torch.Tensor;

const attention = (q: T, k: T, v: T): T =>
  torch.softmax(q.matmul(k.transpose(-2, -1)).div(Math.sqrt(q.shape[q.ndim - 1])), -1).matmul(v);

const tutorialLoss = (x: T, w: T, b: T, t: T): T => {
  const e = torch.exp(torch.maximum(x.matmul(w), 0).matmul(b));
  const p = e.div(e.sum(-1, true));
  return torch.mean(torch.log(p.index(torch.arange(x.shape[0]), t))).neg();
};

/** By Python text. */
export const composites: { readonly [python: string]: (...inputs: T[]) => unknown } = {
  'lambda q, k, v: torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), -1) @ v': attention,
  "lambda q, k, v, m: torch.softmax((q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])).masked_fill(~m, float('-inf')), -1) @ v":
    (q, k, v, m) =>
      torch
        .softmax(
          q
            .matmul(k.transpose(-2, -1))
            .div(Math.sqrt(q.shape[q.ndim - 1]))
            .maskedFill(m.logicalNot(), -Infinity),
          -1,
        )
        .matmul(v),
  'lambda x: x * x + x': (x) => x.mul(x).add(x),
  'lambda x, w, b, t: -torch.mean(torch.log((torch.exp(torch.maximum(x @ w, torch.tensor(0.0, dtype=x.dtype)) @ b) / torch.exp(torch.maximum(x @ w, torch.tensor(0.0, dtype=x.dtype)) @ b).sum(axis=-1, keepdim=True))[torch.arange(len(x)), t]))':
    tutorialLoss,
  'lambda x: x.detach() * x': (x) => x.detach().mul(x),
  'lambda x: torch.cat([x[:1] * 2, x[1:] ** 2]).cumsum(0).flip(0)': (x) =>
    torch
      .cat([x.index(torch.slice(1)).mul(2), x.index(torch.slice(1, null)).pow(2)])
      .cumsum(0)
      .flip(0),
  'lambda x, w: ((x - x.mean(-1, keepdim=True)) / (x.var(-1, unbiased=False, keepdim=True) + 1e-5).sqrt()) * w':
    (x, w) =>
      x
        .sub(x.mean(-1, true))
        .div(x.var({ dim: -1, unbiased: false, keepdim: true }).add(1e-5).sqrt())
        .mul(w),
  'lambda x: torch.where(x > 0, torch.sqrt(x), torch.zeros_like(x))': (x) =>
    torch.where(x.gt(0), torch.sqrt(x), torch.zerosLike(x)),
  'lambda a, b: (a @ b).relu().sum(0).prod()': (a, b) => a.matmul(b).relu().sum(0).prod(),
  'lambda x: [t for t in x.chunk(2, 1)][1] * 3': (x) => x.chunk(2, 1)[1].mul(3),
  'lambda x, i: torch.zeros(3, 2, dtype=x.dtype).index_add(0, i, x).pow(2)': (x, i) =>
    torch.zeros([3, 2], { dtype: x.dtype }).indexAdd(0, i, x).pow(2),
  'lambda x: torch.autograd.grad((x ** 3).sum(), x, create_graph=True)[0]': (x) =>
    torch.autograd.grad(x.pow(3).sum(), x, { createGraph: true })[0],
  'lambda x, w: torch.autograd.grad(torch.sigmoid(x @ w).sum(), w, create_graph=True)[0].pow(2).sum()': (
    x,
    w,
  ) =>
    torch.autograd
      .grad(torch.sigmoid(x.matmul(w)).sum(), w, { createGraph: true })[0]
      .pow(2)
      .sum(),
  'lambda x, y: (x.detach() + y) * x': (x, y) => x.detach().add(y).mul(x),
  'lambda x: torch.where(x > 0, x.log1p(), -((-x).log1p()))': (x) =>
    torch.where(x.gt(0), x.log1p(), x.neg().log1p().neg()),
  'lambda x: x.topk(2, dim=1)[0].mean()': (x) => x.topk(2, { dim: 1 }).values.mean(),
};

type Constructor = new (...args: unknown[]) => unknown;
const make = (name: string, ...args: unknown[]): unknown =>
  new (lookUp(`nn.${name}`) as Constructor)(...args);

/** Modules made of modules, by Python text. */
export const moduleComposites: { readonly [python: string]: () => unknown } = {
  'nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(18, 4))': () =>
    make(
      'Sequential',
      make('Conv2d', 1, 2, 3),
      make('ReLU'),
      make('MaxPool2d', 2),
      make('Flatten'),
      make('Linear', 18, 4),
    ),
  'nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 4, dropout=0.0), 2)': () =>
    make('TransformerEncoder', make('TransformerEncoderLayer', 4, 2, 4, { dropout: 0 }), 2),
};
