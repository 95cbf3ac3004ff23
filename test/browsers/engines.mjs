// Browser engines of a Debian machine, each behind the same three functions.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ensureChromium } from '../../scripts/chromium.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const MINI_BROWSER = '/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser';
const DISPLAY = ':77';

/** An engine that is not to be had on this machine; the message says why. */
export class Missing extends Error {}

/**
 * @typedef {{ evaluate(expression: string): Promise<unknown>, open(url: string): Promise<void>,
 *   close(): Promise<void>, version: string }} Engine
 */

/** Installs packages where the package manager is ours to use. */
function install(/** @type {string[]} */ packages, /** @type {string[]} */ files) {
  const isThere = () => files.every((file) => fs.existsSync(file));
  if (isThere()) return;
  const isOurs =
    process.platform === 'linux' && fs.existsSync('/usr/bin/apt-get') && process.getuid?.() === 0;
  if (!isOurs)
    throw new Missing(`${files.join(', ')} not found, and no apt-get to install ${packages.join(', ')}`);
  console.error(`installing ${packages.join(', ')} with apt-get …`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  /** @type {import('node:child_process').SpawnSyncOptions} */
  const options = { env, stdio: ['ignore', 'ignore', 2] };
  spawnSync('apt-get', ['update', '-qq'], options);
  spawnSync('apt-get', ['install', '-qq', '-y', '--no-install-recommends', ...packages], options);
  if (!isThere()) throw new Missing(`apt-get could not install ${packages.join(', ')}`);
}

/** A package with a lock file of its own beside this file, installed when first asked for. */
async function driver(/** @type {string} */ name) {
  if (!fs.existsSync(path.join(here, 'node_modules', name))) {
    const flags = [
      'ci',
      '--include=dev', // Vite, run in this process before, has set NODE_ENV to production
      '--no-audit',
      '--no-fund',
      '--ignore-scripts',
      '--loglevel=error',
      '--prefer-offline',
    ];
    const { status, stderr } = spawnSync('npm', flags, { cwd: here, encoding: 'utf8' });
    if (status !== 0) throw new Missing(`npm ci in test/browsers failed: ${stderr.slice(0, 300)}`);
  }
  const require = createRequire(path.join(here, 'x.js'));
  const module = await import(pathToFileURL(require.resolve(name)).href);
  return module.default ?? module;
}

/** @returns {Promise<Engine>} */
async function chromium() {
  const found = ensureChromium();
  if ('missing' in found) throw new Missing(found.missing);
  const playwright = await import('playwright');
  const args = ['--no-sandbox', '--no-first-run', '--disable-background-networking', '--disable-sync'];
  const browser = await playwright.chromium.launch({ executablePath: found.path, args });
  const page = await browser.newPage();
  return {
    version: browser.version(),
    open: async (url) => void (await page.goto(url)),
    evaluate: (expression) => page.evaluate(expression),
    close: () => browser.close(),
  };
}

/** @returns {Promise<Engine>} */
async function firefox() {
  const executablePath = '/usr/bin/firefox-esr';
  install(['firefox-esr'], [executablePath]);
  const puppeteer = await driver('puppeteer-core');
  const browser = await puppeteer.launch({ browser: 'firefox', executablePath, headless: true });
  const page = await browser.newPage();
  return {
    version: await browser.version(),
    open: async (url) => void (await page.goto(url)),
    evaluate: (expression) => page.evaluate(expression),
    close: () => browser.close(),
  };
}

/** @returns {Promise<Engine>} */
async function webkit() {
  install(['webkit2gtk-driver', 'xvfb'], ['/usr/bin/WebKitWebDriver', MINI_BROWSER, '/usr/bin/Xvfb']);
  const { Builder, Capabilities } = await driver('selenium-webdriver');
  const port = 20_000 + (process.pid % 20_000);
  const env = {
    ...process.env,
    DISPLAY,
    WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1', // root has no user namespaces
    WEBKIT_DISABLE_DMABUF_RENDERER: '1',
    LIBGL_ALWAYS_SOFTWARE: '1',
  };
  const screen = spawn('Xvfb', [DISPLAY, '-screen', '0', '1024x768x24', '-nolisten', 'tcp'], {
    stdio: 'ignore',
  });
  const server = spawn('WebKitWebDriver', [`--port=${port}`], { env, stdio: 'ignore' });
  const end = () => {
    server.kill();
    screen.kill();
  };
  try {
    await untilAnswers(`http://127.0.0.1:${port}/status`);
    const capabilities = new Capabilities({
      browserName: 'MiniBrowser',
      'webkitgtk:browserOptions': { binary: MINI_BROWSER, args: ['--automation'] },
    });
    const session = await new Builder()
      .withCapabilities(capabilities)
      .usingServer(`http://127.0.0.1:${port}`)
      .build();
    await session.manage().setTimeouts({ pageLoad: 120_000, script: 120_000 });
    const found = await session.getCapabilities();
    return {
      version: String(found.get('browserVersion')),
      open: (url) => session.get(url),
      evaluate: (expression) => session.executeScript(`return ${expression}`),
      close: async () => {
        await session.quit().catch(() => {});
        end();
      },
    };
  } catch (error) {
    end();
    throw error;
  }
}

async function untilAnswers(/** @type {string} */ url) {
  for (
    const end = Date.now() + 30_000;
    Date.now() < end;
    await new Promise((resolve) => setTimeout(resolve, 100))
  ) {
    const answered = await fetch(url).then(
      () => true,
      () => false,
    );
    if (answered) return;
  }
  throw new Error(`${url} does not answer`);
}

/** @type {Record<string, () => Promise<Engine>>} */
export const engines = { Chromium: chromium, Firefox: firefox, WebKitGTK: webkit };
