/** The collector of Node: what is dropped inside one synchronous job is given back inside it. */
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { wasmBackend } from '../../src/backend/registry.ts';
import { createCollector, GenerationalCollector } from '../../src/backend/wasm/collector.ts';
import { type EngineGC, engineGC, INSPECT } from '../../src/backend/wasm/engineGC.ts';
import type { Watched } from '../../src/backend/wasm/generations.ts';
import { Block } from '../../src/backend/wasm/heap.ts';
import * as torch from '../../src/index.ts';

const MB = 2 ** 20;
const node = engineGC() as EngineGC;

/** A collector on blocks that are nowhere: what matters is which of them it frees, and what it asks of the engine. */
function newCollector(isPinned: (block: Block) => boolean = () => false) {
  const freed = new Set<Block>();
  const calls = { scavenge: 0, collect: 0 };
  const engine: EngineGC = {
    ...node,
    scavenge() {
      calls.scavenge++;
      node.scavenge();
    },
    collect() {
      calls.collect++;
      node.collect();
    },
  };
  const collector = new GenerationalCollector(() => engine);
  const heap = { free: (block: Block) => void freed.add(block), isPinned, knownBytes: 0, residentBytes: 0 };
  collector.heap = heap;
  const watch = (storage: Watched, size = MB) => {
    const block = new Block(0, size);
    collector.prepare(size);
    collector.watch(storage, block);
    return block;
  };
  const isFreed = (block: Block) => freed.has(block);
  return { collector, heap, freed, isFreed, calls, watch };
}

const newStorage = (): Watched => ({ lifeline: null });

/** A function of its own, so that no variable of the test holds a storage. */
function watchDropped(watch: (storage: Watched) => Block, count: number): Block[] {
  return Array.from({ length: count }, () => watch(newStorage()));
}

/** What `body` returns while Node's module `name` is another. */
function withBuiltin<T>(name: string, module: object, body: () => T): T {
  const { getBuiltinModule } = process;
  process.getBuiltinModule = ((asked: string) =>
    asked === name ? module : getBuiltinModule(asked)) as typeof getBuiltinModule;
  try {
    return body();
  } finally {
    process.getBuiltinModule = getBuiltinModule;
  }
}

describe("V8's collector", () => {
  it('is found in Node, and leaves no flag behind', () => {
    expect(createCollector()).toBeInstanceOf(GenerationalCollector);
    expect(runInNewContext('typeof gc')).toBe(typeof (globalThis as { gc?: unknown }).gc);
  });

  it('is set up for short collections once a job, and as it was after the job', async () => {
    const v8 = process.getBuiltinModule('node:v8');
    const flags: string[] = [];
    const setFlagsFromString = (flag: string) => {
      flags.push(flag);
      v8.setFlagsFromString(flag);
    };
    const engine = withBuiltin('node:v8', { ...v8, setFlagsFromString }, engineGC) as EngineGC;
    for (let job = 0; job < 2; job++) {
      flags.length = 0;
      for (let look = 0; look < 3; look++) engine.scavenge();
      expect(flags).toEqual(['--no-parallel-scavenge --no-concurrent-array-buffer-sweeping']);
      await new Promise((resolve) => setImmediate(resolve));
      expect(flags.slice(1)).toEqual(['--parallel-scavenge --concurrent-array-buffer-sweeping']);
    }
  });

  it('drops the dead from a weak set while a job runs, in a short collection, and keeps the living', () => {
    const visited: number[] = [];
    class Member {
      readonly name: number;
      constructor(name: number) {
        this.name = name;
      }
      [INSPECT](): string {
        visited.push(this.name);
        return '';
      }
    }
    const fill = (set: WeakSet<Member>) => {
      const living: Member[] = [];
      for (let name = 0; name < 1000; name++) {
        const member = new Member(name);
        set.add(member);
        if (name % 7 === 0) living.push(member);
      }
      return living;
    };
    const set = new WeakSet<Member>();
    const living = fill(set);
    node.scavenge();
    node.visit(set);
    expect(visited.sort((a, b) => a - b)).toEqual(living.map((member) => member.name));
  });

  it('is not used where it does not reach every member of a weak set', () => {
    const util = process.getBuiltinModule('node:util');
    const inspect = () => 'WeakSet { <items unknown> }';
    expect(withBuiltin('node:util', { ...util, inspect }, engineGC)).toBeNull();
  });
});

