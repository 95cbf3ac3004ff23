/** `npm run bench:peers`: other libraries beside wasmgrad, on the same work. `--help` tells the options. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { nodeMachine } from '../node/machine.ts';
import { writeBetweenMarkers } from '../report/markers.ts';
import { bundleSizes } from './bundleSizes.ts';
import {
  type Entry,
  EPOCH,
  FULL,
  measureEpochs,
  measureLoader,
  measureStarts,
  measureWork,
  QUICK,
  START,
} from './measurePeers.ts';
import { Peer, type PeerKind, torchVersion } from './peer.ts';
import { merge, type PeerRun, readRun, tables } from './tables.ts';
import { SAMPLES, STEPS, trainingFiles } from './trainingFiles.ts';
import { WORKS } from './works.ts';

const HELP = `Measures other libraries and wasmgrad on the same work and data, taking turns.

  npm run bench:peers -- [options]

  --quick            fewer samples, the most important work only
  --filter WORD,…    work whose group or name holds a word ('epoch', 'start', 'size' too)   (all)
  --peers WORD,…     libraries whose name holds a word; wasmgrad is always there            (all)
  --threads N,…      numbers of threads                                                     (1 and all cores)
  --out FILE         where the figures are kept; a part measured again replaces the old      (bench/results/peers.json)
  --best             tables of the fastest samples instead of the medians: for machines that others use too
  --write            put the tables into BENCHMARKS.md and README.md, between their markers
  --help             this text

It installs the packages of bench/peers first. PyTorch is measured if python3, or the interpreter that PYTHON names,
can import torch.`;

class UsageError extends Error {}

function readOptions() {
  const list = { type: 'string', default: '' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    options: {
      quick: flag,
      filter: list,
      peers: list,
      threads: { type: 'string', default: [...new Set([1, os.availableParallelism()])].join(',') },
      out: { type: 'string', default: 'bench/results/peers.json' },
      best: flag,
      write: flag,
      help: { ...flag, short: 'h' },
    },
  });
  const threads = values.threads.split(',').map(Number);
  if (threads.some((count) => !Number.isInteger(count) || count < 1 || count > 64))
    throw new UsageError(`--threads must be whole numbers from 1 to 64, but got '${values.threads}'`);
  const words = (text: string) => text.toLowerCase().split(',').filter(Boolean);
  return { ...values, threads, filter: words(values.filter), peers: words(values.peers) };
}
type Options = ReturnType<typeof readOptions>;

/** Install scripts are refused: js-pytorch's would compile an OpenGL binding that its cpu device never uses. */
function install(): void {
  const folder = 'bench/peers';
  const read = (file: string) => JSON.parse(fs.readFileSync(path.join(folder, file), 'utf8')).packages;
  const present = path.join('node_modules', '.package-lock.json');
  const complete = (): boolean => {
    if (!fs.existsSync(path.join(folder, present))) return false;
    const there = read(present);
    type Package = { version: string; optional?: boolean };
    return Object.entries<Package>(read('package-lock.json')).every(
      ([name, { version, optional }]) => name === '' || optional || there[name]?.version === version,
    );
  };
  if (complete()) return;
  console.error('installing the packages of bench/peers (once, about 560 MB) …');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  execFileSync(npm, ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: folder,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
}

function kindsOf({ threads, peers }: Options): PeerKind[] {
  const each = (name: string, adapter: string) => threads.map((count) => ({ name, adapter, threads: count }));
  const all: PeerKind[] = [
    ...each('wasmgrad', 'wasmgrad'),
    ...each('tfjs-wasm', 'tfjs-wasm'),
    ...each('tfjs-wasm, repaired', 'tfjs-wasm-repaired'),
    ...each('jax-js', 'jax-js'),
    ...each('onnxruntime-web', 'onnxruntime-web'),
    ...(torchVersion() ? each('PyTorch', 'pytorch') : []),
    { name: 'tfjs-cpu', adapter: 'tfjs-cpu', threads: 1, slow: true },
    { name: 'js-pytorch', adapter: 'js-pytorch', threads: 1, slow: true },
  ];
  return all.filter(
    ({ name }) =>
      name === 'wasmgrad' || peers.length === 0 || peers.some((word) => name.toLowerCase().includes(word)),
  );
}

async function measureAll(options: Options, kinds: readonly PeerKind[], keep: (entries: Entry[]) => void) {
  const effort = options.quick ? QUICK : FULL;
  const wanted = (text: string) =>
    options.filter.length === 0 || options.filter.some((word) => text.toLowerCase().includes(word));
  const trains = kinds.filter(({ name }) => name !== 'onnxruntime-web');

  const works = WORKS.filter((work) => !(options.quick && work.full) && wanted(`${work.group} ${work.name}`));
  if (works.length > 0) {
    const peers = kinds.filter(({ name }) => name !== 'tfjs-wasm, repaired').map((kind) => new Peer(kind));
    for (const work of works) {
      process.stderr.write(`${work.group}: ${work.name}\n`);
      keep(await measureWork(work, peers, effort));
    }
    await Promise.all(peers.map((peer) => peer.end()));
  }
  if (wanted(`epoch ${EPOCH}`)) {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'peers-'));
    try {
      const files = trainingFiles(folder, effort.epochs);
      process.stderr.write('epochs\n');
      await measureEpochs(trains, files, SAMPLES, effort, keep);
      const torch = kinds.filter(({ adapter }) => adapter === 'pytorch');
      keep(await measureLoader(torch, files, STEPS, 2));
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  }
  if (wanted(`start ${START}`)) {
    process.stderr.write('starts\n');
    keep(await measureStarts(trains, effort));
  }
}

async function versionsOf(kinds: readonly PeerKind[]): Promise<Record<string, string>> {
  const versions: Record<string, string> = {};
  for (const kind of kinds) {
    if (kind.name in versions) continue;
    const peer = new Peer(kind);
    versions[kind.name] = (await peer.ask<{ version: string }>('hello')).version;
    await peer.end();
  }
  return versions;
}

async function main(): Promise<void> {
  const options = readOptions();
  if (options.help) return console.log(HELP);
  install();
  const kinds = kindsOf(options);
  if (!torchVersion())
    console.error('python3 has no torch: PyTorch is left out (PYTHON names another interpreter)');
  let run: PeerRun = merge(readRun(options.out), {
    date: new Date().toISOString(),
    machine: nodeMachine(),
    versions: await versionsOf(kinds),
    entries: [],
    sizes: options.filter.length === 0 || options.filter.includes('size') ? await bundleSizes() : [],
  });
  const keep = (entries: Entry[]) => {
    run = merge(run, { ...run, entries, sizes: [] });
    fs.mkdirSync(path.dirname(options.out), { recursive: true });
    fs.writeFileSync(options.out, `${JSON.stringify(run, null, 1)}\n`);
  };
  keep([]);
  await measureAll(options, kinds, keep);
  const { full, short } = tables(run, options.best);
  console.log(full);
  if (!options.write) return;
  writeBetweenMarkers('BENCHMARKS.md', 'peers', full);
  writeBetweenMarkers('README.md', 'peers', short);
}

try {
  await main();
} catch (error) {
  const code = (error as { code?: string }).code ?? '';
  if (!(error instanceof UsageError) && !code.startsWith('ERR_PARSE_ARGS')) throw error;
  console.error(`${(error as Error).message}\nTry: npm run bench:peers -- --help`);
  process.exitCode = 2;
}
