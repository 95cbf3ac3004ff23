/** What the kernels of this folder need of the backend: memory, programs and a place to record commands. */
import type { DType } from '../../core/dtype.ts';
import type { Shape, Strides } from '../../core/shape.ts';
import type { NDArray } from '../array.ts';
import type { PooledBuffer } from './buffers.ts';
import type { Binding, ShaderSource } from './programs.ts';

/** A kernel's buffer: whose it is, and how the shader sees it. */
export interface BoundArray extends Binding {
  readonly array: NDArray;
}

/** One call of a kernel. */
export interface Call {
  /** All that the shader's text depends on. */
  readonly key: string;
  readonly bindings: readonly BoundArray[];
  /** 'name: type' and its word, in order. */
  readonly params: readonly (readonly [declaration: string, word: number])[];
  /** How many threads, or with `groups` how many workgroups, there must be at least. */
  readonly threads: number;
  readonly workgroup: number;
  /** Whole workgroups in two dimensions (z too), for kernels that know their place by workgroup. */
  readonly groups?: readonly [number, number, number];
  readonly declarations?: () => string;
  /** The body of the shader; flat kernels find their number in `i`, already below `P.threads`. */
  readonly body: () => string;
}

export interface GpuContext {
  readonly device: string;
  empty(shape: Shape, dtype: DType, strides?: Strides): NDArray;
  /** Records a call. Inputs and outputs may share storages only as the kernel's text allows. */
  run(call: Call): void;
  /** x itself, or a row-major copy of it. */
  contiguous(x: NDArray): NDArray;
  /** x itself, or a copy with a storage of its own if it shares that of `out`. */
  apart(x: NDArray, out: NDArray): NDArray;
  /** out ← x, converted and broadcast. */
  assign(out: NDArray, x: NDArray): void;
  fill(out: NDArray, value: number | bigint): void;
  /** The same constant numbers as one array, kept for the next call that asks for them. */
  table(values: Int32Array | Float32Array): NDArray;
  /** The most workgroups in one dimension of a dispatch. */
  readonly maxGroups: number;
  /** The most bytes of workgroup memory. */
  readonly workgroupBytes: number;
  block(x: NDArray): PooledBuffer;
}

export type { ShaderSource };
