import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { OpNode } from '../../src/autograd/node.ts';
import { walkHooks } from '../../src/autograd/walkHooks.ts';
import { wasmBackend } from '../../src/backend/registry.ts';
import { WasmBackend } from '../../src/backend/wasm/index.ts';
import { Pool } from '../../src/backend/wasm/pool.ts';
import * as torch from '../../src/index.ts';
import { data, nn, optim } from '../../src/index.ts';
import { type Profile, profile, recordFunction } from '../../src/profiler/index.ts';

class FullyConnected extends nn.Module {
  linear_1 = new nn.Linear(6, 20);
  linear_2 = new nn.Linear(20, 3, { bias: false });
  forward(x: torch.Tensor): torch.Tensor {
    return this.linear_2.forward(nn.functional.relu(this.linear_1.forward(x)));
  }
}

const STEPS = 4;

function training(): () => number[] {
  torch.manualSeed(3);
  const model = new FullyConnected();
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
  const set = new data.TensorDataset(torch.randn(STEPS * 8, 6), torch.randint(3, [STEPS * 8]));
  const loader = new data.DataLoader(set, { batchSize: 8, shuffle: true });
  return () =>
    [...loader].map(([x, y]) => {
      const loss = nn.functional.crossEntropy(model.forward(x), y);
      loss.backward();
      optimizer.step();
      optimizer.zeroGrad();
      return loss.item();
    });
}

/** The functions that a profile replaces while it runs. */
const watched = (): unknown[] => [
  ...(['empty', 'matmul', 'unary', 'upload'] as const).map((name) => WasmBackend.prototype[name]),
  nn.Linear.prototype.forward,
  nn.Sequential.prototype.forward,
  OpNode.prototype.backward,
  Pool.prototype.run,
  optim.Optimizer.prototype.step,
  data.DataLoader.prototype[Symbol.iterator],
  walkHooks.around,
  ...wasmBackend().runtime.pool.kernels,
];

const row = (prof: Profile, key: string) => {
  const found = prof.keyAverages().get(key);
  if (!found) throw new Error(`no row ${key} in\n${prof}`);
  return found;
};

/**
 * Microseconds of a clock that moves by one whenever it is looked at: where a page is not isolated the real one stands
 * still for 100, in which whole layers compute, and on a busy machine it leaps.
 */
let passed = 0;
beforeEach(() => {
  const begun = performance.now();
  passed = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => begun + ++passed / 1000);
});

afterEach(() => {
  vi.restoreAllMocks();
});

interface TraceEvent {
  ph: string;
  name: string;
  cat?: string;
  ts: number;
  dur: number;
  args: Record<string, unknown>;
}
const traceOf = (prof: Profile): TraceEvent[] => JSON.parse(prof.chromeTrace()).traceEvents;

