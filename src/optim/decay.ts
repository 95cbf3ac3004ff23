/** Schedules that multiply or interpolate: by functions, at milestones, over a number of epochs. */
import { ArgumentError } from '../core/errors.ts';
import { named } from '../tensor/namedArguments.ts';
import {
  type Arguments,
  type LastEpochOptions,
  LRScheduler,
  perGroup,
  required,
  type Scheduled,
  type SchedulerStateDict,
} from './scheduler.ts';

type Factor = (epoch: number) => number;

export interface LambdaLROptions extends LastEpochOptions {
  /** The factor of an epoch; one for all groups, or a list. */
  lrLambda: Factor | readonly Factor[];
}

/** initial lr · lrLambda(epoch). */
export class LambdaLR extends LRScheduler {
  readonly lrLambdas: Factor[];

  constructor(
    optimizer: Scheduled,
    ...args: Arguments<[lrLambda: Factor | readonly Factor[], lastEpoch?: number], LambdaLROptions>
  ) {
    const { lrLambda, lastEpoch } = named<Partial<LambdaLROptions>>(
      new.target.name,
      'lrLambda lastEpoch',
      args,
    );
    super(optimizer, lastEpoch);
    this.lrLambdas = perGroup(optimizer, required(lrLambda, 'LambdaLR', 'lrLambda'), 'lrLambda');
    this.start();
  }
  protected override nextLrs(): number[] {
    return this.baseLrs.map((lr, i) => lr * this.lrLambdas[i](this.lastEpoch));
  }
}

/** lr · lrLambda(epoch), epoch after epoch. */
export class MultiplicativeLR extends LRScheduler {
  readonly lrLambdas: Factor[];

  constructor(
    optimizer: Scheduled,
    ...args: Arguments<[lrLambda: Factor | readonly Factor[], lastEpoch?: number], LambdaLROptions>
  ) {
    const { lrLambda, lastEpoch } = named<Partial<LambdaLROptions>>(
      new.target.name,
      'lrLambda lastEpoch',
      args,
    );
    super(optimizer, lastEpoch);
    this.lrLambdas = perGroup(optimizer, required(lrLambda, 'MultiplicativeLR', 'lrLambda'), 'lrLambda');
    this.start();
  }
  protected override nextLrs(): number[] {
    const lrs = this.lrs();
    return this.isInitial ? lrs : this.lrLambdas.map((factor, i) => lrs[i] * factor(this.lastEpoch));
  }
}

export interface StepLROptions extends LastEpochOptions {
  stepSize: number;
  /** Default 0.1. */
  gamma?: number;
}

/** lr · gamma after every stepSize epochs. */
export class StepLR extends LRScheduler {
  stepSize: number;
  gamma: number;

  constructor(
    optimizer: Scheduled,
    ...args: Arguments<[stepSize: number, gamma?: number, lastEpoch?: number], StepLROptions>
  ) {
    const {
      stepSize,
      gamma = 0.1,
      lastEpoch,
    } = named<Partial<StepLROptions>>(new.target.name, 'stepSize gamma lastEpoch', args);
    super(optimizer, lastEpoch);
    this.stepSize = required(stepSize, 'StepLR', 'stepSize');
    this.gamma = gamma;
    this.start();
  }
  protected override nextLrs(): number[] {
    if (this.lastEpoch === 0 || this.lastEpoch % this.stepSize !== 0) return this.lrs();
    return this.lrs().map((lr) => lr * this.gamma);
  }
  protected override lrsAt(epoch: number): number[] {
    return this.baseLrs.map((lr) => lr * this.gamma ** Math.floor(epoch / this.stepSize));
  }
}

export interface MultiStepLROptions extends LastEpochOptions {
  /** Epochs; one that is named twice counts twice. */
  milestones: readonly number[];
  /** Default 0.1. */
  gamma?: number;
}

