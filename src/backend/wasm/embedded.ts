/**
 * The compiled kernels that the build embeds: with relaxed SIMD, deflated, as base64 (compressing servers undo its third
 * more). Decoded when first asked for; the binary without relaxed SIMD is made out of it.
 */
import { relaxed, relaxedBytes } from '../../generated/kernels.ts';
import { inflate } from './inflate.ts';
import type { Binaries } from './module.ts';
import { plainBinary } from './plainBinary.ts';

function decode(): Uint8Array {
  const text = atob(relaxed);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return inflate(bytes, relaxedBytes);
}

export const embeddedBinaries: Binaries = {
  simd: () => plainBinary(decode()),
  relaxed: decode,
};
