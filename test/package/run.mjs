// The packed package in the hands of its users: bundlers, runtimes, pages with their headers and policies. Each sample
// computes the same, in test/package/app, and must give the same bits. `node test/package/run.mjs [--quick] [filter…]`.
// Ends with the line `N passed, N failed, N skipped`.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { prepare } from '../../scripts/bootstrap.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.dirname(path.dirname(here));
const QUICK = '--quick';
const filters = process.argv.slice(2).filter((arg) => arg !== QUICK);
const quick = process.argv.includes(QUICK);

prepare();
const { build } = await import('../../scripts/build.mjs');
await build('all');
const work = fs.mkdtempSync(path.join(os.tmpdir(), 'wasmgrad-samples-'));
process.on('exit', () => fs.rmSync(work, { recursive: true, force: true }));

const { Samples, Skip } = await import('./samples.mjs');
const samples = new Samples({ here, root, work });
const { nodeSamples } = await import('./nodeSamples.mjs');
const { nodeBundles } = await import('./nodeBundles.mjs');
const { pageSamples } = await import('./pageSamples.mjs');
const all = [...nodeSamples(samples), ...nodeBundles(samples), ...pageSamples(samples)];

const count = { passed: 0, failed: 0, skipped: 0 };
try {
  for (const { name, slow, run } of all) {
    if (filters.length > 0 ? !filters.some((filter) => name.includes(filter)) : quick && slow) continue;
    const start = performance.now();
    const say = (/** @type {string} */ word, text = '') =>
      console.log(
        `${word} ${name} (${((performance.now() - start) / 1000).toFixed(1)} s)${text && `: ${text}`}`,
      );
    try {
      await run();
      count.passed++;
      say('passed ');
    } catch (error) {
      const { message, stack } = /** @type {Error} */ (error);
      if (error instanceof Skip) count.skipped++;
      else count.failed++;
      if (error instanceof Skip) say('skipped', message);
      else say('FAILED ', stack ?? message);
    }
  }
} finally {
  await samples.close();
}
process.exitCode = count.failed > 0 || count.passed === 0 ? 1 : 0;
console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
