/** Schedules made of schedules, and the one that watches a metric. */

import { ArgumentError } from '../core/errors.ts';
import { type ByName, option } from '../ops/options.ts';
import { named } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import { checkSavedKind, renamed } from './pythonState.ts';
import {
  type Arguments,
  checkState,
  LRScheduler,
  perGroup,
  type Scheduled,
  type SchedulerStateDict,
} from './scheduler.ts';

/** What combinations step: anything that steps without arguments. */
type Steppable = LRScheduler | ReduceLROnPlateau;

/** Shows the rates that the groups have. */
abstract class Combination {
  abstract readonly optimizer: Scheduled;
  abstract step(): void;

  getLastLr(): number[] {
    return this.optimizer.paramGroups.map((group) => group.lr);
  }

  /** The name and the rates last set. */
  toString(): string {
    return `${this.constructor.name}(lastLr=[${this.getLastLr().join(', ')}])`;
  }

  /** What Node's console shows. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

function checkSameOptimizer(optimizer: Scheduled, schedulers: readonly Steppable[], owner: string): void {
  if (schedulers.length < 1)
    throw new ArgumentError(`${owner} expects at least one scheduler to be chained, but got no scheduler.`);
  schedulers.forEach((scheduler, i) => {
    if (scheduler.optimizer !== optimizer) {
      throw new ArgumentError(
        `${owner} expects all schedulers to belong to the same optimizer, but scheduler at index ${i} does not.`,
      );
    }
  });
}

export interface SequentialLROptions {
  schedulers: readonly LRScheduler[];
  /** The epochs at which the next schedule takes over. */
  milestones: readonly number[];
}

/** Takes back the step that making a schedule was, and those that it is made of. */
function undo(scheduler: Steppable | { readonly schedulers: readonly Steppable[] }): void {
  if ('schedulers' in scheduler) scheduler.schedulers.forEach(undo);
  else scheduler.lastEpoch--;
}

/** One schedule after the other, each from its own beginning. */
export class SequentialLR extends Combination {
  readonly optimizer: Scheduled;
  readonly schedulers: readonly LRScheduler[];
  readonly milestones: readonly number[];
  lastEpoch: number;

  constructor(
    optimizer: Scheduled,
    ...args: Arguments<
      [schedulers: readonly LRScheduler[], milestones: readonly number[]],
      SequentialLROptions
    >
  ) {
    super();
    const { schedulers = [], milestones = [] } = named<Partial<SequentialLROptions>>(
      new.target.name,
      'schedulers milestones',
      args,
    );
    checkSameOptimizer(optimizer, schedulers, 'SequentialLR');
    const watcher = schedulers.findIndex((scheduler: Steppable) => scheduler instanceof ReduceLROnPlateau);
    if (watcher >= 0) {
      throw new ArgumentError(
        'SequentialLR does not support `ReduceLROnPlateau` scheduler as its step needs a metric, but got one at index ' +
          `${watcher} in the given schedulers sequence.`,
      );
    }
    if (milestones.length !== schedulers.length - 1) {
      throw new ArgumentError(
        `Sequential Schedulers expects number of schedulers provided to be one more than the number of milestone points, but ` +
          `got number of schedulers ${schedulers.length} and the number of milestones to be equal to ${milestones.length}`,
      );
    }
    this.optimizer = optimizer;
    this.schedulers = schedulers;
    this.milestones = milestones;
    this.lastEpoch = 0;
    // All have set their first rates already: only the first one's counts.
    for (const group of optimizer.paramGroups) group.lr = group.initialLr ?? group.lr;
    schedulers.forEach(undo);
    const first: Steppable | Combination = schedulers[this.#at(0)];
    if (first instanceof LRScheduler) first.start();
    else first.step();
  }

  /** Which schedule an epoch belongs to. */
  #at(epoch: number): number {
    return this.milestones.filter((milestone) => milestone <= epoch).length;
  }

  step(): void {
    this.lastEpoch++;
    const at = this.#at(this.lastEpoch);
    if (at > 0 && this.milestones[at - 1] === this.lastEpoch) this.schedulers[at].step(0);
    else this.schedulers[at].step();
  }

