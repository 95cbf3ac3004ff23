/** Samples put together to a batch. */
import type { TypedArray } from '../core/dtype.ts';
import { DTypeError, ShapeError } from '../core/errors.ts';
import { tensor } from '../creation.ts';
import { stack } from '../ops/join.ts';
import { isPlain } from '../ops/options.ts';
import { Tensor } from '../tensor.ts';

/** What a batch of samples of type S is. */
export type Collated<S> = S extends Tensor | TypedArray | number | bigint | boolean
  ? Tensor
  : S extends string
    ? string[]
    : S extends readonly unknown[] | object
      ? { -readonly [K in keyof S]: Collated<S[K]> }
      : unknown;

/**
 * A batch from samples: tensors are stacked; numbers become one tensor, int64 if all are whole and float32 otherwise;
 * bigints an int64, bools a bool tensor; typed arrays the rows of a tensor; strings a list. Lists and objects are
 * collated entry by entry. @throws ShapeError if samples differ in size; DTypeError for anything else
 */
export function defaultCollate<S>(samples: readonly S[]): Collated<S> {
  return collate(samples) as Collated<S>;
}

function collate(samples: readonly unknown[]): unknown {
  if (samples.length === 0) throw new ShapeError('defaultCollate: expected at least one sample');
  const [first] = samples;
  if (samples.every((x) => x instanceof Tensor)) return stack(samples);
  if (samples.every((x) => typeof x === 'number')) {
    return tensor(samples, { dtype: samples.every(Number.isSafeInteger) ? 'int64' : 'float32' });
  }
  if (samples.every((x) => typeof x === 'bigint') || samples.every((x) => typeof x === 'boolean'))
    return tensor(samples);
  if (samples.every((x) => typeof x === 'string')) return samples;
  if (samples.every((x) => ArrayBuffer.isView(x))) return stack(samples.map((x) => tensor(x)));
  if (samples.every((x) => Array.isArray(x))) return collateLists(samples);
  if (samples.every(isPlain)) {
    const keys = Object.keys(first as object);
    return Object.fromEntries(
      keys.map((key) => [key, collate(samples.map((sample) => Reflect.get(sample, key)))]),
    );
  }
  if (samples.some((x) => x instanceof Promise)) {
    throw new DTypeError("defaultCollate: the samples are promises; iterate with 'for await'");
  }
  const kinds = [...new Set(samples.map((x) => (x === null ? 'null' : typeof x)))].join(' and ');
  throw new DTypeError(
    `defaultCollate: samples must be tensors, numbers, bools, strings, typed arrays, lists or objects, all alike, but got ${kinds}`,
  );
}

function collateLists(samples: readonly (readonly unknown[])[]): unknown[] {
  const [{ length }] = samples;
  const other = samples.find((sample) => sample.length !== length);
  if (other) {
    throw new ShapeError(
      `defaultCollate: each element in list of batch should be of equal size, but got ${length} and ${other.length}`,
    );
  }
  return Array.from({ length }, (_, i) => collate(samples.map((sample) => sample[i])));
}
