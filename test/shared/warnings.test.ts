// What is no error, but mostly not what was meant, is said once in the console. Each test has a place of its own, as a place
// warns once a process.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import * as torch from '../../src/index.ts';
import { nn, type Tensor } from '../../src/index.ts';

type Loss = (input: Tensor, target: Tensor, options?: { reduction: 'none' }) => Tensor;
const F = nn.functional;
const said: string[] = [];

beforeEach(() => {
  said.length = 0;
  vi.spyOn(console, 'warn').mockImplementation((text: unknown) => void said.push(String(text)));
});
afterEach(() => void vi.restoreAllMocks());

test.each<[string, Loss]>([
  ['mse_loss', F.mseLoss],
  ['l1_loss', F.l1Loss],
  ['smooth_l1_loss', F.smoothL1Loss],
  ['huber_loss', F.huberLoss],
])('%s says once that sizes differ, and computes what PyTorch does', (op, loss) => {
  const [prediction, target] = [torch.zeros(3, 1), torch.tensor([1, 2, 3])];
  expect(loss(prediction.squeeze(), target).item()).toBe(loss(prediction, target.unsqueeze(1)).item());
  expect(said).toEqual([]);
  const each = [0, 1].map(() => loss(prediction, target, { reduction: 'none' }).shape);
  expect(each).toEqual([
    [3, 3],
    [3, 3],
  ]);
  expect(said).toEqual([
    `wasmgrad: ${op}: the target's size [3] is different from the input's size [3, 1]. This will likely lead to incorrect ` +
      'results due to broadcasting. Please ensure they have the same size.',
  ]);
});

test('the gradient of what was computed is null, and why is said once', () => {
  const leaf = torch.tensor([2], { requiresGrad: true });
  const [kept, computed] = [leaf.mul(3), leaf.mul(2)];
  kept.retainGrad();
  kept.add(computed).sum().backward();
  expect([leaf.grad?.item(), kept.grad?.item(), torch.ones(1).grad]).toEqual([5, 1, null]);
  expect(said).toEqual([]);
  expect([computed.grad, computed.grad]).toEqual([null, null]);
  expect(said).toEqual([expect.stringMatching(/^wasmgrad: grad: .*retainGrad\(\)/)]);
});

test('dropout behind no layer', () => {
  new nn.GRU(2, 3, { numLayers: 2, dropout: 0.5 });
  expect(said).toEqual([]);
  new nn.GRU(2, 3, { dropout: 0.5 });
  expect(said).toEqual([expect.stringMatching(/^wasmgrad: GRU: .*numLayers 1$/)]);
});