describe('profile', () => {
  it('counts every kernel, node and step of a training, and changes no bit of it', () => {
    const plain = training()();
    const run = training();
    const prof = profile(run);
    expect(prof.result).toEqual(plain);
    for (const key of ['addmm', 'cross_entropy', 'cross_entropy_grad', 'relu', 'relu_grad', 'AddmmBackward0'])
      expect(row(prof, key).count, key).toBe(STEPS);
    expect(row(prof, 'backward').count).toBe(STEPS);
    expect(row(prof, 'Optimizer.step#SGD.step').count).toBe(STEPS);
    expect(row(prof, 'sgd_step').count).toBe(3 * STEPS);
    expect(row(prof, 'DataLoader.next').count).toBe(STEPS + 1); // the last one says that there is no more
    expect(row(prof, 'Module.forward').count).toBe(3 * STEPS);
  });

  it('says how many bytes were read, written and taken, and how much was computed', () => {
    const a = torch.ones(16, 32);
    const b = torch.ones(32, 8);
    const prof = profile(() => {
      a.matmul(b);
      a.exp();
      a.add_(1);
      a.expand(4, 16, 32).sum();
    });
    expect(row(prof, 'matmul')).toMatchObject({
      count: 1,
      bytes: 4 * (16 * 32 + 32 * 8 + 16 * 8),
      cpuMemoryUsage: 4 * 16 * 8,
      flops: 2 * 16 * 32 * 8,
    });
    expect(row(prof, 'exp')).toMatchObject({ bytes: 2 * 4 * 16 * 32, cpuMemoryUsage: 4 * 16 * 32, flops: 0 });
    expect(row(prof, 'add')).toMatchObject({ bytes: 4 * 16 * 32, cpuMemoryUsage: 0 });
    expect(row(prof, 'sum').bytes).toBe(4 * 16 * 32 + 4);
  });

  it('knows the work of convolutions', () => {
    const conv = new nn.Conv2d(4, 6, 3, { groups: 2 });
    const x = torch.randn(2, 4, 7, 7, { requiresGrad: true });
    const prof = profile(() => conv.forward(x).sum().backward());
    const flops = 2 * (2 * 6 * 5 * 5) * (2 * 3 * 3);
    for (const key of ['conv2d', 'conv2d_grad_input', 'conv2d_grad_weight'])
      expect(row(prof, key).flops, key).toBe(flops);
  });

  it('adds up: self times are disjoint, totals hold what is inside', () => {
    const prof = profile(training());
    const rows = [...prof.keyAverages()];
    for (const one of rows) {
      expect(one.selfCpuTimeTotal, one.key).toBeGreaterThanOrEqual(0);
      expect(one.cpuTimeTotal, one.key).toBeGreaterThanOrEqual(one.selfCpuTimeTotal - 1e-6);
      expect(one.cpuTime).toBeCloseTo(one.cpuTimeTotal / one.count, 6);
    }
    expect(prof.keyAverages().selfCpuTimeTotal).toBeLessThanOrEqual(prof.wallTime);
    expect(row(prof, 'backward').cpuTimeTotal).toBeGreaterThanOrEqual(
      row(prof, 'AddmmBackward0').cpuTimeTotal,
    );
    expect(row(prof, 'AddmmBackward0').bytes).toBeGreaterThanOrEqual(row(prof, 'backward').bytes / 4);
  });

  it('gives modules their forward and their backward time', () => {
    const prof = profile(training());
    const modules = prof.modules();
    expect(modules.rows.map(({ path, type, depth, count }) => [path, type, depth, count])).toEqual([
      ['FullyConnected', 'FullyConnected', 0, STEPS],
      ['FullyConnected.linear_1', 'Linear', 1, STEPS],
      ['FullyConnected.linear_2', 'Linear', 1, STEPS],
    ]);
    const [model, first, second] = modules.rows;
    expect(model.forward).toBeGreaterThanOrEqual(first.forward + second.forward);
    expect(model.selfForward).toBeCloseTo(model.forward - first.forward - second.forward, 3);
    expect(model.backward).toBeCloseTo(first.backward + second.backward + model.selfBackward, 3);
    for (const { selfForward, selfBackward } of [first, second]) {
      expect(selfForward).toBeGreaterThan(0);
      expect(selfBackward).toBeGreaterThan(0);
    }
    expect(first.cpuMemoryUsage).toBe(STEPS * 4 * 8 * 20);
  });

  it('tells modules of the same class, shared ones and hooked ones', () => {
    const shared = new nn.Linear(2, 2);
    const hooked = new nn.Linear(2, 2);
    hooked.registerForwardHook(() => {});
    const one = new nn.Sequential(shared, shared, hooked);
    const two = new nn.Sequential(new nn.Sequential(new nn.ReLU()));
    const prof = profile(() => two.forward(one.forward(torch.ones(1, 2))));
    expect([...prof.modules()].map(({ path, count }) => [path, count])).toEqual([
      ['Sequential', 1],
      ['Sequential.0', 2],
      ['Sequential.2', 1],
      ['Sequential (2)', 1],
      ['Sequential (2).0', 1],
      ['Sequential (2).0.0', 1],
    ]);
  });

  it('sees classes of modules that are made while it runs, and the forward that they inherit', () => {
    const prof = profile(() => {
      class Twice extends FullyConnected {
        override forward(x: torch.Tensor): torch.Tensor {
          return super.forward(x).mul(2);
        }
      }
      return new Twice().forward(torch.ones(1, 6)).shape;
    });
    expect(prof.result).toEqual([1, 3]);
    expect([...prof.modules()].map(({ path, count }) => [path, count])).toEqual([
      ['Twice', 1],
      ['Twice.linear_1', 1],
      ['Twice.linear_2', 1],
    ]);
  });

  it('groups by the shapes of inputs, if they were recorded', () => {
    const run = () => {
      torch.ones(2, 3).exp();
      torch.ones(2, 3).exp();
      torch.ones(5).exp();
    };
    const byShape = profile(run, { recordShapes: true }).keyAverages({ groupByInputShape: true });
    const shapes = [...byShape].filter(({ key }) => key === 'exp');
    expect(shapes.map(({ inputShapes, count }) => [inputShapes, count])).toEqual([
      ['[2, 3]', 2],
      ['[5]', 1],
    ]);
    expect(byShape.table()).toContain('Input Shapes');
    expect(() => profile(run).keyAverages({ groupByInputShape: true })).toThrow(/recordShapes: true/);
  });

  it('prints tables: sorted, limited, with what the columns say', () => {
    const prof = profile(training());
    const lines = prof.keyAverages().table({ sortBy: 'count', rowLimit: 2 }).split('\n');
    expect(lines[1]).toMatch(/^Name +Self CPU % +Self CPU +CPU total % +CPU total +CPU time avg +# of Calls/);
    expect(lines[3]).toMatch(/^matmul .* 16 /);
    expect(lines).toContain(`${prof.keyAverages().length - 2} more rows`);
    expect(String(prof.modules())).toMatch(/^ {2}linear_1: Linear /m);
    expect(String(prof)).toContain('Self CPU time total:');
    expect(() => prof.keyAverages().table({ sortBy: 'color' as 'count' })).toThrow(/sortBy must be one of/);
  });

  it('draws a trace that viewers can open: every span lies inside the one around it', () => {
    const run = training();
    const prof = profile(() => recordFunction('one epoch', run));
    const events = traceOf(prof);
    const spans = events.filter(({ ph }) => ph === 'X').sort((a, b) => a.ts - b.ts || b.dur - a.dur);
    expect(spans[0].name).toBe('one epoch');
    const open: TraceEvent[] = [];
    for (const span of spans) {
      while (open.length > 0 && open[open.length - 1].ts + open[open.length - 1].dur <= span.ts) open.pop();
      const outer = open.at(-1);
      if (outer) expect(span.ts + span.dur, span.name).toBeLessThanOrEqual(outer.ts + outer.dur + 0.002);
      open.push(span);
    }
    expect(events.some(({ name, cat }) => name === 'FullyConnected.linear_1' && cat === 'module')).toBe(true);
    const rule = events.find(({ name }) => name === 'AddmmBackward0');
    expect(rule?.args.Module).toBe('FullyConnected.linear_1');
  });

  it('keeps as many events as it may, and counts all', () => {
    const prof = profile(training(), { maxEvents: 5 });
    expect(traceOf(prof).filter(({ ph }) => ph === 'X')).toHaveLength(5);
    expect(JSON.parse(prof.chromeTrace()).otherData.dropped).toBeGreaterThan(50);
    expect(row(prof, 'addmm').count).toBe(STEPS);
  });

  it('follows an async function to its end', async () => {
    const run = training();
    const start = performance.now();
    const prof = await profile(async () => {
      await torch.tick();
      const losses = run();
      await recordFunction('a wait', async () => {
        await new Promise((resolve) => setTimeout(resolve));
        passed += 20_000;
      });
      return losses.length;
    });
    expect(prof.result).toBe(STEPS);
    expect(row(prof, 'addmm').count).toBe(STEPS);
    expect(prof.wallTime).toBeGreaterThan(20_000);
    expect(prof.wallTime).toBeLessThan((performance.now() - start) * 1000);
    expect(
      traceOf(prof)
        .filter(({ name, ph }) => name === 'a wait' && ph !== 'X')
        .map(({ ph }) => ph),
    ).toEqual(['b', 'e']);
  });

  it('sees the loop over a loader that waits', async () => {
    const loader = new data.DataLoader(new data.TensorDataset(torch.ones(4, 2)), { batchSize: 2 });
    const prof = await profile(async () => {
      let batches = 0;
      for await (const [x] of loader) batches += x.shape[0] / 2;
      return batches;
    });
    expect(prof.result).toBe(2);
    expect(traceOf(prof).filter(({ name }) => name === 'DataLoader.next')).toHaveLength(6);
  });

  it('leaves nothing behind: not after a run, not after an error, not after a rejection', async () => {
    const before = watched();
    profile(training());
    expect(watched()).toEqual(before);
    const during = profile(() => watched()).result;
    expect(during.filter((one, i) => one === before[i]).length).toBeLessThan(before.length - 5);
    const failure = new Error('mine');
    const fail = () => {
      new nn.Linear(2, 2).forward(torch.ones(1, 2));
      throw failure;
    };
    expect(() => profile(fail)).toThrow(failure);
    expect(watched()).toEqual(before);
    await expect(profile(async () => fail())).rejects.toBe(failure);
    expect(watched()).toEqual(before);
    expect(() => profile(() => new nn.Linear(3, 2).forward(torch.ones(1, 2)))).toThrow(
      /cannot be multiplied/,
    );
    expect(profile(() => 4).result).toBe(4);
  });

  it('lets a loop go on that it saw begin', () => {
    const loader = new data.DataLoader(new data.TensorDataset(torch.ones(6, 1)), { batchSize: 2 });
    const { result } = profile(() => {
      const iterator = loader[Symbol.iterator]();
      iterator.next();
      return iterator;
    });
    expect([...result]).toHaveLength(2);
  });

  it('refuses a second one, inside and beside it', async () => {
    expect(() => profile(() => profile(() => 1))).toThrow(/a profile is running already/);
    const first = profile(async () => torch.tick());
    expect(() => profile(() => 1)).toThrow(/must be awaited before the next/);
    await first;
    expect(profile(() => 1).result).toBe(1);
  });

  it('refuses what it cannot run', () => {
    expect(() => profile(3 as unknown as () => number)).toThrow(/expected a function, but got number/);
    expect(() => profile(() => 1, { maxEvents: Number.NaN })).toThrow(/maxEvents must be/);
    expect(() => profile(() => 1, { recordShape: true } as object)).toThrow(/is recordShapes meant/);
  });

  it('says what part the workers had', async () => {
    const { threads } = await torch.init();
    const a = torch.ones(600, 600);
    const run = () => {
      for (let i = 0; i < 5; i++) a.matmul(a);
    };
    const share = row(profile(run), 'matmul').workersShare;
    if (threads === 1) expect(share).toBe(0);
    else expect(share).toBeGreaterThanOrEqual(0);
    expect(share).toBeLessThan(1);
  });
});

describe('recordFunction', () => {
  it('only runs the function where nothing is profiled', () => {
    expect(recordFunction('x', () => 5)).toBe(5);
  });

  it('counts itself once when it is inside itself', () => {
    const down = (n: number): number => recordFunction('down', () => (n === 0 ? 0 : down(n - 1)));
    const prof = profile(() => down(3));
    expect(row(prof, 'down').count).toBe(4);
    expect(row(prof, 'down').cpuTimeTotal).toBeLessThanOrEqual(prof.wallTime);
  });
});
