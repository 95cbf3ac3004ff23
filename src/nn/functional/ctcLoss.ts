/** The loss of sequences whose labels are not aligned with time: connectionist temporal classification. */

import { isGradEnabled, noGrad } from '../../autograd/gradMode.ts';
import { record } from '../../autograd/record.ts';
import { isInteger } from '../../core/dtype.ts';
import { ArgumentError, AutogradError, IndexError, ShapeError } from '../../core/errors.ts';
import { inOp } from '../../core/inOp.ts';
import { formatShape } from '../../core/shape.ts';
import { full, tensor, zeros } from '../../creation.ts';
import { checkDevices } from '../../ops/convert.ts';
import { checkFloating, given, tensorGiven } from '../../ops/given.ts';
import { cat, stack } from '../../ops/join.ts';
import { type LossReduction, reduceLoss } from '../../ops/loss.ts';
import { logaddexp } from '../../ops/pairs.ts';
import { taking } from '../../ops/taking.ts';
import { whereOp } from '../../ops/where.ts';
import { checkWithin } from '../../ops/within.ts';
import { type Flexible, named } from '../../tensor/namedArguments.ts';
import { Tensor } from '../../tensor.ts';

export interface CTCLossOptions {
  /** The class that stands for no label. Default 0. */
  blank?: number;
  /** Default 'mean': the mean of the losses, each divided by the length of its target. */
  reduction?: LossReduction;
  /** Losses that are infinite, as those of targets longer than their inputs, and their gradients are 0. */
  zeroInfinity?: boolean;
}

/** One for each sequence: whole numbers, which have to be known at once. */
export type Lengths = Tensor | number | readonly number[];

const NEVER = Number.NEGATIVE_INFINITY;

/** Sequences as the recursion goes through them. States are the labels with blanks before, between and behind them. */
interface Lattice {
  readonly inputLengths: readonly number[];
  readonly targetLengths: readonly number[];
  /** int64 [n, states]: the class of each state. */
  readonly classes: Tensor;
  /** [states, n]: 0 where a state may follow the one before the one before it, −∞ elsewhere. */
  readonly skips: Tensor;
}

/** @throws ArgumentError unless there is a whole number in [0, most] for each of n sequences */
function lengthsOf(lengths: Lengths, n: number, most: number, name: string): number[] {
  given(lengths, 'ctc_loss', name, 'a Tensor or a list of whole numbers');
  const refuse = (expected: string, came: string): never => {
    throw new ArgumentError(`ctc_loss: expected argument '${name}' ${expected}, but got ${came}`);
  };
  if (lengths instanceof Tensor && !isInteger(lengths.dtype))
    refuse('to hold whole numbers: it must be integral', lengths.dtype);
  const list =
    lengths instanceof Tensor
      ? Array.from<number | bigint, number>(
          lengths.array.backend.hostValues(lengths.array, 'ctc_loss'),
          Number,
        )
      : [lengths].flat();
  if (list.length !== n) refuse(`to be of size batch_size, ${n}`, `${list.length} of them`);
  const bad = list.find((x) => !Number.isInteger(x) || x < 0 || x > most);
  if (bad !== undefined) refuse(`to have values of at least 0 and at most ${most}`, `value ${bad}`);
  return list;
}

/** Where the labels of each sequence lie in the flat list of targets. @throws ShapeError, ArgumentError */
function startsOf(targets: Tensor, n: number, lengths: readonly number[]): number[] {
  const expected = (size: number, dim: number, least = ''): never => {
    throw new ShapeError(
      `ctc_loss: Expected tensor to have size ${least}${size} at dimension ${dim}, but got size ${targets.shape[dim]} for ` +
        `argument 'targets' of shape ${formatShape(targets.shape)} with targetLengths ${formatShape(lengths)}`,
    );
  };
  if (targets.ndim === 1) {
    const total = lengths.reduce((a, b) => a + b, 0);
    if (targets.shape[0] !== total) expected(total, 0);
    return lengths.map((_, i) => lengths.slice(0, i).reduce((a, b) => a + b, 0));
  }
  if (targets.ndim !== 2)
    throw new ShapeError(
      `ctc_loss: Expected 1 to 2 dimensions, but got ${targets.ndim}-dimensional tensor for argument 'targets' of shape ` +
        formatShape(targets.shape),
    );
  if (targets.shape[0] !== n) expected(n, 0);
  const longest = Math.max(...lengths);
  if (targets.shape[1] < longest) expected(longest, 1, 'at least ');
  return lengths.map((_, i) => i * targets.shape[1]);
}

