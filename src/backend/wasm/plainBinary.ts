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

/** Whether a relaxed multiply-add stands here. */
const isMadd = (bytes: Uint8Array, at: number): boolean =>
  bytes[at] === SIMD && (bytes[at + 1] === MADD_F32 || bytes[at + 1] === MADD_F64) && bytes[at + 2] === 2;

/** How many multiply-adds there are, for the build. */
export function fusedCount(bytes: Uint8Array): number {
  const { start, end } = codeSection(bytes);
  let count = 0;
  for (let at = start; at < end; at++) if (isMadd(bytes, at)) count++;
  return count;
}

/** The body of a function from its declarations of locals on, without fused multiply-adds. */
function plainBody(body: Uint8Array, parameters: number): number[] | Uint8Array {
  const sites: number[] = [];
  for (let at = 0; at < body.length; at++) if (isMadd(body, at)) sites.push(at);
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
  const out = [...leb(groups + 1), ...body.subarray(declared, cursor.at), 1, V128];
  let from = cursor.at;
  for (const site of sites) {
    const [mul, add] = body[site + 1] === MADD_F32 ? [0xe6, 0xe4] : [0xf2, 0xf0];
    out.push(
      ...body.subarray(from, site),
      LOCAL_SET,
      ...aside,
      SIMD,
      mul,
      1,
      LOCAL_GET,
      ...aside,
      SIMD,
      add,
      1,
    );
    from = site + 3;
  }
  out.push(...body.subarray(from));
  return out;
}

export function plainBinary(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const code = codeSection(bytes);
  const counts = parameterCounts(bytes);
  const cursor = new Cursor(bytes, code.start);
  const functions = cursor.number();
  const contents = leb(functions);
  for (let i = 0; i < functions; i++) {
    const size = cursor.number();
    const body = plainBody(bytes.subarray(cursor.at, cursor.at + size), counts[i]);
    cursor.skip(size);
    for (const byte of leb(body.length)) contents.push(byte);
    for (const byte of body) contents.push(byte);
  }
  const size = leb(contents.length);
  const start = code.header + size.length;
  const out = new Uint8Array(start + contents.length + bytes.length - code.end);
  out.set(bytes.subarray(0, code.header));
  out.set(size, code.header);
  out.set(contents, start);
  out.set(bytes.subarray(code.end), start + contents.length);
  return out;
}
