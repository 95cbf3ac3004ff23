/** Safetensors files in Node and in pages: what goes out comes back, from every kind of source. */
import { describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';
import { ArgumentError, DataError, nn, type Tensor } from '../../src/index.ts';
import { type NarrowName, narrow, narrowFormats, widen } from '../../src/io/halves.ts';
import { load, openSafetensors, save, toBlob } from '../../src/io/index.ts';
import { safetensorsFile } from '../support/safetensorsFiles.ts';
import { expectSame } from '../support/sameNumbers.ts';

const values = (x: Tensor) => Array.from(x.data, Number);
const bytesOf = async (tensors: Parameters<typeof toBlob>[0], options?: Parameters<typeof toBlob>[1]) =>
  new Uint8Array(await (await toBlob(tensors, options)).arrayBuffer());
const entry = (dtype: string, shape: number[], begin: number, end: number) => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

/** A stream that gives `bytes` in pieces of `size`. */
function streamOf(bytes: Uint8Array, size: number): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at === bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at + size));
      at = Math.min(at + size, bytes.length);
    },
  });
}

describe('narrow floating formats', () => {
  const codes = (name: NarrowName) => {
    const { bytes } = narrowFormats[name];
    const all = new Uint8Array(2 ** (8 * bytes) * bytes);
    for (let code = 0; code < 2 ** (8 * bytes); code++) {
      for (let b = 0; b < bytes; b++) all[code * bytes + b] = code >>> (8 * b);
    }
    return all;
  };

  it.each(Object.keys(narrowFormats) as NarrowName[])('%s: every code survives, NaN payloads too', (name) => {
    const all = codes(name);
    expectSame(narrow(widen(all, name), name), all);
  });

  /** The value of a code by the formula of the format. */
  function formula(code: number, exponentBits: number, mantissaBits: number): number {
    const sign = code >>> (exponentBits + mantissaBits) ? -1 : 1;
    const exponent = (code >>> mantissaBits) & (2 ** exponentBits - 1);
    const mantissa = (code & (2 ** mantissaBits - 1)) / 2 ** mantissaBits;
    const bias = 2 ** (exponentBits - 1) - 1;
    return exponent === 0
      ? sign * mantissa * 2 ** (1 - bias)
      : sign * (1 + mantissa) * 2 ** (exponent - bias);
  }

  it.each(Object.entries(narrowFormats))('%s: values are those of the formula', (name, format) => {
    const { exponentBits, mantissaBits, ieee } = format;
    const wide = widen(codes(name as NarrowName), name as NarrowName);
    const highest = 2 ** exponentBits - 1;
    let finite = 0;
    wide.forEach((value, code) => {
      const exponent = (code >>> mantissaBits) & highest;
      if (exponent === highest && (ieee || Number.isNaN(value))) return;
      finite++;
      if (!Object.is(value, formula(code, exponentBits, mantissaBits)))
        throw new Error(`code ${code}: ${value}`);
    });
    expect(finite).toBe(2 ** (8 * format.bytes) - (ieee ? 2 ** (mantissaBits + 1) : 2));
  });

  it.each(Object.entries(narrowFormats))('%s: rounds to nearest, ties to even', (name, format) => {
    const wide = widen(codes(name as NarrowName), name as NarrowName);
    const code = (x: number) => {
      const out = narrow(Float32Array.of(x), name as NarrowName);
      return format.bytes === 1 ? out[0] : out[0] | (out[1] << 8);
    };
    const top = 2 ** (8 * format.bytes - 1) - 2 ** format.mantissaBits - 1;
    const last = format.ieee ? top : 2 ** (8 * format.bytes - 1) - 2;
    for (let c = 0; c < last; c += format.bytes === 1 ? 1 : 37) {
      const low = wide[c];
      const high = wide[c + 1];
      const middle = (low + high) / 2; // exact: float32 has room for it, or it is denormal in float32 as well
      if (Math.fround(middle) !== middle || middle === low) continue;
      const bits = new Uint32Array(Float32Array.of(middle).buffer)[0];
      const near = (step: number) => new Float32Array(Uint32Array.of(bits + step).buffer)[0];
      expect([
        code(near(-1)),
        code(middle),
        code(near(1)),
        code(-middle) & (2 ** (8 * format.bytes - 1) - 1),
      ]).toEqual([c, c + (c % 2), c + 1, c + (c % 2)]);
    }
    if (format.ieee) expect(wide[code(3.4e38)]).toBe(Number.POSITIVE_INFINITY);
    else expect(wide[code(1e6)]).toBeNaN();
    expect([code(0), code(1e-45)]).toEqual([0, 0]);
  });
});

