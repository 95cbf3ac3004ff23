/** `npm run bench:gpu`: wasmgrad on WebGPU beside tfjs, jax-js and onnxruntime-web, in one page or in Node. `--help` tells the options. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { type BuildOptions, build } from 'esbuild';
import { chromium } from 'playwright';
import { serve } from 'wasmgrad/serve';
import { writeBetweenMarkers } from '../report/markers.ts';
import { type Entry, figure, type Report, type Settings, tableOf } from './report.ts';

const HELP = `Measures wasmgrad on WebGPU beside other libraries, in one page of Chromium or Chrome.

  npm run bench:gpu -- [options]

  --node         in Node, through Dawn (the package webgpu), where there is no browser
  --serve        only serve the page, to be opened in any browser
  --headed       show the browser's window
  --tiny         the smallest works, once: does everything run?
  --swiftshader  on the processor, where there is no GPU (its figures say nothing about one)
  --out FILE     where the figures go                  (bench/results/gpu.json)
  --write        put the table into BENCHMARKS.md, between its markers
  --help         this text

CHROMIUM in the environment names the browser (/usr/bin/chromium).`;

const FULL: Settings = { tiny: false, rounds: 7, sampleMs: 50 };
const TINY: Settings = { tiny: true, rounds: 1, sampleMs: 0 };
const peers = path.resolve('bench/peers');
const out = path.resolve('build/bench-gpu');

/** The other libraries, if they are not there yet. */
function install(): void {
  if (fs.existsSync(path.join(peers, 'node_modules/@tensorflow/tfjs-backend-webgpu'))) return;
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  execFileSync(npm, ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: peers,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
}

const BUILD: BuildOptions = {
  tsconfigRaw: '{}',
  // In Node too it is what pages load.
  alias: { wasmgrad: path.resolve('dist/index.js') },
  nodePaths: [path.join(peers, 'node_modules')],
  bundle: true,
  format: 'esm',
  target: 'es2022',
  logLevel: 'error',
};

/** The same for Node: one file, whose path is returned. */
async function buildForNode(): Promise<string> {
  const outfile = path.join(out, 'node.mjs');
  await build({
    ...BUILD,
    entryPoints: ['bench/gpu/node.ts'],
    outfile,
    platform: 'node',
    // The libraries' modules for pages, and what CommonJS ones among them ask Node for.
    mainFields: ['module', 'main'],
    external: ['webgpu'],
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
  });
  return outfile;
}

/** The page with everything that it loads, in a folder that any server can serve. */
async function buildPage(): Promise<void> {
  await build({
    ...BUILD,
    entryPoints: ['bench/gpu/page.ts'],
    outdir: out,
    splitting: true,
    minify: true,
    platform: 'browser',
  });
  fs.copyFileSync('bench/gpu/index.html', path.join(out, 'index.html'));
  const from = path.join(peers, 'node_modules/onnxruntime-web/dist');
  fs.mkdirSync(path.join(out, 'ort'), { recursive: true });
  for (const file of fs
    .readdirSync(from)
    .filter((name) => /^ort-wasm-simd-threaded\..*(wasm|mjs)$/.test(name)))
    fs.copyFileSync(path.join(from, file), path.join(out, 'ort', file));
}

const gpuFlags = (swiftshader: boolean): string[] =>
  swiftshader
    ? ['--use-webgpu-adapter=swiftshader', '--enable-unsafe-webgpu']
    : ['--enable-unsafe-webgpu', '--enable-features=Vulkan', '--ignore-gpu-blocklist'];

async function measureInPage(settings: Settings, headed: boolean, swiftshader: boolean): Promise<Report> {
  const server = await serve({ folder: out, port: 0 });
  try {
    return await measure(server.url, settings, headed, swiftshader);
  } finally {
    await server.close();
  }
}

async function measureInNode(settings: Settings): Promise<Report> {
  const program = await buildForNode();
  const file = path.join(out, 'node.json');
  execFileSync(process.execPath, [program, JSON.stringify(settings), file], { stdio: 'inherit' });
  return JSON.parse(fs.readFileSync(file, 'utf8')) as Report;
}

async function measure(
  url: string,
  settings: Settings,
  headed: boolean,
  swiftshader: boolean,
): Promise<Report> {
  const browser = await chromium.launch({
    headless: !headed,
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: gpuFlags(swiftshader),
    chromiumSandbox: process.getuid?.() !== 0,
  });
  try {
    const page = await browser.newPage();
    page.on('pageerror', (error) => console.error(String(error)));
    await page.exposeFunction('tell', (entry: Entry) => console.error(figure(entry)));
    await page.goto(url);
    return await page.evaluate(
      (s) =>
        (globalThis as unknown as { measureOnGPU(s: Settings, tell: unknown): Promise<Report> }).measureOnGPU(
          s,
          (globalThis as unknown as { tell: unknown }).tell,
        ),
      settings,
    );
  } finally {
    await browser.close();
  }
}

const flag = { type: 'boolean', default: false } as const;
const { values } = parseArgs({
  options: {
    node: flag,
    serve: flag,
    headed: flag,
    tiny: flag,
    swiftshader: flag,
    write: flag,
    help: flag,
    out: { type: 'string', default: 'bench/results/gpu.json' },
  },
});
if (values.help) console.log(HELP);
else {
  install();
  if (values.serve) {
    await buildPage();
    console.log(`the page is at ${(await serve({ folder: out, port: 0 })).url}`);
  } else {
    const settings = values.tiny ? TINY : FULL;
    if (!values.node) await buildPage();
    const report = values.node
      ? await measureInNode(settings)
      : await measureInPage(settings, values.headed, values.swiftshader);
    fs.mkdirSync(path.dirname(values.out), { recursive: true });
    fs.writeFileSync(values.out, `${JSON.stringify(report, null, 1)}\n`);
    const table = tableOf(report);
    console.log(table);
    if (values.write) writeBetweenMarkers('BENCHMARKS.md', 'gpu', table);
  }
}
