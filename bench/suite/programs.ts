/** Whole programs, each started afresh by the host: how long until the first step is done, and how much memory. */
import type { Probe, Setting } from './types.ts';

const STARTS = 9;
const EPOCHS = 5;

export function start({ tiny }: Setting): Probe[] {
  return [
    {
      group: 'start',
      name: 'start to the end of the first training step',
      unable: ({ host }) => (host.firstStep ? undefined : 'this host cannot start a fresh program'),
      observe: async ({ host, threads }) => {
        const samples: number[] = [];
        for (let i = 0; i < (tiny ? 1 : STARTS); i++) samples.push(await host.firstStep!(threads));
        return { samples, unit: 'ms' };
      },
    },
  ];
}

export function memory({ tiny }: Setting): Probe[] {
  return [
    {
      group: 'memory',
      name: 'most memory of the tutorial',
      unable: ({ host }) => (host.peakMemory ? undefined : 'this host cannot tell'),
      observe: async ({ host, threads }) => {
        const { MB, what } = await host.peakMemory!(tiny ? 1 : EPOCHS, threads, tiny);
        const text = MB.map((value) => value.toFixed(0)).join(', ');
        return { samples: MB.slice(-1), unit: 'MB', note: `${what}; after each epoch ${text}` };
      },
    },
  ];
}
