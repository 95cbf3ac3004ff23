// Reading ahead by hand. A loop that visits memory in an order that no prefetcher foresees waits for each cache line by
// itself, once its own work fills the processor's window; reads without work between them are waited for together.

export abstract class Ahead {
  /** Rows in random order that are asked for together, and how much of each: beyond that the processor reads ahead. */
  static readonly ROWS: usize = 8;
  static readonly BYTES: usize = 1024;
  /** Tables of fewer bytes are mostly in a cache that answers soon. */
  static readonly LEAST_TABLE: usize = 1 << 20;

  /** Asks for the cache lines of `bytes` bytes. */
  // @ts-ignore: decorator
  @inline
  static ask(from: usize, bytes: usize): void {
    const end = from + bytes;
    for (let line = from; line < end; line += 64) load<u8>(line);
  }
}