/** Of one milestone; more would be no schedule. */
const MAX_REPEATS = 1000;

/** How PyTorch saves milestones: how often each epoch is one. */
const isCounts = (x: unknown): x is Record<string, number> =>
  typeof x === 'object' &&
  x !== null &&
  !Array.isArray(x) &&
  Object.values(x).every((times) => Number.isInteger(times) && times > 0 && times < MAX_REPEATS);

const repeated = (counts: Record<string, number>): number[] =>
  Object.entries(counts).flatMap(([epoch, times]) => new Array<number>(times).fill(Number(epoch)));

/** lr · gamma at each milestone. */
export class MultiStepLR extends LRScheduler {
  milestones: number[];
  gamma: number;

  constructor(
    optimizer: Scheduled,
    ...args: Arguments<
      [milestones: readonly number[], gamma?: number, lastEpoch?: number],
      MultiStepLROptions
    >
  ) {
    const {
      milestones,
      gamma = 0.1,
      lastEpoch,
    } = named<Partial<MultiStepLROptions>>(new.target.name, 'milestones gamma lastEpoch', args);
    super(optimizer, lastEpoch);
    this.milestones = [...required(milestones, 'MultiStepLR', 'milestones')].sort((a, b) => a - b);
    this.gamma = gamma;
    this.start();
  }
  override loadStateDict(state: Readonly<SchedulerStateDict>): void {
    const { milestones } = state;
    super.loadStateDict(isCounts(milestones) ? { ...state, milestones: repeated(milestones) } : state);
  }

  protected override nextLrs(): number[] {
    const times = this.milestones.filter((epoch) => epoch === this.lastEpoch).length;
    return times === 0 ? this.lrs() : this.lrs().map((lr) => lr * this.gamma ** times);
  }
  protected override lrsAt(epoch: number): number[] {
    const times = this.milestones.filter((milestone) => milestone <= epoch).length;
    return this.baseLrs.map((lr) => lr * this.gamma ** times);
  }
}

export interface ConstantLROptions extends LastEpochOptions {
  /** Default 1/3. */
  factor?: number;
  /** Default 5. */
  totalIters?: number;
}

/** lr · factor for totalIters epochs, then lr. */
export class ConstantLR extends LRScheduler {
  factor: number;
  totalIters: number;

  constructor(
    optimizer: Scheduled,
    ...args: Arguments<[factor?: number, totalIters?: number, lastEpoch?: number], ConstantLROptions>
  ) {
    const {
      factor = 1 / 3,
      totalIters = 5,
      lastEpoch,
    } = named<Partial<ConstantLROptions>>(new.target.name, 'factor totalIters lastEpoch', args);
    if (!(factor >= 0 && factor <= 1))
      throw new ArgumentError('Constant multiplicative factor expected to be between 0 and 1.');
    super(optimizer, lastEpoch);
    this.factor = factor;
    this.totalIters = totalIters;
    this.start();
  }
  protected override nextLrs(): number[] {
    if (this.lastEpoch === 0) return this.lrs().map((lr) => lr * this.factor);
    return this.lastEpoch === this.totalIters ? this.lrs().map((lr) => lr * (1 / this.factor)) : this.lrs();
  }
  protected override lrsAt(epoch: number): number[] {
    return this.baseLrs.map((lr) => lr * (epoch >= this.totalIters ? 1 : this.factor));
  }
}

export interface LinearLROptions extends LastEpochOptions {
  /** Default 1/3. */
  startFactor?: number;
  /** Default 1. */
  endFactor?: number;
  /** Default 5. */
  totalIters?: number;
}

/** A factor that goes from startFactor to endFactor in totalIters epochs. */
export class LinearLR extends LRScheduler {
  startFactor: number;
  endFactor: number;
  totalIters: number;

