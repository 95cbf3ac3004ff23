/**
 * The PyTorch tutorial "Neural networks with PyTorch", in TypeScript: basics.ts, fromScratch.ts and withModules.ts are
 * its three sections. `npm start -- --help` tells the options.
 */
import fs from 'node:fs';
import path from 'node:path';
import * as torch from 'wasmgrad';
import { type Tensor, WasmgradError } from 'wasmgrad';
import { save } from 'wasmgrad/io';
import { plot } from 'wasmgrad/plot';
import { basics } from './basics.ts';
import { Checkpoints, latestRun, savedOptions } from './checkpoints.ts';
import { trainDistributed } from './distributed.ts';
import { trainFromScratch } from './fromScratch.ts';
import { loadDatasets, makeLoaders } from './loadData.ts';
import { type Command, type Options, readOptions } from './options.ts';
import { Progress } from './progress.ts';
import { accuracy, type History, type Loaders, type Trained } from './training.ts';
import { trainWithModules } from './withModules.ts';

const heading = (text: string): void => console.log(`\n${text}\n${'─'.repeat(text.length)}`);

/** Loss curves of one training. */
function lossCurves(title: string, history: History): string {
  const epochs = history.trainingLoss.map((_, i) => i + 1);
  return plot.line({
    title,
    xLabel: 'Training epoch',
    yLabel: 'Cross-entropy loss',
    series: [
      { name: 'Training loss', x: epochs, y: history.trainingLoss },
      { name: 'Validation loss', x: epochs, y: history.validationLoss },
    ],
  });
}

function testAccuracy(trained: Trained, loaders: Loaders): Promise<number> {
  const predictions: Tensor[] = [];
  const targets: Tensor[] = [];
  for (const [images, labels] of loaders.test) {
    const batch = trained.predict(images);
    predictions.push(batch);
    targets.push(labels.to(batch.device));
  }
  return accuracy(torch.cat(predictions), torch.cat(targets)).itemAsync();
}

/** The first test images with what the network takes them for. */
async function predictionsPicture(trained: Trained, loaders: Loaders): Promise<string> {
  const count = 10;
  for (const [images, labels] of loaders.test) {
    const shown = Math.min(count, images.shape[0]);
    const best = trained.predict(images).max(1);
    const digits = Array.from(await best.indices.read(), Number);
    const sure = Array.from(await best.values.read(), Number);
    const right = Array.from(labels.data, Number);
    const list = [...new Array(shown).keys()];
    return plot.imageGrid(
      list.map((i) => images.select(0, i).squeeze()),
      {
        columns: 5,
        title: 'Predictions',
        labels: list.map((i) => `${digits[i]} (${(100 * sure[i]).toFixed(1)} %)`),
        marks: list.map((i) => digits[i] === right[i]),
      },
    );
  }
  throw new Error('the test set is empty');
}

class Run {
  readonly #options: Options;
  readonly #checkpoints: Checkpoints;
  readonly #metrics: Record<string, unknown>;

  constructor(options: Options, checkpoints: Checkpoints) {
    this.#options = options;
    this.#checkpoints = checkpoints;
    this.#metrics = checkpoints.finished();
  }

  write(name: string, text: string): void {
    fs.writeFileSync(path.join(this.#options.out, name), text);
  }

  /** Trains a section, or goes on with it. Null if it was finished before the run was stopped. */
  async train(
    section: number,
    name: string,
    title: string,
    loaders: Loaders,
    body: typeof trainFromScratch,
  ): Promise<Trained | null> {
    if (this.#checkpoints.isPast(section)) return null;
    const { epochs, lr, hidden, device, out } = this.#options;
    const progress = new Progress(epochs, loaders.train.length);
    const trained = await body({
      loaders,
      epochs,
      learningRate: lr,
      inputSize: 28 * 28,
      hiddenSize: hidden,
      classes: 10,
      device,
      progress,
      journal: {
        restore: (parts) => this.#checkpoints.restore(section, parts),
        between: (parts, place) => this.#checkpoints.between(section, parts, place, this.#metrics),
      },
    });
    const { seconds } = progress;
    const test = await testAccuracy(trained, loaders);
    console.log(
      `Test accuracy: ${test.toFixed(4)}, ${seconds.toFixed(1)} s, ${(seconds / epochs).toFixed(2)} s per epoch`,
    );
    this.write(`loss-${name}.svg`, lossCurves(title, trained.history));
    await save(trained.state, path.join(out, `${name}.safetensors`));
    this.#metrics[name] = { ...trained.history, testAccuracy: test, seconds };
    return trained;
  }

  finish(): void {
    const { out, ...options } = this.#options;
    const engine = torch.backendInfo();
    this.write(
      'metrics.json',
      `${JSON.stringify({ options, engine, memory: torch.memoryStats(), ...this.#metrics }, null, 2)}\n`,
    );
    this.#checkpoints.close();
    console.log(`\nPictures, figures and the trained weights are in ${out}`);
  }
}

/** The options of the run that is continued; what only says where and how often things are done may differ. */
async function resumed({ options, resume }: Command): Promise<Options> {
  if (resume === null) return options;
  const out = resume === '' ? latestRun() : resume;
  const saved = await savedOptions(out);
  const { threads, checkpointEvery } = options;
  return { ...saved, threads, checkpointEvery, data: options.data ?? saved.data, out };
}

async function main(command: Command): Promise<void> {
  const options = await resumed(command);
  const { section } = options;
  const wants = (n: number) => section === 0 || section === n;
  const engine = await torch.init({ threads: options.threads });
  console.log(
    `wasmgrad on ${engine.threads} thread${engine.threads > 1 ? 's' : ''}, relaxed SIMD ${engine.relaxedSimd ? 'on' : 'off'}`,
  );
  if (options.device === 'webgpu') console.log(`and on the GPU: ${(await torch.webgpu()).adapter}`);
  if (wants(1) && command.resume === null) {
    heading('1 Basics');
    basics();
  }
  if (section === 1) return;

  const datasets = await loadDatasets(options);
  fs.mkdirSync(options.out, { recursive: true });
  const checkpoints = await Checkpoints.open(options, command.resume !== null);
  const run = new Run(options, checkpoints);
  heading('2 A fully connected network from scratch');
  console.log(`${datasets.train}\n${datasets.test}`);
  const [image, label] = datasets.train.get(0);
  console.log(`image.shape [${image.shape.join(', ')}], label ${label}\n`);
  const examples = [0, 1, 2, 3, 4].map((i) => datasets.train.get(i));
  run.write(
    'examples.svg',
    plot.imageGrid(
      examples.map(([x]) => x.squeeze()),
      { columns: 5, labels: examples.map(([, y]) => y) },
    ),
  );

  torch.manualSeed(options.seed);
  const loaders = makeLoaders(datasets, options.batchSize);
  let trained: Trained | null = null;
  if (wants(2))
    trained = await run.train(2, 'from-scratch', 'Network from scratch', loaders, trainFromScratch);
  if (wants(3)) {
    heading('3 Deep learning à la torch');
    trained = await run.train(3, 'modules', 'Network with modules', loaders, trainWithModules);
  }
  if (trained) run.write('predictions.svg', await predictionsPicture(trained, loaders));
  run.finish();
}

try {
  const args = process.argv.slice(2);
  if (args[0] === '--distributed') await trainDistributed(args.slice(1));
  else await main(readOptions(args));
} catch (error) {
  const expected =
    error instanceof WasmgradError || (error instanceof Error && error.message.startsWith('--'));
  console.error(expected ? error.message : error);
  process.exitCode = expected ? 2 : 1;
}
