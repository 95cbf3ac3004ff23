import fs from 'node:fs';
import path from 'node:path';
import { mnistFolder } from '../node/host.ts';
import type { MnistFiles } from './measurePeers.ts';

/** Pictures of the tutorial's training set. */
export const SAMPLES = 55_000;
const BATCH = 128;
/** In an epoch. */
export const STEPS = Math.ceil(SAMPLES / BATCH);

/** The order of the samples, drawn anew for each epoch, as a file. */
export function trainingFiles(folder: string, epochs: number): MnistFiles {
  const perEpoch = STEPS * BATCH;
  const order = new Int32Array(epochs * perEpoch);
  let state = 7;
  const below = (n: number) => {
    state = (state * 48271) % 2147483647;
    return state % n;
  };
  for (let e = 0; e < epochs; e++) {
    const part = order.subarray(e * perEpoch, (e + 1) * perEpoch);
    for (let i = 0; i < SAMPLES; i++) part[i] = i;
    for (let i = SAMPLES - 1; i > 0; i--) {
      const j = below(i + 1);
      [part[i], part[j]] = [part[j], part[i]];
    }
    // Whole batches, so that an epoch is a whole number of steps in one list.
    for (let i = SAMPLES; i < perEpoch; i++) part[i] = part[i - SAMPLES];
  }
  const file = path.join(folder, 'order.bin');
  fs.writeFileSync(file, order);
  const mnist = mnistFolder();
  return {
    images: path.join(mnist, 'train-images-idx3-ubyte'),
    labels: path.join(mnist, 'train-labels-idx1-ubyte'),
    order: file,
    batch: BATCH,
  };
}
