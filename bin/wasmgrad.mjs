#!/usr/bin/env node
// The command of the package: serves a folder with the headers that give its pages threads, or says what the library
// finds on this machine.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const HELP = `wasmgrad serve [folder]   serves a folder of pages on this machine, cross-origin isolated (threads)
  --port <n>          default 8080, or the next free one; 0 takes any
  --host <address>    default 127.0.0.1, this machine only
  --coep <value>      require-corp (default), credentialless, or none (pages without threads)
  --cors              let pages of other origins use the files

wasmgrad isolate [folder] copies isolate.js there: threads for sites whose server sends no headers
wasmgrad info             threads, SIMD, and why something is off here`;

const OPTIONS = /** @type {const} */ ({
  port: { type: 'string' },
  host: { type: 'string' },
  coep: { type: 'string' },
  cors: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
});

/** @param {ReturnType<typeof parse>['values']} values @param {string[]} folders */
async function serveFolder({ port, host, coep, cors }, folders) {
  if (folders.length > 1) throw new Error(`expected one folder, but got ${folders.join(', ')}`);
  if (port !== undefined && !/^\d+$/.test(port))
    throw new Error(`--port: expected a number, but got ${port}`);
  if (coep !== undefined && !['require-corp', 'credentialless', 'none'].includes(coep))
    throw new Error(`--coep: expected require-corp, credentialless or none, but got ${coep}`);
  const { serve } = await import('wasmgrad/serve');
  const isolate = coep === 'none' ? false : /** @type {'require-corp' | undefined} */ (coep);
  const [folder = '.'] = folders;
  const { url } = await serve({
    folder,
    ...(port !== undefined && { port: Number(port) }),
    ...(host !== undefined && { host }),
    ...(isolate !== undefined && { isolate }),
    ...(cors && { cors }),
  });
  const threads = isolate === false ? 'without threads' : 'cross-origin isolated';
  console.log(`${folder} is at ${url} (${threads}). Ctrl+C ends it.`);
}

/** @param {string[]} folders */
async function copyIsolate([folder = '.']) {
  const { copyFile } = await import('node:fs/promises');
  const target = path.join(folder, 'isolate.js');
  await copyFile(fileURLToPath(import.meta.resolve('wasmgrad/isolate.js')), target);
  console.log(`${target} is there. Load it first in your pages: <script src="isolate.js"></script>`);
}

async function info() {
  const torch = await import('wasmgrad');
  const found = await torch.init();
  console.log(`node ${process.versions.node}, ${process.platform} ${process.arch}`);
  console.log(`threads ${found.threads}, SIMD ${found.simd}, relaxed SIMD ${found.relaxedSimd}`);
  for (const reason of found.reasons) console.log(`- ${reason}`);
}

const parse = () => parseArgs({ options: OPTIONS, allowPositionals: true });

async function main() {
  const { values, positionals } = parse();
  const [command, ...rest] = positionals;
  if (values.help || command === undefined) return console.log(HELP);
  if (command === 'serve') return serveFolder(values, rest);
  if (command === 'isolate') return copyIsolate(rest);
  if (command === 'info') return info();
  throw new Error(`unknown command '${command}'; there are serve, isolate and info`);
}

await main().catch((error) => {
  console.error(`wasmgrad: ${error.message}`);
  process.exitCode = 1;
});
