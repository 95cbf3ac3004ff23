/** Connectionist temporal classification against PyTorch's answers (test/fixtures/functional), and against all paths. */
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

/** Without repetitions, then without blanks. */
const collapsed = (path: readonly number[]): string =>
  path.filter((k, t) => k !== path[t - 1] && k !== 0).join();

describe('ctcLoss', () => {
  it('gives PyTorch’s numbers and gradients in every form', () => {
    expectCases('ctc_loss', cases.ctc_loss, 2e-5);
  });

  it('is the sum over all paths', () => {
    const logits = torch.linspace(-1, 2, 15, { dtype: 'float64' }).mul(3).sin().reshape([5, 3]);
    const probs = logits.softmax(-1).tolist() as number[][];
    let total = 0;
    for (let code = 0; code < 3 ** 5; code++) {
      const path = probs.map((_, t) => Math.floor(code / 3 ** t) % 3);
      if (collapsed(path) === '1,1,2') total += path.reduce((p, k, t) => p * probs[t][k], 1);
    }
    const loss = F.ctcLoss(logits.logSoftmax(-1), whole(1, 1, 2), 5, 3, { reduction: 'sum' });
    expect(loss.item()).toBeCloseTo(-Math.log(total), 10);
  });

  it('has the gradient of logits that finite differences have', () => {
    const logits = torch.linspace(-1, 2, 24, { dtype: 'float64' }).mul(3).sin().reshape([4, 2, 3]);
    const loss = (x: torch.Tensor) =>
      F.ctcLoss(x.logSoftmax(-1), whole(1, 2, 1), [4, 3], [2, 1], { reduction: 'sum' });
    expect(torch.autograd.gradcheck(loss, [logits.clone().requiresGrad_()])).toBe(true);
  });

  it('gives classes of probability 0 no gradient', () => {
    const logProbs = tensor([[[-Infinity, 0, -Infinity]], [[-Infinity, 0, -Infinity]]]).requiresGrad_();
    const loss = F.ctcLoss(logProbs, whole(1), [2], [1], { reduction: 'sum' });
    loss.backward();
    expect([loss.item(), ...(logProbs.grad as torch.Tensor).data].map((x) => Number(x) + 0)).toEqual([
      0, 0, 0, 0, 0, 0, 0,
    ]);
  });

  it('notices a change of the losses in place', () => {
    const logits = torch.zeros([2, 1, 3], { requiresGrad: true });
    const target = torch.ones([1, 1], { dtype: 'int64' });
    const losses = F.ctcLoss(logits.logSoftmax(2), target, [2], [1], { reduction: 'none' });
    losses.mul_(2);
    expect(() => losses.sum().backward()).toThrow('modified by an inplace operation');
  });

  it('refuses a second derivative', () => {
    const x = torch.zeros(3, 1, 2).requiresGrad_();
    const loss = F.ctcLoss(x, whole(1), [3], [1]);
    expect(() => torch.autograd.grad(loss, [x], { createGraph: true })).toThrow(
      'ctc_loss: expected backward without createGraph',
    );
  });

  const x = torch.zeros(5, 2, 3);
  const targets = whole(1, 2, 2, 1).reshape(2, 2);
  it.each<[string, () => unknown, string]>([
    [
      'input lengths',
      () => F.ctcLoss(x, targets, [5, 6], [2, 2]),
      "'inputLengths' to have values of at least 0 and at most 5, but got value 6",
    ],
    [
      'negative lengths',
      () => F.ctcLoss(x, targets, [5, 5], [2, -1]),
      "'targetLengths' to have values of at least 0 and at most Infinity, but got value -1",
    ],
    [
      'numbers of lengths',
      () => F.ctcLoss(x, targets, [5], [2, 2]),
      "'inputLengths' to be of size batch_size, 2, but got 1",
    ],
    [
      'dtypes of lengths',
      () => F.ctcLoss(x, targets, torch.ones(2), [2, 2]),
      "'inputLengths' to hold whole numbers: it must be integral, but got float32",
    ],
    [
      'target lengths',
      () => F.ctcLoss(x, targets, [5, 5], [2, 3]),
      'size at least 3 at dimension 1, but got size 2',
    ],
    [
      'sums of lengths',
      () => F.ctcLoss(x, targets.flatten(), [5, 5], [2, 1]),
      'size 3 at dimension 0, but got size 4',
    ],
    [
      'batches',
      () => F.ctcLoss(x, targets.narrow(0, 0, 1), [5, 5], [2, 2]),
      'size 2 at dimension 0, but got size 1',
    ],
    [
      'ranks',
      () => F.ctcLoss(x, targets.unsqueeze(0), [5, 5], [2, 2]),
      'Expected 1 to 2 dimensions, but got 3',
    ],
    [
      'ranks of logProbs',
      () => F.ctcLoss(x.flatten(), targets, [5, 5], [2, 2]),
      'Expected 3-dimensional tensor',
    ],
    ['labels', () => F.ctcLoss(x, targets.add(1), [5, 5], [2, 2]), 'to hold labels in [0, 3), but got 3'],
    [
      'blanks',
      () => F.ctcLoss(x, targets, [5, 5], [2, 2], 3),
      'blank must be in label range: expected a whole number in [0, 3), but got 3',
    ],
    [
      'sizes',
      () => F.ctcLoss(torch.zeros(0, 2, 3), targets, [0, 0], [2, 2]),
      'log_probs tensor must not be empty',
    ],
    [
      'reductions',
      () => F.ctcLoss(x, targets, [5, 5], [2, 2], { reduction: untyped('x') }),
      'x is not a valid value for reduction',
    ],
    [
      'reductions of modules',
      () => new nn.CTCLoss({ reduction: untyped('x') }),
      'x is not a valid value for reduction',
    ],
  ])('refuses wrong %s', (_what, call, message) => {
    expect(call).toThrow(message);
  });

  it('is a module, too, with arguments by position or by name', () => {
    const logProbs = torch.rand(5, 2, 3).logSoftmax(-1);
    const wanted = F.ctcLoss(logProbs, targets, {
      inputLengths: [5, 5],
      targetLengths: [2, 1],
      blank: 0,
      reduction: 'sum',
    });
    for (const layer of [new nn.CTCLoss(0, 'sum', true), new nn.CTCLoss({ reduction: 'sum' })])
      expect(layer.forward(logProbs, targets, whole(5, 5), [2, 1]).item()).toBe(wanted.item());
    expect(String(new nn.CTCLoss())).toBe('CTCLoss()');
  });
});
