/** int64 arrays beside plain numbers, without a BigInt for each element. Words are little-endian, as on all that runs WebAssembly. */

const WORD = 2 ** 32;

/** Whole numbers as int64. */
export function int64From(list: ArrayLike<number | bigint>): BigInt64Array {
  const out = new BigInt64Array(list.length);
  const words = new Int32Array(out.buffer);
  for (let i = 0; i < list.length; i++) {
    const value = list[i];
    if (typeof value === 'bigint') out[i] = value;
    else {
      words[2 * i] = value;
      words[2 * i + 1] = Math.floor(value / WORD);
    }
  }
  return out;
}

/** 0, 1, … n − 1. */
export function iota(n: number): BigInt64Array {
  const out = new BigInt64Array(n);
  const words = new Uint32Array(out.buffer);
  for (let i = 0; i < n; i++) words[2 * i] = i;
  return out;
}
