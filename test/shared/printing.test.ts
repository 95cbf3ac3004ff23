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

  const leaf = () => torch.tensor([1, 2], { requiresGrad: true });
  it.each<[string, () => torch.Tensor]>([
    ['gf-mul', () => leaf().mul(2)],
    ['gf-add', () => leaf().add(1)],
    ['gf-sub', () => leaf().rsub(1)],
    ['gf-div', () => leaf().div(3)],
    ['gf-pow', () => leaf().pow(2)],
    ['gf-neg', () => leaf().neg()],
    ['gf-exp', () => leaf().exp()],
    ['gf-log', () => leaf().log()],
    ['gf-sum', () => leaf().sum()],
    ['gf-mean', () => leaf().mean()],
    ['gf-max', () => leaf().max()],
  ])('shows the history of %s', (id, build) => {
    const c = cases.find((x) => x.id === id);
    expect(String(build())).toBe(c?.['repr_2.13'] ?? c?.repr);
  });

  it('rounds halves to even, as Python does', () => {
    expect(String(torch.tensor([0.03125, 0.5]))).toBe('tensor([0.0312, 0.5000])');
    expect(String(torch.tensor([0.09375, 0.5]))).toBe('tensor([0.0938, 0.5000])');
  });

  it('refuses options that mean nothing', () => {
    expect(() => torch.setPrintOptions({ precision: -1 })).toThrow(/precision must not be negative/);
  });
});
