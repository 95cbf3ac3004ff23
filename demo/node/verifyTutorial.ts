/**
 * `npm run verify:tutorial -- [--epochs N] [--device webgpu]`: trains both networks of the tutorial and compares every line with what
 * PyTorch printed (test/golden/tutorial.json). Ends with code 1 if one lies outside the band. Epochs whose losses must be equal
 * may have the digits of another build of PyTorch (test/golden/tutorial-builds.json).
 */
import fs from 'node:fs';
import { parseArgs } from 'node:util';
import * as torch from 'wasmgrad';
import { noCheckpoints } from './checkpoints.ts';
import { trainFromScratch } from './fromScratch.ts';
import { loadDatasets, makeLoaders } from './loadData.ts';
import { Progress } from './progress.ts';
import type { History } from './training.ts';
import { trainWithModules } from './withModules.ts';

type Row = readonly [trainingLoss: number, validationLoss: number, accuracy: number];

interface Golden {
  readonly from_scratch: readonly Row[];
  readonly modules: readonly Row[];
  readonly band: {
    readonly training_loss: number;
    readonly validation_loss: number;
    readonly accuracy: number;
    readonly exact_losses_epochs: number;
  };
}

const golden: Golden = JSON.parse(fs.readFileSync('test/golden/tutorial.json', 'utf8'));
/** What other builds of PyTorch give for the first epochs: see the file. */
const builds: { readonly modules: Readonly<Record<string, readonly Row[]>> } = JSON.parse(
  fs.readFileSync('test/golden/tutorial-builds.json', 'utf8'),
);
const { values } = parseArgs({
  options: {
    epochs: { type: 'string', default: '40' },
    threads: { type: 'string', default: 'auto' },
    device: { type: 'string', default: 'cpu' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log('npm run verify:tutorial -- [--epochs N] [--threads N] [--device webgpu]');
  process.exit(0);
}
const epochs = Number(values.epochs);
if (!Number.isInteger(epochs) || epochs < 1 || epochs > 40) {
  console.error(`--epochs must be a whole number from 1 to 40, but got '${values.epochs}'`);
  process.exit(2);
}

const four = (x: number): number => Number(x.toFixed(4));
const signed = (x: number): string => (x === 0 ? '   =   ' : `${x > 0 ? '+' : '-'}${Math.abs(x).toFixed(4)}`);

/** Prints a section's lines beside PyTorch's and counts those outside the band. `others`: by other builds of PyTorch. */
function compare(
  title: string,
  history: History,
  expected: readonly Row[],
  others: readonly (readonly Row[])[],
): number {
  const { band } = golden;
  let outside = 0;
  let equal = 0;
  console.log(`\n${title}\nepoch   training loss      validation loss    accuracy`);
  for (let i = 0; i < epochs; i++) {
    const got: Row = [
      four(history.trainingLoss[i]),
      four(history.validationLoss[i]),
      four(history.accuracy[i]),
    ];
    const off = got.map((x, c) => Number((x - expected[i][c]).toFixed(4)));
    const exact = i < band.exact_losses_epochs;
    const limits = [exact ? 0 : band.training_loss, exact ? 0 : band.validation_loss, band.accuracy];
    const beyond = off.map((d, c) => Math.abs(d) > limits[c] + 1e-9);
    // A digit on which builds of PyTorch disagree may be that of any of them.
    const disputed = beyond.map((is, c) => is && exact && others.some((rows) => four(rows[i][c]) === got[c]));
    const bad = beyond.some((is, c) => is && !disputed[c]);
    if (bad) outside++;
    if (off.every((d) => d === 0)) equal++;
    const cells = got.map((x, c) => `${x.toFixed(4)} ${signed(off[c])}`).join('    ');
    console.log(
      `${String(i + 1).padStart(5)}   ${cells}${bad ? '   OUTSIDE' : ''}${disputed.includes(true) ? '   as other builds of PyTorch print it' : ''}`,
    );
  }
  console.log(`${equal} of ${epochs} lines are PyTorch's to the last digit, ${outside} outside the band`);
  return outside;
}

const datasets = await loadDatasets({ dataset: 'mnist', data: undefined, download: false, batchSize: 128 });
await torch.init({ threads: values.threads === 'auto' ? 'auto' : Number(values.threads) });
if (values.device === 'webgpu') await torch.webgpu();
torch.manualSeed(7);
const loaders = makeLoaders(datasets, 128);
const settings = () => ({
  loaders,
  epochs,
  learningRate: 0.1,
  inputSize: 784,
  hiddenSize: 500,
  classes: 10,
  device: values.device,
  progress: new Progress(epochs, loaders.train.length),
  journal: noCheckpoints,
});
const scratch = (await trainFromScratch(settings())).history;
// The published run trained 40 epochs before the second section drew its weights: the streams must be where they were.
for (let epoch = epochs; epoch < 40; epoch++) {
  for (const pass of [loaders.train, loaders.validation]) pass[Symbol.iterator]().next();
}
const modules = (await trainWithModules(settings())).history;
const outside =
  compare('2 From scratch', scratch, golden.from_scratch, []) +
  compare('3 Modules', modules, golden.modules, Object.values(builds.modules));
if (outside > 0) process.exitCode = 1;
