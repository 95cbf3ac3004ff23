/** The product that skips exact zeros of its left operand: those that are not are listed, then multiplied. */
import type { NDArray } from '../array.ts';
import type { GemmOptions } from '../backend.ts';
import type { ScratchArea, WasmContext } from './context.ts';
import { sharers } from './kernels.ts';
import { type Matrices, RELU } from './matrices.ts';

/** Multiply-adds below which counting zeros would not be repaid. */
const LEAST_WORK = 64 ** 3;
/** Rows that are listed together, columns of a panel, and the least height of a tile. */
const LIST_ROWS = 32;
const PANEL_COLUMNS = 48;
const LEAST_GROUP = 128;
/** Lists of more rows than fit are made and used one after the other. */
const LISTS_BYTES = 4 * 2 ** 20;
/** So that a thread that is done early, because another one was interrupted, finds something left. */
const CHUNKS_PER_THREAD = 4;

/**
 * Whether the left operand has so many exact zeros (pixels, activations) that listing the others is faster. The bits
 * of the product are the same either way.
 */
export function worthListing(host: WasmContext, a: NDArray, m: number, n: number, k: number): boolean {
  if (m * n * k < LEAST_WORK || !a.dense) return false;
  const { density_f32, gemm_sparse_pays_f32 } = host.runtime.module.exports;
  if (gemm_sparse_pays_f32(m, n, k, 0) === 0) return false;
  return gemm_sparse_pays_f32(m, n, k, density_f32(host.pointer(a), a.size)) !== 0;
}

/** The product by lists, for as many rows of A at a time as `LISTS_BYTES` hold. */
export function sparseGemm(
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
  const parallel = m > 1 && sharers(host, m * n * k) > 1;
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
