/** CIFAR-10 and CIFAR-100 from folders, archives and the caller's hands: what comes out, and what is refused. */
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { ArgumentError, DataError, data, type Tensor } from '../../src/index.ts';
import { CIFAR10, CIFAR100, transforms } from '../../src/vision/index.ts';
import { entriesOf } from '../../src/vision/tar.ts';

const PIXELS = 3 * 32 * 32;
const pixel = (image: number, at: number): number => (31 * image + 7 * at) % 256;

/** Records of `labels` bytes and a picture, from the image `first` on. */
function records(count: number, first: number, labels = 1): Uint8Array {
  const bytes = new Uint8Array(count * (labels + PIXELS));
  for (let i = 0; i < count; i++) {
    const start = i * (labels + PIXELS);
    bytes.fill(first + i, start, start + labels);
    for (let k = 0; k < PIXELS; k++) bytes[start + labels + k] = pixel(first + i, k);
  }
  return bytes;
}

/** A ustar archive. */
function tar(files: Record<string, Uint8Array>): Uint8Array {
  const blocks = Object.entries(files).flatMap(([name, content]) => {
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write('0000644\0', 100);
    header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
    header.write('        0', 148);
    header.write('ustar', 257);
    const sum = header.reduce((a, b) => a + b, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    return [header, content, new Uint8Array((512 - (content.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, new Uint8Array(1024)]);
}

const train = Object.fromEntries(
  [1, 2, 3, 4, 5].map((i) => [`data_batch_${i}.bin`, records(2, 2 * (i - 1))]),
);
const test = { 'test_batch.bin': records(3, 4) };
const within = (folder: string, files: Record<string, Uint8Array>) =>
  Object.fromEntries(Object.entries(files).map(([name, content]) => [`${folder}/${name}`, content]));
const ten = within('cifar-10-batches-bin', { ...train, ...test, 'readme.html': new Uint8Array(700) });

const temporary: string[] = [];
function folder(files: Record<string, Uint8Array>): string {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'wasmgrad-cifar-'));
  temporary.push(root);
  for (const [name, content] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    fs.writeFileSync(path.join(root, name), content);
  }
  return root;
}
afterAll(() => {
  for (const root of temporary) fs.rmSync(root, { recursive: true });
});

describe('CIFAR', () => {
  it('is the same from a folder, an archive, a served folder and given files', async () => {
    const packed = Buffer.from(tar(ten));
    const server = http.createServer(({ url = '' }, response) => {
      const content = ten[url.slice(1)];
      response.writeHead(content ? 200 : 404).end(content);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const sets = [
      await CIFAR10({ root: folder(ten) }),
      await CIFAR10({ root: folder({ 'cifar-10-binary.tar.gz': gzipSync(packed) }) }),
      await CIFAR10({ root: folder({ 'CIFAR10/cifar-10-binary.tar': packed }) }),
      await CIFAR10({ root: `http://127.0.0.1:${port}` }),
      await CIFAR10({ files: Object.values(train).map((content) => gzipSync(content)) }),
    ];
    server.close();
    for (const set of sets) {
      expect([set.length, set.data.shape, set.targets.toArray()]).toEqual([
        10,
        [10, 3, 32, 32],
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
      ]);
      expect(set.data.select(0, 9).reshape(-1).toArray()).toEqual(
        Array.from({ length: PIXELS }, (_, k) => pixel(9, k)),
      );
    }
    expect(sets[0].classes[3]).toBe('cat');
    const held = await CIFAR10({ root: folder(ten), train: false });
    expect([held.length, held.get(0)[1]]).toEqual([3, 4]);
  });

  it('of a hundred classes has the finer labels', async () => {
    const bytes = records(4, 96, 2);
    bytes[0] = 19;
    const set = await CIFAR100({ root: folder({ 'cifar-100-binary/test.bin': bytes }), train: false });
    expect(set.targets.toArray()).toEqual([96, 97, 98, 99]);
    expect([set.classes.length, set.classes[99]]).toEqual([100, 'worm']);
  });

  it('gives images as height, width and colour, and batches as the samples are', async () => {
    const root = folder(ten);
    const plain = await CIFAR10({ root });
    const [image, label] = plain.get(7);
    expect([image.shape, image.dtype, label]).toEqual([[32, 32, 3], 'uint8', 7]);
    expect(image.select(0, 0).select(0, 1).toArray()).toEqual([1, 1025, 2049].map((k) => pixel(7, k)));
    const [mean, std] = [
      [0.5, 0.4, 0.3],
      [0.2, 0.3, 0.4],
    ];
    for (const transform of [
      null,
      transforms.toTensor(),
      transforms.compose([transforms.toTensor(), transforms.normalize(mean, std)]),
      transforms.compose([
        transforms.toTensor(),
        transforms.normalize(mean, std),
        transforms.centerCrop(20),
        transforms.normalize(mean, std),
      ]),
    ]) {
      const set = await CIFAR10({ root, transform });
      const [images, labels] = [...new data.DataLoader(set, { batchSize: 10 })][0] as [Tensor, Tensor];
      const single = Array.from({ length: 10 }, (_, i) => set.get(i)[0]);
      expect(images.shape).toEqual([10, ...single[0].shape]);
      single.forEach((x, i) => {
        expect(images.select(0, i).equal(x)).toBe(true);
      });
      expect(labels.toArray()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }
  });

  it('refuses what is not its files', async () => {
    const cut = { ...ten, 'cifar-10-batches-bin/data_batch_3.bin': records(1, 0).subarray(1) };
    await expect(CIFAR10({ root: folder(cut) })).rejects.toThrow(
      /is not cifar-10-batches-bin.data_batch_3\.bin: expected whole records of 3073 bytes, but got 3072 bytes/,
    );
    await expect(CIFAR10({ root: folder({}) })).rejects.toThrow(
      'CIFAR10: expected cifar-10-batches-bin/data_batch_1.bin or cifar-10-batches-bin/data_batch_1.bin.gz below the root',
    );
    await expect(CIFAR10({})).rejects.toThrow('CIFAR10: expected root, the folder of the files, or files;');
    await expect(CIFAR10({ files: [] })).rejects.toThrow(ArgumentError);
    const other = { 'cifar-10-batches-bin/test_batch.bin': records(1, 10) };
    await expect(CIFAR10({ root: folder(other), train: false })).rejects.toThrow(
      'expected labels from 0 to 9, but label 0 is 10',
    );
    const { 'cifar-10-batches-bin/data_batch_5.bin': _, ...four } = ten;
    for (const [archive, problem] of [
      [tar(four), 'it does not hold cifar-10-batches-bin/data_batch_5.bin'],
      [tar(ten).subarray(0, 9000), 'it was cut short'],
      [tar(ten).fill(1, 0, 40), 'the checksum of a header is wrong'],
    ] as const) {
      const root = folder({ 'cifar-10-binary.tar': archive });
      await expect(CIFAR10({ root })).rejects.toThrow(problem);
    }
    const broken = gzipSync(tar(ten)).subarray(0, 300);
    await expect(CIFAR10({ root: folder({ 'cifar-10-binary.tar.gz': broken }) })).rejects.toThrow(
      'its gzip data is corrupt or cut short',
    );
  });
});

describe('tar archives', () => {
  const fail = (problem: string) => new DataError(problem);
  const files = { a: new Uint8Array(700).fill(1), b: new Uint8Array(0), c: new Uint8Array(512).fill(3) };
  async function* inPieces(bytes: Uint8Array, size: number) {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }
  const read = async (bytes: Uint8Array, size: number): Promise<[string, number][]> => {
    const found: [string, number][] = [];
    for await (const { name, content } of entriesOf(inPieces(bytes, size), (_, length) => length < 1e6, fail))
      found.push([name, content.length]);
    return found;
  };

  it('are read in pieces of any size', async () => {
    for (const size of [1, 7, 511, 512, 513, 5000]) {
      expect(await read(tar(files), size)).toEqual([
        ['a', 700],
        ['c', 512],
      ]);
    }
  });

  it('that are damaged give files, or an error in words', async () => {
    const whole = tar(files);
    const damage = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(
        damage,
        fc.nat(whole.length),
        fc.integer({ min: 1, max: 900 }),
        async (bytes, end, size) => {
          const broken = whole.slice(0, end);
          for (const [at, value] of bytes) if (at < end) broken[at] = value;
          await read(broken, size).catch((error: unknown) => expect(error).toBeInstanceOf(DataError));
        },
      ),
      { numRuns: 300 },
    );
  });
});
