/**
 * `npm run soak`: long runs, whose memory and speed must be at the end what they were at the beginning. Ends with 1 if one
 * of them fails. `--help` tells the options.
 */
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { chromium } from 'playwright';
import { serve } from 'wasmgrad/serve';
import { findChromium } from '../../scripts/chromium.mjs';
import { judge, type Observations, type Verdict } from './judge.ts';
import type { Loop, SoakRequest } from './soak.ts';
import { WORKS } from './works.ts';

const HELP = `npm run soak [-- options]

  --in node,page      where (default both)
  --work NAME         ${WORKS.map(({ name }) => `'${name}'`).join(', ')} (default all)
  --loop sync,async   with an event loop that never runs, and with one that does (default both)
  --scale X           turns, as a part of ${WORKS.map(({ name, turns }) => `${turns.toLocaleString('en')} ${name}`).join(', ')} (default 1)
  --threads N         default: all`;

type Where = 'node' | 'page';
/** Runs one soak. */
type Runner = (request: SoakRequest) => Promise<Observations>;

function options() {
  const { values } = parseArgs({
    options: {
      in: { type: 'string', default: 'node,page' },
      work: { type: 'string' },
      loop: { type: 'string', default: 'sync,async' },
      scale: { type: 'string', default: '1' },
      threads: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    console.log(HELP);
    process.exit(0);
  }
  const works = WORKS.map(({ name }) => name).filter((name) => !values.work || name === values.work);
  if (works.length === 0) throw new Error(`there is no work '${values.work}'`);
  const threads: number | 'auto' = values.threads === undefined ? 'auto' : Number(values.threads);
  return {
    places: values.in.split(',') as Where[],
    loops: values.loop.split(',') as Loop[],
    works,
    scale: Number(values.scale),
    threads,
  };
}

/** Each in a process of its own, whose memory nobody else has used. */
function inNode(): Runner {
  const bundled = spawnSync(process.execPath, ['scripts/bundle.mjs', 'bench/soak/program.ts'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const file = bundled.stdout.trim();
  return (request) =>
    new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [file, JSON.stringify(request)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let text = '';
      child.stdout.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      child.on('error', reject);
      child.on('close', (code) =>
        code === 0 ? resolve(JSON.parse(text)) : reject(new Error(`the process ended with ${code}`)),
      );
    });
}

/** Each in a browser of its own, in a page that has threads. */
async function inPage(): Promise<{ run: Runner; close: () => Promise<void> }> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error('no Chromium was found; --in node leaves it out');
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'wasmgrad-soak-'));
  await build({
    entryPoints: ['bench/soak/page.ts'],
    outfile: path.join(folder, 'page.js'),
    bundle: true,
    format: 'esm',
    target: 'es2022',
    tsconfigRaw: '{}',
    conditions: ['browser'],
  });
  fs.writeFileSync(
    path.join(folder, 'index.html'),
    '<!doctype html><title>soak</title><script type="module" src="page.js"></script>',
  );
  const { url, close } = await serve({ folder, port: 0 });
  const run: Runner = async (request) => {
    const browser = await chromium.launch({
      executablePath,
      args: ['--no-sandbox', '--js-flags=--expose-gc', '--enable-precise-memory-info'],
    });
    try {
      const page = await browser.newPage();
      page.setDefaultTimeout(0);
      await page.goto(url);
      await page.waitForFunction('globalThis.soak !== undefined');
      return await page.evaluate(`globalThis.soak(${JSON.stringify(request)})`);
    } finally {
      await browser.close();
    }
  };
  return {
    run,
    close: async () => {
      await close();
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}

const shown = ({ what, first, last, unit, good }: Verdict): string => {
  const digits = unit === 'ms' ? 3 : unit === 'MB' ? 1 : 0;
  const range =
    what === 'left behind' ? last.toFixed(0) : `${first.toFixed(digits)} → ${last.toFixed(digits)}`;
  return `${good ? ' ' : '!'} ${what} ${range} ${unit}`;
};

const { places, loops, works, scale, threads } = options();
let failures = 0;
let runs = 0;

async function runAll(where: Where, run: Runner): Promise<void> {
  for (const work of works) {
    for (const loop of loops) {
      const observations = await run({ work, loop, scale, threads });
      const verdicts = judge(observations, where === 'node' ? 'resident set' : "JavaScript's heap");
      runs++;
      if (verdicts.some(({ good }) => !good)) failures++;
      const seconds = (observations.seen.at(-1)!.ms / 1000).toFixed(1);
      console.log(
        `${where}, ${loop}: ${observations.turns.toLocaleString('en')} ${work}, ` +
          `${observations.threads} threads, ${seconds} s`,
      );
      for (const verdict of verdicts) console.log(`  ${shown(verdict)}`);
    }
  }
}

if (places.includes('node')) await runAll('node', inNode());
if (places.includes('page')) {
  const { run, close } = await inPage();
  await runAll('page', run).finally(close);
}
console.log(failures === 0 ? `all ${runs} runs stayed as they began` : `${failures} of ${runs} runs did not`);
process.exitCode = failures === 0 ? 0 : 1;
