// Lists of the non-zeros of a matrix, for the product that reads nothing else of it (gemmSparse.ts): by rows, in pieces
// of k, and how many non-zeros there are.
import { Ahead } from './ahead';
import { pack_transpose4_f32 } from './gemmPack';
import { sparse_list, sparse_list_pair, sparse_shared } from './gemmSparseMicro';

/** The most rows of a panel: what lists leave of them, a fifth or a half, stays in L1 while they pass over it. */
const K_BLOCK: i32 = 400;
const BOUNDS_BYTES: usize = 144;

/** Non-zeros are counted in this many floats at most, in pieces. */
const SAMPLE: i32 = 16384;
const PIECE: i32 = 64;

/**
 * Where lists lie. For each `Lists.ROWS` rows, how many of them are listed in pairs; then, for these rows and each piece of
 * k, where the list of each row begins and ends, and the lists, one behind the other: they are read in this order.
 */
export abstract class Lists {
  /** Rows that are listed together, and in the same manner. */
  static readonly ROWS: i32 = 32;

  static pieces(k: i32): i32 {
    return (k + K_BLOCK - 1) / K_BLOCK;
  }

  /** The length of a piece; the last one may be shorter. */
  static depth(k: i32): i32 {
    const pieces = Lists.pieces(k);
    return pieces == 0 ? 0 : (k + pieces - 1) / pieces;
  }

  static blocks(rows: i32): i32 {
    return (rows + Lists.ROWS - 1) / Lists.ROWS;
  }

  static paired(area: usize, block: i32): usize {
    return area + ((<usize>block) << 2);
  }

  /** Bounds of the lists of a block in a piece: row i has what lies between the i-th and the next, a pair two of these. */
  static bounds(area: usize, rows: i32, k: i32, block: i32, piece: i32): usize {
    const first = (Lists.paired(area, Lists.blocks(rows)) + 15) & ~15;
    return first + <usize>(block * Lists.pieces(k) + piece) * Lists.bytes(k);
  }

  /** Bytes for bounds and lists of a block in a piece: every list may write a little beyond its end. */
  static bytes(k: i32): usize {
    return BOUNDS_BYTES + 8 * Lists.ROWS * (<usize>Lists.depth(k) + 4);
  }

  /** Floats from one transposed row to the next: a power of two would put all of them into the same cache lines. */
  static pitch(depth: i32): i32 {
    return ((depth + 3) & ~3) + 16;
  }
}

/** Bytes for the lists of `rows` rows of `k` floats, shared by all threads. */
export function sparse_lists_bytes(rows: i32, k: i32): i32 {
  return <i32>Lists.bounds(0, rows, k, Lists.blocks(rows), 0) + 64;
}

/** How many of n contiguous floats are not zero: counted up to 16384, estimated from as many spread samples beyond. */
export function density_f32(x: usize, n: i32): i32 {
  if (n <= SAMPLE) return countNonZeros(x, n);
  const pieces = SAMPLE / PIECE;
  const step = <f64>(n - PIECE) / <f64>(pieces - 1);
  let count = 0;
  for (let i = 0; i < pieces; ++i) count += countNonZeros(x + ((<usize>(step * i)) << 2), PIECE);
  return <i32>((<f64>count * <f64>n) / <f64>SAMPLE);
}

function countNonZeros(x: usize, n: i32): i32 {
  let counts = i32x4.splat(0);
  const zero = f32x4.splat(0);
  for (; n >= 4; n -= 4, x += 16) counts = i32x4.sub(counts, f32x4.ne(v128.load(x), zero));
  let count = i32x4.extract_lane(counts, 0) + i32x4.extract_lane(counts, 1);
  count += i32x4.extract_lane(counts, 2) + i32x4.extract_lane(counts, 3);
  for (; n > 0; --n, x += 4) count += i32(load<f32>(x) != 0);
  return count;
}

/** Lists the rows [begin, end) · 32 of A, [rows, k], strides in elements. */
export function sparse_lists_f32(
  a: usize,
  aRow: i32,
  aCol: i32,
  rows: i32,
  k: i32,
  area: usize,
  scratch: usize,
  begin: i32,
  end: i32,
): void {
  const ar = (<usize>aRow) << 2;
  const ac = (<usize>aCol) << 2;
  for (; begin < end; ++begin) {
    const row = begin * Lists.ROWS;
    listBlock(a + <usize>row * ar, ar, ac, min(rows - row, Lists.ROWS), rows, k, area, scratch, begin);
  }
}

/** Lists `count` rows, from the first of `block` on, piece by piece. */
function listBlock(
  a: usize,
  aRow: usize,
  aCol: usize,
  count: i32,
  rows: i32,
  k: i32,
  area: usize,
  scratch: usize,
  block: i32,
): void {
  const depth = Lists.depth(k);
  const turnedPitch = (<usize>Lists.pitch(depth)) << 2;
  let paired = 0;
  for (let piece = 0, k0 = 0; k0 < k; ++piece, k0 += depth) {
    const length = min(k - k0, depth);
    let from = a + <usize>k0 * aCol;
    let step = aRow;
    if (aCol == 4) ask(from, aRow, (<usize>length) << 2, count);
    else {
      if (aRow == 4) ask(from, aCol, (<usize>count) << 2, length);
      transpose(scratch, turnedPitch, from, aRow, aCol, count, length);
      from = scratch;
      step = turnedPitch;
      // Rows of a transposed A are often neighbours in a picture, zero in the same places.
      if (piece == 0 && pairsPay(from, step, count, length)) paired = count & ~1;
    }
    let bound = Lists.bounds(area, rows, k, block, piece);
    let list = bound + BOUNDS_BYTES;
    store<usize>(bound, list);
    for (let i = 0; i < paired; i += 2, bound += 8) {
      list = sparse_list_pair(list, from + <usize>i * step, step, length);
      store<usize>(bound, list, 8);
    }
    for (let i = paired; i < count; ++i, bound += 4) {
      list = sparse_list(list, from + <usize>i * step, length);
      store<usize>(bound, list, 4);
    }
  }
  store<i32>(Lists.paired(area, block), paired);
}

/**
 * Asks for `rows` rows of `bytes` bytes before they are listed (128x784 from outside of L2: 230 to 123 us transposed,
 * 110 to 88 as they are).
 */
function ask(from: usize, pitch: usize, bytes: usize, rows: i32): void {
  for (; rows > 0; --rows, from += pitch) Ahead.ask(from, bytes);
}

/** Judged by every sixteenth row and its neighbour. */
function pairsPay(rows: usize, pitch: usize, count: i32, k: i32): bool {
  let balance = 0;
  for (let i = 0; i + 1 < count; i += 16) balance += sparse_shared(rows + <usize>i * pitch, pitch, k);
  return balance > 0;
}

/** Makes rows of A contiguous. */
function transpose(to: usize, pitch: usize, a: usize, aRow: usize, aCol: usize, rows: i32, k: i32): void {
  let q = 0;
  if (aRow == 4) {
    for (; k - q >= 4; q += 4) pack_transpose4_f32(to + (q << 2), pitch, a + <usize>q * aCol, aCol, rows);
  }
  for (; q < k; ++q) {
    for (let i = 0; i < rows; ++i) {
      store<f32>(to + <usize>i * pitch + (q << 2), load<f32>(a + <usize>i * aRow + <usize>q * aCol));
    }
  }
}
