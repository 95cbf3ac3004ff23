/** Data sets: samples by number, and sets made of other sets. */

import { ArgumentError, IndexError, ShapeError } from '../core/errors.ts';
import { randomPermutation } from '../core/sampling.ts';
import { formatShape } from '../core/shape.ts';
import { fromTypedArray } from '../creation.ts';
import { engineOf, type GeneratorOptions } from '../ops/draw.ts';
import { optionsGiven, refuse, tensorGiven } from '../ops/given.ts';
import { isPlain } from '../ops/options.ts';
import { Tensor } from '../tensor.ts';
import type { Collated } from './collate.ts';

/**
 * Samples by number. A set that can make a whole batch at once, without an object per sample, offers `getBatch`;
 * its result must be what collating the single samples gives.
 */
export abstract class Dataset<Sample = unknown> {
  abstract readonly length: number;
  abstract get(index: number): Sample;
  getBatch?(indices: Int32Array): Collated<Sample>;
}

/** Any number list that names samples. */
export type Indices = ArrayLike<number>;

/** A list of numbers, or a tensor of them. */
export type Numbers = ArrayLike<number> | Tensor;

export const listOfNumbers = (numbers: Numbers): ArrayLike<number> =>
  numbers instanceof Tensor ? Array.from(numbers.data as ArrayLike<number | bigint>, Number) : numbers;

/** An index in [0, length) from one in [-length, length). @throws IndexError */
export function checkIndex(index: number, length: number, op: string): number {
  if (Number.isInteger(index) && index >= -length && index < length)
    return index < 0 ? index + length : index;
  throw new IndexError(`${op}: index ${index} is out of range for a data set of ${length} samples`);
}

/** An int32 copy, checked to name samples of a set. @throws IndexError */
export function checkIndices(indices: Indices, length: number, op: string): Int32Array {
  const list = new Int32Array(indices.length);
  for (let i = 0; i < list.length; i++) list[i] = checkIndex(indices[i], length, op);
  return list;
}

const rowsAt = (x: Tensor, rows: BigInt64Array): Tensor =>
  x.index(fromTypedArray(rows, [rows.length], { device: x.device }));

/** A plain list, or the rows of a tensor, as a data set. */
export function listed<Sample>(samples: ArrayLike<Sample> | Tensor, op = 'DataLoader'): Dataset<Sample> {
  if (!(samples instanceof Tensor)) return { length: samples.length, get: (i) => samples[i] };
  if (samples.ndim === 0) throw new ShapeError(`${op}: a tensor of no dimension has no rows`);
  const rows: Dataset<Tensor> = {
    length: samples.shape[0],
    get: (i) => samples.select(0, i),
    getBatch: (indices) => rowsAt(samples, BigInt64Array.from(indices, BigInt)),
  };
  return rows as Dataset<never>;
}

/** Rows of tensors that belong together: sample i is row i of each. @throws ShapeError if their lengths differ */
export class TensorDataset<const T extends readonly Tensor[]> extends Dataset<{
  -readonly [K in keyof T]: Tensor;
}> {
  readonly tensors: T;
  readonly length: number;

  constructor(...tensors: T) {
    super();
    if (tensors.length === 0) throw new ArgumentError('TensorDataset: expected at least one tensor');
    for (const x of tensors) tensorGiven(x, 'TensorDataset', 'tensors');
    const bad = tensors.find((x) => x.ndim === 0 || x.shape[0] !== tensors[0].shape[0]);
    if (bad) {
      throw new ShapeError(
        `TensorDataset: Size mismatch between tensors: first dimensions must be equal, but got shapes ${tensors.map((x) => formatShape(x.shape)).join(', ')}`,
      );
    }
    this.tensors = tensors;
    this.length = tensors[0].shape[0];
  }

  override get(index: number): { -readonly [K in keyof T]: Tensor } {
    const i = checkIndex(index, this.length, 'TensorDataset.get');
    return this.#each((x) => x.select(0, i));
  }

  override getBatch(indices: Int32Array): Collated<{ -readonly [K in keyof T]: Tensor }> {
    const rows = BigInt64Array.from(indices, BigInt);
    const list = this.tensors.map((x) => rowsAt(x, rows));
    return list as Collated<{ -readonly [K in keyof T]: Tensor }>;
  }

  #each(row: (x: Tensor) => Tensor): { -readonly [K in keyof T]: Tensor } {
    return this.tensors.map(row) as { -readonly [K in keyof T]: Tensor };
  }
}

