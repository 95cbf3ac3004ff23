// C = A·B: blocking, the choice of a plan from the shape, and the entry points. Every element of C is one sum over
// k in increasing order, whatever the plan, the blocks and the slice [begin, end): the same bits for any number of
// threads and any transposition. (Only products with one row or column, see gemmVector.ts, and float products of a few lines that are
// contiguous along k, see gemmFew.ts, have an order of their own, which depends on the shape and the strides alone.)
import { finish, multiply, Plan, sweep } from './gemmBlocks';
import { Few, lineProducts, rowProducts } from './gemmFew';
import { vectorProduct } from './gemmVector';

/** Flags of the entry points: C is added to; negative results become 0; the slice counts columns instead of rows. */
const ACCUMULATE: i32 = 1;
const RELU: i32 = 2;
const COLUMNS: i32 = 4;

/**
 * Below these sizes of the other dimension an operand is read in place: packing it would not be repaid. It never is where the rows of A
 * are contiguous.
 */
const PACK_A_FROM_COLUMNS: i32 = 96;
const PACK_B_FROM_ROWS: i32 = 13;
/** So much of B is read in place, as it stays in L1 while all rows of A pass by, or in L2 while not so many do. */
const B_IN_L1: i32 = 16384;
const B_IN_L2: i32 = 65536;
const ROWS_BY_L2: i32 = 128;

/** Whether a B of so many bytes, with contiguous rows, is packed for m rows of A. */
function packsB(m: i32, bytes: i32): bool {
  return m >= PACK_B_FROM_ROWS && bytes > (m > ROWS_BY_L2 ? B_IN_L1 : B_IN_L2);
}

/** Bytes of scratch memory, 16-byte aligned, that each slice of `gemm_f32` or `bmm_f32` of this shape needs. */
export function gemm_scratch_f32(m: i32, n: i32, k: i32): i32 {
  return max(Plan.scratch(m, n, k, 4), Few.scratch(m, n, k));
}

/** The same for `gemm_f64` and `bmm_f64`. */
export function gemm_scratch_f64(m: i32, n: i32, k: i32): i32 {
  return Plan.scratch(m, n, k, 8);
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
  } else if (sizeof<T>() == 4 && (Plan.padding(m, 8) > 1 || ac != size) && Few.lines(m, k, br)) {
    lineProducts(b, bc, columns, a, ar, ac, rows, k, c, 4, cr, accumulate, scratch);
  } else if (sizeof<T>() == 4 && Plan.padding(n, 8) > 1 && Few.lines(n, k, ac)) {
    lineProducts(a, ar, rows, b, bc, br, columns, k, c, cr, 4, accumulate, scratch);
  } else if (!accumulate && Plan.sweeps(m, n, rows, columns, k, <i32>size, cr)) {
    sweep<T>(a, ar, ac, b, br, bc, c, cr, rows, columns, k, scratch);
  } else if (sizeof<T>() == 4 && Few.rows(m, k * n, bc)) {
    rowProducts(a, ar, ac, b, br, c, cr, rows, columns, k, accumulate, scratch);
  } else if (Plan.transposed(m, n, 32 / <i32>size) || (br == size && ac == size && Plan.turns(m, n, k))) {
    const packB = ar != size || packsB(n, m * k * <i32>size);
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
      br != size && m >= PACK_A_FROM_COLUMNS,
      packB,
      scratch,
    );
  } else {
    const packB = bc != size || packsB(m, k * n * <i32>size);
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
      ac != size && n >= PACK_A_FROM_COLUMNS,
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
