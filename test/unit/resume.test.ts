/** A training that is stopped, killed or cut off at any time ends with the bits of one that was left alone. */
import { spawn, spawnSync } from 'node:child_process';
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
interface Ended {
  code: number | null;
  signal: string | null;
  output: string;
}
/** Runs the tutorial, which saves after every step. `signals`: see test/fixtures/signalAtSave.mjs. */
async function run(args: string[], signals?: string): Promise<Ended> {
  const first = signals === undefined ? [] : ['--import', './test/fixtures/signalAtSave.mjs'];
  const all = [...first, entry, '--data', at('data'), '--checkpoint-every', '0', ...args];
  const env = { ...process.env, ...(signals && { SIGNAL_AT_SAVE: signals }) };
  const child = spawn(process.execPath, all, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (output += chunk));
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

describe('a run', () => {
  let expected: string;
  it('left alone ends, and leaves no checkpoint', { timeout: 2 * MINUTES }, async () => {
    const { code, output } = await run(['--out', at('alone'), ...OPTIONS]);
    expect([code, output]).toEqual([0, expect.stringContaining('Test accuracy')]);
    expect(fs.existsSync(checkpointOf(at('alone')))).toBe(false);
    expected = outcome(at('alone'));
  });

  it('stopped by Ctrl-C again and again finishes its step, says how to go on, and ends the same', {
    timeout: 4 * MINUTES,
  }, async () => {
    const out = at('interrupted');
    let args = ['--out', out, ...OPTIONS];
    for (const when of ['5 renamed', '12 opened', '19 written']) {
      const { code, output } = await run(args, `SIGINT ${when}`);
      expect([code, output]).toEqual([130, expect.stringContaining(`npm start -- --resume ${out}`)]);
      args = ['--resume', out];
    }
    expect((await run(args)).code).toBe(0);
    expect(outcome(out)).toBe(expected);
  });

  it('killed without warning again and again ends the same', { timeout: 4 * MINUTES }, async () => {
    const out = at('killed');
    let args = ['--out', out, ...OPTIONS];
    for (const when of ['3 opened', '8 written', '13 renamed']) {
      expect((await run(args, `SIGKILL ${when}`)).signal).toBe('SIGKILL');
      args = ['--resume', out];
    }
    const { code, output } = await run(args);
    expect([code, output]).toEqual([0, expect.stringContaining('Test accuracy')]);
    expect(outcome(out)).toBe(expected);
    expect(fs.readdirSync(out).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('whose power failed while it was saving has the checkpoint before', {
    timeout: 4 * MINUTES,
  }, async () => {
    const out = at('cut');
    await run(['--out', out, ...OPTIONS], 'SIGKILL 10 renamed');
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
      const refused = await run(['--resume', at('alone')]);
      expect([refused.code, refused.output]).toEqual([
        2,
        expect.stringMatching(/loadCheckpoint: .*checkpoint.safetensors: .*cut short/),
      ]);
    }
    const { code } = await run(['--resume', out]);
    expect([code, outcome(out)]).toEqual([0, expected]);
    expect(fs.existsSync(part)).toBe(false);
  });

  it('ends at once by a second Ctrl-C, and its checkpoint is whole', { timeout: 2 * MINUTES }, async () => {
    const out = at('twice');
    // Large enough to be written in pieces: the second one comes after the first piece.
    const large = ['--epochs', '2', '--batch-size', '20', '--hidden', '3000', '--threads', '1'];
    const twice = await run(['--out', out, ...large], 'SIGINT 3 opened, SIGINT 3 written');
    expect([twice.signal, twice.output]).toEqual(['SIGINT', expect.stringContaining('Ctrl-C again')]);
    expect(twice.output).not.toContain('Continue with');
    expect((await run(['--resume', out], 'SIGINT 2 opened')).code).toBe(130);
  });

  it('that cannot be continued says why', { timeout: 2 * MINUTES }, async () => {
    for (const [args, message] of [
      [['--resume', at('nowhere')], /has no checkpoint.safetensors: its run is finished, or was never saved/],
      [['--resume', at('cut'), '--lr', '1'], /--lr cannot be changed for a run that is continued/],
    ] as const) {
      const { code, output } = await run([...args]);
      expect(output).toMatch(message);
      expect(code).toBe(2);
    }
  });
});
