/** Whatever the bytes: every parser of files reads them or refuses them with a DataError, within bounds, and changes nothing. */
import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { DataError } from '../../src/core/errors.ts';
import { crc32 } from '../../src/io/crc32.ts';
import { load, loadNpy, loadNpz, loadTorch } from '../../src/io/index.ts';
import { type ZipFile, zipChunks } from '../../src/io/zip.ts';
import { mutate, xorshift } from '../fuzz/mutate.ts';
import { type Target, targets } from '../fuzz/targets.ts';
import { fixtureBytes } from '../support/pythonFiles.ts';

type Bytes = Uint8Array<ArrayBuffer>;

let all: Record<string, Target>;
beforeAll(async () => {
  all = await targets();
});

const text = (content: string): Bytes => Uint8Array.from(content, (c) => c.charCodeAt(0));

async function zip(files: Record<string, Uint8Array>, compress = false): Promise<Bytes> {
  const list: ZipFile[] = Object.entries(files).map(([name, bytes]) => ({ name, pieces: [bytes] }));
  const parts: Bytes[] = [];
  for await (const chunk of zipChunks(list, compress)) parts.push(chunk as Bytes);
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

async function refusal(job: Promise<unknown>): Promise<string> {
  const error: unknown = await job.then(
    () => null,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(DataError);
  return String(error);
}

describe('changed files', () => {
  it.each(['safetensors', 'checkpoint', 'torch', 'npy', 'npz', 'idx', 'gzip', 'json'])('%s', async (name) => {
    const { seeds, run } = all[name];
    for (const seed of seeds) await run(seed);
    const end = performance.now() + 1200;
    const from = fc.constantFrom(...seeds);
    await fc.assert(
      fc.asyncProperty(fc.integer(), from, from, async (seed, bytes, other) => {
        if (performance.now() < end) await run(mutate(bytes, other, xorshift(seed)));
      }),
      { numRuns: 400 },
    );
  });

  it('of arbitrary bytes behind each beginning', async () => {
    const beginnings = [
      '',
      'PK\x03\x04',
      '\x93NUMPY\x01\x00\x10\x00',
      '\x80\x02',
      '\x02\0\0\0\0\0\0\0{}',
      '\x1f\x8b\x08',
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...beginnings),
        fc.uint8Array({ maxLength: 64 }),
        async (start, rest) => {
          const bytes = Uint8Array.from([...text(start), ...rest]);
          for (const { run } of Object.values(all)) await run(bytes);
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('archives', () => {
  const entry = (bytes: Bytes) => {
    const view = new DataView(bytes.buffer);
    let at = bytes.length - 22;
    at = view.getUint32(at + 16, true);
    return { view, at };
  };
  const npy = fixtureBytes('int8.npy');

  it('that promise more than they hold, or hold more than they promise', async () => {
    const bomb = deflateRawSync(Buffer.alloc(1 << 20));
    const bytes = await zip({ 'a.npy': bomb });
    const { view, at } = entry(bytes);
    for (const header of [0, at]) {
      const place = header === 0 ? 8 : at + 10;
      view.setUint16(place, 8, true); // deflated
    }
    view.setUint32(at + 24, 100, true);
    expect(await refusal(loadNpz(bytes))).toMatch(/holds more than the promised 100 bytes/);
    view.setUint32(at + 24, 2 ** 31, true);
    expect(await refusal(loadNpz(bytes))).toMatch(/cannot have 2147483648 bytes, packed in/);
    view.setUint32(at + 24, 1 << 20, true);
    expect(await refusal(loadNpz(bytes, { maxBytes: 1 << 19 }))).toMatch(/larger than the limit/);
  });

  it('whose entries are one inside the other', async () => {
    const bytes = await zip({ a: npy, b: npy });
    const { view, at } = entry(bytes);
    const second = at + 46 + 1;
    view.setUint32(second + 42, 0, true); // both begin at the same place
    expect(await refusal(loadNpz(bytes))).toMatch(/overlaps what follows it/);
  });

  it('with a name twice, damage, encryption, and methods that are not known', async () => {
    const twice = await zip({ a: npy, b: npy });
    const { at } = entry(twice);
    twice[at + 46 + 1 + 46] = 'a'.charCodeAt(0);
    expect(await refusal(loadNpz(twice))).toMatch(/same name twice/);
    const damaged = await zip({ a: npy });
    damaged[damaged.length - 90] ^= 1;
    expect(await refusal(loadNpz(damaged))).toMatch(/the checksum differs/);
    for (const [offset, value, message] of [
      [8, 1, /encrypted/],
      [10, 12, /packed by method 12/],
    ] as const) {
      const bytes = await zip({ a: npy });
      const { view, at: place } = entry(bytes);
      view.setUint16(place + offset, value, true);
      expect(await refusal(loadNpz(bytes))).toMatch(message);
    }
  });

  it('of zip64 are read', async () => {
    const bytes = await zip({ 'a.npy': npy });
    const { view, at } = entry(bytes);
    const directory = bytes.slice(at, bytes.length - 22);
    const extra = new Uint8Array(28);
    const extraView = new DataView(extra.buffer);
    extraView.setUint16(0, 1, true);
    extraView.setUint16(2, 24, true);
    extraView.setBigUint64(4, BigInt(view.getUint32(at + 24, true)), true);
    extraView.setBigUint64(12, BigInt(view.getUint32(at + 20, true)), true);
    extraView.setBigUint64(20, 0n, true);
    const directoryView = new DataView(directory.buffer);
    for (const offset of [20, 24, 42]) directoryView.setUint32(offset, 0xffffffff, true);
    directoryView.setUint16(30, extra.length, true);
    const end64 = new DataView(new ArrayBuffer(76));
    end64.setUint32(0, 0x06064b50, true);
    end64.setBigUint64(4, 44n, true);
    end64.setBigUint64(32, 1n, true);
    end64.setBigUint64(40, BigInt(directory.length + extra.length), true);
    end64.setBigUint64(48, BigInt(at), true);
    end64.setUint32(56, 0x07064b50, true);
    end64.setBigUint64(64, BigInt(at + directory.length + extra.length), true);
    const end = bytes.slice(bytes.length - 22);
    new DataView(end.buffer).setUint32(16, 0xffffffff, true);
    const whole = new Blob([bytes.slice(0, at), directory, extra, end64.buffer as ArrayBuffer, end]);
    expect((await loadNpz(whole)).a.shape).toEqual([2, 3, 4]);
  });

  it('sums are those of the standard', () => {
    expect(crc32(text('123456789'))).toBe(0xcbf43926);
    expect(crc32(text('6789'), crc32(text('12345')))).toBe(0xcbf43926);
    expect(crc32(new Uint8Array(0))).toBe(0);
  });
});

describe('pickles', () => {
  const file = (pickle: string) => zip({ 'x/data.pkl': text(pickle), 'x/data/0': new Uint8Array(8) });
  const storage = '(U\x07storagectorch\nFloatStorage\nU\x010U\x03cpuK\x02tQ';
  const tensor = (rest: string) =>
    `\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(${storage}${rest}\x89ccollections\nOrderedDict\n)RtR.`;

  it.each<[string, string, RegExp]>([
    ['a function', '\x80\x02cos\nsystem\n(U\x02lstR.', /it names os\.system, which is no tensor/],
    ['a dtype-like name', '\x80\x02ctorch\nload\n.', /it names torch\.load/],
    ['a name from the stack', '\x80\x04\x8c\x08builtins\x8c\x04eval\x93.', /it names builtins\.eval/],
    ['an instruction for code', '\x80\x02i', /instruction 0x69 at byte 2 is not one for plain data/],
    ['an old protocol', '\x80\x01.', /protocol is 1/],
    ['nothing', '\x80\x02.', /empty stack/],
    ['no end', '\x80\x02K', /ends too early/],
    ['a memory that was never kept', '\x80\x02h\x05.', /refers to object 5/],
    ['a list that contains itself', '\x80\x02]q\x00h\x00a.', /contains itself/],
    ['a list as a key', '\x80\x02}]Ns.', /neither a text nor a number/],
    ['a call of data', '\x80\x02K\x01)R.', /calls something that is no name/],
    [
      'a tensor outside its storage',
      tensor('K\x01K\x02\x85K\x01\x85'),
      /lies outside its storage of 2 elements/,
    ],
    ['strides that leave it', tensor('K\x00K\x02\x85K\x02\x85'), /lies outside its storage/],
    [
      'sizes that overflow',
      tensor('K\x00J\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x86K\x00K\x00\x86'),
      /lies outside its storage/,
    ],
    [
      'an expansion without end',
      tensor('K\x00J\xff\xff\xff\x7f\x85K\x00\x85'),
      /tensors take more than the limit/,
    ],
    ['fewer strides than sizes', tensor('K\x00K\x02\x85)'), /1 sizes and 0 strides/],
    ['a negative size', tensor('K\x00J\xff\xff\xff\xff\x85K\x01\x85'), /in a way that is not known/],
    [
      'a storage of another size',
      `\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(${storage.replace('K\x02', 'K\x09')}K\x00K\x09\x85K\x01\x85\x89NtR.`,
      /has 8 bytes instead of 36/,
    ],
    [
      'a storage that is missing',
      `\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(${storage.replace('U\x010', 'U\x017')}K\x00K\x02\x85K\x01\x85\x89NtR.`,
      /the storage "7" is missing/,
    ],
  ])('of %s', async (_, pickle, message) => {
    expect(await refusal(loadTorch(await file(pickle)))).toMatch(message);
  });

  it('that grow by naming themselves are limited', async () => {
    // Each list holds the one before it twice.
    let pickle = '\x80\x02]q\x00';
    for (let i = 1; i < 40; i++)
      pickle += `]q${String.fromCharCode(i)}(h${String.fromCharCode(i - 1)}h${String.fromCharCode(i - 1)}e`;
    expect(await refusal(loadTorch(await file(`${pickle}.`), { maxBytes: 1 << 16 }))).toMatch(
      /values take more than the limit/,
    );
  });

  it('with any keys are data and nothing else', async () => {
    const pickle = '\x80\x02}(X\x09\x00\x00\x00__proto__}X\x01\x00\x00\x00aK\x01sK\x05K\x06u.';
    const loaded = await loadTorch<object>(await file(pickle));
    expect(Object.getPrototypeOf(loaded)).toBe(Object.prototype);
    expect(Object.entries(loaded)).toEqual([
      ['5', 6],
      ['__proto__', { a: 1 }],
    ]);
    expect(({} as { a?: number }).a).toBeUndefined();
  });

  it('in big-endian files give the same numbers', async () => {
    const content = new Uint8Array(8);
    new DataView(content.buffer).setFloat32(4, 1.5);
    const bytes = await zip({
      'x/data.pkl': text(tensor('K\x00K\x02\x85K\x01\x85')),
      'x/byteorder': text('big'),
      'x/data/0': content,
    });
    expect((await loadTorch<{ toArray(): unknown }>(bytes)).toArray()).toEqual([0, 1.5]);
  });
});

describe('headers of .npy files', () => {
  const npy = (header: string, data = new Uint8Array(8)): Bytes => {
    const start = text(
      `\x93NUMPY\x01\x00${String.fromCharCode(header.length % 256, header.length >> 8)}${header}`,
    );
    return Uint8Array.from([...start, ...data]);
  };
  it.each<[string, string, RegExp]>([
    [
      'a shape that overflows',
      "{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296, 4294967296), }",
      /more than 2\^53 bytes/,
    ],
    [
      'a shape larger than the file',
      "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000,), }",
      /8000000000 bytes, but 8 follow/,
    ],
    [
      'code',
      "{'descr': '<f8', 'fortran_order': False, 'shape': (__import__('os'),), }",
      /not the dictionary/,
    ],
    [
      'a key twice',
      "{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': (1,), }",
      /the key 'descr' twice/,
    ],
    ['a missing key', "{'descr': '<f8', 'shape': (1,), }", /not the dictionary/],
    ['a dtype that is none', "{'descr': '<c16', 'fortran_order': False, 'shape': (1,), }", /dtype '<c16'/],
  ])('with %s', async (_, header, message) => {
    expect(await refusal(loadNpy(npy(header)))).toMatch(message);
    expect(await refusal(loadNpy(new Response(npy(header))))).toBeTruthy();
  });
});

it('nothing is allocated by a declared size', async () => {
  const before = process.memoryUsage().arrayBuffers;
  const huge = new Uint8Array(16);
  new DataView(huge.buffer).setBigUint64(0, 99_999_999n, true);
  huge[8] = 0x7b;
  for (let i = 0; i < 50; i++) {
    await refusal(load(huge));
    await refusal(load(new Response(huge)));
  }
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 << 20);
});
