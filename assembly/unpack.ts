/**
 * LZMA's decoder: a binary of its own, of one kilobyte, that unpacks the binary with the kernels. As WebAssembly it is
 * fast from its first byte on, where the same in JavaScript would be interpreted while it matters. The format is that of
 * Igor Pavlov's specification (lzma-specification.txt of the LZMA SDK), without its header: the build writes with
 * lc = 3, lp = 0, pb = 2 and no mark at the end. It decodes what the build embeds, so nothing is checked here.
 */

const PROBABILITY_BITS: u32 = 11;
const EVEN_ODDS: u16 = 1 << 10;
/** How fast a probability follows what came: by 1/32 of the difference. */
const RATE: u32 = 5;
/** lc: so many high bits of the byte before choose the set of probabilities for a literal. */
const LITERAL_CONTEXT_BITS: u32 = 3;
/** pb: so many low bits of the position choose the probabilities for the kind of what comes next, and for lengths. */
const POSITION_MASK: u32 = (1 << 2) - 1;
const SHORTEST_MATCH: u32 = 2;
/** From this state on the last thing was a match, not a literal. */
const FIRST_MATCH_STATE: u32 = 7;
const ALIGN_BITS: u32 = 4;
/** Distances below this slot have trees of their own; of those from it on only the lowest bits are modelled. */
const FIRST_PLAIN_SLOT: u32 = 14;

// Where in the table of probabilities each kind of decision keeps its own. There are 12 states and 4 positions.
const IS_MATCH: u32 = 0;
const IS_REPEAT: u32 = IS_MATCH + 12 * 4;
const IS_OTHER: u32 = IS_REPEAT + 12;
const IS_THIRD: u32 = IS_OTHER + 12;
const IS_FOURTH: u32 = IS_THIRD + 12;
const IS_LONG: u32 = IS_FOURTH + 12;
const SLOTS: u32 = IS_LONG + 12 * 4;
const DISTANCES: u32 = SLOTS + 4 * 64;
const ALIGN: u32 = DISTANCES + 128;
const MATCH_LENGTH: u32 = ALIGN + 16;
// Of one kind of lengths: two choices, then for each position a tree of 8 leaves and another, and a tree of 256.
const LENGTH_MIDDLE: u32 = 2 + 4 * 8;
const LENGTH_HIGH: u32 = LENGTH_MIDDLE + 4 * 8;
const REPEAT_LENGTH: u32 = MATCH_LENGTH + LENGTH_HIGH + 256;
const LITERALS: u32 = REPEAT_LENGTH + LENGTH_HIGH + 256;
const LITERAL_SIZE: u32 = 0x300;
const PROBABILITIES: u32 = LITERALS + (LITERAL_SIZE << LITERAL_CONTEXT_BITS);

/** Where the source begins: behind the table. */
const SOURCE: u32 = 2 * PROBABILITIES;

let range: u32 = 0;
let code: u32 = 0;
let from: u32 = 0;

function shift(): void {
  if (range >> 24) return;
  range <<= 8;
  code = (code << 8) | load<u8>(from++);
}

function bit(index: u32): u32 {
  const probability: u32 = load<u16>(2 * index);
  const bound = (range >> PROBABILITY_BITS) * probability;
  let one: u32 = 0;
  if (code < bound) {
    range = bound;
    store<u16>(2 * index, probability + (((1 << PROBABILITY_BITS) - probability) >> RATE));
  } else {
    range -= bound;
    code -= bound;
    store<u16>(2 * index, probability - (probability >> RATE));
    one = 1;
  }
  shift();
  return one;
}

function plainBits(count: u32): u32 {
  let value: u32 = 0;
  for (; count; count--) {
    range >>= 1;
    const one: u32 = code >= range ? 1 : 0;
    if (one) code -= range;
    shift();
    value = 2 * value + one;
  }
  return value;
}

function tree(first: u32, leaves: u32): u32 {
  let node: u32 = 1;
  while (node < leaves) node = 2 * node + bit(first + node);
  return node - leaves;
}

