/**
 * Kernels over windows (convolutions, pooling) and over rows (normalisation): the Wasm backend against the reference
 * backend over geometries of every kind, the same bits for one thread and two and for any slices, and no write outside.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NDArray } from '../../src/backend/array.ts';
import { ReferenceBackend } from '../../src/backend/reference/index.ts';
import { isDirect, isDirectInput, isDirectWeight } from '../../src/backend/wasm/directConvolution.ts';
import { WasmBackend } from '../../src/backend/wasm/index.ts';
import type { Sliding, Triple, WindowList, Windows } from '../../src/backend/windows.ts';
import { numElements, type Shape } from '../../src/core/shape.ts';
import { benches, waves } from './kernelsHarness.ts';

const reference = new ReferenceBackend();
const alone = new WasmBackend();
const threads = new WasmBackend();

beforeAll(async () => {
  await alone.runtime.pool.start(1);
  await threads.runtime.pool.start(2);
});
afterAll(() => {
  alone.runtime.pool.stop();
  threads.runtime.pool.stop();
});

/** Small numbers that repeat only after a while; the same in every run. */
let state = 1;
function random(below: number): number {
  state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
  return (state >> 8) % below;
}

const array = (backend: ReferenceBackend, shape: Shape, seed: number): NDArray =>
  backend.upload(waves(numElements(shape), 1, seed), shape, 'float32');

/** Runs on the reference, on one thread and on two; compares values and bits. */
function compare(
  run: (backend: ReferenceBackend) => readonly NDArray[],
  tolerance: number,
  what: unknown,
): void {
  const [wanted, got, shared] = [reference, alone, threads].map((backend) =>
    run(backend).map((x) => backend.read(x)),
  );
  got.forEach((list, which) => {
    expect(shared[which], JSON.stringify(what)).toEqual(list);
    expect(list.length).toBe(wanted[which].length);
    for (let i = 0; i < list.length; i++) {
      const [a, b] = [Number(list[i]), Number(wanted[which][i])];
      if (Object.is(a, b) || Math.abs(a - b) <= tolerance * (1 + Math.abs(b))) continue;
      expect.fail(`result ${which}, element ${i}: ${a} instead of ${b} for ${JSON.stringify(what)}`);
    }
  });
}

function geometry(ndim: number, large: number): Sliding {
  const pick = (least: number, below: number): Triple => {
    const list = [0, 1, 2].map((d) => (d < 3 - ndim ? 1 : least + random(below)));
    return [list[0], list[1], list[2]];
  };
  const kernel = pick(1, 3);
  const stride = pick(1, 3);
  const dilation = pick(1, 2);
  const around = pick(0, 4);
  const padding: Triple = [ndim > 2 ? around[0] : 0, ndim > 1 ? around[1] : 0, around[2]];
  const span = (d: number): number => dilation[d] * (kernel[d] - 1) + 1;
  const extra = pick(0, large);
  const size = (d: number): number => (d < 3 - ndim ? 1 : span(d) + extra[d]);
  const input: Triple = [size(0), size(1), size(2)];
  const out = (d: number): number => Math.floor((input[d] + 2 * padding[d] - span(d)) / stride[d]) + 1;
  return { input, output: [out(0), out(1), out(2)], kernel, stride, padding, dilation };
}

const spatial = (sizes: Triple, ndim: number): number[] => sizes.slice(3 - ndim);

