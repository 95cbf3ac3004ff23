// Runs a TypeScript entry of this repository in this process, as a user's program would run: bundled on the fly, with
// `wasmgrad` and every package imported from where Node finds them. Arguments, signals and exit codes are the entry's.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { prepare } from './bootstrap.mjs';

/** Node 20 has relaxed SIMD behind a flag; the kernels are a third faster with it. */
async function allowRelaxedSimd() {
  if (Number(process.versions.node.split('.')[0]) > 20) return;
  const v8 = await import('node:v8');
  v8.setFlagsFromString('--experimental-wasm-relaxed-simd');
}

const [entry, ...args] = process.argv.slice(2);
if (!entry || !fs.existsSync(entry)) {
  console.error(`usage: node scripts/run.mjs <entry.ts> [arguments]${entry ? `; there is no ${entry}` : ''}`);
  process.exit(2);
}
prepare();
// In a process of its own: what the compilers take would count as memory of the program.
const bundler = fileURLToPath(new URL('bundle.mjs', import.meta.url));
const { status, stdout } = spawnSync(process.execPath, [bundler, entry], {
  stdio: ['ignore', 'pipe', 'inherit'],
  encoding: 'utf8',
});
if (status !== 0) process.exit(status ?? 130);
const file = stdout.trim();
await allowRelaxedSimd();
process.setSourceMapsEnabled(true);
process.argv = [process.argv[0], file, ...args];
try {
  await import(pathToFileURL(file).href);
} catch (error) {
  const { code = '', message } = /** @type {{ code?: string, message: string }} */ (error);
  if (!code.startsWith('ERR_PARSE_ARGS')) throw error;
  console.error(message.split('.')[0]);
  process.exitCode = 2;
}
