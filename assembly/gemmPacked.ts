// Products that threads share out finely: any thread can take any few rows (or columns) of C, for which it packs one operand,
// once the other operand is packed as a whole: by all threads together, or by each for itself. So what a slice costs beside its
// sums is little, and a thread that others disturb leaves the rest to them. One block of k at a time; the order of sums is
// that of `gemm`.
import { columnPanel, finish, Plan, packRows } from './gemmBlocks';
import { packPanels } from './gemmPanels';

/** Flags as those of `gemm_f32`. */
const ACCUMULATE: i32 = 1;
const RELU: i32 = 2;
const COLUMNS: i32 = 4;

/** Of C's rows, the height of a row tile: panels of A are as wide, and slices of rows are multiples of it. */
export function gemm_tile_rows(m: i32): i32 {
  return Plan.tileRows(m);
}

/** Before the panels that a thread has packed for itself: whether it has. */
const MARK_BYTES: usize = 64;

/** Bytes for panels of `lines` lines that a thread packs for itself, and the mark before them. */
function ownPanels(lines: i32, width: i32, depth: i32, size: i32): usize {
  const padded = ((lines + width - 1) / width) * width;
  return MARK_BYTES + ((<usize>(padded * depth * size) + 63) & ~63);
}

/**
 * Bytes of scratch memory, 16-byte aligned, that each slice of `gemm_packed_f32` needs for `depth` terms, if its thread packs
 * so many lines in panels of `width` for itself (0: none).
 */
export function gemm_packed_scratch_f32(depth: i32, lines: i32, width: i32): i32 {
  return Plan.packedScratch(depth, 4) + <i32>ownPanels(lines, width, depth, 4);
}

/** The same for `gemm_packed_f64`. */
export function gemm_packed_scratch_f64(depth: i32, lines: i32, width: i32): i32 {
  return Plan.packedScratch(depth, 8) + <i32>ownPanels(lines, width, depth, 8);
}

function pack<T extends number>(
  x: usize,
  step: i32,
  kStep: i32,
  lines: i32,
  depth: i32,
  width: i32,
  panels: usize,
  begin: i32,
  end: i32,
): void {
  const first = begin * width;
  packPanels<T>(
    panels + <usize>first * depth * sizeof<T>(),
    x + <usize>first * step * sizeof<T>(),
    <usize>step * sizeof<T>(),
    <usize>kStep * sizeof<T>(),
    min(lines, end * width) - first,
    depth,
    width,
    Plan.leastLines(width, 32 / sizeof<T>()),
  );
}

/**
 * Packs the panels [begin, end) of some rows of A or columns of B, for `gemm_packed_f32`. Lines are `step` apart and their
 * elements `kStep`; a panel has `width` lines: `gemm_tile_rows` of A, or 8 of B.
 */
export function gemm_pack_f32(
  x: usize,
  step: i32,
  kStep: i32,
  lines: i32,
  depth: i32,
  width: i32,
  panels: usize,
  begin: i32,
  end: i32,
): void {
  pack<f32>(x, step, kStep, lines, depth, width, panels, begin, end);
}

/** The same for `gemm_packed_f64`, where a panel of B has 4 columns. */
export function gemm_pack_f64(
  x: usize,
  step: i32,
  kStep: i32,
  lines: i32,
  depth: i32,
  width: i32,
  panels: usize,
  begin: i32,
  end: i32,
): void {
  pack<f64>(x, step, kStep, lines, depth, width, panels, begin, end);
}

/** A block of rows by a slice of packed columns: of A, `inPlace` rows are read where they lie, the others from panels. */
function rowsByPanels<T extends number>(
  a: usize,
  aRow: usize,
  aCol: usize,
  inPlace: i32,
  panels: usize,
  b: usize,
  c: usize,
  cRow: usize,
  rows: i32,
  columns: i32,
  depth: i32,
  height: i32,
  resume: bool,
  scratch: usize,
): void {
  const lanes: i32 = 32 / sizeof<T>();
  for (let j = 0; j < columns; j += lanes) {
    columnPanel<T>(
      a,
      aRow,
      aCol,
      inPlace,
      panels,
      b + <usize>j * depth * sizeof<T>(),
      32,
      c + <usize>j * sizeof<T>(),
      cRow,
      sizeof<T>(),
      rows,
      min(columns - j, lanes),
      depth,
      height,
      resume,
      scratch,
    );
  }
}

