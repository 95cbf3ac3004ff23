/** What the libraries are measured on. */

export interface Work {
  /** Unique; what the tables call it. */
  readonly name: string;
  readonly group: 'matmul' | 'elementwise' | 'rows' | 'convolution' | 'small' | 'inference';
  /** For the adapters. */
  readonly spec: { readonly kind: string; readonly [key: string]: unknown };
  /** What one call amounts to: the tables show rates where it is given, times where not. */
  readonly rate?: { readonly amount: number; readonly unit: string };
  /** So much work that slow libraries would hold up all the others. */
  readonly heavy?: boolean;
  /** Left out of the quick mode. */
  readonly full?: boolean;
}

const LARGE = 4_194_304;
const SMALL = 65_536;

interface Product {
  readonly form?: 'NN' | 'NT' | 'TN';
  readonly batch?: number;
  readonly full?: boolean;
}

function product(m: number, k: number, n: number, { form = 'NN', batch, full }: Product = {}): Work {
  const flops = 2 * m * k * n * (batch ?? 1);
  const shape = m === k && k === n ? `${m}³` : `${m}×${k}×${n}`;
  return {
    name: `${batch ? `${batch} × ` : ''}${shape}${form === 'NN' ? '' : ` ${form}`}`,
    group: 'matmul',
    spec: { kind: 'matmul', m, k, n, form, ...(batch ? { batch } : {}) },
    ...(flops > 1e5 ? { rate: { amount: flops, unit: 'GFLOP/s' } } : {}),
    heavy: flops > 3e8,
    full,
  };
}

function map(name: string, n: number, arrays: number, full = false): Work {
  const bytes = { amount: 4 * arrays * n, unit: 'GB/s' };
  const elements = { amount: n, unit: 'G elements/s' };
  return {
    name: `${name}, ${n === LARGE ? '4M' : '64k'}`,
    group: 'elementwise',
    spec: { kind: 'map', name, n },
    rate: arrays > 0 ? bytes : elements,
    heavy: n === LARGE,
    full,
  };
}

function rows(name: string, n: number, full = false): Work {
  const columns = n === LARGE ? 1024 : 256;
  return {
    name: `${name}, ${n / columns}×${columns}`,
    group: 'rows',
    spec: { kind: 'rows', name, rows: n / columns, columns },
    rate: { amount: 8 * n, unit: 'GB/s' },
    heavy: n === LARGE,
    full,
  };
}

function convolution(channels: number, side: number, filters: number, part: 'forward' | 'both'): Work {
  const count = 32;
  return {
    name: `${count}×${channels}×${side}×${side} → ${filters}, ${part === 'forward' ? 'forward' : 'forward and both gradients'}`,
    group: 'convolution',
    spec: { kind: 'convolution', count, channels, side, filters, part },
    heavy: true,
  };
}

const tiny = (name: string, text: string): Work => ({
  name: text,
  group: 'small',
  spec: { kind: 'tiny', name },
});

export const SIZES = { inputs: 784, hidden: 500, outputs: 10 };

export const WORKS: readonly Work[] = [
  product(128, 784, 500),
  product(784, 128, 500, { form: 'TN' }),
  product(128, 500, 784, { form: 'NT' }),
  product(128, 500, 10),
  product(4, 4, 4),
  product(16, 16, 16),
  product(17, 17, 17),
  product(33, 33, 33, { full: true }),
  product(64, 64, 64),
  product(129, 129, 129, { full: true }),
  product(256, 256, 256),
  product(512, 512, 512),
  product(1024, 1024, 1024, { full: true }),
  product(64, 64, 64, { batch: 16 }),
  ...[SMALL, LARGE].flatMap((n) => [
    map('add', n, 3),
    map('mul', n, 3, true),
    map('relu', n, 2),
    map('relu in place', n, 2),
    map('exp', n, 0),
    map('log', n, 0, true),
    map('tanh', n, 0, true),
    map('sigmoid', n, 0, true),
    map('sum', n, 1),
    map('max', n, 1, true),
    rows('add row', n, true),
    rows('softmax', n),
    rows('logSoftmax', n, true),
    rows('layerNorm', n),
  ]),
  convolution(1, 28, 32, 'forward'),
  convolution(1, 28, 32, 'both'),
  convolution(32, 14, 64, 'forward'),
  convolution(32, 14, 64, 'both'),
  tiny('add', 'add of 16 elements'),
  tiny('product', '(p · q).sum() of 16 elements, forward and backward'),
  tiny('graph', 'graph of 100 multiplications, forward and backward'),
  {
    name: 'MLP 784-500-10, batch 128, forward only',
    group: 'inference',
    spec: { kind: 'infer', batch: 128, sizes: SIZES },
    heavy: true,
  },
];
