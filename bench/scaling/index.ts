/**
 * `npm run bench:scaling`: allreduce here against the same in C, the tutorial by several processes of this machine, and
 * what the α-β model makes of it on machines that are not here.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { isLaunched } from 'wasmgrad/distributed';
import { whyNot } from '../../test/support/mpi.ts';
import { whyNoTwoHosts } from '../../test/support/twoHosts.ts';
import { nodeMachine } from '../node/machine.ts';
import { writeBetweenMarkers } from '../report/markers.ts';
import { markdownTable, table } from '../report/text.ts';
import { median } from '../suite/statistics.ts';
import { compileYardstick, launcherName, ranks, ranksApart, start } from './launch.ts';
import { CALL_BYTES } from './model.ts';
import { BATCH, type Job, NETS, type Overlap, runAlone, runRank, type Schedule, START } from './ranks.ts';
import {
  type AllReduceTime,
  allReduceTable,
  assumptions,
  chart,
  check,
  modelTable,
  overlapText,
  type Table,
  trainingTable,
} from './report.ts';
import { type Round, summarizeTraining, type Training } from './training.ts';

const HELP = `npm run bench:scaling -- [options]

  --rounds N    ours and C in turns, programs on their own and together in turns, so often (3)
  --out DIR     where scaling.svg goes                                (bench/results)
  --write       put the tables into BENCHMARKS.md, between its markers`;

/** The tutorial's gradients are 1.6 MB. */
const SIZES = [1, 4, 16, 64, 256, 1024, 4096, 16384]
  .map((kB) => kB * 1024)
  .concat(1.6e6)
  .sort((a, b) => a - b);
/** Bytes that are moved for a size, in calls of at most so many. */
const VOLUME = 1.5e8;
const MOST_CALLS = 2000;
const JOBS = SIZES.map(
  (bytes): Job => [bytes, Math.max(10, Math.min(MOST_CALLS, Math.round(VOLUME / bytes)))],
);
const PROCESSES = [1, 2, 4];
const RATE = '1gbit';

/** Ours and C in turns, the median of the rounds' medians. */
function allReduceTimes(rounds: number): AllReduceTime[] {
  const yardstick = compileYardstick();
  if (yardstick === null) console.log('mpicc is not installed: no comparison with C\n');
  const jobs = JOBS.map((job) => job.join(','));
  const ours: number[][] = [];
  const c: number[][] = [];
  for (let round = 0; round < rounds; round++) {
    ours.push(ranks<number[]>(2, 'allreduce', JSON.stringify(JOBS)));
    if (yardstick) c.push(yardstick(2, [String(CALL_BYTES), ...jobs]));
  }
  const middle = (all: number[][], i: number) => median(all.map((round) => round[i]));
  return SIZES.map((bytes, i) => ({ bytes, ours: middle(ours, i), c: yardstick ? middle(c, i) : undefined }));
}

/** Longer than the steps of a turn take, if each process has a core. */
const TURN_MS = 900;
const TURNS_PER_ROUND = 5;

