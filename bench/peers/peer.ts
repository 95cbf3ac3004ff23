/** One library in a process of its own, asked through lines of JSON. */
import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import path from 'node:path';

export interface PeerKind {
  /** As the tables call it. */
  readonly name: string;
  /** The adapter's file, or 'pytorch'. */
  readonly adapter: string;
  readonly threads: number;
  /** It takes seconds where others take milliseconds: heavy work is left out, an epoch is cut short. */
  readonly slow?: boolean;
}

export interface Digest {
  readonly count: number;
  /** The mean of the absolute values. */
  readonly size: number;
  readonly probes: readonly number[];
}

type Reply = { readonly [key: string]: unknown } & { readonly error?: string };

const folder = path.resolve('bench/peers');
const python = process.env.PYTHON ?? 'python3';

/** The version of torch that python3 (or PYTHON) has, or undefined. */
export function torchVersion(): string | undefined {
  try {
    return execFileSync(python, ['-c', 'import torch; print(torch.__version__)'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return undefined;
  }
}

function commandOf({ adapter, threads }: PeerKind, flags: readonly string[]): [string, string[]] {
  if (adapter === 'pytorch') return [python, [path.join(folder, 'serve.py'), String(threads), ...flags]];
  return [process.execPath, [path.join(folder, 'serve.mjs'), adapter, String(threads), ...flags]];
}

export class Peer {
  readonly kind: PeerKind;
  readonly #child: ChildProcessWithoutNullStreams;
  #text = '';
  #log = '';
  /** Why there is no process any more. */
  #gone: Error | undefined;
  #waiting: { resolve: (reply: Reply) => void; reject: (error: Error) => void } | undefined;

  constructor(kind: PeerKind) {
    this.kind = kind;
    const [command, args] = commandOf(kind, []);
    this.#child = spawn(command, args, { stdio: 'pipe' });
    this.#child.stdout.setEncoding('utf8').on('data', (part: string) => this.#read(part));
    this.#child.stderr.setEncoding('utf8').on('data', (part: string) => {
      this.#log = (this.#log + part).slice(-2000);
    });
    this.#child.on('close', (code) => {
      this.#gone = new Error(`${kind.name} ended with code ${code}: ${this.#log.trim()}`);
      this.#waiting?.reject(this.#gone);
    });
  }

  #read(part: string): void {
    this.#text += part;
    for (let end = this.#text.indexOf('\n'); end >= 0; end = this.#text.indexOf('\n')) {
      const line = this.#text.slice(0, end);
      this.#text = this.#text.slice(end + 1);
      if (line.startsWith('@')) this.#waiting?.resolve(JSON.parse(line.slice(1)));
    }
  }

  /** @throws Error with what the library said, if it failed */
  async ask<T>(command: string, content: object = {}): Promise<T> {
    const reply = await new Promise<Reply>((resolve, reject) => {
      if (this.#gone) return reject(this.#gone);
      this.#waiting = { resolve, reject };
      this.#child.stdin.write(`${JSON.stringify({ command, ...content })}\n`);
    });
    this.#waiting = undefined;
    if (reply.error !== undefined) throw new Error(reply.error);
    return reply as T;
  }

  /** Resolves when the process is gone. */
  end(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) return resolve();
      this.#child.on('close', () => resolve());
      this.#child.kill();
    });
  }
}

/** Milliseconds from the start of the library's process to the end of its first training step. */
export function firstStep(kind: PeerKind): Promise<number> {
  const [command, args] = commandOf(kind, ['--first-step']);
  return new Promise((resolve, reject) => {
    const start = performance.now();
    let ms = 0;
    let log = '';
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      if (ms === 0 && /^@/m.test(part)) ms = performance.now() - start;
    });
    child.stderr.setEncoding('utf8').on('data', (part: string) => {
      log += part;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (ms > 0) resolve(ms);
      else reject(new Error(`${kind.name} made no step (code ${code}): ${log.trim().slice(-600)}`));
    });
  });
}
