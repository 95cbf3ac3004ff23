/** Methods that read and replace elements by index tensors and masks, and products with something added. */
import type { AlphaOptions } from '../ops/arithmetic.ts';
import * as pick from '../ops/pick.ts';
import * as products from '../ops/products.ts';
import * as scatter from '../ops/scatter.ts';
import { ArrangeMethods } from './arrange.ts';

/** Arguments by PyTorch's names. */
interface AlongDim<T> {
  readonly dim: number;
  readonly index: T;
}
interface Source<T> {
  readonly src: T;
}
interface Added<T> {
  readonly source: T;
}
interface Indices<T> {
  readonly indices: T;
  readonly dim?: number | null;
}
interface Filling<T> {
  readonly mask: T;
  readonly value: T | number | boolean;
}

export abstract class PickMethods extends ArrangeMethods {
  /** out[i][j] = this[index[i][j]][j] for dim 0, and so on. */
  gather(dim: number, index: this): this;
  gather(options: AlongDim<this>): this;
  gather(dim: unknown, index?: unknown): this {
    return scatter.gather<this>(this, dim as number, index as this);
  }
  /** Elements replaced where index says; source may be a number. */
  scatter(dim: number, index: this, source: this | number, options?: scatter.ScatterOptions): this;
  scatter(dim: number, index: this, options: scatter.ScatterOptions & { readonly value: number }): this;
  scatter(
    options: scatter.ScatterOptions & AlongDim<this> & (Source<this> | { readonly value: number }),
  ): this;
  scatter(dim: unknown, index?: unknown, source?: unknown, options?: scatter.ScatterOptions): this {
    return scatter.scatter<this>(this, dim as number, index as this, source as this, options);
  }
  /** Elements added where index says. */
  scatterAdd(dim: number, index: this, source: this): this;
  scatterAdd(options: AlongDim<this> & Source<this>): this;
  scatterAdd(dim: unknown, index?: unknown, source?: unknown): this {
    return scatter.scatterAdd<this>(this, dim as number, index as this, source as this);
  }
  /** Elements along dim where a broadcast index says. */
  takeAlongDim(index: this, dim?: number | { readonly dim?: number | null } | null): this;
  takeAlongDim(options: Indices<this>): this;
  takeAlongDim(index: unknown, dim?: unknown): this {
    return scatter.takeAlongDim<this>(this, index as this, dim as number);
  }
  /** The slices along dim at the positions of a 1-d index. */
  indexSelect(dim: number, index: this): this;
  indexSelect(options: AlongDim<this>): this;
  indexSelect(dim: unknown, index?: unknown): this {
    return pick.indexSelect<this>(this, dim as number, index as this);
  }
  /** alpha · source[j] added to the slice index[j]. */
  indexAdd(dim: number, index: this, source: this, options?: AlphaOptions): this;
  indexAdd(options: AlphaOptions & AlongDim<this> & Added<this>): this;
  indexAdd(dim: unknown, index?: unknown, source?: unknown, options?: AlphaOptions): this {
    return pick.indexAdd<this>(this, dim as number, index as this, source as this, options);
  }
  /** The slice index[j] replaced by source[j]. */
  indexCopy(dim: number, index: this, source: this): this {
    return pick.indexCopy<this>(this, dim, index, source);
  }
  /** The slices at the indices filled with one value. */
  indexFill(dim: number, index: this, value: number | this): this {
    return pick.indexFill<this>(this, dim, index, value);
  }
  /** Elements at positions of the flattened tensor. */
  take(index: this): this {
    return pick.take<this>(this, index);
  }
  /** Elements replaced at positions of the flattened tensor. */
  put(index: this, source: this, accumulate = false): this {
    return pick.put<this>(this, index, source, accumulate);
  }
  /** `value` where mask is true. */
  maskedFill(mask: this, value: this | number | boolean): this;
  maskedFill(options: Filling<this>): this;
  maskedFill(mask: unknown, value?: unknown): this {
    return pick.maskedFill<this>(this, mask as this, value as number);
  }
  /** The elements where mask is true; 1-d. */
  maskedSelect(mask: this): this {
    return pick.maskedSelect<this>(this, mask);
  }
  /** The elements of source, in order, where mask is true. */
  maskedScatter(mask: this, source: this): this {
    return pick.maskedScatter<this>(this, mask, source);
  }
  /** The coordinates of what is not zero, [count, ndim]; with asTuple a vector for each dimension. */
  nonzero(): this;
  nonzero(options: { asTuple: true }): this[];
  nonzero(options: { asTuple?: boolean } = {}): this | this[] {
    return pick.nonzero<this>(this, options);
  }
  /** The coordinates of what is not zero. */
  argwhere(): this {
    return pick.argwhere(this);
  }

  /** beta · this + alpha · (a · b), matrices. */
  addmm(a: this, b: this, options?: products.BlendOptions): this {
    return products.addmm<this>(this, a, b, options);
  }
  /** beta · this + alpha · (matrix · vector). */
  addmv(matrix: this, vector: this, options?: products.BlendOptions): this {
    return products.addmv<this>(this, matrix, vector, options);
  }
  /** beta · this + alpha · (outer product). */
  addr(a: this, b: this, options?: products.BlendOptions): this {
    return products.addr<this>(this, a, b, options);
  }
  /** beta · this + alpha · (batch · batch). */
  baddbmm(a: this, b: this, options?: products.BlendOptions): this {
    return products.baddbmm<this>(this, a, b, options);
  }
  /** beta · this + alpha · Σ (batch · batch). */
  addbmm(a: this, b: this, options?: products.BlendOptions): this {
    return products.addbmm<this>(this, a, b, options);
  }
  /** Products summed over the last dimension of both. */
  inner(other: this): this {
    return products.inner<this>(this, other);
  }
  /** The Kronecker product. */
  kron(other: this): this {
    return products.kron<this>(this, other);
  }
  /** The vector product. */
  cross(other: this, dim?: number | { dim?: number }): this {
    return products.cross<this>(this, other, dim);
  }
  /** To a whole power, as a matrix. */
  matrixPower(n: number): this {
    return products.matrixPower<this>(this, n);
  }
}
