/** Arguments by PyTorch's names: functions and methods take any tail of them in an options object. */
import { describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';

const { functional: F } = torch.nn;
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
