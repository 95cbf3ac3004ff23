/** What only one process does, or cannot do, must not let the other one wait. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import * as torch from 'wasmgrad';
import { nn } from 'wasmgrad';
import * as dist from 'wasmgrad/distributed';

dist.initProcessGroup({ backend: 'mpi', timeoutMs: 20_000 });
const rank = dist.getRank();

// Evaluation by the batch's own statistics, on one process.
const plain = new dist.SyncBatchNorm(2, { trackRunningStats: false }).eval();
if (rank === 0) plain.forward(torch.randn(4, 2));

// A part of the batch that is empty.
const norm = new dist.SyncBatchNorm(2);
const x =
  rank === 0
    ? torch.tensor(
        [
          [1, 2],
          [5, 6],
        ],
        { requiresGrad: true },
      )
    : torch.zeros([0, 2], { requiresGrad: true });
const y = norm.forward(x);
y.square().sum().backward();
const gradient = [x.grad, norm.weight?.grad].every((grad) => Number.isFinite(grad?.sum().item()));

// A backward pass that fails while averages are under way.
const model = new dist.DistributedDataParallel(new nn.Sequential(new nn.Linear(2, 2), new nn.Linear(2, 2)), {
  firstBucketMb: 1e-6,
  bucketCapMb: 1e-6,
});
const [first, second] = model.module;
const hidden = first.call(torch.ones(1, 2)) as torch.Tensor;
hidden.registerHook(() => {
  throw new Error('on purpose');
});
let hooks = false;
try {
  (second.call(hidden) as torch.Tensor).sum().backward();
} catch {
  hooks = true;
}
model.forward(torch.ones(1, 2)).sum().backward();

// A checkpoint that does not fit on one process.
const file = path.join(os.tmpdir(), `wasmgrad-corners-${process.ppid}.safetensors`);
await dist.saveCheckpoint(file, { model: new nn.Linear(2, 2) });
let loaded = '';
try {
  await dist.loadCheckpoint(file, { model: new nn.Linear(2, rank === 0 ? 2 : 3) });
} catch (error) {
  loaded = (error as Error).message;
}
dist.barrier();
if (rank === 0) fs.rmSync(file);
const report = { rank, mean: norm.running_mean?.toArray(), shape: y.shape, gradient, hooks, loaded };
fs.writeSync(1, `@${JSON.stringify(report)}\n`);
