/** Sequences of whole numbers, against BigInt: they are written as words of 32 bits. */
import { describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';

describe('int64 sequences', () => {
  const ranges = [
    [-5, 5, 1],
    [2 ** 31 - 3, 2 ** 31 + 3, 1],
    [2 ** 32 - 3, 2 ** 32 + 3, 1],
    [-(2 ** 32) - 3, -(2 ** 32) + 3, 1],
    [2 ** 53 - 8, 2 ** 53, 2],
    [-(2 ** 62), 2 ** 62, 2 ** 60],
    [7, -30, -4],
  ];
  for (const [start, end, step] of ranges) {
    it(`arange(${start}, ${end}, ${step})`, () => {
      const expected: bigint[] = [];
      for (let x = start; step > 0 ? x < end : x > end; x += step) expected.push(BigInt(x));
      const x = torch.arange(start, end, step);
      expect(x.dtype).toBe('int64');
      expect([...(x.data as BigInt64Array)]).toEqual(expected);
    });
  }

  it('drop the fractions of what is between', () => {
    const x = torch.linspace(-2.5, 2.5, 6, { dtype: 'int64' });
    expect([...(x.data as BigInt64Array)]).toEqual([-2n, -1n, 0n, 0n, 1n, 2n]);
  });
});
