/** The core of wasmgrad/distributed: what needs no other process, and, where MPI is installed, the rest on two. */
import { afterEach, describe, expect, it } from 'vitest';
import { walkHooks } from '../../src/autograd/walkHooks.ts';
import { Average } from '../../src/distributed/average.ts';
import { assignBuckets } from '../../src/distributed/buckets.ts';
import type { ProcessGroup } from '../../src/distributed/group.ts';
import * as dist from '../../src/distributed/index.ts';
import { detectLaunch } from '../../src/distributed/launcher.ts';
import { openMpiMajor, openMpiSettings } from '../../src/distributed/openMpi.ts';
import type { Elements, Transport } from '../../src/distributed/transport.ts';
import { planOf, WorkQueue } from '../../src/distributed/work.ts';
import * as torch from '../../src/index.ts';
import { nn, optim } from '../../src/index.ts';
import { Tensor } from '../../src/tensor.ts';
import { launch, whyNot } from '../support/mpi.ts';

afterEach(() => {
  if (dist.isInitialized()) dist.destroyProcessGroup();
});

describe('DistributedSampler', () => {
  const parts = (length: number, numReplicas: number, options: dist.DistributedSamplerOptions = {}) =>
    Array.from({ length: numReplicas }, (_, rank) => [
      ...new dist.DistributedSampler({ length }, { numReplicas, rank, shuffle: false, ...options }),
    ]);

  it('deals samples out in turns, and begins again at the end', () => {
    expect(parts(8, 2)).toEqual([
      [0, 2, 4, 6],
      [1, 3, 5, 7],
    ]);
    expect(parts(7, 3)).toEqual([
      [0, 3, 6],
      [1, 4, 0],
      [2, 5, 1],
    ]);
    // Fewer samples than half of the processes: as often as it takes.
    expect(parts(2, 5)).toEqual([[0], [1], [0], [1], [0]]);
  });

  it('leaves out what cannot be divided, if asked', () => {
    expect(parts(7, 3, { dropLast: true })).toEqual([
      [0, 3],
      [1, 4],
      [2, 5],
    ]);
    expect(parts(6, 3, { dropLast: true })).toEqual(parts(6, 3));
    expect(parts(2, 5, { dropLast: true })).toEqual([[], [], [], [], []]);
  });

  it("takes the order of torch.randperm with the seed plus the epoch, PyTorch's", () => {
    const order = (seed: number) =>
      torch.randperm(10, { generator: new torch.Generator().manualSeed(seed) }).toArray();
    const sampler = new dist.DistributedSampler({ length: 10 }, { numReplicas: 1, rank: 0, seed: 3 });
    expect([...sampler]).toEqual(order(3));
    expect([...sampler]).toEqual(order(3));
    sampler.setEpoch(4);
    expect([...sampler]).toEqual(order(7));
    // torch.randperm(10, generator=torch.Generator().manual_seed(0))
    expect([...new dist.DistributedSampler({ length: 10 }, { numReplicas: 1, rank: 0 })]).toEqual([
      4, 1, 7, 5, 3, 9, 0, 8, 6, 2,
    ]);
  });

  it('says what is wrong', () => {
    const sampler = (options: dist.DistributedSamplerOptions) => () =>
      new dist.DistributedSampler({ length: 4 }, options);
    expect(sampler({})).toThrow(/has not been initialized/);
    expect(sampler({ numReplicas: 2, rank: 2 })).toThrow(
      /Invalid rank 2, rank should be in the interval \[0, 1\]/,
    );
    expect(sampler({ numReplicas: 0, rank: 0 })).toThrow(/numReplicas must be a positive integer/);
  });
});

describe('the average of a bucket', () => {
  const started: number[] = [];
  /** Where each call is complete when it is asked after for the second time. */
  const transport = {
    address: () => 0n,
    allReduce: ({ count }: Elements) => {
      started.push(count);
      let asked = 0;
      return { test: () => ++asked === 2 };
    },
  } as unknown as Transport;
  const group = { size: 4, chunkBytes: 16 } as ProcessGroup;

  it('divides every part once before it leaves, and begins anew', () => {
    const queue = new WorkQueue(1000, 'rank 0 of 4');
    const average = new Average('a bucket', group, transport);
    const x = torch.tensor([4, 8, 12, 16, 20, 24, 28, 32, 36, 40]);
    for (const expected of [
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
      [0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 2.25, 2.5],
    ]) {
      started.length = 0;
      average.begin(x.array);
      queue.add(average).wait();
      expect(started).toEqual([4, 4, 2]);
      expect(x.toArray()).toEqual(expected);
      expect(queue.idle).toBe(true);
    }
  });

  it('is given up at the deadline, by name', () => {
    const queue = new WorkQueue(20, 'rank 0 of 4');
    const never = { ...transport, allReduce: () => ({ test: () => false }) };
    const average = new Average('a bucket', group, never);
    average.begin(torch.ones(3).array);
    expect(() => queue.add(average).wait()).toThrow(
      /^a bucket on rank 0 of 4: not complete after 20 ms\. Another process does not make the same call/,
    );
    expect(() => queue.add(average)).toThrow(/^a bucket: the group failed before: a bucket on rank 0/);
  });
});

