/** Data sets, samplers and loaders: PyTorch's orders and draws, batches, and what is refused. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ArgumentError,
  arange,
  DTypeError,
  data,
  defaultGenerator,
  Generator,
  IndexError,
  manualSeed,
  rand,
  randn,
  ShapeError,
  setDefaultDevice,
  sqrt,
  type Tensor,
  tensor,
} from '../../src/index.ts';
import { loadGolden, sha256 } from '../golden.ts';

interface SamplerCase {
  seed?: number;
  order?: number[];
  epochs?: (number | number[])[][];
  next_rand_after?: number[];
  lengths?: number[];
  indices_first20?: number[][];
  sha256_le_i64?: string[];
}
interface Filled {
  first: number[];
  last: number[];
  sha256_le: string;
}
interface Golden {
  samplers: Record<string, SamplerCase>;
  tutorial: {
    train_indices_sha256_le_i64: string;
    val_indices_sha256_le_i64: string;
    engine_sha256_after_split: string;
    engine_sha256_before_epoch_1: string;
    W1: Filled;
    W2: Filled;
    epochs: {
      engine_sha256_after: string;
      order_first20_positions_in_train_subset?: number[];
      order_first20_dataset_indices?: number[];
      order_sha256_le_i64?: string;
    }[];
  };
}

const golden = await loadGolden<Golden>('rng');
const MT_STATE_BYTES = 5016;
const engineHash = () => sha256(defaultGenerator.engine.getState().subarray(0, MT_STATE_BYTES));
const asInt64 = (list: ArrayLike<number>) => BigInt64Array.from(list, BigInt);

/** The numbers 0 … n − 1, each sample its own number. */
class Range extends data.Dataset<number> {
  readonly length: number;
  constructor(length: number) {
    super();
    this.length = length;
  }
  override get(index: number): number {
    if (index < 0 || index >= this.length) throw new IndexError('Range');
    return index;
  }
}
const range = (n: number) => new Range(n);
const numbersOf = (batch: Tensor) => Array.from<number | bigint, number>(batch.data, Number);

/** What the golden file calls them, and how to make them here. Each entry gives one list per pass. */
const samplers: Record<string, () => Iterable<number>> = {
  'RandomSampler(range(20))': () => new data.RandomSampler(range(20)),
  'RandomSampler twice': () => new data.RandomSampler(range(20)),
  'RandomSampler(range(20), replacement=True, num_samples=50)': () =>
    new data.RandomSampler(range(20), { replacement: true, numSamples: 50 }),
  'RandomSampler(range(10), num_samples=25)': () => new data.RandomSampler(range(10), { numSamples: 25 }),
  'RandomSampler(range(10), generator=Generator().manual_seed(3)) two epochs': () =>
    new data.RandomSampler(range(10), { generator: new Generator().manualSeed(3) }),
  'SubsetRandomSampler([5,6,7,8,9,10])': () => new data.SubsetRandomSampler([5, 6, 7, 8, 9, 10]),
  'WeightedRandomSampler([.1,.9,.4,.7,3.,.6], 8)': () =>
    new data.WeightedRandomSampler([0.1, 0.9, 0.4, 0.7, 3, 0.6], 8, true),
};
const loaders: Record<string, () => data.DataLoader<number>> = {
  'DataLoader shuffle': () => new data.DataLoader(range(23), 5, { shuffle: true }),
  'DataLoader shuffle drop_last': () =>
    new data.DataLoader(range(23), { batchSize: 5, shuffle: true, dropLast: true }),
  'DataLoader no shuffle': () => new data.DataLoader(range(7), { batchSize: 3 }),
  'DataLoader shuffle generator': () =>
    new data.DataLoader(range(12), { batchSize: 5, shuffle: true, generator: new Generator().manualSeed(3) }),
};
const splits: Record<string, readonly [number, number[]]> = {
  'random_split(range(10), [7, 3])': [10, [7, 3]],
  'random_split(range(10), [0.5, 0.3, 0.2])': [10, [0.5, 0.3, 0.2]],
  'random_split(range(11), [0.5, 0.3, 0.2])': [11, [0.5, 0.3, 0.2]],
  'random_split(range(60000), [55000, 5000])': [60000, [55000, 5000]],
};

