/** Programs in Node that end while a GPU computes for them end as programs without one do. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { SETTINGS, webgpuMissing } from '../support/webgpu.ts';

const missing = await webgpuMissing();

/** Runs the program. Dawn's bindings print, and abort (a code of null), if they are left in the middle of something. */
function run(how: string): Promise<{ code: number | null; out: string; err: string }> {
  const program = path.resolve('test/fixtures/webgpuExit.mjs');
  const child = spawn(process.execPath, [program, how], { cwd: SETTINGS, timeout: 60_000 });
  const text = { out: '', err: '' };
  child.stdout.on('data', (data) => {
    text.out += data;
  });
  child.stderr.on('data', (data) => {
    text.err += data;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, ...text })));
}

describe.skipIf(missing !== null)(missing ?? 'a program on webgpu', () => {
  it('ends by process.exit with its code, by an error with that, and else by itself, worker threads too', async () => {
    const [exit, error, itself] = await Promise.all(['exit', 'throw', 'threads'].map(run));
    expect(exit).toEqual({ code: 3, out: '', err: '' });
    expect(error).toMatchObject({ code: 1, out: '', err: expect.stringContaining('on purpose') });
    expect(itself).toEqual({ code: 0, out: 'exit: 3; throw: 1 on purpose; end: 0; trained\n', err: '' });
  });
});
