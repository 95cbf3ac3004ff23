/** The command line of the tutorial. */
import { parseArgs } from 'node:util';

export interface Options {
  readonly epochs: number;
  readonly batchSize: number;
  readonly lr: number;
  readonly hidden: number;
  readonly seed: number;
  readonly threads: number | 'auto';
  /** Folder with the data set's files; undefined takes what comes with the project. */
  readonly data: string | undefined;
  readonly dataset: 'mnist' | 'fashion';
  readonly download: boolean;
  /** 0: all of them. */
  readonly section: 0 | 1 | 2 | 3;
  /** Folder for the run's pictures and figures. */
  readonly out: string;
}

const HELP = `Trains the PyTorch tutorial's network on MNIST, from scratch and with modules.

  npm start -- [options]

  --epochs N         passes over the training data      (40)
  --batch-size N     samples per step                   (128)
  --lr X             learning rate                      (0.1)
  --hidden N         neurons of the hidden layer        (500)
  --seed N           start of all random numbers        (7)
  --threads N|auto   threads, this one included         (auto)
  --dataset NAME     mnist or fashion                   (mnist)
  --data DIR         folder with the data set's files   (MNIST comes with the project)
  --download         fetch missing files into --data
  --section N        1 basics, 2 from scratch, 3 modules; default all
  --out DIR          where pictures and figures go      (runs/<data set>-<date>)
  --help             this text`;

class UsageError extends Error {}

function integer(value: string, name: string, min: number, max: number): number {
  const n = Number(value);
  if (!/^\d+$/.test(value) || n < min || n > max) {
    throw new UsageError(`--${name} must be a whole number from ${min} to ${max}, but got '${value}'`);
  }
  return n;
}

function positive(value: string, name: string): number {
  const x = Number(value);
  if (value.trim() === '' || !Number.isFinite(x) || x <= 0)
    throw new UsageError(`--${name} must be a positive number, but got '${value}'`);
  return x;
}

function oneOf<T extends string>(value: string, name: string, names: readonly T[]): T {
  const found = names.find((n) => n === value);
  if (found === undefined)
    throw new UsageError(`--${name} must be ${names.join(' or ')}, but got '${value}'`);
  return found;
}

function parse(args: string[]): Options | 'help' {
  const text = (value: string) => ({ type: 'string' as const, default: value });
  const { values } = parseArgs({
    args,
    options: {
      epochs: text('40'),
      'batch-size': text('128'),
      lr: text('0.1'),
      hidden: text('500'),
      seed: text('7'),
      threads: text('auto'),
      data: { type: 'string' },
      dataset: text('mnist'),
      download: { type: 'boolean', default: false },
      section: text('0'),
      out: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const dataset = oneOf(values.dataset, 'dataset', ['mnist', 'fashion']);
  if (values.download && values.data === undefined)
    throw new UsageError('--download needs --data, the folder to put the files in');
  const sections = [0, 1, 2, 3] as const;
  return {
    epochs: integer(values.epochs, 'epochs', 1, 100_000),
    batchSize: integer(values['batch-size'], 'batch-size', 1, 60_000),
    lr: positive(values.lr, 'lr'),
    hidden: integer(values.hidden, 'hidden', 1, 100_000),
    seed: integer(values.seed, 'seed', 0, Number.MAX_SAFE_INTEGER),
    threads: values.threads === 'auto' ? 'auto' : integer(values.threads, 'threads', 1, 64),
    data: values.data,
    dataset,
    download: values.download,
    section: sections[integer(values.section, 'section', 0, 3)],
    out: values.out ?? `runs/${dataset}-${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}`,
  };
}

/** Options from the command line. Prints help and ends, or names a bad value and ends with code 2. */
export function readOptions(args: string[]): Options {
  try {
    const options = parse(args);
    if (options !== 'help') return options;
    console.log(HELP);
    process.exit(0);
  } catch (error) {
    if (!(error instanceof UsageError) && !(error instanceof TypeError)) throw error;
    console.error(`${error.message}\nTry: npm start -- --help`);
    process.exit(2);
  }
}
