/** Calls as programs in PyTorch make them: with options that say nothing here, and by names that are rare. */
import { describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';
import { autograd, data, nn, optim } from '../../src/index.ts';

const F = nn.functional;
const untyped = (x: unknown) => x as never;
const weight = () => torch.tensor([3, 4], { requiresGrad: true });

describe('options of which PyTorch alone has several values', () => {
  it('are taken by what clips gradients', () => {
    const w = weight();
    w.square().sum().backward();
    expect(nn.utils.clipGradNorm_([w], 1, { foreach: true }).item()).toBe(10);
    expect(nn.utils.clipGradNorm_([w], 1, 2, false, false).item()).toBeCloseTo(1, 5);
    nn.utils.clipGradValue_([w], 0.5, { foreach: false });
    const total = nn.utils.getTotalNorm([weight().detach()], 2, false, true);
    nn.utils.clipGradsWithNorm_([w], 1, total, { foreach: null });
    expect(w.grad?.sum().item()).toBeCloseTo(0.2, 5);
  });

  it('are taken by grad, but not the other way', () => {
    const w = weight();
    const [g] = autograd.grad(w.square().sum(), w, { onlyInputs: true });
    expect(g.tolist()).toEqual([6, 8]);
    expect(() => autograd.grad(w.sum(), w, untyped({ onlyInputs: false }))).toThrow(
      'grad: onlyInputs is always true here, but got false',
    );
  });

  it('are taken by tables, but not the other way', () => {
    const table = torch.ones(3, 2);
    const rows = torch.tensor([1n]);
    expect(new nn.Embedding(3, 2, { sparse: false }).forward(rows).shape).toEqual([1, 2]);
    expect(new nn.Embedding(3, 2, null, null, 2, false, false).forward(rows).shape).toEqual([1, 2]);
    nn.Embedding.fromPretrained(table, { sparse: false });
    new nn.EmbeddingBag(3, 2, { sparse: false });
    nn.EmbeddingBag.fromPretrained(table, { sparse: false });
    F.embedding(rows, table, { sparse: false });
    F.embedding(rows, table, null, null, 2, false, false);
    F.embeddingBag(rows, table, torch.tensor([0n]), null, 2, false, 'mean', false);
    const sparse = untyped({ sparse: true });
    const offsets = torch.tensor([0n]);
    for (const call of [
      () => new nn.Embedding(3, 2, sparse),
      () => nn.Embedding.fromPretrained(table, sparse),
      () => new nn.EmbeddingBag(3, 2, sparse),
      () => nn.EmbeddingBag.fromPretrained(table, sparse),
      () => F.embedding(rows, table, sparse),
      () => F.embeddingBag(rows, table, offsets, sparse),
    ])
      expect(call).toThrow('sparse is always false here, but got true');
  });

  it('are taken by data loaders', () => {
    const loader = new data.DataLoader([1, 2, 3], {
      batchSize: 2,
      numWorkers: 4,
      persistentWorkers: true,
      prefetchFactor: 2,
      pinMemoryDevice: 'cuda',
      workerInitFn: null,
      multiprocessingContext: 'spawn',
      timeout: 0,
    });
    expect([...loader].map((batch) => batch.tolist())).toEqual([[1, 2], [3]]);
  });

  it('are taken by optimisers that have them in PyTorch, but not the other way', () => {
    const how = { foreach: true, fused: false, differentiable: false } as const;
    expect(String(new optim.SGD([weight()], { lr: 1, ...how }))).toContain('    foreach: True\n');
    new optim.AdamW([weight()], { lr: 1, ...how, capturable: true });
    expect(() => new optim.SGD([weight()], { capturable: true })).toThrow("no option 'capturable'");
    const params = [weight()];
    for (const call of [
      () => new optim.SGD(params, untyped({ differentiable: true })),
      () => new optim.SGD(untyped([{ params, differentiable: true }])),
    ])
      expect(call).toThrow('SGD: differentiable is always false here, but got true');
  });
});
