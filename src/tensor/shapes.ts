/** Methods that change shapes, join, select and multiply matrices. */

import { ArgumentError } from '../core/errors.ts';
import { inOp } from '../core/inOp.ts';
import { clone, contiguous, type OperandOf } from '../ops/convert.ts';
import { tensorGiven } from '../ops/given.ts';
import { type IndexOf, index, indexPut_ } from '../ops/indexing.ts';
import { bmm, dot, matmul, mm, mv, outer } from '../ops/matmul.ts';
import type { ByName } from '../ops/options.ts';
import * as named from '../ops/publicViews.ts';
import * as views from '../ops/views.ts';
import { type SizeArguments, sizes } from './arguments.ts';
import { StatisticsMethods } from './statistics.ts';

export abstract class ShapeMethods extends StatisticsMethods {
  /** Another shape over the same memory; one size may be −1. @throws ShapeError where strides cannot express it */
  view(...shape: SizeArguments): this {
    return views.view(this, sizes(shape, 'view'));
  }
  /** Another shape: a view where possible, else a copy. One size may be −1. */
  reshape(...shape: SizeArguments): this {
    return views.reshaped(this, sizes(shape, 'reshape', 'shape'));
  }
  /** The shape of another tensor. */
  viewAs(other: this): this {
    return views.view(this, tensorGiven(other, 'view_as', 'other').shape);
  }
  /** The shape of another tensor. */
  reshapeAs(other: this): this {
    return views.reshaped(this, tensorGiven(other, 'reshape_as', 'other').shape);
  }
  /** Repeats sizes of 1, and new leading dimensions, without copying. */
  expand(...shape: SizeArguments): this {
    return views.expand(this, sizes(shape, 'expand'));
  }
  /** The shape of another tensor, by repetition. */
  expandAs(other: this): this {
    return views.expand(this, tensorGiven(other, 'expand_as', 'other').shape);
  }
  /** `expand` by another name. */
  broadcastTo(...shape: SizeArguments): this {
    return inOp('broadcast_to', () => views.expand(this, sizes(shape, 'broadcast_to')));
  }
  /** The dimensions in another order. */
  permute(...dims: SizeArguments): this {
    return named.permute(this, sizes(dims, 'permute', 'dims'));
  }
  /** Two dimensions exchanged. */
  transpose(dim0: number, dim1: number): this;
  transpose(options: { readonly dim0: number; readonly dim1: number }): this;
  transpose(dim0: unknown, dim1?: unknown): this {
    return named.transpose(this, dim0 as number, dim1 as number);
  }
  /** The matrix transposed. */
  t(): this {
    return views.t(this);
  }
  /** All dimensions reversed. */
  get T(): this {
    return views.permute(this, [...this.shape.keys()].reverse());
  }
  /** The last two dimensions exchanged. */
  get mT(): this {
    return views.transpose(this, -2, -1);
  }
  /** Dimensions start … end merged into one. */
  flatten(...args: views.FlattenArguments): this {
    return views.flatten(this, ...args);
  }
  /** Without dimensions of size 1, or without the named ones if their size is 1. */
  squeeze(dim?: ByName<'dim', number | readonly number[]>): this {
    return views.squeeze(this, dim);
  }
  /** With a new dimension of size 1 at `dim`. */
  unsqueeze(dim: ByName<'dim', number>): this {
    return views.unsqueeze(this, dim);
  }
  /** One index of a dimension, which vanishes. */
  select(dim: number, index: number): this;
  select(options: { readonly dim: number; readonly index: number }): this;
  select(dim: unknown, index?: unknown): this {
    return named.select(this, dim as number, index as number);
  }
  /** `length` indices of a dimension from `start`. */
  narrow(dim: number, start: number, length: number): this;
  narrow(options: { readonly dim: number; readonly start: number; readonly length: number }): this;
  narrow(dim: unknown, start?: unknown, length?: unknown): this {
    return named.narrow(this, dim as number, start as number, length as number);
  }
  /** Any layout over the same memory; sizes and strides in elements. */
  asStrided(size: readonly number[], stride: readonly number[], storageOffset?: number): this;
  asStrided(options: {
    readonly size: readonly number[];
    readonly stride: readonly number[];
    readonly storageOffset?: number;
  }): this;
  asStrided(...args: readonly unknown[]): this {
    return named.asStrided<this>(this, ...(args as [number[], number[]]));
  }
  /** A copy with memory of its own. */
  override clone(): this {
    return clone(this);
  }
  /** This tensor if it is row-major without gaps, else a row-major copy. */
  contiguous(): this {
    return contiguous(this);
  }

  /** What Python writes as `x[…]`: integers, `slice()`, null, '...', index tensors and masks. */
  index(...entries: readonly IndexOf<this>[]): this {
    return inOp('index', () => index<this>(this, ...entries));
  }
  /** What Python writes as `x[…] = value`; with accumulate, `x[…] += value`. */
  indexPut_(
    entries: readonly IndexOf<this>[],
    value: OperandOf<this>,
    accumulate?: ByName<'accumulate', boolean>,
  ): this {
    if (!Array.isArray(entries))
      throw new ArgumentError(
        `indexPut_: argument 'indices' must be a list, as in indexPut_([mask], 0), but got ${String(entries ?? 'nothing')}`,
      );
    return inOp('indexPut_', () => indexPut_<this>(this, entries, value, accumulate));
  }

  /** The matrix product by PyTorch's rules of rank. */
  matmul(other: this): this {
    return matmul<this>(this, other);
  }
  /** The product of two matrices. */
  mm(other: this): this {
    return mm<this>(this, other);
  }
  /** The product of two batches of matrices. */
  bmm(other: this): this {
    return bmm<this>(this, other);
  }
  /** The product of this matrix and a vector. */
  mv(vector: this): this {
    return mv<this>(this, vector);
  }
  /** The inner product of two vectors. */
  dot(other: this): this {
    return dot<this>(this, other);
  }
  /** The outer product of two vectors. */
  outer(other: this): this {
    return outer<this>(this, other);
  }
  /** `dot` by another name. */
  vdot(other: this): this {
    return this.dot(other);
  }
  /** `outer` by another name. */
  ger(other: this): this {
    return this.outer(other);
  }
}
