/** Small idx files like MNIST's, made up. */

/** An idx file of bytes: `magic` and sizes as told, right or wrong. */
export function idxFile(
  magic: number,
  sizes: readonly number[],
  bytes: ArrayLike<number>,
): Uint8Array<ArrayBuffer> {
  const start = 4 + 4 * sizes.length;
  const file = new Uint8Array(start + bytes.length);
  const view = new DataView(file.buffer);
  view.setUint32(0, magic);
  sizes.forEach((size, d) => {
    view.setUint32(4 + 4 * d, size);
  });
  file.set(bytes, start);
  return file;
}

export const IMAGE_BYTES = 28 * 28;

/** Pixels that take all 256 values, with whole rows of zeros among them as real images have. */
export const pixelsOf = (count: number): Uint8Array =>
  Uint8Array.from({ length: count * IMAGE_BYTES }, (_, i) =>
    Math.floor(i / 28) % 5 === 0 ? 0 : (i * 37 + (i >> 8)) % 256,
  );
export const labelsOf = (count: number): Uint8Array =>
  Uint8Array.from({ length: count }, (_, i) => (i * 7 + 5) % 10);

export const imagesFile = (count: number): Uint8Array<ArrayBuffer> =>
  idxFile(0x803, [count, 28, 28], pixelsOf(count));
export const labelsFile = (count: number): Uint8Array<ArrayBuffer> =>
  idxFile(0x801, [count], labelsOf(count));

/** In gzip. */
export async function gzipped(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
