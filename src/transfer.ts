/** Tensors from one device to another, as a differentiable op. */
import { record } from './autograd/record.ts';
import type { Variable } from './autograd/variable.ts';
import type { Backend } from './backend/backend.ts';
import type { TypedArray } from './core/dtype.ts';
import { DeviceError } from './core/errors.ts';

/** x's elements on another device. Reads synchronously, so the source must allow that. @throws DeviceError */
export function onDevice<T extends Variable>(x: T, target: Backend): T {
  const source = x.array.backend;
  if (source === target) return x;
  return received(x, source.read(x.array), target);
}

/** The same without blocking, from every device. */
export async function onDeviceAsync<T extends Variable>(x: T, target: Backend): Promise<T> {
  const source = x.array.backend;
  if (source === target) return x;
  return received(x, await source.readAsync(x.array), target);
}

function received<T extends Variable>(x: T, data: TypedArray, target: Backend): T {
  const source = x.array.backend;
  const out = target.upload(data, x.shape, x.dtype);
  return record('ToCopyBackward0', out, [x], () => (grad) => {
    try {
      return [onDevice(grad, source)];
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error;
      throw new DeviceError(
        `backward: a gradient on ${target.device} cannot be brought to ${source.device} within backward; make the leaf itself a ` +
          `tensor on ${target.device}: x.detach().to('${target.device}').requiresGrad_()`,
      );
    }
  });
}
