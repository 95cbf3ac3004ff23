/** What the processes say: once, and about all of them. */
import { tensor } from '../creation.ts';
import { allReduce } from './collectives.ts';
import { isInitialized, processGroup } from './group.ts';

/** True on process 0, and where there is no process group. */
export const isMainProcess = (): boolean => !isInitialized() || processGroup('isMainProcess').rank === 0;

/** Runs `body` on process 0 only. It must call no collective: the others do not. */
export function onMainProcess<R>(body: () => R): R | undefined {
  return isMainProcess() ? body() : undefined;
}

/** `console.log` on process 0 only. */
export function log(...values: unknown[]): void {
  if (isMainProcess()) console.log(...values);
}

/**
 * The mean over all processes of numbers that each has measured on its part, such as losses; all get it. `weight` says
 * how much this process's numbers count: the number of its samples, where the parts differ. Computed in float64.
 */
export function averageMetrics<M extends Record<string, number>>(metrics: M, weight = 1): M {
  const names = Object.keys(metrics);
  const sums = tensor([...names.map((name) => metrics[name] * weight), weight], { dtype: 'float64' });
  allReduce(sums);
  const { data } = sums;
  const total = Number(data[names.length]);
  return Object.fromEntries(names.map((name, i) => [name, Number(data[i]) / total])) as M;
}
