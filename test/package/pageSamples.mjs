// Pages: built by each bundler, and served in each of the ways that matter to the library.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { expectAnswer } from './expected.mjs';
import { tool } from './samples.mjs';

/** @typedef {import('./samples.mjs').Sample} Sample */

const CSP = `script-src 'self' 'wasm-unsafe-eval'`;
const NOT_ISOLATED = /threads are off: the page is not cross-origin isolated/;
const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/** @returns {Sample[]} */
export function pageSamples(/** @type {import('./samples.mjs').Samples} */ samples) {
  return [...bundlers(samples), ...servings(samples)];
}

/** One page script, bundled by esbuild; used by the samples that are about something else. */
async function bundled(/** @type {import('./samples.mjs').Samples} */ samples, /** @type {string} */ name) {
  const folder = samples.project(name);
  const esbuild = await import('esbuild');
  const { warnings } = await esbuild.build({
    absWorkingDir: folder,
    entryPoints: ['page.js', 'serviceWorker.js', 'serviceWorkerPage.js'],
    outdir: path.join(folder, 'site'),
    entryNames: '[name].bundle',
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
  });
  assert.deepEqual(warnings, []);
  samples.html(path.join(folder, 'site'), 'page.bundle.js');
  return path.join(folder, 'site');
}

/** @returns {Sample[]} */
function bundlers(/** @type {import('./samples.mjs').Samples} */ samples) {
  /** The page's own numbers, and those of its worker. */
  const expectWithWorker = async (/** @type {string} */ url) => {
    const { answer } = await samples.expectPage(url, { threads: 2 });
    expectAnswer(answer.inWorker, { threads: 2 });
    assert.deepEqual(answer.reports, ['started']);
  };
  return [
    {
      name: 'esbuild',
      run: async () => {
        const { url } = await samples.serve({ folder: await bundled(samples, 'esbuild') });
        await samples.expectPage(url, { threads: 2, requests: 2 });
      },
    },
    {
      name: 'Vite, build',
      slow: true,
      run: async () => {
        const folder = samples.project('vite');
        samples.html(folder, '/pageWithWorker.js');
        const { build } = await import('vite');
        await build({ root: folder, configFile: false, logLevel: 'error', worker: { format: 'es' } });
        const { url } = await samples.serve({ folder: path.join(folder, 'dist') });
        await expectWithWorker(url);
      },
    },
    {
      name: 'Vite, dev',
      slow: true,
      run: async () => {
        const folder = samples.project('vite-dev');
        samples.html(folder, '/pageWithWorker.js');
        const { createServer } = await import('vite');
        const server = await createServer({
          root: folder,
          configFile: false,
          logLevel: 'error',
          server: { headers: ISOLATION, port: 0 },
        });
        try {
          await server.listen();
          await expectWithWorker(server.resolvedUrls?.local[0] ?? '');
        } finally {
          await server.close();
        }
      },
    },
    {
      name: 'webpack 5',
      slow: true,
      run: async () => {
        const folder = samples.project('webpack');
        const webpack = await tool(samples.tools('bundlers'), 'webpack');
        const stats = await new Promise((resolve, reject) => {
          const output = { path: path.join(folder, 'dist') };
          const config = { mode: 'production', context: folder, entry: './pageWithWorker.js', output };
          webpack(config, (/** @type {unknown} */ error, /** @type {any} */ result) =>
            error ? reject(error) : resolve(result),
          );
        });
        const { errors, warnings } = stats.toJson({ all: false, errors: true, warnings: true });
        const own = warnings.filter(
          (/** @type {any} */ { message }) => !/size limit|performance/.test(message),
        );
        assert.deepEqual([errors, own], [[], []]);
        samples.html(path.join(folder, 'dist'), 'main.js');
        const { url } = await samples.serve({ folder: path.join(folder, 'dist') });
        await expectWithWorker(url);
      },
    },
    {
      name: 'Rollup',
      slow: true,
      run: async () => {
        const folder = samples.project('rollup');
        const modules = samples.tools('bundlers');
        const [{ rollup }, resolve, terser] = await Promise.all(
          ['rollup', '@rollup/plugin-node-resolve', '@rollup/plugin-terser'].map((name) =>
            tool(modules, name),
          ),
        );
        /** @type {string[]} */
        const warnings = [];
        const bundle = await rollup({
          input: path.join(folder, 'page.js'),
          plugins: [resolve({ browser: true }), terser()],
          onwarn: (/** @type {{ message: string }} */ { message }) => warnings.push(message),
        });
        await bundle.write({ file: path.join(folder, 'dist/page.js'), format: 'es' });
        assert.deepEqual(warnings, []);
        samples.html(path.join(folder, 'dist'), 'page.js');
        const { url } = await samples.serve({ folder: path.join(folder, 'dist') });
        await samples.expectPage(url, { threads: 2, requests: 2 });
      },
    },
    {
      name: 'Parcel',
      slow: true,
      run: async () => {
        const folder = samples.project('parcel');
        const settings = {
          private: true,
          '@parcel/resolver-default': { packageExports: true },
          '@parcel/bundler-default': { minBundleSize: 1_000_000 }, // docs/guides/training-in-a-worker.md says why
        };
        fs.writeFileSync(path.join(folder, 'package.json'), JSON.stringify(settings));
        samples.html(folder, './pageWithWorker.js');
        const cli = path.join(samples.tools('parcel'), 'parcel/lib/bin.js');
        const flags = ['build', 'index.html', '--no-cache', '--no-autoinstall', '--no-source-maps'];
        samples.command(process.execPath, [cli, ...flags], { cwd: folder });
        const { url } = await samples.serve({ folder: path.join(folder, 'dist') });
        await expectWithWorker(url);
      },
    },
    {
      name: 'Next, client component',
      slow: true,
      run: async () => {
        const modules = samples.tools('next');
        const folder = path.dirname(modules);
        samples.install(folder);
        fs.cpSync(path.join(samples.here, 'app/check.js'), path.join(folder, 'app/check.js'));
        const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1', CI: '1' };
        samples.command(process.execPath, [path.join(modules, 'next/dist/bin/next'), 'build'], {
          cwd: folder,
          env,
        });
        const { url } = await samples.serve({ folder: path.join(folder, 'out') });
        await samples.expectPage(url, { threads: 2 });
      },
    },
  ];
}

