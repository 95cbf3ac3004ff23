/** What the kernels of this folder need of the backend: memory, programs and a place to record commands. */
import type { DType } from '../../core/dtype.ts';
import type { Shape, Strides } from '../../core/shape.ts';
import type { NDArray } from '../array.ts';
import type { Cell } from './cells.ts';
import type { Formula } from './expressions.ts';
import type { Binding, Extension, ShaderSource } from './programs.ts';
import type { GpuStorage } from './storage.ts';

/** A kernel's buffer: whose it is (an array's, or a cell's own), and how the shader sees it. */
export type BoundArray = Binding &
  (
    | { readonly array: NDArray }
    | {
        readonly cell: Cell;
        /** The cell is a new one of this storage, of which the kernel writes all. */
        readonly fills?: GpuStorage | undefined;
      }
  );

/** An array as an input that a kernel reads element by element. */
export interface Source {
  /** What the text depends on. */
  readonly key: string;
  readonly bindings: readonly BoundArray[];
  readonly params: readonly (readonly [declaration: string, word: number])[];
  /**
   * Functions that `at` needs. (Not a getter: an accessor of its own gives an object a hidden class of its own, which the
   * engine keeps, with all that the function sees, until its next full collection.)
   */
  declarations(): string;
  /** WGSL for the element at a place in the array's storage. */
  at(place: string): string;
}

/** How large the formula of a result that is not computed yet may be for a kernel to take it in. */
export interface Room {
  readonly cost: number;
  readonly cells: number;
}

/** Operands of an elementwise op: arrays, and numbers of a dtype. */
export type Input = NDArray | { readonly value: number | bigint; readonly dtype: DType };

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
  readonly enables?: readonly Extension[] | undefined;
  readonly declarations?: () => string;
  /** The body of the shader; flat kernels find their number in `i`, already below `P.threads`. */
  readonly body: () => string;
}

/** A call that may share a kernel with others; names in its text begin with a prefix. */
export interface Part {
  readonly key: string;
  readonly bindings: readonly BoundArray[];
  readonly threads: number;
  params(prefix: string): readonly (readonly [declaration: string, word: number])[];
  /** Over `i`, below `threads`, and bindings named prefix + name. */
  body(prefix: string): string;
}

export interface GpuContext {
  readonly device: string;
  empty(shape: Shape, dtype: DType, strides?: Strides): NDArray;
  /** Records a call. Inputs and outputs may share storages only as the kernel's text allows. */
  run(call: Call): void;
  /** Records a call that does not depend on the parts before it, nor they on it. */
  runTogether(part: Part): void;
  /** Reads x element by element, at places of its storage. */
  source(name: string, x: NDArray, room?: Room): Source;
  /** out ← formula(inputs), broadcast to out's shape. */
  elementwise(out: NDArray, inputs: readonly Input[], formula: Formula): void;
  /** x, over a range of its storage where that is too large to be bound, or a row-major copy of it. */
  contiguous(x: NDArray): NDArray;
  /** x itself, or a copy with a storage of its own if it shares that of `out`. */
  apart(x: NDArray, out: NDArray): NDArray;
  /** out ← x, converted and broadcast. */
  assign(out: NDArray, x: NDArray): void;
  fill(out: NDArray, value: number | bigint): void;
  /** The same constant numbers as one array, kept for the next call that asks for them. */
  table(values: Int32Array | Float32Array): NDArray;
  /** x over a storage that can be bound: its own, or a range of it. Null if it reads from too large a range. */
  part(x: NDArray): NDArray | null;
  /** The same, or a copy where x is small and lies far apart; null if x itself is too large to be bound. */
  bindable(x: NDArray): NDArray | null;
  /** All of its storage can be bound. */
  fits(x: NDArray): boolean;
  /** Before parts of x are written: nobody else wants what its buffer holds. */
  changeInPlace(x: NDArray): void;
  /** The most bytes that a kernel can bind. */
  readonly mostBound: number;
  /** The most workgroups in one dimension of a dispatch. */
  readonly maxGroups: number;
  /** The most buffers that a kernel may bind. */
  readonly maxBuffers: number;
  /** Lanes of a subgroup can exchange values. */
  readonly subgroups: boolean;
  /** Products may round their operands to float16. */
  readonly halfProducts: boolean;
  /** The most bytes of workgroup memory. */
  readonly workgroupBytes: number;
}

export type { ShaderSource };
