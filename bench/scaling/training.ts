/** What the milliseconds of single steps say about training by several processes. */
import { median } from '../suite/statistics.ts';

/** Milliseconds of the steps of one turn. */
export interface Round {
  /** Of each of the programs that ran side by side, each with a model of its own. */
  readonly alone: readonly (readonly number[])[];
  /** Of one that train one model, the same batch for each. */
  readonly weak: readonly number[];
  /** The same batch for all of them together. */
  readonly strong: readonly number[];
}

/** Parts of the speed of programs side by side that one model together has: medians of the turns. */
export interface Efficiency {
  /** By the means of steps. */
  readonly mean: number;
  /** By the median steps: interruptions do not count. */
  readonly typical: number;
  /** By means, if each step took as long as that of the slowest program: what waiting costs without any message. */
  readonly waiting: number;
  readonly turns: number;
}

export interface Training {
  readonly processes: number;
  /** Milliseconds of a step: medians of the turns' means. */
  readonly alone: number;
  readonly weak: number;
  readonly strong: number;
  readonly efficiency: Efficiency;
  /** Of the turns in which every program found about as fast a core; null if there were none. */
  readonly even: Efficiency | null;
}

/** The slowest program's median step takes at most so many times that of the fastest. */
const EVEN = 1.1;

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** A step of programs that do not wait for each other: by their rates. */
const together = (steps: readonly number[]): number =>
  steps.length / steps.reduce((sum, ms) => sum + 1 / ms, 0);

function slowest([first, ...others]: Round['alone']): number {
  return mean(first.map((ms, k) => Math.max(ms, ...others.map((steps) => steps[k]))));
}

function efficiency(rounds: readonly Round[]): Efficiency | null {
  if (rounds.length === 0) return null;
  const part = (of: (round: Round) => number): number => median(rounds.map(of));
  return {
    mean: part(({ alone, weak }) => together(alone.map(mean)) / mean(weak)),
    typical: part(({ alone, weak }) => together(alone.map(median)) / median(weak)),
    waiting: part(({ alone }) => together(alone.map(mean)) / slowest(alone)),
    turns: rounds.length,
  };
}

function isEven({ alone }: Round): boolean {
  const steps = alone.map(median);
  return Math.max(...steps) <= EVEN * Math.min(...steps);
}

/** @throws RangeError without rounds */
export function summarizeTraining(processes: number, rounds: readonly Round[]): Training {
  const all = efficiency(rounds);
  if (all === null) throw new RangeError('summarizeTraining: expected at least one round');
  return {
    processes,
    alone: median(rounds.map(({ alone }) => together(alone.map(mean)))),
    weak: median(rounds.map(({ weak }) => mean(weak))),
    strong: median(rounds.map(({ strong }) => mean(strong))),
    efficiency: all,
    even: efficiency(rounds.filter(isEven)),
  };
}