/** @returns {Sample[]} */
function servings(/** @type {import('./samples.mjs').Samples} */ samples) {
  /** @type {Promise<string> | undefined} */
  let site;
  const shared = () => {
    site ??= bundled(samples, 'served');
    return site;
  };
  /** The files of the package in a folder, and a page that imports them by an import map. */
  const plain = (/** @type {string} */ name, /** @type {string} */ library) => {
    const folder = samples.project(name);
    const imports = { wasmgrad: library };
    samples.html(folder, './page.js', `<script type="importmap">${JSON.stringify({ imports })}</script>`);
    return folder;
  };
  const withPolicy = async (/** @type {string} */ policy, headers = {}) => {
    const folder = await shared();
    const worker = path.join(samples.work, 'served/node_modules/wasmgrad/dist/worker.js');
    fs.cpSync(worker, path.join(folder, 'worker.js'));
    return samples.serve({ folder, headers: { 'Content-Security-Policy': policy, ...headers } });
  };
  return [
    {
      name: 'plain page, the package in a static folder',
      run: async () => {
        const folder = plain('plain', './lib/dist/index.js');
        fs.renameSync(path.join(folder, 'node_modules/wasmgrad'), path.join(folder, 'lib'));
        await samples.expectPage((await samples.serve({ folder })).url, { threads: 2 });
      },
    },
    {
      name: 'plain page, wasmgrad.min.js',
      run: async () => {
        const folder = plain('minified', './wasmgrad.min.js');
        const file = path.join(folder, 'node_modules/wasmgrad/dist/wasmgrad.min.js');
        fs.cpSync(file, path.join(folder, 'wasmgrad.min.js'));
        await samples.expectPage((await samples.serve({ folder })).url, { threads: 2, requests: 4 });
      },
    },
    {
      name: 'page on one origin, library on another',
      run: async () => {
        const library = samples.project('cdn');
        const cdn = await samples.serve({ folder: path.join(library, 'node_modules/wasmgrad'), cors: true });
        const folder = plain('cross-origin', `${cdn.url}dist/index.js`);
        // The page cannot be isolated from its CDN's files, but it can be from everything else.
        const { answer, requests } = await samples.visit((await samples.serve({ folder })).url);
        expectAnswer(answer, { threads: 2 });
        assert.ok(requests.some((request) => request.startsWith(cdn.url)));
      },
    },
    {
      name: 'page without isolation',
      run: async () => {
        const { url } = await samples.serve({ folder: await shared(), isolate: false });
        await samples.expectPage(url, { threads: 1, why: NOT_ISOLATED });
      },
    },
    {
      name: 'page that isolate.js isolates',
      run: async () => {
        const folder = samples.project('isolate');
        fs.cpSync(await shared(), path.join(folder, 'site'), { recursive: true });
        samples.html(path.join(folder, 'site'), 'page.bundle.js', '<script src="isolate.js"></script>');
        const cli = path.join(folder, 'node_modules/wasmgrad/bin/wasmgrad.mjs');
        samples.command(process.execPath, [cli, 'isolate', 'site'], { cwd: folder });
        const { url } = await samples.serve({ folder: path.join(folder, 'site'), isolate: false });
        await samples.expectIsolation(url, { threads: 2 });
      },
    },
    {
      name: 'page that isolate.js cannot isolate, without a loop',
      run: async () => {
        const folder = path.join(samples.work, 'isolate/site');
        const headers = { 'Content-Security-Policy': `${CSP}; worker-src blob:` }; // refuses the service worker
        const { url } = await samples.serve({ folder, isolate: false, headers });
        await samples.expectIsolation(url, { threads: 1, why: /isolate\.js could not isolate the page: / });
      },
    },
    {
      name: `page with the policy ${CSP}; worker-src blob:`,
      run: async () => {
        const { url } = await withPolicy(`${CSP}; worker-src blob:`);
        await samples.expectPage(url, { threads: 2 });
      },
    },
    {
      name: `page with the policy ${CSP}`,
      run: async () => {
        const { url } = await withPolicy(CSP);
        await samples.expectPage(url, { threads: 1, why: /threads are off: .*worker-src blob:/ });
      },
    },
    {
      name: `page with the policy ${CSP} and workerURL`,
      run: async () => {
        const { url } = await withPolicy(CSP);
        await samples.expectPage(url, { threads: 2, query: '?workerURL=/worker.js' });
      },
    },
    {
      name: 'page whose policy refuses WebAssembly',
      run: async () => {
        const { url } = await withPolicy(`script-src 'self'`);
        const { answer } = await samples.visit(url);
        assert.match(answer.error ?? '', /DeviceError: .*'wasm-unsafe-eval'/);
      },
    },
    {
      name: 'service worker, as of an extension',
      run: async () => {
        const folder = await shared();
        fs.mkdirSync(path.join(folder, 'sw'), { recursive: true });
        fs.cpSync(path.join(folder, 'serviceWorkerPage.bundle.js'), path.join(folder, 'sw/page.js'));
        samples.html(path.join(folder, 'sw'), 'page.js');
        const { url } = await samples.serve({ folder });
        const { answer } = await samples.expectPage(`${url}sw/`, { threads: 1, why: /no Worker|isolated/ });
        assert.deepEqual(answer.missing, ['undefined', 'undefined', 'undefined']);
      },
    },
  ];
}
