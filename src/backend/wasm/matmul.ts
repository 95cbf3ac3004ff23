/** Matrix products: which kernels take them, whole or in batches, and how they are cut for the threads. */
import { numElements } from '../../core/shape.ts';
import type { NDArray } from '../array.ts';
import type { GemmOptions } from '../backend.ts';
import { addSpec, reluSpec } from '../specs.ts';
import { runWithScratch, type WasmContext } from './context.ts';
import { productChunk } from './kernels.ts';
import { type Matrices, matrices, RELU } from './matrices.ts';
import { packedGemm, worthSharing } from './packedGemm.ts';
import { sparseGemm, worthListing } from './sparseGemm.ts';

const SLICE_COLUMNS = 4;
/** Slices end on multiples of these: rows of equal shares matter more than one padded register tile per slice. */
const ROW_TILE = 2;
const COLUMN_TILE = 8;

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
  if (worthSharing(host, m, n, k)) {
    packedGemm(host, a, b, out, m, n, k, options);
    return;
  }
  const columns = n > m;
  const total = columns ? n : m;
  const tile = columns ? COLUMN_TILE : ROW_TILE;
  const slice = Math.ceil(productChunk(host, total, m * n * k, 1) / tile) * tile;
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
  if (worthSharing(host, m, n, k)) {
    for (let batch = 0; batch < batches; batch++) packedGemm(host, a, b, out, m, n, k, {}, batch);
    return;
  }
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
    productChunk(host, batches, batches * m * n * k),
  );
}

/** Bias and activation where the product came in batches. */
function finish(host: WasmContext, out: NDArray, { bias, relu }: GemmOptions): void {
  if (bias) host.binary(addSpec, out, bias, out);
  if (relu) host.unary(reluSpec, out, 0, 0, out);
}
