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

describe('lists as indices', () => {
  const x = tensor([
    [1, 2, 3],
    [4, 5, 6],
    [7, 8, 9],
  ]);
  it('of bools are masks, nested ones too', () => {
    expect(x.index([true, false, true]).toArray()).toEqual([
      [1, 2, 3],
      [7, 8, 9],
    ]);
    const cells = [
      [true, false, false],
      [false, false, true],
      [false, true, false],
    ];
    expect(x.index(cells).toArray()).toEqual([1, 6, 8]);
    expect(x.clone().indexPut_([cells], 0).sum().item()).toBe(30);
    expect(() => x.index([true, false])).toThrow(/The shape of the mask \[2\]/);
  });
  it('of integers may be nested', () => {
    const y = x.index(
      [
        [0, 1],
        [2, 0],
      ],
      1,
    );
    expect(y.toArray()).toEqual([
      [2, 5],
      [8, 2],
    ]);
    expect(x.index([1n, -1]).toArray()).toEqual(x.index(tensor([1n, 2n])).toArray());
    expect(x.index([]).shape).toEqual([0, 3]);
  });
  it('of anything else are refused', () => {
    for (const wrong of [[0.5], [null], ['1'], [undefined], [Number.NaN]] as number[][])
      expect(() => x.index(wrong), String(wrong)).toThrow(torch.IndexError);
    expect(() => x.index([[1], [1, 2]])).toThrow(/expected sequence of length 1 at dim 1 \(got 2\)/);
    expect(() => x.index(Symbol.iterator as unknown as number)).toThrow(torch.ArgumentError);
  });
});

it.each([0.7, undefined, 2 ** 40, Number.NaN])('samplers that give %s are refused', (wrong) => {
  const sampler = {
    length: 2,
    *[Symbol.iterator]() {
      yield 0;
      yield wrong as number;
    },
  };
  const loader = new torch.data.DataLoader(new torch.data.TensorDataset(six()), { sampler, batchSize: 2 });
  expect(() => [...loader]).toThrow(torch.IndexError);
});

describe('options that say nothing', () => {
  const { nn } = torch;
  const x = torch.ones(2, 4);
  const wrong = (options: object) => options as never;
  it.each<[string, () => unknown]>([
    ['axis', () => x.quantile(0.5, wrong({ axis: 0 }))],
    ['keepDim', () => torch.quantile(x, 0.5, wrong({ keepDim: true }))],
    ['dtyp', () => x.sum(0, true, wrong({ dtyp: 'float64' }))],
    ['dtyp', () => x.softmax(0, wrong({ dtyp: 'float64' }))],
    ['dtyp', () => x.logSoftmax(0, wrong({ dtyp: 'float64' }))],
    ['dtyp', () => x.cumsum(0, wrong({ dtyp: 'float64' }))],
    ['numclasses', () => F.oneHot(tensor([1n]), wrong({ numclasses: 5 }))],
    ['dims', () => new nn.Softmax(wrong({ dims: 1 }))],
    ['dims', () => new nn.GLU(wrong({ dims: 1 }))],
    ['size', () => new nn.AdaptiveAvgPool2d(wrong({ size: 1 }))],
    ['axis', () => torch.linalg.cross(ones(3), ones(3), wrong({ axis: 0 }))],
    ['axis', () => torch.trapezoid(x, wrong({ axis: 0 }))],
  ])('as %s are refused', (name, run) => {
    expect(run).toThrow(torch.ArgumentError);
    expect(run).toThrow(new RegExp(`(there is no|got an unexpected) option '${name}'`));
  });
  it('batchFirst of unpadSequence is read', () => {
    const padded = torch.arange(6).reshape(3, 2);
    const lengths = torch.tensor([3n, 1n]);
    const { unpadSequence } = nn.utils.rnn;
    const shapes = (options: boolean | { batchFirst: boolean }) =>
      unpadSequence(padded, lengths, options).map((y) => y.toArray());
    expect(shapes({ batchFirst: false })).toEqual(shapes(false));
    expect(shapes(false)).toEqual([[0, 2, 4], [1]]);
  });
  it('the reduction of a loss may be changed, to one that there is', () => {
    const loss = new nn.MSELoss();
    const options = { reduction: 'none' } as const;
    const other = new nn.L1Loss(options);
    loss.reduction = 'sum';
    other.reduction = 'sum';
    expect(loss.forward(x, x.mul(3)).item()).toBe(32);
    expect(other.forward(x, x.mul(3)).item()).toBe(16);
    expect(options.reduction).toBe('none');
    expect(() => {
      loss.reduction = 'median';
    }).toThrow(/median is not a valid value for reduction/);
    expect(loss.reduction).toBe('sum');
  });
  it('the padding row of given vectors is wrapped and checked', () => {
    const vectors = torch.ones(3, 2);
    const layer = nn.Embedding.fromPretrained(vectors, { paddingIdx: -1, freeze: false, dtype: 'float64' });
    expect([layer.paddingIdx, layer.weight.dtype, 'dtype' in layer]).toEqual([2, 'float64', false]);
    layer
      .forward(tensor([2n, 0n]))
      .sum()
      .backward();
    expect(layer.weight.grad?.toArray()).toEqual([[1, 1], [0, 0], [0, 0]]); // biome-ignore format: a row each
    expect(() => nn.Embedding.fromPretrained(vectors, { paddingIdx: 7 })).toThrow(
      /Padding_idx must be within/,
    );
  });
});

describe('optimisers and schedules', () => {
  const { Adam, SGD } = torch.optim;
  const { ReduceLROnPlateau, SequentialLR, StepLR } = torch.optim.lrScheduler;
  const sgd = () => new SGD([torch.ones(1)], { lr: 1 });
  it('betas are two', () => {
    expect(() => new Adam([ones(1)], { betas: [0.9] as never })).toThrow(
      /betas must be a list of two numbers/,
    );
    expect(() => new Adam([ones(1)], { betas: 0.9 as never })).toThrow(torch.ArgumentError);
  });
  it('a plateau comes back from JSON, and takes no state that is none', () => {
    const optimizer = sgd();
    const watcher = new ReduceLROnPlateau(optimizer, { patience: 0 });
    watcher.loadStateDict(JSON.parse(JSON.stringify(watcher.stateDict())));
    watcher.step(3);
    expect([watcher.best, optimizer.paramGroups[0].lr]).toEqual([3, 1]);
    const before = watcher.stateDict();
    for (const bad of [
      { best: 'abc' },
      { mode: 5 },
      { minLrs: [] },
      { minLrs: ['0'] },
      { factor: '0.1' },
      null,
    ])
      expect(() => watcher.loadStateDict(bad as never), JSON.stringify(bad)).toThrow(torch.ArgumentError);
    expect(watcher.stateDict()).toEqual(before);
    new ReduceLROnPlateau(optimizer).loadStateDict({ best: 2, mode: 'max' });
  });
  it('of a sequence that cannot be loaded nothing is', () => {
    const optimizer = sgd();
    const parts = [new StepLR(optimizer, 1), new StepLR(optimizer, 2)];
    const sequence = new SequentialLR(optimizer, parts, [2]);
    const saved = sequence.stateDict();
    const [first, second] = saved.schedulers as Record<string, unknown>[];
    const spoiled = {
      lastEpoch: 9,
      schedulers: [
        { ...first, stepSize: 7 },
        { ...second, stepSize: 'x' },
      ],
    };
    expect(() => sequence.loadStateDict(spoiled)).toThrow(torch.ArgumentError);
    expect(sequence.stateDict()).toEqual(saved);
  });
});
