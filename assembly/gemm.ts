// C = A·B: blocking, the choice of a plan from the shape, and the entry points. Every element of C is one sum over
// k in increasing order, whatever the plan, the blocks and the slice [begin, end): the same bits for any number of
// threads and any transposition. (Only a product with one row or one column, see gemmVector.ts, has its own order.)
//
// Loops: columns of C in steps of COLUMN_BLOCK, k in equal pieces of at most K_BLOCK, rows in steps of ROW_BLOCK,
// then 32-byte column panels over row panels. A row panel and a column panel stay in L1, the block of A in L2.

import {
  gemm_tile4_f32,
  gemm_tile4_f64,
  gemm_tile5_f32,
  gemm_tile5_f64,
  gemm_tile6_f32,
  gemm_tile6_f64,
} from './gemmMicro';
import { packPanels } from './gemmPanels';
import { vectorProduct } from './gemmVector';
import { V } from './lanes';

/** Flags of the entry points: C is added to; negative results become 0; the slice counts columns instead of rows. */
const ACCUMULATE: i32 = 1;
const RELU: i32 = 2;
const COLUMNS: i32 = 4;

const K_BLOCK: i32 = 512;
const ROW_BLOCK: i32 = 240;
const COLUMN_BLOCK: i32 = 1024;
const LEAST_ROWS: i32 = 4;
const TILE_BYTES: i32 = 192;

/** Below these sizes of the other dimension an operand is read in place: packing it would not be repaid. */
const PACK_A_FROM_COLUMNS: i32 = 96;
const PACK_B_FROM_ROWS: i32 = 13;

abstract class Plan {
  /** The height of row tiles: as few tiles as the tallest allows, as equal as possible. */
  // @ts-ignore: decorator
  @inline
  static tileRows(m: i32): i32 {
    const most = V.fused() ? 6 : 5;
    const tiles = (m + most - 1) / most;
    return max(LEAST_ROWS, (m + tiles - 1) / tiles);
  }

  /** Rows that are computed for m rows of C. */
  static paddedRows(m: i32): i32 {
    const rest = m % Plan.tileRows(m);
    return rest == 0 ? m : m - rest + max(rest, LEAST_ROWS);
  }

  /** Whether Cᵀ = Bᵀ·Aᵀ wastes clearly less: 10 columns are two tiles of 5 rows, but one and a quarter panels. */
  static transposed(m: i32, n: i32, lanes: i32): bool {
    const straight = Plan.paddedRows(m) * ((n + lanes - 1) & -lanes);
    const turned = Plan.paddedRows(n) * ((m + lanes - 1) & -lanes);
    return turned + (turned >> 2) <= straight;
  }

  static kBlock(k: i32): i32 {
    const blocks = (k + K_BLOCK - 1) / K_BLOCK;
    return blocks == 0 ? 0 : (k + blocks - 1) / blocks;
  }

  static scratch(m: i32, n: i32, k: i32, size: i32): i32 {
    // Either operand may be the one in rows, and a vector product keeps x (k) and y (m or n) here.
    const rows = min(max(m, n), ROW_BLOCK) + 8;
    const columns = min(max(m, n), COLUMN_BLOCK) + 32;
    const panels = TILE_BYTES + 128 + (rows + columns) * Plan.kBlock(k) * size;
    return m == 1 || n == 1 ? max(panels, (k + k + max(m, n)) * size + 64) : panels;
  }
}

/** Bytes of scratch memory, 16-byte aligned, that each slice of `gemm_f32` or `bmm_f32` of this shape needs. */
export function gemm_scratch_f32(m: i32, n: i32, k: i32): i32 {
  return Plan.scratch(m, n, k, 4);
}

/** The same for `gemm_f64` and `bmm_f64`. */
export function gemm_scratch_f64(m: i32, n: i32, k: i32): i32 {
  return Plan.scratch(m, n, k, 8);
}

