/** States that PyTorch saved, in our names: `exp_avg` is expAvg, `param_groups` is paramGroups, `_last_lr` is lastLr. */
import { ArgumentError } from '../core/errors.ts';
import { camelCase } from '../core/pythonText.ts';
import { Tensor } from '../tensor.ts';
import type { OptimizerStateDict } from './optimizer.ts';

/** Options of PyTorch's that choose how it computes, not what. */
const HOW: ReadonlySet<string> = new Set(['foreach', 'fused', 'capturable', 'differentiable']);

const isObject = (x: unknown): x is Record<string, unknown> =>
  typeof x === 'object' && x !== null && !Array.isArray(x) && !(x instanceof Tensor);

/** Names in camelCase; what has them already stays as it is. */
export function renamed<T>(x: T): T {
  if (!isObject(x)) return x;
  return Object.fromEntries(Object.entries(x).map(([name, value]) => [camelCase(name), value])) as T;
}

/** An optimiser's state with the names of its options and buffers, whoever saved it; what is no state stays as it is. */
export function renamedState(saved: OptimizerStateDict): OptimizerStateDict {
  const dict = renamed(saved);
  if (!isObject(dict) || !isObject(dict.state) || !Array.isArray(dict.paramGroups)) return dict;
  const state = Object.entries(dict.state).map(([at, kept]) => [at, renamed(kept)]);
  const options = (group: unknown) =>
    isObject(group)
      ? Object.fromEntries(Object.entries(renamed(group)).filter(([name]) => !HOW.has(name)))
      : group;
  return {
    ...dict,
    state: Object.fromEntries(state),
    paramGroups: dict.paramGroups.map(options) as OptimizerStateDict['paramGroups'],
  };
}

const kindOf = (x: unknown): string => (Array.isArray(x) ? 'list' : typeof x);
const isOpen = (x: unknown): boolean => x === null || x === undefined;

/** @throws ArgumentError for a saved value of another kind than the one here */
export function checkSavedKind(what: string, here: unknown, saved: unknown): void {
  if (isOpen(here) || isOpen(saved) || kindOf(here) === kindOf(saved)) return;
  throw new ArgumentError(`loadStateDict: ${what} must be a ${kindOf(here)}, but got a ${kindOf(saved)}`);
}
