/**
 * `npm run soak`: long runs, whose memory and speed must be at the end what they were at the beginning. Ends with 1 if one
 * of them fails. `--help` tells the options.
 */
import { parseArgs } from 'node:util';
import { inNode } from './inNode.ts';
import { inPage } from './inPage.ts';
import { judge, type Observations, type Verdict } from './judge.ts';
import type { Loop, SoakRequest } from './soak.ts';
import { WORKS } from './works.ts';

const HELP = `npm run soak [-- options]

  --in node,page      where (default both)
  --work NAME         ${WORKS.map(({ name }) => `'${name}'`).join(', ')} (default all)
  --loop sync,async   with an event loop that never runs, and with one that does (default both)
  --scale X           turns, as a part of ${WORKS.map(({ name, turns }) => `${turns.toLocaleString('en')} ${name}`).join(', ')} (default 1)
  --threads N         default: all

Before the first look at memory each warms up, for ${WORKS.map(({ name, warmUp }) => `${warmUp.toLocaleString('en')} ${name}`).join(', ')}.
What has ! before it was in the last tenth more than 2 % (the time of a turn: 10 %) above the first; what has - is shown,
but not judged.`;

type Where = 'node' | 'page';

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

function shown({ what, first, last, unit, good }: Verdict): string {
  const digits = unit === 'ms' ? 3 : unit === 'MB' ? 1 : 0;
  const range =
    what === 'left behind' ? last.toFixed(0) : `${first.toFixed(digits)} → ${last.toFixed(digits)}`;
  return `${good === null ? '-' : good ? ' ' : '!'} ${what} ${range} ${unit}`;
}

const { places, loops, works, scale, threads } = options();
let failures = 0;
let runs = 0;

async function runAll(where: Where, run: (request: SoakRequest) => Promise<Observations>): Promise<void> {
  for (const work of works) {
    for (const loop of loops) {
      const observations = await run({ work, loop, scale, threads });
      const verdicts = judge(observations);
      runs++;
      if (verdicts.some(({ good }) => good === false)) failures++;
      const seconds = observations.gaps.reduce((sum, { ms }) => sum + ms, 0) / 1000;
      console.log(
        `${where}, ${loop}: ${observations.turns.toLocaleString('en')} ${work}, ` +
          `${observations.threads} threads, ${seconds.toFixed(1)} s`,
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
