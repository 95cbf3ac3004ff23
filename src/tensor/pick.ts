/** Methods that read and replace elements by index tensors and masks, and products with something added. */
import type { AlphaOptions } from '../ops/arithmetic.ts';
import * as pick from '../ops/pick.ts';
import * as products from '../ops/products.ts';
import * as scatter from '../ops/scatter.ts';
import {
  indexReduce,
  type ScatterReduceOptions,
  type ScatterReduction,
  scatterReduce,
} from '../ops/scatterReduce.ts';
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
  gather(...args: readonly unknown[]): this {
    return scatter.gather<this>(this, ...(args as [number, this]));
  }
  /** Elements replaced where index says; source may be a number. */
  scatter(dim: number, index: this, source: this | number | boolean, options?: scatter.ScatterOptions): this;
  scatter(
    dim: number,
    index: this,
    options: scatter.ScatterOptions & { readonly value: number | boolean },
  ): this;
  scatter(
    options: scatter.ScatterOptions & AlongDim<this> & (Source<this> | { readonly value: number | boolean }),
  ): this;
  scatter(...args: readonly unknown[]): this {
    return scatter.scatter<this>(this, ...(args as [number, this, this]));
  }
  /** Elements added where index says. */
  scatterAdd(dim: number, index: this, source: this): this;
  scatterAdd(options: AlongDim<this> & Source<this>): this;
  scatterAdd(...args: readonly unknown[]): this {
    return scatter.scatterAdd<this>(this, ...(args as [number, this, this]));
  }
  /** Elements that index sends to one place, folded into one: their sum, product, mean or extreme. */
  scatterReduce(
    dim: number,
    index: this,
    source: this,
    reduce: ScatterReduction,
    options?: ScatterReduceOptions,
  ): this;
  scatterReduce(
    options: ScatterReduceOptions & AlongDim<this> & Source<this> & { readonly reduce: ScatterReduction },
  ): this;
  scatterReduce(...args: readonly unknown[]): this {
    return scatterReduce<this>(this, ...(args as [number, this, this, ScatterReduction]));
  }
  /** Elements along dim where a broadcast index says. */
  takeAlongDim(index: this, dim?: number | { readonly dim?: number | null } | null): this;
  takeAlongDim(options: Indices<this>): this;
  takeAlongDim(...args: readonly unknown[]): this {
    return scatter.takeAlongDim<this>(this, ...(args as [this, number]));
  }
  /** The slices along dim at the positions of a 1-d index. */
  indexSelect(dim: number, index: this): this;
  indexSelect(options: AlongDim<this>): this;
  indexSelect(...args: readonly unknown[]): this {
    return pick.indexSelect<this>(this, ...(args as [number, this]));
  }
  /** alpha · source[j] added to the slice index[j]. */
  indexAdd(dim: number, index: this, source: this, options?: AlphaOptions): this;
  indexAdd(options: AlphaOptions & AlongDim<this> & Added<this>): this;
  indexAdd(...args: readonly unknown[]): this {
    return pick.indexAdd<this>(this, ...(args as [number, this, this]));
  }
  /** The slice index[j] replaced by source[j]. */
  indexCopy(...args: [dim: number, index: this, source: this]): this {
    return pick.indexCopy<this>(this, ...args);
  }
  /** Slices that index sends to one place, folded into one: their product, mean or extreme. */
  indexReduce(
    ...args: [
      dim: number,
      index: this,
      source: this,
      reduce: Exclude<ScatterReduction, 'sum'>,
      options?: ScatterReduceOptions,
    ]
  ): this {
    return indexReduce<this>(this, ...args);
  }
  /** The slices at the indices filled with one value. */
  indexFill(...args: [dim: number, index: this, value: number | this]): this {
    return pick.indexFill<this>(this, ...args);
  }
  /** Elements at positions of the flattened tensor. */
  take(...args: [index: this]): this {
    return pick.take<this>(this, ...args);
  }
  /** Elements replaced at positions of the flattened tensor. */
  put(...args: [index: this, source: this, accumulate?: boolean | { accumulate?: boolean }]): this {
    return pick.put<this>(this, ...(args as [this, this]));
  }
  /** `value` where mask is true. */
  maskedFill(mask: this, value: this | number | boolean): this;
  maskedFill(options: Filling<this>): this;
  maskedFill(...args: readonly unknown[]): this {
    return pick.maskedFill<this>(this, ...(args as [this, number]));
  }
  /** The elements where mask is true; 1-d. */
  maskedSelect(...args: [mask: this]): this {
    return pick.maskedSelect<this>(this, ...args);
  }
  /** The elements of source, in order, where mask is true. */
  maskedScatter(...args: [mask: this, source: this]): this {
    return pick.maskedScatter<this>(this, ...args);
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
  addmm(...args: [a: this, b: this, options?: products.BlendOptions]): this {
    return products.addmm<this>(this, ...args);
  }
  /** beta · this + alpha · (matrix · vector). */
  addmv(...args: [matrix: this, vector: this, options?: products.BlendOptions]): this {
    return products.addmv<this>(this, ...args);
  }
  /** beta · this + alpha · (outer product). */
  addr(...args: [a: this, b: this, options?: products.BlendOptions]): this {
    return products.addr<this>(this, ...args);
  }
  /** beta · this + alpha · (batch · batch). */
  baddbmm(...args: [a: this, b: this, options?: products.BlendOptions]): this {
    return products.baddbmm<this>(this, ...args);
  }
  /** beta · this + alpha · Σ (batch · batch). */
  addbmm(...args: [a: this, b: this, options?: products.BlendOptions]): this {
    return products.addbmm<this>(this, ...args);
  }
  /** Products summed over the last dimension of both. */
  inner(...args: [other: this]): this {
    return products.inner<this>(this, ...args);
  }
  /** The Kronecker product. */
  kron(...args: [other: this]): this {
    return products.kron<this>(this, ...args);
  }
  /** The vector product. */
  cross(...args: [other: this, dim?: number | { dim?: number }]): this {
    return products.cross<this>(this, ...(args as [this]));
  }
  /** To a whole power, as a matrix. */
  matrixPower(n: number): this {
    return products.matrixPower<this>(this, n);
  }
}
