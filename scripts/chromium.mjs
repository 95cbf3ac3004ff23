// Finds the Chromium or Chrome that the browser tests run in; where that is allowed, installs the distribution's.
// Built-in modules only.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const COMMANDS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
const FIXED_PLACES = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe',
];
const PACKAGES = ['chromium', 'libvulkan1'];

/** A launcher may be there without its browser (Ubuntu's snap stub), so ask it. On Windows that would open a window. */
function starts(/** @type {string} */ file) {
  if (!fs.existsSync(file)) return false;
  return process.platform === 'win32' || spawnSync(file, ['--version'], { timeout: 20_000 }).status === 0;
}

/** The path of an installed browser, or undefined. `CHROMIUM` in the environment decides alone. */
export function findChromium() {
  const named = process.env.CHROMIUM;
  if (named) {
    if (starts(named)) return named;
    throw new Error(`CHROMIUM names '${named}', which does not start.`);
  }
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  const candidates = COMMANDS.flatMap((command) => folders.map((folder) => path.join(folder, command)));
  return [...candidates, ...FIXED_PLACES].find(starts);
}

/**
 * Finds a browser, installing one where the system's package manager is ours to use (root on Debian or Ubuntu).
 * @returns {{ path: string } | { missing: string }} `missing` is the reason, in words for the user
 */
export function ensureChromium() {
  const found = findChromium();
  if (found) return { path: found };
  const advice = 'install Chromium or Chrome, or set CHROMIUM to the path of one';
  const hasApt = process.platform === 'linux' && fs.existsSync('/usr/bin/apt-get');
  if (!hasApt || process.getuid?.() !== 0) return { missing: `no Chromium or Chrome was found; ${advice}` };

  console.error(`no Chromium was found; installing ${PACKAGES.join(' and ')} with apt-get …`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (/** @type {string[]} */ ...args) =>
    spawnSync('apt-get', args, { env, stdio: ['ignore', 'ignore', 2] }).status === 0;
  const installed =
    apt('update', '-qq') && apt('install', '-qq', '-y', '--no-install-recommends', ...PACKAGES);
  const fresh = installed ? findChromium() : undefined;
  return fresh ? { path: fresh } : { missing: `apt-get could not install Chromium; ${advice}` };
}
