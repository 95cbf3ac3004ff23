/**
 * The tutorial's own code on the device webgpu, step by step beside the CPU: both networks, two epochs, fewer images and
 * neurons than `npm start -- --device webgpu` takes.
 */

import { describe, expect, it } from 'vitest';
import * as torch from 'wasmgrad';
import { data } from 'wasmgrad';
import { noCheckpoints } from '../../demo/node/checkpoints.ts';
import { trainFromScratch } from '../../demo/node/fromScratch.ts';
import { loadDatasets, makeLoaders } from '../../demo/node/loadData.ts';
import { Progress } from '../../demo/node/progress.ts';
import type { History, Settings, Trained } from '../../demo/node/training.ts';
import { trainWithModules } from '../../demo/node/withModules.ts';
import { webgpuMissing } from '../support/webgpu.ts';

const missing = await webgpuMissing();

const EPOCHS = 2;
const IMAGES = 768;
const BATCH = 64;
/** Of the tutorial's table: losses of epochs that need not be equal, and accuracies, may differ by this. */
const BAND = 1e-4;

interface Run {
  readonly losses: number[];
  readonly history: History;
}

/** Hears of every step, and prints nothing. */
class Silent extends Progress {
  readonly losses: number[] = [];
  override begin(): void {}
  override step(_step: number, _samples: number, loss: number): void {
    this.losses.push(loss);
  }
  override epoch(): void {}
}

async function run(train: (settings: Settings) => Promise<Trained>, device: string): Promise<Run> {
  const sets = await loadDatasets({ dataset: 'mnist', data: undefined, download: false, batchSize: BATCH });
  const few = {
    train: new data.Subset(
      sets.train,
      Array.from({ length: IMAGES }, (_, i) => i),
    ),
    test: sets.test,
  } as unknown as Awaited<ReturnType<typeof loadDatasets>>;
  torch.manualSeed(7);
  const loaders = makeLoaders(few, BATCH);
  const progress = new Silent(EPOCHS, loaders.train.length);
  const { history } = await train({
    loaders,
    epochs: EPOCHS,
    learningRate: 0.1,
    inputSize: 784,
    hiddenSize: 48,
    classes: 10,
    device,
    progress,
    journal: noCheckpoints,
  });
  return { losses: progress.losses, history };
}

describe.skipIf(missing !== null)(missing ?? 'the tutorial on webgpu', () => {
  for (const [name, train] of Object.entries({
    'from scratch': trainFromScratch,
    'with modules': trainWithModules,
  })) {
    it(`takes the CPU’s steps ${name}, and prints its table`, async () => {
      await torch.webgpu();
      const before = torch.backendInfo().fallbacks;
      const got = await run(train, 'webgpu');
      expect(torch.backendInfo().fallbacks).toBe(before);
      const expected = await run(train, 'cpu');
      expect(got.losses.length).toBe(EPOCHS * Math.ceil((IMAGES * 11) / 12 / BATCH));
      for (const [step, loss] of got.losses.entries())
        expect([step, Math.abs(loss - expected.losses[step]) < 2e-5]).toEqual([step, true]);
      for (const column of ['trainingLoss', 'validationLoss', 'accuracy'] as const)
        for (let epoch = 0; epoch < EPOCHS; epoch++)
          expect(Math.abs(got.history[column][epoch] - expected.history[column][epoch])).toBeLessThan(BAND);
    });
  }
});
