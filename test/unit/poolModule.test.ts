import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { kernelTypes } from '../../scripts/kernelTypes.mjs';
import { type Binaries, createModule, isShared, readMemoryImport } from '../../src/backend/wasm/module.ts';
import { DeviceError } from '../../src/core/errors.ts';
import { compileProbe, type ProbeKernels } from '../support/probeKernels.ts';

const PAGE = 65536;
let binaries: Binaries;

beforeAll(async () => {
  binaries = await compileProbe();
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const open = (options = {}) => createModule<ProbeKernels>(binaries, options);

/** Has the engine refuse memories, as one short of address space does. */
function refuseMemories(refuse: (descriptor: WebAssembly.MemoryDescriptor) => boolean): void {
  class Memory extends WebAssembly.Memory {
    constructor(descriptor: WebAssembly.MemoryDescriptor) {
      if (refuse(descriptor)) throw new RangeError('could not allocate memory');
      super(descriptor);
    }
  }
  vi.stubGlobal('WebAssembly', Object.assign(Object.create(WebAssembly), { Memory }));
}

/** Pretends that the engine validates only the given binary. */
function onlyValid(valid: Uint8Array | undefined): void {
  vi.spyOn(WebAssembly, 'validate').mockImplementation((bytes) => (bytes as unknown) === valid);
}

/** That the kernels run on the memory that the views show. */
function expectToWork(module: ReturnType<typeof open>): void {
  module.exports.count(module.heapBase, 3, 5);
  expect([...module.views().i32.slice(module.heapBase / 4, module.heapBase / 4 + 6)]).toEqual([
    0, 0, 0, 1, 1, 0,
  ]);
}

describe('createModule', () => {
  test('takes a shared memory of up to 4 GiB where there is one', () => {
    const module = open();
    expect(module.shared).toBe(true);
    expect(isShared(module.memory.buffer)).toBe(true);
    expect(module.maximumBytes).toBe(65535 * PAGE);
    expect(module.heapBase % PAGE).toBe(0);
    expect(module.heapBase).toBeGreaterThanOrEqual(module.exports.heapBase());
    expectToWork(module);
  });

  test('prefers the relaxed binary; deterministic and engines without it get the other', () => {
    expect(open()).toMatchObject({ relaxed: true, reasons: [] });
    const deterministic = open({ deterministic: true });
    expect(deterministic.relaxed).toBe(false);
    expect(deterministic.reasons).toEqual(['relaxed SIMD is off: deterministic results were asked for']);
    expectToWork(deterministic);
    onlyValid(binaries.simd());
    const plain = open();
    expect(plain.relaxed).toBe(false);
    expect(plain.reasons).toEqual([
      'relaxed SIMD is off: this engine does not have it (or has it behind a flag)',
    ]);
  });

  test.each([
    ['asked for', { shared: false }, {}, 'an unshared memory was asked for'],
    [
      'a page that is not isolated',
      {},
      { crossOriginIsolated: false },
      'the page is not cross-origin isolated',
    ],
    ['no SharedArrayBuffer', {}, { SharedArrayBuffer: undefined }, 'this engine has no SharedArrayBuffer'],
  ])('runs on an unshared memory: %s', (_why, options, globals, reason) => {
    for (const [name, value] of Object.entries(globals)) vi.stubGlobal(name, value);
    const module = open(options);
    expect(module.shared).toBe(false);
    expect(module.reasons).toEqual([expect.stringContaining(`threads are off: ${reason}`)]);
    expectToWork(module);
    const { u8 } = module.views();
    module.memory.grow(3);
    expect(u8.length).toBe(0);
    expect(module.views().u8.length).toBe(module.memory.buffer.byteLength);
    expect(module.views()).toBe(module.views());
  });

  test('asks for less when the engine refuses the largest memory', () => {
    refuseMemories(({ maximum }) => (maximum ?? 0) > 4096);
    const module = open();
    expect(module).toMatchObject({ shared: true, maximumBytes: 4096 * PAGE });
    expect(module.reasons).toEqual(['memory is limited to 256 MiB: the engine refused more']);
    expectToWork(module);
  });

  test('goes on without threads when the engine refuses shared memories', () => {
    refuseMemories(({ shared }) => shared === true);
    const module = open();
    expect(module).toMatchObject({ shared: false, maximumBytes: 65535 * PAGE });
    expect(module.reasons[0]).toMatch(/^threads are off: no shared memory \(RangeError/);
    expectToWork(module);
  });

  test('says what is missing when nothing works', () => {
    refuseMemories(() => true);
    expect(() => open()).toThrow(new DeviceError('wasm: no memory (RangeError: could not allocate memory)'));
    vi.unstubAllGlobals();
    onlyValid(undefined);
    expect(() => open()).toThrow(/no WebAssembly SIMD/);
    vi.stubGlobal('WebAssembly', undefined);
    expect(() => open()).toThrow(/no WebAssembly$/);
  });

  test('changes the binary under an existing memory', () => {
    const first = open();
    first.views().i32[first.heapBase / 4] = 42;
    const second = open({ deterministic: true, memory: first.memory });
    expect(second).toMatchObject({
      relaxed: false,
      heapBase: first.heapBase,
      maximumBytes: first.maximumBytes,
    });
    second.exports.count(first.heapBase, 0, 1);
    expect(first.views().i32[first.heapBase / 4]).toBe(43);
  });
});

describe('reading binaries', () => {
  test('readMemoryImport finds the limits', () => {
    const bytes = binaries.simd();
    const { flagOffset, initial } = readMemoryImport(bytes);
    expect(bytes[flagOffset]).toBe(3);
    expect(initial).toBe(16);
    expect(() => readMemoryImport(bytes.slice(0, 8))).toThrow('imports no memory');
  });

  test('kernelTypes writes the interface of the exports', () => {
    const text = kernelTypes(binaries.simd());
    expect(text).toContain('export interface Kernels {\n  heapBase(): number;\n');
    expect(text).toContain('  count(p0: number, p1: number, p2: number): void;\n');
    expect(text).toContain('  big(p0: bigint, p1: number, p2: number): void;\n');
    expect(text).toBe(kernelTypes(binaries.relaxed()));
  });
});
