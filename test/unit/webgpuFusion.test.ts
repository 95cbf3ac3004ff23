/** Chains of elementwise ops on webgpu run as one kernel, and nobody notices but by the number of kernels. */
import { describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';
import { nn, optim, type Tensor } from '../../src/index.ts';
import { compare, distance, there } from '../support/compareDevices.ts';
import { webgpuMissing } from '../support/webgpu.ts';

const missing = await webgpuMissing();
const F = nn.functional;
type TypedValues = Awaited<ReturnType<Tensor['read']>>;

const info = () => torch.backendInfo().webgpu as torch.WebGPUInfo;

/** How many kernels run until the values are there. */
async function kernels(work: () => Promise<unknown>): Promise<number> {
  const before = info().dispatches;
  await work();
  return info().dispatches - before;
}

/** Numbers in [0, 1), the same on every device. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const unary: ((x: Tensor) => Tensor)[] = [
  (x) => x.relu(),
  (x) => x.neg(),
  (x) => x.abs().add(0.25),
  (x) => x.clamp(-2, 3),
  (x) => x.sigmoid(),
  (x) => x.tanh(),
  (x) => x.mul(0.5),
  (x) => x.gt(0.1).float(),
  (x) => x.clone(),
  (x) => x.mul(3).round().long().remainder(5).float(),
  (x) => torch.where(x.lt(0), x, 1),
];
const binary: ((x: Tensor, y: Tensor) => Tensor)[] = [
  (x, y) => x.add(y),
  (x, y) => x.sub(y),
  (x, y) => x.mul(y).clamp(-9, 9),
  (x, y) => torch.maximum(x, y),
  (x, y) => torch.where(x.ge(y), y, x),
  (x, y) => torch.lerp(x, y, 0.25),
];
const views: ((x: Tensor) => Tensor)[] = [
  (x) => x.transpose(0, 2).contiguous().transpose(0, 2),
  (x) => x.transpose(0, 1).mul(2).transpose(0, 1),
  (x) => x.reshape(-1).add(1).reshape(4, 4, 4),
  (x) => x.select(1, 2).unsqueeze(1).expand(4, 4, 4),
  (x) => x.narrow(2, 1, 2).sum(2, true).expand(4, 4, 4),
  (x) => x.mean([0, 2], true).expand(4, 4, 4),
  (x) => torch.cat([x.narrow(0, 2, 2), x.narrow(0, 0, 2)]),
  (x) => x.flip(1),
];
const inPlace: ((x: Tensor, y: Tensor) => Tensor)[] = [
  (x, y) => x.add_(y),
  (x, y) => x.select(0, 1).mul_(y.select(1, 3)),
  (x) => x.transpose(0, 1).neg_(),
  (x, y) => x.narrow(1, 0, 2).copy_(y.narrow(1, 1, 2)),
  (x) => x.narrow(1, 1, 3).copy_(x.narrow(1, 0, 3).clone()),
  (x) => x.select(2, 0).fill_(0.75),
  (x) => x.zero_(),
  (x, y) =>
    x
      .index(torch.slice(0, 2))
      .clamp_(-1, 1)
      .add_(y.index(torch.slice(2, 4))),
];

/** A program of random ops over five tensors, with views of each other among them. */
function program(seed: number, device: string, steps: number): Tensor[] {
  const random = generator(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)];
  torch.manualSeed(seed);
  const pool = Array.from({ length: 5 }, () => torch.randn(4, 4, 4).to(device));
  for (let step = 0; step < steps; step++) {
    const at = Math.floor(random() * pool.length);
    const [x, y] = [pick(pool), pick(pool)];
    const kind = random();
    if (kind < 0.35) pool[at] = pick(unary)(x);
    else if (kind < 0.65) pool[at] = pick(binary)(x, y);
    else if (kind < 0.8) pool[at] = pick(views)(x);
    else {
      // What overlaps itself may not be written.
      const target = x.isContiguous() ? x : x.contiguous();
      pool[at] = target;
      pick(inPlace)(target, y);
    }
  }
  return pool;
}

