/**
 * Indices that were computed on the GPU are checked there: a kernel notes the first call that met one out of range, and
 * the note is read together with the next values. Until then kernels may have read other elements of the same buffer (never
 * other memory), so the error is thrown before any value is handed out.
 */
import { toldLater } from '../../core/inOp.ts';
import { keepStorages, type NDArray } from '../array.ts';
import type { GpuContext } from './context.ts';
import { numberWords } from './elementTypes.ts';
import type { Failures } from './failures.ts';
import { loopOver, placesText } from './loops.ts';
import type { Readbacks } from './readbacks.ts';
import { inHalves, outermost } from './slices.ts';
import { gpuStorage } from './storage.ts';

/** Messages kept for calls whose notes have not been read. */
const KEPT_MESSAGES = 4096;

export interface IndexRange {
  readonly least: number;
  readonly size: number;
  /** A number that is allowed besides. */
  readonly ignore: number | null;
}

export class IndexChecks {
  readonly #gpu: GpuContext;
  readonly #failures: Failures;
  readonly #reads: Readbacks;
  /** The number of the call, and the index that it found. */
  #note: NDArray | null = null;
  #calls = 0;
  #unread = false;
  readonly #messages = new Map<number, (index: bigint) => Error>();

  constructor(gpu: GpuContext, failures: Failures, reads: Readbacks) {
    this.#gpu = gpu;
    this.#failures = failures;
    this.#reads = reads;
  }

  /** int64 indices in a range, or (null) bools that must be true. */
  enqueue(index: NDArray, range: IndexRange | null, message: (index: bigint) => Error): void {
    if (index.size === 0) return;
    const part = this.#gpu.bindable(index);
    if (part === null) inHalves([[index, outermost(index)]], ([half]) => this.enqueue(half, range, message));
    else this.#enqueue(part, range, toldLater(message));
  }

  #enqueue(index: NDArray, range: IndexRange | null, message: (index: bigint) => Error): void {
    if (this.#note === null) {
      const gpu = this.#gpu;
      this.#note = keepStorages(() => gpu.empty([4], 'int32'));
      gpu.fill(this.#note, 0);
    }
    const call = ++this.#calls;
    this.#messages.set(call, message);
    this.#messages.delete(call - KEPT_MESSAGES);
    this.#unread = true;
    const loop = loopOver(index.shape, [{ name: 'x', array: index }]);
    const words = (name: string, value: number): (readonly [string, number])[] =>
      numberWords(value, 'i64').map((word, i) => [`${name}${i}: u32`, word] as const);
    const note = { name: 'note', type: 'i32', array: this.#note, writes: true, atomic: true };
    if (range === null) {
      this.#gpu.run({
        key: `check bools ${loop.key}`,
        bindings: [{ name: 'x', type: 'i32', array: index }, note],
        params: [...loop.params, ['call: i32', call]],
        threads: index.size,
        workgroup: 64,
        body: () => `${placesText(loop, 'i')}
if (x[x_i] == 0 && atomicMax(&note[0], 1) == 0) { atomicStore(&note[1], P.call); }`,
      });
      return;
    }
    this.#gpu.run({
      key: `check ${range.ignore !== null} ${loop.key}`,
      bindings: [{ name: 'x', type: 'vec2<u32>', array: index }, note],
      params: [
        ...loop.params,
        ['call: i32', call],
        ...words('least', range.least),
        ...words('size', range.size),
        ...words('ignore', range.ignore ?? 0),
      ],
      threads: index.size,
      workgroup: 64,
      body: () => `${placesText(loop, 'i')}
let v = x[x_i];
let inside = !i64_lt(v, vec2<u32>(P.least0, P.least1)) && i64_lt(v, vec2<u32>(P.size0, P.size1));
if (inside${range.ignore !== null ? ' || i64_eq(v, vec2<u32>(P.ignore0, P.ignore1))' : ''}) { return; }
if (atomicMax(&note[0], 1) == 0) {
  atomicStore(&note[1], P.call);
  atomicStore(&note[2], bitcast<i32>(v.x));
  atomicStore(&note[3], bitcast<i32>(v.y));
}`,
    });
  }

  /** Reads the note with the next values, if anything was checked since it was last read. */
  report(): Promise<void> {
    if (!this.#unread || this.#note === null) return Promise.resolve();
    this.#unread = false;
    const note = this.#note;
    return this.#reads.read(gpuStorage(note).cell.block, 0, 16).then(
      (bytes) => {
        const [found, call] = new Int32Array(bytes);
        if (found === 0) return;
        if (this.#note === note) this.#note = null;
        const message = this.#messages.get(call);
        if (message) this.#failures.badIndex(message(new BigInt64Array(bytes)[1]));
      },
      () => {},
    );
  }
}
