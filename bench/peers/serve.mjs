// One library in a process of its own: `node serve.mjs <adapter> <threads>` answers requests, one JSON line each, with
// lines that begin with '@' (libraries print too). `--first-step` makes one step of training and ends.
import v8 from 'node:v8';
import { mnist, uniform, weights } from './data.mjs';

// Node 20 has relaxed SIMD behind a flag; every library may use it.
if (Number(process.versions.node.split('.')[0]) < 21)
  v8.setFlagsFromString('--experimental-wasm-relaxed-simd');

const [, , name, threads, ...flags] = process.argv;
const answer = (/** @type {object} */ value) => process.stdout.write(`@${JSON.stringify(value)}\n`);

/** @type {any} */
const adapter = await (await import(`./adapters/${name}.mjs`)).create(Number(threads));

async function firstStep() {
  const sizes = { inputs: 784, hidden: 500, outputs: 10 };
  const step = await adapter.trainer(weights(sizes), sizes);
  const y = Int32Array.from({ length: 128 }, (_, i) => i % 10);
  answer({ loss: await step(uniform(1, 128 * 784, 0, 1), y, 128) });
}

/** @type {{ run: () => unknown, read: () => Promise<ArrayLike<number>>, close?: () => void } | undefined} */
let job;
/** @type {{ step: Function, batches: ReturnType<typeof mnist>, own?: Function } | undefined} */
let training;

async function time(/** @type {number} */ count) {
  const { run } = /** @type {NonNullable<typeof job>} */ (job);
  const start = performance.now();
  for (let i = 0; i < count; i++) {
    const pending = run();
    if (pending instanceof Promise) await pending;
  }
  return (performance.now() - start) / count;
}

/** Enough of a result to see whether two libraries agree. */
function digest(/** @type {ArrayLike<number>} */ values) {
  let size = 0;
  for (let i = 0; i < values.length; i++) size += Math.abs(values[i]);
  const probes = Array.from({ length: 8 }, (_, i) => values[Math.floor((i * (values.length - 1)) / 7)]);
  return { count: values.length, size: size / values.length, probes };
}

/** @type {Record<string, (request: any) => object | Promise<object>>} */
const commands = {
  hello: () => ({ version: adapter.version, threads: adapter.threads }),
  async prepare({ kind, ...spec }) {
    job?.close?.();
    job = undefined;
    const make = adapter.works[kind];
    const made = make ? await make(spec) : 'has no such operation';
    if (typeof made === 'string') return { unable: made };
    job = made;
    const once = await time(1);
    return { ms: once, digest: digest(await made.read()) };
  },
  /** Runs until the engine has had `ms` to optimise; how long a call takes then. */
  async warm({ ms }) {
    const end = performance.now() + ms;
    let count = 1;
    for (;;) {
      const start = performance.now();
      const once = await time(count);
      if (performance.now() >= end) return { ms: once };
      count = Math.ceil(Math.max(1, (performance.now() - start) / Math.max(once, 1e-5)) * 1.5);
    }
  },
  async sample({ count }) {
    return { ms: await time(count) };
  },
  /** Data and network of the tutorial. */
  async train({ files, sizes }) {
    const made = adapter.tutorial ?? adapter.trainer;
    const batches = mnist(files);
    if (adapter.tutorial)
      training = { step: await made(weights(sizes), sizes, files), batches, own: adapter.tutorial };
    else training = { step: await made(weights(sizes), sizes), batches };
    return {};
  },
  /** `steps` steps from `first`; the mean of their losses, each read before the next step begins. */
  async epoch({ first, steps }) {
    const { step, batches, own } = /** @type {NonNullable<typeof training>} */ (training);
    const start = performance.now();
    let loss = 0;
    if (own) loss = await step(first, steps);
    else
      for (let i = first; i < first + steps; i++) {
        const { x, y, count } = batches.at(i);
        loss += await step(x, y, count);
      }
    return { ms: performance.now() - start, loss: loss / steps };
  },
  memory: () => ({ MB: (process.resourceUsage().maxRSS * 1024) / 1e6 }),
};

async function serve() {
  let text = '';
  process.stdin.setEncoding('utf8');
  for await (const part of process.stdin) {
    text += part;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      const request = JSON.parse(text.slice(0, end));
      text = text.slice(end + 1);
      try {
        answer(await commands[request.command](request));
      } catch (error) {
        answer({ error: String(error instanceof Error ? (error.stack ?? error) : error).slice(0, 600) });
      }
    }
  }
  process.exit(0);
}

if (flags.includes('--first-step')) {
  await firstStep();
  process.exit(0);
}
await serve();
