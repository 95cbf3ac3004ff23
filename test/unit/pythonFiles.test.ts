/** Files of PyTorch and numpy: what they wrote is read to the bit, and what is not data is refused. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';
import { DataError, nn, optim, Tensor } from '../../src/index.ts';
import { loadNpy, loadNpz, loadTorch, saveNpy, saveNpz } from '../../src/io/index.ts';
import { type Described, describeTensor, expectedOf, fixture, fixtureBytes } from '../support/pythonFiles.ts';

let folder: string;
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'wasmgrad-python-'));
});
afterAll(() => fs.rmSync(folder, { recursive: true }));
const at = (name: string) => path.join(folder, name);

const widened: Record<string, string> = {
  float16: 'float32',
  bfloat16: 'float32',
  uint16: 'int32',
  uint32: 'int64',
};

/** The structure as expected.json describes it, tensors compared on the way. */
function check(got: unknown, expected: unknown, where = ''): void {
  if (got instanceof Tensor) {
    const { tensor } = expected as { tensor: Described };
    const seen = describeTensor(got);
    expect([where, seen.shape, seen.dtype]).toEqual([
      where,
      tensor.shape,
      widened[tensor.dtype] ?? tensor.dtype,
    ]);
    if (!(tensor.dtype in widened)) expect([where, seen.hex]).toEqual([where, tensor.hex]);
  } else if (typeof got === 'object' && got !== null) {
    expect([where, Object.keys(got).sort()]).toEqual([where, Object.keys(expected as object).sort()]);
    for (const [key, value] of Object.entries(got)) {
      check(value, (expected as Record<string, unknown>)[key], `${where}.${key}`);
    }
  } else expect([where, got]).toEqual([where, expected]);
}

describe("PyTorch's files", () => {
  it.each(['dtypes.pt', 'model.pth', 'checkpoint.pt', 'views.pt', 'protocol4.pt', 'one.pt'])(
    '%s',
    async (name) => {
      check(await loadTorch(fixture(name)), expectedOf(name));
      check(await loadTorch(new Blob([fixtureBytes(name)])), expectedOf(name));
    },
  );

  it('hold the state of a generator that goes on here', async () => {
    const { rng } = await loadTorch<{ rng: Tensor }>(fixture('checkpoint.pt'));
    const generator = new torch.Generator();
    generator.setState(rng);
    torch.manualSeed(7);
    expect(torch.rand(3, { generator }).toArray()).toEqual(torch.rand(3).toArray());
  });

  it.each<[string, RegExp]>([
    ['code.pt', /its pickle calls|it names posix\.system, which is no tensor and no plain container/],
    ['module.pt', /it names torch\.nn\.modules\.container\.Sequential, which is no tensor/],
    ['legacy.pt', /written by torch.save before PyTorch 1.6/],
    ['stored.npz', /not one of torch.save: it has no data.pkl/],
    ['int8.npy', /it is no file of torch.save/],
  ])('%s is refused', async (name, message) => {
    const error: unknown = await loadTorch(fixture(name)).then(
      () => null,
      (e: unknown) => e,
    );
    expect(error).toBeInstanceOf(DataError);
    expect(String(error)).toMatch(message);
  });

  it('are refused when they are cut, and at limits', async () => {
    const bytes = fixtureBytes('views.pt');
    for (let length = 0; length < bytes.length; length += 7)
      await expect(loadTorch(bytes.subarray(0, length))).rejects.toThrow(DataError);
    await expect(loadTorch(bytes, { maxBytes: 100 })).rejects.toThrow(/limit/);
  });
});

const arrays = [
  'float32',
  'float64',
  'float16',
  'int64',
  'int32',
  'int16',
  'int8',
  'uint8',
  'uint16',
  'uint32',
  'bool',
];

