/** Tensors in messages between threads: as their numbers, which move without a copy, and as tensors again over there. */

import type { DType, TypedArray } from '../core/dtype.ts';
import type { Shape } from '../core/shape.ts';
import { fromTypedArray } from '../creation.ts';
import { Tensor } from '../tensor.ts';

const MARK = 'wasmgrad:tensor';

/** A tensor on its way. */
interface Packed {
  readonly [MARK]: DType;
  readonly shape: Shape;
  readonly data: TypedArray;
}

export interface Message {
  readonly value: unknown;
  /** Buffers that are the message's own, to be moved and not copied. */
  readonly transfer: ArrayBuffer[];
}

/**
 * Replaces each tensor in a value, at any depth of lists, plain objects and Maps, by its numbers as they are now. The
 * value itself stays as it is; what is in it beside tensors must be what `structuredClone` takes.
 */
export async function pack(value: unknown): Promise<Message> {
  const transfer: ArrayBuffer[] = [];
  const packed = await mapParts(value, (x) => packTensor(x, transfer));
  return { value: packed, transfer };
}

/** Undoes `pack`. */
export const unpack = (value: unknown): unknown => {
  if (isPacked(value)) return fromTypedArray(value.data, value.shape, { dtype: value[MARK] });
  if (Array.isArray(value)) return value.map(unpack);
  if (value instanceof Map) return new Map([...value].map(([key, part]) => [key, unpack(part)]));
  if (isPlain(value))
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, unpack(part)]));
  return value;
};

/** The numbers are taken at once where the device allows it; elsewhere of a copy that nothing changes. */
function packTensor(x: Tensor, transfer: ArrayBuffer[]): Packed | Promise<Packed> {
  const withData = (data: TypedArray): Packed => {
    transfer.push(data.buffer as ArrayBuffer);
    return { [MARK]: x.dtype, shape: [...x.shape], data };
  };
  return x.device === 'cpu' || x.device === 'reference'
    ? withData(x.data)
    : x.detach().clone().read().then(withData);
}

function mapParts(value: unknown, tensor: (x: Tensor) => unknown): unknown {
  if (value instanceof Tensor) return tensor(value);
  if (Array.isArray(value)) return Promise.all(value.map((part) => mapParts(part, tensor)));
  if (value instanceof Map) {
    const parts = [...value].map(async ([key, part]) => [key, await mapParts(part, tensor)] as const);
    return Promise.all(parts).then((entries) => new Map(entries));
  }
  if (isPlain(value)) {
    const parts = Object.entries(value).map(
      async ([key, part]) => [key, await mapParts(part, tensor)] as const,
    );
    return Promise.all(parts).then((entries) => Object.fromEntries(entries));
  }
  return value;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

const isPacked = (value: unknown): value is Packed =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, MARK);