describe('convolutions', () => {
  function check(g: Sliding, ndim: number, [batch, groups, ins, outs]: readonly number[]): void {
    const run = (backend: ReferenceBackend): NDArray[] => {
      const x = array(backend, [batch, ins * groups, ...spatial(g.input, ndim)], 1);
      const w = array(backend, [outs * groups, ins, ...spatial(g.kernel, ndim)], 2);
      const b = array(backend, [outs * groups], 3);
      const grad = array(backend, [batch, outs * groups, ...spatial(g.output, ndim)], 4);
      const columns = backend.im2col(x, g);
      return [
        backend.convolve(x, w, b, g, groups),
        backend.convolve(x, w, null, g, groups),
        backend.convolveInput(grad, w, g, groups),
        backend.convolveWeight(grad, x, g, groups),
        columns,
        backend.col2im(columns, g, ndim),
      ];
    };
    // The error of sums of this many terms in single precision.
    const terms = Math.max(numElements(g.output) * batch, ins * numElements(g.kernel));
    compare(run, 2e-6 * Math.sqrt(terms) * Math.max(10, Math.sqrt(terms) / 10), {
      g,
      batch,
      groups,
      ins,
      outs,
    });
  }

  it('equal the reference for any kernel, step, margin, gap and group', () => {
    for (let i = 0; i < 120; i++) {
      const ndim = 1 + random(3);
      check(geometry(ndim, ndim === 3 ? 4 : 9), ndim, [
        1 + random(3),
        1 + random(3),
        1 + random(4),
        1 + random(5),
      ]);
    }
  });

  it('equal it where each channel has a kernel of its own', () => {
    for (let i = 0; i < 60; i++) {
      const ndim = 1 + random(2);
      check(geometry(ndim, 45), ndim, [1 + random(3), 1 + random(5), 1, 1]);
    }
  });

  it('equal it where bands of the input itself are read, each of the three kernels', () => {
    const used = { forward: 0, input: 0, weight: 0 };
    for (let i = 0; i < 36; i++) {
      const flat = i % 6 === 0;
      const taps = (d: number): number => (flat && d === 1 ? 1 : 1 + random(5));
      const kernel: Triple = [1, taps(1), taps(2)];
      const dilation: Triple = [1, 1 + random(2), 1 + random(2)];
      const padding: Triple = [0, flat ? 0 : random(4), random(4)];
      const span = kernel.map((n, d) => dilation[d] * (n - 1));
      const output: Triple = [1, flat ? 1 : 9 + random(16), (flat ? 200 : 9) + random(16)];
      const size = (d: number): number => Math.max(1, output[d] + span[d] - 2 * padding[d]);
      const input: Triple = [1, size(1), size(2)];
      const out = (d: number): number => input[d] + 2 * padding[d] - span[d];
      const g: Sliding = {
        input,
        output: [1, out(1), out(2)],
        kernel,
        stride: [1, 1, 1],
        padding,
        dilation,
      };
      const [ins, outs] = [1 + random(9), 1 + random(15)];
      used.forward += Number(isDirect(g, ins, outs));
      used.input += Number(isDirectInput(g, ins, outs));
      used.weight += Number(isDirectWeight(g, ins, outs));
      check(g, 2, [1 + random(3), 1 + random(2), ins, outs]);
    }
    for (const count of Object.values(used)) expect(count).toBeGreaterThan(8);
  });

  it('spread what is no number as far as it does', () => {
    const side: Triple = [1, 18, 19];
    const [one, three, none]: Triple[] = [
      [1, 1, 1],
      [1, 3, 3],
      [0, 1, 1],
    ];
    const g = { input: side, output: side, kernel: three, stride: one, padding: none, dilation: one };
    expect(isDirect(g, 3, 7) && isDirectInput(g, 3, 7) && isDirectWeight(g, 3, 7)).toBe(true);
    const values = waves(2 * 3 * 18 * 19, 1, 5);
    values[19 * 18 - 1] = Number.NaN;
    values[19 * 18 * 2] = Number.POSITIVE_INFINITY;
    const run = (backend: ReferenceBackend): NDArray[] => {
      const x = backend.upload(values, [2, 3, 18, 19], 'float32');
      const grad = array(backend, [2, 7, 18, 19], 4);
      return [
        backend.convolve(x, array(backend, [7, 3, 3, 3], 2), null, g, 1),
        backend.convolveWeight(grad, x, g, 1),
        backend.convolveInput(x, array(backend, [3, 7, 3, 3], 2), g, 1),
      ];
    };
    compare(run, 1e-3, 'NaN and infinity');
  });

  it('equal it beyond one panel of columns and one block of channels', () => {
    for (const [channels, size] of [
      [70, 40],
      [20, 300],
      [3, 130],
    ]) {
      const g = geometry(2, 1);
      const input: Triple = [1, g.input[1], size];
      const span = g.dilation[2] * (g.kernel[2] - 1) + 1;
      const output: Triple = [1, g.output[1], Math.floor((size + 2 * g.padding[2] - span) / g.stride[2]) + 1];
      check({ ...g, input, output }, 2, [3, 1, channels, 3]);
    }
    const point: Triple = [1, 1, 1];
    const plane: Triple = [1, 12, 15];
    const none: Triple = [0, 0, 0];
    check(
      { input: plane, output: plane, kernel: point, stride: point, padding: none, dilation: point },
      2,
      [10, 2, 30, 20],
    );
  });
});

