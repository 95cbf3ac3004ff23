/** Optimiser steps in plain TypeScript. */
import type { NDArray } from '../array.ts';
import type { SgdOptions } from '../backend.ts';
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
