/** What each process does, under a launcher. Rank 0 prints the result as JSON. */
import fs from 'node:fs';
import path from 'node:path';
import * as torch from 'wasmgrad';
import { data, nn, optim, type Tensor } from 'wasmgrad';
import * as dist from 'wasmgrad/distributed';
import { loadDatasets } from '../../demo/node/loadData.ts';
import { median } from '../suite/statistics.ts';

/** A size in bytes and how often it is measured. */
export type Job = readonly [bytes: number, times: number];

/** Milliseconds of a step of one model on a slow link. */
export interface Overlap {
  /** Of this many layers, from as many features to as many. */
  readonly layers: number;
  readonly width: number;
  /** Without communication, until the slower process has done. */
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
/** Of each turn, after and before some that are not measured. */
const STEPS = 160;
const MARGIN = STEPS / 8;
const LOOK_MS = 20;

/** Jobs that are measured in turns, so that whatever holds up the machine for a while holds up all of them. */
export interface Schedule {
  /** Where each process says that it is ready, and finds the time of the first turn. */
  readonly folder: string;
  readonly job: number;
  readonly jobs: number;
  readonly turns: number;
  readonly turnMs: number;
}
/** Milliseconds since 1970, in a schedule's folder. */
export const START = 'start';

interface Place {
  readonly rank: number;
  readonly processes: number;
}

const napCell = new Int32Array(new SharedArrayBuffer(4));
const nap = (ms: number) => Atomics.wait(napCell, 0, 0, Math.max(0, ms));

function waitForStart({ folder, job }: Schedule, rank: number): number {
  fs.writeFileSync(path.join(folder, `ready-${job}-${rank}`), '');
  const file = path.join(folder, START);
  while (!fs.existsSync(file)) nap(LOOK_MS);
  return Number(fs.readFileSync(file, 'utf8'));
}

/** Trains the tutorial's network on this process's part of MNIST: milliseconds of each step, by turn. */
async function trainingSteps(
  batchSize: number,
  { rank, processes }: Place,
  schedule: Schedule,
  wrap: (model: ReturnType<typeof network>) => { forward(x: Tensor): Tensor; parameters(): nn.Parameter[] },
): Promise<number[][]> {
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
  const steps = (count: number) => {
    for (let k = 0; k < count; k++) step();
  };
  steps(WARM_UP);
  const start = waitForStart(schedule, rank);
  const { job, jobs, turns, turnMs } = schedule;
  return Array.from({ length: turns }, (_, turn) => {
    const wait = start + (turn * jobs + job) * turnMs - Date.now();
    if (wait < 0) console.error(`job ${job} is ${-wait} ms late for its turn`);
    nap(wait);
    steps(MARGIN);
    const marks = [performance.now()];
    for (let k = 0; k < STEPS; k++) {
      step();
      marks.push(performance.now());
    }
    steps(MARGIN); // What is measured last by others is not to have a core more.
    return marks.slice(1).map((mark, k) => mark - marks[k]);
  });
}

/** All train one model. */
async function measureTogether(batchSize: number, schedule: Schedule): Promise<number[][]> {
  const place = { rank: dist.getRank(), processes: dist.getWorldSize() };
  return trainingSteps(batchSize, place, schedule, (model) => new dist.DistributedDataParallel(model));
}

/** A program that knows nothing of the others beside it. */
export async function runAlone(rank: string, processes: string, schedule: string): Promise<void> {
  const place = { rank: Number(rank), processes: Number(processes) };
  const steps = await trainingSteps(BATCH, place, JSON.parse(schedule), (model) => model);
  fs.writeSync(1, `${JSON.stringify(steps)}\n`);
}

/** Layers whose gradients take about as long over 1 Gbit as their backward passes, with `BATCH_APART`. */
export const NETS = [
  [6, 640],
  [4, 2048],
];
const BATCH_APART = 384;

async function measureOverlap(rounds: number, layers: number, width: number): Promise<Overlap> {
  await torch.init({ threads: 1 });
  const inner = new nn.Sequential();
  for (let i = 0; i < layers; i++)
    inner.append(new nn.Linear(width, width, { bias: false })).append(new nn.ReLU());
  const model = new dist.DistributedDataParallel(inner);
  const x = torch.randn(BATCH_APART, width);
  const step = () => model.forward(x).square().mean().backward();
  // As nobody's step is done before all have computed, waiting for the slower process is no communication.
  const alone = () => {
    model.noSync(step);
    dist.barrier();
  };
  // As many bytes without gaps: what the gradients are sent as.
  const flat = Array.from({ length: layers }, () => torch.zeros([width * width]));
  const exchange = () => {
    for (const x of flat) dist.allReduce(x);
  };
  const contestants = [alone, exchange, step];
  const samples: number[][] = contestants.map(() => []);
  for (let round = -2; round < rounds; round++) {
    contestants.forEach((run, i) => {
      for (const parameter of model.parameters()) parameter.grad = null;
      dist.barrier();
      const start = performance.now();
      run();
      if (round >= 0) samples[i].push(performance.now() - start);
    });
  }
  const [compute, communication, together] = samples.map(median);
  return { layers, width, compute, communication, together };
}

/** `allreduce <jobs as JSON>`, `training <batch> <schedule as JSON>` or `overlap <rounds> <layers> <width>`. */
export async function runRank([what, ...rest]: string[]): Promise<void> {
  dist.initProcessGroup({ timeoutMs: 60_000 });
  const numbers = rest.map(Number);
  const measures: Record<string, () => unknown> = {
    allreduce: () => measureAllReduce(JSON.parse(rest[0])),
    training: () => measureTogether(numbers[0], JSON.parse(rest[1])),
    overlap: () => measureOverlap(numbers[0], numbers[1], numbers[2]),
  };
  const result = await measures[what]();
  if (dist.getRank() === 0) fs.writeSync(1, `${JSON.stringify(result)}\n`);
  dist.destroyProcessGroup();
}
