/** Tensors that modules train. */
import { tensorGiven } from '../ops/given.ts';
import { option } from '../ops/options.ts';
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

  override toString(): string {
    return `Parameter containing:\n${super.toString()}`;
  }
}
