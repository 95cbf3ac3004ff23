/**
 * What it costs to hand a job to the threads: `node scripts/run.mjs bench/kernels/pool.ts [threads]`.
 * `hot`: the workers are still looking for work; `asleep`: they have to be woken. Both with one element per thread.
 */
import { detectHost } from '../../src/backend/wasm/host.ts';
import { createModule } from '../../src/backend/wasm/module.ts';
import { Pool } from '../../src/backend/wasm/pool.ts';
import { workerSource } from '../../src/generated/worker.ts';
import { compileProbe, type ProbeKernels } from '../../test/support/probeKernels.ts';

const module = createModule<ProbeKernels>(await compileProbe());
const pool = new Pool(module, { host: detectHost(), workerSource });
const requested = Number(process.argv[2] ?? 0);
const threads = await pool.start(requested || 'auto');
const args = [module.heapBase];

function pause(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

/** Microseconds: the least and the middle of many. */
function latency(repeats: number, inner: number, chunk: number, gapMs: number): string {
  const times: number[] = [];
  for (let i = 0; i < repeats; i++) {
    if (gapMs > 0) pause(gapMs);
    const start = performance.now();
    for (let j = 0; j < inner; j++) pool.run('count', args, threads, chunk);
    times.push(((performance.now() - start) * 1000) / inner);
  }
  times.sort((a, b) => a - b);
  return `${times[0].toFixed(2)} us best, ${times[repeats >> 1].toFixed(2)} us median`;
}

latency(50, 1000, threads, 0);
latency(50, 1000, 1, 0);
console.log(`${threads} threads, Node ${process.version}`);
console.log(`one plain call       ${latency(200, 1000, threads, 0)}`);
console.log(`hot, back to back    ${latency(200, 1000, 1, 0)}`);
console.log(`hot, after 20 us     ${latency(3000, 1, 1, 0.02)}`);
console.log(`asleep, after 1 ms   ${latency(1000, 1, 1, 1)}`);
await pool.stop();
