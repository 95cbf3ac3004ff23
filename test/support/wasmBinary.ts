/** The facts about a WebAssembly binary that its test is about. */
import { type Reader, sections } from '../../scripts/kernelTypes.mjs';

const SECTION = { import: 2, memory: 5, global: 6, export: 7, start: 8, data: 11, dataCount: 12 };
const KINDS = ['function', 'table', 'memory', 'global'];
const I32_CONST = 0x41;
const END = 0x0b;
const HAS_MAXIMUM = 1;

export interface DataSegment {
  mode: 'active' | 'passive';
  offset: number;
  bytes: Uint8Array;
}

export interface WasmBinary {
  imports: {
    module: string;
    name: string;
    kind: string;
    shared: boolean;
    initial: number;
    maximum: number;
  }[];
  exports: { name: string; kind: string }[];
  globals: { mutable: boolean }[];
  data: DataSegment[];
  hasStart: boolean;
  definesMemory: boolean;
}

export function parseBinary(binary: Uint8Array): WasmBinary {
  const found = sections(binary);
  const list = <T>(id: number, item: (reader: Reader) => T): T[] => {
    const reader = found.get(id);
    return reader ? reader.vector(() => item(reader)) : [];
  };
  return {
    imports: list(SECTION.import, readImport),
    exports: list(SECTION.export, (reader) => {
      const entry = { name: reader.name(), kind: KINDS[reader.byte()] };
      reader.number();
      return entry;
    }),
    globals: list(SECTION.global, (reader) => {
      reader.byte();
      const mutable = reader.byte() === 1;
      skipConstant(reader);
      return { mutable };
    }),
    data: list(SECTION.data, readSegment),
    hasStart: found.has(SECTION.start),
    definesMemory: found.has(SECTION.memory),
  };
}

function readImport(reader: Reader) {
  const entry = { module: reader.name(), name: reader.name(), kind: KINDS[reader.byte()] };
  if (entry.kind !== 'memory')
    throw new Error(`an import that is not a memory: ${entry.module}.${entry.name}`);
  const flags = reader.byte();
  const initial = reader.number();
  return { ...entry, shared: (flags & 2) !== 0, initial, maximum: flags & HAS_MAXIMUM ? reader.number() : 0 };
}

function readSegment(reader: Reader): DataSegment {
  const flags = reader.number();
  if (flags > 1) throw new Error('a data segment of another memory');
  let offset = 0;
  if (flags === 0) {
    if (reader.byte() !== I32_CONST) throw new Error('a data segment whose place is not a constant');
    offset = reader.number(); // signed in the format; places below 64 MiB in up to four bytes read the same
    if (reader.byte() !== END) throw new Error('a data segment whose place is computed');
  }
  const bytes = Uint8Array.from(reader.vector(() => reader.byte()));
  return { mode: flags === 0 ? 'active' : 'passive', offset, bytes };
}

/** Jumps over a constant expression of one instruction. */
function skipConstant(reader: Reader): void {
  const fixedWidth: Record<number, number> = { 67: 4, 68: 8 }; // f32.const, f64.const
  const opcode = reader.byte();
  if (opcode in fixedWidth) reader.at += fixedWidth[opcode];
  else if (opcode === I32_CONST || opcode === 0x42 || opcode === 0x23) reader.number();
  else throw new Error(`a global that starts with instruction 0x${opcode.toString(16)}`);
  if (reader.byte() !== END) throw new Error('a global whose value is computed');
}
