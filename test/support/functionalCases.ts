/** PyTorch's answers about calls of torch.nn.functional (test/fixtures/functional), and the same calls made here. */
import { expect } from 'vitest';
import { camelCase } from '../../src/core/pythonText.ts';
import type { Tensor } from '../../src/index.ts';
import * as torch from '../../src/index.ts';

interface Described {
  dtype: torch.DType;
  shape: number[];
  data: (number | string | boolean)[];
}
type Argument = Described | number | string | boolean | null | number[];
export interface FunctionalCase {
  args: Argument[];
  kwargs: Record<string, Argument>;
  result: Described;
  grads: (Described | null)[];
}

const files = import.meta.glob<string>('../fixtures/functional/*.json', {
  query: '?raw',
  import: 'default',
});

/** All of them, by PyTorch's name of the function. */
export const loadCases = async (): Promise<Record<string, FunctionalCase[]>> =>
  JSON.parse(await files['../fixtures/functional/expected.json']()).cases;

const WORDS: { readonly [word: string]: number } = { inf: Infinity, '-inf': -Infinity, nan: Number.NaN };
export const toNumber = (x: number | string | boolean): number =>
  typeof x === 'string' ? WORDS[x] : Number(x);

const isDescribed = (x: Argument): x is Described => typeof x === 'object' && x !== null && 'dtype' in x;

function made(x: Argument, leaves: Tensor[], device: string): unknown {
  if (!isDescribed(x)) return x;
  const values = torch.tensor(x.data.map(toNumber), { dtype: 'float64' });
  const made = values.reshape(x.shape).to(x.dtype).to(device);
  if (made.isFloatingPoint()) leaves.push(made.requiresGrad_());
  return made;
}

/** The call, its result and the leaves among its arguments, in order. */
export function run(name: string, one: FunctionalCase, device = 'cpu'): { result: Tensor; leaves: Tensor[] } {
  const leaves: Tensor[] = [];
  const args = one.args.map((x) => made(x, leaves, device));
  const kwargs = Object.entries(one.kwargs).map(([key, x]) => [camelCase(key), made(x, leaves, device)]);
  const call = Reflect.get(torch.nn.functional, camelCase(name)) as (...args: unknown[]) => Tensor;
  return { result: call(...args, ...(kwargs.length > 0 ? [Object.fromEntries(kwargs)] : [])), leaves };
}

/** The gradients of a sum in which every element has a weight of its own. */
export function gradientsOf(x: Tensor, leaves: readonly Tensor[]): (Tensor | null)[] {
  if (!x.requiresGrad) return leaves.map(() => null);
  const weights = Array.from({ length: x.numel() }, (_, i) => ((7 * i) % 5) - 1.5);
  const finite = torch.where(torch.isfinite(x.detach()), x, 0);
  const sum = finite.mul(torch.tensor(weights, { dtype: x.dtype, device: x.device }).reshape(x.shape)).sum();
  return torch.autograd.grad(sum, leaves, { allowUnused: true });
}

/** The same dtype and shape, and the same numbers but for the last places. */
export function expectSame(got: Tensor, wanted: Described, what: string, single = 2e-6): void {
  expect([got.dtype, [...got.shape]], what).toEqual([wanted.dtype, wanted.shape]);
  const tolerance = wanted.dtype === 'float64' ? 1e-8 : single;
  const { data } = got;
  wanted.data.forEach((value, i) => {
    const [a, b] = [Number(data[i]), toNumber(value)];
    if (Object.is(a, b) || a === b || Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(b))) return;
    expect.fail(`${what}: element ${i} is ${a}, expected ${b}`);
  });
}

/** Values and gradients of all cases of a function. */
export function expectCases(name: string, cases: readonly FunctionalCase[], single?: number): void {
  cases.forEach((one, i) => {
    const options = JSON.stringify(one.kwargs, (_key, x) => (isDescribed(x) ? `[${x.shape}]` : x));
    const what = `${name}, case ${i}, ${options}`;
    const { result, leaves } = run(name, one);
    expectSame(result, one.result, what, single);
    const found = gradientsOf(result, leaves);
    one.grads.forEach((grad, k) => {
      const own = found[k];
      if (grad === null || own === null) expect(own, `${what}, gradient ${k}`).toBe(grad);
      else expectSame(own, grad, `${what}, gradient ${k}`, single);
    });
  });
}
