// What the samples share: the packed package, the installed tools, a browser and servers.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureChromium } from '../../scripts/chromium.mjs';
import { expectAnswer } from './expected.mjs';

/** A sample that cannot run on this machine; the message says why. */
export class Skip extends Error {}

/** @typedef {{ name: string, slow?: boolean, run: () => Promise<void> }} Sample `slow`: not part of the quick check */
/** @typedef {{ threads: 1 | 2, why?: RegExp, query?: string, requests?: number }} Wanted */

const PAGE_TIMEOUT_MS = 60_000;

/** Imports an ES or CommonJS package from a folder of tools. */
export async function tool(/** @type {string} */ modules, /** @type {string} */ name) {
  const require = createRequire(path.join(modules, 'x.js'));
  const module = await import(pathToFileURL(require.resolve(name)).href);
  return module.default ?? module;
}

export class Samples {
  /** @type {import('playwright').Browser | undefined} */
  #browser;
  /** @type {string | undefined} */
  #tarball;
  /** @type {import('wasmgrad/serve').FileServer[]} */
  #servers = [];

  /** @param {{ here: string, root: string, work: string }} places */
  constructor({ here, root, work }) {
    this.here = here;
    this.root = root;
    this.work = work;
  }

  /** Runs a command to its end. @throws what it printed if it failed */
  command(/** @type {string} */ file, /** @type {string[]} */ args, options = {}) {
    const result = spawnSync(file, args, { encoding: 'utf8', timeout: 300_000, ...options });
    if (result.status !== 0)
      throw new Error(
        `${file} ${args.join(' ')} failed: ${result.error ?? ''}${result.stdout}${result.stderr}`,
      );
    return String(result.stdout);
  }

  /** A folder with the files of the app and the package as npm would unpack it. */
  project(/** @type {string} */ name) {
    const folder = path.join(this.work, name);
    fs.cpSync(path.join(this.here, 'app'), folder, { recursive: true });
    fs.writeFileSync(path.join(folder, 'package.json'), '{ "type": "module", "private": true }');
    this.install(folder);
    return folder;
  }

