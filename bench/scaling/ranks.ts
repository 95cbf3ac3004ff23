/** What each process does, under a launcher. Rank 0 prints the result as JSON. */
import fs from 'node:fs';
import * as torch from 'wasmgrad';
import { data, nn, optim, type Tensor } from 'wasmgrad';
import * as dist from 'wasmgrad/distributed';
import { loadDatasets } from '../../demo/node/loadData.ts';
import { median } from '../suite/statistics.ts';

/** A size in bytes and how often it is measured. */
export type Job = readonly [bytes: number, times: number];

/** Milliseconds of a step of one model on a slow link. */
export interface Overlap {
  /** Without communication. */
  readonly compute: number;
  /** The communication by itself. */
  readonly communication: number;
  /** With DistributedDataParallel. */
  readonly together: number;
}
export const BATCH = 128;

/** The tutorial's. */
const network = () =>
  new nn.Sequential(new nn.Flatten(), new nn.Linear(784, 500), new nn.ReLU(), new nn.Linear(500, 10));

/** The median of each size in microseconds. */
function measureAllReduce(jobs: readonly Job[]): number[] {
  const size = dist.getWorldSize();
  return jobs.map(([bytes, times]) => {
    const x = torch.full([bytes / 4], dist.getRank() + 1);
    const sum = dist.allReduce(x).min().item();
    if (sum !== (size * (size + 1)) / 2) throw new Error(`allReduce of ${bytes} bytes gave ${sum}`);
    x.zero_(); // Sums of anything else would overflow.
    const samples: number[] = [];
    const warm = Math.floor(times / 5) + 2;
    for (let i = -warm; i < times; i++) {
      const start = performance.now();
      dist.allReduce(x);
      if (i >= 0) samples.push((performance.now() - start) * 1000);
    }
    x.dispose();
    return median(samples);
  });
}

function* endless<T>(loader: Iterable<T>): Generator<T, never> {
  for (;;) yield* loader;
}

/** Steps until V8 has compiled everything. */
const WARM_UP = 2000;
const STEPS = 400;

interface Place {
  readonly rank: number;
  readonly processes: number;
}

/**
 * Trains the tutorial's network on this process's part of MNIST: milliseconds of each step. `ready` comes between the
 * warm-up and the steps that are measured.
 */
async function trainingSteps(
  batchSize: number,
  { rank, processes }: Place,
  wrap: (model: ReturnType<typeof network>) => { forward(x: Tensor): Tensor; parameters(): nn.Parameter[] },
  ready: (step: () => void) => void,
): Promise<number[]> {
  await torch.init({ threads: 1 });
  torch.manualSeed(7);
  const { train } = await loadDatasets({ dataset: 'mnist', data: undefined, download: false, batchSize });
  const sampler = new dist.DistributedSampler(train, { numReplicas: processes, rank });
  const batches = endless(new data.DataLoader(train, { batchSize, sampler, dropLast: true }));
  const model = wrap(network());
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
  const step = () => {
    const [x, labels] = batches.next().value;
    const loss = nn.functional.crossEntropy(model.forward(x), labels);
    loss.backward();
    optimizer.step();
    optimizer.zeroGrad();
    return loss.item();
  };
  for (let k = 0; k < WARM_UP; k++) step();
  ready(step);
  const marks = [performance.now()];
  for (let k = 0; k < STEPS; k++) {
    step();
    marks.push(performance.now());
  }
  // What is measured last by others is not to have a core more.
  for (let k = 0; k < STEPS / 8; k++) step();
  return marks.slice(1).map((mark, k) => mark - marks[k]);
}

/** All train one model. */
async function measureTogether(batchSize: number): Promise<number[]> {
  const place = { rank: dist.getRank(), processes: dist.getWorldSize() };
  return trainingSteps(
    batchSize,
    place,
    (model) => new dist.DistributedDataParallel(model),
    () => dist.barrier(),
  );
}

/** A program that knows nothing of the others beside it, measured from `start` on, in milliseconds since 1970. */
export async function runAlone(rank: string, processes: string, start: string): Promise<void> {
  const place = { rank: Number(rank), processes: Number(processes) };
  const steps = await trainingSteps(
    BATCH,
    place,
    (model) => model,
    (step) => {
      if (Date.now() > Number(start)) console.error('a program was not ready in time');
      while (Date.now() < Number(start)) step();
    },
  );
  fs.writeSync(1, `${JSON.stringify(steps)}\n`);
}

/** Six layers whose gradients take about as long over 1 Gbit as their backward passes: 1.6 MB and some 10 ms each. */
async function measureOverlap(rounds: number): Promise<Overlap> {
  await torch.init({ threads: 1 });
  const [layers, width, batch] = [6, 640, 384];
  const inner = new nn.Sequential();
  for (let i = 0; i < layers; i++)
    inner.append(new nn.Linear(width, width, { bias: false })).append(new nn.ReLU());
  const model = new dist.DistributedDataParallel(inner);
  const x = torch.randn(batch, width);
  const step = () => model.forward(x).square().mean().backward();
  const alone = () => model.noSync(step);
  // As many bytes without gaps: what the gradients are sent as.
  const flat = Array.from({ length: layers }, () => torch.zeros([width * width]));
  const exchange = () => {
    for (const x of flat) dist.allReduce(x);
  };
  const contestants = [alone, exchange, step];
  const samples: number[][] = contestants.map(() => []);
  for (let round = -2; round < rounds; round++) {
    contestants.forEach((run, i) => {
      alone(); // So that there are gradients, of any value, and caches alike.
      if (run !== exchange) for (const parameter of model.parameters()) parameter.grad = null;
      dist.barrier();
      const start = performance.now();
      run();
      if (round >= 0) samples[i].push(performance.now() - start);
      for (const parameter of model.parameters()) parameter.grad = null;
    });
  }
  const [compute, communication, together] = samples.map(median);
  return { compute, communication, together };
}

/** `allreduce <jobs as JSON>`, `training <batch>` or `overlap <rounds>`. */
export async function runRank([what, argument]: string[]): Promise<void> {
  dist.initProcessGroup({ timeoutMs: 60_000 });
  const measures: Record<string, () => unknown> = {
    allreduce: () => measureAllReduce(JSON.parse(argument)),
    training: () => measureTogether(Number(argument)),
    overlap: () => measureOverlap(Number(argument)),
  };
  const result = await measures[what]();
  if (dist.getRank() === 0) fs.writeSync(1, `${JSON.stringify(result)}\n`);
  dist.destroyProcessGroup();
}
