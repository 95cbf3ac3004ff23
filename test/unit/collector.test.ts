/** The collector of Node: what is dropped inside one synchronous job is given back inside it. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { wasmBackend } from '../../src/backend/registry.ts';
import { createCollector, SweepingCollector } from '../../src/backend/wasm/collector.ts';
import { Block } from '../../src/backend/wasm/heap.ts';
import * as torch from '../../src/index.ts';

const MB = 2 ** 20;

/** A collector on blocks that are nowhere: what matters is which of them it frees. */
function newCollector(isPinned: (block: Block) => boolean = () => false) {
  const freed = new Set<Block>();
  const collector = new SweepingCollector();
  const heap = { free: (block: Block) => void freed.add(block), isPinned, knownBytes: 0 };
  collector.heap = heap;
  const watch = (storage: object) => {
    const block = new Block(0, MB);
    collector.watch(storage, block);
    return block;
  };
  /** What a heap does that makes `count` more storages at its limit. */
  const press = (count: number) => {
    watchDropped(watch, count);
    collector.collect();
  };
  /** Presses until all of these are freed: V8 decides when it collects, and threads that help it may be late. */
  const pressUntilFreed = (blocks: readonly Block[]) => {
    for (let i = 0; i < 200 && !blocks.every((block) => freed.has(block)); i++) press(20);
  };
  return { collector, heap, freed, watch, press, pressUntilFreed };
}

/** A function of its own, so that no variable of the test holds a storage. */
function watchDropped(watch: (storage: object) => Block, count: number): Block[] {
  return Array.from({ length: count }, () => watch({}));
}

describe('sweeping', () => {
  it('is what Node does', () => {
    expect(createCollector()).toBeInstanceOf(SweepingCollector);
  });

  it('frees dropped storages within the job, and no held or forgotten ones', () => {
    const { collector, heap, freed, watch, pressUntilFreed } = newCollector();
    const held = Array.from({ length: 20 }, () => ({}));
    const ofHeld = held.map(watch);
    const dropped: Block[] = [];
    const forgotten: Block[] = [];
    for (let round = 0; round < 100; round++) {
      const blocks = watchDropped(watch, 10);
      // First, middle and last of the list change places with others.
      for (const at of [0, 5, 9]) {
        collector.forget(blocks[at]);
        collector.forget(blocks[at]);
        forgotten.push(blocks[at]);
      }
      dropped.push(...blocks.filter((_, at) => ![0, 5, 9].includes(at)));
    }
    pressUntilFreed(dropped);
    expect(forgotten.filter((block) => freed.has(block))).toEqual([]);
    expect(ofHeld.filter((block) => freed.has(block))).toEqual([]);
    expect(dropped.filter((block) => !freed.has(block))).toEqual([]);
    expect(heap.knownBytes).toBeGreaterThanOrEqual(held.length * MB);
    expect(heap.knownBytes).toBeLessThan((held.length + 60) * MB);
  });

  it('spares what the running op may still read, until the op is over', () => {
    let pinned: Block[] = [];
    const { freed, watch, pressUntilFreed } = newCollector((block) => pinned.includes(block));
    pinned = watchDropped(watch, 3);
    const others = watchDropped(watch, 20);
    pressUntilFreed(others);
    expect(others.every((block) => freed.has(block))).toBe(true);
    expect(pinned.some((block) => freed.has(block))).toBe(false);
    const before = pinned;
    pinned = [];
    pressUntilFreed(before);
    expect(before.every((block) => freed.has(block))).toBe(true);
  });

  it('hurries before memory grows, in a program that drops what it makes, and in no other', () => {
    const { collector, freed, watch, pressUntilFreed } = newCollector();
    const held = Array.from({ length: 100 }, () => ({}));
    held.map(watch);
    expect(collector.makeRoom()).toBe(false); // nothing was ever found
    pressUntilFreed(watchDropped(watch, 200));
    watchDropped(watch, 2);
    expect(collector.makeRoom()).toBe(false); // too little was made since
    const before = freed.size;
    let found = false;
    for (let i = 0; i < 200 && !found; i++) {
      watchDropped(watch, 17);
      found = collector.makeRoom();
    }
    expect(found).toBe(true);
    expect(freed.size).toBeGreaterThan(before);
    expect(held).toHaveLength(100);
  });

  it('frees everything between jobs, when nothing is being made and V8 collects', async () => {
    setFlagsFromString('--expose-gc');
    const collectNow: () => void = runInNewContext('gc');
    const { heap, freed, watch } = newCollector();
    const held = Array.from({ length: 5 }, () => ({}));
    const ofHeld = held.map(watch);
    // Three times: a sweep must leave something behind that the next collection calls.
    for (let round = 1; round <= 3; round++) {
      const dropped = watchDropped(watch, 30);
      for (let turn = 0; turn < 1000 && !dropped.every((block) => freed.has(block)); turn++) {
        await new Promise((resolve) => setTimeout(resolve, 1)); // the job ends, and with it V8's keeping
        collectNow();
      }
      expect(dropped.filter((block) => !freed.has(block))).toEqual([]);
    }
    expect(ofHeld.filter((block) => freed.has(block))).toEqual([]);
    expect(heap.knownBytes).toBe(held.length * MB);
  });
});

describe('a synchronous loop', () => {
  const { heap } = wasmBackend();

  it('that drops a gigabyte stays flat and moves nothing; what it keeps is unharmed', () => {
    const kept: torch.Tensor[] = [];
    const loop = (steps: number) => {
      for (let step = 0; step < steps; step++) {
        const x = torch.full([MB / 4], step);
        if (step % 40 === 0) kept.push(x);
      }
    };
    loop(500);
    const before = torch.memoryStats();
    expect(before.heapBytes).toBeLessThan(256 * MB);
    const held = kept.length;
    loop(1500);
    const after = torch.memoryStats();
    expect(after.heapBytes - before.heapBytes).toBeLessThan((kept.length - held) * MB + 64 * MB);
    expect(after.evictedBytes).toBeLessThan(20 * MB);
    const expected = [...Array(13).keys(), ...Array(38).keys()].map((i) => i * 40);
    expect(kept.map((x) => x.select(0, 7).item())).toEqual(expected);
    expect(kept.map((x) => x.mean().item())).toEqual(expected);
  });

  it('that frees by itself leaves nothing to collect', () => {
    const before = heap.residentBlocks;
    for (let step = 0; step < 300; step++) torch.ones(MB / 4).dispose();
    expect(heap.residentBlocks).toBeLessThanOrEqual(before);
  });

  it('keeps tensors larger than the soft limit where they are', () => {
    const large = torch.full([50 * MB], 3);
    const { evictedBytes } = torch.memoryStats();
    for (let step = 0; step < 300; step++) torch.full([MB / 4], step);
    expect(torch.memoryStats().evictedBytes - evictedBytes).toBeLessThan(20 * MB);
    expect(large.select(0, 49 * MB).item()).toBe(3);
    large.dispose();
  });
});
