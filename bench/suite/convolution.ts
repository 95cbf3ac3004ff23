/** Convolutions forward and backward, and pooling. */
import * as torch from 'wasmgrad';
import { nn } from 'wasmgrad';
import { on, seeded } from './inputs.ts';
import type { Setting, Timed } from './types.ts';

/** A batch of square pictures [count, channels, side, side] to `filters` channels, 3×3, without padding. */
interface Layer {
  readonly count: number;
  readonly channels: number;
  readonly side: number;
  readonly filters: number;
}
const LAYERS: readonly Layer[] = [
  { count: 32, channels: 1, side: 28, filters: 32 },
  { count: 32, channels: 32, side: 14, filters: 64 },
];
const TINY: readonly Layer[] = [{ count: 2, channels: 2, side: 6, filters: 3 }];
const KERNEL = 3;

type Part = 'forward' | 'gradient of the input' | 'gradient of the weight' | 'forward and both gradients';
const PARTS: readonly Part[] = [
  'forward',
  'gradient of the input',
  'gradient of the weight',
  'forward and both gradients',
];

const label = ({ count, channels, side, filters }: Layer): string =>
  `${count}×${channels}×${side}×${side} → ${filters}`;

function convolution(layer: Layer, part: Part): Timed {
  const { count, channels, side, filters } = layer;
  const out = side - KERNEL + 1;
  const flops = 2 * count * filters * out * out * channels * KERNEL * KERNEL;
  return {
    group: 'convolution',
    name: `${label(layer)}, ${part}`,
    work: { flops: part === 'forward and both gradients' ? 3 * flops : flops },
    prepare: (setting) => {
      const [x, w, g] = seeded(() => [
        on(torch.randn(count, channels, side, side), setting),
        on(torch.randn(filters, channels, KERNEL, KERNEL), setting),
        on(torch.randn(count, filters, out, out), setting),
      ]);
      const forward = () => nn.functional.conv2d(x, w);
      if (part === 'forward') return { run: forward };
      if (part !== 'gradient of the weight') x.requiresGrad_();
      if (part !== 'gradient of the input') w.requiresGrad_();
      const wanted = [x, w].filter((leaf) => leaf.requiresGrad);
      const both = part === 'forward and both gradients';
      const y = both ? null : forward();
      return {
        run: () => {
          const [first] = torch.autograd.grad(y ?? forward(), wanted, { gradOutputs: g, retainGraph: !both });
          return first;
        },
      };
    },
  };
}

function pooling({ count, side, filters }: Layer): Timed {
  const shape = [count, filters, side, side];
  return {
    group: 'convolution',
    name: `maxPool2d of ${shape.join('×')}, 2×2`,
    work: { elements: count * filters * side * side },
    prepare: (setting) => {
      const x = seeded(() => on(torch.randn(shape), setting));
      return { run: () => nn.functional.maxPool2d(x, 2) };
    },
  };
}

export function convolutions({ tiny }: Setting): Timed[] {
  return (tiny ? TINY : LAYERS).flatMap((layer) => [
    ...PARTS.map((part) => convolution(layer, part)),
    pooling(layer),
  ]);
}
