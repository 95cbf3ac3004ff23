/** Bags of rows of a table against PyTorch's answers (test/fixtures/functional). */
import { beforeAll, describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';
import { expectCases, type FunctionalCase, loadCases } from '../support/functionalCases.ts';

const { nn, tensor } = torch;
const F = nn.functional;
const untyped = (x: unknown) => x as never;
const whole = (...list: number[]) => tensor(list, { dtype: 'int64' });
let cases: Record<string, FunctionalCase[]>;
beforeAll(async () => {
  cases = await loadCases();
});

describe('embeddingBag', () => {
  it('gives PyTorch’s numbers and gradients in every form', () => {
    expectCases('embedding_bag', cases.embedding_bag);
  });

  it('divides gradients by how often a row is used', () => {
    const [table, picks] = [torch.rand(6, 3).requiresGrad_(), whole(1, 4, 4, 0, 2, 5, 1, 4)];
    const scaleGradByFreq = true;
    const bags = F.embeddingBag(picks, table, { offsets: whole(0, 3), mode: 'sum', scaleGradByFreq });
    const rows = F.embedding(picks, table, { scaleGradByFreq });
    const sums = torch.stack([rows.narrow(0, 0, 3).sum(0), rows.narrow(0, 3, 5).sum(0)]);
    const factor = torch.rand(2, 3);
    const [found] = torch.autograd.grad(bags.mul(factor).sum(), [table]);
    const [wanted] = torch.autograd.grad(sums.mul(factor).sum(), [table]);
    expect(torch.allclose(found, wanted)).toBe(true);
  });

  it('counts rows that are not finite', () => {
    const weight = torch.tensor([
      [Number.NEGATIVE_INFINITY, 1],
      [2, Number.POSITIVE_INFINITY],
    ]);
    const input = torch.tensor([0, 0, 0, 1], { dtype: 'int64' });
    const offsets = torch.tensor([0, 2], { dtype: 'int64' });
    const by = (mode: 'max' | 'mean') => F.embeddingBag(input, weight, offsets, { mode }).tolist();
    expect(by('max')).toEqual([
      [Number.NEGATIVE_INFINITY, 1],
      [2, Number.POSITIVE_INFINITY],
    ]);
    expect(by('mean')).toEqual([
      [Number.NEGATIVE_INFINITY, 1],
      [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
    ]);
  });

  it('shortens rows that are used and too long', () => {
    const table = tensor([
      [3, 4],
      [0.1, 0.2],
      [6, 8],
    ]);
    const sum = F.embeddingBag(whole(0, 1), table, { offsets: whole(0), maxNorm: 1, mode: 'sum' });
    expect(torch.allclose(sum, tensor([[0.7, 1]]), { atol: 1e-6 })).toBe(true);
    expect(table.index(2).tolist()).toEqual([6, 8]);
  });

  it.each<[string, () => unknown, string]>([
    [
      'bags of one dimension without offsets',
      () => F.embeddingBag(whole(0, 1), table()),
      'offsets has to be a 1D Tensor, but got null',
    ],
    [
      'bags of two with them',
      () => F.embeddingBag(whole(0, 1).reshape(1, 2), table(), whole(0)),
      'if input is 2D, then offsets has to be null',
    ],
    [
      'ranks',
      () => F.embeddingBag(whole(0, 1).reshape(1, 2, 1), table()),
      'has to be 1D or 2D Tensor, but got Tensor of dimension 3',
    ],
    [
      'ranks of offsets',
      () => F.embeddingBag(whole(0, 1), table(), whole(0).reshape(1, 1)),
      "'offsets' has to be a 1D Tensor, but got shape [1, 1]",
    ],
    ['first offsets', () => F.embeddingBag(whole(0, 1), table(), whole(1)), 'offsets[0] has to be 0'],
    [
      'last offsets',
      () => F.embeddingBag(whole(0, 1), table(), whole(0, 3)),
      "can not be greater than input's length 2, but got offsets of [0, 3]",
    ],
    [
      'orders of offsets',
      () => F.embeddingBag(whole(0, 1), table(), whole(0, 2, 1)),
      "'offsets' must not decrease, but got offsets of [0, 2, 1]",
    ],
    [
      'numbers of offsets',
      () => F.embeddingBag(whole(0, 1), table(), { offsets: whole(), includeLastOffset: true }),
      'number of offset should be at least 1, but got 0',
    ],
    [
      'modes',
      () => F.embeddingBag(whole(0, 1), table(), { offsets: whole(0), mode: untyped('min') }),
      "mode has to be one of sum, mean or max, but got 'min'",
    ],
    [
      'indices',
      () => F.embeddingBag(whole(0, 5), table(), whole(0)),
      'embedding_bag: index out of range in self',
    ],
    [
      'dtypes',
      () => F.embeddingBag(torch.ones(2), table(), whole(0)),
      "embedding_bag: expected argument 'input'",
    ],
    [
      'weights',
      () => F.embeddingBag(whole(0, 1), table(), { offsets: whole(0), perSampleWeights: torch.ones(2) }),
      "only supported for mode='sum', but got mode='mean'",
    ],
    [
      'shapes of weights',
      () =>
        F.embeddingBag(whole(0, 1), table(), {
          offsets: whole(0),
          mode: 'sum',
          perSampleWeights: torch.ones(3),
        }),
      'the same shape as the input [2], but got [3]',
    ],
    [
      'frequencies',
      () => F.embeddingBag(whole(0, 1), table(), { offsets: whole(0), mode: 'max', scaleGradByFreq: true }),
      'max mode does not support scaling',
    ],
    [
      'padding',
      () => F.embeddingBag(whole(0, 1), table(), { offsets: whole(0), paddingIdx: 7 }),
      'but got 7',
    ],
  ])('refuses wrong %s', (_what, call, message) => {
    expect(call).toThrow(message);
  });
});

const table = () => torch.ones(3, 2);

describe('EmbeddingBag', () => {
  it('draws, prints, saves and computes as PyTorch’s', () => {
    torch.manualSeed(7);
    const layer = new nn.EmbeddingBag(5, 3, {
      mode: 'sum',
      paddingIdx: -1,
      maxNorm: 2,
      scaleGradByFreq: true,
    });
    torch.manualSeed(7);
    expect(torch.equal(layer.weight.narrow(0, 0, 4), new nn.Embedding(5, 3).weight.narrow(0, 0, 4))).toBe(
      true,
    );
    expect(layer.weight.index(4).tolist()).toEqual([0, 0, 0]);
    expect(String(layer)).toBe(
      "EmbeddingBag(5, 3, max_norm=2, scale_grad_by_freq=True, mode='sum', padding_idx=4)",
    );
    expect(String(new nn.EmbeddingBag({ numEmbeddings: 5, embeddingDim: 3 }))).toBe(
      "EmbeddingBag(5, 3, mode='mean')",
    );
    expect(Object.keys(layer.stateDict())).toEqual(['weight']);
  });

  it('takes offsets and weights by position and by name', () => {
    const layer = new nn.EmbeddingBag(5, 3, null, 2, false, 'sum');
    const [picks, offsets, weights] = [whole(0, 3, 4), whole(0, 2), tensor([1, 2, 3])];
    const wanted = F.embeddingBag(picks, layer.weight, { offsets, perSampleWeights: weights, mode: 'sum' });
    expect(torch.equal(layer.forward(picks, offsets, weights), wanted)).toBe(true);
    expect(torch.equal(layer.forward(picks, { offsets, perSampleWeights: weights }), wanted)).toBe(true);
  });

  it('takes given vectors, frozen unless told otherwise', () => {
    const vectors = torch.rand(4, 2);
    const layer = nn.EmbeddingBag.fromPretrained(vectors, {
      mode: 'max',
      paddingIdx: 1,
      includeLastOffset: true,
    });
    expect([layer.numEmbeddings, layer.embeddingDim, layer.paddingIdx]).toEqual([4, 2, 1]);
    expect(layer.weight.requiresGrad).toBe(false);
    expect(nn.EmbeddingBag.fromPretrained(vectors, false).weight.requiresGrad).toBe(true);
    expect(layer.forward(whole(2, 1, 3), whole(0, 2, 3)).tolist()).toEqual(
      vectors.index(whole(2, 3)).tolist(),
    );
  });

  it.each<[string, () => unknown, string]>([
    ['padding', () => new nn.EmbeddingBag(5, 3, { paddingIdx: 6 }), 'expected [-5, 5), but got 6'],
    ['sizes', () => new nn.EmbeddingBag(-1, 3), 'numEmbeddings must be a non-negative integer'],
    [
      'vectors',
      () => nn.EmbeddingBag.fromPretrained(torch.ones(3)),
      'expected to be 2-dimensional, but got shape [3]',
    ],
  ])('refuses wrong %s', (_what, call, message) => {
    expect(call).toThrow(message);
  });
});
