/** `optim.swaUtils`: averages of weights over a training, and the schedule that goes with them. */
import { noGrad } from '../autograd/gradMode.ts';
import { ArgumentError } from '../core/errors.ts';
import { tensor } from '../creation.ts';
import type { BatchNorm } from '../nn/channelNorm.ts';
import type { Module } from '../nn/module.ts';
import { tensorGiven } from '../ops/given.ts';
import { option } from '../ops/options.ts';
import { type Flexible, named } from '../tensor/namedArguments.ts';
import { Tensor } from '../tensor.ts';
import {
  type Arguments,
  type LastEpochOptions,
  LRScheduler,
  perGroup,
  required,
  type Scheduled,
} from './scheduler.ts';

/** The next average of one parameter. */
export type AvgFn = (averaged: Tensor, current: Tensor, numAveraged: number) => Tensor;
/** Moves the averages of all parameters of one dtype in place. */
export type MultiAvgFn = (
  averaged: readonly Tensor[],
  current: readonly Tensor[],
  numAveraged: number,
) => void;

function checkDecay(decay: number): void {
  if (decay >= 0 && decay <= 1) return;
  throw new ArgumentError(`Invalid decay value ${decay} provided. Please provide a value in [0,1] range.`);
}

/** Exponential moving averages: decay·average + (1 − decay)·current. @throws ArgumentError unless decay is in [0, 1] */
export function getEmaAvgFn(decay = 0.999): AvgFn {
  checkDecay(decay);
  return (averaged, current) => noGrad(() => averaged.mul(decay).add(current.mul(1 - decay)));
}

/** Plain means of all models so far. */
export function getSwaAvgFn(): AvgFn {
  return (averaged, current, count) => noGrad(() => averaged.add(current.sub(averaged).div(count + 1)));
}

/** average += weight·(current − average). Whole numbers are averaged by `whole`. */
const moving =
  (weight: (count: number) => number, whole: AvgFn): MultiAvgFn =>
  (averaged, current, count) =>
    noGrad(() => {
      for (const [i, x] of averaged.entries()) {
        if (x.isFloatingPoint()) x.lerp_(current[i], weight(count));
        else x.copy_(whole(x, current[i], count));
      }
    });

/** `getEmaAvgFn` for all parameters at once. */
export const getEmaMultiAvgFn = (decay = 0.999): MultiAvgFn => moving(() => 1 - decay, getEmaAvgFn(decay));
/** `getSwaAvgFn` for all parameters at once. */
export const getSwaMultiAvgFn = (): MultiAvgFn => moving((count) => 1 / (count + 1), getSwaAvgFn());

export interface AveragedModelOptions {
  /** Where the averages lie. Default: where the model does. */
  device?: string | null;
  /** How one parameter is averaged; default: plain means. */
  avgFn?: AvgFn | null;
  /** How all of them are. */
  multiAvgFn?: MultiAvgFn | null;
  /** Average buffers, too; else they are those of the model. Default false. */
  useBuffers?: boolean;
}

/**
 * A copy of a model whose weights are means over a training (Izmailov et al., 2018), or moving ones. It is no Module itself, since
 * optimisers are made without them: `module` is one.
 */
export class AveragedModel<M extends Module = Module> {
  readonly module: M;
  training = true;
  /** How many models are in the averages. On the CPU, wherever they are. */
  readonly n_averaged: Tensor = tensor(0n, { device: 'cpu' });
  avgFn: AvgFn | null;
  multiAvgFn: MultiAvgFn | null;
  useBuffers: boolean;

  constructor(
    model: M,
    ...rest: Flexible<
      [device: string | null, avgFn: AvgFn | null, multiAvgFn: MultiAvgFn | null, useBuffers: boolean],
      AveragedModelOptions
    >
  ) {
    const {
      device = null,
      avgFn = null,
      multiAvgFn = null,
      useBuffers = false,
    } = named<AveragedModelOptions>(new.target.name, 'device avgFn multiAvgFn useBuffers', rest);
    if (avgFn !== null && multiAvgFn !== null)
      throw new ArgumentError('AveragedModel: Only one of avgFn and multiAvgFn should be provided');
    this.module = model.deepcopy();
    if (device !== null) this.module.to({ device });
    this.avgFn = avgFn;
    this.multiAvgFn = multiAvgFn;
    this.useBuffers = useBuffers;
  }

  forward(...inputs: Parameters<M['forward']>): ReturnType<M['forward']> {
    return this.module.call(...inputs) as ReturnType<M['forward']>;
  }
  parameters(): Tensor[] {
    return this.module.parameters();
  }
  namedParameters(): [string, Tensor][] {
    return this.module.namedParameters('module');
  }
  modules(): Module[] {
    return this.module.modules();
  }
  train(mode = true): this {
    this.training = mode;
    this.module.train(mode);
    return this;
  }
  eval(): this {
    return this.train(false);
  }
  to(...target: Parameters<Module['to']>): this {
    this.module.to(...target);
    return this;
  }
  /** As PyTorch prints it. */
  toString(): string {
    return `AveragedModel(\n  (module): ${String(this.module).replaceAll('\n', '\n  ')}\n)`;
  }
  /** As PyTorch's: `n_averaged`, and what the module has behind `module.`. */
  stateDict(): Record<string, Tensor> {
    return { n_averaged: this.n_averaged, ...this.module.stateDict('module.') };
  }
  /** @throws ArgumentError for missing keys, unexpected ones and other shapes */
  loadStateDict({ n_averaged: count, ...state }: Readonly<Record<string, Tensor>>): void {
    const own = Object.entries(state).map(([name, x]) => [name.replace(/^module\./, ''), x]);
    this.module.loadStateDict(Object.fromEntries(own));
    this.n_averaged.copy_(tensorGiven(count, 'AveragedModel.loadStateDict', 'n_averaged').to('cpu'));
  }

