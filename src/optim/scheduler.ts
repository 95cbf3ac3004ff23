/**
 * The base of learning-rate schedules. A schedule writes the learning rates into the optimiser's groups when it is made
 * and at every `step()`. Rates follow from the ones before, as in PyTorch, so that several schedules can be chained.
 */
import { ArgumentError } from '../core/errors.ts';
import { checkSavedKind, renamed } from './pythonState.ts';

/** What a schedule needs of a group. */
export interface ScheduledGroup {
  lr: number;
  initialLr?: number;
  /** What a schedule goes between, where it says so. */
  maxLr?: number;
  minLr?: number;
  swaLr?: number;
  maxMomentum?: number;
  baseMomentum?: number;
  momentum?: number;
  betas?: readonly [number, number];
}

/** What a schedule needs of an optimiser: every optimiser of ours fits. */
export interface Scheduled {
  readonly paramGroups: ScheduledGroup[];
}

/** Options by position, or by name in one object; the first by position and the others by name. */
export type Arguments<P extends readonly unknown[], O> = P | readonly [O] | readonly [P[0], Partial<O>];

/** An option that must be there. @throws ArgumentError */
export function required<V>(value: V | undefined, scheduler: string, name: string): V {
  if (value === undefined) throw new ArgumentError(`${scheduler}: missing required argument '${name}'`);
  return value;
}

export interface LastEpochOptions {
  /** The epoch that a resumed schedule continues after. Default −1: start. */
  lastEpoch?: number;
}

/** One value for every group. @throws ArgumentError if a list has another length */
export function perGroup<V extends number | ((epoch: number) => number)>(
  optimizer: Scheduled,
  value: V | readonly V[],
  name: string,
): V[] {
  const { length } = optimizer.paramGroups;
  if (!Array.isArray(value)) return Array.from({ length }, () => value as V);
  if (value.length !== length)
    throw new ArgumentError(`Expected ${length} values for ${name}, but got ${value.length}`);
  return [...value];
}

/** Plain data only: numbers, strings, bools, null and lists of them. */
const isPlainState = (x: unknown): boolean =>
  Array.isArray(x) ? x.every(isPlainState) : x === null || ['number', 'string', 'boolean'].includes(typeof x);

export type SchedulerStateDict = Record<string, unknown>;

/** @throws ArgumentError unless it is an object */
export function checkState(state: Readonly<SchedulerStateDict>): void {
  if (typeof state !== 'object' || state === null)
    throw new ArgumentError(`loadStateDict: expected the state of a scheduler, but got ${String(state)}`);
}

export abstract class LRScheduler {
  readonly optimizer: Scheduled;
  /** The rates that the schedule scales, by group. */
  baseLrs: number[];
  lastEpoch: number;
  stepCount = 0;
  #lastLr: number[] = [];
  #started = false;

  /**
   * Subclasses call `start()` when their options are set; the first `step()` does it for those that did not.
   * @throws ArgumentError for what is no optimiser, and when resuming without initialLr
   */
  constructor(optimizer: Scheduled, lastEpoch = -1) {
    if (!Array.isArray(optimizer?.paramGroups))
      throw new ArgumentError(`${String(optimizer)} is not an Optimizer`);
    this.optimizer = optimizer;
    this.lastEpoch = lastEpoch;
    this.baseLrs = optimizer.paramGroups.map((group, i) => {
      if (lastEpoch === -1) group.initialLr ??= group.lr;
      if (group.initialLr !== undefined) return group.initialLr;
      throw new ArgumentError(
        `param 'initialLr' is not specified in paramGroups[${i}] when resuming a scheduler with lastEpoch >= 0`,
      );
    });
  }

  /** Sets the rates of the first epoch, or of the one that a resumed schedule continues after. */
  start(): void {
    this.#started = true;
    this.stepCount = 0;
    this.step();
  }