describe('operations under way', () => {
  it('say what failed, when another one did', () => {
    const queue = new WorkQueue(20, 'rank 0 of 2');
    const never = (name: string) => queue.add(planOf(name, [() => ({ test: () => false })], () => {}));
    const [first, second] = [never('first'), never('second')];
    expect(() => first.wait()).toThrow(dist.DistributedTimeoutError);
    expect(() => second.wait()).toThrow(
      /^second: the group failed before: first on rank 0 of 2: not complete/,
    );
    expect(() => never('third')).toThrow(/^third: the group failed before: first on rank 0/);
  });
});

describe('buckets', () => {
  const MB = 2 ** 20;
  const float = (mb: number, dtype: 'float32' | 'float64' = 'float32') => {
    const n = (mb * MB) / (dtype === 'float32' ? 4 : 8);
    return { shape: [n], dtype, numel: () => n };
  };

  it('fill from the last parameter on, and the first is small', () => {
    expect(assignBuckets([float(1), float(2), float(3), float(0.5), float(0.5)], MB, 4 * MB)).toEqual([
      [4, 3],
      [2, 1],
      [0],
    ]);
    expect(assignBuckets([float(9)], MB, 4 * MB)).toEqual([[0]]);
  });

  it('leave large ones by themselves', () => {
    const parameters = [float(3), float(0.5), float(2), float(0.25), float(0.25)];
    expect(assignBuckets(parameters, MB, 25 * MB, 2 * MB)).toEqual([[2], [4, 3, 1], [0]]);
  });

  it('hold one dtype each', () => {
    const mixed = [float(1), float(1, 'float64'), float(1), float(1, 'float64')];
    expect(assignBuckets(mixed, MB, 25 * MB)).toEqual([[3], [2], [1], [0]]);
    expect(assignBuckets(mixed, 25 * MB, 25 * MB)).toEqual([
      [3, 1],
      [2, 0],
    ]);
  });
});

describe('settings of Open MPI', () => {
  it('have the names of the version, and are left to other libraries', () => {
    expect(openMpiMajor('Open MPI v4.1.4, package: Debian OpenMPI, ident: 4.1.4')).toBe(4);
    expect(openMpiMajor('Open MPI v5.0.7')).toBe(5);
    expect(openMpiMajor('MPICH Version: 4.0.2')).toBe(0);
    const four = openMpiSettings(4, 2 ** 20);
    expect(four.OMPI_MCA_btl_vader_single_copy_mechanism).toBe('none');
    expect(Number(four.OMPI_MCA_btl_tcp_eager_limit)).toBeGreaterThan(2 ** 19);
    const five = openMpiSettings(5, 2 ** 20);
    expect(five.OMPI_MCA_smsc).toBe('^cma');
    expect(Object.keys(five).join()).not.toMatch(/vader/);
  });
});

describe('launchers', () => {
  it('are known by what they put into the environment', () => {
    expect(detectLaunch({})).toBeNull();
    expect(detectLaunch({ OMPI_COMM_WORLD_SIZE: '2' })).toMatchObject({ size: 2, family: 'openmpi' });
    expect(detectLaunch({ PMI_SIZE: '3' })).toMatchObject({ size: 3, family: 'mpich' });
    const slurm = { SLURM_STEP_NUM_TASKS: '4' };
    expect(detectLaunch(slurm)).toEqual({ launcher: "Slurm's srun", size: 4, family: null });
    expect(detectLaunch({ ...slurm, PMIX_RANK: '0' })).toMatchObject({ size: 4, family: 'openmpi' });
    expect(detectLaunch({ ...slurm, PMI_SIZE: '4' })).toMatchObject({
      launcher: "Slurm's srun",
      family: 'mpich',
    });
  });
});

