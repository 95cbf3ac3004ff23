/** Optimiser steps in one pass over the memory of parameter, gradient and buffers. */
import type { NDArray } from '../array.ts';
import type { SgdOptions, StepSpec } from '../backend.ts';
import type { WasmContext } from './context.ts';
import { elementChunk, kernelFor } from './kernels.ts';

/** All floats in memory without gaps, laid out the same: a kernel may walk them as plain lists. */
function alike(arrays: readonly (NDArray | null)[]): boolean {
  const [first] = arrays;
  return arrays.every(
    (x) =>
      x === null ||
      (x.dtype === 'float32' &&
        x.dense &&
        first !== null &&
        x.strides.every((stride, d) => stride === first.strides[d] || x.shape[d] === 1)),
  );
}

/** A gradient in the layout of its parameter: a transposed weight has a transposed gradient or a row-major one. */
function inLayoutOf(host: WasmContext, param: NDArray, grad: NDArray): NDArray | null {
  if (!param.dense || grad.dtype !== param.dtype || alike([param, grad])) return null;
  const copy = host.empty(param.shape, param.dtype, param.strides);
  host.copyInto(copy, grad);
  return copy;
}

/** False where the reference loops must do it. */
export function sgdStep(
  host: WasmContext,
  param: NDArray,
  grad: NDArray,
  velocity: NDArray | null,
  firstStep: boolean,
  { lr, momentum, dampening, weightDecay, nesterov, maximize }: SgdOptions,
): boolean {
  const copy = inLayoutOf(host, param, grad);
  const g = copy ?? grad;
  const possible = alike([param, g, velocity]);
  if (possible) {
    host.runtime.pool.run(
      'sgd_f32',
      [
        host.pointer(param),
        host.pointer(g),
        velocity ? host.pointer(velocity) : 0,
        firstStep ? 1 : 0,
        lr,
        momentum,
        dampening,
        weightDecay,
        nesterov ? 1 : 0,
        maximize ? 1 : 0,
      ],
      param.size,
      elementChunk(host, param.size),
    );
  }
  copy?.release();
  return possible;
}

/** The kernels other than adam take three buffers and ten scalars, whether they use them or not. */
const BUFFERS = 3;
const SCALARS = 10;
const ADAM_SCALARS = 8;

/** False where there is no kernel for this optimiser, or not for these arrays. */
export function optimizerStep(
  host: WasmContext,
  spec: StepSpec,
  param: NDArray,
  grad: NDArray,
  buffers: readonly (NDArray | null)[],
  scalars: readonly number[],
): boolean {
  const kernel = kernelFor(host, spec.name, param.dtype);
  if (kernel === null) return false;
  const copy = inLayoutOf(host, param, grad);
  const arrays = [param, copy ?? grad, ...Array.from({ length: BUFFERS }, (_, i) => buffers[i] ?? null)];
  const count = spec.name === 'adam' ? ADAM_SCALARS : SCALARS;
  const possible = alike(arrays);
  if (possible) {
    host.runtime.pool.run(
      kernel,
      [
        ...arrays.map((x) => (x ? host.pointer(x) : 0)),
        ...Array.from({ length: count }, (_, i) => scalars[i] ?? 0),
      ],
      param.size,
      elementChunk(host, param.size),
    );
  }
  copy?.release();
  return possible;
}
