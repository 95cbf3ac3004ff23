/**
 * Random calls of every op, from the cases of the golden file and from a row for each op of the public surface. FUZZ_SECONDS=600 searches longer; a failure prints the seed and the call.
 */
import fs from 'node:fs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseGolden } from '../goldenCases.ts';
import { describeMutation, disagreement, isMutable } from '../support/mutations.ts';
import { rowCases } from '../support/opCalls.ts';

const folder = fs.existsSync('../shared/golden') ? '../shared/golden' : 'test/golden';
const cases = fs
  .readdirSync(folder)
  .filter((file) => /^ops.*\.json$/.test(file))
  .flatMap((file) => parseGolden(fs.readFileSync(`${folder}/${file}`, 'utf8')))
  .concat(rowCases())
  .filter(isMutable);

const unit = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const mutations = fc.record({
  which: unit,
  kind: fc.constantFrom(
    'layout' as const,
    'dtype' as const,
    'values' as const,
    'special' as const,
    'empty' as const,
    'arguments' as const,
    'size' as const,
  ),
  choices: fc.array(unit, { minLength: 24, maxLength: 24 }),
});
const seconds = Number(process.env.FUZZ_SECONDS ?? 8);

it(
  'every op gives the same on both backends, or both refuse with an error of ours',
  () => {
    expect(cases.length).toBeGreaterThan(0);
    const property = fc.property(mutations, (mutation) => {
      const base = cases[Math.floor(mutation.which * cases.length)];
      const problem = disagreement(base, mutation);
      if (problem !== null) throw new Error(`${describeMutation(base, mutation)}\n${problem}`);
    });
    fc.assert(property, { numRuns: 1e9, interruptAfterTimeLimit: seconds * 1000, endOnFailure: true });
  },
  120_000 + 1000 * seconds,
);
