/** A training that is stopped, killed or cut off at any time ends with the bits of one that was left alone. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { imagesFile, labelsFile } from '../support/idxFiles.ts';

const MINUTES = 60_000;
let folder: string;
let entry: string;
const at = (name: string) => path.join(folder, name);

beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'wasmgrad-resume-'));
  fs.mkdirSync(at('data'));
  for (const [name, count] of [
    ['train', 240],
    ['t10k', 20],
  ] as const) {
    fs.writeFileSync(at(`data/${name}-images-idx3-ubyte`), imagesFile(count));
    fs.writeFileSync(at(`data/${name}-labels-idx1-ubyte`), labelsFile(count));
  }
  // Bundled once; the runs are short.
  const built = spawnSync(process.execPath, ['scripts/run.mjs', 'demo/node/tutorial.ts', '--help'], {
    encoding: 'utf8',
  });
  expect(built.stdout).toContain('--resume');
  entry = 'build/run/demo-node-tutorial.mjs';
});
afterAll(() => fs.rmSync(folder, { recursive: true }));

const OPTIONS = ['--epochs', '4', '--batch-size', '20', '--hidden', '8', '--threads', '1'];
const start = (...args: string[]): ChildProcess =>
  spawn(process.execPath, [entry, '--data', at('data'), '--checkpoint-every', '0', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });

async function ended(
  child: ChildProcess,
): Promise<{ code: number | null; signal: string | null; output: string }> {
  let output = '';
  child.stdout?.on('data', (chunk) => (output += chunk));
  child.stderr?.on('data', (chunk) => (output += chunk));
  return new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal, output })));
}

/** What a run leaves: weights, and figures without times. */
function outcome(out: string) {
  const metrics = JSON.parse(fs.readFileSync(path.join(out, 'metrics.json'), 'utf8'));
  const weights = ['from-scratch', 'modules'].map((name) =>
    fs.readFileSync(path.join(out, `${name}.safetensors`)).toString('hex'),
  );
  const { 'from-scratch': scratch, modules } = metrics;
  return JSON.stringify([weights, { ...scratch, seconds: 0 }, { ...modules, seconds: 0 }]);
}

const checkpointOf = (out: string) => path.join(out, 'checkpoint.safetensors');

