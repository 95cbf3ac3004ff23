/**
 * The compiled kernels that the build embeds: with relaxed SIMD, packed by LZMA, as base64 (compressing servers undo its
 * third more). Unpacked when first asked for, by a small binary of its own; the binary without relaxed SIMD is made out
 * of the other.
 */
import { relaxed, relaxedBytes, unpacker } from '../../generated/kernels.ts';
import { type Binaries, compile } from './module.ts';
import { plainBinary } from './plainBinary.ts';

/** What `assembly/unpack.ts` exports. */
interface Unpacker {
  readonly memory: WebAssembly.Memory;
  source(): number;
  unpack(out: number, size: number): void;
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  const letters = atob(base64);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes;
}

function decode(): Uint8Array {
  const instance = new WebAssembly.Instance(compile(bytesOf(unpacker)));
  const { memory, source, unpack } = instance.exports as unknown as Unpacker;
  const packed = bytesOf(relaxed);
  const from = source();
  const to = from + packed.length;
  new Uint8Array(memory.buffer).set(packed, from);
  unpack(to, relaxedBytes);
  return new Uint8Array(memory.buffer.slice(to, to + relaxedBytes));
}

let decoded: Uint8Array | undefined;
function withRelaxed(): Uint8Array {
  decoded ??= decode();
  return decoded;
}

export const embeddedBinaries: Binaries = {
  simd: () => plainBinary(withRelaxed()),
  relaxed: withRelaxed,
};
