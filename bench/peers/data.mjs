// What every library works on: the same numbers, the same pictures, in the same order. serve.py has its twin.
import fs from 'node:fs';

/** A hash of the index, so that any language draws the same numbers without a loop (C. Wellons' lowbias32, 2018). */
function hash(/** @type {number} */ x) {
  x ^= x >>> 16;
  x = Math.imul(x, 0x7feb352d);
  x ^= x >>> 15;
  x = Math.imul(x, 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

/** Numbers from low to high, with 24 random bits each. */
export function uniform(/** @type {number} */ seed, /** @type {number} */ count, low = -1, high = 1) {
  const out = new Float32Array(count);
  const start = Math.imul(seed, 0x9e3779b1);
  for (let i = 0; i < count; i++) out[i] = low + (high - low) * ((hash((start + i) | 0) >>> 8) / 2 ** 24);
  return out;
}

/**
 * The first weights of the tutorial's network, [inputs, outputs].
 * @param {{ inputs: number, hidden: number, outputs: number }} sizes
 */
export const weights = ({ inputs, hidden, outputs }) => ({
  w1: uniform(11, inputs * hidden, -1 / 28, 1 / 28),
  b1: new Float32Array(hidden),
  w2: uniform(12, hidden * outputs, -1 / Math.sqrt(hidden), 1 / Math.sqrt(hidden)),
});

const IDX_IMAGES = 16;
const IDX_LABELS = 8;
const PIXELS = 784;
const GREY = Float32Array.from({ length: 256 }, (_, i) => i / 255);

/**
 * Batches of MNIST in the order of a file of int32 positions, as floats and labels. The arrays are used again.
 * @param {{ images: string, labels: string, order: string, batch: number }} files
 */
export function mnist({ images, labels, order, batch }) {
  const pixels = fs.readFileSync(images).subarray(IDX_IMAGES);
  const targets = fs.readFileSync(labels).subarray(IDX_LABELS);
  const file = fs.readFileSync(order);
  const positions = new Int32Array(file.buffer, file.byteOffset, file.length / 4);
  const x = new Float32Array(batch * PIXELS);
  const y = new Int32Array(batch);
  return {
    positions,
    /** Batch `i` of `steps` per epoch; the last one may be shorter. */
    at(/** @type {number} */ i) {
      const rows = positions.subarray(i * batch, (i + 1) * batch);
      for (let r = 0; r < rows.length; r++) {
        const from = rows[r] * PIXELS;
        for (let j = 0; j < PIXELS; j++) x[r * PIXELS + j] = GREY[pixels[from + j]];
        y[r] = targets[rows[r]];
      }
      const count = rows.length;
      return { count, x: x.subarray(0, count * PIXELS), y: y.subarray(0, count) };
    },
  };
}