  stateDict(): SchedulerStateDict {
    return {
      lastEpoch: this.lastEpoch,
      schedulers: this.schedulers.map((scheduler) => scheduler.stateDict()),
    };
  }

  loadStateDict(state: Readonly<SchedulerStateDict>): void {
    const { lastEpoch } = renamed(state);
    loadAll(this.schedulers, state);
    if (typeof lastEpoch === 'number') this.lastEpoch = lastEpoch;
  }
}

function loadAll(schedulers: readonly Steppable[], state: Readonly<SchedulerStateDict>): void {
  const { schedulers: saved } = renamed(state);
  if (!Array.isArray(saved) || saved.length !== schedulers.length) {
    throw new ArgumentError(`loadStateDict: expected the state of ${schedulers.length} schedulers`);
  }
  const before = schedulers.map((scheduler) => scheduler.stateDict());
  try {
    schedulers.forEach((scheduler, i) => {
      scheduler.loadStateDict(saved[i]);
    });
  } catch (error) {
    schedulers.forEach((scheduler, i) => {
      scheduler.loadStateDict(before[i]);
    });
    throw error;
  }
}

/** All schedules at once, one scaling what the other left. */
export class ChainedScheduler extends Combination {
  readonly optimizer: Scheduled;
  readonly schedulers: readonly LRScheduler[];

  /** `optimizer` may be left out; all schedules must have the same one. @throws ArgumentError */
  constructor(schedulers: readonly LRScheduler[], optimizer?: Scheduled | { optimizer?: Scheduled } | null) {
    super();
    const given = option<'optimizer', Scheduled | null>(optimizer, new.target.name, 'optimizer', null);
    if (schedulers.length < 1) {
      throw new ArgumentError(
        'ChainedScheduler expects at least one scheduler to be chained, but got no scheduler.',
      );
    }
    this.optimizer = given ?? schedulers[0].optimizer;
    checkSameOptimizer(this.optimizer, schedulers, 'ChainedScheduler');
    this.schedulers = schedulers;
  }

  step(): void {
    for (const scheduler of this.schedulers) scheduler.step();
  }

  stateDict(): SchedulerStateDict {
    return { schedulers: this.schedulers.map((scheduler) => scheduler.stateDict()) };
  }

  loadStateDict(state: Readonly<SchedulerStateDict>): void {
    loadAll(this.schedulers, state);
  }
}

export interface ReduceLROnPlateauOptions {
  /** Whether the metric should fall or rise. Default 'min'. */
  mode?: 'min' | 'max';
  /** What the rate is multiplied by. Default 0.1. */
  factor?: number;
  /** Epochs without improvement that are let pass. Default 10. */
  patience?: number;
  /** What counts as improvement. Default 1e-4. */
  threshold?: number;
  /** Whether that is a part of the best value or a difference. Default 'rel'. */
  thresholdMode?: 'rel' | 'abs';
  /** Epochs to wait after a reduction. Default 0. */
  cooldown?: number;
  /** The lowest rate. Default 0. */
  minLr?: number | readonly number[];
  /** Smaller changes are not made. Default 1e-8. */
  eps?: number;
}

/** @throws ArgumentError */
function checkPlateau({ factor, mode, thresholdMode }: ReduceLROnPlateauOptions): void {
  if (Number(factor) >= 1) throw new ArgumentError('Factor should be < 1.0.');
  if (mode !== 'min' && mode !== 'max') throw new ArgumentError(`mode ${String(mode)} is unknown!`);
  if (thresholdMode !== 'rel' && thresholdMode !== 'abs') {
    throw new ArgumentError(`threshold mode ${String(thresholdMode)} is unknown!`);
  }
}

/** A metric that any other is better than. */
const worst = (mode: 'min' | 'max'): number => (mode === 'min' ? Infinity : -Infinity);

/** Lowers the rate when a metric has stopped improving. */
export class ReduceLROnPlateau extends Combination {
  readonly optimizer: Scheduled;
  mode: 'min' | 'max';
  factor: number;
  patience: number;
  threshold: number;
  thresholdMode: 'rel' | 'abs';
  cooldown: number;
  minLrs: number[];
  eps: number;
  best: number;
  numBadEpochs = 0;
  cooldownCounter = 0;
  lastEpoch = 0;

