/** In-place forms of the other ops: bounds, powers, comparisons, bits, scattering, triangles. */
import type { Variable } from '../autograd/variable.ts';
import { ShapeError } from '../core/errors.ts';
import { inOp } from '../core/inOp.ts';
import { formatShape } from '../core/shape.ts';
import * as arithmetic from '../ops/arithmetic.ts';
import * as bits from '../ops/bitwise.ts';
import { addcdiv, addcmul, lerp, type ValueOptions } from '../ops/blend.ts';
import { type ClampArguments, clamp, type NanToNumArguments, nanToNum } from '../ops/clamp.ts';
import * as comparison from '../ops/comparison.ts';
import type { OperandOf } from '../ops/convert.ts';
import * as running from '../ops/cumulative.ts';
import { optionsGiven } from '../ops/given.ts';
import { inplaceOf, inplaceSum } from '../ops/inplaceForms.ts';
import { type ByName, isPlain, option } from '../ops/options.ts';
import { heaviside } from '../ops/pairs.ts';
import * as pick from '../ops/pick.ts';
import { pow } from '../ops/power.ts';
import * as products from '../ops/products.ts';
import * as scatter from '../ops/scatter.ts';
import {
  indexReduce,
  type ScatterReduceOptions,
  type ScatterReduction,
  scatterReduce,
} from '../ops/scatterReduce.ts';
import { logit } from '../ops/special.ts';
import * as triangles from '../ops/triangles.ts';
import { slice } from '../ops/views.ts';
import { InplaceUnaryMethods } from './inplaceUnary.ts';

/** The tensors among bounds, by position or by name: their gradients are wanted too. */
function boundsIn<T extends Variable>(args: ClampArguments<T>): T[] {
  const list: unknown[] = args.flatMap((bound) => (isPlain(bound) ? Object.values(bound) : [bound]));
  return list.filter((bound): bound is T => typeof bound === 'object' && bound !== null);
}

