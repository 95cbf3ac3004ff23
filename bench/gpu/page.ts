/** The page of `npm run bench:gpu`. */
import { measure } from './measure.ts';
import { figure, type Settings } from './report.ts';

function show(line: string): void {
  const row = document.createElement('div');
  row.textContent = line;
  document.querySelector('output')?.append(row);
}

const FULL: Settings = { tiny: false, rounds: 7, sampleMs: 50 };
Object.assign(globalThis, { measureOnGPU: measure });
document.querySelector('button')?.addEventListener('click', async ({ target }) => {
  (target as HTMLButtonElement).disabled = true;
  const report = await measure(FULL, (entry) => show(figure(entry)));
  show(JSON.stringify(report));
});
