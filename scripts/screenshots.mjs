// `npm run screenshots [-- --out DIR]`: walks through the demo page in a headless browser and takes a picture of each of
// its states, on a desk and on a phone, light and dark. To be looked at; what breaks a rule of accessibility is an error.
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { violations } from './accessibility.mjs';
import { prepare } from './bootstrap.mjs';
import { ensureChromium } from './chromium.mjs';

const VIEWS = /** @type {const} */ ([
  { name: 'desk-light', width: 1200, height: 900, colorScheme: 'light' },
  { name: 'desk-dark', width: 1200, height: 900, colorScheme: 'dark' },
  { name: 'phone', width: 390, height: 844, colorScheme: 'light' },
  { name: 'phone-dark', width: 390, height: 844, colorScheme: 'dark' },
  { name: 'phone-narrow', width: 360, height: 740, colorScheme: 'light' },
]);

/** Draws strokes, each a list of places in parts of the pad's side. */
async function draw(
  /** @type {import('playwright').Page} */ page,
  /** @type {[number, number][][]} */ strokes,
) {
  const box = await page.getByTestId('pad').boundingBox();
  if (box === null) throw new Error('the page shows no pad');
  for (const [first, ...rest] of strokes) {
    await page.mouse.move(box.x + first[0] * box.width, box.y + first[1] * box.height);
    await page.mouse.down();
    for (const [x, y] of rest) {
      await page.mouse.move(box.x + x * box.width, box.y + y * box.height, { steps: 8 });
    }
    await page.mouse.up();
  }
}

async function walk(
  /** @type {import('playwright').Page} */ page,
  /** @type {string} */ url,
  /** @type {(state: string) => Promise<unknown>} */ shoot,
) {
  await page.goto(url);
  await page.getByRole('button', { name: 'Train' }).waitFor();
  await shoot('start');
  await page.getByLabel('Epochs').fill('2');
  await page.getByRole('button', { name: 'Train', exact: true }).click();
  await page.getByRole('button', { name: 'Pause' }).waitFor();
  await page.getByTestId('rate').waitFor();
  await shoot('training');
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('button', { name: 'Resume' }).waitFor();
  await shoot('paused');
  await page.getByRole('button', { name: 'Resume' }).click();
  await page.getByText('Finished.').waitFor({ timeout: 120_000 });
  await shoot('finished');
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download model' }).click(),
  ]);
  await page.getByLabel('Open model').setInputFiles(await download.path());
  await page.getByRole('row', { name: /^file/ }).waitFor();
  await shoot('opened');
  await page.getByRole('tab', { name: 'Draw' }).click();
  await draw(page, [
    [
      [0.3, 0.25],
      [0.7, 0.25],
      [0.45, 0.8],
    ],
  ]);
  await page.waitForTimeout(500);
  await shoot('draw');
  await page.getByRole('tab', { name: 'Look inside' }).click();
  const step = page.getByRole('button', { name: 'Step', exact: true });
  await step.waitFor();
  await shoot('inside');
  for (let i = 0; i < 3; i++) await step.click();
  await shoot('inside-stepped');
  await page.getByLabel('Expression').fill('sin(x');
  await page.getByRole('alert').getByText('missing').waitFor();
  await shoot('inside-wrong');
  await page.getByRole('tab', { name: 'Benchmarks' }).click();
  const bench = page.frameLocator('iframe');
  const run = bench.getByRole('button', { name: 'Run' });
  await run.waitFor();
  await shoot('bench');
  for (const name of ['elementwise', 'training', 'start']) await bench.getByLabel(name).uncheck();
  await run.click();
  await bench.getByRole('button', { name: 'Stop' }).and(bench.locator(':enabled')).waitFor();
  await run.and(bench.locator(':enabled')).waitFor({ timeout: 120_000 });
  await shoot('bench-finished');
}

async function main() {
  const { values } = parseArgs({ options: { out: { type: 'string', default: 'build/screenshots' } } });
  prepare();
  const browserPath = ensureChromium();
  if (!('path' in browserPath)) throw new Error(browserPath.missing);
  const { buildDemo } = await import('./demo.mjs');
  const folder = await buildDemo();
  const { serve } = await import(pathToFileURL(path.resolve('dist/serve/index.js')).href);
  const server = await serve({ folder, port: 0 });
  const { chromium } = await import('playwright');
  const browser = await chromium.launch({ executablePath: browserPath.path, args: ['--no-sandbox'] });
  fs.mkdirSync(values.out, { recursive: true });
  try {
    for (const { name, width, height, colorScheme } of VIEWS) {
      const page = await browser.newPage({ viewport: { width, height }, colorScheme });
      page.setDefaultTimeout(120_000); // a benchmark on a busy machine keeps the page from answering
      page.on('console', (message) => console.log(`${name}: ${message.type()}: ${message.text()}`));
      page.on('pageerror', (error) => console.log(`${name}: ${error.message}`));
      await walk(page, server.url, async (state) => {
        await page.screenshot({ path: path.join(values.out, `${name}-${state}.png`), fullPage: true });
        for (const violation of await violations(page)) {
          console.error(`${name}, ${state}: ${violation}`);
          process.exitCode = 1;
        }
      });
      await page.close();
    }
  } finally {
    await browser.close();
    await server.close();
  }
  console.log(`pictures are in ${values.out}`);
}

await main().catch((error) => {
  console.error(`screenshots: ${error.message}`);
  process.exitCode = 1;
});
