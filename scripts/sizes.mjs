// What programs weigh: bundled for a page from dist, minified and gzipped, kernels and worker included.
import path from 'node:path';
import { gzipSync } from 'node:zlib';

/** Programs by what they use. The imports by subpath are what every bundler can shake. */
export const PROGRAMS = {
  /** Every public name of the main entry, with nn, optim and data. */
  everything: `import * as torch from 'wasmgrad'; globalThis.torch = torch;`,
  /** The tutorial: bare tensors, and the same with modules. */
  tutorial: `
    import { arange, cat, cos, exp, log, manualSeed, maximum, noGrad, randn, sin, sqrt, sum, tensor, zeros } from 'wasmgrad';
    import { DataLoader, randomSplit } from 'wasmgrad/data';
    import { Linear, Module } from 'wasmgrad/nn';
    import { crossEntropy, relu } from 'wasmgrad/nn/functional';
    import { SGD } from 'wasmgrad/optim';
    globalThis.used = [arange, cat, cos, exp, log, manualSeed, maximum, noGrad, randn, sin, sqrt, sum, tensor, zeros,
      DataLoader, randomSplit, Linear, Module, crossEntropy, relu, SGD];`,
  /** Tensors with all their methods, and derivatives. */
  tensors: `import { tensor } from 'wasmgrad'; globalThis.tensor = tensor;`,
};

/** Bytes of a program, minified and gzipped: of what it loads at once, without what it may import later. */
export async function sizeOf(/** @type {string} */ program, /** @type {string} */ root) {
  const esbuild = await import('esbuild');
  const { outputFiles, metafile } = await esbuild.build({
    absWorkingDir: root,
    splitting: true,
    metafile: true,
    outdir: path.join(root, 'unused'),
    stdin: { contents: program, resolveDir: root },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    charset: 'utf8',
    write: false,
    logLevel: 'silent',
    conditions: ['browser'],
  });
  const loaded = new Set(
    Object.keys(metafile.outputs).filter((file) => metafile.outputs[file].entryPoint === '<stdin>'),
  );
  for (const file of loaded) {
    for (const { path: to, kind } of metafile.outputs[file].imports)
      if (kind === 'import-statement') loaded.add(to);
  }
  const text = outputFiles
    .filter((file) => loaded.has(path.relative(root, file.path).split(path.sep).join('/')))
    .map((file) => file.text)
    .join('');
  return gzipSync(text, { level: 9 }).length;
}

/** @returns {Promise<Record<keyof typeof PROGRAMS, number>>} bytes of each program */
export async function sizes(/** @type {string} */ root) {
  const entries = await Promise.all(
    Object.entries(PROGRAMS).map(async ([name, program]) => [
      name,
      await sizeOf(program, path.resolve(root)),
    ]),
  );
  return Object.fromEntries(entries);
}
