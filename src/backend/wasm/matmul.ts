/** Matrix products through the packed gemm kernels: any strides, batches, slices over rows or columns. */
import { collapseDims, numElements } from '../../core/shape.ts';
import type { NDArray } from '../array.ts';
import type { GemmOptions } from '../backend.ts';
import { runWithScratch, type ScratchArea, type WasmContext } from './context.ts';

const RELU = 2;
const SLICE_COLUMNS = 4;
/** Multiply-adds from which waking threads pays: about 3 µs of work when they are awake, 25 µs when they sleep. */
const PARALLEL_HOT = 48 ** 3;
const PARALLEL_ASLEEP = 96 ** 3;
/** Multiply-adds below which counting zeros would not be repaid. */
const SPARSE_LEAST_WORK = 64 ** 3;
/** Slices end on multiples of these: rows of equal shares matter more than one padded register tile per slice. */
const ROW_TILE = 2;
const COLUMN_TILE = 8;

/** Of the sparse product: rows that are listed together, columns of a panel, and the least height of a tile. */
const LIST_ROWS = 32;
const PANEL_COLUMNS = 48;
const LEAST_GROUP = 128;
/** Lists of more rows than fit are made and used one after the other. */
const LISTS_BYTES = 4 * 2 ** 20;
/** So that a thread that is done early, because another one was interrupted, finds something left. */
const CHUNKS_PER_THREAD = 4;

/** A matrix, or a batch of them at equal distances. */
interface Matrices {
  readonly array: NDArray;
  readonly batch: number;
  readonly rowStride: number;
  readonly columnStride: number;
  /** The caller's copy, to be released. */
  readonly temporary: boolean;
}

/** x as one batch dimension and two of matrices; a copy where strides do not allow it. */
function matrices(host: WasmContext, x: NDArray): Matrices {
  const last = x.shape.length;
  if (last === 2) {
    const [rowStride, columnStride] = x.strides;
    return { array: x, batch: 0, rowStride, columnStride, temporary: false };
  }
  const lead = collapseDims(x.shape.slice(0, -2), [x.strides.slice(0, -2)]);
  if (lead.shape.length <= 1) {
    return {
      array: x,
      batch: lead.strides[0][0] ?? 0,
      rowStride: x.strides[last - 2],
      columnStride: x.strides[last - 1],
      temporary: false,
    };
  }
  const copy = host.empty(x.shape, x.dtype);
  host.copyInto(copy, x);
  const [rows, columns] = x.shape.slice(-2);
  return { array: copy, batch: rows * columns, rowStride: columns, columnStride: 1, temporary: true };
}

/** How many rows, columns or batches a slice takes; all of them where threads would not pay, nor is there an interlude. */
function chunk(host: WasmContext, total: number, work: number, tile: number): number {
  const { pool } = host.runtime;
  const threads = pool.plannedThreads;
  const share = threads < 2 || work < (pool.hot ? PARALLEL_HOT : PARALLEL_ASLEEP) ? 1 : threads;
  return Math.min(total, Math.ceil(total / share / pool.pieces(work / share) / tile) * tile);
}

/** The product of float arrays; leading dimensions are equal, or b is a plain matrix. */
export function matmul(host: WasmContext, a: NDArray, b: NDArray, options: GemmOptions): NDArray {
  const f32 = a.dtype === 'float32';
  const rank = a.shape.length;
  const m = a.shape[rank - 2];
  const k = a.shape[rank - 1];
  const n = b.shape[b.shape.length - 1];
  const lead = rank === 2 ? [] : a.shape.slice(0, -2);
  const batches = numElements(lead);
  const out = host.empty(rank === 2 ? [m, n] : [...lead, m, n], a.dtype);
  if (out.size === 0) return out;
  const left = matrices(host, a);
  const right = matrices(host, b);
  const joined = b.shape.length === 2 && (batches === 1 || left.batch === m * left.rowStride);
  if (joined) gemm(host, f32, left, right, out, batches * m, n, k, options);
  else batched(host, f32, left, right, out, batches, m, n, k, b.shape.length === 2);
  if (!joined) finish(host, out, options);
  if (left.temporary) left.array.release();
  if (right.temporary) right.array.release();
  return out;
}

/**
 * Whether the left operand has so many exact zeros (pixels, activations) that listing the others is faster. The bits
 * of the product are the same either way.
 */
function worthListing(host: WasmContext, a: NDArray, m: number, n: number, k: number): boolean {
  if (m * n * k < SPARSE_LEAST_WORK || !a.dense) return false;
  const { density_f32, gemm_sparse_pays_f32 } = host.runtime.module.exports;
  if (gemm_sparse_pays_f32(m, n, k, 0) === 0) return false;
  return gemm_sparse_pays_f32(m, n, k, density_f32(host.pointer(a), a.size)) !== 0;
}

