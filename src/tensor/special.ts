/** Methods that work element by element, beyond arithmetic: bounds, special functions, bits, comparisons in all. */

import * as bits from '../ops/bitwise.ts';
import { addcdiv, addcmul, lerp, type ValueOptions } from '../ops/blend.ts';
import {
  type ClampArguments,
  clamp,
  clampMax,
  clampMin,
  type NanToNumArguments,
  nanToNum,
} from '../ops/clamp.ts';
import type { OperandOf } from '../ops/convert.ts';
import type { ByName } from '../ops/options.ts';
import {
  allclose,
  type CloseArguments,
  copysign,
  equal,
  fmax,
  fmin,
  heaviside,
  isclose,
  logaddexp,
  logaddexp2,
  xlogy,
} from '../ops/pairs.ts';
import * as special from '../ops/special.ts';
import { ElementwiseMethods } from './elementwise.ts';

export abstract class SpecialMethods extends ElementwiseMethods {
  /** Elements kept within bounds (numbers or tensors). */
  clamp(...args: ClampArguments<this>): this {
    return clamp<this>(this, ...args);
  }
  /** `clamp` by NumPy's name. */
  clip(...args: ClampArguments<this>): this {
    return clamp<this>(this, ...args);
  }
  /** Elements below min replaced by min. */
  clampMin(min: this | number): this {
    return clampMin<this>(this, min);
  }
  /** Elements above max replaced by max. */
  clampMax(max: this | number): this {
    return clampMax<this>(this, max);
  }
  /** NaN and infinities replaced by numbers. */
  nanToNum(...args: NanToNumArguments): this {
    return nanToNum(this, ...args);
  }
  /** The error function. */
  erf(): this {
    return special.erf(this);
  }
  /** 1 − erf. */
  erfc(): this {
    return special.erfc(this);
  }
  /** The inverse of erf. */
  erfinv(): this {
    return special.erfinv(this);
  }
  /** log |Γ|. */
  lgamma(): this {
    return special.lgamma(this);
  }
  /** The derivative of log Γ. */
  digamma(): this {
    return special.digamma(this);
  }
  /** Inverse hyperbolic sines. */
  asinh(): this {
    return special.asinh(this);
  }
  /** Inverse hyperbolic cosines. */
  acosh(): this {
    return special.acosh(this);
  }
  /** Inverse hyperbolic tangents. */
  atanh(): this {
    return special.atanh(this);
  }
  /** Radians from degrees. */
  deg2rad(): this {
    return special.deg2rad(this);
  }
  /** Degrees from radians. */
  rad2deg(): this {
    return special.rad2deg(this);
  }
  /** sin(πx)/(πx). */
  sinc(): this {
    return special.sinc(this);
  }
  /** −1, 0 or 1. */
  sgn(): this {
    return special.sgn(this);
  }
  /** log(x/(1 − x)). */
  logit(eps?: ByName<'eps', number | null>): this {
    return special.logit(this, eps);
  }
  /** True where the sign bit is set. */
  signbit(): this {
    return special.signbit(this);
  }
  /** True where plus infinity. */
  isposinf(): this {
    return special.isposinf(this);
  }
  /** True where minus infinity. */
  isneginf(): this {
    return special.isneginf(this);
  }

  /** Bits set in both. */
  bitwiseAnd(other: OperandOf<this>): this {
    return bits.bitwiseAnd<this>(this, other);
  }
  /** Bits set in one or both. */
  bitwiseOr(other: OperandOf<this>): this {
    return bits.bitwiseOr<this>(this, other);
  }
  /** Bits set in exactly one. */
  bitwiseXor(other: OperandOf<this>): this {
    return bits.bitwiseXor<this>(this, other);
  }
  /** All bits turned over. */
  bitwiseNot(): this {
    return bits.bitwiseNot(this);
  }
  /** Times 2 to the power `other`. */
  bitwiseLeftShift(other: OperandOf<this>): this {
    return bits.bitwiseLeftShift<this>(this, other);
  }
  /** Divided by 2 to the power `other`, rounded down. */
  bitwiseRightShift(other: OperandOf<this>): this {
    return bits.bitwiseRightShift<this>(this, other);
  }
  /** Greatest common divisors. */
  gcd(other: OperandOf<this>): this {
    return bits.gcd<this>(this, other);
  }
  /** Least common multiples. */
  lcm(other: OperandOf<this>): this {
    return bits.lcm<this>(this, other);
  }

  /** this + value · a · b. */
  addcmul(a: this, b: this, options?: ValueOptions): this {
    return addcmul<this>(this, a, b, options);
  }
  /** this + value · a / b. */
  addcdiv(a: this, b: this, options?: ValueOptions): this {
    return addcdiv<this>(this, a, b, options);
  }
  /** this + weight · (end − this). */
  lerp(end: this, weight: this | number): this {
    return lerp<this>(this, end, weight);
  }

  /** The larger of both; NaN is skipped. */
  fmax(other: OperandOf<this>): this {
    return fmax<this>(this, other);
  }
  /** The smaller of both; NaN is skipped. */
  fmin(other: OperandOf<this>): this {
    return fmin<this>(this, other);
  }
  /** log(eˣ + eʸ). */
  logaddexp(other: this): this {
    return logaddexp<this>(this, other);
  }
  /** log₂(2ˣ + 2ʸ). */
  logaddexp2(other: this): this {
    return logaddexp2<this>(this, other);
  }
  /** this · log other. */
  xlogy(other: OperandOf<this>): this {
    return xlogy<this>(this, other);
  }
  /** This magnitude with the sign of other. */
  copysign(other: OperandOf<this>): this {
    return copysign<this>(this, other);
  }
  /** 0 below zero, 1 above, `values` at zero. */
  heaviside(values: this): this {
    return heaviside<this>(this, values);
  }
  /** True where |this − other| ≤ atol + rtol·|other|. */
  isclose(other: OperandOf<this>, ...args: CloseArguments): this {
    return isclose<this>(this, other, ...args);
  }
  /** True if all elements are close. */
  allclose(other: this, ...args: CloseArguments): boolean {
    return allclose<this>(this, other, ...args);
  }
  /** True if shapes and elements are the same. */
  equal(other: this): boolean {
    return equal<this>(this, other);
  }
}