/** So many programs side by side, together, and with the batch divided: all ready at once, and measured in turns. */
async function trainingTimes(processes: number, rounds: number): Promise<Training> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'wasmgrad-turns-'));
  const batches = processes === 1 ? [BATCH] : [BATCH, BATCH / processes];
  const turnMs = TURN_MS * Math.max(1, processes / os.availableParallelism());
  const common = { folder, jobs: 1 + batches.length, turns: TURNS_PER_ROUND * rounds, turnMs };
  const schedule = (job: number) => JSON.stringify({ ...common, job } satisfies Schedule);
  const abort = new AbortController();
  try {
    const alone = Array.from({ length: processes }, (_, rank) =>
      start(1, false, abort.signal, 'alone', `${rank}`, `${processes}`, schedule(0)),
    );
    const together = batches.map((batch, i) =>
      start(processes, true, abort.signal, 'training', `${batch}`, schedule(i + 1)),
    );
    const results = Promise.all([...alone, ...together]);
    await Promise.race([results, allReady(folder, common.jobs * processes)]);
    const all = (await results).map((text): number[][] => JSON.parse(text));
    const [weak, strong = weak] = all.slice(processes);
    const turn = (i: number): Round => ({
      alone: all.slice(0, processes).map((steps) => steps[i]),
      weak: weak[i],
      strong: strong[i],
    });
    return summarizeTraining(
      processes,
      weak.map((_, i) => turn(i)),
    );
  } finally {
    abort.abort();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** Waits until so many processes are ready, and tells them when to start. */
async function allReady(folder: string, processes: number): Promise<void> {
  while (fs.existsSync(folder) && fs.readdirSync(folder).length < processes)
    await new Promise((resolve) => setTimeout(resolve, 100));
  if (!fs.existsSync(folder)) return; // One of them has failed.
  const file = path.join(folder, START);
  fs.writeFileSync(`${file}.new`, `${Date.now() + 500}`);
  fs.renameSync(`${file}.new`, file);
}

/** What the backward pass hides on a slow link; why it cannot be measured, where it cannot. */
async function overlap(rounds: number): Promise<string> {
  const missing = whyNot('openmpi') ?? whyNoTwoHosts();
  if (missing !== undefined) return `Overlap on a slow link was not measured: ${missing}.`;
  const all: Overlap[] = [];
  for (const net of NETS)
    all.push(await ranksApart<Overlap>(RATE, 'overlap', ...[5 * rounds, ...net].map(String)));
  return overlapText(all, RATE);
}

async function measure(values: { rounds: string; out: string; write: boolean }): Promise<void> {
  const rounds = Number(values.rounds);
  const launcher = launcherName();
  if (!(rounds >= 1)) throw new Error(`--rounds must be at least 1, but got '${values.rounds}'`);
  if (launcher === null)
    throw new Error('bench:scaling needs MPI: apt-get install openmpi-bin libopenmpi-dev (the second for C)');
  const { processor, cores, engine, load = 0 } = nodeMachine();
  const origin =
    `${new Date().toISOString().slice(0, 10)}, ${cores} cores of ${processor}, ${engine}, ${launcher}, load ` +
    `${load.toFixed(1)} at the start`;
  console.log(`${origin}\n`);

  const show = ([head, rows]: Table) => console.log(`${table(head, rows)}\n`);
  const times = allReduceTimes(rounds);
  show(allReduceTable(times));
  const training: Training[] = [];
  for (const n of PROCESSES) training.push(await trainingTimes(n, rounds));
  show(trainingTable(training, cores));
  const hidden = await overlap(rounds);
  console.log(`${hidden}\n`);
  const stepMs = training[0].alone;
  show(modelTable(stepMs));
  const notes = assumptions(stepMs).join('\n');
  console.log(`${notes}\n${check(times, training)}\n`);

  fs.mkdirSync(values.out, { recursive: true });
  const file = path.join(values.out, 'scaling.svg');
  fs.writeFileSync(file, chart(stepMs));
  console.log(`The chart is ${file}`);
  if (!values.write) return;
  const markdown = ([head, rows]: Table) => markdownTable(head, rows);
  const parts = [
    `${origin}.`,
    markdown(allReduceTable(times)),
    markdown(trainingTable(training, cores)),
    hidden,
    check(times, training),
    markdown(modelTable(stepMs)),
    notes,
  ];
  writeBetweenMarkers('BENCHMARKS.md', 'scaling', parts.join('\n\n'));
}

const [what, ...rest] = process.argv.slice(2);
if (isLaunched()) await runRank([what, ...rest]);
else if (what === 'alone') await runAlone(rest[0], rest[1], rest[2]);
else {
  try {
    const { values } = parseArgs({
      options: {
        rounds: { type: 'string', default: '3' },
        out: { type: 'string', default: 'bench/results' },
        write: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) console.log(HELP);
    else await measure(values);
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
