/** The kernel that makes batches of images from bytes: the reference's bits, for any cut and any length of rows. */
import { describe, expect, it } from 'vitest';
import { backendFor } from '../../src/backend/registry.ts';
import { benches, LENGTHS } from './kernelsHarness.ts';

const ROWS = 7;
const SCALINGS = [
  { divisor: 255, mean: 0, std: 1 },
  { divisor: 255, mean: 0.1307, std: 0.3081 },
  { divisor: 1, mean: 0, std: 2 },
];
const bytes = (n: number) => Uint8Array.from({ length: n }, (_, i) => (i * 37 + (i >> 8)) % 256);
const index = BigInt64Array.of(6n, 0n, -1n, 3n, 3n);

describe.each(benches)('gathering and scaling, $name build', (bench) => {
  it.each(SCALINGS)('$divisor, $mean, $std', ({ divisor, mean, std }) => {
    for (const length of LENGTHS) {
      const [x, picks] = [bench.put(bytes(ROWS * length)), bench.put(index)];
      const args = (out: number) => [x, picks, out, ROWS, length, divisor, mean, std];
      bench.sliced('gather_rows_scale_u8_f32', args, index.length, 4 * index.length * length);
      bench.reset();
    }
  });
});

describe('gatherScaled', () => {
  it.each(SCALINGS)('divides, subtracts and divides in float32: $divisor, $mean, $std', (scaling) => {
    const f = Math.fround;
    for (const length of LENGTHS) {
      const content = bytes(ROWS * length);
      const expected = Array.from(index, (pick) =>
        content.subarray(Number((pick + 7n) % 7n) * length).subarray(0, length),
      )
        .flatMap((row) => Array.from(row))
        .map((byte) => f(f(f(byte / scaling.divisor) - f(scaling.mean)) / f(scaling.std)));
      for (const device of ['cpu', 'reference']) {
        const backend = backendFor(device);
        const x = backend.upload(content, [ROWS, 1, length], 'uint8');
        const out = backend.gatherScaled(x, backend.upload(index, [index.length], 'int64'), scaling);
        expect([out.dtype, out.shape]).toEqual(['float32', [index.length, 1, length]]);
        expect(Array.from<number | bigint>(backend.read(out))).toEqual(expected);
      }
    }
  });
});