describe('the orders of PyTorch', () => {
  it('are all tried here', () => {
    const known = [samplers, loaders, splits].flatMap((group) => Object.keys(group));
    expect(known.sort()).toEqual(Object.keys(golden.samplers).sort());
  });

  it.each(Object.keys(samplers))('%s', (name) => {
    const expected = golden.samplers[name];
    manualSeed(expected.seed ?? 0);
    const sampler = samplers[name]();
    for (const pass of expected.epochs ?? [expected.order]) expect([...sampler]).toEqual(pass);
    if (expected.next_rand_after)
      expect([...rand(2).data]).toEqual(expected.next_rand_after.map(Math.fround));
  });

  it.each(Object.keys(loaders))('%s', (name) => {
    const expected = golden.samplers[name];
    manualSeed(expected.seed!);
    const loader = loaders[name]();
    for (const pass of expected.epochs!) {
      expect(loader.length).toBe(pass.length);
      expect(Array.from(loader, numbersOf)).toEqual(pass);
    }
    expect([...rand(2).data]).toEqual(expected.next_rand_after!.map(Math.fround));
  });

  it.each(Object.keys(splits))('%s', async (name) => {
    const expected = golden.samplers[name];
    manualSeed(expected.seed!);
    const [n, lengths] = splits[name];
    const parts = data.randomSplit(range(n), lengths);
    expect(parts.map((part) => part.length)).toEqual(expected.lengths);
    expect(parts.map(({ indices }) => Array.from(indices.subarray(0, 20)))).toEqual(expected.indices_first20);
    const hashes = await Promise.all(parts.map(({ indices }) => sha256(asInt64(indices))));
    expect(hashes).toEqual(expected.sha256_le_i64);
  });
});

describe('the stream of the tutorial', () => {
  const { tutorial } = golden;

  it('splits, initialises and shuffles as PyTorch does', async () => {
    manualSeed(7);
    const [train, validation] = data.randomSplit(range(60000), [55000, 5000]);
    expect(await sha256(asInt64(train.indices))).toBe(tutorial.train_indices_sha256_le_i64);
    expect(await sha256(asInt64(validation.indices))).toBe(tutorial.val_indices_sha256_le_i64);
    expect(await engineHash()).toBe(tutorial.engine_sha256_after_split);
    const weights = [randn(784, 500).div(sqrt(tensor(784))), randn(500, 10).div(sqrt(tensor(500)))];
    for (const [i, { first, last, sha256_le }] of [tutorial.W1, tutorial.W2].entries()) {
      const values = weights[i].data as Float32Array;
      expect(Array.from(values.subarray(0, 8))).toEqual(first.map(Math.fround));
      expect(Array.from(values.subarray(-8))).toEqual(last.map(Math.fround));
      expect(await sha256(values)).toBe(sha256_le);
    }
    expect(await engineHash()).toBe(tutorial.engine_sha256_before_epoch_1);

    const batchesOf = (set: data.Dataset<number>, shuffle: boolean) =>
      new data.DataLoader(set, { batchSize: 128, shuffle, collateFn: (samples) => samples });
    const positions = batchesOf(range(train.length), true);
    const validationLoader = batchesOf(validation, false);
    expect(tutorial.epochs.filter((epoch) => epoch.order_sha256_le_i64)).toHaveLength(4);
    for (const epoch of tutorial.epochs) {
      const order = [...positions].flat();
      if (epoch.order_sha256_le_i64) {
        expect(order.slice(0, 20)).toEqual(epoch.order_first20_positions_in_train_subset);
        expect(order.slice(0, 20).map((i) => train.get(i))).toEqual(epoch.order_first20_dataset_indices);
        expect(await sha256(asInt64(order))).toBe(epoch.order_sha256_le_i64);
      }
      expect([...validationLoader].flat()).toEqual(Array.from(validation.indices));
      expect(await engineHash()).toBe(epoch.engine_sha256_after);
    }
  });
});

