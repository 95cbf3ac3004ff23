/** What is too large is refused with figures, and nothing else happens: the library goes on with what fits. */
import { afterEach, describe, expect, it } from 'vitest';
import { registerBackend, wasmBackend } from '../../src/backend/registry.ts';
import { WasmBackend } from '../../src/backend/wasm/index.ts';
import type { WasmStorage } from '../../src/backend/wasm/storage.ts';
import * as torch from '../../src/index.ts';

const { nn, optim } = torch;
const PAGE = 65536;
const MB = 2 ** 20;
const LIMIT = 16 * MB;

/** Kernels that live in 16 MB, and in no more. */
class SmallBackend extends WasmBackend {
  override readonly device: string = 'small';
}
const pages = LIMIT / PAGE;
const { shared } = wasmBackend().runtime.module;
const small = new SmallBackend({
  memory: new WebAssembly.Memory({ initial: pages, maximum: pages, shared }),
});
registerBackend(small);
const { heap } = small;
const device = 'small';

/** The message of the DeviceError that a call ends with. */
function refusal(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(torch.DeviceError);
    return (error as Error).message;
  }
  throw new Error('nothing was refused');
}

/** Bytes asked for, held, and allowed. */
const figures = (message: string): number[] => {
  const found =
    /^out of memory: (\d+) bytes were asked for, (\d+) bytes are in use by this operation, and linear memory may not grow beyond (\d+) bytes$/.exec(
      message,
    );
  if (!found) throw new Error(message);
  return found.slice(1).map(Number);
};

describe('a small memory', () => {
  const heapBytes = () => heap.heapBytes;
  afterEach(() => expect(heapBytes()).toBeLessThanOrEqual(LIMIT));

  it('refuses a tensor that can never fit, moving nothing out for it', () => {
    const x = torch.full([1000], 3, { device });
    const { evictions, residentBytes } = heap;
    const [asked, , limit] = figures(refusal(() => torch.zeros([5000, 1000], { device })));
    expect(asked).toBe(20_000_000);
    expect(limit).toBe(LIMIT);
    expect(heap.evictions).toBe(evictions);
    expect(heap.residentBytes).toBe(residentBytes);
    expect(x.sum().item()).toBe(3000);
  });

  it('refuses a result that does not fit beside its operands, and says what these hold', () => {
    const x = torch.ones([1500, 1000], { device });
    const y = torch.ones([1500, 1000], { device });
    const [asked, held] = figures(refusal(() => x.add(y)));
    expect(asked).toBeGreaterThanOrEqual(6_000_000);
    expect(held).toBeGreaterThanOrEqual(12_000_000);
    expect(held).toBeLessThan(12_200_000);
    for (let round = 0; round < 3; round++) {
      expect(x.sum().item()).toBe(1_500_000);
      expect(
        x
          .narrow(0, 0, 100)
          .add(y.narrow(0, 0, 100))
          .mean()
          .item(),
      ).toBe(2);
      refusal(() => x.mul(y));
    }
  });

  it('holds more than fits, as long as no operation needs all of it', () => {
    const list = Array.from({ length: 12 }, (_, i) => torch.full([1000, 500], i, { device }));
    expect(list.map((x) => x.mean().item())).toEqual(list.map((_, i) => i));
    for (let i = 0; i < 40; i++) list[(i * 5) % 12].add_(1);
    const additions = (i: number) =>
      Array.from({ length: 40 }, (_, k) => (k * 5) % 12).filter((k) => k === i).length;
    expect(list.map((x) => x.mean().item())).toEqual(list.map((_, i) => i + additions(i)));
    refusal(() => torch.cat(list));
    expect(list[11].mean().item()).toBe(11 + additions(11));
  });

  it('leaves a training as it was when a batch is too large, forward or backward', () => {
    torch.manualSeed(3);
    const model = new nn.Sequential(new nn.Linear(64, 256), new nn.Tanh(), new nn.Linear(256, 4)).to(device);
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
    const weights = () => model.parameters().map((p) => p.data);
    const step = (rows: number) => {
      optimizer.zeroGrad();
      const x = torch.full([rows, 64], 0.1, { device });
      const loss = model.forward(x).square().mean();
      loss.backward();
      optimizer.step();
      return loss.item();
    };
    const first = step(32);
    const before = weights();
    let refused = 0;
    // Sizes at which the forward pass, the backward pass, or neither of them fits.
    for (const rows of [4000, 6000, 7000, 8000, 9000, 12_000, 40_000]) {
      try {
        step(rows);
        break;
      } catch (error) {
        expect(error).toBeInstanceOf(torch.DeviceError);
        refused++;
        expect(weights()).toEqual(before);
        expect(torch.isGradEnabled()).toBe(true);
      }
    }
    for (const rows of [9000, 40_000]) {
      figures(refusal(() => step(rows)));
      refused++;
    }
    expect(refused).toBeGreaterThan(1);
    const losses = Array.from({ length: 5 }, () => step(32));
    expect(losses.every((loss, i) => loss < (i === 0 ? first : losses[i - 1]))).toBe(true);
  });

  it('gives everything back after an error', () => {
    const held = heap.residentBytes;
    for (let i = 0; i < 50; i++) {
      const x = torch.ones([1500, 1000], { device });
      refusal(() => x.matmul(torch.ones([1000, 3000], { device })));
      x.dispose();
    }
    expect(heap.residentBytes - held).toBeLessThan(13 * MB);
    expect(torch.ones([1500, 1000], { device }).sum().item()).toBe(1_500_000);
  });
});

