// C = A·B for an A with many exact zeros (pictures, activations behind a ReLU): the non-zeros of each row of A are
// listed once (gemmSparseLists.ts), and only their rows of B are read (`gemm_sparse_f32`). The sums are those of the
// dense product in the same order over k, and adding 0·b changes nothing for a finite b, so the bits are those of
// `gemm_f32` of the same binary (the one exception is the sign of a zero: of a sum that underflowed, or of a -0 that C
// held). Where a block of B holds an infinity or NaN, which 0·b must spread, that block is multiplied densely.
//
// Both steps are cut into slices of their own: lists by rows of A, products by columns of C, so that nothing is listed
// or packed twice, and each thread keeps the same columns of a weight from step to step.
import { gemm_scratch_f32 } from './gemm';
import { finish, multiply } from './gemmBlocks';
import { PANEL_PITCH, packPanels } from './gemmPanels';
import { Lists } from './gemmSparseLists';
import {
  sparse_all_finite,
  sparse_pack_panel,
  sparse_pair24,
  sparse_row24,
  sparse_row48,
} from './gemmSparseMicro';

const ACCUMULATE: i32 = 1;
const RELU: i32 = 2;

/** Columns of a panel. */
const WIDTH: i32 = 48;
const HALF: i32 = 24;

/** The share of non-zeros, in percent, up to which lists are faster, and the least shape that repays them. */
const DENSITY_PERCENT: i32 = 60;
const LEAST_COLUMNS: i32 = 48;
const LEAST_ROWS: i32 = 16;
const LEAST_K: i32 = 32;

/** Bytes of scratch memory, 16-byte aligned, that each slice of `sparse_lists_f32` or `gemm_sparse_f32` needs. */
export function gemm_sparse_scratch_f32(m: i32, n: i32, k: i32): i32 {
  const turned = Lists.ROWS * 4 * Lists.pitch(Lists.depth(k));
  const panel = <i32>PANEL_PITCH * (2 + Lists.depth(k));
  return max(max(turned, panel), gemm_scratch_f32(m, n, k));
}

/** Whether `gemm_sparse_f32` beats `gemm_f32` on this shape when A, [m, k], has so many non-zeros. */
export function gemm_sparse_pays_f32(m: i32, n: i32, k: i32, nonZeros: i32): bool {
  if (m < LEAST_ROWS || n < LEAST_COLUMNS || k < LEAST_K) return false;
  return <i64>nonZeros * 100 <= <i64>m * k * DENSITY_PERCENT;
}

/** Into how many tiles of `tailRows` rows the columns of C that fill no panel are cut. */
function countTails(m: i32, n: i32, tailRows: i32): i32 {
  return n % WIDTH ? (m + tailRows - 1) / tailRows : 0;
}

/** Into how many tiles `gemm_sparse_f32` cuts C. */
export function gemm_sparse_tiles_f32(m: i32, n: i32, groupRows: i32, tailRows: i32): i32 {
  return (n / WIDTH) * ((m + groupRows - 1) / groupRows) + countTails(m, n, tailRows);
}

/**
 * `gemm_f32`, arguments and result, for an A whose rows are listed in `area`. C is cut into tiles of 48 columns and
 * `groupRows` rows, counted down the columns, and what columns are left over into tails of `tailRows` rows (both
 * multiples of 32). A slice is a range of tiles. Tails stand at the ends of equal shares of them: as many tails as
 * threads give each thread the same to do, a short tile last.
 */
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
  area: usize,
  groupRows: i32,
  tailRows: i32,
  scratch: usize,
  begin: i32,
  end: i32,
): void {
  const ar = (<usize>aRow) << 2;
  const ac = (<usize>aCol) << 2;
  const br = (<usize>bRow) << 2;
  const bc = (<usize>bCol) << 2;
  const cr = (<usize>ldc) << 2;
  const accumulate = (flags & ACCUMULATE) != 0;
  const relu = (flags & RELU) != 0;
  const groups = (m + groupRows - 1) / groupRows;
  const tails = countTails(m, n, tailRows);
  const tiles = gemm_sparse_tiles_f32(m, n, groupRows, tailRows);
  const depth = Lists.depth(k);
  for (; begin < end; ++begin) {
    const share = (begin * tails) / tiles;
    const tail = ((begin + 1) * tails) / tiles > share;
    const tile = begin - share;
    const column = (tail ? n / WIDTH : tile / groups) * WIDTH;
    const row = tail ? share * tailRows : (tile % groups) * groupRows;
    const width = min(n - column, WIDTH);
    const rows = min(m - row, tail ? tailRows : groupRows);
    const to = c + <usize>row * cr + ((<usize>column) << 2);
    for (let piece = 0, k0 = 0; k0 < k; ++piece, k0 += depth) {
      const length = min(k - k0, depth);
      const from = b + <usize>k0 * br + <usize>column * bc;
      const resume = accumulate || piece > 0;
      if (packPanel(scratch, from, br, bc, width, length)) {
        multiplyLists(area, m, k, piece, row, rows, scratch, to, cr, width, resume);
      } else {
        const block = a + <usize>row * ar + <usize>k0 * ac;
        multiply<f32>(
          block,
          ar,
          ac,
          from,
          br,
          bc,
          to,
          cr,
          4,
          rows,
          width,
          length,
          resume,
          true,
          true,
          scratch,
        );
      }
    }
    if (bias || relu) finish<f32>(to, cr, rows, width, bias ? bias + ((<usize>column) << 2) : 0, relu);
  }
}

