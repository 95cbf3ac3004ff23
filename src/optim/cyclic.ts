/** Schedules along cosines and cycles, some of which cycle the momentum against the rate. */
import { ArgumentError } from '../core/errors.ts';
import { named } from '../tensor/namedArguments.ts';
import {
  type Arguments,
  type LastEpochOptions,
  LRScheduler,
  perGroup,
  required,
  type Scheduled,
} from './scheduler.ts';

export interface CosineAnnealingLROptions extends LastEpochOptions {
  /** Half the period, in epochs. */
  TMax: number;
  /** The lowest rate. Default 0. */
  etaMin?: number;
}

/** From the initial rate to etaMin along half a cosine in TMax epochs, and back. */
export class CosineAnnealingLR extends LRScheduler {
  TMax: number;
  etaMin: number;

  constructor(
    optimizer: Scheduled,
    ...args: Arguments<[TMax: number, etaMin?: number, lastEpoch?: number], CosineAnnealingLROptions>
  ) {
    const {
      TMax,
      etaMin = 0,
      lastEpoch,
    } = named<Partial<CosineAnnealingLROptions>>(new.target.name, 'TMax etaMin lastEpoch', args);
    super(optimizer, lastEpoch);
    this.TMax = required(TMax, 'CosineAnnealingLR', 'TMax');
    this.etaMin = etaMin;
    this.start();
  }
  protected override nextLrs(): number[] {
    const { lastEpoch, TMax, etaMin, baseLrs } = this;
    const lrs = this.lrs();
    if (this.isInitial) return lrs;
    // The rate before is etaMin here: nothing to scale.
    if ((lastEpoch - 1 - TMax) % (2 * TMax) === 0) {
      return baseLrs.map((lr, i) => lrs[i] + ((lr - etaMin) * (1 - Math.cos(Math.PI / TMax))) / 2);
    }
    const ratio =
      (1 + Math.cos((Math.PI * lastEpoch) / TMax)) / (1 + Math.cos((Math.PI * (lastEpoch - 1)) / TMax));
    return lrs.map((lr) => ratio * (lr - etaMin) + etaMin);
  }
  protected override lrsAt(epoch: number): number[] {
    const { TMax, etaMin } = this;
    return this.baseLrs.map((lr) => etaMin + ((lr - etaMin) * (1 + Math.cos((Math.PI * epoch) / TMax))) / 2);
  }
}

export interface CosineAnnealingWarmRestartsOptions extends LastEpochOptions {
  /** Epochs until the first restart. */
  T0: number;
  /** Each cycle is this many times longer. Default 1. */
  TMult?: number;
  /** The lowest rate. Default 0. */
  etaMin?: number;
}

/** Half a cosine down to etaMin, again and again (Loshchilov and Hutter, 2017). Epochs may be fractions. */
export class CosineAnnealingWarmRestarts extends LRScheduler {
  T0: number;
  TMult: number;
  etaMin: number;
  /** Length of the present cycle. */
  TI: number;
  /** Position in it. */
  TCur: number;

  constructor(
    optimizer: Scheduled,
    ...args: Arguments<
      [T0: number, TMult?: number, etaMin?: number, lastEpoch?: number],
      CosineAnnealingWarmRestartsOptions
    >
  ) {
    const {
      T0 = 0,
      TMult = 1,
      etaMin = 0,
      lastEpoch = -1,
    } = named<Partial<CosineAnnealingWarmRestartsOptions>>(
      new.target.name,
      'T0 TMult etaMin lastEpoch',
      args,
    );
    if (!(T0 > 0 && Number.isInteger(T0)))
      throw new ArgumentError(`Expected positive integer T_0, but got ${T0}`);
    if (!(TMult >= 1 && Number.isInteger(TMult)))
      throw new ArgumentError(`Expected integer T_mult >= 1, but got ${TMult}`);
    super(optimizer, lastEpoch);
    this.T0 = T0;
    this.TMult = TMult;
    this.etaMin = etaMin;
    this.TI = T0;
    this.TCur = lastEpoch;
    this.start();
  }
  protected override nextLrs(): number[] {
    const { etaMin, TCur, TI } = this;
    return this.baseLrs.map((lr) => etaMin + ((lr - etaMin) * (1 + Math.cos((Math.PI * TCur) / TI))) / 2);
  }
  /** @throws ArgumentError for a negative epoch */
  override step(epoch?: number): void {
    this.stepCount++;
    const to = epoch ?? (this.lastEpoch < 0 ? 0 : null);
    if (to === null) this.#advance();
    else this.#goTo(to);
    this.lastEpoch = Math.floor(to ?? this.lastEpoch + 1);
    this.assign(this.nextLrs());
  }
  #advance(): void {
    this.TCur++;
    if (this.TCur < this.TI) return;
    this.TCur %= this.TI;
    this.TI *= this.TMult;
  }
  #goTo(epoch: number): void {
    const { T0, TMult } = this;
    if (epoch < 0) throw new ArgumentError(`Expected non-negative epoch, but got ${epoch}`);
    const cycle =
      epoch < T0 || TMult === 1 ? 0 : Math.floor(Math.log((epoch / T0) * (TMult - 1) + 1) / Math.log(TMult));
    this.TI = T0 * TMult ** cycle;
    this.TCur = TMult === 1 ? epoch % T0 : epoch - (T0 * (TMult ** cycle - 1)) / (TMult - 1);
  }
}

