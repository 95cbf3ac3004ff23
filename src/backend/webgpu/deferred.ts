/**
 * When elementwise results are computed: with the kernel that reads them, else when somebody asks for their buffer, else
 * when commands go to the GPU while nothing has read them. What has been taken in by another kernel stays a formula.
 */
import { dtypeInfo } from '../../core/dtype.ts';
import { expandStrides, type Shape } from '../../core/shape.ts';
import type { NDArray } from '../array.ts';
import type { Cell } from './cells.ts';
import type { BoundArray, Call, Input, Room, Source } from './context.ts';
import { laneOf, numberWords, wgslType, wordsOf } from './elementTypes.ts';
import { Expression, type Formula, isFlat, type Leaf, type Node } from './expressions.ts';
import { type ExpressionText, expressionText } from './expressionText.ts';
import { type Loop, placesText } from './loops.ts';
import { isTooLarge, partsOf, type Target } from './parts.ts';
import type { GpuStorage } from './storage.ts';
import { Unread } from './unread.ts';

/** GPUs reach the bandwidth of their memory only with many threads for each of their schedulers. */
const WORKGROUP = 256;
/** A result to come may hold buffers of so many times its own size, and small ones. */
const MOST_TIMES = 8;
const SMALL_BYTES = 64 * 1024;
/** Results that wait for somebody to read them, twice over. */
const MOST_WAITING = 256;
/**
 * Their bytes, as a part of those that may be dropped before they are looked for: what waits while there are two looks is
 * found late.
 */
const WAITING_PART = 3 / 32;

/** What is asked of the device. */
export interface Executor {
  /** The most bytes that a kernel can bind. */
  readonly mostBound: number;
  run(call: Call): void;
  /** @throws DeviceError for an array of another device */
  storageOf(x: NDArray): GpuStorage;
  /** A cell that may be written: nobody else wants what is in it. */
  writable(storage: GpuStorage): Cell;
  copyWords(from: Cell, fromWord: number, to: Cell, toWord: number, words: number): void;
  /** @throws DeviceError if what a result is made of was spoilt */
  checkCells(cells: readonly Cell[]): void;
  /** Commands are to be submitted at the end of the job. */
  schedule(): void;
  /** No op is running: what was found dropped may be used again. */
  betweenOps(): void;
}

const AMPLE: Room = { cost: Infinity, cells: Infinity };

export class Deferred {
  readonly #gpu: Executor;
  /**
   * What nothing has read so far, since the last submission and since the one before. What has been read leaves at once: it
   * may be dropped by the program before it is an old object.
   */
  #fresh = new Set<GpuStorage>();
  #older = new Set<GpuStorage>();
  #freshBytes = 0;

  readonly #mostWaitingBytes: number;
  /** Computed for nobody so far. */
  readonly unread: Unread;

  /** `spareBytes`: how many may be dropped before they are looked for. */
  constructor(gpu: Executor, spareBytes: number) {
    this.#gpu = gpu;
    this.#mostWaitingBytes = WAITING_PART * spareBytes;
    this.unread = new Unread(spareBytes);
  }

