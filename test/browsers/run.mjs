// The core suite and a few trainings in Chromium, Firefox and WebKitGTK: the same losses and weights in all of them and
// in Node, to the last bit. `node test/browsers/run.mjs [engine…]`. Ends with `N passed, N failed, N skipped`.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { prepare } from '../../scripts/bootstrap.mjs';

const PAGE_TIMEOUT_MS = 240_000;
const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.dirname(path.dirname(here));

prepare();
const { build } = await import('../../scripts/build.mjs');
await build('all');
const { engines, Missing } = await import('./engines.mjs');
const server = new URL('../../dist/node/serve/index.js', import.meta.url).href;
const { serve } = /** @type {typeof import('../../src/serve/index.ts')} */ (await import(server));
const work = fs.mkdtempSync(path.join(os.tmpdir(), 'wasmgrad-browsers-'));
process.on('exit', () => fs.rmSync(work, { recursive: true, force: true }));

/** The pages, built by Vite: a worker and golden files come along. */
async function buildPages() {
  const vite = await import('vite');
  await vite.build({
    root: here,
    configFile: false,
    logLevel: 'error',
    worker: { format: 'es' },
    resolve: { alias: { vitest: path.join(here, 'vitest.ts') } },
    build: {
      target: 'es2022',
      minify: false,
      outDir: path.join(work, 'site'),
      emptyOutDir: true,
      rolldownOptions: {
        treeshake: false, // the package says that its modules have no effects; its suites have
        input: ['suite', 'training', 'isolation'].map((name) => path.join(here, `${name}.html`)),
      },
    },
  });
  fs.cpSync(path.join(root, 'dist/isolate.js'), path.join(work, 'site/isolate.js'));
  return path.join(work, 'site');
}

/** @typedef {Record<string, { losses: number[], weights: string }>} Trained */

/** The trainings in this Node. @returns {Promise<Trained>} */
async function trainHere() {
  const esbuild = await import('esbuild');
  const outfile = path.join(work, 'training.mjs');
  await esbuild.build({
    entryPoints: [path.join(here, 'training.ts')],
    outfile,
    bundle: true,
    format: 'esm',
    tsconfigRaw: '{}',
    logLevel: 'error',
  });
  const { trainAll } = await import(pathToFileURL(outfile).href);
  return trainAll();
}

/** @param {import('./engines.mjs').Engine} engine @param {string} url @returns {Promise<any>} */
async function outcomeOf(engine, url) {
  await engine.open(url);
  for (const end = Date.now() + PAGE_TIMEOUT_MS; Date.now() < end; ) {
    const text = await engine.evaluate('globalThis.outcome ?? null').catch(() => null); // the page is being left
    if (typeof text === 'string') return JSON.parse(text);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${url} gave no outcome`);
}

const count = { passed: 0, failed: 0, skipped: 0 };
const wanted = process.argv.slice(2).map((name) => name.toLowerCase());
const folder = await buildPages();
const isolated = await serve({ folder, port: 0 });
const plain = await serve({ folder, port: 0, isolate: false });
const reference = await trainHere();

/** @param {string} name @param {() => Promise<string | void>} body */
async function check(name, body) {
  const start = performance.now();
  const took = () => `(${((performance.now() - start) / 1000).toFixed(1)} s)`;
  try {
    const note = await body();
    count.passed++;
    console.log(`passed  ${name} ${took()}${note ? `: ${note}` : ''}`);
  } catch (error) {
    count.failed++;
    console.log(`FAILED  ${name} ${took()}: ${/** @type {Error} */ (error).stack}`);
  }
}

/** @param {string} name @param {import('./engines.mjs').Engine} engine */
async function checkEngine(name, engine) {
  await check(`${name}: the core suite, isolated`, async () => {
    const { passed, failures } = await outcomeOf(engine, `${isolated.url}suite.html`);
    assert.deepEqual(failures, []);
    assert.ok(passed > 100, `${passed} tests`);
    return `${passed} tests`;
  });
  for (const [kind, { url }] of Object.entries({ isolated, 'not isolated': plain }))
    await check(`${name}: trainings ${kind}, the same bits as in Node`, async () => {
      const answer = await outcomeOf(engine, `${url}training.html`);
      assert.equal(answer.error, undefined);
      assert.deepEqual(answer.here, reference);
      assert.deepEqual(answer.inWorker, reference);
      if (kind === 'not isolated') assert.equal(answer.threads, 1);
      if (answer.threads === 1) assert.match(answer.reasons.join('; '), /threads are off: /);
      return `${answer.threads} threads${answer.threads === 1 ? ` (${answer.reasons.join('; ')})` : ''}`;
    });
  await check(`${name}: isolate.js isolates a page without headers, or says why not`, async () => {
    await engine.open(`${plain.url}isolation.html`);
    const test = 'Boolean(globalThis.crossOriginIsolated || globalThis.wasmgradIsolation)';
    for (const end = Date.now() + 60_000; ; await new Promise((resolve) => setTimeout(resolve, 100))) {
      if (await engine.evaluate(test).catch(() => false)) break;
      if (Date.now() > end) throw new Error('neither came true');
    }
    const reason = await engine.evaluate('globalThis.wasmgradIsolation ?? "isolated"');
    return String(reason);
  });
}

for (const [name, start] of Object.entries(engines)) {
  if (wanted.length > 0 && !wanted.includes(name.toLowerCase())) continue;
  /** @type {import('./engines.mjs').Engine | undefined} */
  let engine;
  try {
    engine = await start();
    console.log(`${name} ${engine.version}`);
    await checkEngine(name, engine);
  } catch (error) {
    if (!(error instanceof Missing) || (process.env.REQUIRE_BROWSER && name === 'Chromium')) {
      count.failed++;
      console.log(`FAILED  ${name}: ${/** @type {Error} */ (error).stack}`);
    } else {
      count.skipped++;
      console.log(`skipped ${name}: ${error.message}`);
    }
  } finally {
    await engine?.close();
  }
}
await Promise.all([isolated.close(), plain.close()]);
process.exitCode = count.failed > 0 || count.passed === 0 ? 1 : 0;
console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
process.exit();
