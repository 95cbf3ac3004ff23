// The numbers that every library works on, the same in Node and in pages. serve.py has its twin.

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
