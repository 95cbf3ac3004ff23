/** Whatever the bytes: an idx file is read as it is, or refused with a DataError, in memory of its own size. */
import { deflateRawSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataError } from '../../src/core/errors.ts';
import { bytesSink, inMemory, readIdx } from '../../src/vision/idx.ts';
import { idxFile, imagesFile, labelsFile } from '../support/idxFiles.ts';

const fail = (problem: string, cause?: unknown) => new DataError(`file: ${problem}`, { cause });
const read = (bytes: Uint8Array, itemShape: readonly number[] = [28, 28]) =>
  readIdx(inMemory(bytes), itemShape, fail, bytesSink);

/** Reads a file that may be wrong; resolves with the refusal. */
async function refusal(bytes: Uint8Array, itemShape?: readonly number[]): Promise<string | null> {
  try {
    const { count, items } = await read(bytes, itemShape);
    expect(items.length).toBe(count * (itemShape ?? [28, 28]).reduce((n, size) => n * size, 1));
    return null;
  } catch (error) {
    expect(error).toBeInstanceOf(DataError);
    return (error as DataError).message;
  }
}

const images = imagesFile(3);
const packed = new Uint8Array(gzipSync(images));
const plainOrPacked = fc.constantFrom(
  (bytes: Uint8Array) => bytes,
  (bytes: Uint8Array) => new Uint8Array(gzipSync(bytes)),
);

describe('idx files', () => {
  it('give back what they hold', async () => {
    const files = fc.tuple(
      fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 3 }),
      fc.nat(9),
      plainOrPacked,
    );
    await fc.assert(
      fc.asyncProperty(files, fc.nat(255), async ([itemShape, count, pack], seed) => {
        const length = itemShape.reduce((n, size) => n * size, count);
        const content = Uint8Array.from({ length }, (_, i) => i * 7 + seed);
        const file = idxFile(0x801 + itemShape.length, [count, ...itemShape], content);
        const { count: found, items } = await read(pack(file), itemShape);
        expect([found, Array.from(items)]).toEqual([count, Array.from(content)]);
      }),
    );
  });

  it('are refused when cut anywhere', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(images.length - 1), plainOrPacked, async (length, pack) => {
        expect(await refusal(pack(images.subarray(0, length)))).toMatch(/expected a header|cut short/);
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.nat(packed.length - 1), async (length) => {
        expect(await refusal(packed.subarray(0, length))).toMatch(/corrupt or cut short|header|begins with/);
      }),
    );
  });

  it('are refused when something was added', async () => {
    const added = fc.uint8Array({ minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(added, plainOrPacked, async (more, pack) => {
        const file = new Uint8Array([...images, ...more]);
        expect(await refusal(pack(file))).toMatch(/something was added/);
      }),
    );
  });

  it('are read or refused, never half read, when bytes change', async () => {
    const change = fc.tuple(fc.nat(images.length - 1), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(change, async ([at, byte]) => {
        const file = images.slice();
        file[at] = byte;
        const message = await refusal(file);
        if (at >= 16 || byte === images[at]) expect(message).toBeNull();
        else expect(message).toMatch(/begins|items of size|promises|corrupt/);
      }),
      { numRuns: 300 },
    );
    const packedChange = fc.tuple(fc.nat(packed.length - 1), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(packedChange, async ([at, byte]) => {
        const file = packed.slice();
        file[at] = byte;
        await refusal(file);
      }),
      { numRuns: 300 },
    );
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 64 }), async (file) => {
        expect(await refusal(file)).not.toBeNull();
      }),
    );
  });

  it('do not make room for sizes that cannot be true', async () => {
    const sizes = fc.array(fc.nat(0xffffffff), { minLength: 1, maxLength: 3 });
    const before = process.memoryUsage().arrayBuffers;
    await fc.assert(
      fc.asyncProperty(sizes, plainOrPacked, async (list, pack) => {
        const file = idxFile(0x800 + list.length, list, new Uint8Array(100));
        const message = await refusal(pack(file), list.slice(1));
        const size = list.reduce((n, s) => n * s, 1);
        if (size !== 100) expect(message).toMatch(/promises/);
      }),
    );
    const lie = idxFile(0x803, [0xffffffff, 28, 28], []);
    expect(await refusal(lie)).toMatch(/3367254359280 bytes, but 0 follow/);
    expect(await refusal(new Uint8Array(gzipSync(lie)))).toMatch(/3367254359280 bytes, but fewer follow/);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 2 ** 20);
  });

  it('stop inflating where the file should end', async () => {
    const long = new Uint8Array(50_000_000);
    long.set(labelsFile(1));
    const bomb = new Uint8Array(gzipSync(long));
    const before = process.memoryUsage().arrayBuffers;
    expect(await refusal(bomb, [])).toMatch(/\[1\], 1 bytes, but more follow/);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 2 ** 20);
  });

  it('say what they are instead', async () => {
    expect(await refusal(labelsFile(4))).toMatch(/expected a header of 16 bytes, but got 12 bytes/);
    expect(await refusal(labelsFile(20))).toBe(
      'file: expected an idx file of bytes with 3 dimensions, which begins with 0x00000803, but got 0x00000801',
    );
    expect(await refusal(images, [])).toMatch(/with 1 dimension, which begins with 0x00000801/);
    expect(await refusal(idxFile(0x803, [1, 28, 27], new Uint8Array(28 * 27)))).toMatch(
      /expected items of size 28×28, but its header says 28×27/,
    );
    expect(await refusal(new Uint8Array(deflateRawSync(images)))).toMatch(/begins with/);
  });
});
