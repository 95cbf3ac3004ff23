/** The comparison on a GPU: its works and its table. That it runs end to end shows `npm run bench:gpu -- --tiny --swiftshader`. */
import { describe, expect, it } from 'vitest';
import { type Report, tableOf } from '../../bench/gpu/report.ts';
import { works } from '../../bench/gpu/works.ts';

const networks = ['train', 'infer', 'cnn', 'transformer'];

describe('npm run bench:gpu', () => {
  it('has works of distinct names that say what they amount to', () => {
    for (const tiny of [false, true]) {
      const list = works(tiny);
      expect(new Set(list.map((work) => work.name)).size).toBe(list.length);
      for (const { spec, flops, bytes } of list)
        expect(networks.includes(spec.kind) || (flops ?? bytes ?? 0) > 1000).toBe(true);
    }
    expect(works(false).map((work) => work.name)).toContain('matmul 4096³');
  });

  it('gives a table with rates, reasons and what differs', () => {
    const report: Report = {
      date: '2026-01-02T03:04:05Z',
      gpu: 'a GPU',
      browser: 'Mozilla/5.0 Chrome/150.0.0.0 Safari/537.36',
      bandwidth: 200,
      works: [{ name: 'matmul 100³', flops: 2e6 }, { name: 'add', bytes: 12e6 }, { name: 'step' }],
      entries: [
        { work: 'matmul 100³', library: 'tfjs-webgpu', ms: 4 },
        { work: 'matmul 100³', library: 'wasmgrad', ms: 2 },
        { work: 'add', library: 'wasmgrad', ms: 0.1, note: 'its result differs by 3 %' },
        { work: 'step', library: 'wasmgrad', ms: 0.25 },
        { work: 'step', library: 'tfjs-webgpu', unable: 'does not train' },
      ],
    };
    const table = tableOf(report);
    expect(table).toContain('a GPU, Chrome/150.0.0.0, 2026-01-02; copies between buffers: 200 GB/s.');
    expect(table).toContain('| matmul 100³ | 2.00 ms, 1.00 GFLOP/s | 4.00 ms, 0.500 GFLOP/s |');
    expect(table).toContain('| add | 0.100 ms, 120 GB/s (!) |  |');
    expect(table).toContain('| step | 0.250 ms | does not train |');
    expect(table).toContain('wasmgrad, add: its result differs by 3 %.');
  });
});
