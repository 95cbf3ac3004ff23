/** The cells of LSTM and GRU by one kernel against the same made of ops: the same bits, and derivatives of any order. */
import { afterAll, describe, expect, it } from 'vitest';
import { registerBackend } from '../../src/backend/registry.ts';
import { WasmBackend } from '../../src/backend/wasm/index.ts';
import * as torch from '../../src/index.ts';
import { nn, type Tensor } from '../../src/index.ts';
import { gruCell, lstmCell } from '../../src/ops/recurrent.ts';

class Named extends WasmBackend {
  override readonly device: string;
  constructor(device: string) {
    super();
    this.device = device;
  }
}
const [byKernel, byOps] = [new Named('cells'), new Named('ops')];
const backends = [byKernel, byOps];
for (const method of ['lstmCellGrad', 'gruCellGrad'])
  Object.defineProperty(byOps, method, { value: undefined });
for (const backend of backends) registerBackend(backend);
afterAll(async () => {
  for (const { runtime } of backends) await runtime.pool.stop();
});

interface CellKind {
  readonly gates: number;
  step(inputs: readonly Tensor[]): Tensor[];
}
const cells: { [name: string]: CellKind } = {
  LSTM: {
    gates: 4,
    step: ([x, recurrent, before]) => {
      const { hidden, cell } = lstmCell(x, recurrent, before);
      return [hidden, cell];
    },
  },
  GRU: { gates: 3, step: ([x, recurrent, before]) => [gruCell(x, recurrent, before)] },
};

function bits(x: Tensor | null): number[] {
  if (x === null) return [];
  return Array.from(new Int32Array((x.detach().data as Float32Array).buffer));
}

/** The inputs of a cell, the same on every device. */
function inputsOf(gates: number, n: number, size: number, device: string): Tensor[] {
  torch.manualSeed(100 * n + size);
  return [gates, gates, 1].map((width) =>
    torch
      .randn(n, width * size)
      .mul(2)
      .to(device)
      .requiresGrad_(),
  );
}

/** The gradients of outputs weighted with numbers that differ everywhere. */
function gradients(outputs: readonly Tensor[], inputs: readonly Tensor[], createGraph = false) {
  const weights = outputs.map((y, i) =>
    torch
      .arange(y.numel(), { dtype: 'float32' })
      .add(i + 1)
      .sin()
      .reshape(...y.shape)
      .to(y.device)
      .to(y.dtype),
  );
  return torch.autograd.grad(outputs, inputs, weights, { createGraph });
}

describe.each(Object.keys(cells))('the cell of %s', (name) => {
  const { gates, step } = cells[name];

  it.each([1, 2])('has the bits of the ops around the edges of vectors, threads: %i', async (threads) => {
    for (const { runtime } of backends) await runtime.pool.start(threads);
    for (const size of [1, 3, 4, 5, 8, 13, 16, 33]) {
      for (const n of [1, 2, 7, 130]) {
        const [found, wanted] = backends.map(({ device }) => {
          const inputs = inputsOf(gates, n, size, device);
          const outputs = step(inputs);
          const all = [...outputs, ...gradients(outputs, inputs)];
          return { names: outputs.map((y) => y.gradFn?.name), values: all.map(bits) };
        });
        expect(found.values, `${n} × ${size}`).toEqual(wanted.values);
        expect(found.values.every((words) => words.some((word) => word !== 0))).toBe(true);
        expect(found.names[0]).not.toBe(wanted.names[0]);
      }
    }
  });

  it('has the bits of the ops where only one output is used, and from inputs with gaps', () => {
    for (const used of step(inputsOf(gates, 2, 3, 'cells')).keys()) {
      const [found, wanted] = backends.map(({ device }) => {
        const inputs = inputsOf(gates, 6, 5, device);
        const apart = inputs.map((x) => x.t().contiguous().t());
        return gradients([step(apart)[used]], inputs).map(bits);
      });
      expect(found, `output ${used}`).toEqual(wanted);
    }
  });

  it('has derivatives of higher order', () => {
    const results = ['cells', 'cpu'].map((device) => {
      const inputs = inputsOf(gates, 3, 5, device).map((x) =>
        (device === 'cpu' ? x.detach().to('float64') : x.detach()).requiresGrad_(),
      );
      const first = gradients(step(inputs), inputs, true);
      const second = gradients(first, inputs, true);
      const third = gradients(second, inputs);
      return [first, second, third].map((list) => list.map((x) => x.detach().to('cpu').to('float64')));
    });
    const [found, wanted] = results;
    for (const [order, list] of found.entries()) {
      for (const [i, x] of list.entries()) {
        const away = x.sub(wanted[order][i]).abs().max().item();
        expect(away, `order ${order + 1}, input ${i}`).toBeLessThan(1e-4);
        expect(wanted[order][i].abs().max().item()).toBeGreaterThan(1e-2);
      }
    }
  });
});

describe('recurrent layers', () => {
  it.each([
    ['LSTM', nn.LSTM],
    ['GRU', nn.GRU],
  ])('%s has the bits of the ops over a sequence, in both directions', (_, Layer) => {
    const [found, wanted] = backends.map(({ device }) => {
      torch.manualSeed(4);
      const layer = new Layer(5, 7, { numLayers: 2, bidirectional: true, batchFirst: true }).to(device);
      const x = torch.randn(3, 6, 5).to(device).requiresGrad_();
      const [y] = layer.forward(x);
      y.square().sum().backward();
      return [y, x.grad, ...[...layer.parameters()].map((p) => p.grad)].map(bits);
    });
    expect(found).toEqual(wanted);
  });

  it('keep nothing that is not needed without a graph', () => {
    const x = torch.randn(4, 12, { device: 'cells' });
    const cell = torch.randn(4, 3, { device: 'cells' });
    const before = byKernel.memory().storages;
    const { hidden } = lstmCell(x, x, cell);
    expect(byKernel.memory().storages).toBe(before + 2);
    expect(hidden.shape).toEqual([4, 3]);
  });
});