type PerGroup = number | readonly number[];

type CyclicArguments = [
  baseLr: PerGroup,
  maxLr: PerGroup,
  stepSizeUp?: number,
  stepSizeDown?: number | null,
  mode?: CyclicLROptions['mode'],
  gamma?: number,
];

export interface CyclicLROptions extends LastEpochOptions {
  baseLr: PerGroup;
  maxLr: PerGroup;
  /** Steps from baseLr to maxLr. Default 2000. */
  stepSizeUp?: number;
  /** Steps back. Default as many. */
  stepSizeDown?: number | null;
  /** Default 'triangular'. */
  mode?: 'triangular' | 'triangular2' | 'exp_range';
  /** The factor of 'exp_range'. Default 1. */
  gamma?: number;
  /** A scale of one's own, in place of `mode`. */
  scaleFn?: ((x: number) => number) | null;
  /** What the scale depends on. Default 'cycle'. */
  scaleMode?: 'cycle' | 'iterations';
  /** Default true. */
  cycleMomentum?: boolean;
  /** Default 0.8. */
  baseMomentum?: PerGroup;
  /** Default 0.9. */
  maxMomentum?: PerGroup;
}

/** Up and down between two rates (Smith, 2017), the momentum down and up. */
export class CyclicLR extends LRScheduler {
  readonly maxLrs: number[];
  readonly totalSize: number;
  readonly stepRatio: number;
  readonly cycleMomentum: boolean;
  readonly baseMomentums: number[];
  readonly maxMomentums: number[];
  readonly scaleMode: 'cycle' | 'iterations';
  readonly #scale: (x: number) => number;

  constructor(optimizer: Scheduled, ...args: Arguments<CyclicArguments, CyclicLROptions>) {
    const options = named<Partial<CyclicLROptions>>(
      new.target.name,
      'baseLr maxLr stepSizeUp stepSizeDown mode gamma * scaleFn scaleMode cycleMomentum baseMomentum maxMomentum lastEpoch',
      args,
    );
    const {
      stepSizeUp = 2000,
      stepSizeDown,
      mode = 'triangular',
      gamma = 1,
      scaleFn,
      lastEpoch = -1,
    } = options;
    const baseLrs = perGroup(optimizer, required(options.baseLr, 'CyclicLR', 'baseLr'), 'baseLr');
    if (lastEpoch === -1) {
      optimizer.paramGroups.forEach((group, i) => {
        group.lr = baseLrs[i];
      });
    }
    super(optimizer, lastEpoch);
    this.maxLrs = perGroup(optimizer, required(options.maxLr, 'CyclicLR', 'maxLr'), 'maxLr');
    this.totalSize = stepSizeUp + (stepSizeDown ?? stepSizeUp);
    this.stepRatio = stepSizeUp / this.totalSize;
    this.scaleMode = scaleFn ? (options.scaleMode ?? 'cycle') : mode === 'exp_range' ? 'iterations' : 'cycle';
    this.#scale = scaleFn ?? scaleOf(mode, gamma);
    this.cycleMomentum = options.cycleMomentum ?? true;
    if (this.cycleMomentum) this.checkMomentum();
    this.baseMomentums = perGroup(optimizer, options.baseMomentum ?? 0.8, 'baseMomentum');
    this.maxMomentums = perGroup(optimizer, options.maxMomentum ?? 0.9, 'maxMomentum');
    if (this.cycleMomentum && lastEpoch === -1)
      optimizer.paramGroups.forEach((group, i) => {
        group.maxMomentum = this.maxMomentums[i];
        group.baseMomentum = this.baseMomentums[i];
      });
    // The first rate is the initial one, which an earlier schedule may have set, as in PyTorch.
    this.start();
    this.baseLrs = baseLrs;
  }

