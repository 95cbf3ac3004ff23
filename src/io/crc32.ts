/** CRC-32 as in zip and gzip (ISO 3309, polynomial 0xedb88320), four bytes at a time: tables of Intel's slicing-by-4. */

const SLICES = 4;

const tables: readonly Int32Array[] = /* @__PURE__ */ (() => {
  const list = Array.from({ length: SLICES }, () => new Int32Array(256));
  for (let n = 0; n < 256; n++) {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
    list[0][n] = c;
  }
  for (let s = 1; s < SLICES; s++) {
    for (let n = 0; n < 256; n++) {
      const c = list[s - 1][n];
      list[s][n] = (c >>> 8) ^ list[0][c & 0xff];
    }
  }
  return list;
})();

/** The checksum of bytes, or of bytes that follow those whose checksum is `seed`. */
export function crc32(bytes: Uint8Array, seed = 0): number {
  const [t0, t1, t2, t3] = tables;
  let c = ~seed;
  let at = 0;
  for (const end = bytes.length - (bytes.length % 4); at < end; at += 4) {
    c ^= bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
    c = t3[c & 0xff] ^ t2[(c >>> 8) & 0xff] ^ t1[(c >>> 16) & 0xff] ^ t0[c >>> 24];
  }
  for (; at < bytes.length; at++) c = (c >>> 8) ^ t0[(c ^ bytes[at]) & 0xff];
  return ~c >>> 0;
}
