import { describe, expect, it } from 'vitest';
import { type Block, Heap } from '../../src/backend/wasm/heap.ts';

const PAGE = 65536;

function newHeap(maxPages: number, softLimit: number, makeRoom = () => false) {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: maxPages });
  const evicted: Block[] = [];
  const heap = new Heap(
    { memory, bytes: () => new Uint8Array(memory.buffer) },
    1024,
    maxPages * PAGE,
    { prepare: () => {}, collect: () => {}, makeRoom, forget: (block) => evicted.push(block) },
    softLimit,
  );
  return { heap, memory, evicted, bytes: () => new Uint8Array(memory.buffer) };
}

/** A small generator with a fixed seed, so that a failure can be repeated. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('the heap', () => {
  it('asks for what was dropped before it grows', () => {
    const dropped: Block[] = [];
    let asked = 0;
    const { heap } = newHeap(64, 64 * PAGE, () => {
      asked++;
      for (const block of dropped.splice(0)) heap.free(block);
      return asked > 1;
    });
    heap.allocate(PAGE);
    const { heapBytes } = heap;
    expect(asked).toBe(1); // in vain, so it grew
    for (let step = 0; step < 300; step++) {
      heap.tick();
      dropped.push(heap.allocate(PAGE));
    }
    expect(heap.heapBytes).toBe(heapBytes);
    expect(asked).toBeGreaterThan(2);
    expect(asked).toBeLessThan(30);
  });

  it('keeps the contents of every block through 20,000 random allocations, frees, evictions and returns', () => {
    const { heap, bytes } = newHeap(64, 40 * PAGE);
    const random = numbers(1);
    const live: { block: Block; fill: number; size: number }[] = [];
    const check = ({ block, fill, size }: (typeof live)[number]) => {
      heap.tick();
      if (block.copy !== null) heap.restore(block);
      const at = heap.touch(block);
      const view = bytes().subarray(at, at + size);
      expect(view[0]).toBe(fill);
      expect(view[size - 1]).toBe(fill);
      expect(view[size >> 1]).toBe(fill);
    };
    for (let step = 0; step < 20_000; step++) {
      heap.tick();
      if (live.length < 60 && random() < 0.6) {
        const size = 1 + Math.floor(random() ** 3 * 3 * PAGE);
        const fill = step & 255;
        const block = heap.allocate(size);
        expect(block.pointer % 64).toBe(0);
        bytes().fill(fill, block.pointer, block.pointer + size);
        live.push({ block, fill, size });
      } else if (live.length > 0) {
        const [entry] = live.splice(Math.floor(random() * live.length), 1);
        check(entry);
        heap.free(entry.block);
        heap.free(entry.block);
      }
    }
    for (const entry of live) check(entry);
    expect(heap.evictions).toBeGreaterThan(0);
    for (const { block } of live) heap.free(block);
    expect(heap.residentBytes).toBe(0);
    expect(heap.residentBlocks).toBe(0);
  });

  it('joins neighbours again: all of memory is one block after everything was freed in any order', () => {
    const { heap, memory } = newHeap(32, 32 * PAGE);
    const random = numbers(7);
    const blocks = Array.from({ length: 500 }, () => heap.allocate(64 + Math.floor(random() * 3000)));
    const end = memory.buffer.byteLength;
    blocks.sort(() => random() - 0.5);
    for (const block of blocks) heap.free(block);
    const whole = heap.allocate(heap.heapBytes - 1024);
    expect(memory.buffer.byteLength).toBe(end);
    expect(whole.pointer).toBe(1024);
  });

  it('moves out the blocks that were not touched for longest, never those of the op that is running', () => {
    const { heap, evicted } = newHeap(64, 8 * PAGE);
    const [old, kept] = [heap.allocate(3 * PAGE), heap.allocate(3 * PAGE)];
    heap.tick();
    heap.touch(kept);
    heap.allocate(3 * PAGE);
    expect(evicted).toEqual([old]);
    expect(old.copy?.byteLength).toBe(3 * PAGE);
    heap.allocate(6 * PAGE);
    expect(evicted).toEqual([old]);
    heap.tick();
    heap.allocate(PAGE);
    expect(evicted).toContain(kept);
  });

  it('raises the limit when what was moved out is needed again, so that a working set settles', () => {
    const { heap } = newHeap(256, 10 * PAGE);
    const blocks = Array.from({ length: 20 }, () => {
      heap.tick();
      return heap.allocate(PAGE);
    });
    let last = 0;
    for (let round = 0; round < 5; round++) {
      last = heap.evictions;
      for (const block of blocks) {
        heap.tick();
        if (block.copy) heap.restore(block);
        heap.touch(block);
      }
    }
    expect(heap.evictions).toBe(last);
  });

  it('does not raise the limit for what cannot be brought back', () => {
    const { heap } = newHeap(4, 2 * PAGE);
    const out = heap.allocate(2 * PAGE);
    heap.tick();
    const held = heap.allocate(2 * PAGE);
    expect(out.copy).not.toBeNull();
    heap.hold(held);
    const { knownBytes } = heap;
    expect(() => heap.restore(out)).toThrow(/131072 bytes were asked for/);
    expect(heap.knownBytes).toBe(knownBytes);
    heap.letGo(held);
    heap.free(held);
    heap.restore(out);
    expect(heap.knownBytes).toBe(knownBytes + 2 * PAGE);
  });

  it('says how much was asked and held when memory is out, and works on afterwards', () => {
    const { heap } = newHeap(4, 100 * PAGE);
    const held = heap.allocate(PAGE);
    expect(() => heap.allocate(10 * PAGE)).toThrow(/655360 bytes were asked for.*65536 bytes are in use/s);
    heap.free(held);
    heap.tick();
    expect(heap.allocate(3 * PAGE).size).toBe(3 * PAGE);
  });
});
