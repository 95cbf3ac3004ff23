// Bundles a TypeScript entry of this repository into one file that Node runs as a user's program: `wasmgrad` and every
// package are imported from where Node finds them. `node scripts/bundle.mjs <entry.ts>` prints the file's path.
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * Builds the library first, where it changed. Resolves with the path of the bundle.
 * @param {string} entry path from the root
 */
export async function bundle(entry) {
  const { build, root, writeIfChanged } = await import('./build.mjs');
  await build('js');
  const esbuild = await import('esbuild');
  const out = `build/run/${entry.replaceAll('/', '-').replace(/\.ts$/, '.mjs')}`;
  const { outputFiles } = await esbuild.build({
    absWorkingDir: root,
    entryPoints: [path.join(root, entry)],
    outfile: path.join(root, out), // for the source map; written below, and only when it changed
    tsconfigRaw: '{}',
    bundle: true,
    write: false,
    sourcemap: 'inline',
    format: 'esm',
    platform: 'node',
    packages: 'external',
    target: 'node20',
  });
  writeIfChanged(out, outputFiles[0].contents);
  return path.join(root, out);
}

if (process.argv[1] && import.meta.url === pathToFileURL(fs.realpathSync(process.argv[1])).href)
  bundle(process.argv[2]).then(console.log, (error) => {
    console.error(`build failed: ${error.message}`);
    process.exitCode = 1;
  });
