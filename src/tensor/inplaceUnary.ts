/** In-place forms of functions of one operand: each overwrites the tensor and returns it. */
import { neg } from '../ops/arithmetic.ts';
import * as elementwise from '../ops/elementwise.ts';
import { optionsGiven } from '../ops/given.ts';
import { inplaceOf, inplaceUnary } from '../ops/inplaceForms.ts';
import * as special from '../ops/special.ts';
import { InplaceMethods } from './inplace.ts';

export abstract class InplaceUnaryMethods extends InplaceMethods {
  /** `neg` in place. */
  neg_(): this {
    return inplaceUnary(neg, this);
  }
  /** `abs` in place. */
  abs_(): this {
    return inplaceUnary(elementwise.abs, this);
  }
  /** `sign` in place. */
  sign_(): this {
    return inplaceUnary(elementwise.sign, this);
  }
  /** `square` in place. */
  square_(): this {
    return inplaceUnary(elementwise.square, this);
  }
  /** `sqrt` in place. */
  sqrt_(): this {
    return inplaceUnary(elementwise.sqrt, this);
  }
  /** `rsqrt` in place. */
  rsqrt_(): this {
    return inplaceUnary(elementwise.rsqrt, this);
  }
  /** `reciprocal` in place. */
  reciprocal_(): this {
    return inplaceUnary(elementwise.reciprocal, this);
  }
  /** `exp` in place. */
  exp_(): this {
    return inplaceUnary(elementwise.exp, this);
  }
  /** `exp2` in place. */
  exp2_(): this {
    return inplaceUnary(elementwise.exp2, this);
  }
  /** `expm1` in place. */
  expm1_(): this {
    return inplaceUnary(elementwise.expm1, this);
  }
  /** `log` in place. */
  log_(): this {
    return inplaceUnary(elementwise.log, this);
  }
  /** `log2` in place. */
  log2_(): this {
    return inplaceUnary(elementwise.log2, this);
  }
  /** `log10` in place. */
  log10_(): this {
    return inplaceUnary(elementwise.log10, this);
  }
  /** `log1p` in place. */
  log1p_(): this {
    return inplaceUnary(elementwise.log1p, this);
  }
  /** `sin` in place. */
  sin_(): this {
    return inplaceUnary(elementwise.sin, this);
  }
  /** `cos` in place. */
  cos_(): this {
    return inplaceUnary(elementwise.cos, this);
  }
  /** `tan` in place. */
  tan_(): this {
    return inplaceUnary(elementwise.tan, this);
  }
  /** `asin` in place. */
  asin_(): this {
    return inplaceUnary(elementwise.asin, this);
  }
  /** `acos` in place. */
  acos_(): this {
    return inplaceUnary(elementwise.acos, this);
  }
  /** `atan` in place. */
  atan_(): this {
    return inplaceUnary(elementwise.atan, this);
  }
  /** `sinh` in place. */
  sinh_(): this {
    return inplaceUnary(elementwise.sinh, this);
  }
  /** `cosh` in place. */
  cosh_(): this {
    return inplaceUnary(elementwise.cosh, this);
  }
  /** `tanh` in place. */
  tanh_(): this {
    return inplaceUnary(elementwise.tanh, this);
  }
  /** `sigmoid` in place. */
  sigmoid_(): this {
    return inplaceUnary(elementwise.sigmoid, this);
  }
  /** `relu` in place. */
  relu_(): this {
    return inplaceUnary(elementwise.relu, this);
  }
  /** `floor` in place. */
  floor_(): this {
    return inplaceUnary(elementwise.floor, this);
  }
  /** `ceil` in place. */
  ceil_(): this {
    return inplaceUnary(elementwise.ceil, this);
  }
  /** `round` in place, half to even; `decimals` counts the digits behind the point that stay. */
  round_(options?: { decimals?: number }): this {
    const { decimals = 0 } = optionsGiven(options, 'round_', 'decimals');
    if (decimals === 0) return inplaceUnary(elementwise.round, this);
    return inplaceOf<this>('round_', this, [], (x) => elementwise.round(x, { decimals }));
  }
  /** `trunc` in place. */
  trunc_(): this {
    return inplaceUnary(elementwise.trunc, this);
  }
  /** `frac` in place. */
  frac_(): this {
    return inplaceUnary(elementwise.frac, this);
  }
  /** `erf` in place. */
  erf_(): this {
    return inplaceUnary(special.erf, this);
  }
  /** `erfc` in place. */
  erfc_(): this {
    return inplaceUnary(special.erfc, this);
  }
  /** `erfinv` in place. */
  erfinv_(): this {
    return inplaceUnary(special.erfinv, this);
  }
  /** `lgamma` in place. */
  lgamma_(): this {
    return inplaceUnary(special.lgamma, this);
  }
  /** `digamma` in place. */
  digamma_(): this {
    return inplaceUnary(special.digamma, this);
  }
  /** `asinh` in place. */
  asinh_(): this {
    return inplaceUnary(special.asinh, this);
  }
  /** `acosh` in place. */
  acosh_(): this {
    return inplaceUnary(special.acosh, this);
  }
  /** `atanh` in place. */
  atanh_(): this {
    return inplaceUnary(special.atanh, this);
  }
  /** `deg2rad` in place. */
  deg2rad_(): this {
    return inplaceUnary(special.deg2rad, this);
  }
  /** `rad2deg` in place. */
  rad2deg_(): this {
    return inplaceUnary(special.rad2deg, this);
  }
  /** `sinc` in place. */
  sinc_(): this {
    return inplaceUnary(special.sinc, this);
  }
}
