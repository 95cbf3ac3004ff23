/** Every benchmark runs, at its smallest size, in Node and in pages: so none of them rots. No figure is looked at. */
import { describe, expect, it } from 'vitest';
import { charts } from '../../bench/report/charts.ts';
import { FORMAT, type Run } from '../../bench/report/record.ts';
import { groupTable } from '../../bench/report/text.ts';
import { GROUPS, type Host, listBenchmarks, type Result, runBenchmarks } from '../../bench/suite/index.ts';

/** No workers and no programs: what needs them says so. */
const host: Host = { cores: 1 };

describe('the benchmarks', () => {
  it('all run, and give figures, rates and checksums', { timeout: 60_000 }, async () => {
    const listed = [...listBenchmarks({ host, effort: 'smoke' }).values()].flat();
    const names = listed.map(({ group, name }) => `${group} ${name}`);
    expect(new Set(names).size).toBe(names.length);

    const all = await runBenchmarks({ host, effort: 'smoke', threads: [1] });
    expect(all.map(({ group, name }) => `${group} ${name}`).sort()).toEqual(names.sort());
    const skipped = all.filter((result) => 'skipped' in result);
    expect(new Set(skipped.map(({ group }) => group))).toEqual(new Set(['threads', 'start', 'memory']));
    for (const result of all) {
      if ('skipped' in result) continue;
      expect(result.median, result.name).toBeGreaterThanOrEqual(0);
      expect(result.q1, result.name).toBeLessThanOrEqual(result.q3);
      expect(JSON.parse(JSON.stringify(result))).toEqual(result);
    }
    const results = all.filter((result): result is Result => !('skipped' in result));
    expect(results.filter(({ group, rate }) => group !== 'overhead' && !rate)).toEqual([]);
    expect(
      results.filter(({ name, checksum }) => !checksum && name !== 'item()' && name !== 'loading alone'),
    ).toEqual([]);

    const record: Run = {
      format: FORMAT,
      date: '2026-01-01T00:00:00Z',
      machine: { processor: 'p', cores: 1, system: 's', engine: 'e' },
      device: 'cpu',
      simd: 'plain',
      results: all,
    };
    expect([...charts(record).keys()]).toEqual(expect.arrayContaining(['functions', 'training', 'overhead']));
    for (const group of GROUPS) {
      const text = groupTable(
        group,
        all.filter((result) => result.group === group),
      );
      expect(text).not.toMatch(/NaN|undefined|Infinity/);
    }
  });

  it('compute the same bits in every run', async () => {
    const sums = async () => {
      const filter = ['NN 17', 'exp, 600', 'softmax, 600', 'MLP', 'CNN'];
      const results = await runBenchmarks({ host, effort: 'smoke', threads: [1], filter });
      return results.map((result) =>
        'checksum' in result ? `${result.name} ${result.checksum}` : result.name,
      );
    };
    const first = await sums();
    expect(first.length).toBeGreaterThanOrEqual(5);
    expect(await sums()).toEqual(first);
  });
});