/** Packs columns of B, the missing ones of 48 zero, behind room for two edges of C; false if one is not finite. */
function packPanel(scratch: usize, b: usize, bRow: usize, bCol: usize, columns: i32, k: i32): bool {
  const to = scratch + 2 * PANEL_PITCH;
  if (bCol == 4 && columns == WIDTH) return sparse_pack_panel(to, b, bRow, k);
  packPanels<f32>(to, b, bCol, bRow, columns, k, WIDTH, WIDTH);
  return sparse_all_finite(to, <usize>k * PANEL_PITCH);
}

/** One piece of the lists of `rows` rows from `row` on, times the panel in `scratch`. */
function multiplyLists(
  area: usize,
  m: i32,
  k: i32,
  piece: i32,
  row: i32,
  rows: i32,
  scratch: usize,
  c: usize,
  cRow: usize,
  width: i32,
  resume: bool,
): void {
  const panel = scratch + 2 * PANEL_PITCH;
  const half = (<usize>HALF) << 2;
  for (let i = 0; i < rows; i += Lists.ROWS, c += Lists.ROWS * cRow) {
    const block = (row + i) / Lists.ROWS;
    const count = min(rows - i, Lists.ROWS);
    const paired = load<i32>(Lists.paired(area, block));
    const bounds = Lists.bounds(area, m, k, block, piece);
    if (paired) {
      pairsOfRows(bounds, paired, panel, scratch, c, cRow, min(width, HALF), resume);
      if (width > HALF)
        pairsOfRows(bounds, paired, panel + half, scratch, c + half, cRow, width - HALF, resume);
    }
    const single = <usize>paired;
    singleRows(
      bounds + (single << 2),
      count - paired,
      panel,
      scratch,
      c + single * cRow,
      cRow,
      width,
      resume,
    );
  }
}

/** Rows with a list each. */
function singleRows(
  bounds: usize,
  count: i32,
  panel: usize,
  edge: usize,
  c: usize,
  cRow: usize,
  width: i32,
  resume: bool,
): void {
  const bytes = (<usize>width) << 2;
  let list = load<usize>(bounds);
  for (; count > 0; --count, c += cRow) {
    bounds += 4;
    const end = load<usize>(bounds);
    if (width == WIDTH) sparse_row48(list, end, panel, c, resume);
    else {
      if (resume) memory.copy(edge, c, bytes);
      if (width <= HALF) sparse_row24(list, end, panel, edge, resume);
      else sparse_row48(list, end, panel, edge, resume);
      memory.copy(c, edge, bytes);
    }
    list = end;
  }
}

/** Rows that share a list with the next one, over half a panel. */
function pairsOfRows(
  bounds: usize,
  count: i32,
  panel: usize,
  edge: usize,
  c: usize,
  cRow: usize,
  width: i32,
  resume: bool,
): void {
  const bytes = (<usize>width) << 2;
  const below = edge + PANEL_PITCH;
  let list = load<usize>(bounds);
  for (; count > 0; count -= 2, c += 2 * cRow) {
    bounds += 8;
    const end = load<usize>(bounds);
    if (width == HALF) sparse_pair24(list, end, panel, c, c + cRow, resume);
    else {
      if (resume) {
        memory.copy(edge, c, bytes);
        memory.copy(below, c + cRow, bytes);
      }
      sparse_pair24(list, end, panel, edge, below, resume);
      memory.copy(c, edge, bytes);
      memory.copy(c + cRow, below, bytes);
    }
    list = end;
  }
}
