/**
 * Tensors as text, in PyTorch's form: https://docs.pytorch.org/docs/stable/generated/torch.set_printoptions.html.
 * One formatter per tensor decides between whole, fixed and scientific notation and pads all elements alike.
 */

import type { Variable } from './autograd/variable.ts';
import { type DType, isFloating } from './core/dtype.ts';
import { ArgumentError, DeviceError } from './core/errors.ts';
import { tabulate } from './core/lists.ts';
import type { Shape } from './core/shape.ts';
import { optionsGiven } from './ops/given.ts';

export interface PrintOptions {
  /** Digits behind the point; default 4. */
  precision: number;
  /** More elements than this are summarised; default 1000. */
  threshold: number;
  /** Elements shown at each end of a summarised dimension; default 3. */
  edgeitems: number;
  /** Characters per line; default 80. */
  linewidth: number;
  /** Scientific notation always, never, or (null, the default) where numbers need it. */
  sciMode: boolean | null;
}

const defaults: Readonly<PrintOptions> = {
  precision: 4,
  threshold: 1000,
  edgeitems: 3,
  linewidth: 80,
  sciMode: null,
};
const profiles = {
  default: defaults,
  short: { ...defaults, precision: 2, edgeitems: 2 },
  full: { ...defaults, threshold: Infinity },
} as const;

let current: PrintOptions = { ...defaults };

/**
 * Sets how tensors are printed from now on; what is not named stays. A profile ('default', 'short', 'full') sets all
 * first. @throws ArgumentError for an unknown profile or a negative number
 */
export function setPrintOptions(options: Partial<PrintOptions> & { profile?: keyof typeof profiles }): void {
  const { profile, ...rest } = optionsGiven(
    options,
    'setPrintOptions',
    'profile precision threshold edgeitems linewidth sciMode',
  );
  if (profile !== undefined && !Object.hasOwn(profiles, profile)) {
    throw new ArgumentError(
      `setPrintOptions: profile must be default, short or full, but got ${String(profile)}`,
    );
  }
  for (const [name, value] of Object.entries(rest)) {
    if (typeof value === 'number' && !(value >= 0)) {
      throw new ArgumentError(`setPrintOptions: ${name} must not be negative, but got ${value}`);
    }
  }
  current = { ...(profile ? profiles[profile] : current), ...rest };
}

/** How tensors are printed now. */
export const getPrintOptions = (): PrintOptions => ({ ...current });

/** True if the decimal expansion goes on with exactly one half of the last digit kept: Python then rounds to even. */
const isTie = (longer: string, shorterLength: number): boolean => /^50*$/.test(longer.slice(shorterLength));

const EXTRA_DIGITS = 40;

function evenDigits(digits: string): string {
  return Number(digits[digits.length - 1]) % 2 === 0 ? digits : '';
}

/** `%.pf` of Python. */
function fixed(x: number, precision: number): string {
  if (Math.abs(x) >= 1e21) return `${BigInt(x)}${precision > 0 ? `.${'0'.repeat(precision)}` : ''}`;
  const text = x.toFixed(precision);
  const longer = x.toFixed(Math.min(100, precision + EXTRA_DIGITS));
  const [whole, fraction] = longer.split('.');
  if (!isTie(fraction ?? '', precision)) return Object.is(x, -0) ? `-${text}` : text;
  const kept = precision > 0 ? `${whole}.${fraction.slice(0, precision)}` : whole;
  return evenDigits(kept) || text;
}

/** `%.pe` of Python: an exponent of at least two digits. */
function scientific(x: number, precision: number): string {
  const [mantissa, exponent] = x.toExponential(precision).split('e');
  const longer = x.toExponential(Math.min(100, precision + EXTRA_DIGITS));
  const [whole, fraction] = longer.split('e')[0].split('.');
  const kept = isTie(fraction ?? '', precision)
    ? evenDigits(precision > 0 ? `${whole}.${fraction.slice(0, precision)}` : whole)
    : '';
  const sign = Object.is(x, -0) ? '-' : '';
  return `${sign}${kept || mantissa}e${exponent[0]}${exponent.slice(1).padStart(2, '0')}`;
}

