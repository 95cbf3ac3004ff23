/** Random words and normal samples made by kernels against those that the engine makes by itself. */
import { expect, it } from 'vitest';
import { WasmBackend } from '../../src/backend/wasm/index.ts';
import { fillNormal } from '../../src/core/normal.ts';
import { RandomEngine } from '../../src/core/rng.ts';

/** Around the block of 624 words, before and after its end, and the most that are given at a time. */
const COUNTS = [1, 622, 1, 624, 625, 623, 1248, 7, 8192, 617, 8112, 3, 5000, 2, 8191, 1872, 624];

const SIZES = [16, 17, 31, 32, 8192, 8193, 8208, 30_000];

/** Made once before there is a backend, and once after. */
const drawn = () => ({
  words: [5, 2n ** 63n].map((seed) => {
    const engine = new RandomEngine(seed);
    return COUNTS.map((count) => [Array.from(engine.words(count)), Array.from(engine.getState())]);
  }),
  normals: SIZES.map((size) => {
    const engine = new RandomEngine(size);
    const [standard, other] = [new Float32Array(size), new Float32Array(size)];
    fillNormal(engine, standard, 0, 1);
    fillNormal(engine, other, -2.3, 0.7);
    return [...standard, ...other, engine.random32()];
  }),
});
/** Every low and every high 24-bit uniform of a block, where the logarithm and the angles have their ends. */
const edges = () => {
  const out = new Float32Array(8192);
  const words = Uint32Array.from(out, (_, i) => (i & 1 ? 0xffffff - (i >> 1) : i >> 1));
  fillNormal({ words: () => words } as unknown as RandomEngine, out, 0, 1);
  return [...out];
};

const byItself = { ...drawn(), edges: edges() };
const backend = new WasmBackend();
const byKernel = { ...drawn(), edges: edges() };

it('the kernel makes the words of the engine, and leaves the same state', () => {
  for (const [i, draws] of byItself.words.entries())
    for (const [j, draw] of draws.entries())
      expect(byKernel.words[i][j], `seed ${i}, draw ${j} of ${COUNTS[j]}`).toEqual(draw);
});

it('the kernel makes the same normal samples to the last bit', () => {
  for (const [i, size] of SIZES.entries())
    expect(byKernel.normals[i], `${size}`).toEqual(byItself.normals[i]);
  expect(byKernel.edges).toEqual(byItself.edges);
  expect(byItself.edges[0], 'of a uniform of 0').toBe(0);
});

it('it was the kernels that made them', () => {
  const { exports } = backend.runtime.module;
  const fused = exports.gemm_tile_rows(6) === 6; // tiles are as tall where a product needs no register of its own
  expect(exports.normal_f32(0, 0, 0, 1)).toBe(Number(fused));
  const memory = () => new Int32Array(backend.runtime.module.memory.buffer.slice(0));
  const before = memory();
  drawn();
  expect(memory()).not.toEqual(before);
});
