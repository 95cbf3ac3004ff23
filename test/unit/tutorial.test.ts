import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const MINUTES = 60_000;

/** Runs an entry of the demo as `npm start` does. */
function run(entry: string, ...args: string[]) {
  return spawnSync(process.execPath, ['scripts/run.mjs', `demo/node/${entry}`, ...args], {
    encoding: 'utf8',
  });
}

/** Runs what `npm start` has bundled. */
function runBundle(name: string, ...args: string[]) {
  return spawnSync(process.execPath, [`build/run/${name}.mjs`, ...args], { encoding: 'utf8' });
}

describe('the tutorial', () => {
  it(
    "prints PyTorch's numbers for the first two epochs of both networks",
    () => {
      const { status, stdout, stderr } = run('verifyTutorial.ts', '--epochs', '2');
      expect(stderr).toBe('');
      expect(stdout).toContain('Training Loss: 0.4941, Validation Loss: 0.3285, Accuracy: 0.9156');
      expect(stdout).toContain('Training Loss: 0.2658, Validation Loss: 0.2582');
      expect(stdout).toContain('Training Loss: 0.5788, Validation Loss: 0.3580');
      expect(stdout.match(/0 outside the band/g)).toHaveLength(2);
      expect(status).toBe(0);
    },
    4 * MINUTES,
  );

  it(
    'writes its pictures and figures',
    () => {
      const out = fs.mkdtempSync(path.join(os.tmpdir(), 'wasmgrad-'));
      try {
        const { status, stdout } = run(
          'tutorial.ts',
          '--epochs',
          '1',
          '--hidden',
          '16',
          '--batch-size',
          '500',
          '--out',
          out,
        );
        expect(status).toBe(0);
        expect(stdout).toContain('tensor([4., 5., 6.])');
        expect(stdout).toContain('Split: Test');
        expect(stdout.match(/Test accuracy: 0\.[6-9]\d+/g)).toHaveLength(2);
        for (const name of ['examples.svg', 'loss-from-scratch.svg', 'loss-modules.svg', 'predictions.svg']) {
          expect(fs.readFileSync(path.join(out, name), 'utf8')).toMatch(/^<svg[\s\S]*<\/svg>\s*$/);
        }
        const metrics = JSON.parse(fs.readFileSync(path.join(out, 'metrics.json'), 'utf8'));
        expect(metrics.modules.trainingLoss).toHaveLength(1);
        expect(metrics.options.hidden).toBe(16);
      } finally {
        fs.rmSync(out, { recursive: true });
      }
    },
    4 * MINUTES,
  );

  it(
    'explains itself, and names bad values with exit code 2',
    () => {
      expect(run('tutorial.ts', '--help').stdout).toContain('--batch-size');
      for (const [args, message] of [
        [['--epochs', 'many'], /--epochs must be a whole number/],
        [['--lr=-1'], /--lr must be a positive number/],
        [['--dataset', 'letters'], /mnist or fashion/],
        [['--dataset', 'fashion', '--section', '2'], /--dataset fashion needs --data/],
        [['--data', 'no/such/folder', '--section', '2'], /was not found|no\/such\/folder/],
        [['--unknown'], /Unknown option/],
      ] as const) {
        const { status, stderr } = runBundle('demo-node-tutorial', ...args);
        expect(stderr).toMatch(message);
        expect(status).toBe(2);
      }
    },
    MINUTES,
  );
});