/** Some samples of a set, in the order of `indices`. @throws IndexError if an index names no sample */
export class Subset<Sample> extends Dataset<Sample> {
  readonly dataset: Dataset<Sample>;
  readonly indices: Int32Array;
  readonly length: number;
  override readonly getBatch?: (indices: Int32Array) => Collated<Sample>;

  constructor(dataset: Dataset<Sample>, indices: Numbers) {
    super();
    this.dataset = dataset;
    this.indices = checkIndices(listOfNumbers(indices), dataset.length, 'Subset');
    this.length = this.indices.length;
    if (dataset.getBatch) this.getBatch = (rows) => this.#batch(rows);
  }

  override get(index: number): Sample {
    return this.dataset.get(this.indices[checkIndex(index, this.length, 'Subset.get')]);
  }

  #batch(rows: Int32Array): Collated<Sample> {
    const { dataset, indices } = this;
    // Not by `map`: V8 forgets the optimised code of functions that are made anew for every batch.
    const own = new Int32Array(rows.length);
    for (let i = 0; i < rows.length; i++)
      own[i] = indices[checkIndex(rows[i], indices.length, 'Subset.getBatch')];
    return dataset.getBatch!(own);
  }
}

/** Sets one after the other. */
export class ConcatDataset<Sample> extends Dataset<Sample> {
  readonly datasets: readonly Dataset<Sample>[];
  /** Where each set ends. */
  readonly cumulativeSizes: readonly number[];

  constructor(datasets: Iterable<Dataset<Sample>>) {
    super();
    this.datasets = [...datasets];
    if (this.datasets.length === 0)
      throw new ArgumentError('ConcatDataset: datasets should not be an empty iterable');
    let end = 0;
    this.cumulativeSizes = this.datasets.map(({ length }) => {
      end += length;
      return end;
    });
  }

  override get length(): number {
    return this.cumulativeSizes[this.cumulativeSizes.length - 1];
  }

  override get(index: number): Sample {
    const i = checkIndex(index, this.length, 'ConcatDataset.get');
    const which = this.cumulativeSizes.findIndex((end) => i < end);
    return this.datasets[which].get(i - (which === 0 ? 0 : this.cumulativeSizes[which - 1]));
  }
}

/** What `StackDataset` stacks: data sets, and lists and tensors for their elements and rows. */
type Source = Dataset | ArrayLike<unknown> | Tensor;
type SampleOf<S> =
  S extends Dataset<infer T> ? T : S extends Tensor ? Tensor : S extends ArrayLike<infer T> ? T : never;

type Stacked<Sets> = Sets extends readonly Source[]
  ? { -readonly [K in keyof Sets]: SampleOf<Sets[K]> }
  : Sets extends readonly [infer Named]
    ? { -readonly [K in keyof Named]: SampleOf<Named[K]> }
    : never;

/**
 * Samples of several sets that belong together: a list of one of each, or an object where the sets came in an object.
 * @throws ShapeError if their lengths differ
 */
export class StackDataset<
  const Sets extends readonly Source[] | readonly [{ readonly [name: string]: Source }],
