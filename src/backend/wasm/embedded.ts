/** The compiled kernels that the build embeds as base64: decoded when first asked for, and only the one that is asked for. */
import { relaxed, simd } from '../../generated/kernels.ts';
import type { Binaries } from './module.ts';

function decode(base64: string): Uint8Array {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

export const embeddedBinaries: Binaries = {
  simd: () => decode(simd),
  relaxed: () => decode(relaxed),
};