/** The labels, [n, longest], blanks behind the end of a target. @throws IndexError for one that is no class */
function labelsOf(
  targets: Tensor,
  starts: readonly number[],
  lengths: readonly number[],
  classes: number,
  blank: number,
): Tensor {
  const longest = Math.max(...lengths);
  const shape = [lengths.length, longest];
  const { device } = targets;
  if (longest === 0) return zeros(shape, { dtype: 'int64', device });
  const places = lengths.flatMap((length, i) =>
    Array.from({ length: longest }, (_, s) => (s < length ? starts[i] + s : -1)),
  );
  const used = tensor(places, { device }).ge(0).reshape(shape);
  const at = tensor(
    places.map((place) => Math.max(place, 0)),
    { dtype: 'int64', device },
  );
  const labels = whereOp<Tensor>(used, targets.long().reshape([-1]).gather(0, at).reshape(shape), blank);
  checkWithin(
    labels,
    0,
    classes,
    'ctc_loss',
    (value) =>
      new IndexError(
        `ctc_loss: expected argument 'targets' to hold labels in [0, ${classes}), but got ${value}`,
      ),
  );
  return labels;
}

function latticeOf(
  labels: Tensor,
  blank: number,
  dtype: Tensor['dtype'],
  lengths: Pick<Lattice, 'inputLengths' | 'targetLengths'>,
): Lattice {
  const [n] = labels.shape;
  const { device } = labels;
  const blanks = labels.mul(0).add(blank);
  const column = full([n, 1], blank, { dtype: 'int64', device });
  const classes = cat<Tensor>([stack<Tensor>([blanks, labels], 2).reshape([n, -1]), column], 1);
  const states = classes.shape[1];
  // The first label may follow the beginning, where nothing has been before the blank.
  const first = full([1, n], NEVER, { dtype, device });
  if (states === 1) return { ...lengths, classes, skips: first };
  const second = zeros([1, n], { dtype, device });
  const same = classes.narrow(1, 2, states - 2).eq(classes.narrow(1, 0, states - 2));
  const others = whereOp<Tensor>(same, NEVER, 0).to(dtype).t();
  return { ...lengths, classes, skips: cat<Tensor>([first, second, others]) };
}

/** log(e^a + e^b + e^c) of each state, of the one before it, and of the one before that where it may be left out. */
function arriving(from: Tensor, states: number, [own, next, skip]: readonly number[], skips: Tensor): Tensor {
  const part = (at: number): Tensor => from.narrow(0, at, states);
  return logaddexp<Tensor>(logaddexp<Tensor>(part(own), part(next)), part(skip).add(skips));
}

/**
 * α: logarithms of the probabilities of all beginnings that end in a state, [time + 1, 2 + states, n]. Two rows before
 * the states, and one time before the first, are where sequences come from: equations 5 to 8.
 */
function beginnings(emitted: Tensor, { skips }: Lattice): Tensor {
  const [time, states, n] = emitted.shape;
  const { dtype, device } = emitted;
  const nothing = full([2, n], NEVER, { dtype, device });
  const start = zeros([1, n], { dtype, device });
  const rest = full([states, n], NEVER, { dtype, device });
  const all = [cat<Tensor>([nothing.narrow(0, 0, 1), start, rest])];
  for (let t = 0; t < time; t++) {
    const now = arriving(all[t], states, [2, 1, 0], skips).add(emitted.select(0, t));
    all.push(cat<Tensor>([nothing, now]));
  }
  return stack<Tensor>(all);
}

