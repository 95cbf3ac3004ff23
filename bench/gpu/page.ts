/** The page of `npm run bench:gpu`. */
import { measure } from './measure.ts';
import type { Settings } from './report.ts';

function show(line: string): void {
  const row = document.createElement('div');
  row.textContent = line;
  document.querySelector('output')?.append(row);
}

const FULL: Settings = { tiny: false, rounds: 7, sampleMs: 50 };
Object.assign(globalThis, { measureOnGPU: measure });
document.querySelector('button')?.addEventListener('click', async ({ target }) => {
  (target as HTMLButtonElement).disabled = true;
  const report = await measure(FULL, ({ work, library, ms, unable }) => {
    show(`${work} · ${library}: ${ms === undefined ? unable : `${ms.toPrecision(3)} ms`}`);
  });
  show(JSON.stringify(report));
});
