/** What the milliseconds of single steps say about training by several processes. */
import { median, quantile } from '../suite/statistics.ts';

/** Milliseconds of the steps of one turn. */
export interface Round {
  /** Of each of the programs that ran side by side, each with a model of its own. */
  readonly alone: readonly (readonly number[])[];
  /** Of one that train one model, the same batch for each. */
  readonly weak: readonly number[];
  /** The same batch for all of them together. */
  readonly strong: readonly number[];
}

export interface Times {
  /** Median of the turns' means. */
  readonly mean: number;
  /** Median of all steps: interruptions do not count. */
  readonly typical: number;
}

export interface Training {
  readonly processes: number;
  readonly alone: Times;
  /** The mean if each step took as long as that of the slowest: what waiting for each other costs without any message. */
  readonly waiting: number;
  readonly weak: Times;
  readonly strong: Times;
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

const times = (rounds: readonly (readonly number[])[]): Times => ({
  mean: median(rounds.map(mean)),
  typical: quantile(rounds.flat(), 0.5),
});

export function summarizeTraining(processes: number, rounds: readonly Round[]): Training {
  // By their rates: programs on their own do not wait for each other.
  const means = rounds.map(({ alone }) => processes / alone.reduce((sum, steps) => sum + 1 / mean(steps), 0));
  const slowest = rounds.map(({ alone: [first, ...others] }) =>
    mean(first.map((ms, k) => Math.max(ms, ...others.map((steps) => steps[k])))),
  );
  return {
    processes,
    alone: {
      mean: median(means),
      typical: quantile(
        rounds.flatMap(({ alone }) => alone.flat()),
        0.5,
      ),
    },
    waiting: median(slowest),
    weak: times(rounds.map(({ weak }) => weak)),
    strong: times(rounds.map(({ strong }) => strong)),
  };
}