export abstract class InplaceOtherMethods extends InplaceUnaryMethods {
  /** Elements kept within bounds, in place. */
  clamp_(...args: ClampArguments<this>): this {
    return inplaceOf<this>('clamp_', this, boundsIn<this>(args), (x) => clamp<this>(x, ...args));
  }
  /** `clamp_` by NumPy's name. */
  clip_(...args: ClampArguments<this>): this {
    return this.clamp_(...args);
  }
  /** `clampMin` in place. */
  clampMin_(min: this | number): this {
    return inplaceOf<this>('clamp_min_', this, [min], (x) => clamp<this>(x, min, null));
  }
  /** `clampMax` in place. */
  clampMax_(max: this | number): this {
    return inplaceOf<this>('clamp_max_', this, [max], (x) => clamp<this>(x, null, max));
  }
  /** `nanToNum` in place. */
  nanToNum_(...args: NanToNumArguments): this {
    return inplaceOf<this>('nan_to_num_', this, [], (x) => nanToNum(x, ...args));
  }
  /** `pow` in place. */
  pow_(other: OperandOf<this>): this {
    return inplaceOf<this>('pow_', this, [other], (x) => pow<this>(x, other));
  }
  /** `remainder` in place. */
  remainder_(other: OperandOf<this>): this {
    return inplaceOf<this>('remainder_', this, [other], (x) => arithmetic.remainder<this>(x, other));
  }
  /** `fmod` in place. */
  fmod_(other: OperandOf<this>): this {
    return inplaceOf<this>('fmod_', this, [other], (x) => arithmetic.fmod<this>(x, other));
  }
  /** `floorDivide` in place. */
  floorDivide_(other: OperandOf<this>): this {
    return inplaceOf<this>('floor_divide_', this, [other], (x) => arithmetic.floorDivide<this>(x, other));
  }
  /** `atan2` in place. */
  atan2_(other: OperandOf<this>): this {
    return inplaceOf<this>('atan2_', this, [other], (x) => arithmetic.atan2<this>(x, other));
  }
  /** `hypot` in place. */
  hypot_(other: OperandOf<this>): this {
    return inplaceOf<this>('hypot_', this, [other], (x) => arithmetic.hypot<this>(x, other));
  }
  /** `eq` in place. */
  eq_(other: OperandOf<this>): this {
    return inplaceOf<this>('eq_', this, [other], (x) => comparison.eq<this>(x, other));
  }
  /** `ne` in place. */
  ne_(other: OperandOf<this>): this {
    return inplaceOf<this>('ne_', this, [other], (x) => comparison.ne<this>(x, other));
  }
  /** `lt` in place. */
  lt_(other: OperandOf<this>): this {
    return inplaceOf<this>('lt_', this, [other], (x) => comparison.lt<this>(x, other));
  }
  /** `le` in place. */
  le_(other: OperandOf<this>): this {
    return inplaceOf<this>('le_', this, [other], (x) => comparison.le<this>(x, other));
  }
  /** `gt` in place. */
  gt_(other: OperandOf<this>): this {
    return inplaceOf<this>('gt_', this, [other], (x) => comparison.gt<this>(x, other));
  }
  /** `ge` in place. */
  ge_(other: OperandOf<this>): this {
    return inplaceOf<this>('ge_', this, [other], (x) => comparison.ge<this>(x, other));
  }
  /** `logicalAnd` in place. */
  logicalAnd_(other: OperandOf<this>): this {
    return inplaceOf<this>('logical_and_', this, [other], (x) => comparison.logicalAnd<this>(x, other));
  }
  /** `logicalOr` in place. */
  logicalOr_(other: OperandOf<this>): this {
    return inplaceOf<this>('logical_or_', this, [other], (x) => comparison.logicalOr<this>(x, other));
  }
  /** `logicalXor` in place. */
  logicalXor_(other: OperandOf<this>): this {
    return inplaceOf<this>('logical_xor_', this, [other], (x) => comparison.logicalXor<this>(x, other));
  }
  /** `bitwiseAnd` in place. */
  bitwiseAnd_(other: OperandOf<this>): this {
    return inplaceOf<this>('bitwise_and_', this, [other], (x) => bits.bitwiseAnd<this>(x, other));
  }
  /** `bitwiseOr` in place. */
  bitwiseOr_(other: OperandOf<this>): this {
    return inplaceOf<this>('bitwise_or_', this, [other], (x) => bits.bitwiseOr<this>(x, other));
  }
  /** `bitwiseXor` in place. */
  bitwiseXor_(other: OperandOf<this>): this {
    return inplaceOf<this>('bitwise_xor_', this, [other], (x) => bits.bitwiseXor<this>(x, other));
  }
  /** `bitwiseLeftShift` in place. */
  bitwiseLeftShift_(other: OperandOf<this>): this {
    return inplaceOf<this>('bitwise_left_shift_', this, [other], (x) =>
      bits.bitwiseLeftShift<this>(x, other),
    );
  }
  /** `bitwiseRightShift` in place. */
  bitwiseRightShift_(other: OperandOf<this>): this {
    return inplaceOf<this>('bitwise_right_shift_', this, [other], (x) =>
      bits.bitwiseRightShift<this>(x, other),
    );
  }
  /** `logicalNot` in place. */
  logicalNot_(): this {
    return inplaceOf<this>('logical_not_', this, [], (x) => comparison.logicalNot<this>(x));
  }
  /** `bitwiseNot` in place. */
  bitwiseNot_(): this {
    return inplaceOf<this>('bitwise_not_', this, [], (x) => bits.bitwiseNot<this>(x));
  }
  /** this ← this + value · a · b. */
  addcmul_(a: this, b: this, options?: ValueOptions): this {
    const { value = 1 } = optionsGiven(options, 'addcmul_', 'value');
    const term = (): this => arithmetic.mul<this>(a, b);
    return inplaceSum('addcmul_', this, [a, b], term, value, (x) => addcmul<this>(x, a, b, { value }));
  }
  /** this ← this + value · a / b. */
  addcdiv_(a: this, b: this, options?: ValueOptions): this {
    const { value = 1 } = optionsGiven(options, 'addcdiv_', 'value');
    const term = (): this => arithmetic.div<this>(a, b);
    return inplaceSum('addcdiv_', this, [a, b], term, value, (x) => addcdiv<this>(x, a, b, { value }));
  }
  /** this ← this + weight · (end − this). */
  lerp_(end: this, weight: this | number): this {
    const whole = (x: this): this => lerp<this>(x, end, weight);
    if (typeof weight !== 'number' || !(Math.abs(weight) < 0.5))
      return inplaceOf<this>('lerp_', this, [end, weight], whole);
    return inplaceSum('lerp_', this, [end], () => arithmetic.sub<this>(end, this), weight, whole);
  }
  /** `heaviside` in place. */
  heaviside_(values: this): this {
    return inplaceOf<this>('heaviside_', this, [values], (x) => heaviside<this>(x, values));
  }
  /** `logit` in place. */
  logit_(eps?: ByName<'eps', number | null>): this {
    return inplaceOf<this>('logit_', this, [], (x) => logit(x, eps));
  }
  /** `addmm` in place. */
  addmm_(a: this, b: this, options?: products.BlendOptions): this {
    return inplaceOf<this>('addmm_', this, [a, b], (x) => products.addmm<this>(x, a, b, options));
  }
  /** `addmv` in place. */
  addmv_(matrix: this, vector: this, options?: products.BlendOptions): this {
    return inplaceOf<this>('addmv_', this, [matrix, vector], (x) =>
      products.addmv<this>(x, matrix, vector, options),
    );
  }
  /** `addr` in place. */
  addr_(a: this, b: this, options?: products.BlendOptions): this {
    return inplaceOf<this>('addr_', this, [a, b], (x) => products.addr<this>(x, a, b, options));
  }
  /** `addbmm` in place. */
  addbmm_(a: this, b: this, options?: products.BlendOptions): this {
    return inplaceOf<this>('addbmm_', this, [a, b], (x) => products.addbmm<this>(x, a, b, options));
  }
  /** `baddbmm` in place. */
  baddbmm_(a: this, b: this, options?: products.BlendOptions): this {
    return inplaceOf<this>('baddbmm_', this, [a, b], (x) => products.baddbmm<this>(x, a, b, options));
  }
  /** `cumsum` in place. */
  cumsum_(dim: ByName<'dim', number>): this {
    return inplaceOf<this>('cumsum_', this, [], (x) =>
      running.cumsum<this>(x, option(dim, 'cumsum_', 'dim', Number.NaN)),
    );
  }
  /** `cumprod` in place. */
  cumprod_(dim: ByName<'dim', number>): this {
    return inplaceOf<this>('cumprod_', this, [], (x) =>
      running.cumprod<this>(x, option(dim, 'cumprod_', 'dim', Number.NaN)),
    );
  }
  /** `value` where mask is true, in place. */
  maskedFill_(mask: this, value: this | number | boolean): this {
    return pick.maskedFill_<this>(this, mask, value);
  }
  /** `maskedScatter` in place. */
  maskedScatter_(mask: this, source: this): this {
    return inplaceOf<this>('masked_scatter_', this, [source], (x) =>
      pick.maskedScatter<this>(x, mask, source),
    );
  }
  /** `scatter` in place. */
  scatter_(
    dim: number,
    index: this,
    source: this | number | boolean,
    options?: scatter.ScatterOptions,
  ): this {
    return inplaceOf<this>('scatter_', this, [source], (x) =>
      scatter.scatter<this>(x, dim, index, source, options),
    );
  }
  /** `scatterAdd` in place. */
  scatterAdd_(dim: number, index: this, source: this): this {
    return inplaceOf<this>('scatter_add_', this, [source], (x) =>
      scatter.scatterAdd<this>(x, dim, index, source),
    );
  }
  /** `scatterReduce` in place. */
  scatterReduce_(
    dim: number,
    index: this,
    source: this,
    reduce: ScatterReduction,
    options?: ScatterReduceOptions,
  ): this {
    return inplaceOf<this>('scatter_reduce_', this, [source], (x) =>
      scatterReduce<this>(x, dim, index, source, reduce, options),
    );
  }
  /** `indexReduce` in place. */
  indexReduce_(
    dim: number,
    index: this,
    source: this,
    reduce: Exclude<ScatterReduction, 'sum'>,
    options?: ScatterReduceOptions,
  ): this {
    return inplaceOf<this>('index_reduce_', this, [source], (x) =>
      indexReduce<this>(x, dim, index, source, reduce, options),
    );
  }
  /** `indexAdd` in place. */
  indexAdd_(dim: number, index: this, source: this, options?: arithmetic.AlphaOptions): this {
    return inplaceOf<this>('index_add_', this, [source], (x) =>
      pick.indexAdd<this>(x, dim, index, source, options),
    );
  }
  /** `indexCopy` in place. */
  indexCopy_(dim: number, index: this, source: this): this {
    return inplaceOf<this>('index_copy_', this, [source], (x) => pick.indexCopy<this>(x, dim, index, source));
  }
  /** `indexFill` in place. */
  indexFill_(dim: number, index: this, value: number | this): this {
    return pick.indexFill_<this>(this, dim, index, value);
  }
  /** `put` in place. */
  put_(index: this, source: this, accumulate = false): this {
    return inplaceOf<this>('put_', this, [source], (x) => pick.put<this>(x, index, source, accumulate));
  }
  /** The lower triangle, in place. */
  tril_(diagonal?: ByName<'diagonal', number>): this {
    return triangles.triangle_(this, diagonal, triangles.tril);
  }
  /** The upper triangle, in place. */
  triu_(diagonal?: ByName<'diagonal', number>): this {
    return triangles.triangle_(this, diagonal, triangles.triu);
  }
  /**
   * The elements whose indices are all the same, filled with one value; with `wrap` that begins anew below a tall matrix's
   * last column, a row further. @throws ShapeError for fewer than 2 dimensions
   */
  fillDiagonal_(value: number, wrap?: ByName<'wrap', boolean>): this {
    return inOp('fill_diagonal_', () => {
      if (this.ndim < 2)
        throw new ShapeError(
          `fill_diagonal_: dimensions must larger than 1, but got shape ${formatShape(this.shape)}`,
        );
      if (this.ndim > 2 && this.shape.some((size) => size !== this.shape[0])) {
        throw new ShapeError(
          `fill_diagonal_: all dimensions of input must be of equal length, but got shape ${formatShape(this.shape)}`,
        );
      }
      const [rows, columns] = this.shape;
      const step = this.ndim === 2 && option(wrap, 'fill_diagonal_', 'wrap', false) ? columns + 1 : rows + 1;
      for (let from = 0; from <= rows; from += step) {
        let line: this = slice<this>(this, 0, from, null);
        while (line.ndim > 1) line = triangles.diagonal(line, 0, 0, line.ndim - 1);
        line.fill_(value);
      }
      return this;
    });
  }
}
