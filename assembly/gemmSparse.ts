// C = A·B for an A with many exact zeros (pictures, activations behind a ReLU): the non-zeros of each row of A are
// listed once, and only their rows of B are read. The sums are those of the dense product in the same order over k,
// and adding 0·b changes nothing for a finite b, so the bits are those of `gemm_f32` of the same binary (the one
// exception is the sign of a zero: of a sum that underflowed, or of a -0 that C held). Where a block of B holds an
// infinity or NaN, which 0·b must spread, that block is multiplied densely.
import { gemm_f32, gemm_scratch_f32 } from './gemm';
import { finish, multiply } from './gemmBlocks';
import { pack_transpose4_f32 } from './gemmPack';
import { PANEL_PITCH, packPanels } from './gemmPanels';
import {
  sparse_all_finite,
  sparse_list,
  sparse_list_pair,
  sparse_pack_panel,
  sparse_pair24,
  sparse_row24,
  sparse_row48,
  sparse_shared,
} from './gemmSparseMicro';

const ACCUMULATE: i32 = 1;
const RELU: i32 = 2;
const COLUMNS: i32 = 4;

/** A panel of K_BLOCK rows stays in L1 while the lists of ROW_BLOCK rows pass over it. */
const WIDTH: i32 = 48;
const HALF: i32 = 24;
const K_BLOCK: i32 = 200;
const COLUMN_BLOCK: i32 = 11 * WIDTH;
const ROW_BLOCK: i32 = 128;

/** Non-zeros are counted in this many floats at most, in pieces. */
const SAMPLE: i32 = 16384;
const PIECE: i32 = 64;

/** The share of non-zeros, in percent, up to which lists are faster, and the least shape that repays them. */
const DENSITY_PERCENT: i32 = 60;
const LEAST_COLUMNS: i32 = 48;
const LEAST_ROWS: i32 = 16;
const LEAST_K: i32 = 32;

abstract class Area {
  static depth(k: i32): i32 {
    const blocks = (k + K_BLOCK - 1) / K_BLOCK;
    return blocks == 0 ? 0 : (k + blocks - 1) / blocks;
  }

  /** Floats from one transposed row to the next: a power of two would put all of them into the same cache lines. */
  static pitch(depth: i32): i32 {
    return ((depth + 3) & ~3) + 16;
  }

  static panels(n: i32, depth: i32): i32 {
    return ((min(n, COLUMN_BLOCK) + WIDTH - 1) / WIDTH) * depth * <i32>PANEL_PITCH;
  }

  /** The ends of lists and an edge of C; lists of a block of rows; the rows themselves, transposed. */
  static lists(depth: i32): i32 {
    return ROW_BLOCK * (4 + 8 * (depth + 4) + 4 * Area.pitch(depth)) + <i32>PANEL_PITCH;
  }
}