function gemm(
  host: WasmContext,
  f32: boolean,
  a: Matrices,
  b: Matrices,
  out: NDArray,
  m: number,
  n: number,
  k: number,
  options: GemmOptions,
): void {
  const { module } = host.runtime;
  if (f32 && worthListing(host, a.array, m, n, k)) {
    sparseGemm(host, a, b, out, m, n, k, options);
    return;
  }
  const columns = n > m;
  const total = columns ? n : m;
  const slice = chunk(host, total, m * n * k, columns ? COLUMN_TILE : ROW_TILE);
  const bytes = (f32 ? module.exports.gemm_scratch_f32 : module.exports.gemm_scratch_f64)(m, n, k);
  const flags = (options.relu ? RELU : 0) | (columns ? SLICE_COLUMNS : 0);
  runWithScratch(
    host,
    f32 ? 'gemm_f32' : 'gemm_f64',
    [
      host.pointer(a.array),
      a.rowStride,
      a.columnStride,
      host.pointer(b.array),
      b.rowStride,
      b.columnStride,
      host.pointer(out),
      n,
      m,
      n,
      k,
      flags,
      options.bias ? host.pointer(options.bias) : 0,
      0,
    ],
    bytes,
    total,
    slice,
  );
}

/** The product by lists, for as many rows of A at a time as `LISTS_BYTES` hold. */
function sparseGemm(
  host: WasmContext,
  a: Matrices,
  b: Matrices,
  out: NDArray,
  m: number,
  n: number,
  k: number,
  options: GemmOptions,
): void {
  const { module, pool } = host.runtime;
  const { sparse_lists_bytes, gemm_sparse_scratch_f32 } = module.exports;
  const threads = pool.plannedThreads;
  const parallel = threads > 1 && chunk(host, m, m * n * k, 1) < m;
  const most = Math.max(LIST_ROWS, Math.floor(LISTS_BYTES / (8 * k) / LIST_ROWS) * LIST_ROWS);
  const own = (gemm_sparse_scratch_f32(Math.min(m, most), n, k) + 63) & ~63;
  const shared = sparse_lists_bytes(Math.min(m, most), k);
  const scratch = host.takeScratch(own + Math.ceil(shared / threads));
  try {
    for (let row = 0; row < m; row += most)
      listAndMultiply(host, a, b, out, row, Math.min(m - row, most), n, k, options, parallel, scratch, own);
  } finally {
    host.returnScratch(scratch);
  }
}

/** Some rows of the product. Of the scratch memory each thread has `own` bytes, and the lists are behind them. */
function listAndMultiply(
  host: WasmContext,
  a: Matrices,
  b: Matrices,
  out: NDArray,
  row: number,
  rows: number,
  n: number,
  k: number,
  { bias, relu }: GemmOptions,
  parallel: boolean,
  scratch: ScratchArea,
  own: number,
): void {
  const { module, pool } = host.runtime;
  const threads = pool.plannedThreads;
  const { pointer } = scratch.block;
  const lists = pointer + own * threads;
  const from = host.pointer(a.array) + 4 * row * a.rowStride;
  const blocks = Math.ceil(rows / LIST_ROWS);
  pool.run(
    'sparse_lists_f32',
    [from, a.rowStride, a.columnStride, rows, k, lists, pointer],
    blocks,
    parallel ? Math.ceil(blocks / threads / CHUNKS_PER_THREAD) : blocks,
    { arg: 6, stride: own },
  );
  const panels = Math.ceil(n / PANEL_COLUMNS);
  const wanted = parallel ? Math.ceil((CHUNKS_PER_THREAD * threads) / panels) : 1;
  const groupRows = Math.max(LEAST_GROUP, Math.ceil(rows / wanted / LIST_ROWS) * LIST_ROWS);
  // What is left of the columns is cut by rows, a part for each thread: one that had all of it would end last.
  const tailRows = Math.ceil(blocks / (parallel ? threads : 1)) * LIST_ROWS;
  const tiles = module.exports.gemm_sparse_tiles_f32(rows, n, groupRows, tailRows);
  pool.run(
    'gemm_sparse_f32',
    [
      from,
      a.rowStride,
      a.columnStride,
      host.pointer(b.array),
      b.rowStride,
      b.columnStride,
      host.pointer(out) + 4 * row * n,
      n,
      rows,
      n,
      k,
      relu ? RELU : 0,
      bias ? host.pointer(bias) : 0,
      lists,
      groupRows,
      tailRows,
      pointer,
    ],
    tiles,
    parallel ? 1 : Math.ceil(tiles / pool.pieces(rows * n * k)),
    { arg: 16, stride: own },
  );
}

function batched(
  host: WasmContext,
  f32: boolean,
  a: Matrices,
  b: Matrices,
  out: NDArray,
  batches: number,
  m: number,
  n: number,
  k: number,
  sharedRight: boolean,
): void {
  const { module } = host.runtime;
  const bytes = (f32 ? module.exports.gemm_scratch_f32 : module.exports.gemm_scratch_f64)(m, n, k);
  runWithScratch(
    host,
    f32 ? 'bmm_f32' : 'bmm_f64',
    [
      host.pointer(a.array),
      a.batch,
      a.rowStride,
      a.columnStride,
      host.pointer(b.array),
      sharedRight ? 0 : b.batch,
      b.rowStride,
      b.columnStride,
      host.pointer(out),
      m,
      n,
      k,
      0,
    ],
    bytes,
    batches,
    chunk(host, batches, batches * m * n * k, 1),
  );
}

const addSpec = { name: 'add', js: (x: number, y: number) => x + y, wgsl: 'a + b' };
const reluSpec = { name: 'relu', js: (x: number) => (x < 0 ? 0 : x), wgsl: 'select(x, 0, x < 0)' };

/** Bias and activation where the product came in batches. */
function finish(host: WasmContext, out: NDArray, { bias, relu }: GemmOptions): void {
  if (bias) host.binary(addSpec, out, bias, out);
  if (relu) host.unary(reluSpec, out, 0, 0, out);
}
