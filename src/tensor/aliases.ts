/** Methods under PyTorch's second names. */

import * as aliases from '../ops/aliases.ts';
import type { AlphaOptions, DivOptions } from '../ops/arithmetic.ts';
import type { OperandOf } from '../ops/convert.ts';
import { SpecialMethods } from './special.ts';

export abstract class AliasMethods extends SpecialMethods {
  /** `abs`. */
  absolute(): this {
    return aliases.absolute(this);
  }
  /** `neg`. */
  negative(): this {
    return aliases.negative(this);
  }
  /** `asin`. */
  arcsin(): this {
    return aliases.arcsin(this);
  }
  /** `acos`. */
  arccos(): this {
    return aliases.arccos(this);
  }
  /** `atan`. */
  arctan(): this {
    return aliases.arctan(this);
  }
  /** `asinh`. */
  arcsinh(): this {
    return aliases.arcsinh(this);
  }
  /** `acosh`. */
  arccosh(): this {
    return aliases.arccosh(this);
  }
  /** `atanh`. */
  arctanh(): this {
    return aliases.arctanh(this);
  }
  /** `trunc`. */
  fix(): this {
    return aliases.fix(this);
  }
  /** `sub`. */
  subtract(other: OperandOf<this>, options?: AlphaOptions): this {
    return aliases.subtract<this>(this, other, options);
  }
  /** `mul`. */
  multiply(other: OperandOf<this>): this {
    return aliases.multiply<this>(this, other);
  }
  /** `div`. */
  divide(other: OperandOf<this>, options?: DivOptions): this {
    return aliases.divide<this>(this, other, options);
  }
  /** `div`. */
  trueDivide(other: OperandOf<this>): this {
    return aliases.trueDivide<this>(this, other);
  }
  /** `atan2`. */
  arctan2(other: OperandOf<this>): this {
    return aliases.arctan2<this>(this, other);
  }
  /** `gt`. */
  greater(other: OperandOf<this>): this {
    return aliases.greater<this>(this, other);
  }
  /** `ge`. */
  greaterEqual(other: OperandOf<this>): this {
    return aliases.greaterEqual<this>(this, other);
  }
  /** `lt`. */
  less(other: OperandOf<this>): this {
    return aliases.less<this>(this, other);
  }
  /** `le`. */
  lessEqual(other: OperandOf<this>): this {
    return aliases.lessEqual<this>(this, other);
  }
  /** `ne`. */
  notEqual(other: OperandOf<this>): this {
    return aliases.notEqual<this>(this, other);
  }
}
