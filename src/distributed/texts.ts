/** Short texts from every process to every process: names, shapes, seeds; not data. */
import type { Elements, Transport } from './transport.ts';
import type { WorkQueue } from './work.ts';

/** Off the JavaScript heap, so that its address stays. */
const bytesOf = (length: number): Uint8Array =>
  new Uint8Array(new ArrayBuffer(Math.max(length, 64)), 0, length);

const elements = (transport: Transport, bytes: Uint8Array): Elements => ({
  address: transport.address(bytes),
  count: bytes.length,
  dtype: 'uint8',
});

/** Every process's text, by rank. */
export function gatherTexts(transport: Transport, queue: WorkQueue, text: string): string[] {
  const encoded = new TextEncoder().encode(text);
  const lengths = gather(transport, queue, new Uint8Array(new Uint32Array([encoded.length]).buffer));
  const sizes = lengths.map((bytes) => new Uint32Array(bytes.slice().buffer)[0]);
  const padded = bytesOf(Math.max(...sizes, 1));
  padded.set(encoded);
  const decoder = new TextDecoder();
  return gather(transport, queue, padded).map((bytes, rank) =>
    decoder.decode(bytes.subarray(0, sizes[rank])),
  );
}

/** The same number of bytes from every process. */
function gather(transport: Transport, queue: WorkQueue, mine: Uint8Array): Uint8Array[] {
  const from = bytesOf(mine.length);
  from.set(mine);
  const to = bytesOf(mine.length * transport.size);
  queue.drain();
  queue.await(
    transport.allGather(elements(transport, from), elements(transport, to)),
    'the exchange of texts',
  );
  // The library knows it by its address only: used here, it has not been collected while it was read.
  from.fill(0);
  return Array.from({ length: transport.size }, (_, r) =>
    to.subarray(r * mine.length, (r + 1) * mine.length),
  );
}
