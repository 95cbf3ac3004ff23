/** The packed package in pages: the samples that are quick. `npm run test:package` runs all of them. */
import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';

const SAMPLES = [
  'importing does nothing',
  'esbuild',
  'static folder',
  'without isolation',
  'with the policy',
];

it.skipIf(process.env.NO_BROWSER)(
  'gives the known numbers in pages, with and without isolation and policies',
  () => {
    const { stdout, stderr } = spawnSync(process.execPath, ['test/package/run.mjs', ...SAMPLES], {
      encoding: 'utf8',
    });
    expect(stdout + stderr).toMatch(/^9 passed, 0 failed, 0 skipped$/m);
  },
);
