import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { buildSync } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compileProbe } from '../support/probeKernels.ts';

const FOLDER = `build/poolProcess.${process.pid}`;
const PROGRAM = `${FOLDER}/program.mjs`;
const KERNELS = [`${FOLDER}/simd.wasm`, `${FOLDER}/relaxed.wasm`];

beforeAll(async () => {
  const entryPoints = ['test/fixtures/poolProcess.ts'];
  buildSync({
    entryPoints,
    outfile: PROGRAM,
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
  });
  const { simd, relaxed } = await compileProbe();
  fs.writeFileSync(KERNELS[0], simd());
  fs.writeFileSync(KERNELS[1], relaxed());
});

afterAll(() => fs.rmSync(FOLDER, { recursive: true, force: true }));

/** Runs the program; a process that does not end within two minutes is killed, which shows as code null. */
function run(how: string): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [PROGRAM, how, ...KERNELS], { timeout: 120_000 });
  let out = '';
  let err = '';
  child.stdout.on('data', (data) => {
    out += data;
  });
  child.stderr.on('data', (data) => {
    err += data;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out, err })));
}

test('a program that waited for its threads ends by itself', async () => {
  const { code, out, err } = await run('init');
  expect(err).toBe('');
  expect(JSON.parse(out)).toEqual({ counts: [100], threads: 3 });
  expect(code).toBe(0);
});

test('a program ends while its threads are still starting', async () => {
  const { code, out, err } = await run('lazy');
  expect(err).toBe('');
  expect(JSON.parse(out).counts).toEqual([100]);
  expect(code).toBe(0);
});

test('a program that throws ends with its error', async () => {
  const { code, err } = await run('throw');
  expect(err).toContain('on purpose');
  expect(code).toBe(1);
});
