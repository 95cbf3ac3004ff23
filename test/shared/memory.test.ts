import { afterEach, describe, expect, it } from 'vitest';
import { registerBackend, wasmBackend } from '../../src/backend/registry.ts';
import { FinalizingCollector } from '../../src/backend/wasm/collector.ts';
import { WasmBackend } from '../../src/backend/wasm/index.ts';
import * as torch from '../../src/index.ts';

const MB = 2 ** 20;
const { heap } = wasmBackend();

/** What every page has: nothing that was dropped is noticed inside a job, so blocks must be moved out. */
class FinalizingBackend extends WasmBackend {
  override readonly device: string = 'finalizing';
}
const finalizing = new FinalizingBackend({}, new FinalizingCollector());
registerBackend(finalizing);

const usual = heap.softLimit;
const usualOfFinalizing = finalizing.heap.softLimit;

/** A small network trained as in the tutorial's second section, without ever yielding to the event loop. */
function train(steps: number, kept: torch.Tensor[]): void {
  const w1 = torch.full([64, 128], 0.01, { requiresGrad: true });
  const b1 = torch.zeros(128, { requiresGrad: true });
  const w2 = torch.full([128, 10], 0.01, { requiresGrad: true });
  const x = torch.linspace(0, 1, 256 * 64).reshape(256, 64);
  for (let step = 0; step < steps; step++) {
    const h = torch.maximum(x.matmul(w1).add(b1), 0);
    const loss = h.matmul(w2).square().mean();
    loss.backward();
    torch.noGrad(() => {
      for (const p of [w1, b1, w2]) {
        if (p.grad === null) throw new Error('no gradient');
        p.sub_(p.grad.mul(0.1));
        p.grad.zero_();
      }
    });
    if (step % 50 === 0) kept.push(h.sum(1).detach());
  }
}

describe('memory', () => {
  afterEach(() => {
    heap.softLimit = usual;
    finalizing.heap.softLimit = usualOfFinalizing;
    torch.setDefaultDevice('cpu');
  });

  it.each(['cpu', 'finalizing'])(
    'stays flat in a synchronous loop that drops tensors and keeps some, on %s',
    (device) => {
      torch.setDefaultDevice(device);
      wasmBackend().heap.softLimit = 8 * MB;
      finalizing.heap.softLimit = 8 * MB;
      const kept: torch.Tensor[] = [];
      train(50, kept);
      const { heapBytes } = torch.memoryStats();
      train(300, kept);
      const after = torch.memoryStats();
      expect(after.heapBytes).toBeLessThanOrEqual(heapBytes + 4 * MB);
      if (device === 'finalizing') expect(after.evictedBytes).toBeGreaterThan(50 * MB);
      const joined = torch.cat(kept);
      expect(joined.shape).toEqual([256 * kept.length]);
      expect(kept[0].sum().item()).toBeCloseTo(joined.narrow(0, 0, 256).sum().item(), 2);
      expect(kept[0].sum().item()).toBeGreaterThan(0);
    },
  );

  it('lets the engine know what it holds: of a loop that yields less than half is moved out, on finalizing', async () => {
    torch.setDefaultDevice('finalizing');
    finalizing.heap.softLimit = usualOfFinalizing;
    const held = torch.ones(8 * MB); // 32 MB that stay: they must not count
    const partMoved = async (): Promise<number> => {
      const before = finalizing.heap.evictedBytes;
      for (let step = 0; step < 100; step++) {
        torch.ones(MB).add(step); // 8 MB that are dropped
        await torch.tick(0);
      }
      return (finalizing.heap.evictedBytes - before) / (100 * 8 * MB);
    };
    // Nearly all would be each time, if it did not. On a busy machine an engine may be late with a collection for once.
    let least = await partMoved();
    for (let again = 0; again < 4 && least >= 0.5; again++) least = Math.min(least, await partMoved());
    expect(least).toBeLessThan(0.5);
    expect(held.sum().item()).toBe(8 * MB);
  });

  it('frees what only the backward walk held', () => {
    const w = torch.ones([256, 256], { requiresGrad: true });
    const step = () => {
      let y = w.mul(1);
      for (let i = 0; i < 10; i++) y = y.sin();
      const loss = y.sum();
      const before = heap.residentBlocks;
      loss.backward();
      return heap.residentBlocks - before;
    };
    step();
    expect(step()).toBeLessThanOrEqual(1);
  });

  it('gives the same results when every op evicts all others', () => {
    const run = () => {
      const x = torch.linspace(-1, 1, 12).reshape(3, 4).requiresGrad_();
      const y = x.matmul(x.t()).softmax(1).mul(torch.arange(9).reshape(3, 3));
      y.index(torch.tensor([2n, 0n]))
        .sum()
        .backward();
      return [...y.data, ...(x.grad?.data ?? [])];
    };
    const expected = run();
    heap.softLimit = 0;
    heap.knownBytes = 0;
    const before = heap.evictions;
    expect(run()).toEqual(expected);
    expect(heap.evictions).toBeGreaterThan(before);
  });

  it('can be given back early; using what was given back is an error', () => {
    const x = torch.ones(1000);
    const { storages } = torch.memoryStats();
    x.dispose();
    x.dispose();
    expect(torch.memoryStats().storages).toBe(storages - 1);
    expect(() => x.add(1)).toThrow(/disposed/);
  });

  it('lets two views share one storage, in both directions', () => {
    const x = torch.zeros(2, 3);
    const column = x.select(1, 2);
    column.fill_(5);
    expect(x.toArray()).toEqual([
      [0, 0, 5],
      [0, 0, 5],
    ]);
    x.zero_();
    expect(column.toArray()).toEqual([0, 0]);
  });
});
