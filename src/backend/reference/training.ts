/** Optimiser steps in plain TypeScript. */
import type { NDArray } from '../array.ts';
import type { SgdOptions, StepSpec } from '../backend.ts';
import { type ArrayHost, numbers, store } from './elements.ts';

/** Stochastic gradient descent as PyTorch defines it; `momentum` is the velocity buffer, set on the first step. */
export function sgdStep(
  host: ArrayHost,
  param: NDArray,
  grad: NDArray,
  momentum: NDArray | null,
  firstStep: boolean,
  { lr, momentum: mu, dampening, weightDecay, nesterov, maximize }: SgdOptions,
): void {
  const p = Float64Array.from(numbers(host, param));
  const g = numbers(host, grad);
  const v = momentum ? Float64Array.from(numbers(host, momentum)) : null;
  for (let i = 0; i < p.length; i++) {
    let d = maximize ? -g[i] : g[i];
    d += weightDecay * p[i];
    if (v) {
      v[i] = firstStep ? d : mu * v[i] + (1 - dampening) * d;
      d = nesterov ? d + mu * v[i] : v[i];
    }
    p[i] -= lr * d;
  }
  store(host, param, p);
  if (momentum && v) store(host, momentum, v);
}

/** Any other optimiser, element by element; every intermediate result is rounded as the spec says. */
export function optimizerStep(
  host: ArrayHost,
  spec: StepSpec,
  param: NDArray,
  grad: NDArray,
  buffers: readonly (NDArray | null)[],
  scalars: readonly number[],
): void {
  const arrays = [param, ...buffers];
  const lists = arrays.map((x) => (x ? Float64Array.from(numbers(host, x)) : null));
  const g = numbers(host, grad);
  const round = param.dtype === 'float32' ? Math.fround : (x: number) => x;
  const v = new Float64Array(arrays.length);
  for (let i = 0; i < g.length; i++) {
    for (let k = 0; k < v.length; k++) v[k] = lists[k]?.[i] ?? 0;
    spec.js(v, g[i], scalars, round);
    for (let k = 0; k < v.length; k++) {
      const list = lists[k];
      if (list) list[i] = v[k];
    }
  }
  arrays.forEach((x, k) => {
    const list = lists[k];
    if (x && list) store(host, x, list);
  });
}