describe("numpy's files", () => {
  it.each([...arrays, 'fortran', 'bigendian', 'scalar', 'empty', 'version2', 'version3'])(
    '%s.npy',
    async (name) => {
      const x = await loadNpy(fixture(`${name}.npy`));
      const described = expectedOf(`${name}.npy`) as Described | undefined;
      if (described) check(x, { tensor: described });
      else
        expect([x.dtype, x.shape, x.flatten().toArray()]).toEqual([
          'int16',
          [2, 3, 4],
          torch.arange(24).mul(5).sub(40).toArray(),
        ]);
    },
  );

  it.each(arrays)('%s.npy is written as numpy writes it', async (name) => {
    await saveNpy(await loadNpy(fixture(`${name}.npy`)), at(name));
    expect(fs.readFileSync(at(name)).toString('latin1')).toBe(
      Buffer.from(fixtureBytes(`${name}.npy`)).toString('latin1'),
    );
  });

  it('archives, stored and compressed, both ways', async () => {
    const stored = await loadNpz(fixture('stored.npz'));
    expect(Object.keys(stored)).toEqual(['x', 'y', 'a/b']);
    expect([stored.y.toArray(), stored['a/b'].item()]).toEqual([[1, 2, 3], true]);
    const packed = await loadNpz(fixture('deflated.npz'));
    expect([packed.x.toArray(), packed.zeros.shape]).toEqual([stored.x.toArray(), [1000]]);
    for (const compressed of [false, true]) {
      await saveNpz(stored, at('a.npz'), { compressed });
      const back = await loadNpz(at('a.npz'));
      for (const [name, x] of Object.entries(stored))
        expect(describeTensor(back[name])).toEqual(describeTensor(x));
    }
    await expect(loadNpz(fixture('deflated.npz'), { maxBytes: 1000 })).rejects.toThrow(
      /larger than the limit/,
    );
  });

  it.each<[string, RegExp]>([
    ['structured.npy', /records of several fields/],
    ['object.npy', /Python objects, which only Python can read/],
    ['one.pt', /it is no .npy file/],
  ])('%s is refused', async (name, message) => {
    await expect(loadNpy(fixture(name))).rejects.toThrow(message);
  });

  it('are refused when they are cut', async () => {
    const bytes = fixtureBytes('int8.npy');
    for (let length = 0; length < bytes.length; length++) {
      await expect(loadNpy(bytes.subarray(0, length))).rejects.toThrow(DataError);
    }
  });
});

describe("PyTorch's trainings", () => {
  const { lrScheduler } = optim;
  type Groups = ConstructorParameters<typeof optim.SGD>[0];
  type Scheduler = { step(): void; loadStateDict(state: Record<string, unknown>): void };
  type Saved = {
    model: Record<string, Tensor>;
    optimizer: optim.OptimizerStateDict;
    scheduler: Record<string, unknown>;
    later: Record<string, Tensor>;
  };
  /** As in generate.py; what the state holds is left out here. */
  const trainings: [string, (groups: Groups) => optim.Optimizer, (o: optim.Optimizer) => Scheduler][] = [
    ['SGD', (p) => new optim.SGD(p, { lr: 1 }), (o) => new lrScheduler.MultiStepLR(o, [1])],
    ['Adam', (p) => new optim.Adam(p), (o) => new lrScheduler.CosineAnnealingLR(o, 1)],
    ['AdamW', (p) => new optim.AdamW(p), (o) => new lrScheduler.StepLR(o, 1)],
    ['Adamax', (p) => new optim.Adamax(p), (o) => new lrScheduler.CosineAnnealingWarmRestarts(o, 1)],
    [
      'Adam in sequence',
      (p) => new optim.Adam(p),
      (o) =>
        new lrScheduler.SequentialLR(
          o,
          [new lrScheduler.ConstantLR(o, 0.5, 2), new lrScheduler.ExponentialLR(o, 0.9)],
          [4],
        ),
    ],
    ['RAdam', (p) => new optim.RAdam(p), (o) => new lrScheduler.LinearLR(o)],
    ['RMSprop', (p) => new optim.RMSprop(p), (o) => new lrScheduler.PolynomialLR(o)],
    ['Adagrad', (p) => new optim.Adagrad(p), (o) => new lrScheduler.ExponentialLR(o, 0.5)],
    ['Adadelta', (p) => new optim.Adadelta(p), (o) => new lrScheduler.ExponentialLR(o, 0.5)],
  ];

  it.each(trainings)('go on here as there, with %s', async (name, makeOptimizer, makeScheduler) => {
    const { [name]: saved } = await loadTorch<Record<string, Saved>>(fixture('resume.pt'));
    const net = new nn.Sequential(new nn.Linear(3, 4), new nn.Tanh(), new nn.Linear(4, 2));
    const optimizer = makeOptimizer([
      { params: (net.get(0) as nn.Module).parameters() },
      { params: (net.get(2) as nn.Module).parameters() },
    ]);
    const scheduler = makeScheduler(optimizer);
    net.loadStateDict(saved.model);
    optimizer.loadStateDict(saved.optimizer);
    scheduler.loadStateDict(saved.scheduler);
    const x = torch.arange(15, { dtype: 'float64' }).mul(0.37).sub(1.1).float().reshape(5, 3).cos();
    for (let step = 0; step < 3; step++) {
      optimizer.zeroGrad();
      net.forward(x).square().mean().backward();
      optimizer.step();
      scheduler.step();
    }
    for (const [key, value] of Object.entries(net.stateDict())) {
      const there = saved.later[key];
      expect(there.sub(saved.model[key]).abs().max().item(), `${key} moves`).toBeGreaterThan(1e-5);
      expect(value.sub(there).abs().max().item(), key).toBeLessThan(2e-6);
    }
    expect(JSON.stringify(optimizer.stateDict().paramGroups)).not.toMatch(/_|foreach|capturable/);
  });
});
