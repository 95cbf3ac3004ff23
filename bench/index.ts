/** `npm run bench`: measures, prints, and leaves the figures and charts in a folder. `--help` tells the options. */
import fs from 'node:fs';
import path from 'node:path';
import * as torch from 'wasmgrad';
import { nodeHost } from './node/host.ts';
import { nodeMachine } from './node/machine.ts';
import { HELP, type Options, parseOptions, UsageError } from './options.ts';
import { charts } from './report/charts.ts';
import { comparison } from './report/compare.ts';
import { markdownReport } from './report/markdown.ts';
import { writeBetweenMarkers } from './report/markers.ts';
import { FORMAT, merged, originOf, parseRecord, type Run } from './report/record.ts';
import { groupTable } from './report/text.ts';
import { type Group, listBenchmarks, type Result, runBenchmarks, type Skipped } from './suite/index.ts';

function readOptions(): { options: Options; before: Run | undefined } {
  const options = parseOptions(process.argv.slice(2));
  if (options === 'help') {
    console.log(HELP);
    process.exit(0);
  }
  const { compare } = options;
  if (compare === undefined) return { options, before: undefined };
  try {
    return { options, before: parseRecord(fs.readFileSync(compare, 'utf8'), compare) };
  } catch (error) {
    throw new UsageError(`--compare: ${(error as Error).message}`);
  }
}

/** Returns what the figures are of. */
async function startDevice(device: string): Promise<string> {
  if (device === 'cpu') return device;
  const { adapter } = await torch.webgpu({ timestamps: true });
  return `${device} (${adapter})`;
}

/** Prints each group when its last figure is there. */
function printer(quiet: boolean) {
  const pending = new Map<Group, (Result | Skipped)[]>();
  const flush = () => {
    for (const [group, list] of pending) if (!quiet) console.log(`\n${groupTable(group, list)}`);
    pending.clear();
  };
  const show = process.stderr.isTTY;
  return {
    onResult: (result: Result | Skipped) => {
      if (!pending.has(result.group)) flush();
      pending.set(result.group, [...(pending.get(result.group) ?? []), result]);
    },
    onProgress: (group: Group, threads: number, done: number) => {
      if (!pending.has(group)) flush();
      if (show)
        process.stderr.write(
          `\r\x1b[K${done < 1 ? `${group}, ${threads} threads: ${Math.round(100 * done)} %` : ''}`,
        );
    },
    flush,
  };
}

function save(record: Run, folder: string): void {
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, 'latest.json'), `${JSON.stringify(record, null, 2)}\n`);
  for (const [name, svg] of charts(record)) fs.writeFileSync(path.join(folder, `${name}.svg`), svg);
}

async function main(): Promise<void> {
  const { options, before } = readOptions();
  const host = nodeHost();
  const run = { ...options, host };
  if (listBenchmarks(run).size === 0)
    throw new UsageError(
      `--filter: no benchmark's name holds ${options.filter.map((word) => `'${word}'`).join(' or ')}`,
    );
  if (options.list) {
    for (const [group, list] of listBenchmarks(run))
      for (const { name } of list) console.log(`${group}  ${name}`);
    return;
  }
  const device = await startDevice(options.device);
  const { relaxedSimd } = torch.backendInfo();
  const start = {
    format: FORMAT,
    date: new Date().toISOString(),
    machine: nodeMachine(),
    device,
    simd: relaxedSimd ? 'relaxed' : 'plain',
  } as const;
  if (!options.json) console.log(originOf({ ...start, results: [] }));
  const { onResult, onProgress, flush } = printer(options.json);
  const results = await runBenchmarks({ ...run, onResult, onProgress });
  flush();
  const now: Run = { ...start, results };
  const kept = path.join(options.out, 'latest.json');
  const older =
    options.add && fs.existsSync(kept) ? parseRecord(fs.readFileSync(kept, 'utf8'), kept) : undefined;
  const record = older ? merged(older, now) : now;
  save(record, options.out);
  if (options.write) writeBetweenMarkers('BENCHMARKS.md', 'bench', markdownReport(record, options.best));
  if (options.json) console.log(JSON.stringify(record, null, 2));
  if (before) (options.json ? console.error : console.log)(`\n${comparison(before, record)}`);
}

try {
  await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\nTry: npm run bench -- --help`);
  process.exitCode = 2;
}
