/** The command line of the tutorial. */
import { parseArgs } from 'node:util';

export interface Options {
  readonly epochs: number;
  readonly batchSize: number;
  readonly lr: number;
  readonly hidden: number;
  readonly seed: number;
  readonly threads: number | 'auto';
  readonly device: 'cpu' | 'webgpu';
  /** Folder with the data set's files; undefined takes what comes with the project. */
  readonly data: string | undefined;
  readonly dataset: 'mnist' | 'fashion';
  readonly download: boolean;
  /** 0: all of them. */
  readonly section: 0 | 1 | 2 | 3;
  /** Folder for the run's pictures and figures. */
  readonly out: string;
  /** Seconds between two checkpoints. */
  readonly checkpointEvery: number;
}

export interface Command {
  readonly options: Options;
  /** The run to continue: its folder, or '' for the latest. */
  readonly resume: string | null;
}

const HELP = `Trains the PyTorch tutorial's network on MNIST, from scratch and with modules.

  npm start -- [options]

  --epochs N         passes over the training data      (40)
  --batch-size N     samples per step                   (128)
  --lr X             learning rate                      (0.1)
  --hidden N         neurons of the hidden layer        (500)
  --seed N           start of all random numbers        (7)
  --threads N|auto   threads, this one included         (auto)
  --device NAME      cpu, or webgpu, for which the package webgpu is needed (cpu)
  --dataset NAME     mnist or fashion                   (mnist)
  --data DIR         folder with the data set's files   (MNIST comes with the project)
  --download         fetch missing files into --data
  --section N        1 basics, 2 from scratch, 3 modules; default all
  --out DIR          where pictures and figures go      (runs/<data set>-<date>)
  --checkpoint-every SECONDS   save the run as often as that, 0 after every step (10)
  --resume [DIR]     continue a run that was stopped, the latest one by default; only --threads, --data
                     and --checkpoint-every may stand beside it
  --help             this text

  npm start -- --distributed N     the network trained by N processes (--distributed --help)`;

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

function notNegative(value: string, name: string): number {
  return value === '0' ? 0 : positive(value, name);
}

/** `--resume` may stand without a folder; parseArgs wants a value. */
const withResume = (args: string[]): string[] =>
  args.map((arg, i) => (arg === '--resume' && (args[i + 1] ?? '-').startsWith('-') ? '--resume=' : arg));

const BESIDE_RESUME: readonly string[] = ['resume', 'threads', 'data', 'checkpoint-every', 'help'];

function parse(given: string[]): Command | 'help' {
  const args = withResume(given);
  const text = (value: string) => ({ type: 'string' as const, default: value });
  const { values, tokens } = parseArgs({
    args,
    tokens: true,
    options: {
      epochs: text('40'),
      'batch-size': text('128'),
      lr: text('0.1'),
      hidden: text('500'),
      seed: text('7'),
      threads: text('auto'),
      device: text('cpu'),
      data: { type: 'string' },
      dataset: text('mnist'),
      download: { type: 'boolean', default: false },
      section: text('0'),
      out: { type: 'string' },
      'checkpoint-every': text('10'),
      resume: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const dataset = oneOf(values.dataset, 'dataset', ['mnist', 'fashion']);
  if (values.download && values.data === undefined)
    throw new UsageError('--download needs --data, the folder to put the files in');
  const other = tokens.find((token) => token.kind === 'option' && !BESIDE_RESUME.includes(token.name));
  if (values.resume !== undefined && other?.kind === 'option')
    throw new UsageError(`--${other.name} cannot be changed for a run that is continued with --resume`);
  const sections = [0, 1, 2, 3] as const;
  const options: Options = {
    checkpointEvery: notNegative(values['checkpoint-every'], 'checkpoint-every'),
    epochs: integer(values.epochs, 'epochs', 1, 100_000),
    batchSize: integer(values['batch-size'], 'batch-size', 1, 60_000),
    lr: positive(values.lr, 'lr'),
    hidden: integer(values.hidden, 'hidden', 1, 100_000),
    seed: integer(values.seed, 'seed', 0, Number.MAX_SAFE_INTEGER),
    threads: values.threads === 'auto' ? 'auto' : integer(values.threads, 'threads', 1, 64),
    device: oneOf(values.device, 'device', ['cpu', 'webgpu']),
    data: values.data,
    dataset,
    download: values.download,
    section: sections[integer(values.section, 'section', 0, 3)],
    out: values.out ?? `runs/${dataset}-${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}`,
  };
  return { options, resume: values.resume ?? null };
}

/** Options from the command line. Prints help and ends, or names a bad value and ends with code 2. */
export function readOptions(args: string[]): Command {
  try {
    const command = parse(args);
    if (command !== 'help') return command;
    console.log(HELP);
    process.exit(0);
  } catch (error) {
    if (!(error instanceof UsageError) && !(error instanceof TypeError)) throw error;
    console.error(`${error.message}\nTry: npm start -- --help`);
    process.exit(2);
  }
}