/** Waits until the checkpoint was written `times` times. */
async function written(out: string, times: number): Promise<void> {
  let seen = 0;
  let last = -1;
  while (seen < times) {
    const inode = fs.existsSync(checkpointOf(out)) ? fs.statSync(checkpointOf(out)).ino : -1;
    if (inode !== last && inode >= 0) seen++;
    last = inode;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

describe('a run', () => {
  let expected: string;
  it('left alone ends, and leaves no checkpoint', { timeout: 2 * MINUTES }, async () => {
    const { code, output } = await ended(start('--out', at('alone'), ...OPTIONS));
    expect([code, output]).toEqual([0, expect.stringContaining('Test accuracy')]);
    expect(fs.existsSync(checkpointOf(at('alone')))).toBe(false);
    expected = outcome(at('alone'));
  });

  it('stopped by Ctrl-C again and again finishes its step, says how to go on, and ends the same', {
    timeout: 4 * MINUTES,
  }, async () => {
    const out = at('interrupted');
    let resume = false;
    let stops = 0;
    for (let turn = 0; turn < 30; turn++) {
      const child = resume ? start('--resume', out) : start('--out', out, ...OPTIONS);
      const end = ended(child);
      const stop =
        stops < 3 ? written(out, 5 + 7 * stops).then(() => child.kill('SIGINT')) : Promise.resolve();
      const { code, output } = await end;
      if (code === 0) break;
      await stop;
      stops++;
      resume = true;
      expect([code, output]).toEqual([130, expect.stringContaining(`npm start -- --resume ${out}`)]);
    }
    expect(stops).toBeGreaterThan(1);
    expect(outcome(out)).toBe(expected);
  });

  it('killed without warning again and again ends the same', { timeout: 4 * MINUTES }, async () => {
    const out = at('killed');
    let resume = false;
    for (let kills = 0; ; kills++) {
      const child = resume ? start('--resume', out) : start('--out', out, ...OPTIONS);
      const end = ended(child);
      if (kills < 3) written(out, 3 + 5 * kills).then(() => child.kill('SIGKILL'));
      const { code, signal, output } = await end;
      if (signal === null) {
        expect(kills).toBeGreaterThan(1);
        expect([code, output]).toEqual([0, expect.stringContaining('Test accuracy')]);
        break;
      }
      resume = true;
    }
    expect(outcome(out)).toBe(expected);
    expect(fs.readdirSync(out).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('whose power failed while it was saving has the checkpoint before', {
    timeout: 4 * MINUTES,
  }, async () => {
    const out = at('cut');
    const child = start('--out', out, ...OPTIONS);
    const end = ended(child);
    await written(out, 10);
    child.kill('SIGKILL');
    await end;
    const whole = fs.readFileSync(checkpointOf(out));
    const header = Number(whole.readBigUInt64LE(0)) + 8;
    const host = os.hostname().replace(/[^\w-]/g, '_');
    // What a cut leaves is a temporary file of any length; a checkpoint of another length does not come from us.
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    const part = `${checkpointOf(out)}.${host}-${pid}.part`;
    for (const length of [0, 1, 8, 9, header - 1, header, header + 1, whole.length - 1]) {
      fs.writeFileSync(part, whole.subarray(0, length));
      fs.writeFileSync(checkpointOf(at('alone')), whole.subarray(0, length));
      if (length !== header) continue;
      const refused = await ended(start('--resume', at('alone')));
      expect([refused.code, refused.output]).toEqual([
        2,
        expect.stringMatching(/loadCheckpoint: .*checkpoint.safetensors: .*cut short/),
      ]);
    }
    const { code } = await ended(start('--resume', out));
    expect([code, outcome(out)]).toEqual([0, expected]);
    expect(fs.existsSync(part)).toBe(false);
  });

  it('ends at once by a second Ctrl-C, and its checkpoint is whole', { timeout: 2 * MINUTES }, async () => {
    const out = at('twice');
    // Large enough that saving takes a while: the second one comes before it is done, in one try of a few.
    const large = ['--epochs', '2', '--batch-size', '20', '--hidden', '3000', '--threads', '1'];
    let atOnce = false;
    for (let attempt = 0; attempt < 8 && !atOnce; attempt++) {
      const resume = fs.existsSync(checkpointOf(out));
      const child = resume ? start('--resume', out) : start('--out', out, ...large);
      const end = ended(child);
      child.stderr?.on('data', (text: Buffer) => {
        if (String(text).includes('Ctrl-C again stops at once')) child.kill('SIGINT');
      });
      written(out, 2).then(() => child.kill('SIGINT'));
      const { code, signal, output } = await end;
      atOnce = signal === 'SIGINT';
      if (atOnce) expect(output).not.toContain('Continue with');
      else expect([code, output]).toEqual([130, expect.stringContaining('Continue with')]);
    }
    expect(atOnce).toBe(true);
    const child = start('--resume', out);
    const end = ended(child);
    await Promise.race([end, written(out, 2)]);
    child.kill('SIGKILL');
    expect((await end).signal).toBe('SIGKILL');
  });

  it('that cannot be continued says why', { timeout: 2 * MINUTES }, async () => {
    for (const [args, message] of [
      [['--resume', at('nowhere')], /has no checkpoint.safetensors: its run is finished, or was never saved/],
      [['--resume', at('cut'), '--lr', '1'], /--lr cannot be changed for a run that is continued/],
    ] as const) {
      const { code, output } = await ended(start(...args));
      expect(output).toMatch(message);
      expect(code).toBe(2);
    }
  });
});
