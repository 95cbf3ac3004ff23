/** Starts processes with the MPI that is installed, and compiles the yardstick for it. */
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { openMpiSettings } from '../../src/distributed/openMpi.ts';
import { TwoHosts } from '../../test/support/twoHosts.ts';
import { CALL_BYTES } from './model.ts';

const LIMIT_MS = 120_000;
const TURNS_LIMIT_MS = 600_000;
const ALLOW_ROOT = { OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' };

/** As the library sets them for itself: the C program makes the same calls in the same way. */
function settings(): Readonly<Record<string, string>> {
  const major = Number(/\d+/.exec(launcherName() ?? '')?.[0] ?? 0);
  return { ...ALLOW_ROOT, ...openMpiSettings(major, CALL_BYTES) };
}

/** The name and version of the launcher, or null if there is none. */
export function launcherName(): string | null {
  const { error, stdout } = spawnSync('mpirun', ['--version'], { encoding: 'utf8' });
  return error
    ? null
    : /Open MPI|Open RTE|PRTE/.test(stdout)
      ? stdout.split('\n')[0].replace('mpirun ', '')
      : 'MPICH';
}

function mpirunLine(processes: number, command: readonly string[]): [string, string[]] {
  const open = launcherName() !== 'MPICH';
  const flags = open ? ['--oversubscribe', '--bind-to', 'none'] : [];
  return ['mpirun', ['-np', `${processes}`, ...flags, ...command]];
}

/** What `mpirun` prints. @throws Error with its words if it fails */
export function mpirun(processes: number, command: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(...mpirunLine(processes, command), {
    encoding: 'utf8',
    timeout: LIMIT_MS,
    env: { ...process.env, ...settings() },
  });
  if (status !== 0)
    throw new Error(`${command.join(' ')} by ${processes} processes failed: ${stderr}${stdout}`);
  return stdout;
}

/** The command line of one of the processes: this program again. */
function rankCommand(...args: string[]): string[] {
  const relaxed =
    Number(process.versions.node.split('.')[0]) > 20 ? [] : ['--experimental-wasm-relaxed-simd'];
  return [process.execPath, ...relaxed, process.argv[1], ...args];
}

/** This program again, as each of the processes. */
export function ranks<T>(processes: number, ...args: string[]): T {
  return JSON.parse(mpirun(processes, rankCommand(...args)));
}

/** This program again, as each of the processes or without MPI, beside others. */
export function start(
  processes: number,
  mpi: boolean,
  signal: AbortSignal,
  ...args: string[]
): Promise<string> {
  const own = rankCommand(...args);
  const [command, rest] = mpi ? mpirunLine(processes, own) : [own[0], own.slice(1)];
  const env = { ...process.env, ...settings() };
  const child = spawn(command, rest, {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: TURNS_LIMIT_MS,
    env,
    signal,
  });
  let text = '';
  child.stdout.on('data', (data) => {
    text += data;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(text);
      else reject(new Error(`${args[0]} ended with code ${code}`));
    });
  });
}

/** The same with one process on each of two hosts, which a cable of this bandwidth joins. @throws Error if that fails */
export async function ranksApart<T>(rate: string, ...args: string[]): Promise<T> {
  const hosts = new TwoHosts();
  try {
    hosts.limit(rate);
    const { code, stdout, stderr } = await hosts.run(rankCommand(...args), 'openmpi', { limitMs: LIMIT_MS });
    if (code !== 0) throw new Error(`${args.join(' ')} on two hosts failed: ${stderr}${stdout}`);
    return JSON.parse(stdout);
  } finally {
    hosts.remove();
  }
}

/** Compiles the C program. Returns what runs it, and null if there is no compiler. */
export function compileYardstick(): ((processes: number, args: string[]) => number[]) | null {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'wasmgrad-scaling-'));
  process.once('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
  const program = path.join(folder, 'allreduce');
  const { error, status, stderr } = spawnSync('mpicc', ['-O2', '-o', program, 'bench/scaling/allreduce.c'], {
    encoding: 'utf8',
  });
  if (error) return null;
  if (status !== 0) throw new Error(`mpicc failed: ${stderr}`);
  return (processes, args) =>
    mpirun(processes, [program, ...args])
      .trim()
      .split('\n')
      .map(Number);
}