describe("the backend 'none'", () => {
  it('is what a script gets that runs alone, and changes nothing', () => {
    dist.initProcessGroup();
    expect([dist.getBackend(), dist.getRank(), dist.getWorldSize(), dist.getLocalRank()]).toEqual([
      'none',
      0,
      1,
      0,
    ]);
    const x = torch.tensor([1, 2, 3]);
    expect(dist.allReduce(x)).toBe(x);
    expect(dist.allReduce(x, { op: 'mean', async: true }).wait()).toBe(x);
    expect(x.toArray()).toEqual([1, 2, 3]);
    expect(dist.allGather(x).map((y) => y.toArray())).toEqual([[1, 2, 3]]);
    expect(dist.reduceScatter([x]).toArray()).toEqual([1, 2, 3]);
    expect(dist.broadcast(x, 0)).toBe(x);
    expect(dist.reduce(x, 0)).toBe(x);
    dist.barrier();
    expect(dist.allGatherObject({ a: 1 })).toEqual([{ a: 1 }]);
    expect(dist.averageMetrics({ loss: 3 }, 7)).toEqual({ loss: 3 });
    expect(() => dist.initProcessGroup()).toThrow(/twice/);
    dist.destroyProcessGroup();
    expect(() => dist.getRank()).toThrow(/call initProcessGroup/);
    dist.initProcessGroup({ backend: 'none' });
  });

  it('checks arguments as the others do', () => {
    expect(() => dist.initProcessGroup({ backend: 'gloo' as 'mpi' })).toThrow(
      /'mpi' or 'none', but got gloo/,
    );
    expect(() => dist.initProcessGroup({ timeoutMs: 0 })).toThrow(/timeoutMs must be positive, but got 0/);
    dist.initProcessGroup();
    expect(() => dist.broadcast(torch.zeros(1), 1)).toThrow(/src must be a rank from 0 to 0, but got 1/);
    expect(() => dist.allReduce(torch.arange(2), { op: 'mean' })).toThrow(/'mean' needs a floating dtype/);
    expect(() => dist.allReduce(torch.zeros(2, { device: 'reference' }))).toThrow(/expected a tensor on cpu/);
    expect(() => dist.reduceScatter([])).toThrow(/expected 1 tensors/);
  });
});

