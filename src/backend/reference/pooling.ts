/** Pooling over windows in plain TypeScript. */
import { type DType, isFloating } from '../../core/dtype.ts';
import { integerLimits } from '../../core/sampling.ts';
import type { NDArray } from '../array.ts';
import { lastOf, volume, type Windows } from '../windows.ts';
import { type ArrayHost, numbers, store } from './elements.ts';

/** Calls `begin` with each output's flat position, divisor and first input position, then `visit` with each input position of its window. */
function forEachWindow(
  windows: Windows,
  begin: (output: number, divisor: number, first: number) => void,
  visit: (input: number) => void,
): void {
  const { input, output, lists } = windows;
  const [a, b, c] = lists;
  for (let o0 = 0, at = 0; o0 < output[0]; o0++) {
    for (let o1 = 0; o1 < output[1]; o1++) {
      for (let o2 = 0; o2 < output[2]; o2++, at++) {
        begin(
          at,
          a.divisor[o0] * b.divisor[o1] * c.divisor[o2],
          (a.start[o0] * input[1] + b.start[o1]) * input[2] + c.start[o2],
        );
        for (let i0 = a.start[o0]; i0 < a.end[o0]; i0 += a.step) {
          for (let i1 = b.start[o1]; i1 < b.end[o1]; i1 += b.step) {
            for (let i2 = c.start[o2]; i2 < c.end[o2]; i2 += c.step)
              visit((i0 * input[1] + i1) * input[2] + i2);
          }
        }
      }
    }
  }
}

const outputShape = (x: NDArray, windows: Windows): number[] => [
  x.shape[0],
  x.shape[1],
  ...lastOf(windows.output, x.shape.length - 2),
];

/** What is less than all others: the value of a window without elements. */
const leastOf = (dtype: DType): number => (isFloating(dtype) ? -Infinity : Number(integerLimits(dtype)[0]));

export function maxPool(
  host: ArrayHost,
  x: NDArray,
  windows: Windows,
): { values: NDArray; indices: NDArray } {
  const shape = outputShape(x, windows);
  const values = host.empty(shape, x.dtype);
  const indices = host.empty(shape, 'int64');
  const best = new Float64Array(values.size).fill(leastOf(x.dtype));
  const where = new Float64Array(values.size);
  const xs = numbers(host, x);
  const inputs = volume(windows.input);
  const outputs = volume(windows.output);
  for (let plane = 0; plane < x.shape[0] * x.shape[1]; plane++) {
    let at = 0;
    const begin = (output: number, _divisor: number, first: number): void => {
      at = plane * outputs + output;
      where[at] = first;
    };
    forEachWindow(windows, begin, (input) => {
      const value = xs[plane * inputs + input];
      if (!(value > best[at]) && !Number.isNaN(value)) return;
      best[at] = value;
      where[at] = input;
    });
  }
  store(host, values, best);
  store(host, indices, where);
  return { values, indices };
}

export function maxPoolGrad(host: ArrayHost, grad: NDArray, indices: NDArray, windows: Windows): NDArray {
  const [batch, channels] = grad.shape;
  const out = host.empty([batch, channels, ...lastOf(windows.input, grad.shape.length - 2)], grad.dtype);
  const sums = new Float64Array(out.size);
  const [gs, at] = [numbers(host, grad), numbers(host, indices)];
  const inputs = volume(windows.input);
  const outputs = volume(windows.output);
  for (let i = 0; i < gs.length; i++)
    if (at[i] < inputs) sums[Math.floor(i / outputs) * inputs + at[i]] += gs[i];
  store(host, out, sums);
  return out;
}

export function avgPool(host: ArrayHost, x: NDArray, windows: Windows): NDArray {
  const out = host.empty(outputShape(x, windows), x.dtype);
  const sums = new Float64Array(out.size);
  const divisors = new Float64Array(volume(windows.output));
  const xs = numbers(host, x);
  const inputs = volume(windows.input);
  for (let plane = 0; plane < x.shape[0] * x.shape[1]; plane++) {
    let at = 0;
    const begin = (output: number, divisor: number): void => {
      at = plane * divisors.length + output;
      divisors[output] = divisor;
    };
    forEachWindow(windows, begin, (input) => {
      sums[at] += xs[plane * inputs + input];
    });
  }
  for (let i = 0; i < sums.length; i++) sums[i] /= divisors[i % divisors.length];
  store(host, out, sums);
  return out;
}

export function avgPoolGrad(host: ArrayHost, grad: NDArray, windows: Windows): NDArray {
  const [batch, channels] = grad.shape;
  const out = host.empty([batch, channels, ...lastOf(windows.input, grad.shape.length - 2)], grad.dtype);
  const sums = new Float64Array(out.size);
  const gs = numbers(host, grad);
  const inputs = volume(windows.input);
  const outputs = volume(windows.output);
  for (let plane = 0; plane < batch * channels; plane++) {
    let share = 0;
    const begin = (output: number, divisor: number): void => {
      share = gs[plane * outputs + output] / divisor;
    };
    forEachWindow(windows, begin, (input) => {
      sums[plane * inputs + input] += share;
    });
  }
  store(host, out, sums);
  return out;
}
