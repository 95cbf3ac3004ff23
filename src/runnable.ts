/** What is called with tensors: a function, or a module, whose `forward` is meant. */
import { ArgumentError } from './core/errors.ts';

export type Runnable<A extends readonly unknown[], R> = ((...inputs: A) => R) | { forward(...inputs: A): R };

/** f as a function. @throws ArgumentError for what is neither */
export function running<A extends readonly unknown[], R>(f: Runnable<A, R>, op: string): (...inputs: A) => R {
  if (typeof f === 'function') return f;
  if (typeof f?.forward !== 'function')
    throw new ArgumentError(`${op}: expected a function or a Module, but got ${String(f)}`);
  return (...inputs) => f.forward(...inputs);
}
