/** Results of two tensors with names, as PyTorch's named tuples: `values`, `indices`, and printed alike. */
import type { Variable } from '../autograd/variable.ts';

export interface ValuesAndIndices<T> extends Iterable<T> {
  readonly values: T;
  /** int64 positions along the dimension. */
  readonly indices: T;
  /** `values`: the pair is a tuple too. */
  readonly 0: T;
  /** `indices`. */
  readonly 1: T;
  readonly length: 2;
}

/** A pair that prints as `torch.return_types.max(…)` and can be taken apart as `[values, indices]`. */
class NamedResult<T extends Variable> implements ValuesAndIndices<T> {
  readonly values: T;
  readonly indices: T;
  readonly #op: string;

  constructor(op: string, values: T, indices: T) {
    this.#op = op;
    this.values = values;
    this.indices = indices;
  }

  get 0(): T {
    return this.values;
  }
  get 1(): T {
    return this.indices;
  }
  get length(): 2 {
    return 2;
  }

  *[Symbol.iterator](): IterableIterator<T> {
    yield this.values;
    yield this.indices;
  }

  toString(): string {
    return `torch.return_types.${this.#op}(\nvalues=${this.values},\nindices=${this.indices})`;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

/** `op` is PyTorch's name of the function. */
export const namedResult = <T extends Variable>(op: string, values: T, indices: T): ValuesAndIndices<T> =>
  new NamedResult(op, values, indices);