type Element = number | bigint;

class Formatter {
  readonly #dtype: DType;
  #whole = true;
  #scientific = false;
  #width = 1;

  constructor(values: readonly Element[], dtype: DType) {
    this.#dtype = dtype;
    if (!isFloating(dtype)) {
      for (const v of values) this.#width = Math.max(this.#width, this.#text(v).length);
      return;
    }
    const finite = values.map(Number).filter((v) => Number.isFinite(v) && v !== 0);
    if (finite.length === 0) return;
    let low = Infinity;
    let high = 0;
    for (const v of finite) {
      low = Math.min(low, Math.abs(v));
      high = Math.max(high, Math.abs(v));
      if (!Number.isInteger(v)) this.#whole = false;
    }
    this.#scientific = current.sciMode ?? (high / low > 1000 || high > 1e8 || (!this.#whole && low < 1e-4));
    for (const v of finite) this.#width = Math.max(this.#width, this.#text(v).length);
  }

  get width(): number {
    return this.#width;
  }

  format(value: Element): string {
    return this.#text(value).padStart(this.#width);
  }

  #text(value: Element): string {
    if (this.#dtype === 'bool') return value ? 'True' : 'False';
    if (typeof value === 'bigint' || !isFloating(this.#dtype)) return String(value);
    if (Number.isNaN(value)) return 'nan';
    if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
    if (this.#scientific) return scientific(value, current.precision);
    return this.#whole ? `${fixed(value, 0)}.` : fixed(value, current.precision);
  }
}

/** Elements by their row-major positions, those that are shown at least, under a shape. */
interface Elements {
  readonly at: (position: number) => Element;
  readonly shape: Shape;
}

const stepOf = (shape: Shape, dim: number): number => shape.slice(dim + 1).reduce((n, s) => n * s, 1);

/** Indices that are shown of a dimension; null stands for the dots. */
function shown(size: number, summarize: boolean): (number | null)[] {
  const { edgeitems } = current;
  if (!summarize || size <= 2 * edgeitems) return tabulate(size, (i) => i);
  const edge = tabulate(edgeitems, (i) => i);
  return [...edge, null, ...edge.map((i) => size - edgeitems + i)];
}

function shownPositions(shape: Shape, summarize: boolean): number[] {
  const out: number[] = [];
  const visit = (dim: number, at: number) => {
    if (dim === shape.length) out.push(at);
    else
      for (const i of shown(shape[dim], summarize))
        if (i !== null) visit(dim + 1, at + i * stepOf(shape, dim));
  };
  visit(0, 0);
  return out;
}

function vector(
  { at: element, shape }: Elements,
  at: number,
  indent: number,
  summarize: boolean,
  formatter: Formatter,
): string {
  const perLine = Math.max(1, Math.floor((current.linewidth - indent) / (formatter.width + 2)));
  const cells = shown(shape[shape.length - 1], summarize).map((i) =>
    i === null ? ' ...' : formatter.format(element(at + i)),
  );
  const lines: string[] = [];
  for (let i = 0; i < cells.length; i += perLine) lines.push(cells.slice(i, i + perLine).join(', '));
  return `[${lines.join(`,\n${' '.repeat(indent + 1)}`)}]`;
}

function nested(
  elements: Elements,
  dim: number,
  at: number,
  indent: number,
  summarize: boolean,
  formatter: Formatter,
): string {
  const { shape } = elements;
  const left = shape.length - dim;
  if (left === 0) return formatter.format(elements.at(at));
  if (left === 1) return vector(elements, at, indent, summarize, formatter);
  const step = stepOf(shape, dim);
  const parts = shown(shape[dim], summarize).map((i) =>
    i === null ? '...' : nested(elements, dim + 1, at + i * step, indent + 1, summarize, formatter),
  );
  return `[${parts.join(`,${'\n'.repeat(left - 1)}${' '.repeat(indent + 1)}`)}]`;
}

const PREFIX = 'tensor(';

/** Suffixes follow on the last line while they fit, else on a line of their own. */
function withSuffixes(text: string, suffixes: readonly string[]): string {
  let out = text;
  let lineLength = text.length - text.lastIndexOf('\n') + 1;
  for (const suffix of suffixes) {
    if (lineLength + suffix.length + 2 > current.linewidth) {
      out += `,\n${' '.repeat(PREFIX.length)}${suffix}`;
      lineLength = PREFIX.length + suffix.length;
    } else {
      out += `, ${suffix}`;
      lineLength += suffix.length + 2;
    }
  }
  return `${out})`;
}

/** A Python tuple: `(2, 3)`, `(2,)`. */
const tuple = (shape: Shape): string => `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;

const plainDTypes: readonly DType[] = ['float32', 'int64', 'bool'];

/** The elements at the positions, if they can be read at once; null on devices where reading is asynchronous. */
function readable({ array }: Variable, positions: readonly number[]): Elements['at'] | null {
  const { backend } = array;
  try {
    if (positions.length === array.size || !backend.synchronous) {
      const data = backend.read(array);
      return (at) => data[at];
    }
    const index = backend.upload(BigInt64Array.from(positions, BigInt), [positions.length], 'int64');
    const data = backend.read(backend.take(array, index));
    const values = new Map(positions.map((at, i) => [at, data[i]]));
    return (at) => values.get(at) as Element;
  } catch (error) {
    if (error instanceof DeviceError) return null;
    throw error;
  }
}

/** What `String(x)` and `console.log(x)` show. */
export function formatTensor(x: Variable): string {
  const { shape, dtype } = x;
  const { device } = x.array.backend;
  const suffixes: string[] = [];
  if (device !== 'cpu' && device !== 'reference') suffixes.push(`device='${device}'`);
  const { size } = x.array;
  const summarize = size > current.threshold;
  const positions = shownPositions(shape, summarize);
  const at = readable(x, positions);
  let body: string;
  if (at === null) {
    body = '...';
    suffixes.push(`size=${tuple(shape)}`);
  } else if (size === 0) {
    body = '[]';
    if (shape.length !== 1) suffixes.push(`size=${tuple(shape)}`);
  } else {
    const formatter = new Formatter(positions.map(at), dtype);
    body = nested({ at, shape }, 0, 0, PREFIX.length, summarize, formatter);
  }
  const plain = at !== null && size === 0 ? dtype === 'float32' : plainDTypes.includes(dtype);
  if (!plain) suffixes.push(`dtype=torch.${dtype}`);
  const node = nodeName(x);
  if (node) suffixes.push(`grad_fn=<${node}>`);
  else if (x.requiresGrad) suffixes.push('requires_grad=True');
  return withSuffixes(PREFIX + body, suffixes);
}

/** The name of what computed x; of a view that has lost its history, what PyTorch prints. */
function nodeName(x: Variable): string | undefined {
  try {
    return x.gradFn?.name;
  } catch {
    return 'Invalid';
  }
}

/** A shape as PyTorch prints it: `torch.Size([2, 3])`. */
export const formatSize = (shape: Shape): string => `torch.Size([${shape.join(', ')}])`;

/** Several tensors as Python prints a list or a tuple of them. */
export function formatSequence(tensors: readonly Variable[], kind: 'list' | 'tuple' = 'list'): string {
  const texts = tensors.map(formatTensor).join(', ');
  if (kind === 'list') return `[${texts}]`;
  return `(${texts}${tensors.length === 1 ? ',' : ''})`;
}
