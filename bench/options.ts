/** The command line of `npm run bench`. */
import { parseArgs } from 'node:util';

export interface Options {
  readonly filter: readonly string[];
  /** 0: all that the machine has. */
  readonly threads: readonly number[];
  readonly device: string;
  readonly effort: 'full' | 'quick' | 'smoke';
  readonly json: boolean;
  readonly list: boolean;
  readonly add: boolean;
  readonly write: boolean;
  readonly best: boolean;
  readonly compare: string | undefined;
  readonly out: string;
}

export const HELP = `Measures wasmgrad on this machine, with the machine's own limits beside each figure.

  npm run bench -- [options]

  --filter WORD,…    benchmarks whose group or name holds a word   (all)
  --threads N,…      numbers of threads, or 'auto': all cores      (auto)
  --device NAME      cpu or webgpu                                 (cpu)
  --quick            fewer and shorter samples
  --smoke            the smallest sizes, once: does everything work?
  --list             name the benchmarks and end
  --json             the figures as JSON on standard output instead of tables
  --compare FILE     beside those of an earlier run (its JSON)
  --out DIR          where latest.json and the charts go           (bench/results)
  --add              keep what latest.json has besides
  --best             with --write: the fastest samples instead of the medians, for machines that others use too
  --write            put the tables into BENCHMARKS.md, between its markers
  --help             this text`;

export class UsageError extends Error {}

const DEVICES = ['cpu', 'webgpu'];
const MAX_THREADS = 64;

function threadCounts(text: string): number[] {
  return text.split(',').map((part) => {
    if (part === 'auto') return 0;
    const count = Number(part);
    if (/^\d+$/.test(part) && count >= 1 && count <= MAX_THREADS) return count;
    throw new UsageError(
      `--threads must be 'auto' or whole numbers from 1 to ${MAX_THREADS}, but got '${text}'`,
    );
  });
}

/** @throws UsageError naming the option, what it expects and what came */
export function parseOptions(args: readonly string[]): Options | 'help' {
  const flag = { type: 'boolean', default: false } as const;
  let parsed: ReturnType<typeof read>;
  const read = () =>
    parseArgs({
      args: [...args],
      options: {
        filter: { type: 'string', multiple: true, default: [] },
        threads: { type: 'string', default: 'auto' },
        device: { type: 'string', default: 'cpu' },
        quick: flag,
        smoke: flag,
        list: flag,
        add: flag,
        write: flag,
        best: flag,
        json: flag,
        compare: { type: 'string' },
        out: { type: 'string', default: 'bench/results' },
        help: { ...flag, short: 'h' },
      },
    });
  try {
    parsed = read();
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const { values } = parsed;
  if (values.help) return 'help';
  if (!DEVICES.includes(values.device))
    throw new UsageError(`--device must be ${DEVICES.join(' or ')}, but got '${values.device}'`);
  if (values.quick && values.smoke) throw new UsageError('--quick and --smoke exclude each other');
  return {
    filter: values.filter.flatMap((list) => list.split(',')).filter((word) => word !== ''),
    threads: threadCounts(values.threads),
    device: values.device,
    effort: values.smoke ? 'smoke' : values.quick ? 'quick' : 'full',
    json: values.json,
    list: values.list,
    add: values.add,
    write: values.write,
    best: values.best,
    compare: values.compare,
    out: values.out,
  };
}