function multiply<T extends number>(
  x: usize,
  step: i32,
  kStep: i32,
  y: usize,
  yStep: i32,
  yK: i32,
  panels: usize,
  c: usize,
  ldc: i32,
  m: i32,
  n: i32,
  depth: i32,
  height: i32,
  flags: i32,
  bias: usize,
  scratch: usize,
  begin: i32,
  end: i32,
): void {
  const size = sizeof<T>();
  const lanes: i32 = 32 / sizeof<T>();
  const resume = (flags & ACCUMULATE) != 0;
  const relu = (flags & RELU) != 0;
  const byColumns = (flags & COLUMNS) != 0;
  const packA = (byColumns ? yK : kStep) != 1;
  if (!panels && (packA || !byColumns)) {
    const lines = byColumns ? m : n;
    const width = byColumns ? height : lanes;
    panels = scratch + MARK_BYTES;
    if (!load<i32>(scratch)) {
      pack<T>(y, yStep, yK, lines, depth, width, panels, 0, (lines + width - 1) / width);
      store<i32>(scratch, 1);
    }
    scratch += ownPanels(lines, width, depth, size);
  }
  const own = (scratch + Plan.TILE_BYTES + 63) & ~63;
  const cRow = <usize>ldc * size;
  const xStep = <usize>step * size;
  const xK = <usize>kStep * size;
  const rowBlock = Plan.rowBlock(height);
  const block = byColumns ? Plan.SLICE_COLUMNS : rowBlock;
  for (; begin < end; begin += block) {
    const some = min(end - begin, block);
    const from = x + <usize>begin * xStep;
    if (byColumns) {
      const to = c + <usize>begin * size;
      const aRow = <usize>yStep * size;
      const edge = own + <usize>(Plan.SLICE_COLUMNS * depth) * size;
      packPanels<T>(own, from, xStep, xK, some, depth, lanes, lanes);
      for (let i = 0; i < m; i += rowBlock) {
        const rows = min(m - i, rowBlock);
        const a = y + <usize>i * aRow;
        const inPlace = packA ? 0 : packRows<T>(edge, a, aRow, size, rows, depth, height, false);
        const packed = packA ? panels + <usize>i * depth * size : edge;
        const at = to + <usize>i * cRow;
        rowsByPanels<T>(
          a,
          aRow,
          size,
          inPlace,
          packed,
          own,
          at,
          cRow,
          rows,
          some,
          depth,
          height,
          resume,
          scratch,
        );
      }
      if (bias || relu) finish<T>(to, cRow, m, some, bias ? bias + <usize>begin * size : 0, relu);
    } else {
      const to = c + <usize>begin * cRow;
      const inPlace = packRows<T>(own, from, xStep, xK, some, depth, height, packA);
      rowsByPanels<T>(
        from,
        xStep,
        xK,
        inPlace,
        own,
        panels,
        to,
        cRow,
        some,
        n,
        depth,
        height,
        resume,
        scratch,
      );
      if (bias || relu) finish<T>(to, cRow, some, n, bias, relu);
    }
  }
}

/**
 * The rows [begin, end) of `C[m,n] = A·B` for `depth` terms, from all panels of B and the rows of A at x; with flag 4 its columns,
 * from all panels of A and the columns of B at x. Lines of x are `step` apart, the elements of a line `kStep`; panels of A are `height`
 * lines wide. Other flags and the bias as of `gemm_f32`: they belong to the last block of k, flag 1 to all but the first.
 * Slices begin at multiples of `height`, or of 8 columns. Where `panels` is 0 the thread packs the lines at y, as far apart as
 * `yStep` and `yK` say, at the head of its scratch memory, unless the word there says that it has: it is 0 before a job. Rows of A whose
 * elements lie next to each other are read in place: then slices of columns need neither panels nor room for them.
 */
export function gemm_packed_f32(
  x: usize,
  step: i32,
  kStep: i32,
  y: usize,
  yStep: i32,
  yK: i32,
  panels: usize,
  c: usize,
  ldc: i32,
  m: i32,
  n: i32,
  depth: i32,
  height: i32,
  flags: i32,
  bias: usize,
  scratch: usize,
  begin: i32,
  end: i32,
): void {
  multiply<f32>(
    x,
    step,
    kStep,
    y,
    yStep,
    yK,
    panels,
    c,
    ldc,
    m,
    n,
    depth,
    height,
    flags,
    bias,
    scratch,
    begin,
    end,
  );
}

/** `gemm_packed_f32` in double precision. */
export function gemm_packed_f64(
  x: usize,
  step: i32,
  kStep: i32,
  y: usize,
  yStep: i32,
  yK: i32,
  panels: usize,
  c: usize,
  ldc: i32,
  m: i32,
  n: i32,
  depth: i32,
  height: i32,
  flags: i32,
  bias: usize,
  scratch: usize,
  begin: i32,
  end: i32,
): void {
  multiply<f64>(
    x,
    step,
    kStep,
    y,
    yStep,
    yK,
    panels,
    c,
    ldc,
    m,
    n,
    depth,
    height,
    flags,
    bias,
    scratch,
    begin,
    end,
  );
}
