/** Our tensors against PyTorch's: shape, dtype and every element, within the tolerance of the case. */
import type { Tensor } from '../src/index.ts';

/** A tensor as golden files hold it; NaN and infinities are strings. */
export interface ExpectedTensor {
  shape: number[];
  dtype: string;
  data: (number | boolean | string)[];
}
export interface Tolerance {
  rtol: number;
  atol: number;
}

const special: { [text: string]: number } = { inf: Infinity, '-inf': -Infinity, nan: Number.NaN };

function expectedNumber(value: number | boolean | string, dtype: string): number {
  const x = typeof value === 'string' ? special[value] : Number(value);
  return dtype === 'float32' ? Math.fround(x) : x;
}

/** Signed zeros count as different only where bits are asked for; NaN equals NaN. */
function close(got: number, expected: number, tolerance: Tolerance | null): boolean {
  if (Object.is(got, expected)) return true;
  if (tolerance === null) return false;
  if (got === expected) return true;
  return Math.abs(got - expected) <= tolerance.atol + tolerance.rtol * Math.abs(expected);
}

/** Problems of one tensor; a null on either side must meet a null. Values are awaited, for devices that need it. */
export async function compareOne(
  what: string,
  got: Tensor | null,
  expected: ExpectedTensor | null,
  tol?: Tolerance,
  exact = false,
): Promise<string[]> {
  if (expected === null)
    return got === null ? [] : [`${what}: expected none, but got shape [${got.shape.join(', ')}]`];
  if (got === null) return [`${what}: missing`];
  if (got.shape.join() !== expected.shape.join()) {
    return [`${what}: expected shape [${expected.shape.join(', ')}], but got [${got.shape.join(', ')}]`];
  }
  if (got.dtype !== expected.dtype)
    return [`${what}: expected dtype ${expected.dtype}, but got ${got.dtype}`];
  const tolerance = exact || !expected.dtype.startsWith('float') ? null : (tol ?? { rtol: 1e-5, atol: 1e-6 });
  const values = Array.from(await got.read(), Number);
  const wrong = values.flatMap((value, i) => {
    const wanted = expectedNumber(expected.data[i], expected.dtype);
    return close(value, wanted, tolerance) ? [] : [`[${i}] ${value} instead of ${wanted}`];
  });
  if (wrong.length === 0) return [];
  return [`${what}: ${wrong.length} of ${values.length} elements differ: ${wrong.slice(0, 4).join('; ')}`];
}

export async function compare(
  what: string,
  got: readonly Tensor[],
  expected: readonly ExpectedTensor[],
  tol: Tolerance | undefined,
  exact: boolean,
): Promise<string[]> {
  if (got.length !== expected.length)
    return [`${what}: expected ${expected.length} tensors, but got ${got.length}`];
  const problems = await Promise.all(
    expected.map((tensor, i) =>
      compareOne(expected.length > 1 ? `${what} ${i}` : what, got[i], tensor, tol, exact),
    ),
  );
  return problems.flat();
}