  constructor(
    optimizer: Scheduled,
    ...args: Arguments<
      [startFactor?: number, endFactor?: number, totalIters?: number, lastEpoch?: number],
      LinearLROptions
    >
  ) {
    const {
      startFactor = 1 / 3,
      endFactor = 1,
      totalIters = 5,
      lastEpoch,
    } = named<Partial<LinearLROptions>>(new.target.name, 'startFactor endFactor totalIters lastEpoch', args);
    if (!(startFactor > 0 && startFactor <= 1)) {
      throw new ArgumentError(
        'Starting multiplicative factor expected to be greater than 0 and less or equal to 1.',
      );
    }
    if (!(endFactor >= 0 && endFactor <= 1)) {
      throw new ArgumentError('Ending multiplicative factor expected to be between 0 and 1.');
    }
    super(optimizer, lastEpoch);
    this.startFactor = startFactor;
    this.endFactor = endFactor;
    this.totalIters = totalIters;
    this.start();
  }
  protected override nextLrs(): number[] {
    const { lastEpoch, startFactor, endFactor, totalIters } = this;
    if (lastEpoch === 0) return this.lrs().map((lr) => lr * startFactor);
    if (this.isInitial || lastEpoch > totalIters) return this.lrs();
    const climb = endFactor - startFactor;
    const ratio = 1 + climb / (totalIters * startFactor + (lastEpoch - 1) * climb);
    return this.lrs().map((lr) => lr * ratio);
  }
  protected override lrsAt(epoch: number): number[] {
    const { startFactor, endFactor, totalIters } = this;
    return this.baseLrs.map(
      (lr) => lr * (startFactor + ((endFactor - startFactor) * Math.min(totalIters, epoch)) / totalIters),
    );
  }
}

export interface ExponentialLROptions extends LastEpochOptions {
  gamma: number;
}

/** lr · gamma every epoch. */
export class ExponentialLR extends LRScheduler {
  gamma: number;

  constructor(
    optimizer: Scheduled,
    ...args: Arguments<[gamma: number, lastEpoch?: number], ExponentialLROptions>
  ) {
    const { gamma, lastEpoch } = named<Partial<ExponentialLROptions>>(
      new.target.name,
      'gamma lastEpoch',
      args,
    );
    super(optimizer, lastEpoch);
    this.gamma = required(gamma, 'ExponentialLR', 'gamma');
    this.start();
  }
  protected override nextLrs(): number[] {
    return this.isInitial ? this.lrs() : this.lrs().map((lr) => lr * this.gamma);
  }
  protected override lrsAt(epoch: number): number[] {
    return this.baseLrs.map((lr) => lr * this.gamma ** epoch);
  }
}

export interface PolynomialLROptions extends LastEpochOptions {
  /** Default 5. */
  totalIters?: number;
  /** Default 1. */
  power?: number;
}

/** (1 − epoch/totalIters)^power, then 0. */
export class PolynomialLR extends LRScheduler {
  totalIters: number;
  power: number;

  constructor(
    optimizer: Scheduled,
    ...args: Arguments<[totalIters?: number, power?: number, lastEpoch?: number], PolynomialLROptions>
  ) {
    const {
      totalIters = 5,
      power = 1,
      lastEpoch,
    } = named<Partial<PolynomialLROptions>>(new.target.name, 'totalIters power lastEpoch', args);
    super(optimizer, lastEpoch);
    this.totalIters = totalIters;
    this.power = power;
    this.start();
  }
  protected override nextLrs(): number[] {
    const { lastEpoch, totalIters, power } = this;
    if (this.isInitial || lastEpoch > totalIters) return this.lrs();
    const decay = ((1 - lastEpoch / totalIters) / (1 - (lastEpoch - 1) / totalIters)) ** power;
    return this.lrs().map((lr) => lr * decay);
  }
  protected override lrsAt(epoch: number): number[] {
    return this.baseLrs.map(
      (lr) => lr * (1 - Math.min(this.totalIters, epoch) / this.totalIters) ** this.power,
    );
  }
}
