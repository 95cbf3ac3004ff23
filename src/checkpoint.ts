/** `torch.utils.checkpoint`: activations are computed again in backward instead of being kept. */
import { isGradEnabled, withGradMode } from './autograd/gradMode.ts';
import { withSavedHooks } from './autograd/node.ts';
import type { Variable } from './autograd/variable.ts';
import { keepStorages, type NDArray } from './backend/array.ts';
import { AutogradError } from './core/errors.ts';
import { formatShape } from './core/shape.ts';
import { defaultGenerator, forkRng } from './random.ts';
import { type Runnable, running } from './runnable.ts';
import { Tensor } from './tensor.ts';

export interface CheckpointOptions {
  /** Draw the same random numbers when computing again, as dropout needs. Default true. */
  preserveRngState?: boolean;
  /** Compare shapes and dtypes of what is computed again with the first time. Default true. */
  determinismCheck?: boolean;
}

type Results = Tensor | readonly Tensor[];

/** One call: how often something was saved, and what the second run saved in its place. */
class Frame {
  readonly forms: string[] = [];
  readonly #again: () => void;
  readonly #check: boolean;
  #values: (NDArray | null)[] | null = null;

  constructor(again: () => void, check: boolean) {
    this.#again = again;
    this.#check = check;
  }

  pack(value: Variable): { unpack: () => NDArray; release: () => void } {
    const i = this.forms.push(formOf(value.array)) - 1;
    return {
      unpack: () => this.#value(i),
      release: () => {
        if (this.#values) this.#values[i] = null;
      },
    };
  }

  #value(i: number): NDArray {
    const values = this.#values ?? this.#recompute();
    const value = values[i];
    if (value) return value;
    this.#values = null;
    return this.#recompute()[i] as NDArray;
  }

  #recompute(): (NDArray | null)[] {
    const values: NDArray[] = [];
    // The walk frees what a rule makes; what is computed again here must outlive the rule that asked first.
    keepStorages(() =>
      withSavedHooks(
        (value) => {
          values.push(value.array);
          return { unpack: () => value.array, release: () => {} };
        },
        () => withGradMode(true, this.#again, 'checkpoint'),
      ),
    );
    if (values.length !== this.forms.length) {
      throw new AutogradError(
        'checkpoint: A different number of tensors was saved during the original forward and recomputation. ' +
          `Number of tensors saved during forward: ${this.forms.length}. Number of tensors saved during recomputation: ${values.length}.`,
      );
    }
    const odd = this.#check ? values.findIndex((value, i) => formOf(value) !== this.forms[i]) : -1;
    if (odd >= 0) {
      throw new AutogradError(
        'checkpoint: Recomputed values for the following tensors have different metadata than during the forward pass: ' +
          `tensor at position ${odd}: saved ${this.forms[odd]}, recomputed ${formOf(values[odd])}`,
      );
    }
    this.#values = values;
    return this.#values;
  }
}

const formOf = ({ dtype, shape }: NDArray): string => `${dtype} ${formatShape(shape)}`;

/**
 * f(...inputs), of a function or a module, without keeping what backward needs: when backward comes, f runs again. Saves memory for time.
 * f must do the same both times; options may follow the inputs. @throws AutogradError if it does not
 */
export function checkpoint<A extends readonly unknown[], R extends Results>(
  f: Runnable<A, R>,
  ...args: readonly [...A] | readonly [...A, CheckpointOptions]
): R {
  const func = running(f, 'checkpoint');
  const last = args[args.length - 1];
  const hasOptions = args.length > func.length && isOptions(last);
  const inputs = (hasOptions ? args.slice(0, -1) : args) as unknown as A;
  const { preserveRngState = true, determinismCheck = true } = hasOptions ? (last as CheckpointOptions) : {};
  if (!isGradEnabled()) return func(...inputs);
  const { engine } = defaultGenerator;
  const state = preserveRngState ? engine.getState() : null;
  const versions = inputs.map((x) => (x instanceof Tensor ? x.version : 0));
  const again = (): void => {
    inputs.forEach((x, i) => {
      if (x instanceof Tensor && x.version !== versions[i]) {
        throw new AutogradError(
          `checkpoint: input ${i} was modified by an inplace operation since the forward pass, so that it cannot be computed again`,
        );
      }
    });
    forkRng(() => {
      if (state) engine.setState(state);
      func(...inputs);
    });
  };
  const frame = new Frame(again, determinismCheck);
  return withSavedHooks(
    (value) => frame.pack(value),
    () => func(...inputs),
  );
}

function isOptions(x: unknown): x is CheckpointOptions {
  if (typeof x !== 'object' || x === null || x instanceof Tensor || Array.isArray(x)) return false;
  return 'preserveRngState' in x || 'determinismCheck' in x || 'useReentrant' in x;
}

function tensorOf(x: unknown): Tensor {
  if (x instanceof Tensor) return x;
  throw new AutogradError('checkpointSequential: every step must return a Tensor');
}

/**
 * Runs functions (or modules' `forward`) one after the other, in `segments` parts of which all but the last are
 * checkpointed.
 */
export function checkpointSequential(
  functions: Iterable<Runnable<[x: Tensor], unknown>>,
  segments: number,
  input: Tensor,
  options: CheckpointOptions = {},
): Tensor {
  const steps = Array.from(functions, (f) => running(f, 'checkpointSequential'));
  const size = Math.max(1, Math.floor(steps.length / Math.max(1, segments)));
  const run = (from: number, to: number) => (x: Tensor) =>
    steps.slice(from, to).reduce((y, f) => tensorOf(f(y)), x);
  let value = input;
  let at = 0;
  for (; at < size * (segments - 1); at += size) value = checkpoint(run(at, at + size), value, options);
  return run(at, steps.length)(value);
}