/** β: logarithms of the probabilities of all ends that begin in a state, [time, states, n]: equations 9 to 11. */
function ends(emitted: Tensor, { inputLengths, targetLengths, skips }: Lattice): Tensor {
  const [time, states, n] = emitted.shape;
  const { dtype, device } = emitted;
  const nothing = full([2, n], NEVER, { dtype, device });
  const free = zeros([Math.min(states, 2), n], { dtype, device });
  const further = states < 3 ? free : cat<Tensor>([skips.narrow(0, 2, states - 2), free]);
  let later = full([states + 2, n], NEVER, { dtype, device });
  const all: Tensor[] = [];
  for (let t = time - 1; t >= 0; t--) {
    let now = arriving(later, states, [0, 1, 2], further);
    if (inputLengths.includes(t + 1)) {
      const last = Array.from({ length: states }, (_, s) =>
        targetLengths.map((length, i) =>
          inputLengths[i] === t + 1 && s <= 2 * length && s >= 2 * length - 1 ? 0 : NEVER,
        ),
      );
      now = logaddexp<Tensor>(now, tensor(last, { dtype, device }));
    }
    now = now.add(emitted.select(0, t));
    all.push(now);
    later = cat<Tensor>([now, nothing]);
  }
  return stack<Tensor>(all.reverse());
}

/** −log of the probability of each target, [n]: its two last states at the end of the input. */
function losses(alpha: Tensor, { inputLengths, targetLengths }: Lattice): Tensor {
  const [, rows, n] = alpha.shape;
  const at = (back: number): Tensor => {
    const places = inputLengths.map((time, i) => (time * rows + 2 + 2 * targetLengths[i] - back) * n + i);
    return alpha.reshape([-1]).gather(0, tensor(places, { dtype: 'int64', device: alpha.device }));
  };
  return logaddexp<Tensor>(at(0), at(1)).neg();
}

/** What each state gives off, [time, states, n]. */
function emissions(logProbs: Tensor, { classes }: Lattice): Tensor {
  const index = classes.unsqueeze(0).expand([logProbs.shape[0], ...classes.shape]);
  return logProbs.gather(2, index).transpose(1, 2).contiguous();
}

/** ∂loss/∂logProbs, equation 16: e^logProbs less the probability of passing through a class, [time, n, classes]. */
function gradient(
  logProbs: Tensor,
  alpha: Tensor,
  loss: Tensor,
  lattice: Lattice,
  zeroInfinity: boolean,
): Tensor {
  const [time, n] = logProbs.shape;
  const { dtype, device } = logProbs;
  const emitted = emissions(logProbs, lattice);
  const reached = alpha.narrow(0, 1, time).narrow(1, 2, emitted.shape[1]).add(ends(emitted, lattice));
  const passed = reached.sub(emitted).add(loss).exp();
  const known = whereOp<Tensor>(emitted.eq(NEVER), 0, passed).transpose(1, 2);
  const index = lattice.classes.unsqueeze(0).expand(known.shape);
  const through = zeros(logProbs.shape, { dtype, device }).scatterAdd(2, index, known);
  const inside = Array.from({ length: time }, (_, t) => lattice.inputLengths.map((length) => t < length));
  const finite = loss.isinf().logicalNot().unsqueeze(1);
  const found = whereOp<Tensor>(finite, logProbs.exp().sub(through), zeroInfinity ? 0 : Number.NaN);
  return whereOp<Tensor>(tensor(inside, { device }).reshape([time, n, 1]), found, 0);
}

/** The losses of sequences, [n], recorded. */
function sequenceLosses(logProbs: Tensor, lattice: Lattice, zeroInfinity: boolean): Tensor {
  const { alpha, loss } = noGrad(() => {
    const alpha = beginnings(emissions(logProbs.detach(), lattice), lattice);
    return { alpha, loss: losses(alpha, lattice) };
  });
  return record<Tensor>('CtcLossBackward0', loss.array, [logProbs], (node, output) => {
    const [saved, savedAlpha] = [node.save(logProbs), node.save(alpha)];
    const savedLoss = node.saveOutput(output);
    return (grad) => {
      if (isGradEnabled())
        throw new AutogradError(
          'ctc_loss: expected backward without createGraph, as the gradient of ctc_loss has no derivative, but got createGraph true',
        );
      const values = gradient(
        saved.get(grad),
        savedAlpha.get(grad),
        savedLoss.get(grad),
        lattice,
        zeroInfinity,
      );
      return [values.mul(grad.reshape([1, -1, 1]))];
    };
  });
}

