/** Walking through the bytes of a WebAssembly binary, as far as the library changes them before they are compiled. */

export const TYPES = 1;
export const IMPORTS = 2;
export const FUNCTIONS = 3;
export const CODE = 10;

export class Cursor {
  readonly bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  byte(): number {
    return this.bytes[this.at++];
  }

  /** An unsigned LEB128 number. */
  number(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  }

  skip(count: number): void {
    this.at += count;
  }
}

export interface Section {
  /** Where its size stands. */
  readonly header: number;
  readonly start: number;
  readonly end: number;
}

/** The sections by their id. */
export function sections(bytes: Uint8Array): Map<number, Section> {
  const found = new Map<number, Section>();
  const cursor = new Cursor(bytes, 8);
  while (cursor.at < bytes.length) {
    const id = cursor.byte();
    const header = cursor.at;
    const size = cursor.number();
    found.set(id, { header, start: cursor.at, end: cursor.at + size });
    cursor.skip(size);
  }
  return found;
}
