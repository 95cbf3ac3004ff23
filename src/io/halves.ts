/**
 * The floating formats that files have and tensors have not: IEEE half precision, bfloat16, and the two 8-bit formats of
 * the Open Compute Project (OCP 8-bit Floating Point Specification, 2023). Widening to float32 is exact, NaN payloads
 * included; narrowing rounds to nearest, ties to even. All of it works on bit patterns: a float32 read as a number
 * would lose the payload of a signalling NaN.
 */

const F32_EXPONENT = 0x7f800000;
const F32_SIGN = 0x80000000;

/** A format with sign, exponent and mantissa, in that order from the top, that is narrower than float32. */
interface Narrow {
  readonly bytes: 1 | 2;
  readonly exponentBits: number;
  readonly mantissaBits: number;
  /** The highest exponent means infinity and NaN. Without: only its highest mantissa is NaN, and there is no infinity. */
  readonly ieee: boolean;
}

export const narrowFormats = {
  float16: { bytes: 2, exponentBits: 5, mantissaBits: 10, ieee: true },
  bfloat16: { bytes: 2, exponentBits: 8, mantissaBits: 7, ieee: true },
  float8_e5m2: { bytes: 1, exponentBits: 5, mantissaBits: 2, ieee: true },
  float8_e4m3fn: { bytes: 1, exponentBits: 4, mantissaBits: 3, ieee: false },
} satisfies Record<string, Narrow>;

export type NarrowName = keyof typeof narrowFormats;

/** The float32 bits of one value. */
function widenOne(code: number, { bytes, exponentBits, mantissaBits, ieee }: Narrow): number {
  const sign = (code >>> (8 * bytes - 1)) & 1 ? F32_SIGN : 0;
  const exponent = (code >>> mantissaBits) & ((1 << exponentBits) - 1);
  const mantissa = code & ((1 << mantissaBits) - 1);
  const highest = (1 << exponentBits) - 1;
  const up = 23 - mantissaBits;
  if (exponent === highest && (ieee || mantissa === (1 << mantissaBits) - 1)) {
    return (sign | F32_EXPONENT | (mantissa << up)) >>> 0;
  }
  const rebias = 128 - (1 << (exponentBits - 1));
  if (exponent > 0) return (sign | ((exponent + rebias) << 23) | (mantissa << up)) >>> 0;
  if (mantissa === 0 || rebias === 0) return (sign | (mantissa << up)) >>> 0;
  // A denormal number of the narrow format is a normal one of float32.
  const shift = Math.clz32(mantissa) - (31 - mantissaBits);
  const fraction = (mantissa << (shift + up)) & 0x7fffff;
  return (sign | ((rebias + 1 - shift) << 23) | fraction) >>> 0;
}

/** The narrow code of float32 bits. */
function narrowOne(bits: number, { bytes, exponentBits, mantissaBits, ieee }: Narrow): number {
  const sign = bits >>> 31 ? 1 << (8 * bytes - 1) : 0;
  const magnitude = bits & 0x7fffffff;
  const down = 23 - mantissaBits;
  const nan = (1 << (exponentBits + mantissaBits)) - 1;
  if (magnitude > F32_EXPONENT) {
    if (!ieee) return sign | nan;
    // A payload of which nothing is left would read as infinity.
    const payload = (magnitude & 0x7fffff) >>> down || 1 << (mantissaBits - 1);
    return sign | (((1 << exponentBits) - 1) << mantissaBits) | payload;
  }
  const rebias = 128 - (1 << (exponentBits - 1));
  const exponent = magnitude >>> 23;
  let code: number;
  if (exponent > rebias || rebias === 0) {
    code = roundShift(magnitude, down) - (rebias << mantissaBits);
  } else {
    // The result is denormal; beyond 24 places nothing can round up any more.
    const shift = down + rebias + 1 - exponent;
    code = shift > 24 + down || exponent === 0 ? 0 : roundShift((magnitude & 0x7fffff) | 0x800000, shift);
  }
  const infinity = ((1 << exponentBits) - 1) << mantissaBits;
  if (ieee) return sign | Math.min(code, infinity);
  return sign | Math.min(code, nan);
}

/** value / 2^shift, to nearest, ties to even. */
function roundShift(value: number, shift: number): number {
  if (shift >= 32) return 0;
  const kept = value >>> shift;
  const rest = value & (2 ** shift - 1);
  const half = 2 ** (shift - 1);
  return rest > half || (rest === half && (kept & 1) === 1) ? kept + 1 : kept;
}

const tables = new Map<NarrowName, Uint32Array>();

function wideningTable(name: NarrowName): Uint32Array {
  let table = tables.get(name);
  if (!table) {
    const format = narrowFormats[name];
    table = Uint32Array.from({ length: 2 ** (8 * format.bytes) }, (_, code) => widenOne(code, format));
    tables.set(name, table);
  }
  return table;
}

/** Little-endian values of a narrow format as float32. */
export function widen(bytes: Uint8Array, name: NarrowName): Float32Array<ArrayBuffer> {
  const count = bytes.length / narrowFormats[name].bytes;
  const out = new Float32Array(count);
  const bits = new Uint32Array(out.buffer);
  if (name === 'bfloat16') {
    for (let i = 0; i < count; i++) bits[i] = (bytes[2 * i] << 16) | (bytes[2 * i + 1] << 24);
    return out;
  }
  const table = wideningTable(name);
  if (narrowFormats[name].bytes === 1) for (let i = 0; i < count; i++) bits[i] = table[bytes[i]];
  else for (let i = 0; i < count; i++) bits[i] = table[bytes[2 * i] | (bytes[2 * i + 1] << 8)];
  return out;
}

/** float32 as little-endian values of a narrow format. */
export function narrow(values: Float32Array, name: NarrowName): Uint8Array<ArrayBuffer> {
  const format = narrowFormats[name];
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const out = new Uint8Array(values.length * format.bytes);
  for (let i = 0; i < bits.length; i++) {
    const code = narrowOne(bits[i], format);
    if (format.bytes === 1) out[i] = code;
    else {
      out[2 * i] = code;
      out[2 * i + 1] = code >>> 8;
    }
  }
  return out;
}
