/** The softmax of very many classes, most of them rare. */
import { ArgumentError, IndexError, ShapeError } from '../core/errors.ts';
import { inOp } from '../core/inOp.ts';
import { formatShape } from '../core/shape.ts';
import { logSoftmax } from '../functions.ts';
import { checkClassTarget } from '../ops/crossEntropy.ts';
import { given, tensorGiven } from '../ops/given.ts';
import { selectAlong } from '../ops/indexing.ts';
import { cat } from '../ops/join.ts';
import { checkWithin } from '../ops/within.ts';
import { type ByName, type Flexible, named, required } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import { ModuleList, Sequential } from './container.ts';
import { checkSize, type LayerOptions, Linear } from './linear.ts';
import { Module } from './module.ts';

export interface AdaptiveLogSoftmaxOptions extends LayerOptions {
  /** Each cluster's vectors are so many times shorter than those of the one before. Default 4. */
  divValue?: number;
  /** Whether the head has a bias. */
  headBias?: boolean;
}
type Order = [inFeatures: number, nClasses: number, cutoffs: readonly number[]];

/**
 * Logarithms of softmax probabilities of `nClasses` classes, sorted from the most to the least frequent: those below
 * `cutoffs[0]` stand in the head, others in clusters, which have one entry each there and shorter and shorter vectors.
 * input [n, inFeatures] and target int64 [n], or [inFeatures] and []. State: `head`, `tail`.
 *
 * Grave, Joulin, Cissé, Grangier, Jégou: Efficient softmax approximation for GPUs, 2017. A cluster is computed for the rows
 * whose targets it has; on webgpu, where their values would have to be awaited, for all.
 */
export class AdaptiveLogSoftmaxWithLoss extends Module {
  readonly inFeatures: number;
  readonly nClasses: number;
  readonly cutoffs: readonly number[];
  readonly divValue: number;
  readonly headBias: boolean;
  readonly head: Linear;
  readonly tail: ModuleList<Sequential>;

  /** @throws ArgumentError for cutoffs that are not increasing whole numbers between 1 and nClasses − 1 */
  constructor(
    ...args:
      | [...Order, ...rest: Flexible<[divValue: number, headBias: boolean], AdaptiveLogSoftmaxOptions>]
      | ByName<
          { inFeatures: number; nClasses: number; cutoffs: readonly number[] },
          ['inFeatures', 'nClasses'],
          AdaptiveLogSoftmaxOptions
        >
  ) {
    super();
    const owner = new.target.name;
    const [inFeatures, nClasses, cutoffs, ...rest] = required<Order>(
      owner,
      ['inFeatures', 'nClasses', 'cutoffs'],
      args,
    );
    const options = named<AdaptiveLogSoftmaxOptions>(owner, 'divValue headBias * device dtype', rest);
    const { divValue = 4, headBias = false, device, dtype } = options;
    checkSize(inFeatures, owner, 'inFeatures');
    checkSize(nClasses, owner, 'nClasses');
    const inner = [given(cutoffs, owner, 'cutoffs', 'a list of whole numbers')].flat();
    const rises = inner.every((x, i) => Number.isInteger(x) && x > (inner[i - 1] ?? 0) && x < nClasses);
    if (inner.length === 0 || !rises)
      throw new ArgumentError(
        `${owner}: cutoffs should be a sequence of unique, positive integers sorted in an increasing order, where each value is ` +
          `between 1 and n_classes-1, ${nClasses - 1}, but got ${formatShape(inner)}`,
      );
    const place = { device, dtype };
    this.inFeatures = inFeatures;
    this.nClasses = nClasses;
    this.cutoffs = [...inner, nClasses];
    this.divValue = divValue;
    this.headBias = headBias;
    this.head = new Linear(inFeatures, inner[0] + inner.length, { bias: headBias, ...place });
    this.tail = new ModuleList(
      inner.map((low, i) => {
        const size = Math.floor(inFeatures / divValue ** (i + 1));
        const rare = this.cutoffs[i + 1] - low;
        const settings = { bias: false, ...place };
        return new Sequential(new Linear(inFeatures, size, settings), new Linear(size, rare, settings));
      }),
    );
  }