/** @throws ShapeError, ArgumentError, DTypeError in PyTorch's words */
function checkSequences(logProbs: Tensor, targets: Tensor, blank: number): void {
  if (logProbs.ndim !== 2 && logProbs.ndim !== 3)
    throw new ShapeError(
      `ctc_loss: Expected 3-dimensional tensor, or a 2-dimensional one for a single sequence, but got ${logProbs.ndim}-dimensional ` +
        `tensor for argument 'logProbs', of shape ${formatShape(logProbs.shape)}`,
    );
  checkFloating(logProbs, 'ctc_loss');
  if (logProbs.numel() === 0)
    throw new ShapeError(
      `ctc_loss: log_probs tensor must not be empty, but got shape ${formatShape(logProbs.shape)}`,
    );
  checkDevices([logProbs, targets], 'ctc_loss', 'logProbs targets');
  const classes = logProbs.shape[logProbs.ndim - 1];
  if (!Number.isInteger(blank) || blank < 0 || blank >= classes)
    throw new ArgumentError(
      `ctc_loss: blank must be in label range: expected a whole number in [0, ${classes}), but got ${String(blank)}`,
    );
}

/**
 * −log of the probability of targets, summed over all ways to spread their labels, and blanks between them, over time.
 * logProbs are logarithms of probabilities, floating [time, n, classes], or [time, classes] for a single sequence; targets
 * whole numbers, none of them `blank`: [n, longest], filled up with anything, or [total], one after the other. Of each
 * sequence the first inputLengths[i] times and targetLengths[i] labels count; lengths have to be known at once. Gives a
 * number, or [n] without reduction. The gradient is PyTorch's, that of the logits below a `logSoftmax`; it has no
 * derivative of its own. A class of probability 0 gets a gradient of 0, where PyTorch has NaN.
 *
 * Graves, Fernández, Gomez, Schmidhuber: Connectionist Temporal Classification, 2006, section 4, in logarithms.
 * @throws ShapeError, ArgumentError, DTypeError, IndexError; DeviceError for lengths that can only be awaited
 */
export const ctcLoss = /* @__PURE__ */ taking(
  'ctc_loss',
  'targets inputLengths targetLengths ...',
  function ctcLoss(
    logProbs: Tensor,
    targets: Tensor,
    inputLengths: Lengths,
    targetLengths: Lengths,
    ...rest: Flexible<[blank: number, reduction: LossReduction, zeroInfinity: boolean], CTCLossOptions>
  ): Tensor {
    tensorGiven(logProbs, 'ctc_loss', 'logProbs');
    tensorGiven(targets, 'ctc_loss', 'targets');
    const options = named<CTCLossOptions>('ctc_loss', 'blank reduction zeroInfinity', rest);
    return inOp('ctc_loss', () => {
      const { blank = 0, reduction = 'mean', zeroInfinity = false } = options;
      checkSequences(logProbs, targets, blank);
      const single = logProbs.ndim === 2;
      const batch = single ? logProbs.unsqueeze(1) : logProbs;
      const [time, n, classes] = batch.shape;
      const lengths = {
        inputLengths: lengthsOf(inputLengths, n, time, 'inputLengths'),
        targetLengths: lengthsOf(targetLengths, n, Number.POSITIVE_INFINITY, 'targetLengths'),
      };
      const starts = startsOf(targets, n, lengths.targetLengths);
      const labels = labelsOf(targets, starts, lengths.targetLengths, classes, blank);
      const lattice = latticeOf(labels, blank, logProbs.dtype, lengths);
      const raw = sequenceLosses(batch, lattice, zeroInfinity);
      const each = zeroInfinity ? whereOp<Tensor>(raw.isinf(), 0, raw) : raw;
      if (reduction !== 'mean') return reduceLoss(single ? each.squeeze(0) : each, reduction);
      const { dtype, device } = each;
      const sizes = lengths.targetLengths.map((length) => Math.max(length, 1));
      return each.div(tensor(sizes, { dtype, device })).mean();
    });
  },
);
