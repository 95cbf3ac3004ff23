/** The benchmarks' own logic: options, statistics, comparison, limits; and the command line as users start it. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeHost } from '../../bench/node/host.ts';
import { parseOptions, UsageError } from '../../bench/options.ts';
import { uniform } from '../../bench/peers/data.mjs';
import { onnxModel } from '../../bench/peers/onnx.mjs';
import { changes, comparison } from '../../bench/report/compare.ts';
import { FORMAT, parseRecord, type Run } from '../../bench/report/record.ts';
import { duration, markdownTable, table } from '../../bench/report/text.ts';
import { checksum } from '../../bench/suite/checksum.ts';
import { type Host, type Result, runBenchmarks } from '../../bench/suite/index.ts';
import { pictures } from '../../bench/suite/inputs.ts';
import { limitModule } from '../../bench/suite/limitModule.ts';
import { Limits, rateOf } from '../../bench/suite/limits.ts';
import { quantile, summarize } from '../../bench/suite/statistics.ts';

function result(name: string, times: readonly number[], rest: Partial<Result> = {}): Result {
  return { group: 'matmul', name, threads: 1, unit: 'ms', ...summarize(times), ...rest };
}
function record(results: Run['results']): Run {
  const machine = { processor: 'p', cores: 2, system: 's', engine: 'e' };
  return { format: FORMAT, date: '2026-01-01T00:00:00Z', machine, device: 'cpu', simd: 'relaxed', results };
}

describe('options', () => {
  it('have defaults, lists and modes', () => {
    expect(parseOptions([])).toMatchObject({ filter: [], threads: [0], device: 'cpu', effort: 'full' });
    expect(
      parseOptions(['--filter', 'a,b', '--filter', 'c', '--threads', '1,auto', '--quick']),
    ).toMatchObject({
      filter: ['a', 'b', 'c'],
      threads: [1, 0],
      effort: 'quick',
    });
    expect(parseOptions(['-h'])).toBe('help');
  });

  it('that make no sense are named', () => {
    const cases: [string[], RegExp][] = [
      [['--threads', '0'], /--threads must be 'auto' or whole numbers from 1 to 64, but got '0'/],
      [['--threads', '1,two'], /but got '1,two'/],
      [['--threads', ''], /but got ''/],
      [['--device', 'tpu'], /--device must be cpu or webgpu, but got 'tpu'/],
      [['--quick', '--smoke'], /exclude each other/],
      [['--unknown'], /Unknown option '--unknown'/],
      [['matmul'], /Unexpected argument 'matmul'/],
    ];
    for (const [args, message] of cases) {
      expect(() => parseOptions(args)).toThrow(message);
      expect(() => parseOptions(args)).toThrow(UsageError);
    }
  });
});

describe('statistics', () => {
  it('interpolate between samples and do not care for their order', () => {
    expect(summarize([4, 1, 3, 2])).toEqual({ median: 2.5, q1: 1.75, q3: 3.25, fastest: 1, samples: 4 });
    expect(summarize([7])).toEqual({ median: 7, q1: 7, q3: 7, fastest: 7, samples: 1 });
    expect(() => quantile([], 0.5)).toThrow(RangeError);
    const list = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1 });
    fc.assert(
      fc.property(list, fc.double({ min: 0, max: 1, noNaN: true }), (samples, p) => {
        const value = quantile(samples, p);
        const share = samples.filter((x) => x <= value).length / samples.length;
        return (
          value >= Math.min(...samples) && value <= Math.max(...samples) && share >= p - 1 / samples.length
        );
      }),
    );
  });

  it('checksum bits', () => {
    expect(checksum(new Uint8Array())).toBe('811c9dc5');
    expect(checksum(new TextEncoder().encode('foobar'))).toBe('bf9cf968'); // of the authors' test vectors
    const values = Float32Array.of(1, 2, 3);
    const other = values.slice();
    other[1] = 2.0000002;
    expect(checksum(values)).toBe(checksum(values.slice()));
    expect(checksum(values.subarray(1))).toBe(checksum(Float32Array.of(2, 3)));
    expect(checksum(values)).not.toBe(checksum(other));
  });
});

describe('comparing runs', () => {
  const before = record([
    result('a', [10, 11, 12]),
    result('b', [10, 11, 12]),
    result('c', [10, 11, 12], { checksum: '1' }),
    result('d', [10, 11, 12]),
    result('gone', [1]),
  ]);
  const after = record([
    result('a', [5, 5.5, 6]),
    result('b', [20, 22, 24]),
    result('c', [10.1, 11.1, 12.1], { checksum: '2' }),
    result('d', [4, 11.9, 30]),
    result('new', [1]),
    { group: 'memory', name: 'left out', threads: 1, skipped: 'why' },
  ]);

  it('tells changes from noise', () => {
    expect(changes(before, after).map(({ verdict, otherResult }) => [verdict, otherResult])).toEqual([
      ['better', false],
      ['worse', false],
      ['same', true],
      ['same', false],
    ]);
    const text = comparison(before, after);
    expect(text).toContain('× 0.50');
    expect(text).toContain('1 better, 1 worse, 2 within the noise');
    expect(text).toContain('(other results)');
    expect(comparison(record([]), after)).toContain('nothing in common');
  });

  it('says what is wrong with a file', () => {
    expect(parseRecord(JSON.stringify(before), 'x')).toEqual(before);
    expect(() => parseRecord('{', 'old.json')).toThrow(/old.json is not JSON/);
    expect(() => parseRecord('{"format": 0}', 'old.json')).toThrow(/old.json is not a run/);
    expect(() => parseRecord('null', 'old.json')).toThrow(/old.json is not a run/);
  });
});

describe('text', () => {
  it('has units and columns', () => {
    expect([2500, 12.3456, 0.5, 0.00125, 0.0000123].map(duration)).toEqual([
      '2.50 s',
      '12.3 ms',
      '500 µs',
      '1.25 µs',
      '12.3 ns',
    ]);
    expect(table(['a', 'bb'], [['long', '1']])).toBe('a     bb\n────────\nlong   1');
    expect(markdownTable(['', 'x'], [['a', '1']])).toBe('|  | x |\n|---|--:|\n| a | 1 |');
  });
});

describe('limits', () => {
  it('are loops that engines take and that do what they say', async () => {
    const { module, instance } = await WebAssembly.instantiate(limitModule(false, 1024) as BufferSource);
    expect(WebAssembly.Module.exports(module).map(({ name }) => name)).toEqual([
      'registers',
      'operands',
      'read',
      'copy',
      'add',
      'memory',
    ]);
    const { add, copy, memory } = instance.exports as Record<string, (...args: number[]) => void> & {
      memory: WebAssembly.Memory;
    };
    const values = new Float32Array(memory.buffer);
    const [a, b, out] = [65536, 65536 + 1024, 65536 + 2048].map((byte) => byte / 4);
    for (let i = 0; i < 256; i++) [values[a + i], values[b + i]] = [i, 1000];
    add(4 * a, 4 * b, 4 * out, 8);
    expect(Array.from(values.subarray(out, out + 257))).toEqual([
      ...Array.from({ length: 256 }, (_, i) => 1000 + i),
      0,
    ]);
    copy(4 * a, 0, 4 * out, 2);
    expect(values[out + 63]).toBe(63);
    expect(values[out + 64]).toBe(1064);
  });

  it('are found by workers, and make rates into percents', async () => {
    const limits = new Limits(nodeHost(), true, 5);
    expect(await limits.peak(1)).toBeGreaterThan(0);
    expect(await limits.bandwidth('add', 4096, 2)).toBeGreaterThan(0);
    expect(await new Limits({ cores: 1 }, true, 5).peak(1)).toBeUndefined();
    expect(rateOf({ flops: 2e9 }, 1000)).toEqual({ value: 2, unit: 'GFLOP/s' });
    expect(rateOf({ elements: 1e9, stream: 'copy' }, 1000)).toEqual({ value: 8, unit: 'GB/s' });
    expect(rateOf({ elements: 1e9 }, 500)).toEqual({ value: 2, unit: 'G elements/s' });
    expect(rateOf({ samples: 10 }, 500)).toEqual({ value: 20, unit: 'samples/s' });
    expect(rateOf({}, 1)).toBeUndefined();
  });
});

describe('inputs', () => {
  it('look like MNIST', () => {
    const { images, labels } = pictures(200);
    const lit = images.subarray(16).filter((value) => value > 0).length / (200 * 784);
    expect(lit).toBeGreaterThan(0.17);
    expect(lit).toBeLessThan(0.21);
    expect(new Set(labels.subarray(8)).size).toBe(10);
  });

  it('of the peers are spread evenly and known to all languages', () => {
    const values = uniform(1, 10_000, 0, 1);
    expect(values.reduce((sum, x) => sum + x, 0) / values.length).toBeCloseTo(0.5, 1);
    expect(Array.from(uniform(3, 3, 0, 1))).toEqual(Array.from(uniform(3, 5, 0, 1).subarray(0, 3)));
  });

  it('of onnxruntime are in its format', () => {
    const model = onnxModel({
      inputs: { x: [300, 2] },
      output: { name: 'z', shape: [300, 2] },
      nodes: [{ op: 'Relu', inputs: ['x'], output: 'z' }],
    });
    // ir_version 8, then the graph with its length in two bytes of seven bits.
    expect(Array.from(model.subarray(0, 3))).toEqual([0x08, 8, 0x3a]);
    expect(Buffer.from(model).includes('Relu')).toBe(true);
  });
});

describe('what needs workers and programs', () => {
  it('runs in Node', { timeout: 120_000 }, async () => {
    const host: Host = {
      ...nodeHost(),
      firstStep: async () => 1,
      peakMemory: async () => ({ MB: [1], what: 'w' }),
    };
    const results = await runBenchmarks({ host, groups: ['threads', 'start', 'memory'], effort: 'smoke' });
    const skipped = results.flatMap((found) => ('skipped' in found ? [found.skipped] : []));
    expect(skipped.filter((reason) => reason !== 'needs two threads')).toEqual([]);
  });
});

describe('npm run bench', () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, ['scripts/run.mjs', 'bench/index.ts', ...args], { encoding: 'utf8' });

  /** The same without bundling it again. */
  const runBundle = (...args: string[]) =>
    spawnSync(process.execPath, ['build/run/bench-index.mjs', ...args], { encoding: 'utf8' });

  it('measures, prints, keeps and compares', { timeout: 120_000 }, () => {
    const out = fs.mkdtempSync(path.join(os.tmpdir(), 'wasmgrad-'));
    try {
      const filter = ['--smoke', '--filter', 'NN 17,start', '--out', out];
      const first = run(...filter);
      expect(first.stdout).toMatch(/NN 17³ .* GFLOP\/s .* % of /);
      expect(first.stdout).toMatch(/first training step/);
      expect(first.status).toBe(0);
      const file = path.join(out, 'latest.json');
      expect(parseRecord(fs.readFileSync(file, 'utf8'), file).results).toHaveLength(2);
      const second = runBundle('--smoke', '--filter', 'NN 17', '--compare', file, '--out', out);
      expect(second.stdout).toMatch(/compared/);
      expect(second.status).toBe(0);
    } finally {
      fs.rmSync(out, { recursive: true });
    }
  });

  it('explains itself, and names bad values with exit code 2', { timeout: 60_000 }, () => {
    expect(run('--help').stdout).toContain('--compare FILE');
    for (const [args, message] of [
      [['--threads', 'many'], /--threads must be/],
      [['--filter', 'no such thing'], /no benchmark's name holds 'no such thing'/],
      [['--compare', 'no/such.json'], /--compare: .*no\/such.json/],
    ] as const) {
      const { status, stderr } = runBundle(...args);
      expect(stderr).toMatch(message);
      expect(status).toBe(2);
    }
  });
});
