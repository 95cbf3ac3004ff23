/**
 * Rows of doubles against a vector: what decompositions of matrices spend their time with. All operands are places in one
 * memory, in elements; rows are `count` stretches of n elements, `stride` elements apart, and must not overlap what is read.
 */
export interface RowMath {
  /** What `body` makes with a memory that begins with `length` zeros, which is taken back then: no calls within calls. */
  lend<R>(length: number, body: (m: Float64Array) => R): R;
  /** out_i = x_i · v. */
  dots(m: Float64Array, x: number, stride: number, v: number, out: number, n: number, count: number): void;
  /** y −= Σ c_i · x_i, where the c_i are `step` elements apart. */
  takeSum: RowUpdate;
  /** x_i −= c_i · y, where the c_i are `step` elements apart. */
  takeEach: RowUpdate;
  /**
   * Turns `count` pairs of neighbouring rows, one after the other from the first on, by c and s in `cs`: x and y become
   * c·x + s·y and c·y − s·x. The rows lie without gaps.
   */
  rotate(m: Float64Array, x: number, n: number, cs: number, count: number): void;
}

type RowUpdate = (
  m: Float64Array,
  x: number,
  stride: number,
  c: number,
  step: number,
  y: number,
  n: number,
  count: number,
) => void;

/** Turns the rows at x and y: they become c·x + s·y and c·y − s·x. */
export function turnRows(m: Float64Array, n: number, x: number, y: number, c: number, s: number): void {
  for (let j = 0; j < n; j++) {
    const a = m[x + j];
    const b = m[y + j];
    m[x + j] = c * a + s * b;
    m[y + j] = c * b - s * a;
  }
}
