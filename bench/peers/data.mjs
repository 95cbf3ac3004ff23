// What every library works on: the same pictures, in the same order. serve.py has its twin.
import fs from 'node:fs';

export { uniform, weights } from './numbers.mjs';

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
