/** What the documents show besides TypeScript does what it says: configurations of servers, commands, and pages. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { type Browser, chromium, type Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureChromium } from '../../scripts/chromium.mjs';
import { type ServeOptions, serve } from '../../src/serve/index.ts';
import { blocksOf } from '../support/snippets.ts';

/** For pages on a busy machine. */
const PATIENCE_MS = 90_000;
const ISOLATION = { opener: 'same-origin', embedder: 'require-corp' };
/** What is shown in these languages, and who runs it. */
const LANGUAGES: Record<string, string> = {
  ts: 'documents.test.ts',
  js: 'here',
  html: 'here',
  sh: 'here, but for npm and the servers that last (serve.test.ts)',
  json: "test/package, Parcel's sample",
  nginx: 'nobody: there is no nginx here',
  python: "PyTorch's side of a comparison",
  '': 'outputs and headers',
};

const THREADS = fs.readFileSync('docs/guides/threads.md', 'utf8');
const codeOf = (markdown: string, language: string, part: string): string => {
  const found = blocksOf(markdown).filter(({ info, code }) => info === language && code.includes(part));
  expect(found, part).toHaveLength(1);
  return found[0].code;
};

let site = '';
beforeAll(() => {
  site = fs.mkdtempSync(path.join(os.tmpdir(), 'wasmgrad-site-'));
  fs.mkdirSync(path.join(site, 'node_modules'));
  fs.symlinkSync(path.resolve('.'), path.join(site, 'node_modules/wasmgrad'), 'dir');
});
afterAll(() => fs.rmSync(site, { recursive: true, force: true }));

/** @returns the two headers that isolate a page */
async function isolationOf(url: string): Promise<Record<string, string | null>> {
  const { headers } = await fetch(url, { headers: { accept: 'text/html' } });
  return {
    opener: headers.get('cross-origin-opener-policy'),
    embedder: headers.get('cross-origin-embedder-policy'),
  };
}

it('every language of the documents is one that a test knows', () => {
  const names = fs.readdirSync('docs', { recursive: true, encoding: 'utf8' });
  const guides = names.filter((name) => name.endsWith('.md') && !name.startsWith('api'));
  for (const file of ['README.md', ...guides.map((name) => path.posix.join('docs', name))])
    for (const { info } of blocksOf(fs.readFileSync(file, 'utf8')))
      expect(Object.keys(LANGUAGES), `${file}: ${info}`).toContain(info.split(' ')[0]);
});

it("Vite's configuration isolates pages", async () => {
  fs.writeFileSync(path.join(site, 'vite.config.mjs'), codeOf(THREADS, 'js', '// vite.config.js'));
  fs.writeFileSync(path.join(site, 'index.html'), '<!doctype html>');
  const { createServer } = await import('vite');
  const configFile = path.join(site, 'vite.config.mjs');
  const inline = { port: 0, ws: false as const, watch: null };
  const server = await createServer({ root: site, configFile, logLevel: 'error', server: inline });
  try {
    await server.listen();
    expect(await isolationOf(server.resolvedUrls?.local[0] ?? '')).toEqual(ISOLATION);
  } finally {
    await server.close();
  }
});

it("Node's server isolates pages", async () => {
  const code = codeOf(THREADS, 'js', 'http.createServer').replace(/^import http.*$/m, '');
  const server: http.Server = new Function('http', `${code}; return server;`)(http);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  expect(await isolationOf(`http://127.0.0.1:${port}/`)).toEqual(ISOLATION);
  server.close();
});

const chromiumHere = process.env.NO_BROWSER ? { missing: process.env.NO_BROWSER } : ensureChromium();

describe.skipIf('missing' in chromiumHere)('pages', () => {
  let browser: Browser;
  beforeAll(async () => {
    const executablePath = 'path' in chromiumHere ? chromiumHere.path : '';
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  });
  afterAll(() => browser.close());

  /** Serves a folder, and shows its page. */
  async function show(options: ServeOptions, look: (page: Page) => Promise<void>): Promise<void> {
    const server = await serve({ port: 0, ...options });
    const page = await browser.newPage();
    try {
      await page.goto(server.url);
      await look(page);
    } finally {
      await page.close();
      await server.close();
    }
  }

  it('the plain page of README.md computes', async () => {
    const folder = path.join(site, 'plain');
    fs.mkdirSync(path.join(folder, 'wasmgrad/dist'), { recursive: true });
    const file = 'dist/wasmgrad.min.js';
    fs.copyFileSync(file, path.join(folder, 'wasmgrad', file));
    const readme = fs.readFileSync('README.md', 'utf8');
    fs.writeFileSync(path.join(folder, 'index.html'), codeOf(readme, 'html', 'wasmgrad.min.js'));
    await show({ folder }, async (page) => {
      await page.waitForFunction(`document.title === 'tensor([2., 3.])'`, undefined, {
        timeout: PATIENCE_MS,
      });
    });
  });

  it('the page of the first steps computes', async () => {
    const folder = path.join(site, 'first');
    fs.mkdirSync(folder);
    fs.copyFileSync('dist/wasmgrad.min.js', path.join(folder, 'wasmgrad.min.js'));
    const guide = fs.readFileSync('docs/guides/first-steps.md', 'utf8');
    fs.writeFileSync(path.join(folder, 'index.html'), codeOf(guide, 'html', 'wasmgrad.min.js'));
    await show({ folder }, async (page) => {
      await page.getByText('tensor([2., 4., 6.])').waitFor({ timeout: PATIENCE_MS });
    });
  });

  it('isolate.js, the copied worker and the policy give threads to a host that sends no other header', async () => {
    const folder = path.join(site, 'site');
    fs.mkdirSync(folder);
    const [isolate, copy] = [codeOf(THREADS, 'sh', 'isolate'), codeOf(THREADS, 'sh', 'cp ')];
    const command = isolate.replace(
      'npx wasmgrad',
      `${process.execPath} node_modules/wasmgrad/bin/wasmgrad.mjs`,
    );
    for (const line of [command, copy]) {
      const { status, stderr } = spawnSync('sh', ['-c', line], { cwd: site, encoding: 'utf8' });
      expect(status, stderr).toBe(0);
    }
    fs.writeFileSync(path.join(folder, 'index.html'), codeOf(THREADS, 'html', 'isolate.js'));
    fs.copyFileSync('dist/wasmgrad.min.js', path.join(folder, 'wasmgrad.min.js'));
    const init = codeOf(THREADS, 'js', 'workerURL');
    const main = `import * as torch from './wasmgrad.min.js';\n${init}
      const { threads, reasons } = torch.backendInfo();
      const about = reasons.filter((reason) => /thread|worker/.test(reason));
      document.title = JSON.stringify([crossOriginIsolated, threads > 1, about]);`;
    fs.writeFileSync(path.join(folder, 'main.js'), main);
    const [, policy] = THREADS.match(/keep the policy at `(script-src [^`]*)`/) ?? [];
    const headers = { 'Content-Security-Policy': policy };
    const many = os.availableParallelism() > 1;
    const wanted = [true, many, many ? [] : [expect.stringMatching(/one core/)]];
    await show({ folder, isolate: false, headers }, async (page) => {
      const found = async () => JSON.parse((await page.title().catch(() => '')) || 'null'); // it reloads itself once
      await expect.poll(found, { timeout: PATIENCE_MS }).toEqual(wanted);
    });
  });
});
