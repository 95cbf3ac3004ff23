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
/** Milliseconds per step of one process, with so many beside it. */
export interface StepTimes {
  /** Each process trains a model of its own. */
  readonly alone: Times;
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
  const means: number[][] = [[], []];
  const steps: number[][] = [[], []];
  for (let round = -2; round < rounds; round++) {
    contestants.forEach((step, i) => {
      dist.barrier();
      const marks = [performance.now()];
      for (let k = 0; k < STEPS; k++) {
        step();
        marks.push(performance.now());
      }
      const { ms } = dist.averageMetrics({ ms: (marks[STEPS] - marks[0]) / STEPS });
      if (round < 0) return;
      means[i].push(ms);
      for (let k = 0; k < STEPS; k++) steps[i].push(marks[k + 1] - marks[k]);
    });
  }
  const [alone, together] = means.map((all, i) => ({
    median: median(all),
    undisturbed: quantile(steps[i], 0.1),
  }));
  return { alone, together };
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

/** `allreduce <jobs as JSON>` or `training <rounds>`. */
export async function runRank([what, argument]: string[]): Promise<void> {
  dist.initProcessGroup({ timeoutMs: 60_000 });
  const result =
    what === 'allreduce' ? measureAllReduce(JSON.parse(argument)) : await measureTraining(Number(argument));
  if (dist.getRank() === 0) fs.writeSync(1, `${JSON.stringify(result)}\n`);
  dist.destroyProcessGroup();
}
