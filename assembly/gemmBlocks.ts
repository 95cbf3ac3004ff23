// The blocked matrix product: the plan that a shape gets, the loops over blocks and panels, and what is done to C
// once its sums are complete.
//
// Loops: columns of C in steps of COLUMN_BLOCK, k in equal pieces of about K_BLOCK, rows in steps of ROW_BLOCK,
// then 32-byte column panels over row panels. A column panel stays in L1, the block of A in L2, and so do the rows of C that
// belong to it: each of their cache lines is half of two column panels, and a page of memory of its own where rows are long.
import { Ahead } from './ahead';
import {
  gemm_tile4_f32,
  gemm_tile4_f64,
  gemm_tile5_f32,
  gemm_tile5_f64,
  gemm_tile6_f32,
  gemm_tile6_f64,
} from './gemmMicro';
import { packPanels } from './gemmPanels';
import { few_terms_f32, few_terms_f64 } from './gemmSmall';
import { V } from './lanes';

const K_BLOCK: i32 = 512;
const ROW_BLOCK: i32 = 60;
const COLUMN_BLOCK: i32 = 1024;
const LEAST_ROWS: i32 = 4;
/** So few terms are summed faster than an operand is packed; all rows of a B of this size pass by in L2. */
const FEW_TERMS: i32 = 32;
/** The same where the last columns are no whole panel, which blocks of C would take through scratch memory. */
const FEW_TERMS_ODD: i32 = 160;
/** With so few, rows of C are written from end to end: no tile repays its call. */
const BY_ROWS: i32 = 4;
/** With these the transposed product saves less than storing its tiles costs. */
const FEWEST_TERMS: i32 = 16;
/**
 * Rows of C that begin anywhere in a cache line are stored across lines, each of which a cold C makes the processor wait for.
 * If they are so many bytes long, the lines of a row tile are read first, all at once.
 */
const LEAST_ASKED: usize = 384;
const MOST_ASKED: usize = 2080;
const SWEPT_BYTES: i32 = 65536;

export abstract class Plan {
  /** What a tile takes that is not stored where it belongs. */
  static readonly TILE_BYTES: i32 = 192;
  /** Columns of B that a slice of `gemm_packed_f32` packs at a time: they stay in L2 while all of A passes by. */
  static readonly SLICE_COLUMNS: i32 = 64;

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

  /** Columns that are computed beyond n. */
  // @ts-ignore: decorator
  @inline
  static padding(n: i32, lanes: i32): i32 {
    return -n & (lanes - 1);
  }

  /** Whether Cᵀ = Bᵀ·Aᵀ wastes clearly less: 10 columns are two tiles of 5 rows, but one and a quarter panels. */
  static transposed(m: i32, n: i32, lanes: i32): bool {
    const straight = Plan.paddedRows(m) * ((n + lanes - 1) & -lanes);
    const turned = Plan.paddedRows(n) * ((m + lanes - 1) & -lanes);
    return turned + (turned >> 2) <= straight;
  }

  /**
   * Whether Cᵀ = Bᵀ·Aᵀ is faster for operands that are contiguous along k: it reads the many columns of B in place, as rows, and packs
   * the few rows of A instead, but stores its tiles element by element for each block of k, which takes twice as long as packing.
   */
  static turns(m: i32, n: i32, k: i32): bool {
    const blocks = (k + Plan.kBlock(k) - 1) / Plan.kBlock(k);
    return <i64>k * <i64>(n - m) > 2 * <i64>blocks * <i64>m * <i64>n;
  }

  /** Whether `sweep` takes a slice of a product that is added to nothing. */
  static sweeps(m: i32, n: i32, rows: i32, columns: i32, k: i32, size: i32, cRow: usize): bool {
    if (rows < LEAST_ROWS || columns <= LEAST_ROWS || columns > COLUMN_BLOCK) return false;
    // Behind the ends of narrow rows must be nobody else's.
    if (columns * size < 32 && cRow != columns * size) return false;
    const most = columns % (32 / size) == 0 ? FEW_TERMS : FEW_TERMS_ODD;
    if (k > most || k * columns * size > SWEPT_BYTES) return false;
    return k <= FEWEST_TERMS || !Plan.transposed(m, n, 32 / size);
  }

  /** Rows of A that are packed at a time: they stay in L2 while all of B passes by. */
  static rowBlock(height: i32): i32 {
    return (ROW_BLOCK / height) * height;
  }

  /** The lines that the last panel has at least: of B all, of A as many as the lowest tile. */
  static leastLines(width: i32, lanes: i32): i32 {
    return width == lanes ? lanes : LEAST_ROWS;
  }

  /** Half as many again as K_BLOCK at most: to read C once more costs more than a panel that L1 does not hold whole. */
  static kBlock(k: i32): i32 {
    const blocks = max(1, (k + K_BLOCK / 2 - 1) / K_BLOCK);
    return (k + blocks - 1) / blocks;
  }