  constructor(
    optimizer: Scheduled,
    ...args: Arguments<[mode?: 'min' | 'max', factor?: number, patience?: number], ReduceLROnPlateauOptions>
  ) {
    super();
    const options = named<Partial<ReduceLROnPlateauOptions>>(
      new.target.name,
      'mode factor patience threshold thresholdMode cooldown minLr eps',
      args,
    );
    const {
      mode = 'min',
      factor = 0.1,
      patience = 10,
      threshold = 1e-4,
      thresholdMode = 'rel',
      cooldown = 0,
      eps = 1e-8,
    } = options;
    checkPlateau({ factor, mode, thresholdMode });
    this.optimizer = optimizer;
    this.mode = mode;
    this.factor = factor;
    this.patience = patience;
    this.threshold = threshold;
    this.thresholdMode = thresholdMode;
    this.cooldown = cooldown;
    this.minLrs = perGroup(optimizer, options.minLr ?? 0, 'minLr');
    this.eps = eps;
    this.best = worst(mode);
  }

  /** Takes the metric of an epoch. @throws ArgumentError without one */
  step(metrics?: ByName<'metrics', number | Tensor>): void {
    const metric = option<'metrics', number | Tensor | undefined>(metrics, 'step', 'metrics', undefined);
    if (metric === undefined)
      throw new ArgumentError('ReduceLROnPlateau: step needs the metric of the epoch');
    const current = typeof metric === 'number' ? metric : metric.item();
    this.lastEpoch++;
    if (this.isBetter(current)) {
      this.best = current;
      this.numBadEpochs = 0;
    } else this.numBadEpochs++;
    if (this.cooldownCounter > 0) {
      this.cooldownCounter--;
      this.numBadEpochs = 0;
    }
    if (this.numBadEpochs <= this.patience) return;
    this.#reduce();
    this.cooldownCounter = this.cooldown;
    this.numBadEpochs = 0;
  }

  isBetter(value: number): boolean {
    const { best, threshold } = this;
    const relative = this.thresholdMode === 'rel';
    if (this.mode === 'min') return value < (relative ? best * (1 - threshold) : best - threshold);
    return value > (relative ? best * (1 + threshold) : best + threshold);
  }

  /** @throws ArgumentError if groups were added and it is not clear how far theirs may fall */
  #reduce(): void {
    const { paramGroups } = this.optimizer;
    const { length, 0: first } = this.minLrs;
    if (length !== paramGroups.length) {
      if (this.minLrs.some((lr) => lr !== first))
        throw new ArgumentError(
          `ReduceLROnPlateau: expected ${length} param groups, but the optimizer has ${paramGroups.length}; set minLrs`,
        );
      this.minLrs = paramGroups.map(() => first);
    }
    paramGroups.forEach((group, i) => {
      const lr = Math.max(group.lr * this.factor, this.minLrs[i]);
      if (group.lr - lr > this.eps) group.lr = lr;
    });
  }

  stateDict(): SchedulerStateDict {
    const { optimizer: _, ...state } = this;
    return state;
  }

  /**
   * Takes over what `stateDict` gave, also through JSON, which has no infinite `best`.
   * @throws ArgumentError, changing nothing, for values of another kind than they have here, and for unknown modes
   */
  loadStateDict(state: Readonly<SchedulerStateDict>): void {
    checkState(state);
    const { best, ...others } = renamed(state);
    const known = Object.entries(others).filter(
      ([name, value]) => name !== 'optimizer' && value !== null && Object.hasOwn(this, name),
    );
    const next = { ...this, ...Object.fromEntries(known) };
    checkPlateau(next);
    if (best !== undefined) next.best = best === null ? worst(next.mode) : (best as number);
    for (const name of Object.keys(this))
      checkSavedKind(name, Reflect.get(this, name), Reflect.get(next, name));
    if (next.minLrs.length < 1 || next.minLrs.some((lr) => typeof lr !== 'number'))
      throw new ArgumentError(`loadStateDict: minLrs must be numbers, but got ${next.minLrs.join(', ')}`);
    Object.assign(this, next);
  }
}
