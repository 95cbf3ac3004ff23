/** Safetensors files byte by byte, right and wrong ones. */

export interface Entry {
  dtype: string;
  shape: readonly unknown[];
  data_offsets: readonly unknown[];
}

/** A file of a header, given as text or as an object, and the bytes behind it. */
export function safetensorsFile(
  header: string | Record<string, unknown>,
  data: Uint8Array = new Uint8Array(0),
  length?: bigint,
): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const file = new Uint8Array(8 + text.length + data.length);
  new DataView(file.buffer).setBigUint64(0, length ?? BigInt(text.length), true);
  file.set(text, 8);
  file.set(data, 8 + text.length);
  return file;
}
