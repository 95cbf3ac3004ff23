/** Trains, and lets rank 1 fail in the way that the first argument says, at the fourth step. */
import fs from 'node:fs';
import * as torch from 'wasmgrad';
import { nn, optim } from 'wasmgrad';
import * as dist from 'wasmgrad/distributed';

const [how, timeoutMs = '20000'] = process.argv.slice(2);
dist.initProcessGroup({ backend: 'mpi', timeoutMs: Number(timeoutMs), debug: how === 'differ' });
const rank = dist.getRank();
const width = how === 'models' && rank === 1 ? 9 : 8;
const model = new dist.DistributedDataParallel(
  new nn.Sequential(new nn.Linear(4, width), new nn.Linear(width, 1)),
);
const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });

function fail(): void {
  if (how === 'throw') throw new Error('broken on purpose');
  if (how === 'reject') void Promise.reject(new Error('rejected on purpose'));
  if (how === 'exit0') process.exit(0);
  if (how === 'exitCode') process.exitCode = 3;
  if (how === 'differ') dist.broadcast(torch.zeros(7), 0);
  if (how === 'kill') process.kill(process.pid, 'SIGKILL');
  if (how === 'hang') for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
}

for (let step = 0; step < 200; step++) {
  if (step === 3 && rank === 1) {
    fail();
    if (how === 'exitCode') break;
  }
  if (step === 3 && how === 'destroyed') break;
  const loss = model.forward(torch.randn(16, 4)).square().mean();
  loss.backward();
  optimizer.step();
  optimizer.zeroGrad();
  await new Promise((resolve) => setTimeout(resolve, 2));
}
if (how === 'destroyed') {
  dist.destroyProcessGroup();
  fs.writeSync(1, `@${JSON.stringify({ rank })}\n`);
  process.exit(0);
}
if (!process.exitCode) fs.writeSync(1, `@${JSON.stringify({ rank, finished: true })}\n`);
