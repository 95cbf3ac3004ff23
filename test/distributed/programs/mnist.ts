/**
 * The tutorial's network on MNIST, by one process or by several. Arguments: --batch of each process, --parts in which it
 * comes, --dtype, --lr, --momentum, --steps (0: an epoch), --activation relu or tanh, and --nudge: some weights begin one unit in the last place
 * off. Reports the mean losses of all steps and a digest of the parameters.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { parseArgs } from 'node:util';
import * as torch from 'wasmgrad';
import { data, nn, optim, type Tensor } from 'wasmgrad';
import * as dist from 'wasmgrad/distributed';
import { loadDatasets } from '../../../demo/node/loadData.ts';

const { values } = parseArgs({
  options: {
    batch: { type: 'string', default: '128' },
    parts: { type: 'string', default: '1' },
    dtype: { type: 'string', default: 'float32' },
    lr: { type: 'string', default: '0.1' },
    momentum: { type: 'string', default: '0' },
    steps: { type: 'string', default: '0' },
    activation: { type: 'string', default: 'relu' },
    nudge: { type: 'boolean', default: false },
  },
});
const dtype = values.dtype === 'float64' ? 'float64' : 'float32';

dist.initProcessGroup({ timeoutMs: 60_000 });
const rank = dist.getRank();
await torch.init({ threads: 1 });
torch.manualSeed(7);
const inner = new nn.Sequential(
  new nn.Flatten(),
  new nn.Linear(784, 500),
  values.activation === 'relu' ? new nn.ReLU() : new nn.Tanh(),
  new nn.Linear(500, 10),
);
inner.to(dtype);
if (values.nudge)
  torch.noGrad(() => {
    const [first] = inner.parameters();
    first.mul_(1 + (dtype === 'float64' ? 2 ** -52 : 2 ** -23));
  });
torch.manualSeed(100 + rank);
const model = new dist.DistributedDataParallel(inner);
const optimizer = new optim.SGD(model.parameters(), {
  lr: Number(values.lr),
  momentum: Number(values.momentum),
});
const { train } = await loadDatasets({ dataset: 'mnist', data: undefined, download: false, batchSize: 128 });
const sampler = new dist.DistributedSampler(train);
const loader = new data.DataLoader(train, { batchSize: Number(values.batch), sampler });
const parts = Number(values.parts);
const steps = Number(values.steps) || loader.length;

const losses: number[] = [];
for (const [images, labels] of loader) {
  const x = images.to(dtype);
  const size = labels.shape[0];
  const share = Math.ceil(size / parts);
  let total = 0;
  const part = (from: number): void => {
    const n = Math.min(share, size - from);
    const loss: Tensor = nn.functional.crossEntropy(
      model.forward(x.narrow(0, from, n)),
      labels.narrow(0, from, n),
    );
    loss.mul(n / size).backward();
    total += loss.item() * (n / size);
  };
  for (let from = 0; from < size; from += share) {
    if (from + share < size) model.noSync(() => part(from));
    else part(from);
  }
  optimizer.step();
  optimizer.zeroGrad();
  losses.push(dist.averageMetrics({ loss: total }).loss);
  if (losses.length === steps) break;
}
const digest = createHash('sha256');
for (const value of Object.values(model.stateDict())) digest.update(value.data);
const digests = dist.allGatherObject(digest.digest('hex'));
if (rank === 0) fs.writeSync(1, `@${JSON.stringify({ rank, losses, digests })}\n`);
