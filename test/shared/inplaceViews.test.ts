/** Changes in place of views, of expanded tensors and of shapes: what PyTorch records, forgets and refuses. */
import { describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';

const leaf = (...shape: number[]): torch.Tensor => torch.ones(shape).requiresGrad_();
const expanded = (): torch.Tensor => torch.arange(3, { dtype: 'float32' }).expand(3, 3);
const rows = (...row: number[]) => [row, row, row];

describe('an expanded tensor', () => {
  it('is filled, and forgets what a mask or an index names at any of its places', () => {
    expect(expanded().fill_(7).toArray()).toEqual(rows(7, 7, 7));
    expect(expanded().fill_(torch.tensor(7)).toArray()).toEqual(rows(7, 7, 7));
    expect(expanded().zero_().toArray()).toEqual(rows(0, 0, 0));
    const mask = torch.tensor([
      [true, false, true],
      [false, false, true],
      [false, false, false],
    ]);
    expect(expanded().maskedFill_(mask, 5).toArray()).toEqual(rows(5, 1, 5));
    expect(expanded().tril_().toArray()).toEqual(rows(0, 0, 0));
    expect(expanded().tril_(1).toArray()).toEqual(rows(0, 1, 0));
    expect(expanded().triu_(-1).toArray()).toEqual(rows(0, 1, 2));
    expect(
      expanded()
        .indexFill_(0, torch.tensor([0], { dtype: 'int64' }), 5)
        .toArray(),
    ).toEqual(rows(5, 5, 5));
    expect(
      expanded()
        .indexFill_(1, torch.tensor([0], { dtype: 'int64' }), 5)
        .toArray(),
    ).toEqual(rows(5, 1, 2));
    expect(torch.zeros(1).expand(2, 2).fillDiagonal_(1).toArray()).toEqual([
      [1, 1],
      [1, 1],
    ]);
  });
  it('takes what an index puts there, the last or the sum of all', () => {
    const both = [torch.tensor([0, 1], { dtype: 'int64' })];
    expect(
      expanded()
        .indexPut_(both, torch.tensor([rows(1, 2, 3)[0], [4, 5, 6]]))
        .toArray(),
    ).toEqual(rows(4, 5, 6));
    expect(
      expanded()
        .indexPut_([torch.tensor([0], { dtype: 'int64' })], 4)
        .toArray(),
    ).toEqual(rows(4, 4, 4));
    expect(expanded().indexPut_(both, 1, true).toArray()).toEqual(rows(2, 3, 4));
  });
  it('refuses the rest', () => {
    for (const change of [
      (x: torch.Tensor) => x.add_(1),
      (x: torch.Tensor) => x.copy_(torch.ones(3)),
      (x: torch.Tensor) => x.scatter_(0, torch.zeros(1, 3, { dtype: 'int64' }), 1),
    ])
      expect(() => change(expanded())).toThrow(/more than one element of the written-to tensor/);
  });
  it('keeps its layout when it is resized to what it is', () => {
    expect(expanded().resize_(3, 3).stride()).toEqual([0, 1]);
  });
});

describe('an operand that shares memory', () => {
  it('may be the tensor itself, but not lie across it', () => {
    const x = torch.arange(4).float().view(2, 2);
    expect(x.add_(x).toArray()).toEqual([
      [0, 2],
      [4, 6],
    ]);
    expect(x.select(0, 0).add_(x.select(0, 1)).toArray()).toEqual([4, 8]);
    const line = torch.ones(3);
    for (const change of [() => x.add_(x.t()), () => line.narrow(0, 1, 2).copy_(line.narrow(0, 0, 2))])
      expect(change).toThrow(
        /some elements of the input tensor and the written-to tensor refer to a single memory/,
      );
  });
});

describe('a leaf', () => {
  it('collects nothing once it has been told so', () => {
    for (const stop of [(x: torch.Tensor) => x.requiresGrad_(false), (x: torch.Tensor) => x.detach_()]) {
      const x = leaf(2);
      const y = x.mul(2).sum();
      stop(x);
      y.backward();
      expect(x.grad).toBeNull();
    }
  });
  it('that came to be one after its views were made is theirs too', () => {
    const base = torch.ones(2);
    const v = base.view(2);
    v.zero_();
    base.requiresGrad_();
    expect([v.requiresGrad, v.isLeaf]).toEqual([true, false]);
    v.sum().backward();
    expect(base.grad?.toArray()).toEqual([1, 1]);
  });
  it('is made of a base by detach_, whose views keep their history', () => {
    const l = leaf(2);
    const base = l.mul(2);
    const v = base.view(2);
    base.detach_();
    v.sum().backward();
    expect([base.requiresGrad, l.grad?.toArray()]).toEqual([false, [2, 2]]);
  });
});

describe('a change of shape in place', () => {
  it('that is not recorded leaves the history', () => {
    const l = leaf(2, 2);
    const x = l.mul(2);
    torch.noGrad(() => x.unsqueeze_(0));
    expect([x.shape, x.isLeaf, x.version]).toEqual([[1, 2, 2], false, 1]);
    x.sum().backward();
    expect(l.grad?.toArray()).toEqual([
      [2, 2],
      [2, 2],
    ]);
    const y = l.mul(2).view(4);
    torch.noGrad(() => y.unsqueeze_(0));
    y.mul(torch.tensor([1, 2, 3, 4]))
      .sum()
      .backward();
    expect(l.grad?.toArray()).toEqual([
      [4, 6],
      [8, 10],
    ]);
  });
  it('of a base finds the changes that were made through its views', () => {
    const l = leaf(2, 2);
    const x = l.mul(2);
    const v = x.select(0, 0);
    v.mul_(2);
    v.add_(1);
    x.t_();
    x.mul(torch.tensor([[1, 2], [3, 4]])).sum().backward(); // biome-ignore format: a matrix
    expect(l.grad?.toArray()).toEqual([
      [4, 12],
      [4, 8],
    ]);
    const later = leaf(2, 3);
    const base = later.mul(2);
    const row = base.select(0, 0);
    base.t_();
    row.mul_(3);
    base.mul(torch.arange(6).view(3, 2)).sum().backward();
    expect(later.grad?.toArray()).toEqual([
      [0, 12, 24],
      [2, 6, 10],
    ]);
  });
  it('spoils what was saved', () => {
    const x = leaf(2).mul(2);
    const y = x.mul(x);
    x.unsqueeze_(0);
    expect(() => y.sum().backward()).toThrow(/modified by an inplace operation/);
  });
});

describe('a view', () => {
  it('of a leaf is changed where no gradient is wanted alone', () => {
    const x = torch.ones(4).view(2, 2).requiresGrad_();
    for (const view of [x, x.view(4), leaf(4).view(2, 2)])
      expect(() => view.add_(1)).toThrow(/a view of a leaf Variable that requires grad/);
    expect(() => leaf(4).add_(1)).toThrow(/: a leaf Variable that requires grad/);
    expect(
      torch
        .noGrad(() => x.add_(1))
        .sum()
        .item(),
    ).toBe(8);
    const plain = torch.ones(2);
    expect(plain.view(2).add_(leaf(2)).gradFn?.name).toBe('AsStridedBackward0');
    expect(plain.gradFn?.name).toBe('CopySlices');
  });
  it('that was not recorded is a leaf, and takes no recorded change', () => {
    const p = leaf(4);
    const v = torch.noGrad(() => p.view(2, 2));
    expect([v.requiresGrad, v.isLeaf]).toEqual([true, true]);
    v.mul(3).sum().backward();
    expect([v.grad?.sum().item(), p.grad]).toEqual([12, null]);
    expect(() => v.fill_(1)).toThrow(/view was created in no_grad mode and is being modified inplace/);
    const plain = torch.ones(2);
    const early = torch.noGrad(() => plain.view(2));
    expect(() => early.add_(leaf(2))).toThrow(/no_grad mode/);
    torch.noGrad(() => v.add_(1));
    expect(() => v.mul(2)).toThrow(/no_grad mode and its base or another view of its base has been modified/);
    expect(String(v)).toMatch(/2\.]], grad_fn=<Invalid>\)$/);
    expect(v.detach().sum().item()).toBe(8);
    expect(v.requiresGrad_().requiresGrad).toBe(true);
  });
  it('that is one of several takes none either', () => {
    const x = leaf(4).mul(2);
    for (const parts of [x.chunk(2), x.split([1, 3]), x.unbind(), x])
      for (const part of parts) expect(() => part.add_(1)).toThrow(/function that returns multiple views/);
    expect(x.tensorSplit(2)[0].add_(1).toArray()).toEqual([3, 3]);
    expect(torch.ones(4).chunk(2)[0].add_(1).toArray()).toEqual([2, 2]);
    const [part] = x.chunk(2);
    x.mul_(2);
    expect(() => part.mul(2)).toThrow(/multiple views and its base/);
  });
  it('keeps its history when its flags are read without recording', () => {
    const base = torch.zeros(2);
    const v = base.view(2);
    const l = leaf(2);
    base.add_(l);
    expect(torch.noGrad(() => v.isLeaf)).toBe(false);
    v.sum().backward();
    expect(l.grad?.toArray()).toEqual([1, 1]);
  });
  it('is what an integer tensor without dimensions selects', () => {
    const x = torch.arange(6).view(2, 3);
    const one = torch.tensor(1, { dtype: 'int32' });
    x.index(one).fill_(7);
    x.index(torch.slice(), one.sub(2)).fill_(8);
    expect(x.toArray()).toEqual([
      [0, 1, 8],
      [7, 7, 8],
    ]);
    const cube = torch.arange(24).view(2, 3, 4);
    const rowsOf = torch.tensor([0, 1], { dtype: 'int64' });
    expect(cube.index(one, torch.slice(), rowsOf).toArray()).toEqual(
      cube.index(1, torch.slice(), rowsOf).toArray(),
    );
    expect(x.index(one.bool()).shape).toEqual([1, 2, 3]);
    expect(() => x.index(one.add(1))).toThrow('index 2 is out of bounds for dimension 0 with size 2');
  });
  it('is not detached in place', () => {
    expect(() => torch.ones(4).view(2, 2).detach_()).toThrow(/Can't detach views in-place/);
    expect(torch.ones(4).detach().detach_().isLeaf).toBe(true);
  });
});
