/** The α-β model of bench/scaling. */
import { describe, expect, it } from 'vitest';
import {
  allReduceSeconds,
  CALL_BYTES,
  fitNetwork,
  strongSpeedUp,
  visibleSeconds,
  weakEfficiency,
} from '../../bench/scaling/model.ts';
import { summarizeTraining } from '../../bench/scaling/training.ts';

const gigabit = { name: '1 Gbit', alpha: 50e-6, beta: 119e6 };
const work = { name: 'a model', bytes: 100e6, compute: 2, buckets: 4 };

describe('the model of training by many processes', () => {
  it('gives what was measured on a shaped link: 13.4 ms for 1.6 MB', () => {
    expect(allReduceSeconds(gigabit, 1.6e6, 2)).toBeGreaterThan(13.4e-3);
    expect(allReduceSeconds(gigabit, 1.6e6, 2)).toBeLessThan(13.9e-3);
  });

  it('costs nothing alone, and approaches twice the bytes over the bandwidth', () => {
    expect(allReduceSeconds(gigabit, 1e6, 1)).toBe(0);
    expect(weakEfficiency(gigabit, work, 1)).toBe(1);
    expect(strongSpeedUp(gigabit, work, 1)).toBe(1);
    const noLatency = { ...gigabit, alpha: 0 };
    expect(allReduceSeconds(noLatency, 119e6, 1024)).toBeCloseTo(2 * (1023 / 1024), 12);
  });

  it('hides at most the backward pass, and never the last bucket', () => {
    const whole = allReduceSeconds(gigabit, work.bytes, 2); // 0.85 s: fits beside a backward pass of 2 s
    expect(visibleSeconds(gigabit, work, 3, 2)).toBeCloseTo(whole / 4, 12);
    expect(visibleSeconds(gigabit, work, 0.3, 2)).toBeCloseTo(whole - 0.15, 12);
    expect(visibleSeconds(gigabit, { ...work, buckets: 1 }, 3, 2)).toBe(whole);
  });

  it('fits its two numbers to two times', () => {
    const at = (bytes: number) => [bytes, allReduceSeconds(gigabit, bytes, 2)] as const;
    const { alpha, beta } = fitNetwork(at(16), at(3 * CALL_BYTES));
    expect(alpha / gigabit.alpha).toBeCloseTo(1, 2);
    expect(beta / gigabit.beta).toBeCloseTo(1, 2);
  });
});

describe('steps of several programs', () => {
  it('give their rate, and what waiting for the slowest costs', () => {
    const rounds = [
      {
        alone: [
          [1, 3, 2],
          [4, 4, 4],
        ],
        weak: [5, 5, 2],
        strong: [3, 3, 3],
      },
      {
        alone: [
          [2, 2, 2],
          [2.1, 2.1, 2.1],
        ],
        weak: [4, 4, 4],
        strong: [3, 3, 3],
      },
    ];
    const one = summarizeTraining(2, rounds.slice(0, 1));
    const rate = 2 / (1 / 2 + 1 / 4);
    expect(one.alone).toBeCloseTo(rate, 12);
    expect([one.weak, one.strong]).toEqual([4, 3]);
    expect(one.efficiency.mean).toBeCloseTo(rate / 4, 12);
    expect(one.efficiency.typical).toBeCloseTo(rate / 5, 12);
    expect(one.efficiency.waiting).toBeCloseTo(rate / 4, 12);
    expect(one.even).toBeNull();
    const { even, efficiency } = summarizeTraining(2, rounds);
    expect([even?.turns, efficiency.turns]).toEqual([1, 2]);
    expect(even?.mean).toBeCloseTo(2 / (1 / 2 + 1 / 2.1) / 4, 12);
    expect(efficiency.mean).toBeCloseTo((rate / 4 + 2 / (1 / 2 + 1 / 2.1) / 4) / 2, 12);
  });
});
