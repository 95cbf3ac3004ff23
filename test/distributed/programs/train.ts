/**
 * A small training, by one process or by several. Arguments: --batch of each process, --model mlp | norm | mixed,
 * --epochs, --buckets MB, --chunk MB. Reports the losses of all steps, the mean over the processes, and a digest of the
 * parameters.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { parseArgs } from 'node:util';
import * as torch from 'wasmgrad';
import { data, nn, optim, type Tensor } from 'wasmgrad';
import * as dist from 'wasmgrad/distributed';

const { values } = parseArgs({
  options: {
    batch: { type: 'string', default: '64' },
    epochs: { type: 'string', default: '2' },
    model: { type: 'string', default: 'mlp' },
    buckets: { type: 'string', default: '25' },
    chunk: { type: 'string', default: '1' },
    parts: { type: 'string', default: '1' },
    unused: { type: 'boolean', default: false },
  },
});

dist.initProcessGroup({ timeoutMs: 120_000, chunkMb: Number(values.chunk) });
const rank = dist.getRank();

// Data: the same on every process. Parameters: different, until DistributedDataParallel makes them equal.
torch.manualSeed(1);
const samples = 1024;
const features = 20;
const x = torch.randn(samples, features);
const labels = x.matmul(torch.randn(features, 5)).argmax(1);
const dataset = new data.TensorDataset(x, labels);
torch.manualSeed(100 + rank);

class Mixed extends nn.Module {
  readonly first = new nn.Linear(features, 32);
  readonly second = new nn.Linear(32, 5);
  /** Used in every second step only. */
  readonly sometimes = new nn.Linear(5, 5);
  /** Never used. */
  readonly never = new nn.Linear(3, 3);
  step = 0;

  override forward(input: Tensor): Tensor {
    const y = this.second.forward(this.first.forward(input).tanh());
    return values.unused && (this.step++ + rank) % 2 === 1 ? this.sometimes.forward(y) : y;
  }
}

const F = nn.functional;
const inner: nn.Module & { forward(input: Tensor): Tensor } =
  values.model === 'mixed'
    ? new Mixed()
    : new nn.Sequential(
        new nn.Linear(features, 64),
        values.model === 'norm' ? new nn.BatchNorm1d(64) : new nn.Tanh(),
        new nn.ReLU(),
        new nn.Linear(64, 64),
        new nn.ReLU(),
        new nn.Linear(64, 5),
      );
const model = new dist.DistributedDataParallel(
  dist.SyncBatchNorm.convertSyncBatchnorm(inner) as typeof inner,
  {
    bucketCapMb: Number(values.buckets),
    firstBucketMb: Number(values.buckets),
    findUnusedParameters: values.unused,
  },
);
// As many optimisers as there are, one for each kind of state.
const optimizer = new optim.SGD(model.parameters(), { lr: 0.05, momentum: 0.9 });
const sampler = new dist.DistributedSampler(dataset);
const parts = Number(values.parts);
const loader = new data.DataLoader(dataset, { batchSize: Number(values.batch) / parts, sampler });

const losses: number[] = [];
for (let epoch = 0; epoch < Number(values.epochs); epoch++) {
  sampler.setEpoch(epoch);
  let part = 0;
  let loss = 0;
  for (const [images, targets] of loader) {
    const step = (): number => {
      const value = F.crossEntropy(model.forward(images), targets);
      value.div(parts).backward();
      return value.item() / parts;
    };
    part++;
    loss += part % parts === 0 ? step() : model.noSync(step);
    if (part % parts !== 0) continue;
    optimizer.step();
    optimizer.zeroGrad(epoch % 2 === 0);
    losses.push(dist.averageMetrics({ loss }).loss);
    loss = 0;
  }
}

const digest = createHash('sha256');
for (const [name, value] of Object.entries(model.stateDict())) digest.update(name).update(value.data);
const where = { rank, size: dist.getWorldSize(), onThisHost: dist.getLocalWorldSize() };
const report = { ...where, losses, digest: digest.digest('hex') };
fs.writeSync(1, `@${JSON.stringify({ ...report, names: Object.keys(model.stateDict()) })}\n`);
