/** Arguments that would be read as others, or say nothing: they are refused, in words, before anything is changed. */
import { describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';

const { ones, slice, tensor } = torch;
const F = torch.nn.functional;
const six = (): torch.Tensor => tensor([1, 2, 3, 4, 5, 6]);

describe('fractions', () => {
  it.each<[string, string, () => unknown]>([
    ['narrow', 'start', () => six().narrow(0, 0.5, 2)],
    ['narrow', 'length', () => six().narrow(0, 1, 2.5)],
    ['index', 'start', () => six().index(slice(0.5, 2))],
    ['index', 'end', () => six().index(slice(0, 2.5))],
    ['tril', 'diagonal', () => torch.tril(ones(3, 3), 0.5)],
    ['triu', 'diagonal', () => ones(3, 3).triu({ diagonal: Number.NaN })],
    ['diagonal', 'offset', () => ones(3, 3).diagonal(0.5)],
    ['diag_embed', 'offset', () => torch.diagEmbed(ones(3), 0.5)],
    ['diag', 'diagonal', () => torch.diag(ones(3), 0.5)],
    ['unfold', 'size', () => six().unfold(0, 2.5, 1)],
    ['tensor_split', 'indices', () => six().tensorSplit([1.5])],
    ['roll', 'shifts', () => six().roll(1.5)],
    ['rot90', 'k', () => ones(2, 2).rot90(0.5)],
    ['bincount', 'minlength', () => torch.bincount(tensor([1n]), null, 2.5)],
    ['one_hot', 'numClasses', () => F.oneHot(tensor([1n]), 2.5)],
  ])('%s refuses them as %s', (op, argument, run) => {
    expect(run).toThrow(torch.ArgumentError);
    expect(run).toThrow(new RegExp(`${op}: argument '${argument}' must be an integer, but got `));
  });
  it('change nothing', () => {
    const x = six();
    expect(() => x.indexPut_([slice(0.5, 2.5)], 9)).toThrow(/'start' must be an integer, but got 0.5/);
    expect(x.toArray()).toEqual([1, 2, 3, 4, 5, 6]);
    expect(() => x.split([1.5, 4.5])).toThrow(/split_sizes/);
  });
  it('infinite bounds of slices are pulled in', () => {
    expect(six().index(slice(4, Infinity)).toArray()).toEqual([5, 6]);
  });
  it('counts that memory has no room for are said to be so', () => {
    expect(() => torch.bincount(tensor([5_000_000_000_000n]))).toThrow(torch.DeviceError);
    expect(torch.bincount(tensor([1n, 3n, 1n]), null, 5).toArray()).toEqual([0, 2, 0, 1, 0]);
  });
});
