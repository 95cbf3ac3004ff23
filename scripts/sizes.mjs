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

/** Bytes that a page loads for a program, minified and gzipped; what is loaded on demand (WebGPU) is not in it. */
export async function sizeOf(/** @type {string} */ program, /** @type {string} */ root) {
  const esbuild = await import('esbuild');
  const { outputFiles, metafile } = await esbuild.build({
    absWorkingDir: root,
    stdin: { contents: program, resolveDir: root },
    outdir: path.join(root, 'unused'),
    tsconfigRaw: '{}', // this repository's would lead to the sources
    bundle: true,
    splitting: true,
    minify: true,
    metafile: true,
    format: 'esm',
    target: 'es2022',
    charset: 'utf8',
    write: false,
    logLevel: 'silent',
    conditions: ['browser'],
  });
  const [entry] = Object.entries(metafile.outputs).flatMap(([file, { entryPoint }]) =>
    entryPoint === '<stdin>' ? [file] : [],
  );
  const loaded = new Set([entry]);
  for (const file of loaded)
    for (const { path: other, kind } of metafile.outputs[file].imports)
      if (kind === 'import-statement') loaded.add(other);
  return outputFiles
    .filter((file) => loaded.has(path.relative(root, file.path).split(path.sep).join('/')))
    .reduce((sum, { contents }) => sum + gzipSync(contents, { level: 9 }).length, 0);
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
