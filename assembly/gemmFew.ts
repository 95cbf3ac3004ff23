// Float products of a few rows or columns, whose time goes into reading the other operand: it is read once, where it lies, in its
// own order. Where it is contiguous along k each result is a sum of products of two lines (gemmDots.ts: an order of its own, fixed by
// k alone). Where its rows are contiguous, results are sums over k in order, a few terms of all columns at a time.
import { dots_4x2_f32 } from './gemmDots';
import { add_four_rows_to_two_f32, add_scaled_rows_f32 } from './gemmSmall';

/** So many rows, or columns, are few: listing zeros pays from more on, so that the order of sums depends on the shape only. */
const MOST: i32 = 12;
/** With more rows tiles are as fast, though each of their columns is read across all rows of B. */
const MOST_ROWS: i32 = 4;
/** With fewer terms for each of them tiles are faster. */
const LEAST_TERMS: i32 = 16;
/** So much of B stays in L1 while all rows pass by. */
const LEAST_ELEMENTS: i32 = 4096;
/** What `dots_4x2_f32` leaves. */
const SUMS_BYTES: usize = 128;
/** Bytes of a row of results that `rowProducts` has in hand at a time: they stay in L1 with the same part of four rows of B. */
const ROW_BYTES: i32 = 2048;
const K_STEP: i32 = 4;

export abstract class Few {
  /** Whether `lineProducts` takes a product of so few lines with others that have this step along k, in bytes. */
  static lines(lines: i32, k: i32, kStep: usize): bool {
    return lines <= MOST && k >= lines * LEAST_TERMS && kStep == 4;
  }

  /** Whether `rowProducts` takes a product of m rows with a B of so many elements, whose columns have this step. */
  static rows(m: i32, elements: i32, step: usize): bool {
    return m <= MOST_ROWS && elements > LEAST_ELEMENTS && step == 4;
  }

  static scratch(m: i32, n: i32, k: i32): i32 {
    const lines = min(m, n);
    return lines > MOST ? 0 : <i32>SUMS_BYTES + 64 + max(4 * lines * k, MOST_ROWS * ROW_BYTES);
  }
}

/**
 * C = A·B, or C + A·B, for few rows of A and a B with contiguous rows, of which four pass by all rows of results at a time. These
 * are in scratch memory: C has cache lines in which another thread has its results.
 */
export function rowProducts(
  a: usize,
  aRow: usize,
  aCol: usize,
  b: usize,
  bRow: usize,
  c: usize,
  cRow: usize,
  rows: i32,
  columns: i32,
  k: i32,
  accumulate: bool,
  scratch: usize,
): void {
  const width = ROW_BYTES / 4;
  const results = (scratch + 63) & ~63;
  for (; columns > 0; columns -= width, b += ROW_BYTES, c += ROW_BYTES) {
    const some = min(columns, width);
    const bytes = <usize>some * 4;
    if (accumulate) copyRows(results, ROW_BYTES, c, cRow, rows, bytes);
    else memory.fill(results, 0, <usize>rows * ROW_BYTES);
    let from = b;
    let x = a;
    for (let q = k; q > 0; q -= K_STEP, from += K_STEP * bRow, x += K_STEP * aCol) {
      const terms = min(q, K_STEP);
      let row = x;
      let y = results;
      for (let i = rows; i > 0; i -= 2, row += 2 * aRow, y += 2 * ROW_BYTES) {
        if (i > 1 && terms == K_STEP) {
          add_four_rows_to_two_f32(from, bRow, row, row + aRow, aCol, y, y + ROW_BYTES, some);
          continue;
        }
        add_scaled_rows_f32(from, bRow, row, aCol, y, some, terms);
        if (i > 1) add_scaled_rows_f32(from, bRow, row + aRow, aCol, y + ROW_BYTES, some, terms);
      }
    }
    copyRows(c, cRow, results, ROW_BYTES, rows, bytes);
  }
}

function copyRows(to: usize, toRow: usize, from: usize, fromRow: usize, rows: i32, bytes: usize): void {
  for (; rows > 0; --rows, to += toRow, from += fromRow) memory.copy(to, from, bytes);
}

/**
 * C = X·Yᵀ, or C + X·Yᵀ, for many lines of X, contiguous along k, and few of Y, which are copied if they are not. Strides in
 * bytes: `cLine` between the results of neighbouring lines of X, `cFew` of Y.
 */
export function lineProducts(
  x: usize,
  xStep: usize,
  lines: i32,
  y: usize,
  yStep: usize,
  yK: usize,
  few: i32,
  k: i32,
  c: usize,
  cLine: usize,
  cFew: usize,
  accumulate: bool,
  scratch: usize,
): void {
  if (yK != 4) {
    const copy = (scratch + SUMS_BYTES + 15) & ~15;
    copyLines(copy, y, yStep, yK, few, k);
    y = copy;
    yStep = <usize>k * 4;
  }
  for (let i = 0; i < lines; i += 4) {
    const rest = min(lines - i, 4);
    const x0 = x + <usize>i * xStep;
    const x1 = rest > 1 ? x0 + xStep : x0;
    const x2 = rest > 2 ? x1 + xStep : x1;
    const x3 = rest > 3 ? x2 + xStep : x2;
    const to = c + <usize>i * cLine;
    for (let j = 0; j < few; j += 2) {
      const y0 = y + <usize>j * yStep;
      const pair = j + 1 < few;
      const y1 = pair ? y0 + yStep : y0;
      dots_4x2_f32(x0, x1, x2, x3, y0, y1, k, scratch);
      const at = to + <usize>j * cFew;
      addLanes(scratch, rest, at, cLine, accumulate);
      if (pair) addLanes(scratch + 64, rest, at + cFew, cLine, accumulate);
    }
  }
}

function copyLines(to: usize, from: usize, step: usize, kStep: usize, lines: i32, k: i32): void {
  for (; lines > 0; --lines, from += step) {
    let p = from;
    for (let i = k; i > 0; --i, p += kStep, to += 4) store<f32>(to, load<f32>(p));
  }
}

/** Up to four sums from their lanes. */
function addLanes(sums: usize, count: i32, c: usize, cLine: usize, accumulate: bool): void {
  for (; count > 0; --count, sums += 16, c += cLine) {
    const sum = load<f32>(sums) + load<f32>(sums, 4) + (load<f32>(sums, 8) + load<f32>(sums, 12));
    store<f32>(c, accumulate ? load<f32>(c) + sum : sum);
  }
}
