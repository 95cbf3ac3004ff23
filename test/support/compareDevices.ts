/** The same computation on webgpu and on the CPU, which is the oracle. */
import { expect } from 'vitest';
import type { Tensor } from '../../src/index.ts';

/** Largest difference relative to max(1, |expected|); NaN and infinities must agree. */
export function distance(got: ArrayLike<number | bigint>, expected: ArrayLike<number | bigint>): number {
  expect(got.length).toBe(expected.length);
  let worst = 0;
  for (let i = 0; i < got.length; i++) {
    const [a, b] = [Number(got[i]), Number(expected[i])];
    if (Object.is(a, b) || a === b) continue;
    if (!Number.isFinite(a) || !Number.isFinite(b)) return Infinity;
    worst = Math.max(worst, Math.abs(a - b) / Math.max(1, Math.abs(b)));
  }
  return worst;
}

export const there = (x: Tensor): Tensor => x.to('webgpu');

/** The same function of the same tensors on both devices. */
export async function compare(
  fn: (...x: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  tolerance = 0,
): Promise<void> {
  const expected = fn(...inputs);
  const got = fn(...inputs.map(there));
  expect([got.device, got.dtype, got.shape]).toEqual(['webgpu', expected.dtype, expected.shape]);
  expect(distance(await got.read(), expected.data)).toBeLessThanOrEqual(tolerance);
}
