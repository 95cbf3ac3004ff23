/** What each process does, under a launcher. Rank 0 prints the result as JSON. */
import fs from 'node:fs';
import * as torch from 'wasmgrad';
import { data, nn, optim, type Tensor } from 'wasmgrad';
import * as dist from 'wasmgrad/distributed';
import { loadDatasets } from '../../demo/node/loadData.ts';
import { median, quantile } from '../suite/statistics.ts';

/** A size in bytes and how often it is measured. */
export type Job = readonly [bytes: number, times: number];

/** Milliseconds per step. */
export interface Times {
  /** Of the rounds' means over steps and processes. */
  readonly median: number;
  /** The fastest tenth of the single steps takes no longer: what no other program has disturbed. */
  readonly undisturbed: number;
}
/** Milliseconds of a step of one model on a slow link. */
export interface Overlap {
  /** Without communication. */
  readonly compute: number;
  /** The communication by itself. */
  readonly communication: number;
  /** With DistributedDataParallel. */
  readonly together: number;
}
/** Milliseconds per step of one process, with so many beside it. */
export interface StepTimes {
  /** Each process trains a model of its own. */
  readonly alone: Times;
  /** The same of the slowest process: cores differ, and those that train together go at its pace. */
  readonly slowest: number;
  /** All train one model. */
  readonly together: Times;
}
export interface Training {
  readonly processes: number;
  /** The same batch for each process. */
  readonly weak: StepTimes;
  /** The same batch for all of them together. */
  readonly strong: StepTimes;
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

/** Rounds of steps, alone and together in turns. */
function measureSteps(images: data.Dataset<[Tensor, number]>, batch: number, rounds: number): StepTimes {
  const sampler = new dist.DistributedSampler(images);
  const batches = endless(new data.DataLoader(images, { batchSize: batch, sampler, dropLast: true }));
  const contestants = [network(), new dist.DistributedDataParallel(network())].map((model) => {
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
    return () => {
      const [x, labels] = batches.next().value;
      const loss = nn.functional.crossEntropy(model.forward(x), labels);
      loss.backward();
      optimizer.step();
      optimizer.zeroGrad();
      return loss.item();
    };
  });
  const STEPS = 20;
  /** Until V8 has compiled everything. */
  const WARM_UP = 20;
  const slowest: number[] = [];
  const means: number[][] = [[], []];
  const steps: number[][] = [[], []];
  for (let round = -WARM_UP; round < rounds; round++) {
    contestants.forEach((step, i) => {
      dist.barrier();
      const marks = [performance.now()];
      for (let k = 0; k < STEPS; k++) {
        step();
        marks.push(performance.now());
      }
      const all = dist.allGatherObject((marks[STEPS] - marks[0]) / STEPS);
      if (round < 0) return;
      // By their rates: processes on their own do not wait for each other.
      means[i].push(all.length / all.reduce((sum, ms) => sum + 1 / ms, 0));
      if (i === 0) slowest.push(Math.max(...all));
      for (let k = 0; k < STEPS; k++) steps[i].push(marks[k + 1] - marks[k]);
    });
  }
  const [alone, together] = means.map((all, i) => ({
    median: median(all),
    undisturbed: quantile(steps[i], 0.1),
  }));
  return { alone, slowest: median(slowest), together };
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
  const exchange = () => {
    for (const { grad } of model.parameters()) if (grad) dist.allReduce(grad);
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

async function measureTraining(rounds: number): Promise<Training> {
  await torch.init({ threads: 1 });
  const processes = dist.getWorldSize();
  torch.manualSeed(7);
  const { train } = await loadDatasets({
    dataset: 'mnist',
    data: undefined,
    download: false,
    batchSize: BATCH,
  });
  const weak = measureSteps(train, BATCH, rounds);
  const strong = processes === 1 ? weak : measureSteps(train, BATCH / processes, rounds);
  return { processes, weak, strong };
}

/** `allreduce <jobs as JSON>`, `training <rounds>` or `overlap <rounds>`. */
export async function runRank([what, argument]: string[]): Promise<void> {
  dist.initProcessGroup({ timeoutMs: 60_000 });
  const measures: Record<string, () => unknown> = {
    allreduce: () => measureAllReduce(JSON.parse(argument)),
    training: () => measureTraining(Number(argument)),
    overlap: () => measureOverlap(Number(argument)),
  };
  const result = await measures[what]();
  if (dist.getRank() === 0) fs.writeSync(1, `${JSON.stringify(result)}\n`);
  dist.destroyProcessGroup();
}