  /** Takes the weights that the model has now into the averages; the first ones are copied. */
  updateParameters(model: Module): void {
    const { useBuffers, module } = this;
    noGrad(() => {
      const averagedOf = (own: Module) =>
        useBuffers ? [...own.parameters(), ...own.buffers()] : own.parameters();
      const [averaged, current] = pairs(averagedOf(module), averagedOf(model));
      const count = this.n_averaged.item();
      if (count === 0) copyAll(averaged, current);
      else if (this.multiAvgFn === null) {
        const average = this.avgFn ?? getSwaAvgFn();
        copyAll(
          averaged,
          averaged.map((x, i) => average(x, current[i], count)),
        );
      } else {
        for (const dtype of new Set(averaged.map((x) => x.dtype))) {
          const same = (_: Tensor, i: number) => averaged[i].dtype === dtype;
          this.multiAvgFn(averaged.filter(same), current.filter(same), count);
        }
      }
      if (!useBuffers) copyAll(...pairs(module.buffers(), model.buffers()));
      this.n_averaged.add_(1);
    });
  }
}

/** Values to change, and those to take in, on the same devices. */
const pairs = (averaged: readonly Tensor[], current: readonly Tensor[]): [Tensor[], Tensor[]] => [
  averaged.map((x) => x.detach()),
  averaged.map((x, i) => current[i].detach().to(x.device)),
];

function copyAll(to: readonly Tensor[], from: readonly Tensor[]): void {
  for (const [i, x] of to.entries()) x.copy_(from[i]);
}

/** By what it has: optimisers know modules by types only. Instance normalizations have the rank of a sample, too. */
const isBatchNorm = (x: Module): x is BatchNorm => 'resetRunningStats' in x && !('sampleRank' in x);

/**
 * Has the running statistics of the batch normalizations in a model be the means over all batches of a loader: tensors, or lists
 * whose first element is one.
 */
export function updateBn(
  loader: Iterable<unknown>,
  model: Module | AveragedModel,
  options: string | null | { device?: string | null } = null,
): void {
  const device = option<'device', string | null>(options, 'update_bn', 'device', null);
  const norms = model.modules().filter(isBatchNorm);
  if (norms.length === 0) return;
  const { training } = model;
  const momenta = norms.map(({ momentum }) => momentum);
  const setMomenta = (values: readonly (number | null)[]): void =>
    norms.forEach((norm, i) => {
      Reflect.set(norm, 'momentum', values[i]);
    });
  for (const norm of norms) norm.resetRunningStats();
  model.train();
  setMomenta(norms.map(() => null));
  noGrad(() => {
    for (const batch of loader) {
      const input: unknown = Array.isArray(batch) ? batch[0] : batch;
      const here = device !== null && input instanceof Tensor ? input.to(device) : input;
      if (model instanceof AveragedModel) model.module.call(here);
      else model.call(here);
    }
  });
  setMomenta(momenta);
  model.train(training);
}

export interface SWALROptions extends LastEpochOptions {
  /** The rate to reach; one for all groups, or a list. */
  swaLr: number | readonly number[];
  /** In how many epochs. Default 10. */
  annealEpochs?: number;
  /** Along a cosine, the default, or a line. */
  annealStrategy?: 'cos' | 'linear';
}

/** From the rate that a group has to swaLr, where it stays. */
export class SWALR extends LRScheduler {
  annealEpochs: number;
  annealStrategy: 'cos' | 'linear';

  constructor(
    optimizer: Scheduled,
    ...args: Arguments<
      [
        swaLr: number | readonly number[],
        annealEpochs?: number,
        annealStrategy?: 'cos' | 'linear',
        lastEpoch?: number,
      ],
      SWALROptions
    >
  ) {
    const {
      swaLr,
      annealEpochs = 10,
      annealStrategy = 'cos',
      lastEpoch,
    } = named<Partial<SWALROptions>>(new.target.name, 'swaLr annealEpochs annealStrategy lastEpoch', args);
    super(optimizer, lastEpoch);
    const rates = perGroup(optimizer, required(swaLr, 'SWALR', 'swaLr'), 'swaLr');
    if (annealStrategy !== 'cos' && annealStrategy !== 'linear')
      throw new ArgumentError(
        `annealStrategy must be one of 'cos' or 'linear', instead got ${String(annealStrategy)}`,
      );
    if (!(Number.isInteger(annealEpochs) && annealEpochs >= 0))
      throw new ArgumentError(`annealEpochs must be equal or greater than 0, got ${annealEpochs}`);
    optimizer.paramGroups.forEach((group, i) => {
      group.swaLr = rates[i];
    });
    this.annealEpochs = annealEpochs;
    this.annealStrategy = annealStrategy;
    this.start();
  }

  protected override nextLrs(): number[] {
    const step = Math.max(this.stepCount - 1, this.annealEpochs === 0 ? 1 : 0);
    const share = (epochs: number): number => {
      const t = Math.max(0, Math.min(1, epochs / Math.max(1, this.annealEpochs)));
      return this.annealStrategy === 'linear' ? t : (1 - Math.cos(Math.PI * t)) / 2;
    };
    const [before, now] = [share(step - 1), share(step)];
    // By the rates: groups that were added since have none to go to.
    return this.baseLrs.map((_, i) => {
      const { lr, swaLr = lr } = this.optimizer.paramGroups[i];
      const initial = before === 1 ? swaLr : (lr - before * swaLr) / (1 - before);
      return swaLr * now + initial * (1 - now);
    });
  }
}
