/**
 * From a drawing to what the network was trained on. MNIST's pictures were made so: the digit is scaled into a square
 * of 20 × 20 pixels, keeping its proportions, and its centre of mass is put into the middle of 28 × 28
 * (LeCun, Cortes, Burges: The MNIST database of handwritten digits).
 */

const SIDE = 28;
const INNER = 20;

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** The smallest box around all ink; null for an empty drawing. */
export function inkBox(ink: Float32Array, width: number, height: number): Box | null {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (ink[y * width + x] < 0.05) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
  }
  return right < 0 ? null : { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/** The mean of the ink in a rectangle that may begin and end inside pixels. */
function area(
  ink: Float32Array,
  width: number,
  height: number,
  x0: number,
  y0: number,
  x1: number,
  y1: number,
): number {
  let sum = 0;
  for (let y = Math.max(0, Math.floor(y0)); y < Math.min(height, Math.ceil(y1)); y++) {
    const tall = Math.min(y + 1, y1) - Math.max(y, y0);
    for (let x = Math.max(0, Math.floor(x0)); x < Math.min(width, Math.ceil(x1)); x++) {
      const wide = Math.min(x + 1, x1) - Math.max(x, x0);
      sum += ink[y * width + x] * tall * wide;
    }
  }
  return sum / ((x1 - x0) * (y1 - y0));
}

/**
 * @param ink grey levels in [0, 1], row-major, white on black
 * @returns 28 × 28 grey levels; null for an empty drawing
 */
export function centred(ink: Float32Array, width: number, height: number): Float32Array | null {
  const box = inkBox(ink, width, height);
  if (box === null) return null;
  // Drawing pixels per pixel of the result.
  const scale = Math.max(box.width, box.height) / INNER;
  let [mass, atX, atY] = [0, 0, 0];
  for (let y = box.top; y < box.top + box.height; y++) {
    for (let x = box.left; x < box.left + box.width; x++) {
      const v = ink[y * width + x];
      mass += v;
      atX += v * (x + 0.5);
      atY += v * (y + 0.5);
    }
  }
  const originX = atX / mass - (SIDE / 2) * scale;
  const originY = atY / mass - (SIDE / 2) * scale;
  const out = new Float32Array(SIDE * SIDE);
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const [x0, y0] = [originX + x * scale, originY + y * scale];
      out[y * SIDE + x] = area(ink, width, height, x0, y0, x0 + scale, y0 + scale);
    }
  }
  return out;
}
