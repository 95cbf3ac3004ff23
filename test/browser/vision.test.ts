/** MNIST in pages: files from addresses and mirrors, kept in the Cache storage. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ArgumentError, DataError } from '../../src/index.ts';
import { digits } from '../../src/vision/archives.ts';
import { MNIST } from '../../src/vision/index.ts';
import { md5 } from '../../src/vision/md5.ts';
import { downloadToCache } from '../../src/vision/webFiles.ts';
import { gzipped, imagesFile, labelsFile, labelsOf } from '../support/idxFiles.ts';

const CACHE = 'wasmgrad-datasets';
const COUNT = 5;
const labels = Array.from(labelsOf(COUNT));
const page = (name: string) => new URL(name, document.baseURI).href;

/** What a server has, by address; what was asked of it. */
let served: Record<string, Response | (() => Response)> = {};
let asked: string[] = [];

beforeEach(async () => {
  await caches.delete(CACHE);
  served = {};
  asked = [];
  vi.stubGlobal('fetch', async (input: string | URL) => {
    const url = String(input);
    asked.push(url);
    const answer = served[url];
    if (answer === undefined) return new Response('none', { status: 404 });
    return typeof answer === 'function' ? answer() : answer.clone();
  });
});
afterEach(async () => {
  vi.unstubAllGlobals();
  await caches.delete(CACHE);
});

const root = 'sets/mnist';
const serveRoot = async (images = imagesFile(COUNT)) => {
  served[page(`${root}/train-images-idx3-ubyte.gz`)] = new Response(await gzipped(images));
  served[page(`${root}/train-labels-idx1-ubyte`)] = new Response(labelsFile(COUNT));
};

describe('a served folder', () => {
  it('is read once, gzipped or plain', async () => {
    await serveRoot();
    expect((await MNIST({ root })).targets.toArray()).toEqual(labels);
    expect(asked).toEqual([
      page(`${root}/train-labels-idx1-ubyte.gz`),
      page(`${root}/train-labels-idx1-ubyte`),
      page(`${root}/train-images-idx3-ubyte.gz`),
    ]);
    asked = [];
    expect((await MNIST({ root: `${root}/` })).data.shape).toEqual([COUNT, 28, 28]);
    expect(asked).toEqual([page(`${root}/train-labels-idx1-ubyte.gz`)]);
  });

  it('keeps nothing that is wrong, and forgets what has become so', async () => {
    await serveRoot(imagesFile(COUNT).slice(0, 2000));
    await expect(MNIST({ root })).rejects.toThrow(/images-idx3-ubyte\.gz is not .*: the file was cut short/);
    await serveRoot();
    expect((await MNIST({ root })).length).toBe(COUNT);
    const cache = await caches.open(CACHE);
    await cache.put(page(`${root}/train-images-idx3-ubyte.gz`), new Response('spoilt'));
    asked = [];
    expect((await MNIST({ root })).length).toBe(COUNT);
    expect(asked).toContain(page(`${root}/train-images-idx3-ubyte.gz`));
  });

  it('that lacks a file is a DataError, start pages of servers too', async () => {
    await expect(MNIST({ root })).rejects.toThrow(DataError);
    for (const ending of ['', '.gz']) {
      served[page(`${root}/train-labels-idx1-ubyte${ending}`)] = new Response('<!doctype html>', {
        headers: { 'content-type': 'text/html; charset=utf-8' },
      });
    }
    await expect(MNIST({ root })).rejects.toThrow(/the server has neither/);
  });
});

describe('single addresses', () => {
  it('are relative to the page, and kept', async () => {
    served[page('a.idx')] = new Response(imagesFile(COUNT));
    served[page('b.idx')] = new Response(labelsFile(COUNT));
    for (let time = 0; time < 2; time++) {
      const set = await MNIST({ images: 'a.idx', labels: new URL('b.idx', document.baseURI) });
      expect(set.targets.toArray()).toEqual(labels);
    }
    expect(asked).toEqual([page('b.idx'), page('a.idx')]);
  });

  it('that cannot be fetched say what to check', async () => {
    served[page('b.idx')] = () => {
      throw new TypeError('Failed to fetch');
    };
    await expect(MNIST({ images: 'a.idx', labels: 'b.idx' })).rejects.toThrow(
      /b\.idx cannot be fetched \(Failed to fetch\); check the address, the connection, .*CORS/,
    );
    await expect(MNIST({ images: 'a.idx', labels: 'http://' })).rejects.toThrow(
      /'http:\/\/' is not an address/,
    );
  });
});

describe('download', () => {
  it('takes the first mirror with the right file, and keeps it', async () => {
    const content = await gzipped(labelsFile(COUNT));
    const file = { name: 'some-labels', md5: md5(content) };
    const mirrors = ['https://wrong.example/', 'https://right.example/sets'];
    served['https://wrong.example/some-labels.gz'] = new Response('no');
    served['https://right.example/sets/some-labels.gz'] = new Response(content);
    const seen: number[] = [];
    const load = () => downloadToCache(digits, file, mirrors, ({ received }) => seen.push(received));
    expect(await load()).toEqual(content);
    expect(seen[seen.length - 1]).toBe(content.length);
    expect(asked).toHaveLength(2);
    expect(await load()).toEqual(content);
    expect(asked).toHaveLength(2);
  });

  it('offline names the file and what to do', async () => {
    const failure = MNIST({ download: true });
    await expect(failure).rejects.toThrow(DataError);
    await expect(failure).rejects.toThrow(
      /train-labels-idx1-ubyte\.gz could not be downloaded:[\s\S]*404[\s\S]*serve the file yourself/,
    );
    expect(asked).toHaveLength(digits.mirrors.length);
  });

  it('or a root is needed', async () => {
    await expect(MNIST({})).rejects.toThrow(ArgumentError);
  });
});
