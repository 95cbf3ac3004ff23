/** Long kernels that are cut so that others may look after their work in between: the same bits, and they do look. */
import { afterEach, expect, test } from 'vitest';
import { wasmBackend } from '../../src/backend/registry.ts';
import * as torch from '../../src/index.ts';

const { pool } = wasmBackend().runtime;

afterEach(() => {
  pool.interlude = null;
});

const grads = (y: torch.Tensor, inputs: torch.Tensor[]) => [
  y,
  ...torch.autograd.grad(y.square().sum(), inputs),
];

/** Each of more than sixty million multiply-adds. */
const operations: Record<string, () => (torch.Tensor | null)[]> = {
  'a product and its gradients': () => {
    const [a, b] = [torch.randn(430, 517), torch.randn(517, 461)].map((x) => x.requiresGrad_());
    return grads(a.matmul(b), [a, b]);
  },
  'a product with few rows': () => [torch.randn(61, 901).matmul(torch.randn(901, 1203))],
  'a product of float64': () => {
    const options = { dtype: 'float64' } as const;
    return [torch.randn([430, 517], options).matmul(torch.randn([517, 461], options))];
  },
  'a product with many zeros': () => [
    torch.randn(645, 801).mul(torch.rand(645, 801).lt(0.1)).matmul(torch.randn(801, 401)),
  ],
  'products in batches': () => [torch.randn(13, 203, 205).matmul(torch.randn(13, 205, 207))],
  'a convolution and its gradients': () => {
    const [x, w] = [torch.randn(19, 24, 15, 14), torch.randn(65, 24, 3, 3)].map((y) => y.requiresGrad_());
    return grads(torch.nn.functional.conv2d(x, w, null, { padding: 1 }), [x, w]);
  },
};

test.each(Object.keys(operations))('%s', async (name) => {
  for (const threads of [1, 2]) {
    await torch.init({ threads });
    const run = () => {
      torch.manualSeed(3);
      return operations[name]();
    };
    const expected = run();
    let looks = 0;
    pool.interlude = () => looks++;
    let found = run();
    // On a busy machine the worker may have done all before this thread came to its first slice.
    for (let again = 0; looks === 0 && again < 1000; again++) found = run();
    pool.interlude = null;
    expect(looks).toBeGreaterThan(0);
    expect(found.map((x, i) => x && expected[i]?.equal(x))).toEqual(found.map(() => true));
  }
});

test('one that throws leaves the next ones as they were', async () => {
  await torch.init({ threads: 1 });
  const [a, b] = [torch.randn(430, 517), torch.randn(517, 461)];
  pool.interlude = () => {
    throw new Error('on purpose');
  };
  expect(() => a.matmul(b)).toThrow('on purpose');
  let looks = 0;
  pool.interlude = () => looks++;
  a.matmul(b);
  expect(looks).toBeGreaterThan(0);
});