describe('DistributedDataParallel', () => {
  const net = () =>
    new nn.Sequential(new nn.Linear(3, 4), new nn.BatchNorm1d(4), new nn.ReLU(), new nn.Linear(4, 2));
  const gradients = (module: nn.Module) => module.parameters().map((p) => p.grad?.toArray());

  it('trains as the model inside, keeps gradients in buckets and forgets them', () => {
    dist.initProcessGroup();
    torch.manualSeed(1);
    const plain = net();
    const wrapped = new dist.DistributedDataParallel(plain.deepcopy(), {
      firstBucketMb: 1e-5,
      bucketCapMb: 1e-4,
    });
    const optimizers = [plain, wrapped].map((m) => new optim.Adam(m.parameters(), { lr: 0.1 }));
    for (let step = 0; step < 4; step++) {
      const x = torch.randn(8, 3);
      for (const [i, model] of [plain, wrapped].entries()) {
        for (const part of [x.narrow(0, 0, 4), x.narrow(0, 4, 4)]) {
          const pass = () => (model as typeof plain).forward(part).square().sum().backward();
          if (part.storageOffset() === 0) wrapped.noSync(pass);
          else pass();
        }
        optimizers[i].step();
      }
      expect(gradients(wrapped)).toEqual(gradients(plain));
      expect(wrapped.stateDict()['0.weight'].toArray()).toEqual(plain.stateDict()['0.weight'].toArray());
      const [weight] = wrapped.parameters();
      const kept = weight.grad;
      for (const optimizer of optimizers) optimizer.zeroGrad(step % 2 === 0);
      // A gradient that user code holds stays readable.
      expect(kept?.shape).toEqual([4, 3]);
    }
    const storages = new Set(wrapped.parameters().map((p) => p.grad?.array.storage));
    expect(storages.size).toBeGreaterThan(1);
  });

  it.each([0.5, 1e-5])('gradients lie in memory as the parameters do, in calls of %s MB', (chunkMb) => {
    dist.initProcessGroup({ chunkMb });
    class Twice extends nn.Module {
      readonly linear = new nn.Linear(3, 4);
      readonly direct = new nn.Linear(3, 4, { bias: false });
      override forward(x: Tensor): Tensor {
        // A gradient in row-major order, where the layer keeps its weight by columns.
        return this.linear.forward(x).add(this.direct.weight.matmul(x.t()).t());
      }
    }
    const model = new Twice();
    const wrapped = new dist.DistributedDataParallel(model.deepcopy());
    const x = torch.randn(5, 3);
    model.forward(x).square().sum().backward();
    wrapped.forward(x).square().sum().backward();
    expect(gradients(wrapped)).toEqual(gradients(model));
    for (const { grad, array } of wrapped.parameters()) expect(grad?.array.strides).toEqual(array.strides);
  });

  it('has the state dict of the model, and reads that of a wrapped one', () => {
    dist.initProcessGroup();
    const wrapped = new dist.DistributedDataParallel(net());
    const state = wrapped.stateDict();
    expect(Object.keys(state)).toEqual(Object.keys(wrapped.module.stateDict()));
    const prefixed = Object.fromEntries(
      Object.entries(state).map(([name, x]) => [`module.${name}`, x.add(1)]),
    );
    wrapped.loadStateDict(prefixed);
    expect(wrapped.stateDict()['3.bias'].sub(prefixed['module.3.bias']).abs().sum().item()).toBe(0);
    expect(() => wrapped.loadStateDict({ x: torch.zeros(1) })).toThrow(/Missing key/);
  });

  it('names the parameters that took no part', () => {
    dist.initProcessGroup();
    class Forgetful extends nn.Module {
      readonly used = new nn.Linear(2, 2);
      readonly unused = new nn.Linear(2, 2);
      override forward(x: Tensor): Tensor {
        return this.used.forward(x);
      }
    }
    const model = new dist.DistributedDataParallel(new Forgetful());
    const pass = () => model.forward(torch.ones(1, 2)).sum().backward();
    expect(pass).toThrow(
      /on rank 0 these parameters took no part in the backward pass: unused.weight, unused.bias\. /,
    );
    expect(pass).toThrow(/took no part/);
    const tolerant = new dist.DistributedDataParallel(new Forgetful(), { findUnusedParameters: true });
    tolerant.forward(torch.ones(1, 2)).sum().backward();
    expect(tolerant.module.unused.weight.grad).toBeNull();
    expect(tolerant.module.used.weight.grad?.toArray()).toEqual([
      [1, 1],
      [1, 1],
    ]);
    expect(() => new dist.DistributedDataParallel(new nn.ReLU())).toThrow(/is not needed when/);
  });

  it('averages nothing in noSync until an async body has an end', async () => {
    dist.initProcessGroup();
    const model = new dist.DistributedDataParallel(
      new nn.Sequential(new nn.Linear(2, 2), new nn.Linear(2, 2)),
    );
    const [first] = model.module;
    // A pass that uses some parameters only is refused where it would be averaged.
    const part = () => first.call(torch.ones(1, 2)) as Tensor;
    const pass = () => part().sum().backward();
    expect(pass).toThrow(/took no part/);
    const both = [0, 5].map((ms) =>
      model.noSync(async () => {
        pass();
        await new Promise((resolve) => setTimeout(resolve, ms));
        pass();
        return ms;
      }),
    );
    expect(await Promise.all(both)).toEqual([0, 5]);
    expect(pass).toThrow(/took no part/);
    await expect(model.noSync(async () => Promise.reject(new Error('on purpose')))).rejects.toThrow(
      'on purpose',
    );
    expect(pass).toThrow(/took no part/);
  });

  it('leaves nothing behind in other backward passes', () => {
    dist.initProcessGroup();
    const model = new dist.DistributedDataParallel(
      new nn.Sequential(new nn.Linear(2, 2), new nn.Linear(2, 2)),
    );
    const [first, second] = model.module;
    const hidden = first.call(torch.ones(1, 2)) as Tensor;
    hidden.registerHook(() => {
      expect(walkHooks.afterNode).not.toBeNull();
      throw new Error('on purpose');
    });
    expect(() => (second.call(hidden) as Tensor).sum().backward()).toThrow('on purpose');
    expect(walkHooks.afterNode).toBeNull();
  });

  it('goes on after a backward pass that failed', () => {
    dist.initProcessGroup();
    const model = new dist.DistributedDataParallel(new nn.Linear(2, 1));
    const y = model.forward(torch.ones(1, 2));
    y.registerHook(() => {
      throw new Error('on purpose');
    });
    expect(() => y.sum().backward()).toThrow('on purpose');
    model.forward(torch.ones(1, 2)).sum().backward();
    expect(model.module.weight.grad?.toArray()).toEqual([[1, 1]]);
  });
});

