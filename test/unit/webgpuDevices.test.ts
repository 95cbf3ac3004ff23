/** What devices may lack or offer: features, limits, memory, and their loss. */
import { afterAll, describe, expect, it, vi } from 'vitest';
import * as torch from '../../src/index.ts';
import { nn, optim, type Tensor } from '../../src/index.ts';
import { distance, there } from '../support/compareDevices.ts';
import { webgpuMissing } from '../support/webgpu.ts';

const missing = await webgpuMissing();
const info = () => torch.backendInfo().webgpu as torch.WebGPUInfo;

// Dawn's devices die with the object that they came from.
const kept: GPU[] = [];

/** A device of an adapter of its own. Flags are Dawn's: 'backend=null' checks all that it is given and computes nothing. */
async function deviceOf(
  features: readonly GPUFeatureName[] = [],
  limits: Record<string, number> = {},
  flags: string[] = [],
): Promise<GPUDevice> {
  const { create } = (await import('webgpu')) as unknown as { create(flags: string[]): GPU };
  const gpu = create(flags);
  kept.push(gpu);
  const adapter = (await gpu.requestAdapter()) as GPUAdapter;
  return adapter.requestDevice({ requiredFeatures: [...features], requiredLimits: limits });
}

/** A training step with most kinds of kernels. */
function work(device: string): Tensor {
  torch.manualSeed(9);
  const net = new nn.Sequential(
    new nn.Conv2d(1, 4, 3),
    new nn.BatchNorm2d(4),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Linear(100, 40),
    new nn.Tanh(),
    new nn.Linear(40, 10),
  ).to(device);
  const optimizer = new optim.Adam(net.parameters(), { lr: 0.01 });
  const x = torch.rand(16, 1, 12, 12).to(device);
  const y = torch.randint(0, 10, [16]).to(device);
  const losses: Tensor[] = [];
  for (let step = 0; step < 2; step++) {
    const loss = nn.functional.crossEntropy(net.forward(x), y);
    loss.backward();
    optimizer.step();
    optimizer.zeroGrad();
    losses.push(loss.detach());
  }
  return torch.stack(losses);
}