describe('a safetensors file', () => {
  const everyDType = () => ({
    f32: torch.tensor([
      [1.5, -0, Number.POSITIVE_INFINITY],
      [Number.NaN, 1e-45, 3.4e38],
    ]),
    f64: torch.tensor([Math.PI, -1e-310], { dtype: 'float64' }),
    i64: torch.tensor([2n ** 63n - 1n, -(2n ** 63n)]),
    i32: torch.tensor(Int32Array.of(2 ** 31 - 1, -(2 ** 31))),
    i16: torch.tensor(Int16Array.of(32767, -32768, 5)),
    i8: torch.tensor(Int8Array.of(127, -128, 5)),
    u8: torch.tensor(Uint8Array.of(255, 0, 5)),
    bool: torch.tensor([true, false, true]),
    scalar: torch.tensor(7),
    nothing: torch.zeros(0, 3),
  });

  it('gives back every dtype, shape and bit', async () => {
    const before = everyDType();
    const after = await load(await toBlob(before));
    expect(Object.keys(after).sort()).toEqual(Object.keys(before).sort());
    for (const [name, x] of Object.entries(before)) {
      expect([after[name].dtype, after[name].shape]).toEqual([x.dtype, x.shape]);
      const bits = ({ data }: Tensor) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      expect(bits(after[name])).toEqual(bits(x));
    }
  });

  it('is the same file when it is loaded and saved again, also with dtypes that tensors lack', async () => {
    const data = Uint8Array.from({ length: 8 + 8 + 8 + 8 + 4 + 4 + 2 }, (_, i) => i * 89 + 1);
    data[15] &= 0x7f;
    const first = await bytesOf(
      await load(
        safetensorsFile(
          {
            u64: entry('U64', [2], 0, 16),
            u32: entry('U32', [2, 1], 16, 24),
            bf16: entry('BF16', [2, 2], 24, 32),
            f16: entry('F16', [2], 32, 36),
            u16: entry('U16', [2], 36, 40),
            e4: entry('F8_E4M3', [1], 40, 41),
            e5: entry('F8_E5M2', [1], 41, 42),
          },
          data.map((byte, i) => (i === 7 ? byte & 0x7f : byte)),
        ),
      ),
    );
    expect([...first.subarray(-42)]).toEqual([...data.map((byte, i) => (i === 7 ? byte & 0x7f : byte))]);
    expect(await bytesOf(await load(first))).toEqual(first);
    const loaded = await load(first);
    expect([
      loaded.u64.dtype,
      loaded.u32.dtype,
      loaded.u16.dtype,
      loaded.bf16.dtype,
      loaded.e4.dtype,
    ]).toEqual(['int64', 'int64', 'int32', 'float32', 'float32']);
  });

  it('writes a widened tensor in its own dtype once it was changed', async () => {
    const file = safetensorsFile({ h: entry('F16', [1], 0, 2) }, Uint8Array.of(0, 0x3c));
    const state = await load(file);
    expect((await openSafetensors(await toBlob(state))).info('h').dtype).toBe('float16');
    state.h.add_(1e-6);
    expect((await openSafetensors(await toBlob(state))).info('h').dtype).toBe('float32');
    expect((await load(await toBlob(state))).h.item()).toBe(Math.fround(1 + 1e-6));
  });

  it('converts floating tensors on demand', async () => {
    const state = { w: torch.tensor([1, 2 / 3, 70000]), n: torch.tensor([3n]) };
    const half = await openSafetensors(await toBlob(state, { dtype: 'float16' }));
    expect([half.info('w').dtype, half.info('n').dtype]).toEqual(['float16', 'int64']);
    expect(values(await half.get('w'))).toEqual([1, 0.66650390625, Number.POSITIVE_INFINITY]);
    const brain = await load(await toBlob(state, { dtype: 'bfloat16' }));
    expect(values(brain.w)).toEqual([1, 0.66796875, 70144]);
    await expect(toBlob(state, { dtype: 'int8' as 'float16' })).rejects.toThrow(
      'toBlob: dtype must be one of float16, bfloat16, float32, float64, but got int8',
    );
  });

  it('holds layers as PyTorch lays them out, whatever lies in memory, and views', async () => {
    torch.manualSeed(7);
    const layer = new nn.Linear(2, 3);
    const bytes = await bytesOf(layer);
    const data = new Float32Array(bytes.buffer.slice(bytes.length - 36));
    expect([...data]).toEqual([...values(layer.bias!), ...(layer.weight.toArray() as number[][]).flat()]);
    const x = torch.arange(6).reshape(2, 3);
    expect((await load(await toBlob({ t: x.t(), row: x.select(0, 1) }))).t.toArray()).toEqual([
      [0, 3],
      [1, 4],
      [2, 5],
    ]);
    const again = new nn.Linear(2, 3);
    again.loadStateDict(await load(bytes));
    expect(again.weight.toArray()).toEqual(layer.weight.toArray());
  });

  it('keeps metadata and any name, as data and nothing else', async () => {
    const metadata = { format: 'pt', 'ключ "1"': '\u0000\n∀', ['__proto__']: 'x' };
    const tensors = Object.fromEntries(
      ['__proto__', 'constructor', 'a.b', '', '名'].map((k) => [k, torch.tensor([1])]),
    );
    const file = await openSafetensors(await toBlob(tensors, { metadata }));
    expect(Object.entries(file.metadata)).toEqual(Object.entries(metadata));
    expect(file.keys().sort()).toEqual(Object.keys(tensors).sort());
    const loaded = await load(await toBlob(tensors));
    expect(Object.getPrototypeOf(loaded)).toBe(Object.prototype);
    expect(Object.keys(loaded).sort()).toEqual(Object.keys(tensors).sort());
  });

  it('is read from bytes at any offset, Blobs, responses and streams in any pieces', async () => {
    const bytes = await bytesOf(everyDType(), { metadata: { a: 'b' } });
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    const sources = [
      bytes,
      bytes.buffer,
      shifted.subarray(3),
      new DataView(bytes.buffer),
      new Blob([bytes]),
      new File([bytes], 'x.safetensors'),
      new Response(bytes),
      streamOf(bytes, 1),
      streamOf(bytes, 7),
      streamOf(bytes, 1000),
    ];
    for (const source of sources)
      expectSame(await bytesOf(await load(source), { metadata: { a: 'b' } }), bytes);
    const one = await openSafetensors(streamOf(bytes, 100));
    expect([(await one.get('scalar')).item(), one.metadata]).toEqual([7, { a: 'b' }]);
  });

  it('is written to a stream', async () => {
    const parts: Uint8Array[] = [];
    const stream = new WritableStream<Uint8Array>({ write: (chunk) => void parts.push(chunk.slice()) });
    await save(everyDType(), stream);
    expect(new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer())).toEqual(
      await bytesOf(everyDType()),
    );
  });

  it('is not written of tensors that change meanwhile', async () => {
    const x = torch.ones(4);
    const stream = new WritableStream<Uint8Array>();
    const job = save({ a: x }, stream);
    x.add_(1);
    await expect(job).rejects.toThrow('save: the tensor "a" was changed while it was being saved');
  });

  it('says what is wrong with arguments', async () => {
    await expect(save({ a: 1 as never }, new WritableStream())).rejects.toThrow(
      new ArgumentError(
        'save: expected tensors by name, but "a" is number; saveCheckpoint takes numbers, texts, lists and objects too',
      ),
    );
    await expect(toBlob({}, { metadata: { n: 1 as never } })).rejects.toThrow(
      'metadata must be strings, but "n" is number',
    );
    await expect(toBlob({ __metadata__: torch.ones(1) })).rejects.toThrow(
      'no tensor can have the name __metadata__',
    );
    await expect(toBlob(torch.ones(1) as never)).rejects.toThrow(
      'expected tensors by name or a module, but got a Tensor',
    );
    await expect(load(5 as never)).rejects.toThrow(/load: expected a path, URL, Blob, .* but got number/);
    await expect(save({}, 5 as never)).rejects.toThrow(ArgumentError);
    const file = await openSafetensors(await toBlob({ a: torch.ones(1) }));
    await expect(file.get('b')).rejects.toThrow(
      'openSafetensors: the given Blob has no tensor "b"; it has "a"',
    );
    await expect(load(new Response('', { status: 404 }))).rejects.toThrow('the server answered 404');
  });

  const good = entry('F32', [2], 0, 8);
  const eight = new Uint8Array(8);
  it.each<[string, Uint8Array<ArrayBuffer>, RegExp]>([
    ['no bytes', new Uint8Array(0), /cut short: expected at least 8 bytes, but got 0/],
    [
      'a header longer than the file',
      safetensorsFile({}, eight, 1000n),
      /promised to have 1000 bytes, but only 10 follow/,
    ],
    ['a header of 2^63 bytes', safetensorsFile({}, eight, 2n ** 63n), /the limit is 100000000/],
    ['something else', new TextEncoder().encode('<!doctype html>'), /no safetensors file/],
    ['a list', safetensorsFile('{} []'), /not valid JSON: expected the end/],
    ['no JSON', safetensorsFile('{"a":'), /not valid JSON: expected a value at character 5, but got its end/],
    ['a string without end', safetensorsFile('{"a'), /the string at character 1 has no end/],
    ['a wrong escape', safetensorsFile('{"\\x":1}'), /an escape that is none/],
    [
      'invalid UTF-8',
      (() => {
        const f = safetensorsFile('{"a":"?"}');
        f[14] = 0xff;
        return f;
      })(),
      /not valid UTF-8/,
    ],
    [
      'a key twice',
      safetensorsFile(`{"a":${JSON.stringify(good)},"a":${JSON.stringify(good)}}`, eight),
      /the key "a" twice/,
    ],
    ['nesting without end', safetensorsFile(`{"a":${'['.repeat(1e5)}`), /nested more than 64 deep/],
    [
      'metadata that are numbers',
      safetensorsFile({ __metadata__: { a: 1 } }),
      /__metadata__ must be an object of strings/,
    ],
    ['an entry that is none', safetensorsFile({ a: 3 }), /"a" is not described by an object/],
    ['no dtype', safetensorsFile({ a: { shape: [], data_offsets: [0, 0] } }), /"a" has no dtype/],
    [
      'a negative size',
      safetensorsFile({ a: { ...good, shape: [-1] } }),
      /no shape of non-negative integers/,
    ],
    ['a fraction', safetensorsFile({ a: { ...good, shape: [1.5] } }), /no shape of non-negative integers/],
    [
      'a size beyond 2^53',
      safetensorsFile({ a: { ...good, shape: [1e300] } }),
      /no shape of non-negative integers/,
    ],
    [
      'sizes that overflow',
      safetensorsFile({ a: { ...good, shape: [2 ** 40, 2 ** 40] } }, eight),
      /needs more than 2\^53 bytes/,
    ],
    [
      'too many dimensions',
      safetensorsFile({ a: { ...good, shape: Array(65).fill(1) } }, eight),
      /65 dimensions/,
    ],
    ['offsets backward', safetensorsFile({ a: { ...good, data_offsets: [8, 0] } }, eight), /no data_offsets/],
    ['three offsets', safetensorsFile({ a: { ...good, data_offsets: [0, 8, 8] } }, eight), /no data_offsets/],
    [
      'too few bytes for the shape',
      safetensorsFile({ a: { ...good, shape: [3] } }, eight),
      /needs 12 bytes, but its data_offsets \[0, 8\] hold 8/,
    ],
    [
      'an overlap',
      safetensorsFile({ a: good, b: entry('U8', [4], 4, 8) }, eight),
      /"b" begins at byte 4 of the data, but the one before it ends at 8/,
    ],
    [
      'a gap',
      safetensorsFile({ a: good, b: entry('U8', [1], 9, 10) }, new Uint8Array(10)),
      /begins at byte 9/,
    ],
    [
      'missing data',
      safetensorsFile({ a: good }, eight.subarray(1)),
      /describes 8 bytes of data, but 7 follow: the file was cut short/,
    ],
    ['data too many', safetensorsFile({ a: good }, new Uint8Array(9)), /but 9 follow: something was added/],
    [
      'an unknown dtype',
      safetensorsFile({ a: entry('C64', [1], 0, 8) }, eight),
      /the dtype C64, which cannot be read/,
    ],
    [
      'a uint64 beyond int64',
      safetensorsFile(
        { a: entry('U64', [1], 0, 8) },
        eight.map(() => 255),
      ),
      /uint64 value 18446744073709551615 does not fit int64/,
    ],
  ])('is refused with %s', async (_, bytes, message) => {
    for (const source of [() => bytes, () => new Blob([bytes])]) {
      const error: unknown = await load(source()).then(
        () => null,
        (e) => e,
      );
      expect(error).toBeInstanceOf(DataError);
      expect(String(error)).toMatch(message);
    }
    const fromStream: unknown = await load(streamOf(bytes, 11)).then(
      () => null,
      (e) => e,
    );
    expect(fromStream).toBeInstanceOf(DataError);
  });

  it('is refused when it is cut at any byte', async () => {
    const bytes = await bytesOf({ a: torch.ones(2), b: torch.ones(1, { dtype: 'int64' }) });
    for (let length = 0; length < bytes.length; length++) {
      await expect(load(bytes.subarray(0, length))).rejects.toThrow(DataError);
      await expect(load(streamOf(bytes.subarray(0, length), 13))).rejects.toThrow(DataError);
    }
  });
});