describe.each(benches)('convolutions in slices, $name build', (bench) => {
  it('give the same bits and write nothing outside', () => {
    for (let i = 0; i < 30; i++) {
      const g = geometry(2, 9);
      const [batch, groups, ins, outs, panel, block] = [
        1 + random(4),
        1 + random(2),
        1 + random(4),
        1 + random(4),
        16,
        2,
      ];
      const images = 2;
      const [inputs, outputs, taps] = [g.input, g.output, g.kernel].map(numElements);
      const words = [g.input, g.output, g.kernel, g.stride, g.padding, g.dilation].flat();
      words.push(ins, outs, groups, batch, Math.min(panel, outputs), Math.min(block, ins), images, 0);
      const geo = bench.put(Int32Array.from(words));
      const [nx, nw, ng] = [
        batch * groups * ins * inputs,
        groups * outs * ins * taps,
        batch * groups * outs * outputs,
      ];
      const [x, w, grad] = [bench.put(waves(nx)), bench.put(waves(nw, 1, 2)), bench.put(waves(ng, 1, 3))];
      const bias = bench.put(waves(groups * outs, 1, 4));
      const scratch = bench.alloc((ins * taps * 16 + outputs * taps + 64) * 4 + 400_000);
      const panels = Math.ceil(outputs / Math.min(panel, outputs));
      const blocks = Math.ceil(ins / Math.min(block, ins));
      const parts = Math.ceil(batch / images);
      bench.sliced('conv_f32', (out) => [x, w, bias, out, geo, scratch], batch * groups * panels, ng * 4);
      bench.sliced('conv_input_f32', (out) => [grad, w, out, geo, scratch], batch * groups * blocks, nx * 4);
      bench.sliced(
        'conv_weight_f32',
        (out) => [grad, x, out, geo, scratch],
        parts * groups * blocks,
        parts * nw * 4,
      );
      bench.sliced(
        'im2col_f32',
        (out) => [x, out, geo, scratch],
        batch * groups * ins,
        batch * groups * ins * taps * outputs * 4,
      );
      bench.reset();
    }
  });
});

describe.each(benches)('convolutions by bands in slices, $name build', (bench) => {
  it('give the same bits and write nothing outside', () => {
    for (let i = 0; i < 30; i++) {
      const [batch, groups, ins, outs, rows] = [
        1 + random(4),
        1 + random(2),
        1 + random(4),
        1 + random(13),
        1 + random(5),
      ];
      const output = [1 + random(9), 4 + random(20)];
      const taps = [1 + random(3), 1 + random(5)];
      const dilation = [1 + random(2), 1 + random(2)];
      const padding = [random(4) - 1, random(4) - 1];
      const input = output.map((n, d) => Math.max(1, n + (taps[d] - 1) * dilation[d] - 2 * padding[d]));
      const [images, block] = [2, 1 + random(ins)];
      const area = taps[0] * taps[1];
      const words = [input, padding, output, taps, dilation].flat();
      words.push(ins, outs, groups, rows, ins * area, area, random(2), images, batch, block);
      const geo = bench.put(Int32Array.from(words));
      const [nx, nw, ng] = [
        batch * groups * ins * input[0] * input[1],
        groups * outs * ins * area,
        batch * groups * outs * output[0] * output[1],
      ];
      const [x, w, grad] = [bench.put(waves(nx)), bench.put(waves(nw, 1, 2)), bench.put(waves(ng, 1, 3))];
      const bias = bench.put(waves(groups * outs, 1, 4));
      const scratch = bench.alloc(400_000);
      const units = batch * groups * Math.ceil(output[0] / rows);
      bench.sliced('conv_direct_f32', (out) => [x, w, bias, out, geo, scratch], units, ng * 4);
      const parts = Math.ceil(batch / images);
      const blocks = Math.ceil(ins / block);
      bench.sliced(
        'conv_direct_weight_f32',
        (out) => [grad, x, out, geo, scratch],
        parts * groups * blocks,
        parts * nw * 4,
      );
      bench.reset();
    }
  });
});

