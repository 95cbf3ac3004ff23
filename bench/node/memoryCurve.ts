/**
 * Memory of a long training, as a curve: `node scripts/run.mjs bench/node/memoryCurve.ts [epochs] [threads] [section]`.
 *
 * The tutorial's loop without ever returning to the event loop: batches, steps, a validation that keeps its tensors and
 * concatenates them. Prints the resident set and linear memory after chosen epochs; both should stay where the first left
 * them.
 */
import * as torch from 'wasmgrad';
import { data, nn, type Tensor } from 'wasmgrad';
import { MNIST, transforms } from 'wasmgrad/vision';
import { fromScratch, SEED, withModules } from '../suite/tutorial.ts';
import { nodeHost } from './host.ts';
import { allowRelaxedSimd } from './relaxedSimd.ts';

const SHOWN = [1, 2, 5, 10, 20, 50, 100, 150, 200];
const MB = 1e6;

allowRelaxedSimd();
const [, , epochs = '200', threads = '1', section = 'modules'] = process.argv;
await torch.init({ threads: Number(threads) });
// The files themselves are let go of.
const dataset = await MNIST({ ...(await nodeHost().mnist!()), transform: transforms.toTensor() });
torch.manualSeed(SEED);
const [training, validation] = data.randomSplit(dataset, [55_000, 5_000]);
const batches = new data.DataLoader(training, { batchSize: 128, shuffle: true });
const validationBatches = new data.DataLoader(validation, { batchSize: 128 });
const probe = new nn.Linear(784, 10);
const step = section === 'modules' ? withModules() : fromScratch();

const cells = (list: readonly unknown[]): string => list.map((cell) => String(cell).padStart(10)).join('');
console.log(cells(['epoch', 'RSS MB', 'linear MB', 'in use MB', 'moved MB', 's', 'loss']));
for (let epoch = 1; epoch <= Number(epochs); epoch++) {
  const start = performance.now();
  let sum = 0;
  for (const [images, labels] of batches) sum += step(images, labels).item();
  const predictions: Tensor[] = [];
  const targets: Tensor[] = [];
  torch.noGrad(() => {
    for (const [images, labels] of validationBatches) {
      predictions.push(probe.forward(images.reshape(-1, 784)));
      targets.push(labels);
    }
    torch.cat(predictions).argmax(1).eq(torch.cat(targets)).float().mean().item();
  });
  const seconds = (performance.now() - start) / 1000;
  if (!SHOWN.includes(epoch)) continue;
  const { heapBytes, bytesInUse, evictedBytes } = torch.memoryStats();
  const sizes = [process.memoryUsage().rss, heapBytes, bytesInUse, evictedBytes];
  const loss = (sum / batches.length).toFixed(4);
  console.log(cells([epoch, ...sizes.map((bytes) => (bytes / MB).toFixed(1)), seconds.toFixed(2), loss]));
}
console.log(`peak RSS ${((process.resourceUsage().maxRSS * 1024) / MB).toFixed(1)} MB`);
