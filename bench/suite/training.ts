/** One step of training on a fixed batch: forward, backward, optimiser. */
import * as torch from 'wasmgrad';
import { nn, optim } from 'wasmgrad';
import { on, seeded } from './inputs.ts';
import { cnn, lstm, mlp, type Step, transformerLayer } from './networks.ts';
import type { Setting, Timed } from './types.ts';

const NETWORKS = { mlp, cnn, transformerLayer, lstm };
const NAMES: Readonly<Record<keyof typeof NETWORKS, string>> = {
  mlp: 'MLP 784-500-10, batch 128, SGD',
  cnn: 'CNN 1-32-64-10 on 28×28, batch 32, Adam',
  transformerLayer: 'transformer layer, width 128, batch 8 × 64, Adam',
  lstm: 'LSTM 28-128, batch 32 × 28, Adam',
};
const SAMPLES: Readonly<Record<keyof typeof NETWORKS, number>> = {
  mlp: 128,
  cnn: 32,
  transformerLayer: 8,
  lstm: 32,
};

function step(key: keyof typeof NETWORKS): Timed {
  const make: (setting: Setting) => Step = NETWORKS[key];
  return {
    group: 'training',
    name: NAMES[key],
    work: { samples: SAMPLES[key] },
    prepare: (setting) => ({ run: seeded(() => make(setting)) }),
  };
}

/** The optimiser alone: one parameter that all but fills a cache, with a gradient. */
function update(name: 'SGD with momentum' | 'Adam', { tiny }: Setting): Timed {
  const elements = tiny ? 300 : 1_000_000;
  return {
    group: 'training',
    name: `${name}, one update of ${elements.toLocaleString('en')}`,
    work: { elements },
    prepare: (setting) => {
      const [w, g] = seeded(() => [on(torch.randn(elements), setting), on(torch.randn(elements), setting)]);
      const parameter = new nn.Parameter(w);
      parameter.grad = g;
      const optimizer =
        name === 'Adam'
          ? new optim.Adam([parameter], { lr: 1e-3 })
          : new optim.SGD([parameter], { lr: 1e-3, momentum: 0.9 });
      return {
        run: () => {
          optimizer.step();
          return parameter.detach();
        },
      };
    },
  };
}

export function training(setting: Setting): Timed[] {
  const keys = Object.keys(NETWORKS) as (keyof typeof NETWORKS)[];
  return [...keys.map(step), update('SGD with momentum', setting), update('Adam', setting)];
}
