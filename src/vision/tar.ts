/** Files out of a tar archive as it streams by: POSIX.1-1988, ustar. */
import type { Fail } from './idx.ts';

const BLOCK = 512;

interface Entry {
  readonly name: string;
  readonly content: Uint8Array;
}

/** NUL ends a text field; sizes are octal numbers in such. */
function field(header: Uint8Array, at: number, length: number): string {
  const bytes = header.subarray(at, at + length);
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

function sizeIn(header: Uint8Array, fail: Fail): number {
  const text = field(header, 124, 12).trim();
  if (/^[0-7]+$/.test(text)) return Number.parseInt(text, 8);
  throw fail(`expected a tar archive, but the size of one of its files is '${text.slice(0, 12)}'`);
}

/** The checksum counts its own field as spaces. */
function checkHeader(header: Uint8Array, fail: Fail): void {
  const sum = header.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 32 : byte), 0);
  if (Number.parseInt(field(header, 148, 8).trim(), 8) !== sum)
    throw fail('expected a tar archive, but the checksum of a header is wrong');
}

/**
 * The files that are wanted, by what `wanted` says to a name and a size: no memory is taken for others.
 * @throws what `fail` makes of anything that is no whole archive
 */
export async function* entriesOf(
  pieces: AsyncIterable<Uint8Array>,
  wanted: (name: string, size: number) => boolean,
  fail: Fail,
): AsyncGenerator<Entry> {
  let block = new Uint8Array(BLOCK);
  let filled = 0;
  let entry: Entry | null = null;
  /** Bytes of the file under way that are still to come, and of the padding behind it. */
  let left = 0;
  let padding = 0;
  for await (const piece of pieces) {
    let at = 0;
    while (at < piece.length) {
      if (left > 0) {
        const part = piece.subarray(at, at + left);
        entry?.content.set(part, entry.content.length - left);
        left -= part.length;
        at += part.length;
        if (left === 0 && entry !== null) {
          yield entry;
          entry = null;
        }
      } else if (padding > 0) {
        const skipped = Math.min(padding, piece.length - at);
        padding -= skipped;
        at += skipped;
      } else {
        const part = piece.subarray(at, at + BLOCK - filled);
        block.set(part, filled);
        filled += part.length;
        at += part.length;
        if (filled < BLOCK) continue;
        filled = 0;
        const header = block;
        block = new Uint8Array(BLOCK);
        // Two blocks of zeros end an archive; what follows them is padding.
        if (header.every((byte) => byte === 0)) continue;
        checkHeader(header, fail);
        left = sizeIn(header, fail);
        padding = (BLOCK - (left % BLOCK)) % BLOCK;
        const name = field(header, 0, 100);
        entry = left > 0 && wanted(name, left) ? { name, content: new Uint8Array(left) } : null;
      }
    }
  }
  if (left > 0 || filled > 0) throw fail('it was cut short');
}