describe('generations', () => {
  it('free dropped storages within the job, and no held or forgotten ones', () => {
    const { collector, heap, isFreed, calls, watch } = newCollector();
    const held = Array.from({ length: 20 }, newStorage);
    const ofHeld = held.map((storage) => watch(storage));
    const dropped: Block[] = [];
    const forgotten: Block[] = [];
    for (let round = 0; round < 100; round++) {
      const storages = Array.from({ length: 10 }, newStorage);
      const blocks = storages.map((storage) => watch(storage));
      // First, middle and last of the list change places with others.
      for (const at of [0, 5, 9]) {
        collector.forget(blocks[at]);
        collector.forget(blocks[at]);
        forgotten.push(blocks[at]);
      }
      expect(storages).toHaveLength(10); // held until they were forgotten
      dropped.push(...blocks.filter((_, at) => ![0, 5, 9].includes(at)));
    }
    collector.collect();
    expect(forgotten.filter(isFreed)).toEqual([]);
    expect(ofHeld.filter(isFreed)).toEqual([]);
    expect(dropped.filter((block) => !isFreed(block)).length).toBeLessThan(30); // the last ones
    expect(heap.knownBytes).toBeGreaterThanOrEqual(held.length * MB);
    expect(heap.knownBytes).toBeLessThan((held.length + 30) * MB);
    expect(calls.scavenge).toBeGreaterThan(5);
    expect(held).toHaveLength(20);
  });

  it('find what was dropped after it had grown old by a full collection', () => {
    const { collector, isFreed, calls, watch } = newCollector();
    const list: Watched[] = Array.from({ length: 40 }, newStorage);
    const blocks = list.map((storage) => watch(storage));
    for (let look = 0; look < 3; look++) {
      watchDropped(watch, 8);
      collector.collect();
    }
    expect(blocks.some(isFreed)).toBe(false);
    list.length = 0;
    const before = calls.collect;
    watchDropped(watch, 8);
    collector.collect();
    expect(blocks.every(isFreed)).toBe(true);
    expect(calls.collect).toBeGreaterThan(before);
  });

  it('ask for a full collection after a gigabyte, when a program has started, and not for each one that follows', () => {
    const { calls, watch } = newCollector();
    const make = (gigabytes: number) => {
      for (let i = 0; i < 64 * gigabytes; i++) watch(newStorage(), 16 * MB);
    };
    make(0.95);
    expect(calls.collect).toBe(0);
    make(0.1);
    expect(calls.collect).toBe(1);
    make(6);
    expect(calls.collect).toBe(1);
  });

  it('spare what the running op may still read, until the op is over', () => {
    let pinned: Block[] = [];
    const { collector, isFreed, watch } = newCollector((block) => pinned.includes(block));
    pinned = watchDropped(watch, 3);
    const others = watchDropped(watch, 10);
    collector.collect();
    expect(others.every(isFreed)).toBe(true);
    expect(pinned.some(isFreed)).toBe(false);
    const before = pinned;
    pinned = [];
    watchDropped(watch, 10);
    collector.collect();
    expect(before.every(isFreed)).toBe(true);
  });

  it('follow a storage that was moved out and came back', () => {
    const { collector, isFreed, watch } = newCollector();
    const storage = newStorage();
    const first = watch(storage);
    collector.forget(first);
    const second = watch(storage);
    watchDropped(watch, 10);
    collector.collect();
    expect(isFreed(first)).toBe(false);
    expect(isFreed(second)).toBe(false);
    expect(storage.lifeline).not.toBeNull();
  });

  it('make room before memory grows when much was made, and take many small ones for much', () => {
    const { collector, freed, calls, watch } = newCollector();
    watchDropped(watch, 3);
    expect(collector.makeRoom()).toBe(false);
    expect(calls.scavenge).toBe(0);
    for (let i = 0; i < 3000; i++) watch(newStorage(), 64);
    expect(calls.scavenge).toBeGreaterThan(0);
    expect(freed.size).toBeGreaterThan(1000);
    // Whether a look is due depends on the time that the last one took: this many bytes are looked through in any case.
    const looks = calls.scavenge;
    watchDropped(watch, 64);
    expect(calls.scavenge).toBeGreaterThan(looks);
  });

  it('look early where results are dropped as soon as they are made, and not where a part of them is in use', () => {
    const { calls, watch } = newCollector();
    watchDropped(watch, 320); // at least five looks: none waits beyond 64 MB
    let looks = calls.scavenge;
    watchDropped(watch, 80);
    expect(calls.scavenge - looks).toBeGreaterThanOrEqual(8);
    const graph: Watched[] = [];
    const makeAndHold = (count: number) => {
      for (let i = 0; i < count; i++) {
        const storage = newStorage();
        watch(storage);
        graph[i % 6] = storage;
      }
    };
    makeAndHold(80);
    looks = calls.scavenge;
    makeAndHold(80);
    expect(calls.scavenge - looks).toBeLessThanOrEqual(6);
    expect(graph).toHaveLength(6);
  });

  it('look through small ones by their number, and not for every new one where many are held', () => {
    const { freed, calls, watch } = newCollector();
    for (let i = 0; i < 20_480; i++) watch(newStorage(), 64);
    // V8's own collections come in between; what they saw is found one look later.
    expect(calls.scavenge).toBeGreaterThan(4);
    expect(calls.scavenge).toBeLessThan(40);
    expect(freed.size).toBeGreaterThan(10_000);
    const held = Array.from({ length: 8_192 }, newStorage);
    const blocks = held.map((storage) => watch(storage, 64));
    expect(calls.scavenge).toBeLessThan(80);
    expect(blocks.filter((block) => freed.has(block))).toEqual([]);
    expect(held).toHaveLength(8_192);
  });

  it('leave it to finalizers where the engine gives no help', async () => {
    const freed = new Set<Block>();
    const collector = new GenerationalCollector(() => null);
    collector.heap = {
      free: (block) => void freed.add(block),
      isPinned: () => false,
      knownBytes: 0,
      residentBytes: 0,
    };
    const watch = (storage: Watched) => {
      const block = new Block(0, MB);
      collector.prepare(MB);
      collector.watch(storage, block);
      return block;
    };
    watchDropped(watch, 20); // the engine is asked for, in vain
    const held = newStorage();
    const ofHeld = watch(held);
    const forgotten = watchDropped(watch, 1);
    collector.forget(forgotten[0]);
    const dropped = watchDropped(watch, 10);
    expect(collector.makeRoom()).toBe(false);
    for (let turn = 0; turn < 1000 && !dropped.every((block) => freed.has(block)); turn++) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      node.collect();
    }
    expect(dropped.every((block) => freed.has(block))).toBe(true);
    expect(freed.has(ofHeld)).toBe(false);
    expect(freed.has(forgotten[0])).toBe(false);
    expect(held.lifeline).toBeNull();
  });

  it('free everything between jobs, when nothing is being made and V8 collects', async () => {
    const { heap, isFreed, watch } = newCollector();
    const held = Array.from({ length: 5 }, newStorage);
    const ofHeld = held.map((storage) => watch(storage));
    // Three times: a sweep must leave something behind that the next collection calls.
    for (let round = 1; round <= 3; round++) {
      const dropped = watchDropped(watch, 10);
      for (let turn = 0; turn < 1000 && !dropped.every(isFreed); turn++) {
        await new Promise((resolve) => setTimeout(resolve, 1)); // the job ends, and with it V8's keeping
        node.collect();
      }
      expect(dropped.filter((block) => !isFreed(block))).toEqual([]);
    }
    expect(ofHeld.filter(isFreed)).toEqual([]);
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

  it('that holds one large result at a time needs room for a few, though a look comes with each', () => {
    const x = torch.zeros(4 * MB);
    const before = torch.memoryStats().bytesInUse;
    let most = 0;
    // As V8 runs what it has not optimised: the result before is held while the next one is made.
    let y: torch.Tensor | null = null;
    for (let step = 0; step < 40; step++) {
      y = x.add(step);
      most = Math.max(most, torch.memoryStats().bytesInUse - before);
    }
    expect(y!.select(0, 4 * MB - 1).item()).toBe(39);
    expect(most).toBeLessThanOrEqual(4 * 16 * MB);
    x.dispose();
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

describe('torch.empty', () => {
  it('gives back what was dropped although no op runs in between', () => {
    const before = torch.memoryStats().bytesInUse;
    for (let i = 0; i < 600; i++) torch.empty(2 ** 20);
    expect(torch.memoryStats().bytesInUse - before).toBeLessThan(300 * MB);
  });
});
