// What a fresh clone needs before anything else can run: a Node that is new enough and the packages of the lock file.
// Built-in modules only: this file runs while node_modules is still missing.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const MINIMUM_NODE = [20, 16];

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > MINIMUM_NODE[0] || (major === MINIMUM_NODE[0] && minor >= MINIMUM_NODE[1])) return;
  console.error(`wasmgrad needs Node ${MINIMUM_NODE.join('.')} or newer; this is ${process.versions.node}.`);
  process.exit(1);
}

/** Whether every package that the lock file demands is installed in exactly that version. */
function installedAsLocked() {
  const read = (/** @type {string} */ file) => {
    const { packages } = JSON.parse(fs.readFileSync(path.join(root, file), 'utf8'));
    return /** @type {Record<string, { version?: string, optional?: boolean }>} */ (packages);
  };
  if (!fs.existsSync(path.join(root, 'node_modules/.package-lock.json'))) return false;
  const wanted = read('package-lock.json');
  const present = read('node_modules/.package-lock.json');
  return Object.entries(wanted).every(
    ([name, { version, optional }]) => name === '' || optional || present[name]?.version === version,
  );
}

function installPackages() {
  if (installedAsLocked()) return;
  console.error('installing the packages of package-lock.json (once, about 20 seconds) …');
  const npm = process.env.npm_execpath;
  const [command, first] = npm ? [process.execPath, [npm]] : ['npm', []];
  const result = spawnSync(command, [...first, 'ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: !npm && process.platform === 'win32',
  });
  if (result.status === 0) return;
  console.error(`npm ci failed (${result.error?.message ?? `exit code ${result.status}`}).`);
  process.exit(1);
}

/** Makes sure that the scripts can import their packages; ends the process with a message if they cannot. */
export function prepare() {
  checkNode();
  installPackages();
}