> extends Dataset<Stacked<Sets>> {
  readonly datasets: readonly Dataset[] | { readonly [name: string]: Dataset };
  readonly length: number;

  constructor(...datasets: Sets) {
    super();
    const [first] = datasets as readonly object[];
    const named = datasets.length === 1 && isPlain(first) && !('get' in first);
    const sets = Object.entries(named ? first : datasets).map(([name, set]): [string, Dataset] => [
      name,
      setOf(set, name),
    ]);
    if (sets.length === 0) throw new ArgumentError('StackDataset: expected at least one data set');
    this.length = sets[0][1].length;
    if (sets.some(([, { length }]) => length !== this.length)) {
      const lengths = sets.map(([, { length }]) => length).join(', ');
      throw new ShapeError(`StackDataset: Size mismatch between datasets: got lengths ${lengths}`);
    }
    this.datasets = named ? Object.fromEntries(sets) : sets.map(([, set]) => set);
  }

  override get(index: number): Stacked<Sets> {
    const i = checkIndex(index, this.length, 'StackDataset.get');
    const { datasets } = this;
    const sample = Array.isArray(datasets)
      ? datasets.map((set) => set.get(i))
      : Object.fromEntries(Object.entries(datasets).map(([name, set]) => [name, set.get(i)]));
    return sample as Stacked<Sets>;
  }
}

/** A data set as it is, or one of what a list or a tensor holds. @throws ArgumentError for what has no length */
function setOf(source: Source, name: string): Dataset {
  if (typeof source === 'object' && source !== null) {
    const isSet = 'get' in source && !(source instanceof Tensor);
    const set = isSet ? source : listed(source, 'StackDataset');
    if (Number.isInteger(set.length)) return set;
  }
  return refuse(source, 'StackDataset', name, 'a data set, a list or a tensor');
}

/** Fractions count as such if they add up to 1, but for rounding. */
const FRACTION_TOLERANCE = 1e-9;

/**
 * Disjoint random parts of a set, one for each length; fractions that add up to 1 are rounded down, and the samples
 * left over go one by one to the first parts. Draws one permutation, as PyTorch does.
 * @throws ArgumentError, before drawing, if the lengths do not add up to the length of the set
 */
export function randomSplit<Sample, const Lengths extends readonly number[] = readonly number[]>(
  dataset: Dataset<Sample>,
  lengths: Lengths,
  options: GeneratorOptions | Exclude<GeneratorOptions['generator'], undefined> = {},
): { -readonly [I in keyof Lengths]: Subset<Sample> } {
  const sizes = partSizes(dataset.length, lengths);
  if (typeof options !== 'object') {
    throw new ArgumentError(
      `randomSplit: expected a Generator, or options such as { generator }, but got ${typeof options}`,
    );
  }
  const given =
    options === null || 'engine' in options
      ? { generator: options }
      : optionsGiven(options, 'randomSplit', 'generator');
  const order = randomPermutation(engineOf(given), dataset.length);
  let at = 0;
  const parts = sizes.map((size) => {
    at += size;
    return new Subset(dataset, order.subarray(at - size, at));
  });
  return parts as { -readonly [I in keyof Lengths]: Subset<Sample> };
}

function partSizes(count: number, lengths: readonly number[]): readonly number[] {
  const sum = lengths.reduce((a, b) => a + b, 0);
  if (lengths.some((length) => !(length >= 0))) {
    throw new ArgumentError(`randomSplit: lengths must not be negative, but got ${lengths.join(', ')}`);
  }
  if (Math.abs(sum - 1) <= FRACTION_TOLERANCE && lengths.every((length) => length <= 1)) {
    const sizes = lengths.map((fraction) => Math.floor(count * fraction));
    const rest = count - sizes.reduce((a, b) => a + b, 0);
    for (let i = 0; i < rest; i++) sizes[i % sizes.length]++;
    return sizes;
  }
  if (!lengths.every(Number.isInteger) || sum !== count) {
    throw new ArgumentError(
      'randomSplit: Sum of input lengths does not equal the length of the input dataset: ' +
        `expected whole numbers that add up to ${count}, or fractions that add up to 1, but got ${lengths.join(', ')}`,
    );
  }
  return lengths;
}
