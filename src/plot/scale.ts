/** Axes as numbers: ranges with round ends, ticks, and the labels of ticks. */
import { ArgumentError } from '../core/errors.ts';

export type ScaleKind = 'linear' | 'log';

export interface Scale {
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly number[];
  /** Position of a value: 0 at low, 1 at high. */
  readonly at: (value: number) => number;
  readonly format: (value: number) => string;
}

export interface ScaleOptions {
  kind?: ScaleKind;
  /** Ends that are fixed; the others are chosen. */
  min?: number;
  max?: number;
  /** About how many intervals. */
  count?: number;
  /** Only whole numbers as ticks. */
  whole?: boolean;
  /** Ends exactly at the data instead of at round numbers. */
  tight?: boolean;
}

/** The smallest of 1, 2, 2.5, 5 times a power of ten that is not below `rough`; 2.5 not for whole numbers. */
export function niceStep(rough: number, whole = false): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const steps = whole ? [1, 2, 5, 10] : [1, 2, 2.5, 5, 10];
  const step = power * (steps.find((s) => s * power >= rough * (1 - 1e-9)) ?? 10);
  return whole ? Math.max(1, Math.round(step)) : step;
}

/** A number as an axis shows it, exact to the step between ticks. */
export function formatNumber(value: number, step = 0): string {
  if (value === 0) return '0';
  const size = Math.max(Math.abs(value), Math.abs(step));
  const sign = value < 0 ? '−' : '';
  const magnitude = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) {
    const exact = Number(magnitude.toPrecision(3)).toExponential();
    const digits = Math.floor(Math.log10(magnitude)) - Math.floor(Math.log10(step || 1));
    const text = step > 0 ? magnitude.toExponential(Math.min(6, Math.max(0, digits))) : exact;
    return sign + text.replace('-', '−').replace('+', '');
  }
  if (step === 0) return sign + String(Number(magnitude.toPrecision(4)));
  // 2.5 and 0.25 need one decimal more than their power of ten says.
  let decimals = Math.max(0, -Math.floor(Math.log10(step)));
  if (Math.abs(step * 10 ** decimals - Math.round(step * 10 ** decimals)) > 1e-6) decimals++;
  return sign + magnitude.toFixed(decimals);
}

/** Ticks and range for data between low and high. @throws ArgumentError for a log axis that reaches zero */
export function makeScale(data: readonly [number, number] | null, options: ScaleOptions = {}): Scale {
  let [low, high] = data ?? (options.kind === 'log' ? [1, 10] : [0, 1]);
  low = options.min ?? low;
  high = options.max ?? high;
  if (low > high) throw new ArgumentError(`plot: an axis from ${low} to ${high} runs backwards`);
  if (options.kind === 'log') return logScale(low, high, options);
  if (low === high) {
    // Numbers that small have too few bits for ticks of their own: they count as zero.
    const around = options.whole || Math.abs(low) < 1e-300 ? 0.5 : Math.abs(low) * 0.1;
    [low, high] = [low - around, high + around];
  }
  const step = niceStep((high - low) / (options.count ?? 6), options.whole);
  if (!options.tight) {
    low = options.min ?? Math.floor(low / step + 1e-9) * step;
    high = options.max ?? Math.ceil(high / step - 1e-9) * step;
  }
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
  return { low, high, ticks, at: (v) => (v - low) / (high - low), format: (v) => formatNumber(v, step) };
}

function logScale(low: number, high: number, options: ScaleOptions): Scale {
  if (!(low > 0)) throw new ArgumentError(`plot: a log axis needs positive values, but got ${low}`);
  const [a, b] = low === high ? [low / 2, high * 2] : [low, high];
  const decades = Math.log10(b) - Math.log10(a);
  const factors = decades > 2.5 ? [1] : decades > 1.2 ? [1, 3] : [1, 2, 5];
  const every = Math.max(1, Math.ceil(decades / (options.count ?? 6)));
  const all: number[] = [];
  for (let e = Math.floor(Math.log10(a)); e <= Math.ceil(Math.log10(b)); e++) {
    if (e % every === 0) for (const f of factors) all.push(f * 10 ** e);
  }
  const start = options.tight ? a : (options.min ?? all.findLast((t) => t <= a) ?? a);
  const end = options.tight ? b : (options.max ?? all.find((t) => t >= b) ?? b);
  const [la, lb] = [Math.log(start), Math.log(end)];
  return {
    low: start,
    high: end,
    ticks: all.filter((t) => t >= start * (1 - 1e-9) && t <= end * (1 + 1e-9)),
    at: (v) => (Math.log(v) - la) / (lb - la),
    format: (v) => formatNumber(v),
  };
}
