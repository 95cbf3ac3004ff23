/** Rows that floors below the ops need too, each written once; what is differentiated about them is in `ops/`. */
import type { BinarySpec, UnarySpec } from './backend.ts';

export const addSpec = {
  name: 'add',
  js: (a: number, b: number) => a + b,
  big: (a: bigint, b: bigint) => a + b,
  wgsl: 'a + b',
} as const satisfies BinarySpec;

export const divSpec = {
  name: 'div',
  js: (a: number, b: number) => a / b,
  wgsl: 'divide(a, b)',
} as const satisfies BinarySpec;

/** NaN differs from everything. The processors behind WGSL may take NaN != NaN for false. */
export const notEqualSpec = {
  name: 'ne',
  js: (a: number, b: number) => (a !== b ? 1 : 0),
  big: (a: bigint, b: bigint) => (a !== b ? 1n : 0n),
  wgsl: '!(a == b)',
  predicate: true,
} as const satisfies BinarySpec;

/** NaN stays NaN. */
export const reluSpec = {
  name: 'relu',
  js: (x: number) => (x < 0 ? 0 : x),
  big: (x: bigint) => (x < 0n ? 0n : x),
  wgsl: 'relu(x)',
} as const satisfies UnarySpec;
