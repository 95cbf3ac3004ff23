/**
 * Large products on several threads. One operand is packed as a whole, unless it can be read in place, then each thread takes slices of
 * the other one, which it packs as it comes to them: small enough that a thread which others disturb leaves the rest to them.
 */
import type { NDArray } from '../array.ts';
import type { GemmOptions } from '../backend.ts';
import type { WasmContext } from './context.ts';
import { type Matrices, RELU } from './matrices.ts';

const ACCUMULATE = 1;
const SLICE_COLUMNS = 4;
/** Multiply-adds from which slices repay what they cost, for threads that pack alone: on one thread 250 µs. */
const LEAST_WORK_ALONE = 240 ** 3;
/** The same for more threads, for which a job to pack together is one more: 100 µs. */
const LEAST_WORK = 176 ** 3;
/** Smaller operands are packed in a moment, or read in place. */
const LEAST_ROWS = 32;
const LEAST_COLUMNS = 96;
const LEAST_DEPTH = 33;
/**
 * So many threads pack the operand that all of them need each for itself: twice the work, but what a thread has packed lies in its
 * own cache. More of them pack it together.
 */
const THREADS_ALONE = 2;
/** Lines of the shared operand, and elements of each, that are packed at a time: 2 MB, which every slice reads once. */
const BLOCK_LINES = 1032;
const BLOCK_DEPTH = 512;
/** Multiply-adds of a slice: some 10 µs, where to claim it takes 0.1. */
const SLICE_WORK = 2 ** 19;
/**
 * Panels of a slice, if there are so many: fewer would not repay reading the shared operand once more. Where a block of it is
 * larger than FAR_ELEMENTS, so that it comes from further away, slices of columns have as many again.
 */
const SLICE_ROW_TILES = 2;
const SLICE_COLUMN_PANELS = 4;
const FAR_ELEMENTS = 2 ** 18;
/** Slices that every thread should find. */
const SLICES_PER_THREAD = 4;
const PANEL_BYTES = 32;
/** Panels of columns that are packed in one pass over the rows of B, by whole cache lines. */
const PACKED_TOGETHER = 4;

/** Rows of A or columns of B, as the kernels take them: distances in elements. */
interface Lines {
  readonly pointer: number;
  readonly count: number;
  readonly step: number;
  readonly kStep: number;
  /** How many make a panel. */
  readonly width: number;
}

/** Whether this is the way for such a product: there is more than one thread, and enough to do. */
export function worthSharing(host: WasmContext, m: number, n: number, k: number): boolean {
  const { threads } = host.runtime.pool;
  const least = threads > THREADS_ALONE ? LEAST_WORK : LEAST_WORK_ALONE;
  return threads > 1 && m * n * k >= least && m >= LEAST_ROWS && n >= LEAST_COLUMNS && k >= LEAST_DEPTH;
}

/** Who packs what, and how finely the rest is cut. */
interface Cut {
  /** Slices are columns of B: the rows of A are shared. */
  readonly byColumns: boolean;
  readonly shared: Lines;
  readonly own: Lines;
  /** Lines of a slice, at least and at most. */
  readonly least: number;
  readonly most: number;
}

function cut(threads: number, rows: Lines, columns: Lines): Cut {
  // Slices of columns are the faster ones, where there are enough of them.
  const panelsEach = Math.floor(columns.count / columns.width / threads / SLICES_PER_THREAD);
  const byColumns =
    columns.count > rows.count || columns.count > BLOCK_LINES || panelsEach >= SLICE_COLUMN_PANELS;
  const [shared, own] = byColumns ? [rows, columns] : [columns, rows];
  const least = byColumns ? Math.max(1, Math.min(panelsEach, SLICE_COLUMN_PANELS)) : SLICE_ROW_TILES;
  const most = Math.ceil(own.count / threads / own.width);
  return { byColumns, shared, own, least: least * own.width, most: most * own.width };
}

/** The length of some equal parts, in whole panels. */
const part = (count: number, parts: number, width: number) => Math.ceil(count / parts / width) * width;

