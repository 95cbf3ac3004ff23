/** A training on one to four threads gives the same bits, in Node and in pages. */
import { afterAll, describe, expect, it } from 'vitest';
import { registerBackend } from '../../src/backend/registry.ts';
import { detectHost } from '../../src/backend/wasm/host.ts';
import { WasmBackend } from '../../src/backend/wasm/index.ts';
import * as torch from '../../src/index.ts';

const { nn, optim } = torch;
const F = nn.functional;

class ThreadedBackend extends WasmBackend {
  override readonly device: string = 'threaded';
}
const found = detectHost();
/** More threads than cores take turns, so a machine of two cores can have four here. */
const host = 'reason' in found ? found : { ...found, cores: 4 };
const backend = new ThreadedBackend({ host });
const { device } = backend;
const { pool, module } = backend.runtime;
const possible = module.shared && !('reason' in host);
registerBackend(backend);
afterAll(() => pool.stop());

/** Two steps with a sparse and a dense left operand, columns summed, rows normalised, windows; the parameters' bits. */
function trained(): Int32Array[] {
  torch.manualSeed(5);
  const x = torch.rand(128, 1, 20, 20);
  const drawing = x.mul(x.gt(0.8)).to(device); // four fifths are zero
  const labels = torch.randint(0, 10, [128]).to(device);
  const picture = new nn.Conv2d(1, 4, 3, { padding: 1 }).to(device);
  const first = new nn.Linear(400, 320, { device });
  const norm = new nn.LayerNorm(320).to(device);
  const second = new nn.Linear(320 + 400, 10, { bias: false, device });
  const layers = [picture, first, norm, second];
  const parameters = layers.flatMap((layer) => [...layer.parameters()]);
  const optimizer = new optim.SGD(parameters, { lr: 0.1, momentum: 0.9 });
  for (let step = 0; step < 2; step++) {
    const hidden = F.relu(norm.forward(first.forward(drawing.flatten(1))));
    const seen = F.maxPool2d(F.relu(picture.forward(drawing)), 2).flatten(1);
    const loss = F.crossEntropy(second.forward(torch.cat([hidden, seen], 1)), labels);
    loss.backward();
    optimizer.step();
    optimizer.zeroGrad();
  }
  return parameters.map((p) => new Int32Array((p.detach().data as Float32Array).buffer));
}

/** Products in slices, for which threads pack alone or together: of rows, of columns, several blocks, batches; their bits. */
function multiplied(): Int32Array[] {
  torch.manualSeed(6);
  const found: torch.Tensor[] = [];
  const add = (a: torch.Tensor, b: torch.Tensor) => found.push(a.to(device).matmul(b.to(device)));
  for (const dtype of ['float32', 'float64'] as const) {
    for (const [m, k, n] of [
      [33, 780, 97],
      [130, 520, 500],
      [1100, 40, 400],
      [2101, 33, 130],
      [400, 36, 1100],
      [250, 800, 99],
    ]) {
      const [a, b] = [torch.randn(m, k).to(dtype), torch.randn(k, n).to(dtype)];
      add(a, b);
      add(a.t().contiguous().t(), b.t().contiguous().t());
    }
    add(torch.randn(2, 240, 250).to(dtype), torch.randn(2, 250, 241).to(dtype));
    add(torch.randn(2, 3, 130, 130).transpose(0, 1).to(dtype), torch.randn(130, 131).to(dtype));
  }
  const linear = new nn.Sequential(new nn.Linear(600, 300), new nn.ReLU()).to(device);
  found.push(linear.forward(torch.randn(100, 600).to(device)));
  return found.map((x) => new Int32Array((x.detach().data as Float32Array).buffer));
}

describe('threads', () => {
  it.each([
    ['a training', trained],
    ['products', multiplied],
  ])('change no bit of %s', async (_, computed) => {
    expect(await pool.start(1)).toBe(1);
    const alone = computed();
    expect(alone.every((bits) => bits.some((word) => word !== 0))).toBe(true);
    for (const threads of [2, 3, 4]) {
      expect(await pool.start(threads)).toBe(possible ? threads : 1);
      const together = computed();
      const different = alone.map((bits, i) => bits.findIndex((word, at) => word !== together[i][at]));
      expect(different, `${threads} threads: first difference of each`).toEqual(alone.map(() => -1));
    }
  });
});
