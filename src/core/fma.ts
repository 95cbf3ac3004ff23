/**
 * Fused multiply-add in plain JavaScript: `a * b + c` with one rounding instead of two. The reference's random
 * kernels are compiled with contraction, so its streams can only be matched bit for bit with these.
 */

const SPLIT = 2 ** 27 + 1;
/** Operands beyond this size would overflow in the splitting below. */
const SPLIT_LIMIT = 2 ** 970;

const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);

/**
 * Single precision; the operands must be float32 values already. Their product is exact in float64, so the only
 * flaw is a double rounding (about 1 in 2^29 operations, none over the whole input range of the normal sampler).
 */
export function fma32(a: number, b: number, c: number): number {
  return Math.fround(a * b + c);
}

/**
 * Double precision, after Boldo and Melquiond, "Emulation of FMA and correctly rounded sums" (2008): the error terms
 * are added with rounding to odd, so that the last addition rounds the exact sum. Operands beyond 2^970 and results
 * that are not finite get the two-rounding value.
 */
export function fma64(a: number, b: number, c: number): number {
  const plain = a * b + c;
  if (!Number.isFinite(plain) || Math.abs(a) > SPLIT_LIMIT || Math.abs(b) > SPLIT_LIMIT) return plain;
  const uh = a * b;
  const ul = productError(a, b, uh);
  const th = c + ul;
  const tl = sumError(c, ul, th);
  const vh = uh + th;
  const vl = sumError(uh, th, vh);
  return vh + addToOdd(tl, vl);
}

/** a * b - fl(a * b), exactly (Dekker's product with Veltkamp's splitting). */
function productError(a: number, b: number, product: number): number {
  const ca = SPLIT * a;
  const ah = ca - (ca - a);
  const al = a - ah;
  const cb = SPLIT * b;
  const bh = cb - (cb - b);
  const bl = b - bh;
  return al * bl - (product - ah * bh - al * bh - ah * bl);
}

/** a + b - fl(a + b), exactly (Knuth's two-sum). */
function sumError(a: number, b: number, sum: number): number {
  const back = sum - a;
  return a - (sum - back) + (b - back);
}

/** a + b rounded to odd: an inexact sum with an even last bit moves one step towards the exact value. */
function addToOdd(a: number, b: number): number {
  const sum = a + b;
  const error = sumError(a, b, sum);
  if (error === 0) return sum;
  float[0] = sum;
  if ((words[0] & 1) !== 0) return sum;
  if (error > 0 === sum > 0) {
    words[0] |= 1;
  } else {
    if (words[0] === 0) words[1] -= 1;
    words[0] -= 1;
  }
  return float[0];
}
