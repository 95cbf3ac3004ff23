/** Pooling windows in ONNX's terms: a kernel, a step and padding, found again from the list of windows. */
import type { WindowList, Windows } from '../../backend/windows.ts';
import { ArgumentError } from '../../core/errors.ts';

interface Regular {
  readonly kernel: number;
  readonly stride: number;
  readonly pad: number;
  readonly end: number;
}

/** The regular windows that give this list, or null. */
function regularOf({ start, end, step }: WindowList, input: number): Regular | null {
  const outputs = start.length;
  const most = Math.max(...Array.from(start, (from, i) => Math.ceil((end[i] - from) / step)));
  for (let kernel = most; kernel <= most + Math.floor(most / 1) && kernel <= input + most; kernel++) {
    for (let pad = 0; pad <= kernel / 2; pad++) {
      for (let stride = 1; stride <= input; stride++) {
        const fits = Array.from({ length: outputs }, (_, i) => i).every((i) => {
          const from = i * stride - pad;
          const to = Math.min(from + (kernel - 1) * step + 1, input);
          const first = from < 0 ? from + Math.ceil(-from / step) * step : from;
          return (
            first === start[i] && Math.ceil((to - first) / step) === Math.ceil((end[i] - start[i]) / step)
          );
        });
        const over = (outputs - 1) * stride + (kernel - 1) * step + 1 - input - pad;
        if (fits && over < kernel * step) return { kernel, stride, pad, end: Math.max(0, over) };
        if (outputs === 1) break;
      }
    }
  }
  return null;
}

/** @throws ArgumentError for windows of several sizes, as adaptive pooling has where the sizes do not divide */
export function poolingOf(
  windows: Windows,
  ndim: number,
  average: boolean,
): Record<string, number | number[]> {
  const dims = [0, 1, 2].slice(3 - ndim);
  const found = dims.map((d) => regularOf(windows.lists[d], windows.input[d]));
  if (found.some((one) => one === null))
    throw new ArgumentError('exportOnnx: pooling windows of several sizes have no counterpart in the graph');
  const regular = found as Regular[];
  const attributes: Record<string, number | number[]> = {
    kernel_shape: regular.map((one) => one.kernel),
    strides: regular.map((one) => one.stride),
    pads: [...regular.map((one) => one.pad), ...regular.map((one) => one.end)],
  };
  const steps = dims.map((d) => windows.lists[d].step);
  if (!average) return { ...attributes, dilations: steps };
  const own = dims.every((d) => {
    const { divisor, start, end, step } = windows.lists[d];
    return divisor.every((n, at) => n === Math.ceil((end[at] - start[at]) / step));
  });
  const all = dims.every((d, i) => windows.lists[d].divisor.every((n) => n === regular[i].kernel));
  if (!own && !all) {
    throw new ArgumentError(
      'exportOnnx: an average with a divisor of its own has no counterpart in the graph',
    );
  }
  return { ...attributes, count_include_pad: own ? 0 : 1 };
}
