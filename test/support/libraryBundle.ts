/**
 * The library's sources as few files, for tests. Each file of tests has a process or page of its own, which would ask for
 * 300 modules one by one: half of the time of most of them. Tests import `src/…` as before; this plugin says where it lies.
 * Left out where somebody measures coverage or watches files, which need the sources themselves.
 */
import fs from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import type { Plugin } from 'vite';
import { filesBelow, root, writeIfChanged } from '../../scripts/build.mjs';

const FOLDER = 'build/testLibrary';
/** For Vitest: what Node imports as it is. */
export const BUNDLED: RegExp = /\/build\/testLibrary\//;
const IMPORTERS = ['test', 'bench', 'demo', 'scripts'];
const IMPORT = /(?:\bfrom|\bimport\()\s*'(\.[^']*\/src\/[^']+\.ts)'/g;

/** The modules of the library that anything outside of it imports: only these can be told apart in the bundle. */
function importedModules(): Set<string> {
  const found = new Set<string>();
  for (const file of IMPORTERS.flatMap(filesBelow)) {
    if (!/\.(tsx?|mjs)$/.test(file) || file.includes('/node_modules/')) continue;
    for (const [, specifier] of fs.readFileSync(path.join(root, file), 'utf8').matchAll(IMPORT))
      found.add(path.posix.join(path.posix.dirname(file), specifier));
  }
  return found;
}

export async function libraryBundle(): Promise<Plugin> {
  const modules = importedModules();
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [...modules],
    outbase: 'src',
    outdir: FOLDER,
    chunkNames: 'chunks/[hash]',
    tsconfigRaw: '{}',
    bundle: true,
    splitting: true,
    write: false,
    keepNames: true,
    sourcemap: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    external: ['webgpu', 'koffi', '@resvg/resvg-js'],
    logLevel: 'warning',
  });
  const written = new Set<string>();
  for (const { path: file, contents } of outputFiles) {
    const name = path.relative(root, file).split(path.sep).join('/');
    writeIfChanged(name, contents);
    written.add(name);
  }
  for (const file of filesBelow(FOLDER)) if (!written.has(file)) fs.rmSync(path.join(root, file));

  const sources = `${root}/src/`;
  return {
    name: 'library-bundle',
    enforce: 'pre',
    resolveId(specifier, importer) {
      if (importer === undefined || !specifier.startsWith('.')) return null;
      const file = path.resolve(path.dirname(importer.replace(/\?.*$/, '')), specifier);
      if (!file.startsWith(sources)) return null;
      const name = path.relative(root, file).split(path.sep).join('/');
      if (!modules.has(name))
        throw new Error(`${importer} imports ${name} in a way that ${FOLDER} does not know`);
      return path.join(root, FOLDER, path.relative(sources, file).replace(/\.ts$/, '.js'));
    },
  };
}
