/** Epochs of the tutorial. */
import * as torch from 'wasmgrad';
import { checksum } from './checksum.ts';
import {
  epoch,
  epochOn,
  fromScratch,
  type Loader,
  loader,
  SEED,
  type Step,
  withModules,
} from './tutorial.ts';
import type { Observation, Probe, Setting } from './types.ts';

const EPOCHS = 5;
const now = () => performance.now();

/** Each epoch is a sample; the first one is counted too, with what the engine still has to optimise. */
async function train(setting: Setting, batches: Loader, what: string, step: Step): Promise<Observation> {
  const samples: number[] = [];
  const losses: number[] = [];
  for (let e = 0; e < (setting.tiny ? 1 : EPOCHS); e++) {
    const start = now();
    losses.push(
      setting.device === 'cpu' ? epoch(batches, step) : await epochOn(setting.device, batches, step),
    );
    samples.push(now() - start);
  }
  const note = `${what}; loss ${losses.map((loss) => loss.toFixed(4)).join(', ')}`;
  return { samples, unit: 'ms', note, checksum: checksum(Float64Array.from(losses)) };
}

async function load(
  { batches, what }: Awaited<ReturnType<typeof loader>>,
  tiny: boolean,
): Promise<Observation> {
  const samples: number[] = [];
  for (let e = 0; e < (tiny ? 1 : EPOCHS); e++) {
    const start = now();
    for (const _ of batches);
    samples.push(now() - start);
  }
  return { samples, unit: 'ms', note: what };
}

export function epochs({ tiny }: Setting): Probe[] {
  const work = { samples: tiny ? 256 : 55_000 };
  const probe = (name: string, observe: Probe['observe']): Probe => ({ group: 'epoch', name, work, observe });
  return [
    probe('tutorial with modules', async (setting) => {
      const { batches, what } = await loader(setting);
      torch.manualSeed(SEED);
      return train(setting, batches, what, withModules(setting.device));
    }),
    {
      ...probe('tutorial from bare tensors', async (setting) => {
        const { batches, what } = await loader(setting);
        torch.manualSeed(SEED);
        return train(setting, batches, what, fromScratch());
      }),
      unable: ({ device }) => (device === 'cpu' ? undefined : 'its tensors are made on the cpu'),
    },
    probe('loading alone', async (setting) => load(await loader(setting), setting.tiny)),
  ];
}
