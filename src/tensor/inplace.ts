/** Methods that change the tensor itself. A trailing underscore says so, as in PyTorch; each returns the tensor. */

import {
  type AlphaOptions,
  addOp,
  type DivOptions,
  div,
  divOp,
  mul,
  subOp,
  withAlpha,
} from '../ops/arithmetic.ts';
import type { OperandOf } from '../ops/convert.ts';
import { optionsGiven, tensorGiven } from '../ops/given.ts';
import { copy_, fill_, inplaceBinary } from '../ops/inplace.ts';
import { inplaceOf } from '../ops/inplaceForms.ts';
import { onDevice } from '../transfer.ts';
import { PickMethods } from './pick.ts';

export abstract class InplaceMethods extends PickMethods {
  /** this ← this + alpha·other. */
  add_(other: OperandOf<this>, options?: AlphaOptions): this {
    const { alpha = 1 } = optionsGiven(options, 'add_', 'alpha');
    const [op, term] = withAlpha<this>(addOp, this, other, alpha);
    return inplaceBinary<this>(op, this, term, 'add_', other);
  }
  /** this ← this − alpha·other. */
  sub_(other: OperandOf<this>, options?: AlphaOptions): this {
    const { alpha = 1 } = optionsGiven(options, 'sub_', 'alpha');
    const [op, term] = withAlpha<this>(subOp, this, other, alpha);
    return inplaceBinary<this>(op, this, term, 'sub_', other);
  }
  /** this ← this · other. */
  mul_(other: OperandOf<this>): this {
    return inplaceBinary<this>(mul, this, other, 'mul_');
  }
  /** this ← this / other; `roundingMode` 'floor' or 'trunc' rounds the quotient. */
  div_(other: OperandOf<this>, options?: DivOptions): this {
    if (!optionsGiven(options, 'div_', 'roundingMode').roundingMode)
      return inplaceBinary<this>(divOp, this, other, 'div_');
    return inplaceOf<this>('div_', this, [other], (x) => div<this>(x, other, options));
  }
  /** All elements become 0. */
  zero_(): this {
    return fill_(this, 0, 'ZeroBackward0');
  }
  /** All elements become `value`. */
  fill_(value: number | bigint | boolean | this): this {
    return fill_(this, value);
  }
  /** The elements of another tensor, broadcast and converted. */
  copy_(source: this): this {
    return copy_<this>(this, onDevice(tensorGiven(source, 'copy_', 'source'), this.array.backend));
  }
}
