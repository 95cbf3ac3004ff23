/**
 * `npm run fuzz -- [parser…] [--minutes N] [--seed N]`: changes files again and again and keeps those that run code which
 * no other one ran (V8's block coverage, read through the inspector). Stops with code 1 at the first input that is
 * neither taken nor refused as it should be, takes longer than a second, or makes the process grow; it is written to
 * build/fuzz.
 */
import fs from 'node:fs';
import inspector from 'node:inspector';
import { parseArgs } from 'node:util';
import { mutate, xorshift } from './mutate.ts';
import { type Target, targets } from './targets.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const SLOW_MS = 1000;
const GROWTH_BYTES = 1 << 30;
/** Inputs between two looks at the coverage, when the last looks found nothing. */
const MAX_GROUP = 16;
const REPORT_MS = 60_000;

const all = await targets();
const USAGE = `usage: npm run fuzz -- [${Object.keys(all).join(' | ')}]… [--minutes N] [--seed N]`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  },
});
const usable = positionals.every((name) => Object.hasOwn(all, name)) && Number(values.minutes) > 0;
if (values.help || !usable) {
  console.log(USAGE);
  process.exit(usable ? 0 : 2);
}
const minutes = Number(values.minutes);

/** The blocks of this program that ran since the last call. */
class Coverage {
  readonly #session = new inspector.Session();
  readonly #seen = new Set<string>();

  start(): void {
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: false, detailed: true });
  }
  /** How many blocks ran that had not run before. */
  fresh(): number {
    let found = 0;
    this.#session.post('Profiler.takePreciseCoverage', (_, { result }) => {
      for (const { url, functions } of result) {
        if (!url.includes('test-fuzz-index')) continue;
        for (const { ranges } of functions) {
          for (const { startOffset, endOffset, count } of ranges) {
            const block = `${startOffset}-${endOffset}`;
            if (count === 0 || this.#seen.has(block)) continue;
            this.#seen.add(block);
            found++;
          }
        }
      }
    });
    return found;
  }
  get blocks(): number {
    return this.#seen.size;
  }
}

function give(name: string, bytes: Bytes, what: unknown): never {
  fs.mkdirSync('build/fuzz', { recursive: true });
  const file = `build/fuzz/${name}-${Date.now()}.bin`;
  fs.writeFileSync(file, bytes);
  console.error(`${name}: ${file}:`, what);
  process.exit(1);
}

async function attempt(name: string, target: Target, bytes: Bytes): Promise<boolean> {
  const start = process.cpuUsage();
  try {
    const taken = await target.run(bytes);
    // Processor time: a busy machine makes everything take long.
    const { user, system } = process.cpuUsage(start);
    if (user + system > SLOW_MS * 1000) give(name, bytes, `took ${Math.round((user + system) / 1000)} ms`);
    return taken;
  } catch (error) {
    return give(name, bytes, error);
  }
}

async function fuzz(name: string, target: Target, coverage: Coverage): Promise<void> {
  const draw = xorshift(Number(values.seed));
  const corpus: Bytes[] = [...target.seeds];
  for (const seed of corpus) await attempt(name, target, seed);
  coverage.fresh();
  const end = performance.now() + minutes * 60_000;
  let runs = 0;
  let accepted = 0;
  let size = 1;
  let reported = performance.now();
  const base = process.memoryUsage.rss();
  const line = () =>
    console.log(
      `${name}: ${runs} inputs, ${accepted} taken, ${corpus.length} kept, ${coverage.blocks} blocks, ` +
        `${Math.round(process.memoryUsage.rss() / 2 ** 20)} MiB`,
    );
  while (performance.now() < end) {
    // A look costs more than an input. While there is news each input is looked at, otherwise groups are.
    const group = Array.from({ length: size }, () => {
      // Newer ones are likelier: they are at the edge of what is known.
      const recent =
        draw() % 2 ? draw() % corpus.length : corpus.length - 1 - (draw() % Math.min(8, corpus.length));
      return mutate(corpus[recent], corpus[draw() % corpus.length], draw);
    });
    for (const bytes of group) if (await attempt(name, target, bytes)) accepted++;
    runs += group.length;
    if (coverage.fresh() > 0) {
      corpus.push(...group);
      size = 1;
    } else size = Math.min(2 * size, MAX_GROUP);
    if (process.memoryUsage.rss() - base > GROWTH_BYTES)
      give(name, group[0], `the process grew beyond ${GROWTH_BYTES} bytes`);
    if (performance.now() - reported > REPORT_MS) {
      reported = performance.now();
      line();
    }
  }
  line();
}

const coverage = new Coverage();
coverage.start();
for (const name of positionals.length > 0 ? positionals : Object.keys(all))
  await fuzz(name, all[name], coverage);
process.exit(0);