describe.skipIf(missing !== null)(missing ?? 'webgpu', () => {
  describe('chains of elementwise ops', () => {
    it('are one kernel', async () => {
      const [a, b] = [torch.randn(6, 7), torch.randn(7)];
      const chain = (x: Tensor, y: Tensor) => x.add(y).relu().mul(2).sub(x).div(y.abs().add(1));
      // Drivers may fuse multiplications with additions.
      await compare(chain, [a, b], 1e-6);
      const [x, y] = [there(a), there(b)];
      expect(await kernels(() => chain(x, y).read())).toBe(1);
      expect(await kernels(() => chain(x, y).sum().itemAsync())).toBe(1);
      expect(await kernels(() => x.relu().matmul(y.relu()).read())).toBe(1);
    });

    it('are taken in by softmax and normalization, and sums that were divided are not copied', async () => {
      const [a, b, v] = [torch.randn(6, 70), torch.randn(6, 70), torch.randn(4, 6, 70)];
      const works: ((x: Tensor, y: Tensor) => Tensor)[] = [
        (x, y) => x.mul(2).add(y).softmax(1),
        (x, y) => x.mul(2).add(y).logSoftmax(1),
        (x, y) => F.layerNorm(x.add(y), [70]),
        (x, y) => torch.maximum(x, y).t().softmax(1),
      ];
      for (const work of works) {
        await compare(work, [a, b], 1e-5);
        expect(await kernels(() => work(there(a), there(b)).read())).toBe(1);
      }
      await compare((x, y) => x.add(y).reshape(24, 70).softmax(1), [v, b], 1e-5);
      const gradient = async (device: string): Promise<Tensor> => {
        const x = a.to(device).requiresGrad_();
        F.layerNorm(x.softmax(1), [70]).mul(b.to(device)).sum().backward();
        return x.grad as Tensor;
      };
      expect(distance(await (await gradient('webgpu')).read(), (await gradient('cpu')).data)).toBeLessThan(
        1e-5,
      );
      const [wide, tall] = [torch.randn(8, 4096), torch.randn(4096, 8)];
      await compare((x, y) => x.matmul(y), [wide, tall], 1e-3);
      expect(await kernels(() => there(wide).matmul(there(tall)).read())).toBe(2);
    });

    it('are taken in by pools, forward and back', async () => {
      const [x, bias] = [torch.randn(2, 3, 9, 9), torch.randn(3, 1, 1)];
      const pools: ((x: Tensor) => Tensor)[] = [
        (t) => F.maxPool2d(t, 2),
        (t) => F.maxPool2d(t, 3, { stride: 2, padding: 1 }),
        (t) => F.avgPool2d(t, 3, { stride: 1, padding: 1, countIncludePad: false }),
        (t) => F.adaptiveAvgPool2d(t, 4),
      ];
      for (const pool of pools) {
        const work = (a: Tensor, b: Tensor) => pool(a.add(b).relu());
        await compare(work, [x, bias], 1e-6);
        const [a, b] = [there(x), there(bias)];
        expect(await kernels(() => work(a, b).read())).toBe(1);
        await compare(
          (t) => {
            const leaf = t.detach().requiresGrad_();
            work(leaf, bias.to(t.device)).tanh().mul(2).sum().backward();
            return leaf.grad as Tensor;
          },
          [x],
          1e-5,
        );
      }
    });

    it('are cut where they grow too long, and give the same', async () => {
      const start = torch.randn(40);
      const chain = (x: Tensor) => {
        let y = x;
        for (let i = 0; i < 100; i++) y = y.mul(0.5).add(x);
        return y;
      };
      await compare(chain, [start]);
      const x = there(start);
      const count = await kernels(() => chain(x).read());
      expect([count > 5, count < 20]).toEqual([true, true]);
    });

    it('read what was there when the op was called', async () => {
      const make = async (device: string) => {
        const x = torch.arange(12, { dtype: 'float32', device }).reshape(3, 4);
        const before = x.mul(2);
        const copy = x.clone();
        const view = x.select(0, 1);
        x.add_(100);
        const between = view.add(before.select(0, 2));
        view.zero_();
        x.t().mul_(x.t());
        const after = x.sub(1);
        x.dispose();
        return Promise.all([before, copy, between, after].map((t) => t.read()));
      };
      expect(await make('webgpu')).toEqual(await make('cpu'));
    });

    it('are not written over what they are made of where that is of another type', async () => {
      const values = torch.arange(64, { dtype: 'float32' }).sub(20);
      for (const to of ['int64', 'int32', 'uint8', 'bool', 'float32'] as const)
        for (const from of [values, values.int(), values.long()]) {
          const x = there(from);
          const y = x.to(to, { copy: true });
          x.add_(1);
          expect(await x.read()).toEqual(from.add(1).data);
          expect(await y.read()).toEqual(from.to(to).data);
        }
    });

    it('of random ops, views and changes in place give what the CPU gives', async () => {
      for (let seed = 1; seed <= 10; seed++) {
        const expected = program(seed, 'cpu', 25);
        const got = await Promise.all(program(seed, 'webgpu', 25).map((x) => x.read()));
        const worst = got.map((values, i) => distance(values, expected[i].data));
        expect([seed, worst.every((d) => d < 1e-4)]).toEqual([seed, true]);
      }
    });

    it('carry NaN, infinities and signed zeros', async () => {
      const x = torch.tensor([Number.NaN, Infinity, -Infinity, 0, -0, 1, -1, 1e38, 2e-38]);
      await compare((a) => a.mul(2).sub(a).relu().add(a.reciprocal()), [x], 1e-6);
      await compare((a) => torch.where(a.isnan(), 0, a).clamp(-1, 1).neg(), [x]);
      await compare((a) => a.neg().abs().eq(a).float().add(a.signbit().float()), [x]);
      await compare((a) => torch.maximum(a.mul(1), a.flip(0).add(0)), [x]);
    });

    it('keep integers exact between floats', async () => {
      const x = torch.tensor([2n ** 62n + 1n, -(2n ** 61n) - 3n, 7n, -9n]);
      await compare((a) => a.mul(3).add(a).bitwiseXor(5), [x]);
      await compare((a) => a.int().mul(7).to('int8').add(100), [x]);
      await compare((a) => a.remainder(10).float().div(4).long(), [x]);
    });

    it('have the gradients of the CPU', async () => {
      const run = async (device: string) => {
        torch.manualSeed(4);
        const leaves = [torch.randn(5, 6), torch.randn(6), torch.randn(5, 1)].map((x) =>
          x.to(device).requiresGrad_(),
        );
        const [x, y, z] = leaves;
        const hidden = x.mul(y).add(z).tanh().mul(x.relu()).sub(z.exp());
        const loss = hidden.square().mean().add(hidden.sigmoid().sum());
        loss.backward(null, { retainGraph: true });
        loss.backward();
        const gradients = leaves.map((leaf) => leaf.grad as Tensor);
        return Promise.all([loss, ...gradients].map((t) => t.detach().read()));
      };
      const [got, expected] = [await run('webgpu'), await run('cpu')];
      for (const [i, values] of got.entries()) expect(distance(values, expected[i])).toBeLessThan(1e-5);
    });

    it('notice saved values that were overwritten', () => {
      const x = there(torch.ones(3)).requiresGrad_();
      const y = x.exp();
      const z = y.mul(2);
      y.add_(1);
      expect(() => z.sum().backward()).toThrow(/modified by an inplace operation/);
    });

    it('are computed at the end of the job, and hold no more memory than a few results', async () => {
      const x = there(torch.ones(256, 256));
      await x.read();
      const held = () => torch.memoryStats().webgpu?.bytesInUse ?? 0;
      const before = held();
      const count = info().dispatches;
      const y = x.add(1).mul(2);
      expect([info().dispatches - count, held() - before]).toEqual([0, 0]);
      await Promise.resolve();
      await Promise.resolve();
      expect(info().dispatches - count).toBe(1);
      expect(held() - before).toBe(256 * 256 * 4);
      y.dispose();
      expect(held()).toBe(before);
    });
  });

  it('results that nobody has asked for give their buffers back, and are what they were when they are asked for', async () => {
    const x = there(torch.arange(2 ** 18, { dtype: 'float32' }));
    await x.read();
    const held = () => torch.memoryStats().webgpu?.bytesInUse ?? 0;
    const before = held();
    const count = info().dispatches;
    const list = Array.from({ length: 200 }, (_, i) => x.add(i));
    // They are computed, but what they take is a part of what may wait to be found dropped.
    expect(info().dispatches - count).toBeGreaterThan(100);
    expect(held() - before).toBeLessThan(50 * 2 ** 20);
    const early = list[0].mul(2);
    list[1].add_(0.5);
    x.mul_(0);
    const again = list[2].select(0, 7).add(list[150].select(0, 9));
    const firsts = torch.stack(list.map((y) => y.select(0, 1)));
    expect(Array.from(await firsts.read(), Number)).toEqual(list.map((_, i) => 1 + i + (i === 1 ? 0.5 : 0)));
    expect(await again.itemAsync()).toBe(9 + 159);
    expect(await early.select(0, 3).itemAsync()).toBe(6);
    expect(await x.sum().itemAsync()).toBe(0);
    for (const y of list) y.dispose();
    expect(Array.from((await x.add(1).read()).slice(0, 2), Number)).toEqual([1, 1]);
  });

  describe('a training step', () => {
    const step = (
      net: nn.Module & { forward(x: Tensor): Tensor },
      optimizer: optim.Optimizer,
      width: number,
    ) => {
      const x = there(torch.randn(16, width));
      const y = there(torch.randint(0, 10, [16]));
      return async () => {
        const loss = F.crossEntropy(net.forward(x), y);
        loss.backward();
        optimizer.step();
        optimizer.zeroGrad();
        await loss.itemAsync();
      };
    };
    const mlp = () =>
      new nn.Sequential(new nn.Linear(20, 30), new nn.ReLU(), new nn.Linear(30, 10, { bias: false })).to(
        'webgpu',
      );

    it('of a recurrent layer takes a product and a cell each way, and copies, for each element of a sequence', async () => {
      for (const [Layer, each] of [
        [nn.LSTM, 5],
        [nn.GRU, 7],
      ] as const) {
        const layer = new Layer(4, 5).to('webgpu');
        const run = (length: number) =>
          kernels(async () => {
            const x = there(torch.randn(length, 3, 4));
            layer.zeroGrad();
            layer.forward(x)[0].square().sum().backward();
            for (const { grad } of layer.parameters()) await grad?.read();
          });
        await run(3);
        expect((await run(7)) - (await run(5))).toBe(2 * each);
      }
    });

    it('of a network with one hidden layer takes 8 kernels in one submission', async () => {
      const biased = new nn.Sequential(new nn.Linear(20, 30), new nn.ReLU(), new nn.Linear(30, 10)).to(
        'webgpu',
      );
      for (const net of [mlp(), biased]) {
        const run = step(net, new optim.SGD(net.parameters(), { lr: 0.1 }), 20);
        await run();
        const before = info().submissions;
        expect(await kernels(run)).toBe(8);
        expect(info().submissions - before).toBe(1);
      }
    });

    it('sums the gradient of a bias with that of the weight, however the product is made', async () => {
      // One thread per sum, tiles, sums that are divided, gradients of gradients.
      for (const [rows, ins, outs] of [
        [7, 5, 3],
        [32, 32, 32],
        [2100, 7, 4],
      ]) {
        const run = async (device: string) => {
          torch.manualSeed(rows);
          const leaves = [torch.randn(rows, ins), torch.randn(outs, ins), torch.randn(outs)].map((x) =>
            x.to(device).requiresGrad_(),
          );
          const loss = F.linear(leaves[0], leaves[1], leaves[2]).relu().square().mean();
          const gradients = torch.autograd.grad(loss, leaves, { createGraph: rows === 7 });
          const again = rows === 7 ? torch.autograd.grad(gradients[2].square().sum(), leaves) : [];
          return Promise.all([...gradients, ...again].map((t) => t.detach().read()));
        };
        const [got, expected] = [await run('webgpu'), await run('cpu')];
        for (const [i, values] of got.entries()) expect(distance(values, expected[i])).toBeLessThan(2e-5);
      }
    });

    it('of two convolutions with ReLU and pools takes 15 kernels', async () => {
      const net = new nn.Sequential(
        new nn.Conv2d(1, 2, 3),
        new nn.ReLU(),
        new nn.MaxPool2d(2),
        new nn.Conv2d(2, 3, 3),
        new nn.ReLU(),
        new nn.MaxPool2d(2),
        new nn.Flatten(),
        new nn.Linear(75, 10),
      ).to('webgpu');
      const x = there(torch.randn(2, 1, 28, 28));
      const y = there(torch.tensor([3, 7], { dtype: 'int64' }));
      const optimizer = new optim.SGD(net.parameters(), { lr: 0.1 });
      const run = async () => {
        const loss = F.crossEntropy(net.forward(x), y);
        loss.backward();
        optimizer.step();
        optimizer.zeroGrad();
        await loss.itemAsync();
      };
      await run();
      expect(await kernels(run)).toBe(15);
    });

    it('sums the gradient of a convolution’s bias with that of the weight, however the product is made', async () => {
      // One thread per sum, a team per sum, tiles, sums that are divided, groups, gradients of gradients.
      for (const [images, ins, outs, side, groups] of [
        [1, 2, 3, 4, 1],
        [2, 1, 4, 14, 1],
        [1, 4, 9, 10, 1],
        [3, 4, 12, 24, 1],
        [3, 4, 6, 24, 2],
      ]) {
        const run = async (device: string) => {
          torch.manualSeed(side);
          const leaves = [
            torch.randn(images, ins, side, side),
            torch.randn(outs, ins / groups, 3, 3),
            torch.randn(outs),
          ].map((x) => x.to(device).requiresGrad_());
          const [x, weight, bias] = leaves;
          const loss = F.conv2d(x, weight, bias, { groups, padding: 1 }).relu().square().mean();
          const again = side === 4;
          const gradients = torch.autograd.grad(loss, leaves, { createGraph: again });
          const seconds = again ? torch.autograd.grad(gradients[2].square().sum(), leaves) : [];
          return Promise.all([...gradients, ...seconds].map((t) => t.detach().read()));
        };
        const [got, expected] = [await run('webgpu'), await run('cpu')];
        for (const [i, values] of got.entries()) expect(distance(values, expected[i])).toBeLessThan(2e-5);
      }
    });

    it('finds the gradients of a normalization’s weight and bias in one pass, over short, long and very long axes', async () => {
      const norms: [shape: number[], channels: number, (x: Tensor, w: Tensor, b: Tensor) => Tensor][] = [
        [[9, 5], 5, (x, w, b) => F.layerNorm(x, [5], w, b)],
        [[3, 50, 6], 6, (x, w, b) => F.layerNorm(x.transpose(0, 1), [6], w, b)],
        [[1, 4], 4, (x, w, b) => F.layerNorm(x, [4], w, b)],
        [[4, 3, 7, 7], 3, (x, w, b) => F.batchNorm(x, null, null, w, b, { training: true })],
        [[3, 2, 90, 91], 2, (x, w, b) => F.batchNorm(x, null, null, w, b, { training: true })],
        [[2, 4, 5], 4, (x, w, b) => F.groupNorm(x, 2, w, b)],
      ];
      for (const [shape, channels, norm] of norms) {
        let count = 0;
        const run = async (device: string, needed: readonly number[], twice = false) => {
          torch.manualSeed(channels);
          const leaves = [torch.randn(shape), torch.randn(channels), torch.randn(channels)].map((x) =>
            x.to(device),
          );
          const factors = torch.rand(norm(leaves[0], leaves[1], leaves[2]).shape).to(device);
          const wanted = needed.map((i) => leaves[i].requiresGrad_());
          const loss = norm(leaves[0], leaves[1], leaves[2]).mul(factors).sum();
          await loss.detach().read();
          const before = info().dispatches;
          const gradients = torch.autograd.grad(loss, wanted, { createGraph: twice });
          const again = twice ? torch.autograd.grad(gradients[1].square().sum(), wanted[0]) : [];
          const values = await Promise.all([...gradients, ...again].map((t) => t.detach().read()));
          count = info().dispatches - before;
          return values;
        };
        for (const [needed, twice] of [
          [[0, 1, 2], false],
          [[0, 1, 2], true],
          [[1], false],
          [[2], false],
          [[1, 2], false],
        ] as const) {
          const [expected, got] = [await run('cpu', needed, twice), await run('webgpu', needed, twice)];
          for (const [i, values] of got.entries())
            expect([shape, needed, distance(values, expected[i]) < 1e-4]).toEqual([shape, needed, true]);
        }
        // A second stage where the axis is very long.
        expect([shape, count]).toEqual([shape, shape[2] === 90 ? 2 : 1]);
      }
    });

    it('with penalties, accumulated gradients and averages of weights is the CPU’s', async () => {
      const train = async (device: string): Promise<TypedValues[]> => {
        torch.manualSeed(12);
        const [w, v] = [torch.randn(6, 5), torch.randn(5)].map((x) => x.to(device).requiresGrad_());
        const optimizer = new optim.SGD([w, v], { lr: 0.05, momentum: 0.9, weightDecay: 0.01 });
        const average = w.detach().clone();
        const x = torch.randn(7, 6).to(device);
        const kept: Tensor[] = [];
        for (let step = 0; step < 4; step++) {
          for (let part = 0; part < 2; part++) {
            const loss = x.matmul(w).mul(v).tanh().square().mean();
            loss.add(w.square().sum().mul(0.1)).add(v.abs().sum()).backward();
          }
          kept.push(w.detach().mul(2), w.detach().clone());
          optimizer.step();
          average.mul_(0.9).add_(w.detach(), { alpha: 0.1 });
          optimizer.zeroGrad(step % 2 === 0);
        }
        return Promise.all([w.detach(), v.detach(), average, ...kept].map((t) => t.read()));
      };
      const [got, expected] = [await train('webgpu'), await train('cpu')];
      for (const [i, values] of got.entries()) expect(distance(values, expected[i])).toBeLessThan(1e-5);
    });

    it('updates several parameters in one kernel, whatever the optimizer', async () => {
      const makers: ((net: nn.Module) => optim.Optimizer)[] = [
        (net) => new optim.SGD(net.parameters(), { lr: 0.1, momentum: 0.9 }),
        (net) => new optim.Adam(net.parameters(), { lr: 0.1 }),
        (net) => new optim.RMSprop(net.parameters(), { lr: 0.1 }),
        (net) => new optim.Rprop(net.parameters()),
        (net) => new optim.ASGD(net.parameters(), { lr: 0.1 }),
      ];
      for (const make of makers) {
        const net = mlp();
        const optimizer = make(net);
        await step(net, optimizer, 20)();
        const x = there(torch.randn(16, 20));
        net.forward(x).sum().backward();
        await net.parameters()[0].read();
        expect(
          await kernels(async () => {
            optimizer.step();
            await x.read();
          }),
        ).toBeLessThan(3);
      }
    });
  });
});
