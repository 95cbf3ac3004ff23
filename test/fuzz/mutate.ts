/** Changes to files, of the kinds that find bugs in parsers. */

type Bytes = Uint8Array<ArrayBuffer>;

/** 32 random bits. */
export type Draw = () => number;

/** Marsaglia's xorshift32: the same seed gives the same changes. */
export function xorshift(seed: number): Draw {
  let x = seed | 1;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x >>> 0;
  };
}

const INTERESTING = [0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];
const TOKENS = [
  '"__proto__"',
  '"__metadata__"',
  '"dtype"',
  '"shape"',
  '"data_offsets"',
  '[',
  ']',
  '{',
  '}',
  ',',
  ':',
  '"F32"',
  '"F16"',
  '"U64"',
  '1e999',
  '-1',
  '9007199254740993',
  '\\u0000',
  '\xff',
  'cos\nsystem\n',
  'ctorch\nFloatStorage\n',
  'R.',
  '(t.',
  'PK\x01\x02',
  'PK\x05\x06',
  "'descr'",
  "'<f4'",
  "'shape': (",
  'True',
  '"$number"',
  '"$tensor"',
  '"$map"',
  '"wasmgrad.structure"',
];

function spliced(bytes: Bytes, at: number, removed: number, inserted: Uint8Array): Bytes {
  const out = new Uint8Array(bytes.length - removed + inserted.length);
  out.set(bytes.subarray(0, at));
  out.set(inserted, at);
  out.set(bytes.subarray(at + removed), at + inserted.length);
  return out;
}

/** One to eight changes of a file, taking parts of another one. */
export function mutate(original: Bytes, other: Bytes, draw: Draw): Bytes {
  let bytes = original.slice();
  for (let changes = 1 + (draw() % 8); changes > 0; changes--) {
    const at = draw() % (bytes.length + 1);
    const length = Math.min(draw() % 32, bytes.length - at);
    switch (draw() % 8) {
      case 0:
        if (at < bytes.length) bytes[at] ^= 1 << (draw() % 8);
        break;
      case 1:
        if (at < bytes.length) bytes[at] = draw();
        break;
      case 2: {
        const size = 1 << (draw() % 4);
        const value =
          BigInt(INTERESTING[draw() % INTERESTING.length]) * (draw() % 4 === 0 ? 0x100000001n : 1n);
        for (let i = 0; i < size && at + i < bytes.length; i++)
          bytes[at + i] = Number((value >> BigInt(8 * i)) & 0xffn);
        break;
      }
      case 3:
        bytes = spliced(bytes, at, length, new Uint8Array(0));
        break;
      case 4: {
        const token = TOKENS[draw() % TOKENS.length];
        bytes = spliced(
          bytes,
          at,
          draw() % 2 ? Math.min(token.length, bytes.length - at) : 0,
          Uint8Array.from(token, (c) => c.charCodeAt(0)),
        );
        break;
      }
      case 5:
        bytes = spliced(bytes, draw() % (bytes.length + 1), 0, bytes.slice(at, at + length));
        break;
      case 6: {
        const from = draw() % (other.length + 1);
        bytes = spliced(bytes, at, length, other.subarray(from, from + (draw() % 64)));
        break;
      }
      default:
        if (draw() % 8 === 0) bytes = bytes.slice(0, at);
        else if (at < bytes.length) bytes[at] += draw() % 2 ? 1 : 255;
    }
  }
  return bytes.length > 1 << 16 ? bytes.slice(0, 1 << 16) : bytes;
}
