/** Soaks in Chromium, each in a browser of its own, in a page that has threads. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { type Browser, chromium } from 'playwright';
import { serve } from 'wasmgrad/serve';
import { findChromium } from '../../scripts/chromium.mjs';
import type { Observations } from './judge.ts';
import type { SoakRequest } from './soak.ts';

/** Ids of the processes in which the browser runs pages. */
async function pageProcesses(browser: Browser): Promise<number[]> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  return processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id);
}

/** Resident bytes of processes, as `ps` tells them. */
function residentBytes(processes: readonly number[]): number {
  const { stdout } = spawnSync('ps', ['-o', 'rss=', '-p', processes.join()], { encoding: 'utf8' });
  const kilobytes = (stdout ?? '').trim().split(/\s+/).map(Number);
  if (!(kilobytes[0] > 0)) throw new Error('ps does not tell the memory of processes');
  return 1024 * kilobytes.reduce((sum, one) => sum + one, 0);
}

/** Answers a page with the resident bytes of its process. */
async function memoryServer(processes: () => readonly number[]): Promise<http.Server> {
  const server = http.createServer((_, response) => {
    response.setHeader('Access-Control-Allow-Origin', '*');
    response.end(String(residentBytes(processes())));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

async function bundledPage(folder: string): Promise<void> {
  await build({
    entryPoints: ['bench/soak/page.ts'],
    outfile: path.join(folder, 'page.js'),
    bundle: true,
    format: 'esm',
    target: 'es2022',
    tsconfigRaw: '{}',
    conditions: ['browser'],
  });
  fs.writeFileSync(
    path.join(folder, 'index.html'),
    '<!doctype html><title>soak</title><script type="module" src="page.js"></script>',
  );
}

export async function inPage(): Promise<{
  run: (request: SoakRequest) => Promise<Observations>;
  close: () => Promise<void>;
}> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error('no Chromium was found; --in node leaves it out');
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'wasmgrad-soak-'));
  await bundledPage(folder);
  const pages = await serve({ folder, port: 0 });
  let processes: readonly number[] = [];
  const memory = await memoryServer(() => processes);
  const memoryURL = `http://127.0.0.1:${(memory.address() as AddressInfo).port}/`;
  const args = ['--no-sandbox', '--js-flags=--expose-gc', '--enable-precise-memory-info'];
  return {
    run: async (request) => {
      const browser = await chromium.launch({ executablePath, args });
      try {
        const page = await browser.newPage();
        page.setDefaultTimeout(0);
        await page.goto(pages.url);
        await page.waitForFunction('globalThis.soak !== undefined');
        processes = await pageProcesses(browser);
        return await page.evaluate(`globalThis.soak(${JSON.stringify(request)}, '${memoryURL}')`);
      } finally {
        await browser.close();
      }
    },
    close: async () => {
      await pages.close();
      memory.close();
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}
