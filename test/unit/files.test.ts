/** Files on disk and at addresses: PyTorch's own, an independent reader, ranges, and writes that go wrong. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';
import { DataError, nn, StorageFullError } from '../../src/index.ts';
import { load, openSafetensors, save } from '../../src/io/index.ts';
import { fetchFile } from '../../src/vision/webFiles.ts';
import {
  type Described,
  describeTensor,
  expectedOf,
  fixture,
  fixtureBytes,
  hasPython,
  python,
} from '../support/pythonFiles.ts';

let folder: string;
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'wasmgrad-files-'));
});
afterAll(() => fs.rmSync(folder, { recursive: true }));
const at = (name: string) => path.join(folder, name);

describe('files of the safetensors package', () => {
  it.each(['dtypes.safetensors', 'model.safetensors'])(
    '%s: values, and the same bytes when saved',
    async (name) => {
      const file = await openSafetensors(fixture(name));
      const state = await load(fixture(name));
      const expected = expectedOf(name) as Record<string, Described>;
      expect(file.keys().sort()).toEqual(Object.keys(expected).sort());
      for (const [key, value] of Object.entries(expected)) {
        expect([key, file.info(key).dtype, state[key].shape]).toEqual([key, value.dtype, value.shape]);
        if (state[key].dtype === value.dtype) expect(describeTensor(state[key])).toEqual(value);
      }
      const metadata = name.startsWith('dtypes') ? file.metadata : undefined;
      await save(state, at(name), { metadata });
      expect(fs.readFileSync(at(name)).equals(fixtureBytes(name))).toBe(true);
      await file.close();
    },
  );

  it('load into modules with the same names', async () => {
    class Net extends nn.Module {
      conv = new nn.Conv2d(2, 3, 3, { bias: false });
      norm = new nn.BatchNorm2d(3);
      head = new nn.Linear(12, 4);
      forward(x: torch.Tensor): torch.Tensor {
        return this.head.forward(this.norm.forward(this.conv.forward(x)).flatten(1));
      }
    }
    const net = new Net();
    net.loadStateDict(await load(fixture('model.safetensors')));
    await save(net, at('back.safetensors'));
    expect(fs.readFileSync(at('back.safetensors')).equals(fixtureBytes('model.safetensors'))).toBe(true);
  });
});

describe.skipIf(!hasPython)('an independent reader and writer (Python, skipped where there is none)', () => {
  it('agrees about every dtype, both ways', async () => {
    const state = await load(fixture('dtypes.safetensors'));
    await save(state, at('ours.safetensors'), { metadata: { ключ: '∀"\n', a: '' } });
    const read = JSON.parse(python('safetensors.py', ['read', at('ours.safetensors')]) ?? '');
    expect(read.metadata).toEqual({ ключ: '∀"\n', a: '' });
    const expected = expectedOf('dtypes.safetensors') as Record<string, Described>;
    const seen = Object.fromEntries(
      Object.entries<Described>(read.tensors).map(([key, { shape, hex }]) => [key, { shape, hex }]),
    );
    for (const [key, { shape, hex }] of Object.entries(expected)) expect(seen[key]).toEqual({ shape, hex });
    python('safetensors.py', ['write', at('theirs.safetensors')], JSON.stringify(read));
    const back = await load(at('theirs.safetensors'));
    for (const key of Object.keys(expected))
      expect(describeTensor(back[key])).toEqual(describeTensor(state[key]));
  });
});

describe('reading parts', () => {
  const served = new Map<string, Uint8Array>();
  const log: string[] = [];
  let ranges = true;
  let cut = '';
  let server: http.Server;
  let base: string;
  beforeAll(async () => {
    server = http.createServer((request, response) => {
      const bytes = served.get(request.url ?? '');
      if (request.url === cut) {
        // Less than was promised, then nothing more.
        const [, begin = 0] = /^bytes=(\d+)/.exec(request.headers.range ?? '') ?? [];
        const range = { 'content-range': `bytes ${begin}-${Number(begin) + 7}/1000`, 'content-length': 8 };
        response.writeHead(ranges ? 206 : 200, ranges ? range : { 'content-length': 1000 });
        response.write(Uint8Array.of(1, 2));
        return setTimeout(() => response.destroy(), 50);
      }
      if (!bytes) return response.writeHead(404).end();
      const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
      log.push(request.headers.range ?? 'all');
      if (!range || !ranges) return response.writeHead(200).end(bytes);
      const [begin, end] = [Number(range[1]), Number(range[2])];
      return response
        .writeHead(206, { 'content-range': `bytes ${begin}-${end}/${bytes.length}` })
        .end(bytes.subarray(begin, end + 1));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await save({ a: torch.arange(5), b: torch.full([1000], 7) }, at('parts.safetensors'));
    served.set('/parts.safetensors', new Uint8Array(fs.readFileSync(at('parts.safetensors'))));
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  it('of a path and of a file: URL', async () => {
    for (const source of [at('parts.safetensors'), pathToFileURL(at('parts.safetensors'))]) {
      await using file = await openSafetensors(source);
      expect((await file.get('a')).toArray()).toEqual([0, 1, 2, 3, 4]);
      expect((await file.get('b')).sum().item()).toBe(7000);
    }
  });

  it('of an address: the header and one tensor, nothing else', async () => {
    log.length = 0;
    ranges = true;
    const file = await openSafetensors(new URL(`${base}/parts.safetensors`));
    expect((await file.get('a')).toArray()).toEqual([0, 1, 2, 3, 4]);
    const asked = log.map((range) => range.replace('bytes=', '').split('-').map(Number));
    expect(asked.reduce((sum, [begin, end]) => sum + end - begin + 1, 0)).toBeLessThan(400);
    ranges = false;
    const whole = await openSafetensors(`${base}/parts.safetensors`);
    expect((await whole.get('a')).toArray()).toEqual([0, 1, 2, 3, 4]);
    expect((await load(new URL(`${base}/parts.safetensors`))).b.shape).toEqual([1000]);
  });

  it('of an address that is none, or lies', async () => {
    await expect(load(new URL(`${base}/none`))).rejects.toThrow(
      /none: it cannot be fetched: the server answered 404/,
    );
    await expect(load('http://127.0.0.1:1/x')).rejects.toThrow(
      /x: it cannot be fetched \(.*\); check the address/,
    );
    ranges = true;
    const file = await openSafetensors(`${base}/parts.safetensors`);
    served.set('/parts.safetensors', new Uint8Array(3));
    await expect(file.get('b')).rejects.toThrow(DataError);
  });

  it('of an address whose transfer breaks off', async () => {
    const url = `${base}/cut.safetensors`;
    const problem = /^openSafetensors: .*cut.safetensors: it cannot be read: its transfer broke off \(.+\)$/;
    cut = '/cut.safetensors';
    for (ranges of [false, true]) {
      const error: Error = await openSafetensors(url).then(
        () => expect.unreachable(),
        (reason) => reason,
      );
      expect([error.name, error.message]).toEqual(['DataError', expect.stringMatching(problem)]);
    }
    await expect(load(new URL(url))).rejects.toThrow(DataError);
    const dataset = fetchFile(new URL(url), 'MNIST', async () => true);
    await expect(dataset).rejects.toThrow(
      /^MNIST: .*cut.safetensors cannot be fetched: its transfer broke off/,
    );
    await expect(dataset).rejects.toThrow(DataError);
    cut = '';
  });
});

describe('files of torch.save', () => {
  it('are read by loadTorch, which load says', async () => {
    for (const name of ['model.pth', 'one.pt'])
      await expect(load(fixture(name))).rejects.toThrow(
        "no safetensors file, but an archive, such as torch.save writes: loadTorch reads those, and loadNpz NumPy's",
      );
  });

  it('are not what save writes', async () => {
    for (const ending of ['.pt', '.pth', '.PKL']) {
      const file = at(`model${ending}`);
      await expect(save({ a: torch.ones(3) }, file)).rejects.toThrow(
        `save: torch.load reads no safetensors files, so none is written as ${ending}: name it '${at('model.safetensors')}'`,
      );
      expect(fs.existsSync(file)).toBe(false);
    }
  });
});

describe('a write', () => {
  const state = { a: torch.ones(3) };

  it('replaces a file in one step and leaves nothing behind', async () => {
    const file = at('replaced.safetensors');
    await save(state, file);
    fs.chmodSync(file, 0o640);
    const before = fs.statSync(file);
    await save({ a: torch.zeros(3) }, pathToFileURL(file));
    expect((await load(file)).a.toArray()).toEqual([0, 0, 0]);
    expect(fs.statSync(file).ino).not.toBe(before.ino);
    expect(fs.statSync(file).mode).toBe(before.mode);
    expect(fs.readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('that fails leaves the old file', async () => {
    const file = at('kept.safetensors');
    await save(state, file);
    const x = torch.ones(3);
    const job = save({ x }, file);
    x.add_(1);
    await expect(job).rejects.toThrow(/was changed while it was being saved/);
    expect((await load(file)).a.toArray()).toEqual([1, 1, 1]);
    expect(fs.readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('follows a symbolic link', async () => {
    fs.mkdirSync(at('elsewhere'));
    fs.writeFileSync(at('elsewhere/real'), '');
    fs.symlinkSync(at('elsewhere/real'), at('link'));
    await save(state, at('link'));
    expect(fs.lstatSync(at('link')).isSymbolicLink()).toBe(true);
    expect((await load(at('elsewhere/real'))).a.toArray()).toEqual([1, 1, 1]);
  });

  it('goes straight into a device', async () => {
    await save(state, '/dev/null');
    expect(fs.statSync('/dev/null').isCharacterDevice()).toBe(true);
  });

  it('waits for another one to the same path', async () => {
    const file = at('turns.safetensors');
    await Promise.all([1, 2, 3, 4].map((n) => save({ a: torch.full([2000], n) }, file)));
    expect((await load(file)).a.max().item()).toBe(4);
    expect(fs.readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('of one thread is apart from those of others', async () => {
    const file = at('threads.safetensors');
    const program = at('saves.mjs');
    const entryPoints = ['test/fixtures/savesInThread.ts'];
    await build({ entryPoints, outfile: program, bundle: true, format: 'esm', platform: 'node' });
    const ends = [1, 2, 3].map(
      (value) =>
        new Promise((resolve) => {
          new Worker(program, { workerData: { file, value }, execArgv: [] })
            .on('error', resolve)
            .on('exit', resolve);
        }),
    );
    expect(await Promise.all(ends)).toEqual([0, 0, 0]);
    const { a } = await load(file);
    expect(a.min().item()).toBe(a.max().item());
    expect(fs.readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('removes what a killed process left, and nothing else', async () => {
    const file = at('left.safetensors');
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    const host = os.hostname().replace(/[^\w-]/g, '_');
    const names = [`${host}-${pid}`, `${host}-${pid}-3`, `${host}-${process.ppid}`, `other-host-${pid}`].map(
      (who) => `${file}.${who}.part`,
    );
    for (const name of names) fs.writeFileSync(name, '');
    await save(state, file);
    expect(names.map((name) => fs.existsSync(name))).toEqual([false, false, true, true]);
    for (const name of names.slice(2)) fs.rmSync(name);
  });

  it('says why it is not possible', async () => {
    await expect(save(state, at('no/such/folder'))).rejects.toThrow(
      /save: .*folder: it cannot be written \(ENOENT/,
    );
    await expect(save(state, folder)).rejects.toThrow(/it is a folder/);
    await expect(load(at('missing'))).rejects.toThrow(/load: .*missing: it cannot be read \(ENOENT/);
    await expect(load(folder)).rejects.toThrow(/it is not a regular file/);
  });

  it('to a full disk is a StorageFullError', async () => {
    if (!fs.existsSync('/dev/full')) return;
    const error = await save(state, '/dev/full').then(
      () => null,
      (e: unknown) => e,
    );
    expect(error).toBeInstanceOf(StorageFullError);
    expect(error).toBeInstanceOf(DataError);
    expect(String(error)).toMatch(/there is no room for it; what was there before is intact/);
  });
});
