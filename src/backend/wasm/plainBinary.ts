/**
 * The binary for engines without relaxed SIMD, made out of the one with it: each fused multiply-add a·b + c becomes a
 * multiplication and an addition. Its operands a, b, c lie on the stack in this order, so c is put aside in a local:
 *
 *     relaxed_madd   →   local.set c, mul, local.get c, add
 *
 * Optimising compilers make the same code of this as of a multiplication before c.
 */
import { DeviceError } from '../../core/errors.ts';
import { CODE, Cursor, FUNCTIONS, type Section, sections, TYPES } from './sections.ts';

const SIMD = 0xfd;
/** The second byte of relaxed_madd of f32x4 and f64x2; the third is 2. The build makes sure that nothing else looks so. */
const MADD_F32 = 0x85;
const MADD_F64 = 0x87;
const MADD_BYTES = 3;
const V128 = 0x7b;
const LOCAL_GET = 0x20;
const LOCAL_SET = 0x21;

function leb(value: number): number[] {
  const bytes: number[] = [];
  for (; value > 127; value >>>= 7) bytes.push((value & 127) | 128);
  return [...bytes, value];
}

/** The number of parameters of each function. */
function parameterCounts(bytes: Uint8Array): number[] {
  const found = sections(bytes);
  const types = new Cursor(bytes, found.get(TYPES)?.start);
  const vector = <T>(cursor: Cursor, item: () => T): T[] => Array.from({ length: cursor.number() }, item);
  const counts = vector(types, () => {
    types.byte();
    const parameters = types.number();
    types.skip(parameters);
    types.skip(types.number());
    return parameters;
  });
  const functions = new Cursor(bytes, found.get(FUNCTIONS)?.start);
  return vector(functions, () => counts[functions.number()]);
}

function codeSection(bytes: Uint8Array): Section {
  const found = sections(bytes).get(CODE);
  if (!found) throw new DeviceError('wasm: the binary has no code');
  return found;
}

/** Where in [start, end) the relaxed multiply-adds stand. */
function multiplyAdds(bytes: Uint8Array, start: number, end: number): number[] {
  const sites: number[] = [];
  for (let at = bytes.indexOf(SIMD, start); at >= 0 && at < end; at = bytes.indexOf(SIMD, at + 1))
    if ((bytes[at + 1] === MADD_F32 || bytes[at + 1] === MADD_F64) && bytes[at + 2] === 2) sites.push(at);
  return sites;
}

/** How many multiply-adds there are, for the build. */
export function fusedCount(bytes: Uint8Array): number {
  const { start, end } = codeSection(bytes);
  return multiplyAdds(bytes, start, end).length;
}

/** In one typed array: growing an array of numbers takes ten times as long in an engine that has just started. */
function joined(parts: readonly ArrayLike<number>[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** The body of a function from its declarations of locals on, without fused multiply-adds. */
function plainBody(body: Uint8Array, parameters: number): Uint8Array {
  const sites = multiplyAdds(body, 0, body.length);
  if (sites.length === 0) return body;
  const cursor = new Cursor(body);
  const groups = cursor.number();
  const declared = cursor.at;
  let locals = parameters;
  for (let i = 0; i < groups; i++) {
    locals += cursor.number();
    cursor.byte();
  }
  const aside = leb(locals);
  const instead = (mul: number, add: number) => [
    ...[LOCAL_SET, ...aside, SIMD, mul, 1],
    ...[LOCAL_GET, ...aside, SIMD, add, 1],
  ];
  const single = instead(0xe6, 0xe4);
  const double = instead(0xf2, 0xf0);
  const parts: ArrayLike<number>[] = [leb(groups + 1), body.subarray(declared, cursor.at), [1, V128]];
  let from = cursor.at;
  for (const site of sites) {
    parts.push(body.subarray(from, site), body[site + 1] === MADD_F32 ? single : double);
    from = site + MADD_BYTES;
  }
  return joined([...parts, body.subarray(from)]);
}

export function plainBinary(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const code = codeSection(bytes);
  const counts = parameterCounts(bytes);
  const cursor = new Cursor(bytes, code.start);
  const functions = cursor.number();
  const parts: ArrayLike<number>[] = [leb(functions)];
  for (let i = 0; i < functions; i++) {
    const size = cursor.number();
    const body = plainBody(bytes.subarray(cursor.at, cursor.at + size), counts[i]);
    cursor.skip(size);
    parts.push(leb(body.length), body);
  }
  const contents = joined(parts);
  return joined([bytes.subarray(0, code.header), leb(contents.length), contents, bytes.subarray(code.end)]);
}