describe('SyncBatchNorm', () => {
  it('takes the place of batch norms with their state, and is one when alone', () => {
    torch.manualSeed(1);
    const plain = new nn.Sequential(new nn.Conv2d(1, 2, 3), new nn.Sequential(new nn.BatchNorm2d(2)));
    const copy = plain.deepcopy();
    const converted = dist.SyncBatchNorm.convertSyncBatchnorm(copy) as nn.Sequential;
    expect(converted).toBe(copy);
    expect(String(converted)).toContain(
      '(0): SyncBatchNorm(2, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)',
    );
    const x = torch.randn(3, 1, 5, 5);
    expect(converted.call(x)).toBeInstanceOf(Tensor);
    const [a, b] = [plain, converted].map((m) => m.call(x) as Tensor);
    plain.call(x);
    expect(a.sub(b).abs().max().item()).toBe(0);
    expect(Object.keys(converted.stateDict())).toEqual(Object.keys(plain.stateDict()));
    for (const m of [plain, converted]) m.eval();
    const [c, d] = [plain, converted].map((m) => m.call(x) as Tensor);
    expect(c.sub(d).abs().max().item()).toBe(0);
  });
});

describe('SyncBatchNorm as a layer', () => {
  it('takes the options of the others', () => {
    const layer = new dist.SyncBatchNorm(3, 1e-3, null, true, true);
    expect(String(layer)).toBe(
      'SyncBatchNorm(3, eps=0.001, momentum=None, affine=True, bias=True, track_running_stats=True)',
    );
    const double = new dist.SyncBatchNorm(3, { dtype: 'float64', bias: false });
    expect([double.weight?.dtype, double.running_var?.dtype, double.bias]).toEqual([
      'float64',
      'float64',
      null,
    ]);
    expect(() => layer.forward(torch.ones(2, 4))).toThrow(
      /at least 2 dimensions with 3 channels, but got \[2, 4\]/,
    );
    layer.forward(torch.randn(4, 3));
    layer.resetParameters();
    expect(layer.running_mean?.toArray()).toEqual([0, 0, 0]);
  });
});

for (const flavour of ['openmpi', 'mpich'] as const) {
  const reason = whyNot(flavour);
  describe.skipIf(reason !== undefined)(
    `two processes on ${flavour}${reason ? `: skipped, ${reason}` : ''}`,
    () => {
      it('combine tensors of every dtype', async () => {
        const { code, reports, stderr } = await launch('collectives', { flavour });
        expect([code, stderr]).toEqual([0, '']);
        expect(reports).toMatchObject([
          { rank: 0, size: 2, local: 0, wrong: [] },
          { rank: 1, size: 2, local: 1, wrong: [] },
        ]);
      });

      it('end calls that only one of them cannot make, and make none that only one would', async () => {
        const { code, reports, stderr } = await launch('corners', { flavour });
        expect([code, stderr]).toEqual([0, '']);
        const mean = [3, 4].map((x) => expect.closeTo(x * 0.1, 6));
        expect(reports).toMatchObject([
          {
            rank: 0,
            mean,
            shape: [2, 2],
            gradient: true,
            hooks: true,
            loaded: expect.stringMatching(
              /^loadCheckpoint: on rank 1: loadCheckpoint: the given bytes: model/,
            ),
          },
          {
            rank: 1,
            mean,
            shape: [0, 2],
            gradient: true,
            hooks: true,
            loaded: expect.stringMatching(/^loadCheckpoint: the given bytes: model/),
          },
        ]);
      });
    },
  );
}

const missing = whyNot('openmpi');
describe.skipIf(missing !== undefined)(`training${missing ? `: skipped, ${missing}` : ''}`, () => {
  it('by two processes is training by one with twice the batch', async () => {
    const one = await launch('train', { processes: 1, arguments: ['--batch', '128', '--epochs', '1'] });
    const two = await launch('train', { processes: 2, arguments: ['--batch', '64', '--epochs', '1'] });
    expect([one.code, two.code, one.stderr, two.stderr]).toEqual([0, 0, '', '']);
    expect(two.reports[1].digest).toBe(two.reports[0].digest);
    expect(one.reports[0].losses).toHaveLength(8);
    one.reports[0].losses.forEach((loss: number, step: number) => {
      expect(Math.abs(two.reports[0].losses[step] / loss - 1)).toBeLessThan(1e-6);
    });
  });
});
