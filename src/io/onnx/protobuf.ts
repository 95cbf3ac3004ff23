/** Writing of protocol buffers (https://protobuf.dev/programming-guides/encoding): just what a model file needs. */

const VARINT = 0;
const BYTES = 2;
const FLOAT = 5;

export type Field = Uint8Array;

function varint(value: number | bigint): number[] {
  let rest = BigInt.asUintN(64, BigInt(value));
  const out: number[] = [];
  while (rest > 0x7fn) {
    out.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  out.push(Number(rest));
  return out;
}

/** A whole number. */
export const int = (number: number, value: number | bigint): Field =>
  Uint8Array.from([...varint((number << 3) | VARINT), ...varint(value)]);

/** A number in single precision. */
export function float(number: number, value: number): Field {
  const out = new Uint8Array([...varint((number << 3) | FLOAT), 0, 0, 0, 0]);
  new DataView(out.buffer).setFloat32(out.length - 4, value, true);
  return out;
}

/** Bytes or a text. */
export function bytes(number: number, value: Uint8Array | string): Field {
  const content = typeof value === 'string' ? new TextEncoder().encode(value) : value;
  const head = [...varint((number << 3) | BYTES), ...varint(content.length)];
  const out = new Uint8Array(head.length + content.length);
  out.set(head);
  out.set(content, head.length);
  return out;
}

/** A message inside another one. */
export const message = (number: number, fields: readonly Field[]): Field => bytes(number, joined(fields));

export function joined(fields: readonly Field[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(fields.reduce((sum, field) => sum + field.length, 0));
  let at = 0;
  for (const field of fields) {
    out.set(field, at);
    at += field.length;
  }
  return out;
}
