/** Every golden case of an operator, module, optimiser or scheduler, on the Wasm core and on the reference backend. */
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type GoldenCase, kindOf, parseGolden } from '../goldenCases.ts';
import { lookUp } from '../goldenLookUp.ts';
import { notYet } from '../goldenNotYet.ts';
import { missingFor, runCase } from '../goldenRunner.ts';

const named = process.env.GOLDEN_DIR;
const folder = named ?? (fs.existsSync('../shared/golden') ? '../shared/golden' : 'test/golden');
const files = fs.readdirSync(folder).filter((file) => /^ops.*\.json$/.test(file));
const cases = files.flatMap((file) => parseGolden(fs.readFileSync(path.join(folder, file), 'utf8')));

const totals = new Map<string, { passed: number; failed: number; skipped: number }>();

function count(c: GoldenCase, result: 'passed' | 'failed' | 'skipped'): void {
  const kind = kindOf(c);
  const total = totals.get(kind) ?? { passed: 0, failed: 0, skipped: 0 };
  total[result]++;
  totals.set(kind, total);
}

afterAll(() => {
  const lines = [...totals].map(
    ([kind, t]) => `  ${kind.padEnd(14)}${t.passed} passed, ${t.failed} failed, ${t.skipped} skipped`,
  );
  console.log([`golden cases of ${folder}, each on two backends`, ...lines].join('\n'));
});

it('reads golden files', () => {
  expect(cases.length).toBeGreaterThan(0);
});

it('lists no name as missing that exists', () => {
  expect(notYet.filter((name) => lookUp(name) !== undefined)).toEqual([]);
});

for (const device of ['cpu', 'reference']) {
  describe(`on ${device}`, () => {
    for (const c of cases) {
      const missing = missingFor(c);
      const unknown = missing === 'unknown composite';
      const awaited = named === undefined && missing !== null && notYet.includes(c.op);
      if (unknown || awaited) {
        count(c, 'skipped');
        it.skip(`${c.id}: ${missing}`);
        continue;
      }
      it(c.id, async () => {
        let problems = missing === null ? [] : [missing];
        try {
          if (missing === null) problems = await runCase(c, device);
        } catch (error) {
          problems = [
            error instanceof Error
              ? (error.stack ?? error.message).split('\n').slice(0, 5).join('\n')
              : String(error),
          ];
        }
        count(c, problems.length === 0 ? 'passed' : 'failed');
        if (problems.length > 0) expect.fail(problems.join('\n'));
      });
    }
  });
}
