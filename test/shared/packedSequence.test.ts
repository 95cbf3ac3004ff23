/** `nn.utils.rnn` and recurrent layers over packed sequences: against PyTorch 2.13, and against each sequence by itself. */
import { describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';
import { nn, type Tensor } from '../../src/index.ts';

const { rnn } = nn.utils;
const LENGTHS = [3, 5, 2, 5];
const sequences = (features = 4): Tensor[] => LENGTHS.map((length) => torch.randn(length, features));
const ramp = (length: number): Tensor => torch.arange(1, length + 1, { dtype: 'float32' });
const close = (got: Tensor, want: Tensor, what: string): void => {
  expect(got.shape, what).toEqual(want.shape);
  expect(got.sub(want).abs().max().item(), what).toBeLessThan(1e-5);
};

describe('nn.utils.rnn', () => {
  it('pads sequences on either side, by steps or by sequences first', () => {
    const list = [ramp(1), ramp(3), ramp(2)];
    expect(rnn.padSequence(list).toArray()).toEqual([
      [1, 1, 1],
      [0, 2, 2],
      [0, 3, 0],
    ]);
    const byRows = [
      [1, -1, -1],
      [1, 2, 3],
      [1, 2, -1],
    ];
    expect(rnn.padSequence(list, true, -1).toArray()).toEqual(byRows);
    expect(rnn.padSequence(new Set(list), { batchFirst: true, paddingValue: -1 }).toArray()).toEqual(byRows);
    expect(rnn.padSequence(list, true, 0, 'left').toArray()).toEqual([
      [0, 0, 1],
      [1, 2, 3],
      [0, 1, 2],
    ]);
    const whole = rnn.padSequence([torch.tensor([1n]), torch.tensor([2n, 3n])]);
    expect([whole.dtype, whole.toArray()]).toEqual(['int64', [[1, 2], [0, 3]]]); // biome-ignore format: one value
    const parts = rnn.unpadSequence(rnn.padSequence(list), [1, 3, 2]);
    expect(parts.map((x) => x.toArray())).toEqual(list.map((x) => x.toArray()));
  });

  it('packs as PyTorch does, sorted or not, and prints so', () => {
    const padded = torch.tensor([
      [1, 2, 0],
      [3, 0, 0],
      [4, 5, 6],
    ]);
    const packed = rnn.packPaddedSequence(padded, [2, 1, 3], { batchFirst: true, enforceSorted: false });
    expect(String(packed)).toBe(
      'PackedSequence(data=tensor([4., 1., 3., 5., 2., 6.]), batch_sizes=tensor([3, 2, 1]), ' +
        'sorted_indices=tensor([2, 0, 1]), unsorted_indices=tensor([1, 2, 0]))',
    );
    const [back, lengths] = rnn.padPackedSequence(packed, true, -1);
    expect([back.toArray(), lengths.toArray(), lengths.dtype]).toEqual([
      [
        [1, 2, -1],
        [3, -1, -1],
        [4, 5, 6],
      ],
      [2, 1, 3],
      'int64',
    ]);
    const sorted = rnn.packSequence([ramp(3), ramp(1)]);
    expect([sorted.data.toArray(), sorted.batchSizes.toArray(), sorted.sortedIndices]).toEqual([
      [1, 1, 2, 3],
      [2, 1, 1],
      null,
    ]);
    expect(rnn.padPackedSequence(sorted, { totalLength: 4 })[0].shape).toEqual([4, 2]);
    const mixed = LENGTHS.map(ramp);
    const unpacked = rnn.unpackSequence(rnn.packSequence(mixed, { enforceSorted: false }));
    expect(unpacked.map((x) => x.toArray())).toEqual(mixed.map((x) => x.toArray()));
    expect(sorted.to('float64').data.dtype).toBe('float64');
  });

  it('names what does not fit', () => {
    const x = torch.ones(3, 2);
    expect(() => rnn.padSequence([])).toThrow('received an empty list of sequences');
    expect(() => rnn.padSequence([torch.ones(2, 3), torch.ones(2, 4)])).toThrow(torch.ShapeError);
    expect(() => rnn.packPaddedSequence(x, [1])).toThrow(/equal to batch_size, but got 1 \(batch_size=2\)/);
    expect(() => rnn.packPaddedSequence(x, [2, 0])).toThrow('has to be greater than 0');
    expect(() => rnn.packPaddedSequence(x, [1, 2])).toThrow('must be sorted in decreasing order');
    expect(() => rnn.packPaddedSequence(x, [4, 2])).toThrow(torch.IndexError);
    expect(() => rnn.packPaddedSequence(x, [1.5, 1])).toThrow(
      /lengths: expected a list or a vector of whole numbers/,
    );
    expect(() => rnn.packPaddedSequence(x, [2, 1], { batch_first: true } as never)).toThrow('batchFirst');
    expect(() => rnn.padPackedSequence(rnn.packSequence([ramp(3)]), { totalLength: 2 })).toThrow(
      'at least the length of the longest sequence',
    );
    expect(() => new rnn.PackedSequence(x, [1])).toThrow(torch.ShapeError);
    expect(() => new nn.GRU(2, 3).forward(rnn.packSequence([ramp(2)]))).toThrow(
      /input must have 2 dimensions/,
    );
    expect(() => new nn.GRU(2, 3).forward(rnn.packSequence([torch.ones(2, 3)]))).toThrow('Expected 2, got 3');
  });
});

describe.each([
  ['LSTM', () => new nn.LSTM(4, 3, { numLayers: 2, bidirectional: true })],
  ['LSTM with projection', () => new nn.LSTM(4, 5, { bidirectional: true, projSize: 2 })],
  ['GRU', () => new nn.GRU(4, 3, { numLayers: 2, bidirectional: true })],
  ['RNN', () => new nn.RNN(4, 3, { numLayers: 2 })],
] as const)('%s over packed sequences', (_name, make) => {
  const statesOf = (state: Tensor | readonly Tensor[]): Tensor[] =>
    Array.isArray(state) ? state : [state as Tensor];

  it('is each sequence by itself: outputs, last states and gradients, sorted or not', () => {
    torch.manualSeed(1);
    const layer = make() as nn.LSTM;
    for (const enforceSorted of [true, false]) {
      const list = sequences().map((x) => x.requiresGrad_());
      if (enforceSorted) list.sort((a, b) => b.shape[0] - a.shape[0]);
      const run = (results: (readonly [Tensor, Tensor | readonly Tensor[]])[]) => {
        layer.zeroGrad();
        for (const x of list) x.grad = null;
        const found = results.map(([output, state]) => [output, ...statesOf(state)]);
        found.flat().reduce((sum, x) => sum.add(x.sin().sum()), torch.tensor(0)).backward(); // biome-ignore format: one sum
        return { found, grads: [...list, ...layer.parameters()].map((x) => (x.grad as Tensor).clone()) };
      };
      const apart = run(list.map((x) => layer.forward(x)));
      const packed = (() => {
        const [output, state] = layer.forward(rnn.packSequence(list, { enforceSorted }));
        const states = statesOf(state);
        return list.map((_, i): [Tensor, Tensor[]] => [
          rnn.unpackSequence(output)[i],
          states.map((x) => x.select(1, i)),
        ]);
      })();
      const together = run(packed);
      for (const [i, parts] of apart.found.entries())
        for (const [j, want] of parts.entries())
          close(together.found[i][j], want, `sequence ${i}, part ${j}`);
      for (const [i, want] of apart.grads.entries()) close(together.grads[i], want, `gradient ${i}`);
    }
  });
});

it("an LSTM's numbers over packed sequences are PyTorch's, the initial state in the order before sorting", () => {
  torch.manualSeed(0);
  const lstm = new nn.LSTM(2, 3, { bidirectional: true, batchFirst: true });
  const x = torch.randn(3, 4, 2);
  const state = [torch.randn(2, 3, 3), torch.randn(2, 3, 3)] as const;
  const packed = rnn.packPaddedSequence(x, [2, 4, 1], true, false);
  const [output, [h, c]] = lstm.forward(packed, state);
  const [padded] = rnn.padPackedSequence(output, { batchFirst: true });
  const shown = [padded.sum([0, 1]), padded.sum([0, 2]), h.sum([0, 2]), c.sum([0, 2])];
  const rounded = (sum: Tensor) =>
    Array.from<number | bigint, number>(sum.data, (x) => Number(Number(x).toFixed(4)));
  expect(shown.map(rounded)).toEqual([
    [-1.0549, -1.5177, 0.175, -0.2424, -0.4333, 0.116],
    [-1.5432, -1.2335, -0.4602, 0.2795],
    [-0.9692, -0.8814, 0.095],
    [-1.695, -1.5544, 0.4127],
  ]);
});
