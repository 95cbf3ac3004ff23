/** Methods that split, reorder and repeat, and those for diagonals, triangles and windows. */

import type { Shape } from '../core/shape.ts';
import { type ByName, type Flexible, inOrder } from '../ops/options.ts';
import * as partition from '../ops/partition.ts';
import * as rearrange from '../ops/rearrange.ts';
import * as triangles from '../ops/triangles.ts';
import { reshape } from '../ops/views.ts';
import { type SizeArguments, sizes } from './arguments.ts';
import { ShapeMethods } from './shapes.ts';

type Dim = ByName<'dim', number>;
type Dims = number | readonly number[];

/** What `roll` takes by name. */
export interface RollOptions {
  shifts?: Dims;
  dims?: Dims | null;
}

/** `(shifts, dims)`, any tail of them by name. */
export type RollArguments = Flexible<[shifts: Dims, dims: Dims | null], RollOptions>;

export abstract class ArrangeMethods extends ShapeMethods {
  /** Parts of a size, or of listed sizes, along `dim`; views. */
  split(...args: [size: number | readonly number[], dim?: Dim]): this[] {
    return partition.split<this>(this, ...args);
  }
  /** At most `chunks` parts along `dim`; views. */
  chunk(...args: [chunks: number, dim?: Dim]): this[] {
    return partition.chunk<this>(this, ...args);
  }
  /** Parts as equal as can be, or between listed indices; views. */
  tensorSplit(...args: [sections: number | readonly number[] | this, dim?: Dim]): this[] {
    return partition.tensorSplit<this>(this, ...args);
  }
  /** Parts side by side: along the second dimension, of a vector along its only one. @throws ShapeError */
  hsplit(sections: number | readonly number[]): this[] {
    return partition.hsplit(this, sections);
  }
  /** Parts below each other: along the first dimension of at least two. @throws ShapeError */
  vsplit(sections: number | readonly number[]): this[] {
    return partition.vsplit(this, sections);
  }
  /** The slices along `dim`; views. */
  unbind(dim?: Dim): this[] {
    return partition.unbind(this, dim);
  }
  /** The order along the dimensions reversed. */
  flip(...dims: readonly number[] | [Shape] | [{ dims: Dims }]): this {
    return rearrange.flip(this, sizes(dims as SizeArguments, 'flip', 'dims'));
  }
  /** Columns in reversed order. */
  fliplr(): this {
    return rearrange.fliplr(this);
  }
  /** Rows in reversed order. */
  flipud(): this {
    return rearrange.flipud(this);
  }
  /** Elements moved along dimensions, around the ends. */
  roll(...args: RollArguments): this {
    const [shifts = [], dims] = inOrder<[Dims, Dims | null]>('roll', 'shifts dims', args);
    return rearrange.roll(this, shifts, dims);
  }
  /** A plane turned by k · 90°. */
  rot90(...args: rearrange.Rot90Arguments): this {
    return rearrange.rot90(this, ...args);
  }
  /** The whole put side by side, sizes[d] times along dimension d. */
  repeat(...counts: SizeArguments): this {
    return rearrange.repeat(this, sizes(counts, 'repeat', 'repeats'));
  }
  /** `repeat` with ones added in front. */
  tile(...counts: SizeArguments): this {
    return rearrange.tile(this, sizes(counts, 'tile', 'dims'));
  }
  /** Each element, or slice along `dim`, repeated. */
  repeatInterleave(
    repeats: number | this,
    ...args: Flexible<[dim: number | null | undefined], rearrange.RepeatInterleaveOptions>
  ): this {
    return rearrange.repeatInterleave<this>(this, repeats, ...(args as [number]));
  }
  /** Dimensions moved elsewhere. */
  movedim(...args: [source: Dims, destination: Dims]): this {
    return rearrange.movedim<this>(this, ...args);
  }
  /** Dimensions moved elsewhere. */
  moveaxis(...args: [source: Dims, destination: Dims]): this {
    return rearrange.movedim<this>(this, ...args);
  }
  /** Two dimensions exchanged. */
  swapaxes(...args: [axis0: number, axis1: number]): this {
    return rearrange.swapaxes<this>(this, ...args);
  }
  /** Two dimensions exchanged. */
  swapdims(...args: [dim0: number, dim1: number]): this {
    return rearrange.swapaxes<this>(this, ...args);
  }
  /** One dimension split into several. */
  unflatten(dim: number, sizes: Shape): this;
  unflatten(options: { readonly dim: number; readonly sizes: Shape }): this;
  unflatten(...args: readonly unknown[]): this {
    return triangles.unflatten<this>(this, ...(args as [number, Shape]));
  }
  /** All elements in one dimension: a view where possible. */
  ravel(): this {
    return reshape(this, [-1]);
  }
  /** Sliding windows along a dimension, as a view with one dimension more. */
  unfold(dimension: number, size: number, step: number): this;
  unfold(options: { readonly dimension: number; readonly size: number; readonly step: number }): this;
  unfold(...args: readonly unknown[]): this {
    return triangles.unfold<this>(this, ...(args as [number, number, number]));
  }
  /** The lower triangle; the rest is 0. */
  tril(diagonal?: ByName<'diagonal', number>): this {
    return triangles.tril(this, diagonal);
  }
  /** The upper triangle; the rest is 0. */
  triu(diagonal?: ByName<'diagonal', number>): this {
    return triangles.triu(this, diagonal);
  }
  /** The matrix with this vector on a diagonal, or the diagonal of this matrix. */
  diag(diagonal?: ByName<'diagonal', number>): this {
    return triangles.diag(this, diagonal);
  }
  /** The diagonal of two dimensions, as a view. */
  diagonal(...args: triangles.DiagonalArguments): this {
    return triangles.diagonal<this>(this, ...(args as [number?]));
  }
  /** Matrices with the last dimension on a diagonal. */
  diagEmbed(...args: triangles.DiagonalArguments): this {
    return triangles.diagEmbed(this, ...args);
  }
  /** The sum of the diagonal. */
  trace(): this {
    return triangles.trace(this);
  }
  /** The last two dimensions exchanged. */
  adjoint(): this {
    return triangles.adjoint(this);
  }
  /** The last two dimensions exchanged; a matrix for two, all reversed. */
  get H(): this {
    return triangles.adjoint(this);
  }
}
