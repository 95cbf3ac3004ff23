/**
 * DEFLATE (RFC 1951), decoded synchronously, which engines do not offer. Only blocks with codes of their own, which is
 * what the build writes; it decodes what it embeds, so nothing is checked here. 75 kB take 5 ms, most of it before the
 * loop below is optimised code: it is written out and keeps its state in local variables.
 */

const END_OF_BLOCK = 256;
const LONGEST_CODE = 15;
/** The order in which a block states the lengths of the codes for its code lengths. */
const LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** For each value of the next bits of the data: 16 · the symbol that they begin with + the length of its code. */
function prefixCode(lengths: Uint8Array): Uint16Array {
  let longest = 1;
  for (const length of lengths) if (length > longest) longest = length;
  const table = new Uint16Array(1 << longest);
  let code = 0; // its bits are read from the lowest on
  for (let length = 1; length <= longest; length++) {
    for (let symbol = 0; symbol < lengths.length; symbol++) {
      if (lengths[symbol] !== length) continue;
      for (let i = code; i < table.length; i += 1 << length) table[i] = (symbol << 4) | length;
      let bit = 1 << (length - 1);
      for (; code & bit; bit >>= 1) code ^= bit;
      code |= bit;
    }
  }
  return table;
}

/** A list of ranges of numbers: where each begins, and the bits of what is added. Every `group` ranges they double. */
function ranges(first: number, count: number, group: number): { base: number[]; extra: number[] } {
  const base: number[] = [];
  const extra: number[] = [];
  for (let i = 0; i < count; i++) {
    base.push(first);
    extra.push(Math.max(0, Math.floor(i / group) - 1));
    first += 1 << extra[i];
  }
  return { base, extra };
}

/** The `size` bytes that `source` was made from. */
export function inflate(source: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(size);
  const lengths = ranges(3, 28, 4);
  lengths.base.push(258);
  lengths.extra.push(0);
  const distances = ranges(1, 30, 2);
  let at = 0;
  let held = 0;
  let bits = 0;
  const fill = () => {
    for (; bits < LONGEST_CODE; bits += 8) held |= source[at++] << bits;
  };
  const take = (count: number): number => {
    fill();
    const value = held & ((1 << count) - 1);
    held >>>= count;
    bits -= count;
    return value;
  };
  const decode = (code: Uint16Array): number => {
    fill();
    const entry = code[held & (code.length - 1)];
    take(entry & 15);
    return entry >> 4;
  };
  const readCodes = (): [Uint16Array, Uint16Array] => {
    const literals = take(5) + 257;
    const all = new Uint8Array(literals + take(5) + 1);
    const order = new Uint8Array(19);
    const stated = take(4) + 4;
    for (let i = 0; i < stated; i++) order[LENGTH_ORDER[i]] = take(3);
    const code = prefixCode(order);
    for (let i = 0; i < all.length; ) {
      const symbol = decode(code);
      let end = i + 1;
      if (symbol < 16) all[i] = symbol;
      else if (symbol > 16) end = i + (symbol === 17 ? take(3) + 3 : take(7) + 11);
      else {
        end = i + take(2) + 3;
        all.fill(all[i - 1], i, end);
      }
      i = end;
    }
    return [prefixCode(all.subarray(0, literals)), prefixCode(all.subarray(literals))];
  };

  for (let to = 0, last = 0; !last; ) {
    last = take(1);
    take(2); // the kind of the block
    const [literal, distance] = readCodes();
    let from = at;
    let word = held;
    let count = bits;
    for (;;) {
      for (; count < LONGEST_CODE; count += 8) word |= source[from++] << count;
      let entry = literal[word & (literal.length - 1)];
      word >>>= entry & 15;
      count -= entry & 15;
      entry >>= 4;
      if (entry < END_OF_BLOCK) {
        out[to++] = entry;
        continue;
      }
      if (entry === END_OF_BLOCK) break;
      for (; count < LONGEST_CODE; count += 8) word |= source[from++] << count;
      let extra = lengths.extra[entry - 257];
      const end = to + lengths.base[entry - 257] + (word & ((1 << extra) - 1));
      word >>>= extra;
      count -= extra;
      for (; count < LONGEST_CODE; count += 8) word |= source[from++] << count;
      entry = distance[word & (distance.length - 1)];
      word >>>= entry & 15;
      count -= entry & 15;
      entry >>= 4;
      for (; count < LONGEST_CODE; count += 8) word |= source[from++] << count;
      extra = distances.extra[entry];
      const back = distances.base[entry] + (word & ((1 << extra) - 1));
      word >>>= extra;
      count -= extra;
      for (; to < end; to++) out[to] = out[to - back];
    }
    at = from;
    held = word;
    bits = count;
  }
  return out;
}
