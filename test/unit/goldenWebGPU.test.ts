/**
 * Every golden case on the device webgpu. What ran, and what of it went through the host, is written to
 * build/golden/webgpu.json, from which the page of what works where is made.
 */
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';
import { parseGolden } from '../goldenCases.ts';
import { notYet } from '../goldenNotYet.ts';
import { missingFor, runCase } from '../goldenRunner.ts';
import { webgpuMissing } from '../support/webgpu.ts';

const named = process.env.GOLDEN_DIR;
const folder = named ?? (fs.existsSync('../shared/golden') ? '../shared/golden' : 'test/golden');
const files = fs.readdirSync(folder).filter((file) => /^ops.*\.json$/.test(file));
const cases = files.flatMap((file) => parseGolden(fs.readFileSync(path.join(folder, file), 'utf8')));
const missing = await webgpuMissing();

interface Outcome {
  passed: number;
  failed: number;
  /** float64 does not exist on GPUs. */
  float64: number;
  /** Calls that computed on the host. */
  fallbacks: number;
}
const outcomes: { [op: string]: Outcome } = {};

const outcomeOf = (op: string): Outcome => {
  outcomes[op] ??= { passed: 0, failed: 0, float64: 0, fallbacks: 0 };
  return outcomes[op];
};

afterAll(() => {
  if (missing !== null) return;
  fs.mkdirSync('build/golden', { recursive: true });
  const { adapter } = torch.backendInfo().webgpu as torch.WebGPUInfo;
  fs.writeFileSync('build/golden/webgpu.json', `${JSON.stringify({ adapter, ops: outcomes }, null, 1)}\n`);
});

describe.skipIf(missing !== null)(missing ?? 'golden cases on webgpu', () => {
  for (const c of cases) {
    const absent = missingFor(c);
    if (absent === 'unknown composite' || (named === undefined && absent !== null && notYet.includes(c.op))) {
      it.skip(`${c.id}: ${absent}`);
      continue;
    }
    it(c.id, async () => {
      expect(absent).toBe(null);
      const outcome = outcomeOf(c.op === 'composite' ? (c.python ?? c.op) : c.op);
      if (c.kind !== 'lr_scheduler' && JSON.stringify(c).includes('"float64"')) {
        await expect(runCase(c, 'webgpu')).rejects.toThrow(/float64 does not exist on webgpu/);
        outcome.float64++;
        return;
      }
      const before = torch.backendInfo().fallbacks;
      outcome.failed++;
      // Schedules are numbers, compared in double precision; their parameters are what is on the device.
      expect(await runCase(c, c.kind === 'lr_scheduler' ? 'cpu' : 'webgpu')).toEqual([]);
      outcome.failed--;
      outcome.passed++;
      outcome.fallbacks += torch.backendInfo().fallbacks - before;
    });
  }
});
