/**
 * Gradients side by side: a bucket is one run of memory that holds the gradients of several parameters, each a view of
 * it, so that they travel together. One that fills a call by itself gains nothing by that, and stays where it is.
 */
import type { NDArray } from '../backend/array.ts';
import { type DType, dtypeInfo } from '../core/dtype.ts';
import type { Shape, Strides } from '../core/shape.ts';
import { Tensor } from '../tensor.ts';

export interface BucketParameter {
  readonly shape: Shape;
  readonly dtype: DType;
  numel(): number;
}

/** Every gradient starts on a cache line. */
const ALIGNMENT = 64;

const bytesOf = (parameter: BucketParameter): number => parameter.numel() * dtypeInfo[parameter.dtype].bytes;

/**
 * Which parameters share a bucket, as numbers: from the last to the first, since gradients come in about that order,
 * each dtype by itself. A bucket is full when it reaches `capBytes`; the first of a dtype already at `firstBytes`, so
 * that the first message leaves early. A parameter of `aloneBytes` has a bucket to itself. Buckets are in the order in
 * which they will be full.
 */
export function assignBuckets(
  parameters: readonly BucketParameter[],
  firstBytes: number,
  capBytes: number,
  aloneBytes = Number.POSITIVE_INFINITY,
): number[][] {
  const open = new Map<DType, { members: number[]; bytes: number; limit: number }>();
  const full: number[][] = [];
  for (let i = parameters.length - 1; i >= 0; i--) {
    const { dtype } = parameters[i];
    if (bytesOf(parameters[i]) >= aloneBytes) {
      full.push([i]);
      continue;
    }
    const bucket = open.get(dtype) ?? { members: [], bytes: 0, limit: firstBytes };
    open.set(dtype, bucket);
    bucket.members.push(i);
    bucket.bytes += bytesOf(parameters[i]);
    if (bucket.bytes < bucket.limit) continue;
    full.push(bucket.members);
    open.set(dtype, { members: [], bytes: 0, limit: capBytes });
  }
  const rest = [...open.values()].map(({ members }) => members).filter((members) => members.length > 0);
  return [...full, ...rest].sort((a, b) => b[b.length - 1] - a[a.length - 1]);
}

/** What travels together. */
export interface Bucket {
  /** Numbers of its parameters. */
  readonly members: readonly number[];
  /** The gradients as one run of memory, with gaps of zeros between them; null if there is none. */
  readonly flat: Tensor | null;
  /** The place of the gradient of the member at this position; null if it stays where it is. */
  view(position: number): NDArray | null;
}

/** One gradient, where the backward pass put it. It has to fill its memory without gaps. */
export class LoneBucket implements Bucket {
  readonly members: readonly [number];
  readonly #parameter: Tensor;

  constructor(member: number, parameter: Tensor) {
    this.members = [member];
    this.#parameter = parameter;
  }

  get flat(): Tensor | null {
    const array = this.#parameter.leaf?.grad?.array;
    return array ? new Tensor(array.view([array.size], [1])) : null;
  }

  view(): null {
    return null;
  }
}

export class SharedBucket implements Bucket {
  readonly members: readonly number[];
  readonly flat: Tensor;
  readonly #views: readonly NDArray[];

  /** `strides`: of each gradient; they leave no gaps. */
  constructor(members: readonly number[], parameters: readonly Tensor[], strides: readonly Strides[]) {
    const { dtype, array } = parameters[members[0]];
    const step = ALIGNMENT / dtypeInfo[dtype].bytes;
    const starts: number[] = [];
    let length = 0;
    for (const i of members) {
      starts.push(length);
      length += Math.ceil(parameters[i].numel() / step) * step;
    }
    const flat = array.backend.empty([length], dtype);
    array.backend.fill(flat, 0);
    this.members = members;
    this.flat = new Tensor(flat);
    this.#views = members.map((i, at) => flat.view(parameters[i].shape, strides[i], starts[at]));
  }

  view(position: number): NDArray {
    return this.#views[position];
  }
}