describe.each(['cpu', 'reference'])('on %s', (device) => {
  beforeAll(() => setDefaultDevice(device));
  afterAll(() => setDefaultDevice('cpu'));

  it('TensorDataset gives rows and batches of rows', () => {
    const set = new data.TensorDataset(
      tensor([
        [1, 2],
        [3, 4],
        [5, 6],
      ]),
      tensor([0n, 1n, 2n]),
    );
    const [x, y] = set.get(-1);
    expect([x.toArray(), y.item()]).toEqual([[5, 6], 2]);
    const [[xs, ys], [xLast]] = [...new data.DataLoader(set, { batchSize: 2 })];
    expect(xs.toArray()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect([ys.dtype, ys.toArray()]).toEqual(['int64', [0, 1]]);
    expect(xLast.shape).toEqual([1, 2]);
    expect([xs.device, ys.device]).toEqual([device, device]);
    expect(() => new data.TensorDataset(tensor([1, 2]), tensor([1]))).toThrow(
      /Size mismatch between tensors/,
    );
    expect(() => new data.TensorDataset(tensor(1))).toThrow(ShapeError);
    expect(() => new data.TensorDataset()).toThrow(ArgumentError);
    expect(() => set.get(3)).toThrow(IndexError);
  });

  it('makes the same batches from samples and at once', () => {
    const set = new data.TensorDataset(rand(10, 3), rand(10));
    const nested = new data.Subset(new data.Subset(set, [9, 8, 7, 2, 1]), [4, 0, 2]);
    const single = { length: 3, get: (i: number) => nested.get(i) };
    const [whole] = new data.DataLoader(nested, { batchSize: 3 });
    const [collated] = new data.DataLoader(single, { batchSize: 3 });
    expect(whole.map((x) => x.toArray())).toEqual(collated.map((x) => x.toArray()));
    expect(whole[0].toArray()).toEqual([1, 9, 7].map((i) => set.get(i)[0].toArray()));
  });

  it('collates every kind of sample', () => {
    const samples = [
      {
        x: tensor([1, 2]),
        label: 3,
        name: 'a',
        ok: true,
        pair: [0.5, 1n] as const,
        bytes: Uint8Array.of(1, 2),
      },
      {
        x: tensor([3, 4]),
        label: 4,
        name: 'b',
        ok: false,
        pair: [1, 2n] as const,
        bytes: Uint8Array.of(3, 4),
      },
    ];
    const batch = data.defaultCollate(samples);
    expect(batch.x.toArray()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect([batch.label.dtype, batch.label.toArray()]).toEqual(['int64', [3, 4]]);
    expect(batch.name).toEqual(['a', 'b']);
    expect([batch.ok.dtype, batch.ok.toArray()]).toEqual(['bool', [true, false]]);
    expect([batch.pair[0].dtype, batch.pair[1].dtype]).toEqual(['float32', 'int64']);
    expect([batch.bytes.dtype, batch.bytes.toArray()]).toEqual([
      'uint8',
      [
        [1, 2],
        [3, 4],
      ],
    ]);
    expect(() => data.defaultCollate([tensor([1]), tensor([1, 2])])).toThrow(ShapeError);
    expect(() => data.defaultCollate([[1], [1, 2]])).toThrow(/equal size, but got 1 and 2/);
    expect(() => data.defaultCollate([null, 1])).toThrow(DTypeError);
    expect(() => data.defaultCollate([])).toThrow(ShapeError);
  });
});

describe('sets of sets', () => {
  it('StackDataset gives one sample of each set', () => {
    const rows = arange(6).reshape(3, 2);
    const pairs = new data.StackDataset(range(3), rows, ['a', 'b', 'c']);
    expect(pairs.length).toBe(3);
    const [number, row, letter] = pairs.get(-2);
    expect([number, row.toArray(), letter]).toEqual([1, [2, 3], 'b']);
    const named = new data.StackDataset({ image: rows, label: [5, 6, 7] });
    expect(named.get(2).label).toBe(7);
    const [batch] = [...new data.DataLoader(named, { batchSize: 3 })];
    expect(batch.image.shape).toEqual([3, 2]);
    expect(batch.label.toArray()).toEqual([5, 6, 7]);
    expect(() => new data.StackDataset(range(3), range(2))).toThrow(
      'StackDataset: Size mismatch between datasets: got lengths 3, 2',
    );
    expect(() => new data.StackDataset()).toThrow(ArgumentError);
    for (const bad of [null, 3, 'abc', new Map()])
      expect(() => new data.StackDataset(range(2), bad as never)).toThrow(
        "StackDataset: argument '1' must be a data set, a list or a tensor, but got",
      );
    expect(() => new data.StackDataset(arange(3).sum())).toThrow('StackDataset: a tensor of no dimension');
    expect(() => pairs.get(3)).toThrow(IndexError);
  });

  it('ChainDataset gives streams one after the other', async () => {
    async function* late() {
      yield 3;
    }
    const now = new data.ChainDataset<number>([[1, 2], new Set([3])]);
    const batches = [...new data.DataLoader(now, { batchSize: 2 })];
    expect(batches.map((x) => (x as Tensor).toArray())).toEqual([[1, 2], [3]]);
    const mixed = new data.ChainDataset<number>([[1, 2], late()]);
    const all: number[] = [];
    for await (const x of mixed[Symbol.asyncIterator]()) all.push(x);
    expect(all).toEqual([1, 2, 3]);
    expect(() => new data.ChainDataset(3 as never)).toThrow("argument 'datasets' must be a list of streams");
    expect(() => new data.ChainDataset([[1], 3 as never])).toThrow(
      "ChainDataset: argument 'datasets[1]' must be a stream, but got",
    );
    expect(() => [...mixed[Symbol.iterator]()]).toThrow('a stream that takes its time needs `for await`');
  });

  it('ConcatDataset finds each sample', () => {
    const set = new data.ConcatDataset([range(2), range(0), range(3)]);
    expect(set.cumulativeSizes).toEqual([2, 2, 5]);
    expect(Array.from({ length: set.length }, (_, i) => set.get(i))).toEqual([0, 1, 0, 1, 2]);
    expect(set.get(-1)).toBe(2);
    expect(() => set.get(5)).toThrow(IndexError);
    expect(() => new data.ConcatDataset([])).toThrow(ArgumentError);
  });

  it('Subset refuses numbers that name no sample', () => {
    expect(() => new data.Subset(range(3), [0, 3])).toThrow(
      /index 3 is out of range for a data set of 3 samples/,
    );
    expect(() => new data.Subset(range(3), [0.5])).toThrow(IndexError);
    expect(() => new data.Subset(range(3), [0]).get(1)).toThrow(IndexError);
  });

  it('takes tensors of numbers where lists are taken', () => {
    const order = tensor([2n, 0n, 1n]);
    expect([...new data.Subset(range(3), order).indices]).toEqual([2, 0, 1]);
    expect(new Set(new data.SubsetRandomSampler(order))).toEqual(new Set([0, 1, 2]));
    expect([...new data.WeightedRandomSampler(tensor([0, 1]), 3)]).toEqual([1, 1, 1]);
  });

  it('DataLoader takes any list or iterable of the user as its order', () => {
    const set = range(6);
    const lists = (options: object) => Array.from(new data.DataLoader(set, options), numbersOf);
    const own = { my_order: [5, 4, 0], generator: 'mine', length: 3, *[Symbol.iterator]() { yield* this.my_order; } }; // biome-ignore format: one object
    for (const sampler of [[5, 4, 0], own]) expect(lists({ batchSize: 2, sampler })).toEqual([[5, 4], [0]]);
    expect(lists({ batchSampler: [[1, 2], [3]] })).toEqual([[1, 2], [3]]); // biome-ignore format: two lists
  });

  it('randomSplit refuses lengths that do not add up, and draws nothing then', () => {
    manualSeed(7);
    expect(() => data.randomSplit(range(10), [5, 4])).toThrow(
      /does not equal the length of the input dataset/,
    );
    expect(() => data.randomSplit(range(10), [11, -1])).toThrow(ArgumentError);
    expect(() => data.randomSplit(range(10), [0.5, 0.2])).toThrow(ArgumentError);
    expect(() => data.randomSplit(range(10), [6, 4], 5 as never)).toThrow('expected a Generator');
    const first = rand(1).item();
    manualSeed(7);
    expect(rand(1).item()).toBe(first);
  });

  it('randomSplit takes a generator', () => {
    const split = () => data.randomSplit(range(10), [6, 4], { generator: new Generator().manualSeed(1) });
    expect(split()[0].indices).toEqual(split()[0].indices);
    expect([...split()[0].indices, ...split()[1].indices].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});

describe('a sampler of a user', () => {
  it('extends Sampler, as in PyTorch', () => {
    class Backwards extends data.Sampler {
      readonly source: data.Sized;
      constructor(source: data.Sized) {
        super();
        this.source = source;
      }
      get length(): number {
        return this.source.length;
      }
      *[Symbol.iterator](): Iterator<number> {
        for (let i = this.length - 1; i >= 0; i--) yield i;
      }
    }
    const set = new data.TensorDataset(arange(5));
    const loader = new data.DataLoader(set, { batchSize: 2, sampler: new Backwards(set) });
    expect([...loader].map(([x]) => x.tolist())).toEqual([[4, 3], [2, 1], [0]]);
    expect(Object.keys(new Backwards(set))).toEqual(['source']);
  });
});

describe('DataLoader', () => {
  it('waits for samples that are promises, and lets timers run between batches', async () => {
    const later = { length: 5, get: (i: number) => Promise.resolve([tensor([i]), i] as [Tensor, number]) };
    const loader = new data.DataLoader(later, { batchSize: 2 });
    let ticks = 0;
    const timer = setInterval(() => ticks++, 0);
    const seen: number[] = [];
    for await (const [x, y] of loader) {
      expect(x.shape).toEqual([y.length, 1]);
      seen.push(...numbersOf(y));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    clearInterval(timer);
    expect(seen).toEqual([0, 1, 2, 3, 4]);
    expect(ticks).toBeGreaterThan(0);
    expect(() => [...loader]).toThrow(/for await/);
  });

  it('visits the same samples asynchronously', async () => {
    const loader = new data.DataLoader(range(9), { batchSize: 4, shuffle: true });
    manualSeed(5);
    const plain = Array.from(loader, numbersOf);
    manualSeed(5);
    const awaited: number[][] = [];
    for await (const batch of loader) awaited.push(numbersOf(batch));
    expect(awaited).toEqual(plain);
  });

  it('takes samplers, batch samplers and collate functions', () => {
    const sampler = new data.SubsetRandomSampler([1, 3, 5]);
    const picked = new data.DataLoader(range(9), { sampler, batchSize: 3 });
    expect(numbersOf([...picked][0]).sort()).toEqual([1, 3, 5]);
    const batchSampler = {
      length: 2,
      *[Symbol.iterator]() {
        yield [1, 2];
        yield [0];
      },
    };
    expect(Array.from(new data.DataLoader(range(3), { batchSampler }), numbersOf)).toEqual([[1, 2], [0]]);
    const sums = new data.DataLoader(range(4), {
      batchSize: 2,
      collateFn: (list) => list.reduce((a, b) => a + b),
    });
    expect([...sums]).toEqual([1, 5]);
  });

  it('reports its length', () => {
    expect(new data.DataLoader(range(7), 3).length).toBe(3);
    expect(new data.DataLoader(range(7), { batchSize: 3, dropLast: true }).length).toBe(2);
    expect(new data.DataLoader(range(0)).length).toBe(0);
    expect([...new data.DataLoader(range(0))]).toEqual([]);
  });

  it('takes a plain list of samples, and nothing that has none', () => {
    const list = [0, 1, 2, 3, 4].map((i) => [tensor([i, i]), i] as [Tensor, number]);
    const loader = new data.DataLoader(list, 2);
    expect(Array.from(loader, ([x, y]) => [x.shape, numbersOf(y)])).toEqual([
      [
        [2, 2],
        [0, 1],
      ],
      [
        [2, 2],
        [2, 3],
      ],
      [[1, 2], [4]],
    ]);
    for (const nothing of [undefined, {}, 5])
      expect(() => new data.DataLoader(nothing as unknown as [])).toThrow(/DataLoader: expected a data set/);
  });

  it('takes a tensor or a typed array, for its rows', () => {
    const x = randn(5, 2);
    const rows = (order: Iterable<Tensor>) => Array.from(order, (batch) => batch.toArray());
    const all = x.toArray() as number[][];
    expect(rows(new data.DataLoader(x, 2))).toEqual([all.slice(0, 2), all.slice(2, 4), all.slice(4)]);
    expect([...new data.DataLoader(x, { batchSize: 5, shuffle: true })][0].toArray()).not.toEqual(all);
    expect(rows(new data.DataLoader(new Uint8Array([7, 8, 9]), 2))).toEqual([[7, 8], [9]]);
    expect(() => new data.DataLoader(tensor(3))).toThrow(ShapeError);
  });

  it('gives samples as they are where batchSize is null', async () => {
    const x = tensor([[1, 2], [3, 4], [5, 6]]); // biome-ignore format: a matrix
    const loader = new data.DataLoader<Tensor, Tensor>(x, { batchSize: null });
    expect(loader.length).toBe(3);
    expect(Array.from(loader, (row) => row.toArray())).toEqual([[1, 2], [3, 4], [5, 6]]); // biome-ignore format: a matrix
    const later = new data.DataLoader<Promise<number>, number>(
      [5, 6].map((i) => Promise.resolve(i)),
      {
        batchSize: null,
      },
    );
    const seen = [];
    for await (const number of later) seen.push(number);
    expect(seen).toEqual([5, 6]);
    for (const more of [{ dropLast: true }, { collateFn: () => x }])
      expect(() => new data.DataLoader(x, { batchSize: null, ...more })).toThrow(/batchSize null/);
  });

  it('refuses options that exclude each other', () => {
    const sampler = new data.SequentialSampler(range(3));
    const batchSampler = new data.BatchSampler(sampler, 2);
    expect(() => new data.DataLoader(range(3), { sampler, shuffle: true })).toThrow(
      /mutually exclusive with shuffle/,
    );
    expect(() => new data.DataLoader(range(3), { batchSampler, batchSize: 2 })).toThrow(/mutually exclusive/);
    expect(() => new data.DataLoader(range(3), { batchSize: 0 })).toThrow(ArgumentError);
    expect(() => new data.DataLoader(range(3), 1.5)).toThrow(ArgumentError);
    expect(() => new data.RandomSampler(range(0))).toThrow(/numSamples should be a positive integer/);
    expect(() => new data.WeightedRandomSampler([1], 0)).toThrow(ArgumentError);
  });
});

describe('DataLoader of an iterable', () => {
  /** Notes when a pass over it ends, however it ends. */
  class Counting extends data.IterableDataset<[number, number]> {
    ended = 0;
    readonly length = 7;

    override *[Symbol.iterator]() {
      try {
        for (let i = 0; i < this.length; i++) yield [i, i / 2] as [number, number];
      } finally {
        this.ended++;
      }
    }
  }
  class Arriving extends data.IterableDataset<number> {
    override async *[Symbol.asyncIterator]() {
      for (let i = 0; i < 5; i++) {
        await new Promise((resolve) => setTimeout(resolve));
        yield i;
      }
    }
  }
  const firsts = (loader: Iterable<Tensor[]>) => Array.from(loader, ([i]) => numbersOf(i));
  const arrived = async (loader: AsyncIterable<Tensor>, count = 100) => {
    const batches: unknown[] = [];
    for await (const batch of loader) if (batches.push(numbersOf(batch)) === count) break;
    return batches;
  };

  it('batches samples in their order, pass after pass', () => {
    const loader = new data.DataLoader(new Counting(), 3);
    for (let pass = 0; pass < 2; pass++) expect(firsts(loader)).toEqual([[0, 1, 2], [3, 4, 5], [6]]);
    expect(firsts(new data.DataLoader(new Counting(), { batchSize: 3, dropLast: true }))).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
    const single = new data.DataLoader<[number, number], [number, number]>(new Counting(), {
      batchSize: null,
    });
    expect([...single][3]).toEqual([3, 1.5]);
    const sums = { batchSize: 2, collateFn: (list: number[]) => list.reduce((a, b) => a + b) };
    expect([...new data.DataLoader<number, number>(new Set([1, 2, 3]), sums)]).toEqual([3, 3]);
  });

  it('knows its length where the set does', () => {
    expect(new data.DataLoader(new Counting(), 3).length).toBe(3);
    expect(new data.DataLoader(new Counting(), { batchSize: 3, dropLast: true }).length).toBe(2);
    expect(() => new data.DataLoader(new Arriving(), 3).length).toThrow(/without a length/);
  });

  it('waits for what arrives, and says so where it cannot', async () => {
    expect(await arrived(new data.DataLoader(new Arriving(), 2))).toEqual([[0, 1], [2, 3], [4]]);
    expect(() => [...new data.DataLoader(new Arriving(), 2)]).toThrow(/iterate with 'for await'/);
    const promises = new Set([1, 2, 3].map((i) => Promise.resolve(i)));
    expect(await arrived(new data.DataLoader(promises, 2))).toEqual([[1, 2], [3]]);
  });

  it('ends the iterator of the set when the loop is left', async () => {
    const set = new Counting();
    for (const _ of new data.DataLoader(set, 2)) break;
    expect(set.ended).toBe(1);
    for await (const _ of new data.DataLoader(set, 2)) break;
    expect(set.ended).toBe(2);
  });

  it('draws one seed a pass, as PyTorch does', () => {
    manualSeed(3);
    void [...new data.DataLoader(new Counting())];
    const after = rand(1).item();
    manualSeed(3);
    void [...new data.DataLoader([1, 2])];
    expect(rand(1).item()).toBe(after);
  });

  it('goes on where it was saved', async () => {
    const loader = new data.DataLoader(new Counting(), 2);
    for (const [i] of loader) if (numbersOf(i)[0] === 2) break;
    const again = new data.DataLoader(new Counting(), 2);
    again.loadStateDict(loader.stateDict());
    expect(firsts(again)).toEqual([[4, 5], [6]]);
    expect(firsts(again)).toEqual([[0, 1], [2, 3], [4, 5], [6]]);
    const arriving = new data.DataLoader(new Arriving(), 2);
    await arrived(arriving, 1);
    const later = new data.DataLoader(new Arriving(), 2);
    later.loadStateDict(arriving.stateDict());
    expect(await arrived(later)).toEqual([[2, 3], [4]]);
  });

  it('refuses an order, and a generator that is spent', () => {
    const set = new Counting();
    const sampler = new data.SequentialSampler(set);
    for (const options of [
      { shuffle: true },
      { sampler },
      { batchSampler: new data.BatchSampler(sampler, 2) },
    ])
      expect(() => new data.DataLoader(set, options)).toThrow(/an order of its own/);
    expect(() => new data.DataLoader(set, 0)).toThrow(/batchSize should be a positive integer/);
    const loader = new data.DataLoader(set[Symbol.iterator](), 4);
    expect(firsts(loader)).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6],
    ]);
    expect(() => firsts(loader)).toThrow(/gives its samples once only/);
  });
});
