/** Tensors that modules train. */
import type { Variable } from '../autograd/variable.ts';
import { contiguousStrides, type Strides } from '../core/shape.ts';
import { tensorGiven } from '../ops/given.ts';
import { option } from '../ops/options.ts';
import { isLaidOutByUs, noteLayoutOfOurs } from '../ops/views.ts';
import { Tensor } from '../tensor.ts';

export interface ParameterOptions {
  /** Default true. */
  requiresGrad?: boolean;
}

/**
 * A tensor that counts as a parameter of the module whose property it is. It shares the memory of `data` and has none
 * of its history. @throws AutogradError if `data` is not floating and requiresGrad is not false
 */
export class Parameter extends Tensor {
  constructor(data: Tensor, requiresGrad: boolean | ParameterOptions = true) {
    super(tensorGiven(data, 'Parameter', 'data').array);
    const wanted = option<'requiresGrad', boolean>(requiresGrad, 'Parameter', 'requiresGrad', true);
    if (wanted) this.requiresGrad = true;
  }

  /** Row-major: users do not know that the weights of linear layers lie transposed, and draw PyTorch's values. */
  override get fillStrides(): Strides {
    return contiguousStrides(this.shape);
  }

  override get grad(): this | null {
    const grad = super.grad as this | null;
    return grad && isLaidOutByUs(this) ? noteLayoutOfOurs(grad) : grad;
  }
  override set grad(value: Variable | null) {
    super.grad = value;
  }

  override toString(): string {
    return `Parameter containing:\n${super.toString()}`;
  }
}