describe.skipIf(missing !== null)(missing ?? 'webgpu', () => {
  afterAll(async () => {
    await torch.webgpu();
  });

  it('refuses options that do not exist', async () => {
    // @ts-expect-error
    await expect(torch.webgpu({ matmulPrecision: 'low' })).rejects.toThrow(
      /'highest' or 'medium', but got low/,
    );
  });

  it('computes on a device with no feature and the least limits of the standard', async () => {
    const expected = work('cpu').data;
    await torch.webgpu({ device: await deviceOf() });
    expect(info().features.filter((name) => name === 'subgroups' || name === 'shader-f16')).toEqual([]);
    expect(distance(await work('webgpu').read(), expected)).toBeLessThan(2e-5);
    const [a, b] = [torch.randn(3, 700), torch.randn(50, 700)];
    const product = await there(a).matmul(there(b).t()).read();
    expect(distance(product, a.matmul(b.t()).data)).toBeLessThan(1e-4);
    // A gradient that is a formula over many buffers, for a kernel that has many of its own.
    const gradient = (device: string): Tensor => {
      torch.manualSeed(3);
      const x = torch.randn(6, 5).to(device).requiresGrad_();
      const [weight, ...factors] = [5, 6, 6, 6, 6].map((size) => torch.rand(size).to(device));
      const target = torch.randint(0, 5, [6]).to(device);
      const losses = nn.functional.crossEntropy(x, target, { weight, reduction: 'none' });
      factors
        .reduce((y, factor) => y.mul(factor), losses)
        .sum()
        .backward();
      return x.grad as Tensor;
    };
    expect(distance(await gradient('webgpu').read(), gradient('cpu').data)).toBeLessThan(1e-5);
  });

  it('adds up over subgroups where there are some', async () => {
    await torch.webgpu({ matmulPrecision: 'highest' });
    // SwiftShader has them; a device of one's own may not.
    if (!info().features.includes('subgroups')) return expect(info().fallbackAdapter).toBe(false);
    const [a, b] = [torch.randn(2, 5, 1030), torch.randn(2, 33, 1030)];
    const got = await there(a).matmul(there(b).transpose(1, 2)).read();
    expect(distance(got, a.matmul(b.transpose(1, 2)).data)).toBeLessThan(1e-4);
  });

  it('times its kernels, if asked for', async () => {
    await torch.webgpu({ timestamps: true });
    if (!info().features.includes('timestamp-query')) return expect(info().milliseconds).toBe(null);
    const x = there(torch.randn(128, 128));
    const later = async (than: number): Promise<number> => {
      // Clocks are rounded, to a tenth of a millisecond at worst.
      for (let i = 0; i < 500 && (info().milliseconds as number) <= than; i++) await x.matmul(x).read();
      return info().milliseconds as number;
    };
    const once = await later(0);
    expect(once).toBeGreaterThan(0);
    expect(await later(once)).toBeGreaterThan(once);
    // Each call gets what it asked for, at the same time too.
    const timed = torch.webgpu({ timestamps: true });
    const plain = torch.webgpu({ matmulPrecision: 'highest' });
    expect([(await timed).milliseconds, (await plain).milliseconds]).toEqual([0, null]);
    await torch.webgpu({ matmulPrecision: 'highest' });
    expect(info().milliseconds).toBe(null);
  });

  it('multiplies in float16 only where it is asked for and there is some', async () => {
    await torch.webgpu({ matmulPrecision: 'medium' });
    expect(info().matmulPrecision).toBe(info().features.includes('shader-f16') ? 'medium' : 'highest');
    // No processor's adapter has it: that the programs are valid WGSL Dawn says, which checks them for no GPU at all.
    const device = await deviceOf(['shader-f16', 'subgroups'], {}, ['backend=null']);
    await torch.webgpu({ device, matmulPrecision: 'medium' });
    expect(info().matmulPrecision).toBe('medium');
    const x = torch.zeros(128, 128, { device: 'webgpu' });
    const large = torch.zeros(520, 520, { device: 'webgpu' });
    const programs = info().programs;
    await Promise.all(
      [x.matmul(x), x.t().matmul(x.t()), large.matmul(large), work('webgpu')].map((y) => y.read()),
    );
    expect(info().programs - programs).toBeGreaterThan(10);
  });

  it('says of a program that the device refuses which op it was, at the next op', async () => {
    const device = await deviceOf();
    const create = device.createComputePipelineAsync.bind(device);
    let refuse = false;
    Object.defineProperty(device, 'createComputePipelineAsync', {
      value: (descriptor: GPUComputePipelineDescriptor) =>
        refuse ? Promise.reject(new Error(`no pipeline for ${descriptor.label}`)) : create(descriptor),
    });
    await torch.webgpu({ device });
    const x = there(torch.ones(3));
    await x.read();
    refuse = true;
    const y = x.cumsum(0);
    await expect(y.read()).rejects.toThrow(/no pipeline for .*scan/);
    await expect(y.read()).rejects.toThrow(torch.DeviceError);
    expect(() => y.add(1)).toThrow(torch.DeviceError);
    refuse = false;
    expect(Array.from(await x.add(1).read(), Number)).toEqual([2, 2, 2]);
  });

  it('that is lost while results wait throws, and what was saved goes on on the CPU', async () => {
    const device = await deviceOf();
    await torch.webgpu({ device });
    const net = new nn.Linear(4, 2).to('webgpu');
    const optimizer = new optim.SGD(net.parameters(), { lr: 0.1, momentum: 0.9 });
    const step = (x: Tensor) => {
      const loss = net.forward(x).square().mean();
      loss.backward();
      optimizer.step();
      optimizer.zeroGrad();
      return loss;
    };
    await step(torch.ones(3, 4, { device: 'webgpu' })).itemAsync();
    const saved = await Promise.all(Object.values(net.stateDict()).map((x) => x.toAsync('cpu')));
    const waiting = net.weight.detach().add(1).mul(2);
    const reading = waiting.sum().read();
    device.destroy();
    await expect(reading).rejects.toThrow(torch.DeviceError);
    await device.lost;
    expect(() => waiting.add(1)).toThrow(/was lost/);
    await expect(waiting.read()).rejects.toThrow(/was lost/);
    const fresh = new nn.Linear(4, 2);
    fresh.loadStateDict(
      Object.fromEntries(Object.keys(fresh.stateDict()).map((name, i) => [name, saved[i]])),
    );
    const loss = fresh.forward(torch.ones(3, 4)).square().mean();
    loss.backward();
    expect(Number.isFinite(loss.item())).toBe(true);
  });

  it('gives memory back that nobody needs, and keeps a bounded rest', async () => {
    await torch.webgpu({ device: await deviceOf() });
    const megabyte = torch.zeros(2 ** 18, { device: 'webgpu' });
    await megabyte.read();
    const stats = () => {
      const memory = torch.memoryStats().webgpu;
      if (!memory) throw new Error('no statistics');
      return memory;
    };
    const before = stats().bytesInUse;
    const host = torch.zeros(2 ** 18);
    const list = Array.from({ length: 300 }, () => host.to('webgpu'));
    await list[299].read();
    expect(stats().bytesInUse - before).toBeGreaterThanOrEqual(300 * 2 ** 20);
    const free = () => stats().heapBytes - stats().bytesInUse;
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    try {
      for (const x of list) x.dispose();
      expect(stats().bytesInUse).toBe(before);
      // For a while all of it, for a program that does the same again.
      expect(free()).toBeGreaterThanOrEqual(299 * 2 ** 20);
      vi.advanceTimersByTime(60_000);
      expect(free()).toBeLessThan(258 * 2 ** 20);
    } finally {
      vi.useRealTimers();
    }
    await megabyte.add(1).read();
    expect(free()).toBeLessThan(258 * 2 ** 20);
  });

  it('goes on when memory was out and some has been given back, in tensors of any size', async () => {
    // It has 512 MB, and computes nothing.
    await torch.webgpu({ device: await deviceOf([], {}, ['backend=null']) });
    const empty = (megabytes: number) => torch.empty(megabytes * 2 ** 18, { device: 'webgpu' });
    const held: Tensor[] = [];
    const fill = async () => {
      for (let i = 0; i < 40; i++) {
        held.push(empty(16).fill_(1));
        await held[i].read();
      }
    };
    await expect(fill()).rejects.toThrow(/out of memory/);
    expect(held.length).toBeGreaterThan(20);
    await expect(held[0].read()).resolves.toBeDefined();
    for (const x of held) x.dispose();
    for (const megabytes of [16, 16, 24, 100]) {
      const x = empty(megabytes).fill_(1);
      await expect(x.read().then((values) => values.length)).resolves.toBe(megabytes * 2 ** 18);
      x.dispose();
    }
    await torch.webgpu();
  });

  it('takes tensors up to its limit, and says so beyond', async () => {
    await torch.webgpu({ device: await deviceOf([], { maxBufferSize: 2 ** 28 }) });
    expect(info().maxTensorBytes).toBe(2 ** 28);
    expect(info().maxBindingBytes).toBe(2 ** 27);
    const most = torch.zeros(2 ** 25, { dtype: 'int32', device: 'webgpu' });
    expect(
      await most
        .add(3)
        .narrow(0, 2 ** 25 - 5, 5)
        .sum()
        .itemAsync(),
    ).toBe(15);
    expect(() => torch.zeros(2 ** 26 + 1, { device: 'webgpu' })).toThrow(
      /larger than a buffer of this device/,
    );
    expect(() => torch.cat([most, most, most])).toThrow(torch.DeviceError);
  });

  /** A device that says it binds, or counts in a dimension of workgroups, only so much. */
  async function limitedTo(lower: Record<string, number>): Promise<GPUDevice> {
    const device = await deviceOf();
    const limits: Record<string, number> = { ...lower };
    for (const name of Object.keys(Object.getPrototypeOf(device.limits)))
      limits[name] ??= device.limits[name as keyof GPUSupportedLimits] as number;
    Object.defineProperty(device, 'limits', { value: limits });
    return device;
  }

  const gradients = (output: Tensor, leaves: Tensor[]): Tensor[] => {
    output.backward();
    return leaves.map((x) => x.grad as Tensor);
  };
  const leaf = (x: Tensor): Tensor => x.detach().requiresGrad_();

  /** What every family of kernels makes of tensors of some 10,000 elements, of which 4,096 can be bound. */
  const families: Record<string, (on: (x: Tensor) => Tensor) => Tensor[]> = {
    'elementwise ops': (on) => {
      const [x, y, row, column] = [
        on(torch.randn(57, 171)),
        on(torch.randn(57, 171)),
        on(torch.randn(171)),
        on(torch.randn(57, 1)),
      ];
      const z = x.clone();
      z.narrow(0, 10, 40).copy_(y.narrow(0, 0, 40));
      return [
        x.mul(2).add(y).relu().mul(y),
        x.mul(row).sub(column),
        row.expand(57, 171).clone(),
        x.clone().add_(1).mul_(y),
        z,
        torch.cat([x, y]),
        x.gt(y).to('int64').mul(3),
        x.narrow(0, 3, 9).mul(2).sum(1),
      ];
    },
    reductions: (on) => {
      const x = on(torch.randn(57, 171));
      const tall = on(torch.randn(9000));
      return [
        ...[
          x.sum(),
          x.sum(0),
          x.sum(1, true),
          x.amax(0),
          x.narrow(0, 5, 40).sum(1),
          x.narrow(1, 3, 4).sum(0),
        ],
        ...[x.argmax(0), x.argmin(1), tall.argmax(), x.max(0).values, tall.mean(), x.std(1)],
      ];
    },
    'rows of softmax and normalization': (on) => {
      const [x, long] = [leaf(on(torch.randn(60, 170))), leaf(on(torch.randn(2, 5000)))];
      const image = leaf(on(torch.randn(5, 3, 28, 28)));
      const outputs = [x.softmax(1), x.logSoftmax(1), long.softmax(1), long.logSoftmax(1)];
      outputs.push(nn.functional.layerNorm(x, [170]), nn.functional.layerNorm(long, [5000]));
      const [w, b, v, c] = [170, 170, 3, 3].map((size) => leaf(on(torch.randn(size))));
      outputs.push(nn.functional.layerNorm(x, [170], w, b));
      outputs.push(nn.functional.batchNorm(image, null, null, v, c, { training: true }));
      const factors = outputs.map((y) => y.mul(on(torch.randn(y.shape))).sum());
      const loss = factors.reduce((a, b) => a.add(b));
      return [...outputs, ...gradients(loss, [x, long, image, w, b, v, c])];
    },
    'cross-entropy': (on) => {
      const [few, many] = [leaf(on(torch.randn(900, 10))), leaf(on(torch.randn(31, 301)))];
      const [a, b] = [on(torch.randint(0, 10, [900])), on(torch.randint(0, 301, [31]))];
      const losses = [
        nn.functional.crossEntropy(few, a),
        nn.functional.crossEntropy(many, b, { labelSmoothing: 0.1, reduction: 'sum' }).mul(0.1),
        nn.functional.crossEntropy(few, a, { reduction: 'none' }).square().mean(),
      ];
      return [
        ...losses,
        ...gradients(
          losses.reduce((x, y) => x.add(y)),
          [few, many],
        ),
      ];
    },
    'matrix products': (on) => {
      const product = (m: number, k: number, n: number): Tensor[] => {
        const [a, b] = [leaf(on(torch.randn(m, k))), leaf(on(torch.randn(k, n)))];
        const y = a.matmul(b);
        return [y, ...gradients(y.square().mean(), [a, b])];
      };
      const [a, b] = [on(torch.randn(7, 40, 30)), on(torch.randn(7, 30, 20))];
      const [x, w, bias] = [
        leaf(on(torch.randn(301, 7))),
        leaf(on(torch.randn(600, 7))),
        leaf(on(torch.randn(600))),
      ];
      const y = nn.functional.linear(x, w, bias);
      const whole = on(torch.arange(9000).remainder(7)).reshape(90, 100);
      return [
        ...product(5000, 2, 3),
        ...product(3, 5000, 2),
        ...product(2, 3, 5000),
        ...product(120, 60, 70),
        a.matmul(b),
        a.transpose(0, 1).matmul(on(torch.randn(30, 20))),
        whole.matmul(whole.t()),
        whole.t().matmul(whole),
        y,
        nn.functional.linear(on(torch.randn(3, 6000)), on(torch.randn(5, 6000)), on(torch.randn(5))).relu(),
        ...gradients(y.relu().square().mean(), [x, w, bias]),
      ];
    },
    'steps of optimizers': (on) => {
      const makers = [
        (p: Tensor[]) => new optim.SGD(p, { lr: 0.1, momentum: 0.9, weightDecay: 0.01 }),
        (p: Tensor[]) => new optim.AdamW(p, { lr: 0.1 }),
      ];
      return makers.flatMap((make) => {
        const [w, small] = [leaf(on(torch.randn(57, 171))), leaf(on(torch.randn(171)))];
        const before = w.detach().mul(2);
        const optimizer = make([w, small]);
        const clone = w.detach().clone();
        for (let step = 0; step < 2; step++) {
          w.mul(small).square().mean().backward();
          optimizer.step();
          optimizer.zeroGrad();
        }
        return [w.detach(), small.detach(), before, clone];
      });
    },
    'indexing and scattering': (on) => {
      const table = leaf(on(torch.randn(700, 15)));
      const few = on(torch.randint(0, 700, [40]));
      const picks = on(torch.randint(0, 700, [900]));
      const rows = on(torch.randint(-57, 57, [57, 171]));
      const [x, y] = [on(torch.randn(57, 171)), on(torch.randn(57, 171))];
      const wrapped = on(torch.randint(0, 57, [57, 171]));
      const embedded = [nn.functional.embedding(few, table), nn.functional.embedding(picks, table)];
      const loss = embedded.map((e) => e.square().sum()).reduce((p, q) => p.add(q));
      return [
        ...embedded,
        ...gradients(loss, [table]),
        x.indexSelect(1, on(torch.randint(0, 171, [200]))),
        x.gather(0, wrapped),
        x.take(on(torch.randint(0, 57 * 171, [5000]))),
        x.index(rows.narrow(0, 0, 2)),
        x.clone().scatterAdd(0, wrapped, y),
        x.clone().scatter(
          0,
          on(torch.arange(57 * 171).remainder(57))
            .reshape(171, 57)
            .t()
            .contiguous(),
          y,
        ),
        x.clone().indexAdd(0, on(torch.randint(0, 57, [300])), on(torch.randn(300, 171))),
        on(torch.zeros(9000)).put(on(torch.randint(0, 9000, [2040])), on(torch.randn(2040)), true),
      ];
    },
    'convolutions and pooling': (on) => {
      const [x, w, b] = [
        leaf(on(torch.randn(9, 3, 20, 20))),
        leaf(on(torch.randn(4, 3, 3, 3))),
        leaf(on(torch.randn(4))),
      ];
      const y = nn.functional.conv2d(x, w, b, { padding: 1 });
      const outputs = [y, nn.functional.maxPool2d(y, 2), nn.functional.avgPool2d(y, 3, { stride: 2 })];
      outputs.push(nn.functional.unfold(x, 2, { stride: 3 }));
      outputs.push(nn.functional.fold(outputs[3], [20, 20], 2, { stride: 3 }));
      return [
        ...outputs,
        ...gradients(
          outputs.map((o) => o.square().mean()).reduce((p, q) => p.add(q)),
          [x, w, b],
        ),
      ];
    },
    'recurrent layers': (on) => {
      const x = leaf(on(torch.randn(4, 60, 8)));
      const layers = [new nn.LSTM(8, 30), new nn.GRU(8, 30)] as const;
      return layers.flatMap((layer) => {
        for (const parameter of layer.parameters()) torch.noGrad(() => parameter.normal_(0, 0.3));
        layer.to(x.device);
        const [output] = layer.forward(x);
        return [output, ...gradients(output.square().sum(), [x, ...layer.parameters()])];
      });
    },
    'scans and sorting': (on) => {
      const [x, long] = [on(torch.randn(57, 171)), on(torch.randn(9000))];
      const integers = long.mul(3).long();
      const sorted = x.sort(1).values;
      return [
        ...[
          x.cumsum(1),
          x.cumsum(0),
          long.cumsum(0),
          long.cummax(0).values,
          long.cummax(0).indices,
          x.cummin(0).indices,
        ],
        ...[integers.cumsum(0), x.sort(1).values, x.sort(0, true).indices, x.topk(3, 1).values],
        ...[torch.searchsorted(sorted.select(0, 0), long), torch.searchsorted(sorted, x, { right: true })],
      ];
    },
  };
  const valuesOf = (device: string, family: string): Promise<ArrayLike<number | bigint>[]> => {
    torch.manualSeed(12);
    return Promise.all(families[family]((x) => x.to(device)).map((x) => x.detach().read()));
  };

  it('works on parts of what it cannot bind, in grids that it allows, or says which op does not', async () => {
    const device = await limitedTo({
      maxStorageBufferBindingSize: 2 ** 14,
      maxComputeWorkgroupsPerDimension: 50,
    });
    // Checked here, since the device itself allows more.
    const bindGroup = device.createBindGroup.bind(device);
    const encoder = device.createCommandEncoder.bind(device);
    const most = { bytes: 0, groups: 0 };
    Object.defineProperties(device, {
      createBindGroup: {
        value: (descriptor: GPUBindGroupDescriptor) => {
          for (const { resource } of [...descriptor.entries].slice(0, -1))
            most.bytes = Math.max(most.bytes, (resource as GPUBufferBinding).size as number);
          return bindGroup(descriptor);
        },
      },
      createCommandEncoder: {
        value: () => {
          const made = encoder();
          const begin = made.beginComputePass.bind(made);
          made.beginComputePass = (descriptor) => {
            const pass = begin(descriptor);
            const dispatch = pass.dispatchWorkgroups.bind(pass);
            pass.dispatchWorkgroups = (x, y = 1, z = 1) => {
              most.groups = Math.max(most.groups, x, y, z);
              dispatch(x, y, z);
            };
            return pass;
          };
          return made;
        },
      },
    });
    await torch.webgpu({ device });
    for (const family of Object.keys(families)) {
      const [got, expected] = [await valuesOf('webgpu', family), await valuesOf('cpu', family)];
      for (const [i, values] of got.entries())
        expect([family, i, distance(values, expected[i])]).toEqual([family, i, expect.closeTo(0, 3)]);
    }
    expect(most).toEqual({ bytes: 2 ** 14, groups: 50 });
    const long = torch.randn(9000).to('webgpu');
    expect(() => long.sort()).toThrow(/sort cannot take a tensor of 36000 bytes/);
    expect(await long.mul(0).add(1).sum().itemAsync()).toBe(9000);
  });
});