/** Windows of a kernel, or of any place and size. */
function windowsOf(ndim: number): Windows {
  const lists = [0, 1, 2].map((d): WindowList & { input: number } => {
    if (d < 3 - ndim) {
      return {
        start: Int32Array.of(0),
        end: Int32Array.of(1),
        step: 1,
        divisor: Float64Array.of(1),
        input: 1,
      };
    }
    const input = 1 + random(23);
    const kernel = 1 + random(Math.min(4, input));
    const step = random(3) === 0 ? 2 : 1;
    const stride = 1 + random(3);
    const padded = random(2) === 0;
    const first = padded ? -Math.floor(kernel / 2) : 0;
    const count = Math.floor((input - 2 * first - kernel) / stride) + 1;
    const start = Int32Array.from({ length: count }, (_, i) => Math.max(first + i * stride, 0));
    const end = start.map((at, i) => Math.max(Math.min(first + i * stride + kernel, input), at + 1));
    return { start, end, step, divisor: Float64Array.from(start, (at, i) => end[i] - at + 0.5), input };
  });
  const [a, b, c] = lists;
  return {
    input: [a.input, b.input, c.input],
    output: [a.start.length, b.start.length, c.start.length],
    lists: [a, b, c],
  };
}

describe('pooling', () => {
  it('equals the reference for any windows, with equal elements and NaN', () => {
    for (let i = 0; i < 150; i++) {
      const ndim = 1 + random(3);
      const windows = windowsOf(ndim);
      const shape = [1 + random(3), 1 + random(3), ...spatial(windows.input, ndim)];
      const ties = waves(numElements(shape), 2, i).map((x) =>
        i % 5 === 0 && x > 1.9 ? Number.NaN : Math.round(x),
      );
      const run = (backend: ReferenceBackend): NDArray[] => {
        const x = backend.upload(ties, shape, 'float32');
        const { values, indices } = backend.maxPool(x, windows);
        const grad = array(backend, values.shape, 3);
        const smooth = array(backend, shape, 5);
        return [
          values,
          indices,
          backend.maxPoolGrad(grad, indices, windows),
          backend.avgPool(smooth, windows),
          backend.avgPoolGrad(grad, windows),
        ];
      };
      compare(run, 1e-5, { i, windows });
    }
  });

  it('equals it on all threads', () => {
    const list = (count: number, stride: number): WindowList => {
      const start = Int32Array.from({ length: count }, (_, i) => i * stride);
      return { start, end: start.map((at) => at + 2), step: 1, divisor: new Float64Array(count).fill(2) };
    };
    const one: WindowList = {
      start: Int32Array.of(0),
      end: Int32Array.of(1),
      step: 1,
      divisor: Float64Array.of(1),
    };
    const windows: Windows = {
      input: [1, 60, 62],
      output: [1, 30, 31],
      lists: [one, list(30, 2), list(31, 2)],
    };
    const run = (backend: ReferenceBackend): NDArray[] => {
      const x = array(backend, [5, 20, 60, 62], 1);
      const { values, indices } = backend.maxPool(x, windows);
      const back = backend.maxPoolGrad(values, indices, windows);
      return [values, indices, back, backend.avgPool(x, windows), backend.avgPoolGrad(values, windows)];
    };
    compare(run, 1e-5, 'large');
  });
});

describe('rows', () => {
  it('are standardised as by the reference, with their gradient', () => {
    const shapes = [
      [1, 3, 1],
      [1, 1, 7],
      [1, 40, 16],
      [4, 3, 5],
      [6, 5, 1],
      [3, 2, 33],
      [1, 40, 1000],
      [64, 9, 50],
    ];
    for (const shape of shapes) {
      const run = (backend: ReferenceBackend): NDArray[] => {
        const x = array(backend, shape, 1);
        const { output, mean, variance, rstd } = backend.standardize(x, 1e-3);
        return [
          output,
          mean,
          variance,
          rstd,
          backend.standardizeGrad(array(backend, shape, 2), output, rstd),
        ];
      };
      compare(run, 3e-5, shape);
    }
  });

  it('far from zero keep their digits', () => {
    const values = waves(4000, 1).map((x) => Math.fround(10_000 + x));
    const [wanted, got] = [reference, alone].map((backend) =>
      backend.read(backend.standardize(backend.upload(values, [1, 4, 1000], 'float32'), 1e-5).output),
    );
    got.forEach((x, i) => {
      expect(Math.abs(Number(x) - Number(wanted[i]))).toBeLessThan(2e-3);
    });
  });
});
