// Looks for what keeps people out of a page, by axe-core: the Web Content Accessibility Guidelines 2.2, levels A and AA, as
// far as a program can judge them.
import fs from 'node:fs';
import { createRequire } from 'node:module';

const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/**
 * Everything that breaks a rule in what a page shows now, its frames included: one line for each element.
 * @param {import('playwright').Page} page
 */
export async function violations(page) {
  const found = [];
  for (const frame of page.frames()) {
    const owner = frame.parentFrame() && (await frame.frameElement());
    if (owner && !(await owner.isVisible())) continue;
    // As an expression, which a strict policy allows here and a script element would not be.
    await frame.evaluate(`globalThis.axe ?? void (() => {${axe}})()`);
    const options = JSON.stringify({ runOnly: RULES, resultTypes: ['violations'], iframes: false });
    const results = await frame.evaluate(`axe.run(document, ${options})`);
    for (const { id, help, nodes } of /** @type {import('axe-core').AxeResults} */ (results).violations)
      for (const { target, failureSummary } of nodes)
        found.push(`${id}: ${help}: ${target.join(' ')}: ${failureSummary?.replace(/\s+/g, ' ')}`);
  }
  return found;
}
