/** Orthonormal bases of the rows or columns of a matrix, in double precision. */

/**
 * The factor Q of the QR decomposition of a row-major matrix whose R has a positive diagonal: orthonormal columns. A
 * matrix with more columns than rows gets orthonormal rows, as if decomposed transposed.
 */
export function orthonormal(matrix: Float64Array, rows: number, columns: number): Float64Array {
  if (rows < columns) {
    const out = matrix.slice();
    orthonormalize(out, rows);
    return out;
  }
  const turned = transposed(matrix, rows, columns);
  orthonormalize(turned, columns);
  return transposed(turned, columns, rows);
}

/**
 * Gram and Schmidt's procedure on the rows, in place. Each projection is taken out twice, which keeps the rows
 * orthogonal to machine precision.
 */
function orthonormalize(matrix: Float64Array, rows: number): void {
  const width = matrix.length / rows;
  const vectors = Array.from({ length: rows }, (_, i) => matrix.subarray(i * width, (i + 1) * width));
  vectors.forEach((vector, k) => {
    for (let pass = 0; pass < 2; pass++) {
      for (let i = 0; i < k; i++) {
        const basis = vectors[i];
        const share = dot(vector, basis);
        for (let j = 0; j < width; j++) vector[j] -= share * basis[j];
      }
    }
    const norm = Math.sqrt(dot(vector, vector));
    for (let j = 0; j < width; j++) vector[j] /= norm;
  });
}

function transposed(matrix: Float64Array, rows: number, columns: number): Float64Array {
  const out = new Float64Array(matrix.length);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) out[j * rows + i] = matrix[i * columns + j];
  return out;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
