/** Convolutions in plain TypeScript: every tap of every output, sums in double precision. */
import type { NDArray } from '../array.ts';
import { lastOf, type Sliding, volume } from '../windows.ts';
import { type ArrayHost, numbers, store } from './elements.ts';

/**
 * Calls `visit(output, input, tap)` with flat positions for every tap that lies inside the input, and `margin` for those
 * that read a zero around it: 0 times an infinity is NaN there, as in PyTorch.
 */
export function forEachTap(
  geometry: Sliding,
  visit: (output: number, input: number, tap: number) => void,
  margin?: (output: number, tap: number) => void,
): void {
  const { input, output, kernel, stride, padding, dilation } = geometry;
  const at = (d: number, o: number, k: number): number => {
    const position = o * stride[d] - padding[d] + k * dilation[d];
    return position < 0 || position >= input[d] ? -1 : position;
  };
  for (let k0 = 0, tap = 0; k0 < kernel[0]; k0++) {
    for (let k1 = 0; k1 < kernel[1]; k1++) {
      for (let k2 = 0; k2 < kernel[2]; k2++, tap++) {
        for (let o0 = 0, place = 0; o0 < output[0]; o0++) {
          const i0 = at(0, o0, k0);
          for (let o1 = 0; o1 < output[1]; o1++) {
            const i1 = at(1, o1, k1);
            const row = i0 < 0 || i1 < 0 ? -1 : (i0 * input[1] + i1) * input[2];
            for (let o2 = 0; o2 < output[2]; o2++, place++) {
              const i2 = at(2, o2, k2);
              if (row >= 0 && i2 >= 0) visit(place, row + i2, tap);
              else margin?.(place, tap);
            }
          }
        }
      }
    }
  }
}

/** Calls `visit` with the flat starts of each channel pair that a grouped convolution joins. */
function forEachPair(
  geometry: Sliding,
  { batch, outs, ins, groups }: { batch: number; outs: number; ins: number; groups: number },
  visit: (output: number, input: number, weight: number) => void,
): void {
  const perGroup = ins / groups;
  const [inputs, outputs, taps] = [geometry.input, geometry.output, geometry.kernel].map(volume);
  for (let n = 0; n < batch; n++) {
    for (let o = 0; o < outs; o++) {
      const first = Math.floor((o * groups) / outs) * perGroup;
      for (let c = 0; c < perGroup; c++) {
        visit((n * outs + o) * outputs, (n * ins + first + c) * inputs, (o * perGroup + c) * taps);
      }
    }
  }
}

export function convolve(
  host: ArrayHost,
  x: NDArray,
  weight: NDArray,
  bias: NDArray | null,
  geometry: Sliding,
  groups: number,
): NDArray {
  const [batch, ins] = x.shape;
  const outs = weight.shape[0];
  const out = host.empty([batch, outs, ...lastOf(geometry.output, x.shape.length - 2)], x.dtype);
  const sums = new Float64Array(out.size);
  const [xs, ws] = [numbers(host, x), numbers(host, weight)];
  forEachPair(geometry, { batch, outs, ins, groups }, (o, i, w) => {
    forEachTap(
      geometry,
      (output, input, tap) => {
        sums[o + output] += xs[i + input] * ws[w + tap];
      },
      (output, tap) => {
        sums[o + output] += 0 * ws[w + tap];
      },
    );
  });
  if (bias) {
    const bs = numbers(host, bias);
    const outputs = volume(geometry.output);
    for (let i = 0; i < sums.length; i++) sums[i] += bs[Math.floor(i / outputs) % outs];
  }
  store(host, out, sums);
  return out;
}

export function convolveInput(
  host: ArrayHost,
  grad: NDArray,
  weight: NDArray,
  geometry: Sliding,
  groups: number,
): NDArray {
  const [batch, outs] = grad.shape;
  const ins = weight.shape[1] * groups;
  const out = host.empty([batch, ins, ...lastOf(geometry.input, grad.shape.length - 2)], grad.dtype);
  const sums = new Float64Array(out.size);
  const [gs, ws] = [numbers(host, grad), numbers(host, weight)];
  forEachPair(geometry, { batch, outs, ins, groups }, (o, i, w) => {
    forEachTap(geometry, (output, input, tap) => {
      sums[i + input] += gs[o + output] * ws[w + tap];
    });
  });
  store(host, out, sums);
  return out;
}

export function convolveWeight(
  host: ArrayHost,
  grad: NDArray,
  x: NDArray,
  geometry: Sliding,
  groups: number,
): NDArray {
  const [batch, outs] = grad.shape;
  const ins = x.shape[1];
  const out = host.empty([outs, ins / groups, ...lastOf(geometry.kernel, grad.shape.length - 2)], grad.dtype);
  const sums = new Float64Array(out.size);
  const [gs, xs] = [numbers(host, grad), numbers(host, x)];
  forEachPair(geometry, { batch, outs, ins, groups }, (o, i, w) => {
    forEachTap(
      geometry,
      (output, input, tap) => {
        sums[w + tap] += gs[o + output] * xs[i + input];
      },
      (output, tap) => {
        sums[w + tap] += 0 * gs[o + output];
      },
    );
  });
  store(host, out, sums);
  return out;
}

export function im2col(host: ArrayHost, x: NDArray, geometry: Sliding): NDArray {
  const [batch, channels] = x.shape;
  const [inputs, outputs, taps] = [geometry.input, geometry.output, geometry.kernel].map(volume);
  const out = host.empty([batch, channels * taps, outputs], x.dtype);
  const columns = new Float64Array(out.size);
  const xs = numbers(host, x);
  for (let plane = 0; plane < batch * channels; plane++) {
    forEachTap(geometry, (output, input, tap) => {
      columns[(plane * taps + tap) * outputs + output] = xs[plane * inputs + input];
    });
  }
  store(host, out, columns);
  return out;
}

export function col2im(host: ArrayHost, columns: NDArray, geometry: Sliding, ndim: number): NDArray {
  const [inputs, outputs, taps] = [geometry.input, geometry.output, geometry.kernel].map(volume);
  const batch = columns.shape[0];
  const channels = columns.shape[1] / taps;
  const out = host.empty([batch, channels, ...lastOf(geometry.input, ndim)], columns.dtype);
  const sums = new Float64Array(out.size);
  const cs = numbers(host, columns);
  for (let plane = 0; plane < batch * channels; plane++) {
    forEachTap(geometry, (output, input, tap) => {
      sums[plane * inputs + input] += cs[(plane * taps + tap) * outputs + output];
    });
  }
  store(host, out, sums);
  return out;
}