  protected override nextLrs(): number[] {
    const { lastEpoch, totalSize, stepRatio, baseLrs, maxLrs } = this;
    const cycle = Math.floor(1 + lastEpoch / totalSize);
    const x = 1 + lastEpoch / totalSize - cycle;
    const height = x <= stepRatio ? x / stepRatio : (x - 1) / (stepRatio - 1);
    const scale = this.#scale(this.scaleMode === 'cycle' ? cycle : lastEpoch);
    if (this.cycleMomentum) {
      this.assignMomentum(
        this.maxMomentums.map((top, i) => top - (top - this.baseMomentums[i]) * height * scale),
      );
    }
    return baseLrs.map((lr, i) => lr + (maxLrs[i] - lr) * height * scale);
  }
}

/** @throws ArgumentError for an unknown mode */
function scaleOf(mode: NonNullable<CyclicLROptions['mode']>, gamma: number): (x: number) => number {
  switch (mode) {
    case 'triangular':
      return () => 1;
    case 'triangular2':
      return (cycle) => 1 / 2 ** (cycle - 1);
    case 'exp_range':
      return (step) => gamma ** step;
    default:
      throw new ArgumentError(`mode is invalid and scale_fn is None, got ${String(mode satisfies never)}`);
  }
}

type OneCycleArguments = [
  maxLr: PerGroup,
  totalSteps?: number | null,
  epochs?: number | null,
  stepsPerEpoch?: number | null,
  pctStart?: number,
  annealStrategy?: 'cos' | 'linear',
];

export interface OneCycleLROptions extends LastEpochOptions {
  maxLr: PerGroup;
  /** Or give epochs and stepsPerEpoch. */
  totalSteps?: number | null;
  epochs?: number | null;
  stepsPerEpoch?: number | null;
  /** The part of the cycle spent climbing. Default 0.3. */
  pctStart?: number;
  /** Default 'cos'. */
  annealStrategy?: 'cos' | 'linear';
  /** Default true. */
  cycleMomentum?: boolean;
  /** Default 0.85. */
  baseMomentum?: PerGroup;
  /** Default 0.95. */
  maxMomentum?: PerGroup;
  /** The first rate is maxLr over this. Default 25. */
  divFactor?: number;
  /** The last rate is the first over this. Default 10,000. */
  finalDivFactor?: number;
  /** Down to the first rate before going lower. */
  threePhase?: boolean;
}

// What groups have.
type Rate = 'initialLr' | 'maxLr' | 'minLr';
type Momentum = 'maxMomentum' | 'baseMomentum';
interface Phase {
  readonly end: number;
  readonly from: Rate;
  readonly to: Rate;
  /** The momentum goes against the rate. */
  readonly momentum: readonly [from: Momentum, to: Momentum];
}

/** One climb to maxLr and one descent far below (Smith and Topin, 2018). Step it after every batch. */
export class OneCycleLR extends LRScheduler {
  readonly totalSteps: number;
  readonly cycleMomentum: boolean;
  readonly annealStrategy: 'cos' | 'linear';
  readonly #phases: readonly Phase[];