/** Bytes of scratch memory, 16-byte aligned, that each slice of `gemm_sparse_f32` of this shape needs. */
export function gemm_sparse_scratch_f32(m: i32, n: i32, k: i32): i32 {
  const depth = Area.depth(k);
  return max(gemm_scratch_f32(m, n, k), Area.panels(n, depth) + Area.lists(depth) + 64);
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

/** Whether `gemm_sparse_f32` beats `gemm_f32` on this shape when A, [m, k], has so many non-zeros. */
export function gemm_sparse_pays_f32(m: i32, n: i32, k: i32, nonZeros: i32): bool {
  if (m < LEAST_ROWS || n < LEAST_COLUMNS || k < LEAST_K) return false;
  return <i64>nonZeros * 100 <= <i64>m * k * DENSITY_PERCENT;
}

/** `gemm_f32`, arguments and result, for an A with many zeros; slices of columns each list the whole of A. */
export function gemm_sparse_f32(
  a: usize,
  aRow: i32,
  aCol: i32,
  b: usize,
  bRow: i32,
  bCol: i32,
  c: usize,
  ldc: i32,
  m: i32,
  n: i32,
  k: i32,
  flags: i32,
  bias: usize,
  scratch: usize,
  begin: i32,
  end: i32,
): void {
  if (m == 1 || n == 1 || k <= 0) {
    gemm_f32(a, aRow, aCol, b, bRow, bCol, c, ldc, m, n, k, flags, bias, scratch, begin, end);
    return;
  }
  const ar = (<usize>aRow) << 2;
  const ac = (<usize>aCol) << 2;
  const br = (<usize>bRow) << 2;
  const bc = (<usize>bCol) << 2;
  const cr = (<usize>ldc) << 2;
  let rows = m;
  let columns = n;
  if (flags & COLUMNS) {
    columns = end - begin;
    b += <usize>begin * bc;
    c += (<usize>begin) << 2;
    if (bias) bias += (<usize>begin) << 2;
  } else {
    rows = end - begin;
    a += <usize>begin * ar;
    c += <usize>begin * cr;
  }
  if (rows <= 0 || columns <= 0) return;
  const accumulate = (flags & ACCUMULATE) != 0;
  const most = Area.depth(k);
  for (let j = 0; j < columns; j += COLUMN_BLOCK) {
    const width = min(columns - j, COLUMN_BLOCK);
    for (let k0 = 0; k0 < k; k0 += most) {
      const depth = min(k - k0, most);
      const aBlock = a + <usize>k0 * ac;
      const bBlock = b + <usize>k0 * br + <usize>j * bc;
      const to = c + ((<usize>j) << 2);
      const resume = accumulate || k0 > 0;
      if (packColumns(scratch, bBlock, br, bc, width, depth)) {
        const lists = scratch + Area.panels(width, depth);
        multiplyLists(aBlock, ar, ac, scratch, to, cr, rows, width, depth, resume, lists);
      } else {
        multiply<f32>(
          aBlock,
          ar,
          ac,
          bBlock,
          br,
          bc,
          to,
          cr,
          4,
          rows,
          width,
          depth,
          resume,
          true,
          true,
          scratch,
        );
      }
    }
  }
  const relu = (flags & RELU) != 0;
  if (bias || relu) finish<f32>(c, cr, rows, columns, bias, relu);
}

/** Packs a block of B into panels of 48 columns, the missing ones zero; false as soon as one is not finite. */
function packColumns(to: usize, b: usize, bRow: usize, bCol: usize, columns: i32, k: i32): bool {
  const bytes = <usize>k * PANEL_PITCH;
  for (let j = 0; j < columns; j += WIDTH, to += bytes, b += <usize>WIDTH * bCol) {
    if (bCol == 4 && columns - j >= WIDTH) {
      if (!sparse_pack_panel(to, b, bRow, k)) return false;
    } else {
      packPanels<f32>(to, b, bCol, bRow, min(columns - j, WIDTH), k, WIDTH, WIDTH);
      if (!sparse_all_finite(to, bytes)) return false;
    }
  }
  return true;
}

/** The product of a block of A with packed panels of B, `ROW_BLOCK` rows at a time. */
function multiplyLists(
  a: usize,
  aRow: usize,
  aCol: usize,
  panels: usize,
  c: usize,
  cRow: usize,
  rows: i32,
  columns: i32,
  k: i32,
  resume: bool,
  area: usize,
): void {
  const turned = area + PANEL_PITCH + ROW_BLOCK * (4 + 8 * (<usize>k + 4));
  const pitch = (<usize>Area.pitch(k)) << 2;
  for (let i0 = 0; i0 < rows; i0 += ROW_BLOCK) {
    const count = min(rows - i0, ROW_BLOCK);
    const to = c + <usize>i0 * cRow;
    let from = a + <usize>i0 * aRow;
    if (aCol == 4) {
      singleRows(from, aRow, panels, to, cRow, count, columns, k, resume, area);
      continue;
    }
    transpose(turned, pitch, from, aRow, aCol, count, k);
    from = turned;
    // Rows of a transposed A are often neighbours in a picture, zero in the same places.
    const paired = pairsPay(from, pitch, count, k) ? count & ~1 : 0;
    if (paired) pairsOfRows(from, pitch, panels, to, cRow, paired, columns, k, resume, area);
    const done = <usize>paired;
    singleRows(
      from + done * pitch,
      pitch,
      panels,
      to + done * cRow,
      cRow,
      count - paired,
      columns,
      k,
      resume,
      area,
    );
  }
}

/** Judged by every sixteenth row and its neighbour. */
function pairsPay(rows: usize, pitch: usize, count: i32, k: i32): bool {
  let balance = 0;
  for (let i = 0; i + 1 < count; i += 16) balance += sparse_shared(rows + <usize>i * pitch, pitch, k);
  return balance > 0;
}

/** Up to `ROW_BLOCK` rows, each with a list of its own. */
function singleRows(
  from: usize,
  step: usize,
  panels: usize,
  c: usize,
  cRow: usize,
  count: i32,
  columns: i32,
  k: i32,
  resume: bool,
  area: usize,
): void {
  const edge = area;
  const ends = edge + PANEL_PITCH;
  const lists = ends + 4 * ROW_BLOCK;
  const listBytes = 8 * (<usize>k + 4);
  for (let i = 0; i < count; ++i) {
    store<usize>(ends + (i << 2), sparse_list(lists + <usize>i * listBytes, from + <usize>i * step, k));
  }
  for (let j = 0; j < columns; j += WIDTH) {
    const panel = panels + <usize>j * <usize>k * 4;
    const width = min(columns - j, WIDTH);
    const bytes = (<usize>width) << 2;
    let to = c + ((<usize>j) << 2);
    for (let i = 0; i < count; ++i, to += cRow) {
      const list = lists + <usize>i * listBytes;
      const end = load<usize>(ends + (i << 2));
      if (width == WIDTH) {
        sparse_row48(list, end, panel, to, resume);
        continue;
      }
      if (resume) memory.copy(edge, to, bytes);
      if (width <= HALF) sparse_row24(list, end, panel, edge, resume);
      else sparse_row48(list, end, panel, edge, resume);
      memory.copy(to, edge, bytes);
    }
  }
}

/** An even number of rows, each two with a list of both, over halves of panels. */
function pairsOfRows(
  from: usize,
  step: usize,
  panels: usize,
  c: usize,
  cRow: usize,
  count: i32,
  columns: i32,
  k: i32,
  resume: bool,
  area: usize,
): void {
  const edge = area;
  const half = (<usize>HALF) << 2;
  const ends = edge + PANEL_PITCH;
  const lists = ends + 4 * ROW_BLOCK;
  const listBytes = 12 * (<usize>k + 4);
  const pairs = count >> 1;
  for (let i = 0; i < pairs; ++i) {
    const list = lists + <usize>i * listBytes;
    store<usize>(ends + (i << 2), sparse_list_pair(list, from + <usize>i * 2 * step, step, k));
  }
  for (let j = 0; j < columns; j += HALF) {
    const panel = panels + <usize>(j / WIDTH) * <usize>k * PANEL_PITCH + (j % WIDTH == 0 ? 0 : half);
    const width = min(columns - j, HALF);
    const bytes = (<usize>width) << 2;
    let to = c + ((<usize>j) << 2);
    for (let i = 0; i < pairs; ++i, to += 2 * cRow) {
      const list = lists + <usize>i * listBytes;
      const end = load<usize>(ends + (i << 2));
      if (width == HALF) {
        sparse_pair24(list, end, panel, to, to + cRow, resume);
        continue;
      }
      if (resume) {
        memory.copy(edge, to, bytes);
        memory.copy(edge + half, to + cRow, bytes);
      }
      sparse_pair24(list, end, panel, edge, edge + half, resume);
      memory.copy(to, edge, bytes);
      memory.copy(to + cRow, edge + half, bytes);
    }
  }
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
