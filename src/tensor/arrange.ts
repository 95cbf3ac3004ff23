/** Methods that split, reorder and repeat, and those for diagonals, triangles and windows. */

import type { Shape } from '../core/shape.ts';
import { type ByName, isPlain } from '../ops/options.ts';
import * as partition from '../ops/partition.ts';
import * as rearrange from '../ops/rearrange.ts';
import * as triangles from '../ops/triangles.ts';
import { type SizeArguments, sizes } from './arguments.ts';
import { ShapeMethods } from './shapes.ts';

type Dim = ByName<'dim', number>;
type Dims = number | readonly number[];

/** What `roll` takes by name. */
export interface RollOptions {
  shifts?: Dims;
  dims?: Dims | null;
}

export abstract class ArrangeMethods extends ShapeMethods {
  /** Parts of a size, or of listed sizes, along `dim`; views. */
  split(size: number | readonly number[], dim?: Dim): this[] {
    return partition.split(this, size, dim);
  }
  /** At most `chunks` parts along `dim`; views. */
  chunk(chunks: number, dim?: Dim): this[] {
    return partition.chunk(this, chunks, dim);
  }
  /** Parts as equal as can be, or between listed indices; views. */
  tensorSplit(sections: number | readonly number[], dim?: Dim): this[] {
    return partition.tensorSplit(this, sections, dim);
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
    const [first] = dims;
    if (isPlain(first)) return rearrange.flip(this, (first as { dims: Dims }).dims);
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
  roll(shifts: Dims | RollOptions, dims?: Dims | null | RollOptions): this {
    const o: RollOptions = {
      ...(isPlain(dims) ? (dims as RollOptions) : { dims: dims as Dims | null | undefined }),
      ...(isPlain(shifts) ? (shifts as RollOptions) : { shifts: shifts as Dims }),
    };
    return rearrange.roll(this, o.shifts ?? [], o.dims);
  }
  /** A plane turned by k · 90°. */
  rot90(
    k?: number | { k?: number; dims?: readonly number[] },
    dims?: readonly number[] | { dims?: readonly number[] },
  ): this {
    if (isPlain(dims)) return rearrange.rot90(this, { ...(typeof k === 'number' ? { k } : k), ...dims });
    return rearrange.rot90(this, k, dims as readonly number[] | undefined);
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
  repeatInterleave(repeats: number | this, dim?: number | null | rearrange.RepeatInterleaveOptions): this {
    return rearrange.repeatInterleave<this>(this, repeats, dim);
  }
  /** Dimensions moved elsewhere. */
  movedim(source: Dims, destination: Dims): this {
    return rearrange.movedim(this, source, destination);
  }
  /** Dimensions moved elsewhere. */
  moveaxis(source: Dims, destination: Dims): this {
    return rearrange.movedim(this, source, destination);
  }
  /** Two dimensions exchanged. */
  swapaxes(axis0: number, axis1: number): this {
    return rearrange.swapaxes(this, axis0, axis1);
  }
  /** Two dimensions exchanged. */
  swapdims(dim0: number, dim1: number): this {
    return rearrange.swapaxes(this, dim0, dim1);
  }
  /** One dimension split into several. */
  unflatten(dim: number, sizes: Shape): this;
  unflatten(options: { readonly dim: number; readonly sizes: Shape }): this;
  unflatten(dim: unknown, sizes?: unknown): this {
    return triangles.unflatten(this, dim as number, sizes as Shape);
  }
  /** Sliding windows along a dimension, as a view with one dimension more. */
  unfold(dimension: number, size: number, step: number): this;
  unfold(options: { readonly dimension: number; readonly size: number; readonly step: number }): this;
  unfold(dimension: unknown, size?: unknown, step?: unknown): this {
    return triangles.unfold(this, dimension as number, size as number, step as number);
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
  diagonal(offset?: number | triangles.DiagonalOptions, dim1?: number, dim2?: number): this {
    return triangles.diagonal(this, offset, dim1, dim2);
  }
  /** Matrices with the last dimension on a diagonal. */
  diagEmbed(offset?: number | triangles.DiagonalOptions, dim1?: number, dim2?: number): this {
    return triangles.diagEmbed(this, offset, dim1, dim2);
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
