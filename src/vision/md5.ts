/** MD5 (RFC 1321): data sets are published with it, and pages have no other implementation. Not for secrets. */

const ROTATIONS = [
  [7, 12, 17, 22],
  [5, 9, 14, 20],
  [4, 11, 16, 23],
  [6, 10, 15, 21],
];
const BLOCK = 64;

/** The digest in hexadecimal. */
export function md5(bytes: Uint8Array): string {
  const sines = Uint32Array.from({ length: BLOCK }, (_, i) => Math.abs(Math.sin(i + 1)) * 2 ** 32);
  const state = new Uint32Array([0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476]);
  const words = new Uint32Array(BLOCK / 4);
  const whole = bytes.length - (bytes.length % BLOCK);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < whole; at += BLOCK) mixBlock(state, view, at, words, sines);
  // The rest, a one bit, zeros, and the length in bits.
  const rest = bytes.subarray(whole);
  const tail = new DataView(new ArrayBuffer(rest.length + 9 <= BLOCK ? BLOCK : 2 * BLOCK));
  new Uint8Array(tail.buffer).set(rest);
  tail.setUint8(rest.length, 0x80);
  tail.setBigUint64(tail.byteLength - 8, BigInt(bytes.length) * 8n, true);
  for (let at = 0; at < tail.byteLength; at += BLOCK) mixBlock(state, tail, at, words, sines);
  const digest = new DataView(new ArrayBuffer(16));
  state.forEach((word, i) => {
    digest.setUint32(4 * i, word);
  });
  return Array.from(state, (_, i) =>
    digest
      .getUint32(4 * i, true)
      .toString(16)
      .padStart(8, '0'),
  ).join('');
}

function mixBlock(
  state: Uint32Array,
  view: DataView,
  at: number,
  words: Uint32Array,
  sines: Uint32Array,
): void {
  for (let i = 0; i < words.length; i++) words[i] = view.getUint32(at + 4 * i, true);
  let [a, b, c, d] = state;
  for (let i = 0; i < BLOCK; i++) {
    const round = i >> 4;
    let mixed: number;
    let pick: number;
    if (round === 0) {
      mixed = (b & c) | (~b & d);
      pick = i;
    } else if (round === 1) {
      mixed = (d & b) | (~d & c);
      pick = 5 * i + 1;
    } else if (round === 2) {
      mixed = b ^ c ^ d;
      pick = 3 * i + 5;
    } else {
      mixed = c ^ (b | ~d);
      pick = 7 * i;
    }
    const sum = (a + mixed + sines[i] + words[pick & 15]) | 0;
    const turn = ROTATIONS[round][i & 3];
    a = d;
    d = c;
    c = b;
    b = (b + ((sum << turn) | (sum >>> (32 - turn)))) | 0;
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
}
