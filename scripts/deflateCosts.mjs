// What each byte of a text costs once the text is gzipped: the bits of its literal, or its part of the bits of the match
// that it belongs to. Reads a raw DEFLATE stream (RFC 1951).

const CODE_LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const END_OF_BLOCK = 256;

/** Base and extra bits of the symbols of lengths (257…) and of distances: groups of the same number of extra bits. */
function ranges(/** @type {number} */ first, /** @type {number[]} */ counts) {
  const base = [];
  const extra = [];
  let next = first;
  for (const [bits, count] of counts.entries())
    for (let i = 0; i < count; i++) {
      base.push(next);
      extra.push(bits);
      next += 2 ** bits;
    }
  return { base, extra };
}
const LENGTHS = ranges(3, [8, 4, 4, 4, 4, 4]);
LENGTHS.base[28] = 258; // by the standard, in place of what would follow
LENGTHS.extra[28] = 0;
const DISTANCES = ranges(1, [4, ...new Array(13).fill(2)]);

class Bits {
  at = 0;
  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.bytes = bytes;
  }
  one() {
    const bit = (this.bytes[this.at >> 3] >> (this.at & 7)) & 1;
    this.at++;
    return bit;
  }
  /** A number, least significant bit first. */
  number(/** @type {number} */ count) {
    let value = 0;
    for (let i = 0; i < count; i++) value |= this.one() << i;
    return value;
  }
}

/** A canonical Huffman code: `1`, then the bits of the code → symbol. */
function huffman(/** @type {number[]} */ lengths) {
  const symbols = new Map();
  let code = 0;
  for (let length = 1; length <= 15; length++) {
    for (const [symbol, own] of lengths.entries())
      if (own === length) symbols.set((1 << length) | code++, symbol);
    code <<= 1;
  }
  return symbols;
}

function symbolOf(/** @type {Bits} */ bits, /** @type {Map<number, number>} */ code) {
  for (let word = 1; word <= 0xffff; word = (word << 1) | bits.one()) {
    const symbol = code.get(word);
    if (symbol !== undefined) return symbol;
  }
  throw new Error('deflateCosts: not a DEFLATE stream');
}

const repeated = (/** @type {number} */ count, /** @type {number} */ value) => new Array(count).fill(value);
const FIXED = [
  huffman([...repeated(144, 8), ...repeated(112, 9), ...repeated(24, 7), ...repeated(8, 8)]),
  huffman(repeated(30, 5)),
];

/** The codes of literals and lengths, and of distances, at the head of a block. */
function dynamicCodes(/** @type {Bits} */ bits) {
  const literals = bits.number(5) + 257;
  const distances = bits.number(5) + 1;
  const count = bits.number(4) + 4;
  const lengths = new Array(19).fill(0);
  for (const place of CODE_LENGTH_ORDER.slice(0, count)) lengths[place] = bits.number(3);
  const code = huffman(lengths);
  /** @type {number[]} */
  const all = [];
  while (all.length < literals + distances) {
    const symbol = symbolOf(bits, code);
    if (symbol < 16) all.push(symbol);
    else if (symbol === 16) all.push(...repeated(3 + bits.number(2), all[all.length - 1]));
    else all.push(...repeated(symbol === 17 ? 3 + bits.number(3) : 11 + bits.number(7), 0));
  }
  return [huffman(all.slice(0, literals)), huffman(all.slice(literals))];
}

/**
 * @param {Uint8Array} stream raw DEFLATE, as of `deflateRawSync`
 * @returns {number[]} bits that each byte of the content took; heads of blocks are nobody's
 */
export function deflateCosts(stream) {
  const bits = new Bits(stream);
  /** @type {number[]} */
  const costs = [];
  for (let last = 0; last === 0; ) {
    last = bits.one();
    const kind = bits.number(2);
    if (kind === 0) {
      bits.at = (bits.at + 7) & ~7;
      const count = bits.number(16);
      bits.at += 16 + 8 * count;
      costs.push(...repeated(count, 8));
      continue;
    }
    const [literals, distances] = kind === 1 ? FIXED : dynamicCodes(bits);
    for (;;) {
      const start = bits.at;
      const symbol = symbolOf(bits, literals);
      if (symbol === END_OF_BLOCK) break;
      if (symbol < END_OF_BLOCK) {
        costs.push(bits.at - start);
        continue;
      }
      const length = LENGTHS.base[symbol - 257] + bits.number(LENGTHS.extra[symbol - 257]);
      bits.number(DISTANCES.extra[symbolOf(bits, distances)]);
      costs.push(...repeated(length, (bits.at - start) / length));
    }
  }
  return costs;
}
