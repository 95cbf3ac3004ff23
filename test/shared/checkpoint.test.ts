/** Checkpoints: what goes in comes out, bits and all; a run continued is the run undisturbed; nothing is half restored. */
import { describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';
import { ArgumentError, DataError, data, nn, optim, type Tensor } from '../../src/index.ts';
import { type CheckpointState, load, loadCheckpoint, save, saveCheckpoint } from '../../src/io/index.ts';

const F = nn.functional;

/** A checkpoint in memory. */
async function checkpoint(state: CheckpointState): Promise<Uint8Array<ArrayBuffer>> {
  const parts: BlobPart[] = [];
  const stream = new WritableStream<Uint8Array>({
    write: (chunk) => void parts.push(chunk.slice() as Uint8Array<ArrayBuffer>),
  });
  await saveCheckpoint(stream, state);
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}
const bits = (x: Tensor) => new Uint8Array(x.data.buffer, x.data.byteOffset, x.data.byteLength).join();

describe('values', () => {
  it('come back as they were', async () => {
    const state = {
      numbers: [
        0,
        -0,
        1 / 3,
        Number.NaN,
        Number.POSITIVE_INFINITY,
        Number.NEGATIVE_INFINITY,
        5e-324,
        2 ** 53,
      ],
      texts: ['', '∀\u0000"\\', '\ud800'],
      others: [true, false, null, undefined, 2n ** 70n, new Date(7)],
      nested: {
        $number: { $$: 1 },
        ['__proto__']: { a: [{}] },
        '': new Map<unknown, unknown>([
          [1, 'x'],
          [{ k: 2 }, []],
        ]),
      },
      arrays: [
        Float32Array.of(1, -0),
        Int32Array.of(-1),
        Uint8Array.of(),
        BigInt64Array.of(-5n),
        new Float64Array([0.1]),
      ],
    };
    expect(await loadCheckpoint(await checkpoint(state))).toStrictEqual(state);
  });

  it('may be tensors anywhere, and the file is a safetensors file', async () => {
    const x = torch.arange(6).reshape(2, 3);
    const bytes = await checkpoint({ a: { b: [x, x.t()] }, 'a.b.0': torch.tensor([1.5]) });
    const back = await loadCheckpoint<{ a: { b: Tensor[] }; 'a.b.0': Tensor }>(bytes);
    expect(back.a.b.map((t) => t.toArray())).toEqual([x.toArray(), x.t().toArray()]);
    expect(back['a.b.0'].item()).toBe(1.5);
    expect(Object.keys(await load(bytes)).sort()).toEqual(['a.b.0', 'a.b.0#2', 'a.b.1', 'wasmgrad.rng']);
  });

  it('that are saved can be loaded, however deep they are', async () => {
    /** What surrounds a value, and how often that may be. */
    const kinds: [(inside: unknown) => unknown, number][] = [
      [(x) => [x], 63],
      [(x) => ({ a: x }), 63],
      [(x) => new Map([[1, x]]), 21],
      [(x) => new Map([[x, 1]]), 21],
    ];
    for (const [around, most] of kinds) {
      for (const leaf of [7, null, Number.NaN, undefined, [], [1]]) {
        let value: unknown = leaf;
        for (let depth = 1; depth <= most + 1; depth++) {
          value = around(value);
          if (depth < most - 2) continue;
          const bytes = await checkpoint({ value }).catch((error: Error) => error.message);
          if (typeof bytes !== 'string') expect(await loadCheckpoint(bytes)).toStrictEqual({ value });
          else expect(bytes).toMatch(/^saveCheckpoint: value\..* is nested too deep: 64 lists and objects/);
          if (leaf === 7) expect([depth, typeof bytes === 'string']).toEqual([depth, depth > most]);
        }
      }
    }
  });

  it('that cannot be saved are named', async () => {
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    await expect(checkpoint({ a: [() => 1] })).rejects.toThrow(
      'saveCheckpoint: a.0 is a function, which cannot be saved',
    );
    await expect(checkpoint({ a: cycle })).rejects.toThrow('saveCheckpoint: a.self contains itself');
    await expect(checkpoint({ a: new (class Foo {})() })).rejects.toThrow(
      'saveCheckpoint: a is a Foo, which cannot be saved',
    );
    await expect(checkpoint({ a: 10n ** 100_000n })).rejects.toThrow(
      'saveCheckpoint: a has 100001 digits; 100000 can be saved',
    );
    await expect(checkpoint(new nn.Linear(1, 1) as never)).rejects.toThrow(
      'expected an object of what to save',
    );
  });

  it('are those of the moment of the call', async () => {
    const x = torch.ones(3);
    const job = checkpoint({ x });
    x.add_(1);
    torch.rand(1);
    expect((await loadCheckpoint<{ x: Tensor }>(await job)).x.toArray()).toEqual([1, 1, 1]);
  });
});

class Net extends nn.Module {
  first = new nn.Linear(4, 8);
  norm = new nn.BatchNorm1d(8);
  drop = new nn.Dropout(0.3);
  last = new nn.Linear(8, 3);
  forward(x: Tensor): Tensor {
    return this.last.forward(this.drop.forward(F.relu(this.norm.forward(this.first.forward(x)))));
  }
}

type Optimizer = (params: Tensor[]) => optim.Optimizer;
type Scheduler = (optimizer: optim.Optimizer) => { step(metric?: number): void } & {
  stateDict(): unknown;
  loadStateDict(state: never): unknown;
};

interface Kind {
  optimizer: Optimizer;
  scheduler: Scheduler;
  loader?: (set: data.Dataset<[Tensor, Tensor]>) => data.DataLoader<[Tensor, Tensor], [Tensor, Tensor]>;
}

const shuffled: NonNullable<Kind['loader']> = (set) =>
  new data.DataLoader(set, { batchSize: 4, shuffle: true });

/** A small run that can be stopped after any step and continued in a new one. */
class Run {
  readonly model: Net;
  readonly optimizer: optim.Optimizer;
  readonly scheduler: ReturnType<Scheduler>;
  readonly loader: data.DataLoader<[Tensor, Tensor], [Tensor, Tensor]>;
  readonly generator = new torch.Generator().manualSeed(3);
  at = { epoch: 0, losses: [] as number[] };

  constructor({ optimizer, scheduler, loader = shuffled }: Kind) {
    torch.manualSeed(1);
    this.model = new Net();
    const x = torch.randn(18, 4);
    const y = torch.randint(3, [18]);
    const set = new data.TensorDataset(x, y) as unknown as data.Dataset<[Tensor, Tensor]>;
    this.optimizer = optimizer(this.model.parameters());
    this.scheduler = scheduler(this.optimizer);
    this.loader = loader(set);
  }
  get state() {
    const { model, optimizer, scheduler, loader, generator } = this;
    return { model, optimizer, scheduler, loader, generators: [generator] };
  }
  /** Trains 3 epochs in all, or until `steps` losses are there. */
  train(steps = Number.POSITIVE_INFINITY): void {
    for (; this.at.epoch < 3; this.at.epoch++) {
      for (const [x, y] of this.loader) {
        this.optimizer.zeroGrad();
        const noise = torch.randn([x.shape[0], 4], { generator: this.generator }).mul(0.01);
        const loss = F.crossEntropy(this.model.forward(x.add(noise)), y);
        loss.backward();
        this.optimizer.step();
        this.at.losses.push(loss.item());
        if (this.at.losses.length === steps) return;
      }
      this.scheduler.step(this.at.losses[this.at.losses.length - 1]);
    }
  }
  get result() {
    const state = this.model.stateDict();
    return {
      losses: this.at.losses,
      model: Object.keys(state).map((name) => bits(state[name])),
      next: torch.rand(1).item(),
    };
  }
}

describe('a run continued', () => {
  const adam: Optimizer = (p) => new optim.Adam(p, { lr: 0.05, amsgrad: true });
  const step: Scheduler = (o) => new optim.lrScheduler.StepLR(o, 1, 0.5);

  /** Stops after `steps`, continues in a new run, and gives what came of it. */
  async function interrupted(kind: Kind, steps: number) {
    const first = new Run(kind);
    first.train(steps);
    const file = await checkpoint({ ...first.state, at: first.at });
    torch.manualSeed(999);
    const second = new Run(kind);
    torch.rand(7);
    second.at = (await loadCheckpoint<{ at: Run['at'] }>(file, second.state)).at;
    second.train();
    return second.result;
  }
  function undisturbed(kind: Kind) {
    const run = new Run(kind);
    run.train();
    return run.result;
  }

  it('after any step gives the bits of one undisturbed', async () => {
    const kind = { optimizer: adam, scheduler: step };
    const expected = undisturbed(kind);
    expect(expected.losses).toHaveLength(15);
    for (let steps = 1; steps <= 15; steps++) expect(await interrupted(kind, steps)).toEqual(expected);
  });

  const rate = { lr: 0.05 };
  it.each<[string, Optimizer]>([
    ['SGD', (p) => new optim.SGD(p, { ...rate, momentum: 0.9, nesterov: true })],
    ['AdamW', (p) => new optim.AdamW(p, rate)],
    ['Adamax', (p) => new optim.Adamax(p, rate)],
    ['NAdam', (p) => new optim.NAdam(p, rate)],
    ['RAdam', (p) => new optim.RAdam(p, rate)],
    ['RMSprop', (p) => new optim.RMSprop(p, { ...rate, momentum: 0.9, centered: true })],
    ['Adagrad', (p) => new optim.Adagrad(p, rate)],
    ['Adadelta', (p) => new optim.Adadelta(p, { lr: 1 })],
    ['Rprop', (p) => new optim.Rprop(p, rate)],
    ['ASGD', (p) => new optim.ASGD(p, { ...rate, t0: 5 })],
    ['Adafactor', (p) => new optim.Adafactor(p, rate)],
  ])('%s', async (_, optimizer) => {
    const kind = { optimizer, scheduler: step };
    expect(await interrupted(kind, 7)).toEqual(undisturbed(kind));
  });

  const s = optim.lrScheduler;
  it.each<[string, Scheduler]>([
    ['OneCycleLR', (o) => new s.OneCycleLR(o, { maxLr: 0.1, totalSteps: 5 })],
    ['CosineAnnealingWarmRestarts', (o) => new s.CosineAnnealingWarmRestarts(o, { T0: 2 } as never)],
    ['ReduceLROnPlateau', (o) => new s.ReduceLROnPlateau(o, { patience: 0, factor: 0.5 })],
    [
      'SequentialLR',
      (o) =>
        new s.SequentialLR(o, {
          schedulers: [new s.LinearLR(o), new s.ExponentialLR(o, 0.5)],
          milestones: [1],
        }),
    ],
    ['ChainedScheduler', (o) => new s.ChainedScheduler([new s.LinearLR(o), new s.ExponentialLR(o, 0.5)])],
  ])('%s', async (_, scheduler) => {
    const kind = { optimizer: adam, scheduler };
    for (const steps of [3, 8]) expect(await interrupted(kind, steps)).toEqual(undisturbed(kind));
  });

  it.each<[string, NonNullable<Kind['loader']>]>([
    ['in order', (set) => new data.DataLoader(set, { batchSize: 4 })],
    [
      'with a generator',
      (set) =>
        new data.DataLoader(set, {
          batchSize: 4,
          shuffle: true,
          generator: new torch.Generator().manualSeed(5),
        }),
    ],
    [
      'with replacement',
      (set) =>
        new data.DataLoader(set, {
          batchSize: 4,
          dropLast: true,
          sampler: new data.RandomSampler(set, { replacement: true, numSamples: 70 }),
        }),
    ],
    [
      'a subset',
      (set) =>
        new data.DataLoader(set, {
          batchSize: 3,
          sampler: new data.SubsetRandomSampler([1, 5, 9, 13, 2, 4, 6, 8]),
        }),
    ],
    [
      'weighted',
      (set) =>
        new data.DataLoader(set, {
          batchSampler: new data.BatchSampler(
            new data.WeightedRandomSampler([...Array(18).keys()], 20, {
              generator: new torch.Generator().manualSeed(6),
            }),
            4,
            false,
          ),
        }),
    ],
  ])('loading %s', async (_, loader) => {
    const kind = { optimizer: adam, scheduler: step, loader };
    const expected = undisturbed(kind);
    for (const steps of [1, 5, expected.losses.length - 1])
      expect(await interrupted(kind, steps)).toEqual(expected);
  });

  it('also where batches are awaited', async () => {
    const set = new data.TensorDataset(torch.arange(10));
    const seen = async (loader: AsyncIterable<Tensor[]>, count: number) => {
      const list: unknown[] = [];
      for await (const [x] of loader) if (list.push(x.toArray()) === count) break;
      return list;
    };
    const make = () => new data.DataLoader(set, { batchSize: 3, shuffle: true });
    torch.manualSeed(4);
    const whole = await seen(make() as never, 99);
    torch.manualSeed(4);
    const first = make();
    const start = await seen(first as never, 2);
    const second = make();
    second.loadStateDict(first.stateDict());
    expect([...start, ...(await seen(second as never, 99))]).toEqual(whole);
    expect([second.stateDict(), (await seen(second as never, 99)).length]).toEqual([
      { batches: 0, begun: null, generators: [] },
      4,
    ]);
  });
});

describe('a checkpoint that does not fit', () => {
  const parts = () => {
    const model = new Net();
    const optimizer = new optim.Adam(model.parameters(), { lr: 0.1 });
    return { model, optimizer, generator: new torch.Generator().manualSeed(2), weights: torch.ones(2) };
  };
  /** Everything that loading could change. */
  const print = ({ model, optimizer, generator, weights }: ReturnType<typeof parts>) =>
    JSON.stringify([
      Object.values(model.stateDict()).map(bits),
      optimizer.stateDict(),
      bits(generator.getState()),
      bits(weights),
      bits(torch.getRngState()),
    ]);

  it('changes nothing', async () => {
    const other = parts();
    other.model.first.weight = new nn.Parameter(torch.zeros(8, 5));
    const fewer = {
      ...parts(),
      optimizer: new optim.Adam([torch.ones(1, { requiresGrad: true })], { lr: 0.1 }),
    };
    const good = await checkpoint(parts());
    const files: [Uint8Array<ArrayBuffer>, string | RegExp][] = [
      [
        await checkpoint(other),
        /model: Error\(s\) in loading state_dict for Net:\n\tsize mismatch for first.weight/,
      ],
      [await checkpoint(fewer), /optimizer: loaded state dict contains a parameter group that doesn't match/],
      [
        await checkpoint({ ...parts(), generator: new Uint8Array(3) }),
        /generator: setState: expected a state of 5056 bytes/,
      ],
      [await checkpoint({ ...parts(), generator: 'x' }), /its generator is no state of a generator/],
      [
        await checkpoint({ ...parts(), weights: torch.ones(3) }),
        /its weights is a tensor of float32 \[3\], but float32 \[2\] is expected/,
      ],
      [await checkpoint({ ...parts(), model: { a: 1 } }), /model: Error\(s\) in loading/],
      [await checkpoint({ ...parts(), optimizer: null }), /optimizer: loadStateDict: expected \{ state/],
      [
        await checkpoint({
          ...parts(),
          optimizer: { state: { 0: { step: 1 } }, paramGroups: parts().optimizer.stateDict().paramGroups },
        }),
        /optimizer: loadStateDict: the state of a parameter lacks the tensor expAvg/,
      ],
      [await checkpoint({ model: 1 }), 'it has no optimizer; it has model'],
      [
        good.map((byte, i) => (i === good.length - 1 ? byte ^ 1 : byte)),
        /its checksum is .* instead of .*: its elements are damaged/,
      ],
    ];
    const here = parts();
    const before = print(here);
    for (const [file, message] of files) {
      const error: unknown = await loadCheckpoint(file, here).then(
        () => null,
        (e) => e,
      );
      expect(String(error)).toMatch(message);
      expect(error instanceof DataError || error instanceof ArgumentError).toBe(true);
      expect(print(here)).toBe(before);
    }
    await loadCheckpoint(good, here);
  });

  it('takes back objects of other classes, also when one of them loads nothing', async () => {
    class Averages {
      readonly sums = new Float64Array(2);
      readonly counts = new Map([['a', 1]]);
      stateDict() {
        return { sums: this.sums, counts: this.counts };
      }
      loadStateDict({ sums, counts }: ReturnType<Averages['stateDict']>) {
        this.sums.set(sums);
        for (const [key, count] of counts) this.counts.set(key, count);
      }
    }
    const broken = {
      stateDict: () => ({}),
      loadStateDict: () => {
        throw new Error('it is broken');
      },
    };
    const other = new Averages();
    other.sums.fill(7);
    other.counts.set('a', 9);
    const file = await checkpoint({ averages: other, broken });
    const averages = new Averages();
    await expect(loadCheckpoint(file, { averages, broken })).rejects.toThrow(
      'the given bytes: broken: it is broken',
    );
    expect([[...averages.sums], averages.counts.get('a')]).toEqual([[0, 0], 1]);
  });

  it('or is none, or was cut anywhere, is a DataError', async () => {
    const parts: BlobPart[] = [];
    await save(
      { a: torch.ones(1) },
      new WritableStream<Uint8Array>({ write: (c) => void parts.push(c as Uint8Array<ArrayBuffer>) }),
    );
    await expect(loadCheckpoint(new Blob(parts))).rejects.toThrow(
      'it holds tensors, but is no checkpoint; load(…) reads them',
    );
    const file = await checkpoint({ x: torch.ones(2), y: [1] });
    const x = torch.zeros(2);
    for (let length = 0; length < file.length; length += length < 400 || length > file.length - 20 ? 1 : 97) {
      const error: unknown = await loadCheckpoint(file.subarray(0, length), { x }).then(
        () => null,
        (e) => e,
      );
      expect(error).toBeInstanceOf(DataError);
    }
    expect(x.toArray()).toEqual([0, 0]);
  });

  it('does not touch the random numbers unless something is restored', async () => {
    const file = await checkpoint({ epoch: 3, weights: torch.ones(1) });
    torch.manualSeed(11);
    expect((await loadCheckpoint(file)).epoch).toBe(3);
    await loadCheckpoint(file, { weights: torch.zeros(1) }, { rng: false });
    const drawn = torch.rand(1).item();
    torch.manualSeed(11);
    expect(torch.rand(1).item()).toBe(drawn);
  });
});

describe('the position of a loader', () => {
  it('is checked before it is taken', () => {
    const loader = new data.DataLoader(new data.TensorDataset(torch.arange(4)), { batchSize: 2 });
    const state = torch.getRngState().data as Uint8Array;
    const bad: [never, RegExp][] = [
      [{ batches: -1, begun: null, generators: [] } as never, /batches must be a non-negative integer/],
      [{ batches: 1, begun: null, generators: [] } as never, /1 batches were given, but begun is null/],
      [{ batches: 3, begun: [state], generators: [] } as never, /3 batches were given, but a pass has 2 now/],
      [{ batches: 1, begun: [], generators: [] } as never, /expected the states of 1 generators, but got 0/],
      [{ batches: 1, begun: [5], generators: [] } as never, /must be 5056 bytes/],
      [
        { batches: 1, begun: [state], generators: [state] } as never,
        /expected the states of 0 generators, but got 1/,
      ],
      [{ batches: 1, begun: [state.subarray(1)], generators: [] } as never, /expected a state of 5056 bytes/],
    ];
    for (const [one, message] of bad) expect(() => loader.loadStateDict(one)).toThrow(message);
    expect([...loader]).toHaveLength(2);
  });
});

describe('a refused checkpoint', () => {
  it('takes back option names that the optimizer did not have', async () => {
    const layer = new nn.Linear(2, 2);
    const optimizer = new optim.Adam(layer.parameters(), { lr: 0.1 });
    const { state, paramGroups } = optimizer.stateDict();
    const { weightDecay, ...others } = paramGroups[0];
    const renamed = { state, paramGroups: [{ ...others, weigHtDecay: weightDecay }] };
    const bytes = await checkpoint({ optimizer: renamed, generator: Uint8Array.of(1, 2, 3) });
    const generator = new torch.Generator();
    const before = JSON.stringify(optimizer.stateDict());
    await expect(loadCheckpoint(bytes, { optimizer, generator })).rejects.toThrow(/generator/);
    expect(JSON.stringify(optimizer.stateDict())).toBe(before);
    optimizer.loadStateDict(renamed as never);
    expect(Object.keys(optimizer.paramGroups[0])).toContain('weigHtDecay');
    expect(optimizer.paramGroups[0].weightDecay).toBe(0);
    optimizer.loadStateDict({ state, paramGroups });
    expect(JSON.stringify(optimizer.stateDict())).toBe(before);
  });
});