  constructor(optimizer: Scheduled, ...args: Arguments<OneCycleArguments, OneCycleLROptions>) {
    const options = named<Partial<OneCycleLROptions>>(
      new.target.name,
      'maxLr totalSteps epochs stepsPerEpoch pctStart annealStrategy * cycleMomentum baseMomentum maxMomentum divFactor finalDivFactor threePhase lastEpoch',
      args,
    );
    const {
      pctStart = 0.3,
      annealStrategy = 'cos',
      divFactor = 25,
      finalDivFactor = 1e4,
      lastEpoch = -1,
    } = options;
    const totalSteps = stepsOf(options);
    if (!(pctStart >= 0 && pctStart <= 1))
      throw new ArgumentError(`Expected float between 0 and 1 pct_start, but got ${pctStart}`);
    if (annealStrategy !== 'cos' && annealStrategy !== 'linear') {
      throw new ArgumentError(
        `anneal_strategy must be one of 'cos' or 'linear', instead got ${String(annealStrategy)}`,
      );
    }
    const top = perGroup(optimizer, required(options.maxLr, 'OneCycleLR', 'maxLr'), 'maxLr');
    if (lastEpoch === -1) {
      optimizer.paramGroups.forEach((group, i) => {
        group.initialLr = top[i] / divFactor;
      });
    }
    super(optimizer, lastEpoch);
    this.totalSteps = totalSteps;
    this.annealStrategy = annealStrategy;
    this.cycleMomentum = options.cycleMomentum ?? true;
    if (this.cycleMomentum) this.checkMomentum();
    const high = perGroup(optimizer, options.maxMomentum ?? 0.95, 'maxMomentum');
    const low = perGroup(optimizer, options.baseMomentum ?? 0.85, 'baseMomentum');
    optimizer.paramGroups.forEach((group, i) => {
      const bounds = {
        maxLr: top[i],
        minLr: this.baseLrs[i] / finalDivFactor,
        ...(this.cycleMomentum && { maxMomentum: high[i], baseMomentum: low[i] }),
      };
      Object.assign(group, lastEpoch === -1 ? bounds : { ...bounds, ...group });
    });
    this.#phases = phasesOf(totalSteps, pctStart, options.threePhase ?? false);
    this.start();
  }

  /** @throws ArgumentError after the last step */
  protected override nextLrs(): number[] {
    const step = this.lastEpoch;
    if (step > this.totalSteps) {
      throw new ArgumentError(
        `Tried to step ${step} times. The specified number of total steps is ${this.totalSteps}`,
      );
    }
    const last = this.#phases.length - 1;
    const at = this.#phases.findIndex(({ end }, i) => step <= end || i === last);
    const { end, from, to, momentum } = this.#phases[at];
    const start = at === 0 ? 0 : this.#phases[at - 1].end;
    const part = (step - start) / (end - start);
    if (this.cycleMomentum) this.assignMomentum(this.#between(...momentum, part));
    return this.#between(from, to, part);
  }

  /** For each group that there was at first. @throws ArgumentError if a group has lost its bounds */
  #between(from: Rate | Momentum, to: Rate | Momentum, part: number): number[] {
    return this.baseLrs.map((_, i) => {
      const group = this.optimizer.paramGroups[i];
      return this.#blend(
        required(group[from], 'OneCycleLR', from),
        required(group[to], 'OneCycleLR', to),
        part,
      );
    });
  }

  #blend(start: number, end: number, part: number): number {
    if (this.annealStrategy === 'linear') return (end - start) * part + start;
    return end + ((start - end) / 2) * (Math.cos(Math.PI * part) + 1);
  }
}

/** @throws ArgumentError unless the number of steps follows from the options */
function stepsOf({ totalSteps, epochs, stepsPerEpoch }: Partial<OneCycleLROptions>): number {
  const positive = (value: number, name: string): number => {
    if (Number.isInteger(value) && value > 0) return value;
    throw new ArgumentError(`Expected positive integer ${name}, but got ${value}`);
  };
  if (totalSteps != null) return positive(totalSteps, 'total_steps');
  if (epochs != null && stepsPerEpoch != null)
    return positive(epochs, 'epochs') * positive(stepsPerEpoch, 'steps_per_epoch');
  throw new ArgumentError('You must define either total_steps OR (epochs AND steps_per_epoch)');
}

function phasesOf(steps: number, pctStart: number, threePhase: boolean): readonly Phase[] {
  const [high, low] = ['maxMomentum', 'baseMomentum'] as const;
  const climb: Phase = { end: pctStart * steps - 1, from: 'initialLr', to: 'maxLr', momentum: [high, low] };
  if (!threePhase) return [climb, { end: steps - 1, from: 'maxLr', to: 'minLr', momentum: [low, high] }];
  return [
    climb,
    { end: 2 * pctStart * steps - 2, from: 'maxLr', to: 'initialLr', momentum: [low, high] },
    { end: steps - 1, from: 'initialLr', to: 'minLr', momentum: [high, high] },
  ];
}
