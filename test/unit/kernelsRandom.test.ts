/** Random words made by the kernel against those that the engine makes by itself. */
import { expect, it } from 'vitest';
import { WasmBackend } from '../../src/backend/wasm/index.ts';
import { RandomEngine } from '../../src/core/rng.ts';

/** Around the block of 624 words, before and after its end, and the most that are given at a time. */
const COUNTS = [1, 622, 1, 624, 625, 623, 1248, 7, 8192, 617, 8112, 3, 5000, 2, 8191, 1872, 624];

it('the kernel makes the words of the engine, and leaves the same state', () => {
  const drawn = () =>
    [5, 2n ** 63n].map((seed) => {
      const engine = new RandomEngine(seed);
      return COUNTS.map((count) => [Array.from(engine.words(count)), Array.from(engine.getState())]);
    });
  const byItself = drawn();
  const backend = new WasmBackend();
  const inMemory = () => new Int32Array(backend.runtime.module.memory.buffer.slice(0));
  const before = inMemory();
  const byKernel = drawn();
  expect(inMemory(), 'who made them').not.toEqual(before);
  for (const [i, draws] of byItself.entries())
    for (const [j, draw] of draws.entries())
      expect(byKernel[i][j], `seed ${i}, draw ${j} of ${COUNTS[j]}`).toEqual(draw);
});