  /** Draws all weights anew. */
  resetParameters(): void {
    for (const module of this.modules()) if (module instanceof Linear) module.resetParameters();
  }

  /**
   * The log-probability of each target, of target's shape, and the mean of their negatives.
   * @throws ShapeError, IndexError, DTypeError
   */
  forward(input: Tensor, target: Tensor): { readonly output: Tensor; readonly loss: Tensor } {
    return inOp('AdaptiveLogSoftmaxWithLoss', () => {
      this.check(input, target);
      const single = target.ndim === 0;
      const rows = single ? input.unsqueeze(0) : input;
      const labels = target.long().reshape([-1]);
      const { synchronous } = target.array.backend;
      const found =
        synchronous && labels.numel() > 0
          ? this.byClusters(rows, labels)
          : this.logProb(rows).gather(1, labels.unsqueeze(1)).squeeze(1);
      return { output: single ? found.squeeze(0) : found, loss: found.neg().mean() };
    });
  }

  /** The log-probabilities of the labels: of each cluster, for the rows that belong to it. */
  private byClusters(input: Tensor, labels: Tensor): Tensor {
    const head = logSoftmax(this.head.forward(input), 1);
    const values = Array.from(labels.data, Number);
    const clusters: (Sequential | null)[] = [null, ...this.tail];
    const order: number[] = [];
    const parts = clusters.flatMap((cluster, i): Tensor[] => {
      const low = i === 0 ? 0 : this.cutoffs[i - 1];
      const rows = values.flatMap((x, row) => (x >= low && x < this.cutoffs[i] ? [row] : []));
      if (rows.length === 0) return [];
      order.push(...rows);
      const own = selectAlong<Tensor>(head, 0, rows);
      const picks = selectAlong<Tensor>(labels, 0, rows).sub(low).unsqueeze(1);
      if (cluster === null) return [own.gather(1, picks)];
      const inside = logSoftmax(cluster.forward(selectAlong<Tensor>(input, 0, rows)) as Tensor, 1);
      return [own.narrow(1, this.cutoffs[0] + i - 1, 1).add(inside.gather(1, picks))];
    });
    const back: number[] = [];
    for (const [i, row] of order.entries()) back[row] = i;
    return selectAlong<Tensor>(cat<Tensor>(parts), 0, back).squeeze(1);
  }

  /** The log-probabilities of all classes, [n, nClasses]. */
  logProb(input: Tensor): Tensor {
    tensorGiven(input, 'AdaptiveLogSoftmaxWithLoss.logProb');
    const [shortlist] = this.cutoffs;
    const head = logSoftmax(this.head.forward(input), 1);
    const clusters = [...this.tail].map((cluster, i) =>
      logSoftmax(cluster.forward(input) as Tensor, 1).add(head.narrow(1, shortlist + i, 1)),
    );
    return cat<Tensor>([head.narrow(1, 0, shortlist), ...clusters], 1);
  }

  /** The most probable class in each row, int64 [n]. */
  predict(input: Tensor): Tensor {
    tensorGiven(input, 'AdaptiveLogSoftmaxWithLoss.predict');
    return this.logProb(input).argmax(1);
  }

  private check(input: Tensor, target: Tensor): void {
    tensorGiven(input, 'AdaptiveLogSoftmaxWithLoss');
    checkClassTarget(
      tensorGiven(target, 'AdaptiveLogSoftmaxWithLoss', 'target'),
      'AdaptiveLogSoftmaxWithLoss',
    );
    const expected = target.ndim === 0 ? 1 : 2;
    if (target.ndim > 1 || input.ndim !== expected || (expected === 2 && input.shape[0] !== target.shape[0]))
      throw new ShapeError(
        'Input and target should have the same size in the batch dimension: expected [n, inFeatures] and [n], or [inFeatures] and ' +
          `[], but got ${formatShape(input.shape)} and ${formatShape(target.shape)}`,
      );
    checkWithin(
      target.long(),
      0,
      this.nClasses,
      'AdaptiveLogSoftmaxWithLoss',
      (value) => new IndexError(`Target values should be in [0, ${this.nClasses - 1}], but got ${value}`),
    );
  }
}