/** A backend whose first gigabytes are taken, and touched by nobody: all else lies behind them. */
class HighBackend extends WasmBackend {
  override readonly device: string = 'high';
}
const high = new HighBackend();
registerBackend(high);

describe('addresses beyond 2 GiB', () => {
  const GIB = 2 ** 30;
  const granted = high.runtime.module.maximumBytes;

  /** Every family of kernels forward and backward, and the weights that come of it, as bits. */
  function trained(on: string): Float32Array[] {
    torch.manualSeed(11);
    const x = torch.randn(16, 1, 12, 12).to(on);
    const labels = torch.randint(0, 5, [16]).to(on);
    const convolution = new nn.Conv2d(1, 4, 3).to(on);
    const norm = new nn.LayerNorm(100).to(on);
    const linear = new nn.Linear(100, 5).to(on);
    const table = new nn.Embedding(5, 5).to(on);
    const parameters = [convolution, norm, linear, table].flatMap((module) => module.parameters());
    const optimizer = new optim.Adam(parameters, { lr: 0.01 });
    for (let step = 0; step < 3; step++) {
      const seen = nn.functional.maxPool2d(convolution.forward(x).relu(), 2).flatten(1);
      const scores = linear.forward(norm.forward(seen)).add(table.forward(labels).tanh());
      const sorted = scores.sort(1).values.cumsum(1);
      const loss = nn.functional.crossEntropy(scores, labels).add(sorted.softmax(1).amax(1).mean());
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
    }
    return parameters.map((p) => p.detach().data as Float32Array);
  }

  it.skipIf(granted < 3.5 * GIB)(
    `compute the same bits as low ones${granted < 3.5 * GIB ? ` (this engine grants ${granted} bytes only)` : ''}`,
    () => {
      const expected = trained('cpu');
      for (const bytes of [2 * GIB - MB, GIB + 100 * MB]) {
        const wall = high.empty([bytes / 4], 'float32').storage as WasmStorage;
        wall.hold();
        expect(trained('high')).toEqual(expected);
      }
      const last = torch.ones([MB], { device: 'high' });
      expect(high.pointer(last.array)).toBeGreaterThan(3 * GIB);
      const size = 64 * MB;
      const tail = new torch.Tensor(high.empty([size], 'float32')).narrow(0, size - 8, 8);
      tail.fill_(2);
      expect(
        tail
          .mul(last.narrow(0, 0, 8))
          .sum()
          .item(),
      ).toBe(16);
    },
  );
});

describe('the memory of the library', () => {
  it('refuses what no memory holds, with the bytes that were asked for', () => {
    const before = torch.memoryStats().bytesInUse;
    const [asked, , limit] = figures(refusal(() => torch.zeros(2 ** 31)));
    expect(asked).toBe(2 ** 33);
    expect(limit).toBeLessThan(2 ** 32);
    expect(() => torch.zeros([2 ** 30, 2 ** 30])).toThrow(torch.ShapeError);
    expect(torch.memoryStats().bytesInUse).toBe(before);
    expect(torch.arange(4).sum().item()).toBe(6);
  });

  it('refuses more elements than kernels can count, before anything is taken', () => {
    const { heapBytes } = torch.memoryStats();
    const what = /^out of memory: (a tensor on cpu has at most 2147483647 elements|\d+ bytes were asked for)/;
    expect(refusal(() => torch.zeros([2 ** 31 + 1], { dtype: 'uint8' }))).toMatch(what);
    expect(torch.memoryStats().heapBytes).toBe(heapBytes);
    expect(() =>
      torch
        .ones(1)
        .expand(2 ** 16, 2 ** 16)
        .exp(),
    ).toThrow(/elements|bytes were asked for/);
  });

  it('grows under tensors, views and gradients that are held', () => {
    const x = torch.arange(1000).float().requiresGrad_();
    const tail = x.narrow(0, 990, 10);
    const y = x.mul(2);
    const copy = x.detach().data;
    const { heapBytes } = torch.memoryStats();
    const large: torch.Tensor[] = [];
    while (torch.memoryStats().heapBytes < heapBytes + 24 * MB) large.push(torch.ones([MB]));
    expect(tail.toArray()).toEqual(Array.from({ length: 10 }, (_, i) => 990 + i));
    expect(copy[999]).toBe(999);
    y.sum().backward();
    expect(x.grad?.sum().item()).toBe(2000);
    torch.noGrad(() => tail.add_(1));
    expect(x.detach().data[999]).toBe(1000);
    expect(large.every((one) => one.narrow(0, MB - 1, 1).item() === 1)).toBe(true);
  });
});
