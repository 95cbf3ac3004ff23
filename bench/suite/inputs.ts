/** Seeded inputs, the same for every run, engine and number of threads. */

import type { Tensor } from 'wasmgrad';
import * as torch from 'wasmgrad';
import type { Setting } from './types.ts';

const SEED = 1;

/** Values that are drawn when they are first asked for, always from the same seed. */
export function lazy<T>(draw: () => T): () => T {
  let value: T | undefined;
  return () => {
    if (value === undefined) {
      torch.manualSeed(SEED);
      value = draw();
    }
    return value;
  };
}

/** Draws with the seed of the suite. */
export function seeded<T>(draw: () => T): T {
  torch.manualSeed(SEED);
  return draw();
}

export const on = (x: Tensor, { device }: Setting): Tensor => (device === 'cpu' ? x : x.to(device));

/** Part of MNIST's pixels that are not zero. */
export const MNIST_DENSITY = 0.19;
const SIDE = 28;

/**
 * Two idx files like MNIST's: blots of grey in the middle of a black square, 19 % of the pixels, and labels that
 * depend on where the blot is, so that a network can learn them.
 */
export function pictures(count: number): { images: Uint8Array; labels: Uint8Array } {
  const images = new Uint8Array(16 + count * SIDE * SIDE);
  const labels = new Uint8Array(8 + count);
  images.set([0, 0, 8, 3, ...bigEndian(count), ...bigEndian(SIDE), ...bigEndian(SIDE)]);
  labels.set([0, 0, 8, 1, ...bigEndian(count)]);
  const radius = Math.sqrt((MNIST_DENSITY * SIDE * SIDE) / Math.PI);
  let state = SEED;
  const next = () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
  for (let i = 0; i < count; i++) {
    const label = Math.floor(10 * next());
    const angle = (label * Math.PI) / 5;
    const [cx, cy] = [13.5 + 5 * Math.cos(angle), 13.5 + 5 * Math.sin(angle)];
    labels[8 + i] = label;
    const picture = images.subarray(16 + i * SIDE * SIDE, 16 + (i + 1) * SIDE * SIDE);
    for (let y = 0; y < SIDE; y++)
      for (let x = 0; x < SIDE; x++)
        if (Math.hypot(x - cx, y - cy) < radius) picture[SIDE * y + x] = 1 + Math.floor(255 * next());
  }
  return { images, labels };
}

const bigEndian = (n: number): number[] => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