  /** True in the step that `start` makes: a resumed schedule finds rates that have been scaled already. */
  protected get isInitial(): boolean {
    return this.stepCount === 1;
  }

  /** The rates of the groups after this step, mostly from those before. */
  protected nextLrs(): number[] {
    return this.getLr();
  }

  /** The same by PyTorch's name, which schedules of users have. */
  getLr(): number[] {
    if (this.nextLrs === LRScheduler.prototype.nextLrs)
      throw new ArgumentError(`${this.constructor.name} is missing the required "getLr" function`);
    return this.nextLrs();
  }

  /** The rates of an epoch by themselves; null where there is no such formula. */
  protected lrsAt(_epoch: number): number[] | null {
    return null;
  }

  /** Goes to the next epoch, or to a given one. */
  step(epoch?: number): void {
    if (!this.#started) this.start();
    this.stepCount++;
    let lrs: number[] | null = null;
    if (epoch === undefined) this.lastEpoch++;
    else {
      this.lastEpoch = epoch;
      lrs = this.lrsAt(epoch);
    }
    this.assign(lrs ?? this.nextLrs());
  }

  protected assign(lrs: readonly number[]): void {
    this.#give(lrs, (group, lr) => {
      group.lr = lr;
    });
    this.#lastLr = [...lrs];
  }

  /** Gives every group its value. @throws ArgumentError, changing nothing, if groups were added since */
  #give(values: readonly number[], write: (group: ScheduledGroup, value: number) => void): void {
    const { paramGroups } = this.optimizer;
    if (values.length !== paramGroups.length)
      throw new ArgumentError(
        `${this.constructor.name}: expected ${values.length} param groups, but the optimizer has ${paramGroups.length}`,
      );
    paramGroups.forEach((group, i) => {
      write(group, values[i]);
    });
  }

  /** The rates last set, by group. */
  getLastLr(): number[] {
    return [...this.#lastLr];
  }

  /** The rates that the groups have now. */
  protected lrs(): number[] {
    return this.optimizer.paramGroups.map((group) => group.lr);
  }

  /** The name, the epoch and the rates last set. */
  toString(): string {
    return `${this.constructor.name}(lastEpoch=${this.lastEpoch}, lastLr=[${this.getLastLr().join(', ')}])`;
  }

  /** What Node's console shows. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  /** Everything but the optimiser and functions. */
  stateDict(): SchedulerStateDict {
    const state = Object.entries(this).filter(([, value]) => isPlainState(value));
    return { ...Object.fromEntries(state), lastLr: this.getLastLr() };
  }

  /**
   * Continues from a saved state, PyTorch's too. The optimiser's rates come from its own state, functions stay as they are.
   * @throws ArgumentError, changing nothing, for values of another kind than they have here
   */
  loadStateDict(state: Readonly<SchedulerStateDict>): void {
    checkState(state);
    const { lastLr, ...own } = renamed(state);
    const known = Object.entries(own).filter(
      ([name, value]) =>
        Object.hasOwn(this, name) && isPlainState(value) && isPlainState(Reflect.get(this, name)),
    );
    for (const [name, value] of known) checkSavedKind(name, Reflect.get(this, name), value);
    Object.assign(this, Object.fromEntries(known));
    if (Array.isArray(lastLr)) this.#lastLr = lastLr.filter((lr) => typeof lr === 'number');
  }

  /** Sets the momentum of every group, or β₁. */
  protected assignMomentum(momenta: readonly number[]): void {
    this.#give(momenta, (group, momentum) => {
      if (group.betas) group.betas = [momentum, group.betas[1]];
      else group.momentum = momentum;
    });
  }

  /** @throws ArgumentError if a group has neither momentum nor betas */
  protected checkMomentum(): void {
    if (
      this.optimizer.paramGroups.some((group) => group.momentum === undefined && group.betas === undefined)
    ) {
      throw new ArgumentError(
        'optimizer must support momentum or beta1 with `cycle_momentum` option enabled',
      );
    }
  }
}
