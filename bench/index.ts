/** `npm run bench -- [--filter word] [--threads n]`: all measurements, or those whose title holds the word. */
import os from 'node:os';
import { parseArgs } from 'node:util';
import * as torch from 'wasmgrad';
import { elementwiseCases } from './elementwise.ts';
import { epochReport } from './epoch.ts';
import { measure, table } from './harness.ts';
import { matmulCases } from './matmul.ts';
import { overheadCases } from './overhead.ts';

const { values } = parseArgs({
  options: { filter: { type: 'string', default: '' }, threads: { type: 'string' } },
});
const info = await torch.init({ threads: values.threads === undefined ? 'auto' : Number(values.threads) });
console.log(
  `${os.cpus()[0]?.model ?? 'unknown processor'}, ${info.threads} threads, relaxed SIMD ${info.relaxedSimd ? 'on' : 'off'}, ` +
    `Node ${process.version}, load ${os.loadavg()[0].toFixed(1)}`,
);
const tables = { matmul: matmulCases, elementwise: elementwiseCases, overhead: overheadCases };
for (const [title, cases] of Object.entries(tables)) {
  if (!title.includes(values.filter)) continue;
  console.log(`\n${table(title, measure(cases()))}`);
}
if ('epoch'.includes(values.filter)) console.log(`\n${await epochReport()}`);
