/** Tensors from one device to another, as a differentiable op. */
import { record } from './autograd/record.ts';
import type { Variable } from './autograd/variable.ts';
import type { Backend } from './backend/backend.ts';

/** x's elements on another device. Reads synchronously, so the source must allow that. */
export function onDevice<T extends Variable>(x: T, target: Backend): T {
  const source = x.array.backend;
  if (source === target) return x;
  const out = target.upload(source.read(x.array), x.shape, x.dtype);
  return record('ToCopyBackward0', out, [x], () => (grad) => [onDevice(grad, source)]);
}
