/**
 * `npm run bench:pairs -- [--threads n,…] [--pairs n] [--ours epochs] [--theirs epochs]`: the tutorial's epoch with modules in
 * turns with PyTorch's, each pair of processes the one right after the other, and the ratios of all pairs. PYTHON names an
 * interpreter with torch.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { median } from '../suite/statistics.ts';
import { Peer, torchVersion } from './peer.ts';
import { STEPS, trainingFiles } from './trainingFiles.ts';
import { SIZES } from './works.ts';

const { values } = parseArgs({
  options: {
    threads: { type: 'string', default: [...new Set([1, os.availableParallelism()])].join(',') },
    pairs: { type: 'string', default: '6' },
    ours: { type: 'string', default: '15' },
    theirs: { type: 'string', default: '11' },
  },
});
const [pairs, ours, theirs] = [values.pairs, values.ours, values.theirs].map(Number);
const counts = values.threads.split(',').map(Number);
if (![pairs, ours - 1, theirs - 1, ...counts].every((count) => Number.isInteger(count) && count > 0)) {
  console.error('--threads, --pairs, --ours and --theirs must be whole numbers, epochs at least 2');
  process.exit(2);
}
if (!torchVersion()) {
  console.error('python3 has no torch (PYTHON names another interpreter)');
  process.exit(1);
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pairs-'));
const files = trainingFiles(folder, Math.max(ours, theirs));

/** Milliseconds of each epoch of a fresh process. */
async function epochsOf(name: string, adapter: string, threads: number, count: number): Promise<number[]> {
  const peer = new Peer({ name, adapter, threads });
  await peer.ask('train', { files, sizes: SIZES });
  const times: number[] = [];
  for (let epoch = 0; epoch < count; epoch++)
    times.push((await peer.ask<{ ms: number }>('epoch', { first: epoch * STEPS, steps: STEPS })).ms);
  await peer.end();
  return times;
}

const show = (ratios: readonly number[]) =>
  `${median(ratios).toFixed(3)} (${ratios.map((ratio) => ratio.toFixed(2)).join(', ')})`;
try {
  for (const threads of counts) {
    const [later, early]: number[][] = [[], []];
    for (let pair = 0; pair < pairs; pair++) {
      const mine = await epochsOf('wasmgrad', 'wasmgrad', threads, ours);
      const torchs = await epochsOf('PyTorch', 'pytorch', threads, theirs);
      later.push(median(mine.slice(1)) / median(torchs.slice(1)));
      early.push(median(mine.slice(1, 5)) / median(torchs.slice(1, 5)));
      const text = [mine, torchs].map((times) => times.map((ms) => ms.toFixed(0)).join(' ')).join(' | ');
      console.log(`${threads} thread(s), ms: ${text}`);
    }
    console.log(
      `${threads} thread(s), ratio of all epochs but the first: ${show(later)}; of epochs 2 to 5: ${show(early)}`,
    );
  }
} finally {
  fs.rmSync(folder, { recursive: true });
}
