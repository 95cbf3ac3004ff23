/** Methods that work element by element. Each is the op of the same name with the tensor as first operand. */
import { Variable } from '../autograd/variable.ts';
import {
  type AlphaOptions,
  add,
  atan2,
  type DivOptions,
  div,
  floorDivide,
  fmod,
  hypot,
  maximum,
  minimum,
  mul,
  neg,
  remainder,
  rsub,
  sub,
} from '../ops/arithmetic.ts';
import {
  eq,
  ge,
  gt,
  isfinite,
  isinf,
  isnan,
  le,
  logicalAnd,
  logicalNot,
  logicalOr,
  logicalXor,
  lt,
  ne,
} from '../ops/comparison.ts';
import type { OperandOf } from '../ops/convert.ts';
import * as elementwise from '../ops/elementwise.ts';
import { pow } from '../ops/power.ts';
import { whereOp } from '../ops/where.ts';

export abstract class ElementwiseMethods extends Variable {
  /** this + alpha·other. */
  add(other: OperandOf<this>, options?: AlphaOptions): this {
    return add<this>(this, other, options);
  }
  /** this − alpha·other. */
  sub(other: OperandOf<this>, options?: AlphaOptions): this {
    return sub<this>(this, other, options);
  }
  /** other − alpha·this. */
  rsub(other: OperandOf<this>, options?: AlphaOptions): this {
    return rsub<this>(this, other, options);
  }
  /** this · other. */
  mul(other: OperandOf<this>): this {
    return mul<this>(this, other);
  }
  /** this / other; `roundingMode` 'floor' or 'trunc' rounds the quotient. */
  div(other: OperandOf<this>, options?: DivOptions): this {
    return div<this>(this, other, options);
  }
  /** The quotient rounded down. */
  floorDivide(other: OperandOf<this>): this {
    return floorDivide<this>(this, other);
  }
  /** The remainder with the sign of the divisor. */
  remainder(other: OperandOf<this>): this {
    return remainder<this>(this, other);
  }
  /** The remainder with the sign of this. */
  fmod(other: OperandOf<this>): this {
    return fmod<this>(this, other);
  }
  /** This to the power `exponent`. */
  pow(exponent: OperandOf<this>): this {
    return pow<this>(this, exponent);
  }
  /** The larger of both, element by element. */
  maximum(other: OperandOf<this>): this {
    return maximum<this>(this, other);
  }
  /** The smaller of both, element by element. */
  minimum(other: OperandOf<this>): this {
    return minimum<this>(this, other);
  }
  /** The angle of the point (other, this). */
  atan2(other: OperandOf<this>): this {
    return atan2<this>(this, other);
  }
  /** √(this² + other²). */
  hypot(other: OperandOf<this>): this {
    return hypot<this>(this, other);
  }

  /** True where equal. */
  eq(other: OperandOf<this>): this {
    return eq<this>(this, other);
  }
  /** True where not equal. */
  ne(other: OperandOf<this>): this {
    return ne<this>(this, other);
  }
  /** True where less. */
  lt(other: OperandOf<this>): this {
    return lt<this>(this, other);
  }
  /** True where less or equal. */
  le(other: OperandOf<this>): this {
    return le<this>(this, other);
  }
  /** True where greater. */
  gt(other: OperandOf<this>): this {
    return gt<this>(this, other);
  }
  /** True where greater or equal. */
  ge(other: OperandOf<this>): this {
    return ge<this>(this, other);
  }
  /** True where both are not zero. */
  logicalAnd(other: OperandOf<this>): this {
    return logicalAnd<this>(this, other);
  }
  /** True where one is not zero. */
  logicalOr(other: OperandOf<this>): this {
    return logicalOr<this>(this, other);
  }
  /** True where exactly one is not zero. */
  logicalXor(other: OperandOf<this>): this {
    return logicalXor<this>(this, other);
  }
  /** True where zero. */
  logicalNot(): this {
    return logicalNot(this);
  }
  /** True where not a number. */
  isnan(): this {
    return isnan(this);
  }
  /** True where infinite. */
  isinf(): this {
    return isinf(this);
  }
  /** True where neither infinite nor NaN. */
  isfinite(): this {
    return isfinite(this);
  }
  /** This where condition holds, else other. */
  where(condition: this, other: OperandOf<this>): this {
    return whereOp<this>(condition, this, other);
  }

  /** −this. */
  neg(): this {
    return neg(this);
  }
  /** Absolute values. */
  abs(): this {
    return elementwise.abs(this);
  }
  /** −1, 0 or 1. */
  sign(): this {
    return elementwise.sign(this);
  }
  /** Squares. */
  square(): this {
    return elementwise.square(this);
  }
  /** Square roots. */
  sqrt(): this {
    return elementwise.sqrt(this);
  }
  /** Reciprocals of square roots. */
  rsqrt(): this {
    return elementwise.rsqrt(this);
  }
  /** Reciprocals. */
  reciprocal(): this {
    return elementwise.reciprocal(this);
  }
  /** e to the power of the elements. */
  exp(): this {
    return elementwise.exp(this);
  }
  /** 2 to the power of the elements. */
  exp2(): this {
    return elementwise.exp2(this);
  }
  /** eˣ − 1. */
  expm1(): this {
    return elementwise.expm1(this);
  }
  /** Natural logarithms. */
  log(): this {
    return elementwise.log(this);
  }
  /** Logarithms to base 2. */
  log2(): this {
    return elementwise.log2(this);
  }
  /** Logarithms to base 10. */
  log10(): this {
    return elementwise.log10(this);
  }
  /** log(1 + x). */
  log1p(): this {
    return elementwise.log1p(this);
  }
  /** Sines. */
  sin(): this {
    return elementwise.sin(this);
  }
  /** Cosines. */
  cos(): this {
    return elementwise.cos(this);
  }
  /** Tangents. */
  tan(): this {
    return elementwise.tan(this);
  }
  /** Inverse sines. */
  asin(): this {
    return elementwise.asin(this);
  }
  /** Inverse cosines. */
  acos(): this {
    return elementwise.acos(this);
  }
  /** Inverse tangents. */
  atan(): this {
    return elementwise.atan(this);
  }
  /** Hyperbolic sines. */
  sinh(): this {
    return elementwise.sinh(this);
  }
  /** Hyperbolic cosines. */
  cosh(): this {
    return elementwise.cosh(this);
  }
  /** Hyperbolic tangents. */
  tanh(): this {
    return elementwise.tanh(this);
  }
  /** 1/(1 + e⁻ˣ). */
  sigmoid(): this {
    return elementwise.sigmoid(this);
  }
  /** max(x, 0). */
  relu(): this {
    return elementwise.relu(this);
  }
  /** Rounded down. */
  floor(): this {
    return elementwise.floor(this);
  }
  /** Rounded up. */
  ceil(): this {
    return elementwise.ceil(this);
  }
  /** Rounded to the nearest, halves to even. */
  round(options?: { decimals?: number }): this {
    return elementwise.round(this, options);
  }
  /** Without the fraction. */
  trunc(): this {
    return elementwise.trunc(this);
  }
  /** The fraction. */
  frac(): this {
    return elementwise.frac(this);
  }
}