/** The product of the matrices of this number. */
export function packedGemm(
  host: WasmContext,
  a: Matrices,
  b: Matrices,
  out: NDArray,
  m: number,
  n: number,
  k: number,
  { relu, bias }: GemmOptions,
  batch = 0,
): void {
  const { pool, module } = host.runtime;
  const { gemm_tile_rows, gemm_packed_scratch_f32, gemm_packed_scratch_f64 } = module.exports;
  const double = out.dtype === 'float64';
  const size = double ? 8 : 4;
  const threads = pool.plannedThreads;
  const height = gemm_tile_rows(m);
  const lines = (x: Matrices, count: number, step: number, kStep: number, width: number): Lines => {
    return { pointer: host.pointer(x.array) + size * batch * x.batch, count, step, kStep, width };
  };
  const rows = lines(a, m, a.rowStride, a.columnStride, height);
  const columns = lines(b, n, b.columnStride, b.rowStride, PANEL_BYTES / size);
  const { byColumns, shared, own, least, most } = cut(threads, rows, columns);
  const to = host.pointer(out) + size * batch * m * n;

  const lineBlock = part(shared.count, Math.ceil(shared.count / BLOCK_LINES), shared.width);
  const depthBlock = part(k, Math.max(1, Math.floor((k + BLOCK_DEPTH / 2 - 1) / BLOCK_DEPTH)), 1);
  // The kernels read rows of A in place where their elements lie next to each other.
  const packs = !byColumns || a.columnStride !== 1;
  const alone = packs && threads <= THREADS_ALONE;
  const together = packs && !alone;
  const scratchBytes = double ? gemm_packed_scratch_f64 : gemm_packed_scratch_f32;
  const stride = (scratchBytes(depthBlock, alone ? lineBlock : 0, shared.width) + 63) & ~63;
  const sharedBytes = together ? (lineBlock + shared.width) * depthBlock * size : 0;
  const scratch = host.takeScratch(stride + Math.ceil(sharedBytes / threads));
  const { pointer } = scratch.block;
  const panels = pointer + stride * threads;

  const pack = (from: number, count: number, depth: number): void => {
    const panelCount = Math.ceil(count / shared.width);
    pool.run(
      double ? 'gemm_pack_f64' : 'gemm_pack_f32',
      [from, shared.step, shared.kStep, count, depth, shared.width, panels],
      panelCount,
      Math.ceil(panelCount / threads / PACKED_TOGETHER) * PACKED_TOGETHER,
    );
  };
  const unmark = (): void => {
    const words = module.views().u32;
    for (let thread = 0; thread < threads; thread++) words[(pointer + stride * thread) >>> 2] = 0;
  };
  const multiply = (line: number, count: number, q: number, depth: number): void => {
    const from = shared.pointer + size * (line * shared.step + q * shared.kStep);
    if (alone) unmark();
    else if (together) pack(from, count, depth);
    const last = q + depth === k;
    const far =
      byColumns && count * depth > FAR_ELEMENTS && own.count >= 2 * SLICES_PER_THREAD * threads * least;
    pool.run(
      double ? 'gemm_packed_f64' : 'gemm_packed_f32',
      [
        own.pointer + size * q * own.kStep,
        own.step,
        own.kStep,
        from,
        shared.step,
        shared.kStep,
        together ? panels : 0,
        to + size * line * n,
        n,
        byColumns ? count : m,
        byColumns ? n : count,
        depth,
        height,
        (q > 0 ? ACCUMULATE : 0) | (last && relu ? RELU : 0) | (byColumns ? SLICE_COLUMNS : 0),
        last && bias ? host.pointer(bias) : 0,
        pointer,
      ],
      own.count,
      Math.min(
        most,
        Math.max(far ? 2 * least : least, Math.ceil(SLICE_WORK / (count * depth) / own.width) * own.width),
      ),
      { arg: 15, stride },
    );
  };
  try {
    for (let line = 0; line < shared.count; line += lineBlock)
      for (let q = 0; q < k; q += depthBlock)
        multiply(line, Math.min(shared.count - line, lineBlock), q, Math.min(k - q, depthBlock));
  } finally {
    host.returnScratch(scratch);
  }
}