  install(/** @type {string} */ folder) {
    this.#tarball ??= this.#pack();
    const target = path.join(folder, 'node_modules/wasmgrad');
    fs.rmSync(target, { recursive: true, force: true });
    fs.mkdirSync(target, { recursive: true });
    this.command('tar', ['-xzf', this.#tarball, '-C', target, '--strip-components=1']);
  }

  #pack() {
    const flags = ['pack', '--json', '--ignore-scripts', '--pack-destination', this.work];
    const [{ filename }] = JSON.parse(this.command('npm', flags, { cwd: this.root }));
    return path.join(this.work, filename);
  }

  /** The folder of tools that have a lock file of their own; installed when first asked for. */
  tools(/** @type {string} */ name) {
    const folder = path.join(this.here, name);
    const present = path.join(folder, 'node_modules/.package-lock.json');
    const lock = path.join(folder, 'package-lock.json');
    if (!fs.existsSync(present) || fs.statSync(present).mtimeMs < fs.statSync(lock).mtimeMs) {
      const flags = [
        'ci',
        '--include=dev', // Vite, run in this process before, has set NODE_ENV to production
        '--no-audit',
        '--no-fund',
        '--ignore-scripts',
        '--loglevel=error',
        '--prefer-offline',
      ];
      const result = spawnSync('npm', flags, { cwd: folder, encoding: 'utf8', timeout: 300_000 });
      if (result.status !== 0)
        throw new Skip(`npm ci in test/package/${name} failed: ${result.stderr.trim().slice(0, 300)}`);
    }
    return path.join(folder, 'node_modules');
  }

  /** @returns {Promise<import('wasmgrad/serve').FileServer>} */
  async serve(/** @type {import('wasmgrad/serve').ServeOptions} */ options) {
    const { serve } = await import('wasmgrad/serve');
    const server = await serve({ port: 0, ...options });
    this.#servers.push(server);
    return server;
  }

  async #launch() {
    if (this.#browser) return this.#browser;
    const chromium = ensureChromium();
    if ('missing' in chromium) {
      if (process.env.REQUIRE_BROWSER) throw new Error(chromium.missing);
      throw new Skip(chromium.missing);
    }
    const playwright = await import('playwright');
    const args = ['--no-sandbox', '--no-first-run', '--disable-background-networking', '--disable-sync'];
    this.#browser = await playwright.chromium.launch({ executablePath: chromium.path, args });
    return this.#browser;
  }

  /** Opens a page, and returns its answer and what it asked the network for. */
  async visit(/** @type {string} */ url) {
    const browser = await this.#launch();
    const context = await browser.newContext();
    try {
      const page = await context.newPage();
      /** @type {string[]} */
      const requests = [];
      /** @type {string[]} */
      const errors = [];
      context.on('request', (request) => {
        if (/^https?:/.test(request.url()) && !request.url().endsWith('/favicon.ico'))
          requests.push(request.url());
      });
      page.on('pageerror', (error) => errors.push(String(error)));
      page.on('console', (message) => {
        if (message.type() === 'error') errors.push(message.text());
      });
      await page.goto(url);
      const given = page.waitForFunction('globalThis.result', undefined, { timeout: PAGE_TIMEOUT_MS });
      const handle = await given.catch((error) => {
        throw new Error(`the page gave no answer (${error.message}); it said: ${errors.join('; ')}`);
      });
      const answer = /** @type {any} */ (await handle.evaluate((result) => result));
      return { answer, requests, errors };
    } finally {
      await context.close();
    }
  }

  /** Opens a page whose requests must all go to its own server, and compares its answer. */
  async expectPage(/** @type {string} */ url, /** @type {Wanted} */ { query = '', requests, ...wanted }) {
    const visit = await this.visit(url + query);
    expectAnswer(visit.answer, wanted);
    const { origin } = new URL(url);
    const foreign = visit.requests.filter((request) => new URL(request).origin !== origin);
    if (foreign.length > 0) throw new Error(`requests to elsewhere: ${foreign}`);
    if (requests !== undefined && visit.requests.length > requests)
      throw new Error(`expected at most ${requests} requests, got ${visit.requests}`);
    return visit;
  }

  /** Opens a page with isolate.js, waits until that has done what it can, and compares the answer. */
  async expectIsolation(/** @type {string} */ url, /** @type {Wanted} */ wanted) {
    const browser = await this.#launch();
    const context = await browser.newContext();
    try {
      const page = await context.newPage();
      let loads = 0;
      page.on('load', () => loads++);
      await page.goto(url);
      const settled = async () => {
        const test = 'crossOriginIsolated || globalThis.wasmgradIsolation !== undefined';
        return page.evaluate(test).catch(() => false); // the page is being left
      };
      for (const end = Date.now() + PAGE_TIMEOUT_MS; !(await settled()); ) {
        if (Date.now() > end) throw new Error(`isolate.js came to no end after ${loads} loads`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      await page.waitForLoadState();
      await page.waitForFunction('globalThis.result', undefined, { timeout: PAGE_TIMEOUT_MS });
      expectAnswer(await page.evaluate('globalThis.result'), wanted);
      if (loads > 3) throw new Error(`expected at most two reloads, got ${loads - 1}`);
      await page.reload(); // the next visit needs none
      await page.waitForFunction('globalThis.result', undefined, { timeout: PAGE_TIMEOUT_MS });
      expectAnswer(await page.evaluate('globalThis.result'), wanted);
    } finally {
      await context.close();
    }
  }

  /** A page that loads one module script, in a folder of its own name. */
  html(/** @type {string} */ folder, /** @type {string} */ script, head = '') {
    fs.mkdirSync(folder, { recursive: true });
    const text = `<!doctype html><html lang="en"><meta charset="utf-8"><title>sample</title>${head}<script type="module" src="${script}"></script></html>`;
    fs.writeFileSync(path.join(folder, 'index.html'), text);
  }

  async close() {
    await this.#browser?.close();
    await Promise.all(this.#servers.map((server) => server.close()));
  }
}
