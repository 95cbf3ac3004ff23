/** Small WebAssembly modules written instruction by instruction, so that pages need no compiler to measure a machine. */

/** An unsigned LEB128 number. */
export function leb(value: number): number[] {
  const bytes: number[] = [];
  do {
    const rest = Math.floor(value / 128);
    bytes.push((value % 128) + (rest > 0 ? 128 : 0));
    value = rest;
  } while (value > 0);
  return bytes;
}

/** A signed LEB128 number, from 0. */
function signedLeb(value: number): number[] {
  const bytes = leb(value);
  const last = bytes.length - 1;
  return bytes[last] < 64 ? bytes : [...bytes.slice(0, last), bytes[last] + 128, 0];
}

export const I32 = 0x7f;
export const V128 = 0x7b;

/** The instructions that the modules use, as bytes. */
export const op = {
  get: (local: number) => [0x20, ...leb(local)],
  set: (local: number) => [0x21, ...leb(local)],
  tee: (local: number) => [0x22, ...leb(local)],
  i32: (value: number) => [0x41, ...signedLeb(value)],
  i32Add: [0x6a],
  i32Sub: [0x6b],
  load: (offset: number) => [0xfd, 0x00, 4, ...leb(offset)],
  store: (offset: number) => [0xfd, 0x0b, 4, ...leb(offset)],
  add: [0xfd, 0xe4, 0x01],
  mul: [0xfd, 0xe6, 0x01],
  relaxedMadd: [0xfd, 0x85, 0x02],
  /** Repeats its body until the number on the stack at its end is zero. */
  loop: (...body: number[][]) => [0x03, 0x40, ...body.flat(), 0x0d, 0x00, 0x0b],
};

export interface Func {
  readonly name: string;
  /** How many i32 parameters there are. */
  readonly parameters: number;
  /** How many v128 locals follow them. */
  readonly vectors?: number;
  readonly returnsI32?: boolean;
  readonly body: readonly number[];
}

export interface Memory {
  readonly pages: number;
  /** Imports `env.memory`, shared and as large as can be, instead of having a memory of its own. */
  readonly imported?: boolean;
}

const SECTION = { type: 1, import: 2, function: 3, memory: 5, export: 7, code: 10 };

/** The binary of a module that exports its functions, and its memory unless that is imported. */
export function assemble(functions: readonly Func[], memory: Memory): Uint8Array {
  const vector = (items: readonly (readonly number[])[]) => [...leb(items.length), ...items.flat()];
  const name = (text: string) => vector([...text].map((c) => [c.charCodeAt(0)]));
  const section = (id: number, content: readonly number[]) => [id, ...leb(content.length), ...content];
  const types = functions.map(({ parameters, returnsI32 }) => [
    0x60,
    ...vector(Array.from({ length: parameters }, () => [I32])),
    ...vector(returnsI32 ? [[I32]] : []),
  ]);
  const exported = functions.map((f, i) => [...name(f.name), 0, ...leb(i)]);
  const code = functions.map(({ vectors = 0, body }) => {
    const locals = vector(vectors > 0 ? [[...leb(vectors), V128]] : []);
    const bytes = [...locals, ...body, 0x0b];
    return [...leb(bytes.length), ...bytes];
  });
  const shared = [3, ...leb(memory.pages), ...leb(65536)];
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(SECTION.type, vector(types)),
    ...(memory.imported
      ? section(SECTION.import, vector([[...name('env'), ...name('memory'), 2, ...shared]]))
      : []),
    ...section(SECTION.function, vector(functions.map((_, i) => leb(i)))),
    ...(memory.imported ? [] : section(SECTION.memory, vector([[0, ...leb(memory.pages)]]))),
    ...section(SECTION.export, vector(memory.imported ? exported : [...exported, [...name('memory'), 2, 0]])),
    ...section(SECTION.code, vector(code)),
  ]);
}
