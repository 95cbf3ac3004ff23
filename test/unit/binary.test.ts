/**
 * The built binaries. Several instances (one a thread) share one memory, so nothing may live in an instance: no
 * mutable global, no start function; and what instantiation writes must be constants that every instance repeats.
 */
import fs from 'node:fs';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { embeddedBinaries } from '../../src/backend/wasm/embedded.ts';
import { parseBinary } from '../support/wasmBinary.ts';

const PAGE = 65536;
/** Constant tables only (the bit tricks of exp and the like); more than this is a sign of the standard library. */
const MAX_DATA_BYTES = 8192;

const load = (name: string) => new Uint8Array(fs.readFileSync(`build/${name}.wasm`));
const binaries = { simd: load('simd'), relaxed: load('relaxed') };

/** The functions that assembly/index.ts re-exports, from the sources. */
function declaredExports(): string[] {
  const index = fs.readFileSync('assembly/index.ts', 'utf8');
  const files = [...index.matchAll(/^export \* from '\.\/(.+)';$/gm)].map(
    ([, file]) => `assembly/${file}.ts`,
  );
  return files.flatMap((file) => {
    const tree = ts.createSourceFile(file, fs.readFileSync(file, 'utf8'), ts.ScriptTarget.Latest);
    return tree.statements
      .filter(ts.isFunctionDeclaration)
      .filter((f) => f.modifiers?.some((modifier) => modifier.kind === ts.SyntaxKind.ExportKeyword))
      .map((f) => f.name!.text);
  });
}

function sharedMemory(): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: 16, maximum: 1024, shared: true });
}

function start(binary: Uint8Array<ArrayBuffer>, memory: WebAssembly.Memory) {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(binary), { env: { memory } });
  return instance.exports as unknown as { heapBase(): number };
}

describe.each([
  ['simd', binaries.simd],
  ['relaxed', binaries.relaxed],
] as const)('%s.wasm', (name, binary) => {
  const parsed = parseBinary(binary);

  it('is what the library embeds', () => {
    expect(Buffer.from(binary).equals(embeddedBinaries[name]())).toBe(true);
  });

  it('imports its memory and nothing else', () => {
    expect(parsed.imports).toEqual([
      { module: 'env', name: 'memory', kind: 'memory', shared: true, initial: 16, maximum: 65536 },
    ]);
    expect(parsed.definesMemory).toBe(false);
  });

  it('keeps no state in an instance', () => {
    expect(parsed.globals.filter((global) => global.mutable)).toEqual([]);
    expect(parsed.hasStart).toBe(false);
  });

  it('exports exactly the functions of the sources', () => {
    expect(parsed.exports.filter(({ kind }) => kind !== 'function')).toEqual([]);
    expect(parsed.exports.map((entry) => entry.name).sort()).toEqual(declaredExports().sort());
    expect(parsed.exports.length).toBeGreaterThan(10);
  });

  it('writes constants below the heap and nothing else when it is instantiated', () => {
    const memory = sharedMemory();
    const heapBase = start(binary, memory).heapBase();
    expect(heapBase).toBeLessThan(PAGE);
    const total = parsed.data.reduce((sum, { bytes }) => sum + bytes.length, 0);
    expect(total).toBeLessThanOrEqual(MAX_DATA_BYTES);
    for (const { mode, offset, bytes } of parsed.data) {
      expect(mode).toBe('active');
      expect(offset + bytes.length).toBeLessThanOrEqual(heapBase);
    }

    const view = new Uint8Array(memory.buffer);
    const first = view.slice(0, heapBase);
    view.fill(0x5a, heapBase);
    start(binary, memory);
    expect(view.slice(0, heapBase)).toEqual(first);
    expect(view.subarray(heapBase).every((byte) => byte === 0x5a)).toBe(true);
  });
});

it('both binaries offer the same kernels in the same order', () => {
  const names = (binary: Uint8Array) => parseBinary(binary).exports.map((entry) => entry.name);
  expect(names(binaries.relaxed)).toEqual(names(binaries.simd));
});

it('only the relaxed one multiplies and adds in one step', () => {
  const relaxedMadd = Buffer.of(0xfd, 0x85, 0x02);
  const contains = (binary: Uint8Array) => Buffer.from(binary).includes(relaxedMadd);
  expect([contains(binaries.simd), contains(binaries.relaxed)]).toEqual([false, true]);
});