/**
 * C = A·B by blocks, strides in bytes. Operands with `packA`, `packB` off are read in place, but for the tiles at
 * their edge; B can only be read in place where its rows are contiguous.
 */
function multiply<T extends number>(
  a: usize,
  aRow: usize,
  aCol: usize,
  b: usize,
  bRow: usize,
  bCol: usize,
  c: usize,
  cRow: usize,
  cCol: usize,
  m: i32,
  n: i32,
  k: i32,
  accumulate: bool,
  packA: bool,
  packB: bool,
  scratch: usize,
): void {
  const lanes: i32 = 32 / sizeof<T>();
  const height = Plan.tileRows(m);
  const rowBlock = (ROW_BLOCK / height) * height;
  const depthMost = Plan.kBlock(k);
  const aPanels = (scratch + TILE_BYTES + 63) & ~63;
  const bPanels = (aPanels + <usize>(min(m, rowBlock) + LEAST_ROWS) * depthMost * sizeof<T>() + 63) & ~63;
  for (let j0 = 0; j0 < n; j0 += COLUMN_BLOCK) {
    const columns = min(n - j0, COLUMN_BLOCK);
    const bInPlace = packB ? 0 : columns & -lanes;
    for (let k0 = 0; k0 < k; k0 += depthMost) {
      const depth = min(k - k0, depthMost);
      const bBlock = b + <usize>k0 * bRow + <usize>j0 * bCol;
      if (bInPlace < columns) {
        packPanels<T>(
          bPanels,
          bBlock + <usize>bInPlace * bCol,
          bCol,
          bRow,
          columns - bInPlace,
          depth,
          lanes,
          lanes,
        );
      }
      for (let i0 = 0; i0 < m; i0 += rowBlock) {
        const rows = min(m - i0, rowBlock);
        const edge = rows % height;
        const aInPlace = packA ? 0 : edge >= LEAST_ROWS ? rows : rows - edge;
        const aBlock = a + <usize>i0 * aRow + <usize>k0 * aCol;
        if (aInPlace < rows) {
          packPanels<T>(
            aPanels,
            aBlock + <usize>aInPlace * aRow,
            aRow,
            aCol,
            rows - aInPlace,
            depth,
            height,
            LEAST_ROWS,
          );
        }
        const cBlock = c + <usize>i0 * cRow + <usize>j0 * cCol;
        const resume = accumulate || k0 > 0;
        for (let j = 0; j < columns; j += lanes) {
          const inPlace = j < bInPlace;
          const bPanel = inPlace
            ? bBlock + <usize>j * bCol
            : bPanels + <usize>(j - bInPlace) * depth * sizeof<T>();
          const width = min(columns - j, lanes);
          const bStep = inPlace ? bRow : 32;
          columnPanel<T>(
            aBlock,
            aRow,
            aCol,
            aInPlace,
            aPanels,
            bPanel,
            bStep,
            cBlock + <usize>j * cCol,
            cRow,
            cCol,
            rows,
            width,
            depth,
            height,
            resume,
            scratch,
          );
        }
      }
    }
  }
}

/** One column panel of B against all row panels of a block of A. */
function columnPanel<T extends number>(
  a: usize,
  aRow: usize,
  aCol: usize,
  aInPlace: i32,
  aPanels: usize,
  b: usize,
  bRow: usize,
  c: usize,
  cRow: usize,
  cCol: usize,
  rows: i32,
  width: i32,
  depth: i32,
  height: i32,
  resume: bool,
  scratch: usize,
): void {
  const direct = cCol == sizeof<T>() && width * <i32>sizeof<T>() == 32;
  for (let i = 0; i < rows; i += height) {
    const valid = min(rows - i, height);
    const tall = max(valid, LEAST_ROWS);
    const inPlace = i < aInPlace;
    const panel = inPlace ? a + <usize>i * aRow : aPanels + <usize>(i - aInPlace) * depth * sizeof<T>();
    const row = inPlace ? aRow : sizeof<T>();
    const step = inPlace ? aCol : <usize>tall * sizeof<T>();
    const to = c + <usize>i * cRow;
    if (direct && valid == tall) {
      tile<T>(tall, depth, panel, row, step, b, bRow, to, cRow, resume);
    } else {
      if (resume) copyTile<T>(scratch, 32, sizeof<T>(), to, cRow, cCol, valid, width);
      tile<T>(tall, depth, panel, row, step, b, bRow, scratch, 32, resume);
      copyTile<T>(to, cRow, cCol, scratch, 32, sizeof<T>(), valid, width);
    }
  }
}

