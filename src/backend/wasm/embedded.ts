/**
 * The compiled kernels that the build embeds: decoded when first asked for, and only the one that is asked for.
 * Hexadecimal text: twice the bytes, but servers compress it to two thirds of what becomes of base64.
 */
import { relaxed, simd } from '../../generated/kernels.ts';
import type { Binaries } from './module.ts';

function decode(hex: string): Uint8Array {
  const bytes = new Uint8Array(hex.length / 2);
  const digit = (at: number): number => {
    const code = hex.charCodeAt(at);
    return code < 58 ? code - 48 : code - 87;
  };
  for (let i = 0; i < bytes.length; i++) bytes[i] = (digit(2 * i) << 4) | digit(2 * i + 1);
  return bytes;
}

export const embeddedBinaries: Binaries = {
  simd: () => decode(simd),
  relaxed: () => decode(relaxed),
};
