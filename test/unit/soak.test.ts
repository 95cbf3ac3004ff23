/** The judgement of long runs: flat ones pass, and a leak of any kind does not. */
import { describe, expect, it } from 'vitest';
import { judge, type Memory, type Observations } from '../../bench/soak/judge.ts';

const TURNS = 1000;
const flat: Memory = {
  heapBytes: 10e6,
  bytesInUse: 5e6,
  scriptBytes: 11e6,
  processBytes: 140e6,
};

/** A run in which something grows by `part` from the first tenth to the last. */
function run(grown: Partial<Record<keyof Memory | 'ms', number>> = {}): Observations {
  const at = (of: keyof Memory, done: number) => flat[of] * (1 + ((grown[of] ?? 0) * done) / TURNS);
  const memory = (done: number): Memory => ({
    heapBytes: at('heapBytes', done),
    bytesInUse: at('bytesInUse', done),
    scriptBytes: at('scriptBytes', done),
    processBytes: at('processBytes', done),
  });
  const looks = Array.from({ length: 21 }, (_, i) => {
    const done = (i * TURNS) / 20;
    return { done, running: memory(done), collected: memory(done) };
  });
  const gaps = Array.from({ length: 100 }, (_, i) => {
    const done = (i + 1) * 10;
    // Every other stretch is disturbed.
    return { done, turns: 10, ms: (1 + ((grown.ms ?? 0) * done) / TURNS) * (i % 2 ? 30 : 10) };
  });
  return { turns: TURNS, gaps, looks, threads: 2, bytesLeft: 100, storagesLeft: 1 };
}

const failed = (observations: Observations): string[] =>
  judge(observations)
    .filter(({ good }) => good === false)
    .map(({ what }) => what);

describe('judge', () => {
  it('passes what stays within 2 %, and 10 % of the time', () => {
    expect(failed(run())).toEqual([]);
    expect(failed(run({ heapBytes: 0.015, scriptBytes: 0.015, processBytes: 0.015, ms: 0.08 }))).toEqual([]);
  });

  it.each([
    ['heapBytes', 'linear memory'],
    ['scriptBytes', "JavaScript's heap, collected"],
    ['processBytes', 'resident set, collected'],
  ] as const)('fails when %s grow by 4 %', (of, what) => {
    expect(failed(run({ [of]: 0.04 }))).toEqual([what]);
  });

  it('fails when turns become slower, and for storages that are left', () => {
    expect(failed(run({ ms: 0.3 }))).toEqual(['a turn']);
    expect(failed({ ...run(), storagesLeft: 5000 })).toEqual(['left behind']);
    expect(failed({ ...run(), bytesLeft: 1e9 })).toEqual(['left behind']);
  });
});