function tile<T extends number>(
  height: i32,
  k: i32,
  a: usize,
  aRow: usize,
  aCol: usize,
  b: usize,
  bRow: usize,
  c: usize,
  cRow: usize,
  resume: bool,
): void {
  if (sizeof<T>() == 4) {
    if (height == 4) gemm_tile4_f32(k, a, aRow, aCol, b, bRow, c, cRow, resume);
    else if (height == 5) gemm_tile5_f32(k, a, aRow, aCol, b, bRow, c, cRow, resume);
    else gemm_tile6_f32(k, a, aRow, aCol, b, bRow, c, cRow, resume);
  } else {
    if (height == 4) gemm_tile4_f64(k, a, aRow, aCol, b, bRow, c, cRow, resume);
    else if (height == 5) gemm_tile5_f64(k, a, aRow, aCol, b, bRow, c, cRow, resume);
    else gemm_tile6_f64(k, a, aRow, aCol, b, bRow, c, cRow, resume);
  }
}

function copyTile<T extends number>(
  to: usize,
  toRow: usize,
  toCol: usize,
  from: usize,
  fromRow: usize,
  fromCol: usize,
  rows: i32,
  columns: i32,
): void {
  for (; rows > 0; --rows, to += toRow, from += fromRow) {
    let p = to;
    let q = from;
    for (let j = columns; j > 0; --j, p += toCol, q += fromCol) store<T>(p, load<T>(q));
  }
}

/** What happens once per element after its sum is complete: + bias of its column, then negative values to 0. */
function finish<T extends number>(
  c: usize,
  cRow: usize,
  rows: i32,
  columns: i32,
  bias: usize,
  relu: bool,
): void {
  const pairs = columns & -(16 / <i32>sizeof<T>());
  const zero = i64x2.splat(0);
  for (; rows > 0; --rows, c += cRow) {
    let p = c;
    let q = bias;
    let j = 0;
    for (; j < pairs; j += 16 / sizeof<T>(), p += 16, q += 16) {
      let x = v128.load(p);
      if (bias) x = v128.add<T>(x, v128.load(q));
      if (relu) x = v128.pmax<T>(x, zero);
      v128.store(p, x);
    }
    for (; j < columns; ++j, p += sizeof<T>(), q += sizeof<T>()) {
      let x = load<T>(p);
      if (bias) x = (x + load<T>(q)) as T;
      if (relu && x < 0) x = 0 as T;
      store<T>(p, x);
    }
  }
}

