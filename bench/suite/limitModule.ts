/** The loops that find out what a core can do at most: arithmetic in registers, and memory read and written. */
import type { Stream } from './types.ts';
import { assemble, type Func, op } from './wasmText.ts';

/** As many as hide the latency of an addition after a multiplication, as few as stay in registers. */
const ACCUMULATORS = 12;
/** A multiplication and an addition on four numbers each. */
const FLOPS_PER_STEP = 8;
export const FLOPS_PER_TURN = ACCUMULATORS * FLOPS_PER_STEP;
/** Vectors of 16 bytes per turn of the loops over memory. */
const UNROLLED = 8;
export const BYTES_PER_TURN = 16 * UNROLLED;
const PAGE = 65536;
/** Where the arrays begin; the constants lie below. */
export const FIRST_ARRAY = PAGE;

const each = (count: number, body: (i: number) => number[]): number[] =>
  Array.from({ length: count }, (_, i) => body(i)).flat();
const countDown = (local: number) => [...op.get(local), ...op.i32(1), ...op.i32Sub, ...op.tee(local)];
const advance = (local: number) => [
  ...op.get(local),
  ...op.i32(BYTES_PER_TURN),
  ...op.i32Add,
  ...op.set(local),
];

/**
 * peak(constants, turns): acc ← acc + x·y for every accumulator. In one form x lies in a register and acc is what is
 * multiplied; in the other y comes from memory, which leaves only the addition in the chain. Engines do one or the
 * other better, so the faster one counts.
 */
function peak(form: 'registers' | 'operands', relaxed: boolean): Func {
  const [pointer, turns, x, y, first] = [0, 1, 2, 3, 4];
  const step = (i: number): number[] => {
    const acc = op.get(first + i);
    const factors =
      form === 'registers' ? [...acc, ...op.get(x)] : [...op.get(x), ...op.get(pointer), ...op.load(16 * i)];
    const rest = form === 'registers' ? op.get(y) : acc;
    const sum = relaxed
      ? [...factors, ...rest, ...op.relaxedMadd]
      : [...rest, ...factors, ...op.mul, ...op.add];
    return [...sum, ...op.set(first + i)];
  };
  return {
    name: form,
    parameters: 2,
    vectors: 2 + ACCUMULATORS,
    body: [
      ...[x, y].flatMap((local) => [...op.get(pointer), ...op.load(0), ...op.set(local)]),
      ...op.loop(each(ACCUMULATORS, step), countDown(turns)),
      ...each(ACCUMULATORS, (i) => [...op.get(pointer), ...op.get(first + i), ...op.store(256 + 16 * i)]),
    ],
  };
}

/** copy(a, b, out, turns), add and read: what their names say, over arrays of `turns` times 128 bytes. */
function stream(kind: Stream): Func {
  const [a, b, out, turns, first] = [0, 1, 2, 3, 4];
  const element = (i: number): number[] => {
    const x = [...op.get(a), ...op.load(16 * i)];
    if (kind === 'read') return [...op.get(first + i), ...x, ...op.add, ...op.set(first + i)];
    const value = kind === 'copy' ? x : [...x, ...op.get(b), ...op.load(16 * i), ...op.add];
    return [...op.get(out), ...value, ...op.store(16 * i)];
  };
  const keep = kind === 'read';
  return {
    name: kind,
    parameters: 4,
    vectors: keep ? UNROLLED : 0,
    body: [
      ...op.loop(each(UNROLLED, element), advance(a), advance(b), advance(out), countDown(turns)),
      ...(keep
        ? each(UNROLLED, (i) => [...op.i32(0), ...op.get(first + i), ...op.store(1024 + 16 * i)])
        : []),
    ],
  };
}

export const STREAMS: readonly Stream[] = ['read', 'copy', 'add'];
/** Arrays that a stream reads or writes. */
export const ARRAYS: Readonly<Record<Stream, number>> = { read: 1, copy: 2, add: 3 };

/** The binary, with memory for three arrays of `bytes` each. */
export function limitModule(relaxed: boolean, bytes: number): Uint8Array {
  return assemble([peak('registers', relaxed), peak('operands', relaxed), ...STREAMS.map(stream)], {
    pages: 1 + Math.ceil((3 * bytes) / PAGE),
  });
}
