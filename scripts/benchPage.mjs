// Builds the page of the benchmarks into build/bench, a folder that any server can serve. `--serve [port]` serves it
// here with the headers that give it threads.
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepare } from './bootstrap.mjs';

/** The folder with the finished page. */
export async function buildPage() {
  prepare();
  const { build, root } = await import('./build.mjs');
  const esbuild = await import('esbuild');
  const source = path.join(root, 'bench/page');
  const out = path.join(root, 'build/bench');
  await build('js');
  await esbuild.build({
    absWorkingDir: root,
    // Two bundles, so that the program whose start is measured loads the library by itself.
    entryPoints: ['page', 'program'].map((name) => path.join(source, `${name}.ts`)),
    outdir: out,
    tsconfigRaw: '{}',
    bundle: true,
    minify: true,
    keepNames: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    logLevel: 'warning',
  });
  for (const file of ['index.html', 'program.html', 'page.css'])
    fs.copyFileSync(path.join(source, file), path.join(out, file));
  return out;
}

async function main() {
  const [flag, port] = process.argv.slice(2);
  if (flag !== undefined && flag !== '--serve') {
    console.error(`unknown option '${flag}': expected --serve [port]`);
    process.exitCode = 2;
    return;
  }
  const folder = await buildPage();
  if (flag === undefined) return console.log(folder);
  const { serve } = await import(path.join(folder, '../../dist/serve/index.js'));
  const { url } = await serve({ folder, ...(port === undefined ? {} : { port: Number(port) }) });
  console.log(`the benchmarks are at ${url}`);
}

if (process.argv[1] && import.meta.url === pathToFileURL(fs.realpathSync(process.argv[1])).href) await main();