/** The product of one slice; strides in elements, see `gemm_f32`. The plan depends on the whole shape only. */
function gemm<T extends number>(
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
  const size = sizeof<T>();
  const ar = <usize>aRow * size;
  const ac = <usize>aCol * size;
  const br = <usize>bRow * size;
  const bc = <usize>bCol * size;
  const cr = <usize>ldc * size;
  let rows = m;
  let columns = n;
  if (flags & COLUMNS) {
    columns = end - begin;
    b += <usize>begin * bc;
    c += <usize>begin * size;
    if (bias) bias += <usize>begin * size;
  } else {
    rows = end - begin;
    a += <usize>begin * ar;
    c += <usize>begin * cr;
  }
  if (rows <= 0 || columns <= 0) return;
  const accumulate = (flags & ACCUMULATE) != 0;
  if (k <= 0) {
    if (!accumulate) for (let i = 0; i < rows; ++i) memory.fill(c + <usize>i * cr, 0, <usize>columns * size);
  } else if (n == 1) {
    vectorProduct<T>(a, ar, ac, b, br, c, cr, rows, k, accumulate, scratch);
  } else if (m == 1) {
    vectorProduct<T>(b, bc, br, a, ac, c, size, columns, k, accumulate, scratch);
  } else if (Plan.transposed(m, n, 32 / <i32>size)) {
    const packB = ar != size || n >= PACK_B_FROM_ROWS;
    multiply<T>(
      b,
      bc,
      br,
      a,
      ac,
      ar,
      c,
      size,
      cr,
      columns,
      rows,
      k,
      accumulate,
      m >= PACK_A_FROM_COLUMNS,
      packB,
      scratch,
    );
  } else {
    const packB = bc != size || m >= PACK_B_FROM_ROWS;
    multiply<T>(
      a,
      ar,
      ac,
      b,
      br,
      bc,
      c,
      cr,
      size,
      rows,
      columns,
      k,
      accumulate,
      n >= PACK_A_FROM_COLUMNS,
      packB,
      scratch,
    );
  }
  const relu = (flags & RELU) != 0;
  if (bias || relu) finish<T>(c, cr, rows, columns, bias, relu);
}

/**
 * C[m,n] = A[m,k]·B[k,n], for the rows (flag 4: the columns) [begin, end) of C. Strides are in elements and may be
 * any; rows of C are contiguous, `ldc` apart. Flags: 1 adds to C, 2 sets negative results to 0, 4 slices columns.
 * `bias`, unless 0, holds n values that are added to every row. Each slice brings its own scratch memory. m, n or k
 * may be 0. NaN and infinity spread as in a triple loop.
 */
export function gemm_f32(
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
  gemm<f32>(a, aRow, aCol, b, bRow, bCol, c, ldc, m, n, k, flags, bias, scratch, begin, end);
}

/** `gemm_f32` in double precision. */
export function gemm_f64(
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
  gemm<f64>(a, aRow, aCol, b, bRow, bCol, c, ldc, m, n, k, flags, bias, scratch, begin, end);
}

function bmm<T extends number>(
  a: usize,
  aBatch: i32,
  aRow: i32,
  aCol: i32,
  b: usize,
  bBatch: i32,
  bRow: i32,
  bCol: i32,
  c: usize,
  m: i32,
  n: i32,
  k: i32,
  scratch: usize,
  begin: i32,
  end: i32,
): void {
  const size = sizeof<T>();
  a += <usize>begin * aBatch * size;
  b += <usize>begin * bBatch * size;
  c += <usize>begin * m * n * size;
  for (; begin < end; ++begin) {
    gemm<T>(a, aRow, aCol, b, bRow, bCol, c, n, m, n, k, 0, 0, scratch, 0, m);
    a += <usize>aBatch * size;
    b += <usize>bBatch * size;
    c += <usize>m * n * size;
  }
}

/** One product per batch [begin, end): C is contiguous [batch, m, n]; batch strides, in elements, may be 0. */
export function bmm_f32(
  a: usize,
  aBatch: i32,
  aRow: i32,
  aCol: i32,
  b: usize,
  bBatch: i32,
  bRow: i32,
  bCol: i32,
  c: usize,
  m: i32,
  n: i32,
  k: i32,
  scratch: usize,
  begin: i32,
  end: i32,
): void {
  bmm<f32>(a, aBatch, aRow, aCol, b, bBatch, bRow, bCol, c, m, n, k, scratch, begin, end);
}

/** `bmm_f32` in double precision. */
export function bmm_f64(
  a: usize,
  aBatch: i32,
  aRow: i32,
  aCol: i32,
  b: usize,
  bBatch: i32,
  bRow: i32,
  bCol: i32,
  c: usize,
  m: i32,
  n: i32,
  k: i32,
  scratch: usize,
  begin: i32,
  end: i32,
): void {
  bmm<f64>(a, aBatch, aRow, aCol, b, bBatch, bRow, bCol, c, m, n, k, scratch, begin, end);
}
