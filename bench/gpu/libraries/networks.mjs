// @ts-nocheck: plain JavaScript beside the adapters.
/** Weights and data of the networks that all libraries train, as arrays with their shapes. */
import { uniform } from '../../peers/numbers.mjs';

const made = (seed, shape, bound) => {
  const size = shape.reduce((a, b) => a * b, 1);
  return { shape, values: uniform(seed, size, -bound, bound) };
};

export function cnnNumbers({ batch, side, channels: [c1, c2] }) {
  const left = Math.floor((side - 2 - 3) / 2) + 1;
  const flat = c2 * left * left;
  return {
    flat,
    x: { shape: [batch, 1, side, side], values: uniform(5, batch * side * side, 0, 1) },
    targets: Int32Array.from({ length: batch }, (_, i) => i % 10),
    weights: [
      made(1, [c1, 1, 3, 3], 1 / 3),
      made(2, [c2, c1, 3, 3], 1 / Math.sqrt(9 * c1)),
      made(3, [flat, 10], 1 / Math.sqrt(flat)),
    ],
  };
}

export function transformerNumbers({ batch, length, width, inner }) {
  const bound = 1 / Math.sqrt(width);
  return {
    x: made(5, [batch, length, width], 1),
    direction: made(6, [batch, length, width], 1),
    weights: [
      ...[1, 2, 3, 4].map((seed) => made(seed, [width, width], bound)),
      made(7, [width, inner], bound),
      made(8, [inner, width], 1 / Math.sqrt(inner)),
    ],
  };
}
