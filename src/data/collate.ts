/** How samples become a batch. */
import { ArgumentError, DataError } from '../core/errors.ts';
import { tensor } from '../creation.ts';
import { stack } from '../ops/join.ts';
import { Tensor } from '../tensor.ts';
import type { Collated } from './dataset.ts';

/**
 * PyTorch's `default_collate`: tensors are stacked, numbers become a tensor (int64 if all are whole, else float32),
 * bools a bool tensor, strings a list; arrays and plain objects are collated member by member.
 * @throws DataError for members of different kinds or lengths
 */
export function defaultCollate<S>(samples: readonly S[]): Collated<S> {
  return collate(samples) as Collated<S>;
}

function collate(samples: readonly unknown[]): unknown {
  const [first] = samples;
  if (first instanceof Tensor) return stack(samples.map((x) => expectTensor(x)));
  switch (typeof first) {
    case 'number': {
      const list = samples.map(Number);
      return tensor(list, { dtype: list.every(Number.isInteger) ? 'int64' : 'float32' });
    }
    case 'bigint':
      return tensor(samples.map((x) => BigInt(x as bigint)));
    case 'boolean':
      return tensor(samples.map(Boolean));
    case 'string':
      return samples.slice();
  }
  if (Array.isArray(first)) {
    const lists = samples.map((x) => x as readonly unknown[]);
    if (lists.some((x) => x.length !== first.length)) throw new DataError('collate: each element in list of batch should be of equal size');
    return first.map((_, i) => collate(lists.map((x) => x[i])));
  }
  if (typeof first === 'object' && first !== null) {
    const objects = samples.map((x) => x as Record<string, unknown>);
    return Object.fromEntries(Object.keys(first).map((key) => [key, collate(objects.map((x) => x[key]))]));
  }
  throw new ArgumentError(
    `collate: batch must contain tensors, numbers, bools, strings, arrays or objects; found ${first === null ? 'null' : typeof first}`,
  );
}

function expectTensor(x: unknown): Tensor {
  if (x instanceof Tensor) return x;
  throw new DataError(`collate: expected a Tensor like the first sample, but got ${typeof x}`);
}
