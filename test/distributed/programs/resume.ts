/**
 * Trains with a checkpoint every five steps, and resumes from it. Arguments: the file, and the step at which rank 1 is
 * killed (0: never).
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import * as torch from 'wasmgrad';
import { nn, optim } from 'wasmgrad';
import * as dist from 'wasmgrad/distributed';

const [file, killAt = '0', pause = '0'] = process.argv.slice(2);
dist.initProcessGroup({ timeoutMs: 120_000 });
const rank = dist.getRank();
torch.manualSeed(10 + rank);
const model = new dist.DistributedDataParallel(
  new nn.Sequential(new nn.Linear(6, 16), new nn.BatchNorm1d(16), new nn.Dropout(0.2), new nn.Linear(16, 3)),
);
const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 });
let step = 0;
if (dist.allGatherObject(fs.existsSync(file))[0])
  ({ step } = await dist.loadCheckpoint<{ step: number }>(file, { model, optimizer }));
const first = step;
for (; step < 40; step++) {
  if (step % 5 === 0 && step > first) await dist.saveCheckpoint(file, { model, optimizer, step });
  if (killAt !== '0' && step === Number(killAt) && rank === 1) process.kill(process.pid, 'SIGKILL');
  const x = torch.randn(32, 6); // Each process has a random stream of its own.
  nn.functional.crossEntropy(model.forward(x), x.narrow(1, 0, 3).argmax(1)).backward();
  optimizer.step();
  optimizer.zeroGrad();
  if (rank === 0 && pause !== '0') fs.writeSync(1, `step ${step}\n`);
  if (pause !== '0') await new Promise((resolve) => setTimeout(resolve, Number(pause)));
}
const digest = createHash('sha256');
for (const [name, x] of Object.entries(model.stateDict())) {
  // Running statistics are each process's own until the next step makes them process 0's.
  if (!name.includes('running')) digest.update(name).update(x.data);
}
fs.writeSync(1, `@${JSON.stringify({ rank, first, digest: digest.digest('hex') })}\n`);
