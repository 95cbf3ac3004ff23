/** Runs programs of test/distributed/programs under the MPI launchers that are installed here. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { buildSync } from 'esbuild';

export type Flavour = 'openmpi' | 'mpich';

interface Installation {
  launcher: string;
  library: string;
  package: string;
}

const INSTALLATIONS: Record<Flavour, Installation> = {
  openmpi: { launcher: 'mpirun.openmpi', library: 'libmpi.so.40', package: 'openmpi-bin' },
  mpich: { launcher: 'mpirun.mpich', library: 'libmpich.so.12', package: 'mpich' },
};

/** Why programs cannot be run with this library here; undefined if they can. @throws with REQUIRE_MPI=1 instead */
export function whyNot(flavour: Flavour): string | undefined {
  const { launcher, package: debian } = INSTALLATIONS[flavour];
  const found = spawnSync(launcher, ['--version'], { encoding: 'utf8' });
  if (!found.error) return undefined;
  const reason = `${launcher} is not installed (Debian: apt-get install ${debian})`;
  if (process.env.REQUIRE_MPI) throw new Error(reason);
  return reason;
}

export interface LaunchOptions {
  flavour?: Flavour;
  processes?: number;
  arguments?: string[];
  env?: Record<string, string>;
  /** More arguments for the launcher. */
  launcher?: string[];
  /** Ends everything after this time. */
  limitMs?: number;
  onStart?: (child: ChildProcess) => void;
  onOutput?: (text: string) => void;
}

export interface Outcome {
  code: number | null;
  signal: string | null;
  stdout: string;
  stderr: string;
  /** What the processes printed as JSON after `@`, in the order of its `rank`. */
  // biome-ignore lint/suspicious/noExplicitAny: each test knows its program
  reports: any[];
  ms: number;
}

/** For programs of seconds, on a machine that does other things too. */
const LIMIT_MS = 240_000;
const ALLOW_ROOT = { OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' };

const bundles = new Map<string, string>();

/** The program as one JavaScript file that imports the built package. */
export function bundled(program: string): string {
  const known = bundles.get(program);
  if (known !== undefined) return known;
  const out = path.resolve(`build/run/distributed-${program}-${process.pid}.mjs`);
  buildSync({
    entryPoints: [`test/distributed/programs/${program}.ts`],
    outfile: out,
    tsconfigRaw: '{}',
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    target: 'node20',
    logLevel: 'error',
  });
  process.once('exit', () => fs.rmSync(out, { force: true }));
  bundles.set(program, out);
  return out;
}

/** What comes before `node` on the command line. */
export function launcherLine(flavour: Flavour, processes: number): string[] {
  const { launcher } = INSTALLATIONS[flavour];
  return flavour === 'openmpi'
    ? [launcher, '-np', `${processes}`, '--oversubscribe', '--bind-to', 'none']
    : [launcher, '-np', `${processes}`];
}

export async function launch(program: string, options: LaunchOptions = {}): Promise<Outcome> {
  const { flavour = 'openmpi', processes = 2, launcher = [], limitMs = LIMIT_MS } = options;
  const line = [...launcherLine(flavour, processes), ...launcher];
  return runCommand(
    [...line, process.execPath, bundled(program), ...(options.arguments ?? [])],
    options,
    limitMs,
  );
}

export async function runCommand(
  [command, ...args]: string[],
  options: Pick<LaunchOptions, 'env' | 'onStart' | 'onOutput'> = {},
  limitMs = LIMIT_MS,
): Promise<Outcome> {
  const start = performance.now();
  const child = spawn(command, args, {
    env: { ...process.env, ...ALLOW_ROOT, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const text = { stdout: '', stderr: '' };
  child.stdout.on('data', (data) => {
    text.stdout += data;
    options.onOutput?.(String(data));
  });
  child.stderr.on('data', (data) => {
    text.stderr += data;
  });
  options.onStart?.(child);
  const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (c, s) => resolve([c, s]));
  });
  clearTimeout(timer);
  const reports = [...text.stdout.matchAll(/^@(\{.*\})$/gm)].map(([, json]) => JSON.parse(json));
  reports.sort((a, b) => a.rank - b.rank);
  return { code, signal, ...text, reports, ms: performance.now() - start };
}