/** A tree that is read from the lowest bit on. */
function reversedTree(first: u32, depth: u32): u32 {
  let node: u32 = 1;
  let value: u32 = 0;
  for (let i: u32 = 0; i < depth; i++) {
    const one = bit(first + node);
    node = 2 * node + one;
    value |= one << i;
  }
  return value;
}

function length(first: u32, position: u32): u32 {
  if (!bit(first)) return tree(first + 2 + position * 8, 8);
  if (!bit(first + 1)) return 8 + tree(first + LENGTH_MIDDLE + position * 8, 8);
  return 16 + tree(first + LENGTH_HIGH, 256);
}

/** How far back a match of `SHORTEST_MATCH + more` bytes reaches, less one. */
function distance(more: u32): u32 {
  const slot = tree(SLOTS + min(more, 3) * 64, 64);
  if (slot < 4) return slot;
  const bits = (slot >> 1) - 1;
  const base = (2 | (slot & 1)) << bits;
  if (slot < FIRST_PLAIN_SLOT) return base + reversedTree(DISTANCES + base - slot, bits);
  return base + (plainBits(bits - ALIGN_BITS) << ALIGN_BITS) + reversedTree(ALIGN, ALIGN_BITS);
}

/** A byte. After a match, the byte that would have continued it is a guess at this one, as long as its bits are right. */
function literal(before: u32, guess: u32): u32 {
  const first = LITERALS + LITERAL_SIZE * (before >> (8 - LITERAL_CONTEXT_BITS));
  let node: u32 = 1;
  let guessing: u32 = guess;
  while (guessing && node < 0x100) {
    guessing <<= 1;
    const expected = (guessing >> 8) & 1;
    node = 2 * node + bit(first + ((1 + expected) << 8) + node);
    if ((node & 1) != expected) guessing = 0;
  }
  while (node < 0x100) node = 2 * node + bit(first + node);
  return node;
}

/** Where the caller puts what was packed; of what is unpacked, it tells the place. */
export function source(): u32 {
  return SOURCE;
}

/** Unpacks `size` bytes to `out`, from what lies at `source()`. */
export function unpack(out: u32, size: u32): void {
  for (let i: u32 = 0; i < PROBABILITIES; i++) store<u16>(2 * i, EVEN_ODDS);
  range = 0xffffffff;
  code = bswap(load<u32>(SOURCE + 1)); // the byte before is always 0
  from = SOURCE + 5;

  let state: u32 = 0;
  // How far back the last four matches reached, less one.
  let first: u32 = 0;
  let second: u32 = 0;
  let third: u32 = 0;
  let fourth: u32 = 0;
  for (let to = out; to < out + size; ) {
    const position = (to - out) & POSITION_MASK;
    const afterLiteral = state < FIRST_MATCH_STATE;
    if (!bit(IS_MATCH + state * 4 + position)) {
      const before: u32 = to > out ? load<u8>(to - 1) : 0;
      store<u8>(to, literal(before, afterLiteral ? 0 : 0x100 | load<u8>(to - first - 1)));
      to++;
      state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
      continue;
    }
    let count: u32 = 1;
    if (!bit(IS_REPEAT + state)) {
      const more = length(MATCH_LENGTH, position);
      count = SHORTEST_MATCH + more;
      fourth = third;
      third = second;
      second = first;
      first = distance(more);
      state = afterLiteral ? 7 : 10;
    } else {
      const other = bit(IS_OTHER + state);
      if (other) {
        let chosen = second;
        if (bit(IS_THIRD + state)) {
          chosen = third;
          if (bit(IS_FOURTH + state)) {
            chosen = fourth;
            fourth = third;
          }
          third = second;
        }
        second = first;
        first = chosen;
      }
      if (other || bit(IS_LONG + state * 4 + position)) {
        count = SHORTEST_MATCH + length(REPEAT_LENGTH, position);
        state = afterLiteral ? 8 : 11;
      } else state = afterLiteral ? 9 : 11;
    }
    for (const end = to + count; to < end; to++) store<u8>(to, load<u8>(to - first - 1));
  }
}
