// Programs for Node, made by each bundler that makes such, with the library inside.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { expectAnswer } from './expected.mjs';
import { tool } from './samples.mjs';

/** @typedef {import('./samples.mjs').Sample} Sample */

const ENTRIES = ['node.js', 'training.js'];

/** What the parts of the library say that take Node's own modules, or what is loaded on demand. */
const PARTS = {
  oneLibrary: true,
  saved: 'tensor([1., 1.])',
  summed: 'tensor([1., 1.])',
  served: true,
  missing: /^DataError: MNIST: expected train-labels-idx1-ubyte/,
  webgpu: /^DeviceError: webgpu: Node has no WebGPU of its own; install the package 'webgpu'/,
};

/** @returns {Sample[]} */
export function nodeBundles(/** @type {import('./samples.mjs').Samples} */ samples) {
  /**
   * Makes a program and runs it where there is no package.
   * @param {string} name
   * @param {(folder: string, out: string) => Promise<void>} make leaves node.* and training.* in `out`
   * @param {{ slow?: boolean, ending?: string }} [options]
   * @returns {Sample}
   */
  const program = (name, make, { slow = false, ending = 'mjs' } = {}) => ({
    name: `${name}, for Node`,
    slow,
    run: async () => {
      const folder = samples.project(name.replace(/\W+/g, '-'));
      const out = path.join(samples.work, `${path.basename(folder)}-made`);
      await make(folder, out);
      const [main, training] = ENTRIES.map((file) => file.replace(/js$/, ending));
      const stdout = samples.command(process.execPath, [main, training], { cwd: out });
      const { parts, inWorker, ...answer } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
      expectAnswer(answer, { threads: 2 });
      expectAnswer(inWorker, { threads: 2 });
      for (const [part, wanted] of Object.entries(PARTS))
        if (wanted instanceof RegExp) assert.match(parts[part], wanted);
        else assert.equal(parts[part], wanted, part);
    },
  });
  const byEsbuild = (/** @type {'esm' | 'cjs'} */ format) =>
    program(
      `esbuild, ${format}`,
      async (folder, out) => {
        const esbuild = await import('esbuild');
        const { warnings } = await esbuild.build({
          absWorkingDir: folder,
          entryPoints: ENTRIES,
          outdir: out,
          outExtension: { '.js': ending(format) },
          bundle: true,
          platform: 'node',
          format,
        });
        assert.deepEqual(warnings, []);
      },
      { ending: ending(format).slice(1) },
    );
  return [
    byEsbuild('esm'),
    byEsbuild('cjs'),
    program(
      'Vite, ssr',
      async (folder, out) => {
        const { build } = await import('vite');
        await build({
          root: folder,
          configFile: false,
          logLevel: 'error',
          build: {
            ssr: true,
            outDir: out,
            rollupOptions: { input: ENTRIES.map((file) => path.join(folder, file)) },
          },
          ssr: { noExternal: true },
        });
        fs.writeFileSync(path.join(out, 'package.json'), '{ "type": "module" }');
      },
      { slow: true, ending: 'js' },
    ),
    program(
      'Rollup',
      async (folder, out) => {
        const modules = samples.tools('bundlers');
        const [{ rollup }, resolve] = await Promise.all(
          ['rollup', '@rollup/plugin-node-resolve'].map((name) => tool(modules, name)),
        );
        /** @type {string[]} */
        const warnings = [];
        const bundle = await rollup({
          input: ENTRIES.map((file) => path.join(folder, file)),
          plugins: [resolve({ exportConditions: ['node'] })],
          external: /^node:/,
          onwarn: (/** @type {{ message: string }} */ { message }) => warnings.push(message),
        });
        await bundle.write({ dir: out, format: 'es', entryFileNames: '[name].mjs' });
        assert.deepEqual(warnings, []);
      },
      { slow: true },
    ),
    program(
      'webpack 5, node',
      async (folder, out) => {
        const webpack = await tool(samples.tools('bundlers'), 'webpack');
        const stats = await new Promise((resolve, reject) => {
          const entry = Object.fromEntries(ENTRIES.map((file) => [path.parse(file).name, `./${file}`]));
          const output = { path: out, filename: '[name].cjs' };
          const config = { mode: 'production', target: 'node', context: folder, entry, output };
          webpack(config, (/** @type {unknown} */ error, /** @type {any} */ result) =>
            error ? reject(error) : resolve(result),
          );
        });
        const { errors } = stats.toJson({ all: false, errors: true });
        assert.deepEqual(errors, []);
      },
      { slow: true, ending: 'cjs' },
    ),
  ];
}

const ending = (/** @type {'esm' | 'cjs'} */ format) => (format === 'esm' ? '.mjs' : '.cjs');
