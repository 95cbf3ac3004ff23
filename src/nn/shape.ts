/** Layers that only change shapes. */
import { ArgumentError, ShapeError } from '../core/errors.ts';
import { formatShape, normalizeDim, numElements, type Shape } from '../core/shape.ts';
import { type Flexible, inOrder } from '../ops/options.ts';
import { type ByName, exactly } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import { Module } from './module.ts';

export interface FlattenOptions {
  /** Default 1. */
  startDim?: number;
  /** Default −1. */
  endDim?: number;
}

/** Dimensions startDim … endDim merged into one; by default all but the first. */
export class Flatten extends Module {
  readonly startDim: number;
  readonly endDim: number;

  constructor(...args: Flexible<[startDim: number, endDim: number], FlattenOptions>) {
    super();
    const [start = 1, end = -1] = inOrder<[number, number]>(new.target.name, 'startDim endDim', args);
    this.startDim = start;
    this.endDim = end;
  }
  forward(input: Tensor): Tensor {
    return input.flatten(this.startDim, this.endDim);
  }
  override extraRepr(): string {
    return `start_dim=${this.startDim}, end_dim=${this.endDim}`;
  }
}

/** One dimension split into several; one of the sizes may be −1. */
export class Unflatten extends Module {
  readonly dim: number;
  readonly unflattenedSize: Shape;

  /** @throws ArgumentError unless dim and sizes are integers */
  constructor(
    ...args:
      | [dim: number, unflattenedSize: Shape]
      | ByName<{ dim: number; unflattenedSize: Shape }, ['dim'], object>
  ) {
    super();
    const [dim, unflattenedSize] = exactly<[number, Shape]>(
      new.target.name,
      ['dim', 'unflattenedSize'],
      args,
    );
    if (
      !Number.isInteger(dim) ||
      !Array.isArray(unflattenedSize) ||
      !unflattenedSize.every(Number.isInteger)
    ) {
      throw new ArgumentError(
        `Unflatten: expected an integer dim and a list of integer sizes, but got ${String(dim)} and ${String(unflattenedSize)}`,
      );
    }
    this.dim = dim;
    this.unflattenedSize = [...unflattenedSize];
  }
  /** @throws ShapeError if the sizes do not multiply to that of the dimension */
  forward(input: Tensor): Tensor {
    const { unflattenedSize: sizes } = this;
    const d = normalizeDim(this.dim, input.ndim, 'unflatten');
    const known = numElements(sizes.filter((size) => size !== -1));
    const fits = sizes.includes(-1) ? known > 0 && input.shape[d] % known === 0 : known === input.shape[d];
    if (!fits) {
      throw new ShapeError(
        `unflatten: Provided sizes ${formatShape(sizes)} don't multiply up to the size of dim ${d} (${input.shape[d]}) in the input tensor`,
      );
    }
    const filled = sizes.map((size) => (size === -1 ? input.shape[d] / known : size));
    return input.reshape(input.shape.toSpliced(d, 1, ...filled));
  }
  override extraRepr(): string {
    return `dim=${this.dim}, unflattened_size=(${this.unflattenedSize.join(', ')}${this.unflattenedSize.length === 1 ? ',' : ''})`;
  }
}
