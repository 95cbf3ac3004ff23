/** How the state of modules is moved: the tensors stay the objects that optimisers hold, with other memory. */
import { isFloating, resolveDType } from '../core/dtype.ts';
import { DTypeError } from '../core/errors.ts';
import { type Tensor, type ToArguments, type ToOptions, toOptions } from '../tensor.ts';

/** Tensors take over what others hold, and the first of them, the parameters, gradients. */
export function adopt(
  tensors: readonly Tensor[],
  values: readonly Tensor[],
  gradients: readonly (Tensor | null)[],
): void {
  tensors.forEach((tensor, i) => {
    tensor.setArray(values[i].array);
    if (i < gradients.length) tensor.grad = gradients[i];
  });
}

/** Where and as what tensors are wanted. @throws DTypeError for a dtype that is not floating */
export function moduleTarget(...args: ToArguments): ToOptions {
  const { dtype, device } = toOptions(...args);
  if (dtype !== undefined && !isFloating(resolveDType(dtype, 'to'))) {
    throw new DTypeError(`to: module.to only accepts floating point dtypes, but got desired dtype=${dtype}`);
  }
  return { dtype, device };
}
