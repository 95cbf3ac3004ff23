/** Kernels that make random words and normal samples for the engine (src/core/rng.ts, normal.ts). */
import { makeNormalsBy } from '../../core/normal.ts';
import { BLOCK_WORDS, makeBlocksBy, WORDS_BATCH } from '../../core/rng.ts';
import type { WasmModule } from './module.ts';

/** Room for an engine's state, and for the most words that are made at a time. */
export const RANDOM_BYTES = 4 * (BLOCK_WORDS + WORDS_BATCH);

/**
 * From now on all engines draw by the kernels of this module, in the `RANDOM_BYTES` at `pointer`: outside the heap, because
 * draws are written into arrays of it, which growing memory would take away.
 */
export function drawByKernels(module: WasmModule, pointer: number): void {
  const { mt19937_words, normal_f32 } = module.exports;
  const words = pointer + 4 * BLOCK_WORDS;
  const [stateAt, wordsAt] = [pointer / 4, words / 4];
  makeBlocksBy((state, out) => {
    const { i32, u32 } = module.views();
    i32.set(state, stateAt);
    mt19937_words(pointer, words, out.length / BLOCK_WORDS);
    out.set(u32.subarray(wordsAt, wordsAt + out.length));
    state.set(i32.subarray(stateAt, stateAt + BLOCK_WORDS));
  });
  makeNormalsBy((from, out, mean, std) => {
    const { u32, f32 } = module.views();
    u32.set(from, wordsAt);
    if (!normal_f32(words, from.length, mean, std)) return false;
    out.set(f32.subarray(wordsAt, wordsAt + out.length));
    return true;
  });
}