  static scratch(m: i32, n: i32, k: i32, size: i32): i32 {
    // Either operand may be the one in rows, and a vector product keeps x (k) and y (m or n) here.
    const rows = min(max(m, n), ROW_BLOCK) + 8;
    const columns = min(max(m, n), COLUMN_BLOCK) + 32;
    const panels = Plan.TILE_BYTES + 128 + (rows + columns) * Plan.kBlock(k) * size;
    return m == 1 || n == 1 ? max(panels, (k + k + max(m, n)) * size + 64) : panels;
  }

  static packedScratch(depth: i32, size: i32): i32 {
    return Plan.TILE_BYTES + 64 + (max(ROW_BLOCK, Plan.SLICE_COLUMNS) + LEAST_ROWS) * depth * size;
  }
}

/**
 * C = A·B by blocks, strides in bytes. Operands with `packA`, `packB` off are read in place, but for the tiles at
 * their edge; B can only be read in place where its rows are contiguous.
 */
export function multiply<T extends number>(
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
  const rowBlock = Plan.rowBlock(height);
  const depthMost = Plan.kBlock(k);
  const aPanels = (scratch + Plan.TILE_BYTES + 63) & ~63;
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
        const aBlock = a + <usize>i0 * aRow + <usize>k0 * aCol;
        const aInPlace = packRows<T>(aPanels, aBlock, aRow, aCol, rows, depth, height, packA);
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

/**
 * Packs a block of rows of A; without `all` only a tile at its end that is lower than any, as the others are read in place. Returns
 * how many rows are.
 */
export function packRows<T extends number>(
  panels: usize,
  a: usize,
  aRow: usize,
  aCol: usize,
  rows: i32,
  depth: i32,
  height: i32,
  all: bool,
): i32 {
  const edge = rows % height;
  const inPlace = all ? 0 : edge >= LEAST_ROWS ? rows : rows - edge;
  if (inPlace < rows) {
    const from = a + <usize>inPlace * aRow;
    packPanels<T>(panels, from, aRow, aCol, rows - inPlace, depth, height, LEAST_ROWS);
  }
  return inPlace;
}

/**
 * C = A·B of few terms, where calls and edges would cost more than the sums: a row tile goes along all of B, A is read in
 * place, and the last tiles reach back over rows and columns that are there already. At least LEAST_ROWS rows. Where C is
 * narrower than a panel, rows are written as wide as a panel, each over what the one before left behind its end.
 */
export function sweep<T extends number>(
  a: usize,
  aRow: usize,
  aCol: usize,
  b: usize,
  bRow: usize,
  bCol: usize,
  c: usize,
  cRow: usize,
  m: i32,
  n: i32,
  k: i32,
  scratch: usize,
): void {
  const lanes: i32 = 32 / sizeof<T>();
  const narrow = n < lanes;
  if (k <= BY_ROWS && !narrow && bCol == sizeof<T>()) {
    if (sizeof<T>() == 4) few_terms_f32(k, a, aRow, aCol, b, bRow, c, cRow, m, n);
    else few_terms_f64(k, a, aRow, aCol, b, bRow, c, cRow, m, n);
    return;
  }
  const last = narrow ? 0 : <usize>(n - lanes);
  const panels = narrow ? 1 : n / lanes;
  let lastPanel = b + last * bCol;
  let step: usize = 32;
  if (narrow || bCol != sizeof<T>()) {
    const packed = (scratch + Plan.TILE_BYTES + 63) & ~63;
    step = (<usize>k) << 5;
    packPanels<T>(packed, b, bCol, bRow, narrow ? n : panels * lanes, k, lanes, lanes);
    if (!narrow) packPanels<T>(packed + <usize>panels * step, lastPanel, bCol, bRow, lanes, k, lanes, lanes);
    b = packed;
    bRow = 32;
    lastPanel = packed + <usize>panels * step;
  }
  const askFirst = k <= FEWEST_TERMS && (cRow & 15) != 0 && cRow >= LEAST_ASKED && cRow <= MOST_ASKED;
  const height = Plan.tileRows(m);
  for (let i = 0; i < m; i += height) {
    const tall = max(LEAST_ROWS, min(height, m - i));
    const top = <usize>min(i, m - tall);
    const from = a + top * aRow;
    const to = c + top * cRow;
    if (narrow && i + height >= m) {
      tile<T>(tall, k, from, aRow, aCol, b, bRow, scratch, 32, false);
      copyTile<T>(to, cRow, sizeof<T>(), scratch, 32, sizeof<T>(), tall, n);
      return;
    }
    if (askFirst) Ahead.ask(to, <usize>tall * cRow);
    let panel = b;
    let at = to;
    for (let j = panels; j > 0; --j, panel += step, at += 32) {
      tile<T>(tall, k, from, aRow, aCol, panel, bRow, at, cRow, false);
    }
    if (panels * lanes < n)
      tile<T>(tall, k, from, aRow, aCol, lastPanel, bRow, to + last * sizeof<T>(), cRow, false);
  }
}

/** One column panel of B against all row panels of a block of A. */
export function columnPanel<T extends number>(
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
export function finish<T extends number>(
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
