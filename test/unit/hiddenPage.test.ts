/** A page that its user left: hidden behind another tab, frozen and thawed, on a slow processor. The same bits. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { ensureChromium } from '../../scripts/chromium.mjs';
import { type FileServer, serve } from '../../src/serve/index.ts';
import { Chromium, type Tab } from '../support/devtools.ts';

const found = ensureChromium();
const missing = 'path' in found ? null : found.missing;

/**
 * `train(steps)` resolves with the bits of the weights, and the number of steps, which are fewer once `state.enough` says
 * so; `state` is what the page knows of itself.
 */
const PAGE = `<!doctype html><title>hidden</title><script type="module">
import * as torch from './wasmgrad.min.js';
const { nn, optim } = torch;
globalThis.state = { steps: 0, enough: false, threads: 0, seen: [] };
document.addEventListener('visibilitychange', () => state.seen.push(document.visibilityState));
document.addEventListener('freeze', () => state.seen.push('frozen'));
document.addEventListener('resume', () => state.seen.push('resumed'));
globalThis.train = async (steps) => {
  torch.manualSeed(5);
  state.steps = 0;
  state.enough = false;
  const set = new torch.data.TensorDataset(torch.randn(96, 200), torch.randint(0, 10, [96]));
  const loader = new torch.data.DataLoader(set, { batchSize: 48, shuffle: true });
  const model = new nn.Sequential(new nn.Linear(200, 300), new nn.Tanh(), new nn.Linear(300, 10));
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 });
  while (state.steps < steps && !state.enough)
    for await (const [x, y] of loader) {
      if (state.steps === steps || state.enough) break;
      const loss = nn.functional.crossEntropy(model.forward(x), y);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      state.steps++;
      await torch.tick(0);
    }
  const bits = model.parameters().map((p) => Array.from(new Uint32Array(p.detach().data.buffer)).join()).join();
  return { steps: state.steps, bits };
};
await torch.init({ threads: 2 });
state.threads = torch.backendInfo().threads;
</script>`;

interface Trained {
  readonly steps: number;
  readonly bits: string;
}

const BLANK = 'data:text/html,';

describe.skipIf(missing !== null)(`a page${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let folder: string;
  let server: FileServer;
  let browser: Chromium;
  let page: Tab;

  const train = (steps: number) => page.evaluate<Trained>(`train(${steps})`);
  const steps = () => page.evaluate<number>('state.steps');
  const seen = () => page.evaluate<string>('[document.visibilityState, ...state.seen].join()');
  const becomes = (visibility: string) =>
    expect.poll(() => page.evaluate('document.visibilityState'), { timeout: 60_000 }).toBe(visibility);
  /** Ends a training that began with no end in sight, and compares it with one that nothing disturbs. */
  async function endsAsUndisturbed(training: Promise<Trained>): Promise<void> {
    await page.evaluate('state.enough = true');
    const { steps: count, bits } = await training;
    expect(bits.length).toBeGreaterThan(100_000);
    expect((await train(count)).bits === bits, `${count} steps`).toBe(true);
  }
  /** Waits until a training has taken more steps. */
  async function goesOn(): Promise<void> {
    const before = await steps();
    await expect.poll(steps, { timeout: 60_000 }).toBeGreaterThan(before);
  }

  beforeAll(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'wasmgrad-hidden-'));
    fs.mkdirSync(path.join(folder, 'site'));
    fs.copyFileSync('dist/wasmgrad.min.js', path.join(folder, 'site/wasmgrad.min.js'));
    fs.writeFileSync(path.join(folder, 'site/index.html'), PAGE);
    server = await serve({ folder: path.join(folder, 'site'), port: 0 });
    browser = new Chromium('path' in found ? found.path : '', path.join(folder, 'profile'));
    page = await browser.open(server.url);
    const ready = async () => expect(await page.evaluate('globalThis.state?.threads')).toBe(2);
    await vi.waitFor(ready, { timeout: 60_000 });
  });
  afterEach(() => page.evaluate('state.seen.length = 0'));
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    fs.rmSync(folder, { recursive: true, force: true });
  });

  it('trains behind another one', async () => {
    const other = await browser.open(BLANK);
    await becomes('hidden');
    const training = train(Infinity);
    await goesOn();
    await browser.show(page);
    await becomes('visible');
    await browser.show(other);
    await becomes('hidden');
    await goesOn();
    expect(await seen()).toBe('hidden,hidden,visible,hidden');
    await browser.closeTab(other);
    await endsAsUndisturbed(training);
  });

  it('that is frozen stands still, and goes on where it was', async () => {
    const other = await browser.open(BLANK);
    await becomes('hidden');
    const training = train(Infinity);
    await goesOn();
    await page.send('Page.setWebLifecycleState', { state: 'frozen' });
    const before = await steps();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await steps()).toBe(before);
    await page.send('Page.setWebLifecycleState', { state: 'active' });
    await goesOn();
    expect(await seen()).toContain('hidden,frozen,resumed');
    await browser.closeTab(other);
    await endsAsUndisturbed(training);
  });

  it('on a slow processor is slower, and nothing else', async () => {
    await page.send('Emulation.setCPUThrottlingRate', { rate: 4 });
    const training = train(Infinity);
    await goesOn();
    await page.send('Emulation.setCPUThrottlingRate', { rate: 1 });
    await endsAsUndisturbed(training);
  });
});
