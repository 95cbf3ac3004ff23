// Runs a TypeScript entry of this repository in this process, as a user's program would run: bundled on the fly, with
// `wasmgrad` and every package imported from where Node finds them. Arguments, signals and exit codes are the entry's.
import fs from 'node:fs';
import { pathToFileURL } from 'node:url';
import { prepare } from './bootstrap.mjs';
import { bundle } from './bundle.mjs';

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
const file = await bundle(entry).catch((error) => {
  console.error(`build failed: ${error.message}`);
  process.exit(1);
});
await allowRelaxedSimd();
process.setSourceMapsEnabled(true);
process.argv = [process.argv[0], file, ...args];
await import(pathToFileURL(file).href);