  /** out ← formula(inputs), broadcast to out's shape; without a formula, out ← the input. */
  assign(out: NDArray, inputs: readonly Input[], formula: Formula | null): void {
    if (out.size === 0) return;
    const storage = this.#gpu.storageOf(out);
    const { dtype, offset, size, strides, dense } = out;
    const whole =
      dense && offset === 0 && size * dtypeInfo[dtype].bytes === storage.byteLength && !storage.partial;
    if (!whole) this.compute(storage);
    const expression = this.#fitted(out, inputs, formula);
    if (whole) {
      storage.defer(expression);
      if (bytesOf(expression) > MOST_TIMES * storage.gpuBytes + SMALL_BYTES) this.compute(storage);
      else {
        this.#fresh.add(storage);
        this.#freshBytes += storage.gpuBytes;
      }
      if (this.#fresh.size >= MOST_WAITING || this.#freshBytes >= this.#mostWaitingBytes) this.settle(false);
      this.#gpu.schedule();
      return;
    }
    // Leaves that are read elsewhere than written keep the old contents.
    const apart = !alignedLeaves(expression, storage, out);
    if (apart) expression.hold();
    const cell = this.#gpu.writable(storage);
    this.#launch(expression, { cell, dtype, offset, strides, size, dense, whole });
    if (apart) expression.letGo();
  }

  /** The expression of a result; operands that make it too large, or cannot be taken in, are computed first. */
  #fitted(out: NDArray, inputs: readonly Input[], formula: Formula | null): Expression {
    for (;;) {
      const nodes = inputs.map((x) => nodeOf(this.#gpu, x, out));
      const missing = nodes.indexOf(null);
      const waiting = inputs.flatMap((x) => {
        const storage = 'value' in x ? null : this.#gpu.storageOf(x);
        return storage?.pending ? [{ storage, expression: storage.pending }] : [];
      });
      if (missing >= 0) {
        this.compute(this.#gpu.storageOf(inputs[missing] as NDArray));
        continue;
      }
      const root = formula
        ? ({ kind: 'apply', dtype: out.dtype, formula, inputs: nodes as Node[] } as const)
        : (nodes[0] as Node);
      const expression = new Expression(root, out.shape, out.strides);
      if (expression.fits || waiting.length === 0) {
        for (const inner of waiting) this.#take(inner.storage, inner.expression);
        return expression;
      }
      const largest = waiting.reduce((a, b) => (b.expression.ops > a.expression.ops ? b : a));
      this.compute(largest.storage);
    }
  }

  /** A kernel, or a result to come, takes in what a storage waits for. */
  #take(storage: GpuStorage, expression: Expression): void {
    expression.uses++;
    this.#forget(storage);
  }

  #forget(storage: GpuStorage): void {
    if (this.#fresh.delete(storage)) this.#freshBytes -= storage.gpuBytes;
    else this.#older.delete(storage);
  }

  /** Computes what a storage waits for, `early` if nobody has asked. @throws DeviceError if what it is made of was spoilt */
  compute(storage: GpuStorage, early = false): void {
    const expression = storage.pending;
    if (expression === null) return;
    this.#forget(storage);
    this.#gpu.checkCells(expression.cells);
    const leaves = leavesOf(expression);
    const { root, strides, size } = expression;
    const { dtype } = root;
    const lane = laneOf(dtype, 'elementwise');
    // A kernel sees a buffer as elements of one type.
    const reused = expression.cells.find(
      (cell) =>
        cell.last &&
        // What is repeated once may be so again: its result shall be known by then.
        !cell.repeated &&
        leaves.every(
          (x) =>
            x.cell !== cell ||
            (x.offset === 0 && laneOf(x.dtype, 'elementwise') === lane && isFlat(x, expression)),
        ) &&
        cell.block.size >= storage.gpuBytes &&
        cell.block.size < 2 * storage.gpuBytes,
    );
    const cell = reused ?? storage.newCell();
    const mayGiveBack = early && !reused;
    storage.put(cell, mayGiveBack ? expression : null);
    // A copy into the buffer that it was to be copied from is there already.
    if (root.kind !== 'leaf' || root.dtype !== dtype || !reused)
      this.#launch(expression, {
        ...{ cell, dtype, offset: 0, strides, size, dense: true, whole: true },
        fills: reused ? undefined : storage,
      });
    if (mayGiveBack) this.unread.add(storage, bytesOf(expression));
    else for (const held of expression.cells) if (held !== reused) held.letGo();
    reused?.adopt();
  }

