/** The guide about saving: its code runs as it stands, in its order, and prints what it says. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';

it('the guide about saving does what it says', { timeout: 120_000 }, () => {
  const guide = fs.readFileSync('docs/guides/saving.md', 'utf8');
  const snippets = Array.from(guide.matchAll(/^```ts\n([\s\S]*?)^```$/gm), ([, code]) => code);
  expect(snippets).toHaveLength(5);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'wasmgrad-guide-'));
  const entry = 'build/savingGuide.ts';
  try {
    fs.writeFileSync(entry, [`process.chdir(${JSON.stringify(folder)});`, ...snippets].join('\n'));
    const { stdout, stderr, status } = spawnSync(process.execPath, ['scripts/run.mjs', entry], {
      encoding: 'utf8',
    });
    expect([status, stderr.replace(/^(built|minified|kernels).*$/gm, '').trim()]).toEqual([0, '']);
    expect(stdout).toMatch(/'0\.weight'[\s\S]*trained: 'on iris'[\s\S]*\[ 8, 4 \]/);
    expect(stdout).toMatch(/\n2\n4\n\[ 2, 3 \] \[ 'x', 'y' \]/);
    expect(fs.readdirSync(folder).sort()).toEqual([
      'both.npz',
      'checkpoint.safetensors',
      'model.safetensors',
      'x.npy',
    ]);
  } finally {
    fs.rmSync(folder, { recursive: true });
    fs.rmSync(entry, { force: true });
  }
});
