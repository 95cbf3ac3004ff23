/** A fingerprint of results: equal for equal bits. */

/** FNV-1a (Fowler, Noll and Vo, 1991) over the bytes, 32 bits, as eight hexadecimal digits. */
export function checksum(values: ArrayBufferView): string {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  let hash = 0x811c9dc5;
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}