  #launch(expression: Expression, target: Target): void {
    const { root, shape } = expression;
    const { cell, dtype, offset, strides } = target;
    if (root.kind === 'leaf' && this.#copied(root, shape, target)) return;
    const { mostBound } = this.#gpu;
    if (isTooLarge(expression, target, mostBound)) {
      for (const part of partsOf(expression, target, mostBound)) this.#launch(part.expression, part.target);
      return;
    }
    const text = expressionText(root, { shape, strides }, 'e', [{ name: 'out', offset, strides }]);
    const type = wgslType[laneOf(dtype, 'elementwise')];
    const bindings: BoundArray[] = text.cells.map((x, i) => ({ name: `m${i}`, type: x.type, cell: x.cell }));
    const own = text.cells.findIndex((x) => x.cell === cell);
    if (own >= 0) bindings[own] = { ...bindings[own], writes: true };
    else bindings.push({ name: 'm_out', type, cell, writes: true, fills: target.fills });
    const place = bindings[own >= 0 ? own : bindings.length - 1].name;
    const key = `each ${text.key}>${dtype}@${own}`;
    const names = text.leaves.map((leaf) => `m${text.cells.findIndex((x) => x.cell === leaf.cell)}`);
    const shared = { params: text.params, workgroup: WORKGROUP, declarations: text.functions };
    if (byFours(text, target)) {
      this.#gpu.run({ ...shared, ...foursCall(text, names, place, bindings, key, target.size) });
      return;
    }
    this.#gpu.run({
      ...shared,
      key,
      bindings,
      threads: target.size,
      body: () => {
        const { text: lines, result } = text.statements((k) => `${names[k]}[e${k}_i]`);
        return `${placesText(text.loop, 'i', 'en')}\n${lines}\n${place}[out_i] = ${result};`;
      },
    });
  }

  /** A copy of memory as it lies, without a kernel. */
  #copied(leaf: Leaf, shape: Shape, { cell, dtype, offset, strides, size, dense }: Target): boolean {
    if (leaf.dtype !== dtype || leaf.cell === cell || !dense || !isFlat(leaf, { shape, strides }))
      return false;
    const words = wordsOf(dtype);
    this.#gpu.copyWords(leaf.cell, leaf.offset * words, cell, offset * words, size * words);
    return true;
  }

  /**
   * An array as an input of a kernel that reads elements one by one, at places of its storage. What is not computed yet
   * is worked out there if there is room for it.
   */
  source(name: string, x: NDArray, room: Room = AMPLE): Source {
    const type = wgslType[laneOf(x.dtype, name)];
    const storage = this.#gpu.storageOf(x);
    const expression = storage.pending;
    const taken =
      expression !== null &&
      !expression.spent &&
      expression.cost <= room.cost &&
      expression.cells.length <= room.cells &&
      expression.cells.every((cell) => cell.bytes <= this.#gpu.mostBound);
    if (!taken) {
      const binding = `${name}_`;
      return {
        key: '',
        bindings: [{ name: binding, type, cell: storage.cell }],
        params: [],
        declarations: () => '',
        at: (place) => `${binding}[${place}]`,
      };
    }
    this.#take(storage, expression);
    this.#gpu.checkCells(expression.cells);
    const text = expressionText(expression.root, expression, name);
    const bound = (cell: Cell): string => `${name}_m${text.cells.findIndex((c) => c.cell === cell)}`;
    const { text: lines, result } = text.statements((k) => `${bound(text.leaves[k].cell)}[${name}${k}_i]`);
    return {
      key: ` ${name}=${text.key}`,
      bindings: text.cells.map((c) => ({ name: bound(c.cell), type: c.type, cell: c.cell })),
      params: text.params,
      declarations: () => `${text.functions()}
fn read_${name}(place: u32) -> ${type} {
${placesText(text.loop, 'place', `${name}n`)}
${lines}
return ${result};
}`,
      at: (place) => `read_${name}(${place})`,
    };
  }

  /** Before commands are submitted: what nothing has read is a result that somebody waits for. */
  settle(jobEnds: boolean): void {
    const due = jobEnds ? [...this.#older, ...this.#fresh] : [...this.#older];
    this.#older = jobEnds ? new Set() : this.#fresh;
    this.#fresh = new Set();
    this.#freshBytes = 0;
    due.reverse();
    if (jobEnds) this.unread.keep();
    // What was computed, and was dropped by the program, must not be held here while the others are.
    for (let storage = due.pop(); storage !== undefined; storage = due.pop()) {
      if (storage.freed || storage.pending === null || storage.pending.uses > 0) continue;
      if (jobEnds) this.#gpu.betweenOps();
      try {
        this.compute(storage, !jobEnds);
      } catch {
        // What was spoilt tells the next op that asks for it.
      }
    }
  }
}

const leavesOf = ({ nodes }: Expression): Leaf[] => nodes.filter((node) => node.kind === 'leaf');

const bytesOf = ({ cells }: Expression): number => cells.reduce((sum, cell) => sum + cell.block.size, 0);

/** An input as a node of an expression with out's shape; null if it must be computed for that. */
function nodeOf(gpu: Executor, x: Input, out: NDArray): Node | null {
  if ('value' in x) {
    const lane = laneOf(x.dtype, 'elementwise');
    return { kind: 'scalar', dtype: x.dtype, words: numberWords(x.value, lane) };
  }
  const storage = gpu.storageOf(x);
  const strides = expandStrides(x.shape, x.strides, out.shape);
  const { pending } = storage;
  if (pending !== null) {
    const taken = !pending.spent || storage === out.storage;
    return taken ? pending.viewed(out.shape, strides, x.offset) : null;
  }
  return { kind: 'leaf', dtype: x.dtype, cell: storage.cell, offset: x.offset, strides };
}

/** Every leaf in out's own storage is read exactly where out is written. */
function alignedLeaves(expression: Expression, storage: GpuStorage, out: NDArray): boolean {
  const own = storage.cell;
  return leavesOf(expression).every(
    (leaf) => leaf.cell !== own || (leaf.offset === out.offset && isFlat(leaf, out)),
  );
}

/** Four elements a thread: everything is float32 and contiguous. */
function byFours({ loop, leaves }: ExpressionText, { dtype, size, whole }: Target): boolean {
  if (dtype !== 'float32' || leaves.length === 0 || leaves.some((x) => x.dtype !== 'float32')) return false;
  if (!whole && size % 4 !== 0) return false;
  const straight = (r: Loop['readings'][number]) => r.offset % 4 === 0 && r.strides[0] === 1;
  return loop.sizes.length === 1 && loop.readings.every(straight);
}

function foursCall(
  text: ExpressionText,
  names: readonly string[],
  place: string,
  bindings: readonly BoundArray[],
  key: string,
  size: number,
): Pick<Call, 'key' | 'bindings' | 'threads' | 'declarations' | 'body'> {
  const parameters = names.map((_, k) => `l${k}: f32`).join(', ');
  return {
    key: `${key} by fours`,
    bindings: bindings.map((b) => ({ ...b, type: 'vec4<f32>' })),
    threads: Math.ceil(size / 4),
    declarations: () => {
      const { text: lines, result } = text.statements((k) => `l${k}`);
      return `${text.functions()}\nfn element(${parameters}) -> f32 {\n${lines}\nreturn ${result};\n}`;
    },
    body: () => {
      const loads = names.map((name, k) => `let f${k} = ${name}[P.e${k}_at / 4u + i];`);
      const elements = ['x', 'y', 'z', 'w'].map(
        (c) => `element(${names.map((_, k) => `f${k}.${c}`).join(', ')})`,
      );
      return [...loads, `${place}[P.out_at / 4u + i] = vec4<f32>(${elements.join(', ')});`].join('\n');
    },
  };
}
