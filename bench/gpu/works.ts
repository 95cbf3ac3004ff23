/** What the libraries do on the GPU. */

export interface Sizes {
  readonly inputs: number;
  readonly hidden: number;
  readonly outputs: number;
  readonly batch: number;
}

export interface Work {
  /** Unique; what the table calls it. */
  readonly name: string;
  /** For the adapters. */
  readonly spec: { readonly kind: string; readonly [key: string]: unknown };
  /** What one call amounts to: floating-point operations, or bytes that must be read and written at least. */
  readonly flops?: number;
  readonly bytes?: number;
}

const matmul = (n: number): Work => ({
  name: `matmul ${n}³`,
  spec: { kind: 'matmul', n },
  flops: 2 * n ** 3,
});

const thousands = (n: number): string => (n >= 2 ** 20 ? `${n / 2 ** 20}M` : `${n / 1024}k`);

const map = (name: string, n: number, arrays: number): Work => ({
  name: `${name} of ${thousands(n)}`,
  spec: { kind: 'map', name, n },
  bytes: 4 * arrays * n,
});

function convolution(count: number, channels: number, side: number, filters: number): Work {
  return {
    name: `convolution ${count}×${channels}×${side}×${side} → ${filters}`,
    spec: { kind: 'convolution', count, channels, side, filters },
    flops: 2 * count * filters * (side - 2) ** 2 * channels * 9,
  };
}

const network = (kind: 'train' | 'infer', sizes: Sizes): Work => ({
  name: `MLP ${sizes.inputs}-${sizes.hidden}-${sizes.outputs}, batch ${sizes.batch}, ${kind === 'train' ? 'training step' : 'forward'}`,
  spec: { kind, ...sizes },
});

export interface CnnSizes {
  readonly batch: number;
  readonly side: number;
  readonly channels: readonly [number, number];
}

/** Two convolutions of 3 × 3, the second with a stride of two, a rectifier after each, and a linear layer of ten outputs. */
const cnn = (sizes: CnnSizes): Work => ({
  name: `CNN 1-${sizes.channels.join('-')}-10 of ${sizes.side}×${sizes.side}, batch ${sizes.batch}, training step`,
  spec: { kind: 'cnn', ...sizes },
});

export interface TransformerSizes {
  readonly batch: number;
  readonly length: number;
  readonly width: number;
  readonly heads: number;
  readonly inner: number;
}

/** Attention and two linear layers, each added to its input and normalized. */
const transformer = (sizes: TransformerSizes): Work => ({
  name: `transformer layer ${sizes.width}, ${sizes.heads} heads, ${sizes.batch} × ${sizes.length} tokens, training step`,
  spec: { kind: 'transformer', ...sizes },
});

/** The largest are for GPUs; `tiny` shows on a processor that everything works. */
export function works(tiny: boolean): Work[] {
  const large = tiny ? 2 ** 16 : 2 ** 24;
  const [rows, columns] = tiny ? [64, 256] : [4096, 1024];
  const sizes = tiny
    ? { inputs: 64, hidden: 32, outputs: 10, batch: 16 }
    : { inputs: 784, hidden: 500, outputs: 10, batch: 128 };
  return [
    ...(tiny ? [64] : [512, 1024, 2048, 4096]).map(matmul),
    map('add', large, 3),
    map('add', 4 * large, 3),
    map('relu', large, 2),
    map('exp', large, 2),
    map('relu(2x + y) · y', large, 3),
    {
      name: `softmax ${rows}×${columns}`,
      spec: { kind: 'softmax', rows, columns },
      bytes: 8 * rows * columns,
    },
    convolution(...((tiny ? [2, 4, 8, 4] : [32, 32, 14, 64]) as [number, number, number, number])),
    network('train', sizes),
    network('infer', sizes),
    cnn(tiny ? { batch: 4, side: 12, channels: [4, 8] } : { batch: 64, side: 28, channels: [16, 32] }),
    transformer(
      tiny
        ? { batch: 2, length: 16, width: 32, heads: 2, inner: 64 }
        : { batch: 8, length: 128, width: 256, heads: 4, inner: 1024 },
    ),
  ];
}
