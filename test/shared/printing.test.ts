import { afterEach, describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';
import { loadGolden } from '../golden.ts';

interface PrintCase {
  readonly id: string;
  readonly python: string;
  readonly repr: string;
  readonly 'repr_2.13'?: string;
  readonly shape?: number[];
  readonly dtype?: torch.DType;
  readonly requires_grad?: boolean;
  readonly grad_fn?: string | null;
  readonly data?: (number | boolean | string)[];
  readonly printoptions?: Record<string, number | boolean | string>;
}

const special: Record<string, number> = { nan: Number.NaN, inf: Infinity, '-inf': -Infinity };
const plain = (v: number | boolean | string) => (typeof v === 'string' ? (special[v] ?? Number(v)) : v);
const { cases } = await loadGolden<{ cases: PrintCase[] }>('print');

/** Everything whose elements the file gives, and that has no history: history is printed from real ops below. */
const buildable = cases.filter((c) => c.data && c.dtype && !c.grad_fn && !c.python.startsWith('nn.'));

describe('printing', () => {
  afterEach(() => torch.setPrintOptions({ profile: 'default' }));

  it.each(buildable)('$id: $python', (c) => {
    const { printoptions = {}, shape = [], dtype, data = [] } = c;
    const { sci_mode: sciMode, ...others } = printoptions;
    torch.setPrintOptions({ ...others, ...(sciMode === undefined ? {} : { sciMode: Boolean(sciMode) }) });
    const values = data.map(plain);
    const x = torch
      .tensor(dtype === 'int64' ? values.map((v) => BigInt(v)) : values, { dtype })
      .reshape(shape);
    const leaf = c.requires_grad ? x.detach().requiresGrad_() : x;
    expect(String(leaf)).toBe(c['repr_2.13'] ?? c.repr);
  });

  it('shows the same ends of what lies in memory in another order', () => {
    const x = torch.arange(0, 4000).reshape(2, 1, 2000).permute(2, 0, 1);
    expect(String(x)).toBe(String(x.contiguous()));
    expect(String(x)).toContain('[3999]');
    expect(String(x)).not.toContain('1000');
  });

  it('covers the file', () => {
    expect(buildable.length).toBeGreaterThanOrEqual(70);
  });

  it.each([
    ['arange(1001)', () => torch.arange(1001), 'sum-1d-1001'],
    ['arange(1000)', () => torch.arange(1000), 'full-1d-1000'],
    ['quarters', () => torch.arange(2000, { dtype: 'float32' }).div(4), 'sum-f-1d'],
    ['2d', () => torch.arange(10000, { dtype: 'float32' }).reshape(100, 100), 'sum-2d'],
    ['3d', () => torch.arange(8 * 15 * 10).reshape(8, 15, 10), 'sum-3d'],
    ['negative', () => torch.arange(1500, { dtype: 'float32' }).neg().mul(0.5), 'sum-neg'],
    ['bool', () => torch.arange(1100).remainder(2).eq(0), 'sum-bool'],
    ['hidden', () => torch.cat([torch.ones(500), torch.tensor([1e-8]), torch.ones(600)]), 'sum-hidden-sci'],
  ])('summarises %s', (_, build, id) => {
    const c = cases.find((x) => x.id === id);
    expect(String(build())).toBe(c?.['repr_2.13'] ?? c?.repr);
  });

  const { functional } = torch.nn;
  const leaf = (list = [1, 2]) => torch.tensor(list, { requiresGrad: true });
  const two = () => leaf([-1, 2]);
  const ones = (...shape: number[]) => torch.ones(shape, { requiresGrad: true });
  const label = (i: number) => torch.tensor([i], { dtype: 'int64' });
  const history: Record<string, () => torch.Tensor> = {
    'gf-mul': () => leaf().mul(2),
    'gf-add': () => leaf().add(1),
    'gf-sub': () => leaf().rsub(1),
    'gf-div': () => leaf().div(3),
    'gf-pow': () => leaf().pow(2),
    'gf-neg': () => leaf().neg(),
    'gf-exp': () => leaf().exp(),
    'gf-log': () => leaf().log(),
    'gf-sum': () => leaf().sum(),
    'gf-sum-dim': () => ones(2, 2).sum(0),
    'gf-mean': () => leaf().mean(),
    'gf-max': () => leaf().max(),
    'gf-mm': () => ones(2, 2).matmul(torch.ones(2, 1)),
    'gf-mv': () => ones(2, 2).matmul(torch.ones(2)),
    'gf-dot': () => ones(2).matmul(torch.ones(2)),
    'gf-bmm': () => ones(1, 2, 2).matmul(torch.ones(1, 2, 1)),
    'gf-relu': () => two().relu(),
    'gf-sigmoid': () => two().sigmoid(),
    'gf-tanh': () => two().tanh(),
    'gf-softmax': () => two().softmax(0),
    'gf-logsoftmax': () => two().logSoftmax(0),
    'gf-view': () => ones(2, 2).view(4),
    'gf-reshape': () => ones(2, 3).t().reshape(6),
    'gf-t': () => ones(2, 1).t(),
    'gf-transpose': () => ones(2, 1).transpose(0, 1),
    'gf-permute': () => ones(1, 2, 1).permute(2, 0, 1),
    'gf-index': () => leaf().index(label(1)),
    'gf-select': () => leaf().index(0),
    'gf-slice': () => leaf().index(torch.slice(1)),
    'gf-cat': () => torch.cat([ones(1), torch.ones(1)]),
    'gf-stack': () => torch.stack([ones(1), torch.ones(1)]),
    'gf-where': () => torch.where(torch.tensor([true, false]), ones(2), torch.zeros(2)),
    'gf-clone': () => ones(1).clone(),
    'gf-expand': () => ones(1).expand(2),
    'gf-unsqueeze': () => ones(1).unsqueeze(0),
    'gf-squeeze': () => ones(1, 1).squeeze(0),
    'gf-ce': () => functional.crossEntropy(torch.zeros([1, 2], { requiresGrad: true }), label(1)),
    'gf-mse': () => functional.mseLoss(ones(2), torch.zeros(2)),
    'gf-linear': () => functional.linear(torch.ones(1, 2), ones(1, 2), torch.ones(1)),
    'gf-conv2d': () => functional.conv2d(torch.ones(1, 1, 2, 2), ones(1, 1, 1, 1)),
    'gf-maximum': () => torch.maximum(ones(2), torch.zeros(2)),
    'gf-dropout': () => functional.dropout(ones(2), 0),
    'gf-embedding': () => functional.embedding(label(0), ones(2, 2)),
    'gf-layernorm': () => functional.layerNorm(torch.tensor([[1, 3]], { requiresGrad: true }), [2]),
    'gf-nograd': () => ones(2).detach(),
    'wrap-req': () => torch.arange(20, { dtype: 'float32', requiresGrad: true }).mul(1.5),
  };
  it.each(Object.entries(history))('shows the history of %s', (id, build) => {
    const c = cases.find((x) => x.id === id);
    expect(String(build())).toBe(c?.['repr_2.13'] ?? c?.repr);
  });

  it('shows the history of every case that has one', () => {
    const withHistory = cases.filter((c) => c.grad_fn).map((c) => c.id);
    expect(withHistory.filter((id) => !(id in history))).toEqual([]);
  });

  const parts = () => torch.arange(4, { dtype: 'float32' }).split(2);
  const containers: Record<string, () => string> = {
    'max-named': () => String(torch.tensor([[1, 2]]).max(1)),
    'sort-named': () => String(torch.tensor([2, 1]).sort()),
    'topk-named': () => String(torch.tensor([2, 1]).topk(1)),
    'list-of-tensors': () => torch.formatSequence(parts()),
    'tuple-of-tensors': () => torch.formatSequence(parts(), 'tuple'),
    size: () => torch.formatSize(torch.ones(2, 3).shape),
    'size-0d': () => torch.formatSize(torch.tensor(1).shape),
    'size-1': () => torch.formatSize(torch.ones(3).shape),
    parameter: () => String(new torch.nn.Parameter(torch.tensor([[1, 2]]))),
    'parameter-frozen': () => String(new torch.nn.Parameter(torch.tensor([1]), { requiresGrad: false })),
  };
  it.each(Object.entries(containers))('prints %s', (id, print) => {
    expect(print()).toBe(cases.find((x) => x.id === id)?.repr);
  });

  it('rounds halves to even, as Python does', () => {
    expect(String(torch.tensor([0.03125, 0.5]))).toBe('tensor([0.0312, 0.5000])');
    expect(String(torch.tensor([0.09375, 0.5]))).toBe('tensor([0.0938, 0.5000])');
  });

  it('refuses options that mean nothing', () => {
    expect(() => torch.setPrintOptions({ precision: -1 })).toThrow(/precision must not be negative/);
  });
});

describe('a tensor among operators of the language', () => {
  it('is a text beside a text, and a number where only a number can be', () => {
    const x = torch.tensor(0.25);
    expect(`loss ${x}`).toBe('loss tensor(0.2500)');
    expect(`loss ${torch.tensor([1, 2])}`).toBe('loss tensor([1., 2.])');
    // biome-ignore lint/style/useTemplate: the operator is what is looked at
    expect('loss ' + x).toBe('loss tensor(0.2500)');
    expect(Math.sqrt(x as unknown as number)).toBe(0.5);
    expect((torch.tensor([3]) as unknown as number) < 4).toBe(true);
  });

  it('is refused as a number when it has several elements, with the way out', () => {
    const a = torch.ones(2, 3) as unknown as number;
    expect(() => a * 2).toThrow(/tensor of shape \[2, 3\] is not a number.*a\.mul\(b\)/);
    expect(() => a < 2).toThrow(torch.ArgumentError);
  });

  it('becomes nested numbers in JSON', () => {
    expect(
      JSON.stringify({
        w: torch.tensor([
          [1, 2],
          [3, 4],
        ]),
        on: torch.tensor([true]),
      }),
    ).toBe('{"w":[[1,2],[3,4]],"on":[true]}');
  });
});
