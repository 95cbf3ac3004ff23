/** In-place forms of views, of rarer functions of two operands, and those under PyTorch's second names. */
import type { AlphaOptions, DivOptions } from '../ops/arithmetic.ts';
import * as bits from '../ops/bitwise.ts';
import type { OperandOf } from '../ops/convert.ts';
import { inplaceView } from '../ops/inplace.ts';
import { inplaceOf } from '../ops/inplaceForms.ts';
import type { ByName } from '../ops/options.ts';
import * as pairs from '../ops/pairs.ts';
import * as named from '../ops/publicViews.ts';
import * as views from '../ops/views.ts';
import { InplaceOtherMethods } from './inplaceOther.ts';

export abstract class InplaceAliasMethods extends InplaceOtherMethods {
  /** This tensor itself gets a dimension of size 1. @throws AutogradError for a leaf that requires a gradient */
  unsqueeze_(dim: ByName<'dim', number>): this {
    return inplaceView<this>('unsqueeze_', this, (x) => views.unsqueeze(x, dim));
  }
  /** This tensor itself loses its dimensions of size 1, or those listed. */
  squeeze_(dim?: ByName<'dim', number | readonly number[]>): this {
    return inplaceView<this>('squeeze_', this, (x) => views.squeeze(x, dim));
  }
  /** Two dimensions of this tensor itself are exchanged. */
  transpose_(dim0: number, dim1: number): this {
    return inplaceView<this>('transpose_', this, (x) => named.transpose(x, dim0, dim1));
  }
  /** `transpose_` by NumPy's name. */
  swapaxes_(axis0: number, axis1: number): this {
    return this.transpose_(axis0, axis1);
  }
  /** `transpose_` by another name. */
  swapdims_(dim0: number, dim1: number): this {
    return this.transpose_(dim0, dim1);
  }
  /** This matrix itself is transposed. */
  t_(): this {
    return inplaceView<this>('t_', this, (x) => views.t(x));
  }
  /** `abs_`. */
  absolute_(): this {
    return this.abs_();
  }
  /** `neg_`. */
  negative_(): this {
    return this.neg_();
  }
  /** `asin_`. */
  arcsin_(): this {
    return this.asin_();
  }
  /** `acos_`. */
  arccos_(): this {
    return this.acos_();
  }
  /** `atan_`. */
  arctan_(): this {
    return this.atan_();
  }
  /** `asinh_`. */
  arcsinh_(): this {
    return this.asinh_();
  }
  /** `acosh_`. */
  arccosh_(): this {
    return this.acosh_();
  }
  /** `atanh_`. */
  arctanh_(): this {
    return this.atanh_();
  }
  /** `trunc_`. */
  fix_(): this {
    return this.trunc_();
  }
  /** `sign_`. */
  sgn_(): this {
    return this.sign_();
  }
  /** `sub_`. */
  subtract_(other: OperandOf<this>, options?: AlphaOptions): this {
    return this.sub_(other, options);
  }
  /** `mul_`. */
  multiply_(other: OperandOf<this>): this {
    return this.mul_(other);
  }
  /** `div_`. */
  divide_(other: OperandOf<this>, options?: DivOptions): this {
    return this.div_(other, options);
  }
  /** `div_`. */
  trueDivide_(other: OperandOf<this>): this {
    return this.div_(other);
  }
  /** `atan2_`. */
  arctan2_(other: OperandOf<this>): this {
    return this.atan2_(other);
  }
  /** `gt_`. */
  greater_(other: OperandOf<this>): this {
    return this.gt_(other);
  }
  /** `ge_`. */
  greaterEqual_(other: OperandOf<this>): this {
    return this.ge_(other);
  }
  /** `lt_`. */
  less_(other: OperandOf<this>): this {
    return this.lt_(other);
  }
  /** `le_`. */
  lessEqual_(other: OperandOf<this>): this {
    return this.le_(other);
  }
  /** `ne_`. */
  notEqual_(other: OperandOf<this>): this {
    return this.ne_(other);
  }
  /** `gcd` in place. */
  gcd_(other: OperandOf<this>): this {
    return inplaceOf<this>('gcd_', this, [other], (x) => bits.gcd<this>(x, other));
  }
  /** `lcm` in place. */
  lcm_(other: OperandOf<this>): this {
    return inplaceOf<this>('lcm_', this, [other], (x) => bits.lcm<this>(x, other));
  }
  /** `copysign` in place. */
  copysign_(other: OperandOf<this>): this {
    return inplaceOf<this>('copysign_', this, [other], (x) => pairs.copysign<this>(x, other));
  }
  /** `xlogy` in place. */
  xlogy_(other: OperandOf<this>): this {
    return inplaceOf<this>('xlogy_', this, [other], (x) => pairs.xlogy<this>(x, other));
  }
}
