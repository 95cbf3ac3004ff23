/**
 * numpy's files: `.npy`, one array behind a header that is a Python literal, and `.npz`, a zip archive of them.
 * https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html, versions 1 to 3.
 */
import { ArgumentError } from '../core/errors.ts';
import type { Shape } from '../core/shape.ts';
import { permute } from '../ops/views.ts';
import { Tensor } from '../tensor.ts';
import {
  byteLength,
  bytesOf,
  type FileDType,
  fileDTypeOf,
  fileDTypes,
  MAX_DIMENSIONS,
  swapped,
  tensorOf,
} from './dtypes.ts';
import { type ByteSource, type Fail, type Source, withSource } from './source.ts';
import { type Target, writeTo } from './target.ts';
import { DEFAULT_MAX_BYTES, ZipArchive, zipChunks } from './zip.ts';

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
const PRELUDE_BYTES = MAGIC.length + 2;
const MAX_HEADER_BYTES = 1 << 20;
const ALIGNMENT = 64;

/** numpy's codes: kind and bytes per element. numpy has no bfloat16 and no 8-bit floats. */
const codes: ReadonlyMap<string, FileDType> = new Map([
  ['b1', 'bool'],
  ['i1', 'int8'],
  ['u1', 'uint8'],
  ['i2', 'int16'],
  ['u2', 'uint16'],
  ['i4', 'int32'],
  ['u4', 'uint32'],
  ['i8', 'int64'],
  ['u8', 'uint64'],
  ['f2', 'float16'],
  ['f4', 'float32'],
  ['f8', 'float64'],
]);

export const looksLikeNpy = (bytes: Uint8Array): boolean => MAGIC.every((byte, i) => bytes[i] === byte);

interface NpyHeader {
  readonly dtype: FileDType;
  readonly bigEndian: boolean;
  readonly fortran: boolean;
  readonly shape: Shape;
}

const ENTRY =
  /\s*'(descr|fortran_order|shape)'\s*:\s*('(?:[^'\\]*)'|True|False|\((?:\s*\d+L?\s*,)*(?:\s*\d+L?\s*)?\)|[[({])/y;

/** The dictionary of the header: three keys, each once, whose values are literals of one kind. */
function readDictionary(text: string, fail: Fail): NpyHeader {
  const damaged = () => fail('its header is not the dictionary of an .npy file');
  const found = new Map<string, string>();
  let at = text.indexOf('{') + 1;
  if (at === 0 || text.slice(0, at - 1).trim() !== '') throw damaged();
  for (;;) {
    ENTRY.lastIndex = at;
    const match = ENTRY.exec(text);
    if (!match) break;
    const [whole, key, value] = match;
    if (found.has(key)) throw fail(`its header has the key '${key}' twice`);
    if (key === 'descr' && !value.startsWith("'"))
      throw fail('it holds records of several fields (a structured dtype), which are no tensor');
    found.set(key, value);
    at += whole.length;
    while (text[at] === ' ') at++;
    if (text[at] !== ',') break;
    at++;
  }
  if (!/^\s*\}\s*$/.test(text.slice(at))) throw damaged();
  const [descr, order, sizes] = ['descr', 'fortran_order', 'shape'].map((key) => found.get(key));
  if (!descr?.startsWith("'") || !/^(True|False)$/.test(order ?? '') || !sizes?.endsWith(')'))
    throw damaged();
  const shape = (sizes.match(/\d+/g) ?? []).map(Number);
  if (shape.length > MAX_DIMENSIONS || !shape.every(Number.isSafeInteger))
    throw fail(`its shape ${sizes.slice(0, 80)} is none that can be held`);
  return { ...readDescr(descr.slice(1, -1), fail), fortran: order === 'True', shape };
}

function readDescr(descr: string, fail: Fail): { dtype: FileDType; bigEndian: boolean } {
  if (descr.slice(1).startsWith('O') || descr.startsWith('O'))
    throw fail('it holds Python objects, which only Python can read');
  const dtype = codes.get(descr.slice(1));
  if (dtype === undefined || !'<>|='.includes(descr[0]))
    throw fail(`its elements are of the dtype '${descr}', which cannot be read`);
  return { dtype, bigEndian: descr[0] === '>' };
}

/** The tensor of an .npy file. @throws DataError */
async function readNpy(source: ByteSource, device?: string): Promise<Tensor> {
  const { fail } = source;
  const prelude = await source.read(0, PRELUDE_BYTES);
  if (!looksLikeNpy(prelude)) throw fail('it is no .npy file: its first bytes are others');
  const version = prelude[MAGIC.length];
  if (version < 1 || version > 3) throw fail(`it is an .npy file of version ${version}; 1 to 3 can be read`);
  const lengthBytes = version === 1 ? 2 : 4;
  const start = PRELUDE_BYTES + lengthBytes;
  const lengthField = await source.read(PRELUDE_BYTES, start);
  const view = new DataView(lengthField.buffer, lengthField.byteOffset, lengthBytes);
  const length = version === 1 ? view.getUint16(0, true) : view.getUint32(0, true);
  if (length > MAX_HEADER_BYTES)
    throw fail(`its header would have ${length} bytes, the limit is ${MAX_HEADER_BYTES}`);
  const header = readDictionary(decodeText(await source.read(start, start + length), version, fail), fail);
  const size = byteLength(header.shape, header.dtype);
  const there = source.size === null ? null : source.size - start - length;
  if (size === null || (there !== null && size !== there)) {
    throw fail(
      `its header promises shape [${header.shape.join(', ')}] of ${header.dtype}, ${size ?? 'more than 2^53'} bytes, ` +
        `but ${there ?? 'fewer'} follow`,
    );
  }
  const bytes = await source.read(start + length, start + length + size);
  if (source.size === null && (await source.rest(start + length + size)).length > 0)
    throw fail(`its header promises ${size} bytes, but more follow`);
  const elements = header.bigEndian ? swapped(bytes, fileDTypes[header.dtype].bytes) : bytes;
  if (!header.fortran) return tensorOf(elements, header.dtype, header.shape, fail, device);
  const reversed = tensorOf(elements, header.dtype, [...header.shape].reverse(), fail, device);
  return permute<Tensor>(
    reversed,
    header.shape.map((_, d) => header.shape.length - 1 - d),
  ).contiguous();
}

function decodeText(bytes: Uint8Array, version: number, fail: Fail): string {
  try {
    return new TextDecoder(version === 3 ? 'utf-8' : 'latin1', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw fail('its header is not valid UTF-8', cause);
  }
}

export interface LoadNumpyOptions {
  /** Where the tensors go. Default 'cpu'. */
  device?: string;
  /** What an .npz archive may become when it is unpacked. Default 2 GiB. */
  maxBytes?: number;
}

/** The array of an .npy file. @throws DataError for records, Python objects, and damaged files */
export function loadNpy(source: Source, { device }: LoadNumpyOptions = {}): Promise<Tensor> {
  return withSource(source, 'loadNpy', false, (bytes) => readNpy(bytes, device));
}

/** The arrays of an .npz archive by name, stored or compressed. @throws DataError */
export function loadNpz(source: Source, options: LoadNumpyOptions = {}): Promise<Record<string, Tensor>> {
  return withSource(source, 'loadNpz', true, async (bytes) => {
    const archive = await ZipArchive.open(bytes, options.maxBytes ?? DEFAULT_MAX_BYTES);
    const found = new Map<string, Tensor>();
    for (const entry of archive.entries.values()) {
      const fail: Fail = (problem, cause) => bytes.fail(`${JSON.stringify(entry.name)}: ${problem}`, cause);
      const name = entry.name.replace(/\.npy$/, '');
      if (found.has(name)) throw fail('the name comes twice');
      const content = await archive.read(entry);
      found.set(name, await readNpy(inMemory(content, entry.name, fail), options.device));
    }
    return Object.fromEntries(found);
  });
}

/** Bytes of an archive as a source of their own. */
function inMemory(content: Uint8Array<ArrayBuffer>, name: string, fail: Fail): ByteSource {
  return {
    name,
    fail,
    size: content.length,
    async read(begin, end) {
      if (end > content.length)
        throw fail(`it was cut short: expected at least ${end} bytes, but got ${content.length}`);
      return content.subarray(begin, end);
    },
    rest: async (begin) => content.subarray(begin),
    close: async () => {},
  };
}

function npyHeader(x: Tensor, op: string): { header: Uint8Array; dtype: FileDType } {
  const own = fileDTypeOf(x);
  // numpy lacks the narrow formats other than float16.
  const dtype = [...codes.values()].includes(own) ? own : x.dtype;
  const code = [...codes].find(([, name]) => name === dtype)?.[0];
  if (code === undefined) throw new ArgumentError(`${op}: numpy has no dtype for ${dtype}`);
  const order = fileDTypes[dtype].bytes === 1 ? '|' : '<';
  const shape = x.shape.length === 1 ? `(${x.shape[0]},)` : `(${x.shape.join(', ')})`;
  const text = `{'descr': '${order}${code}', 'fortran_order': False, 'shape': ${shape}, }`;
  const start = PRELUDE_BYTES + 2;
  const total = Math.ceil((start + text.length + 1) / ALIGNMENT) * ALIGNMENT;
  const header = new TextEncoder().encode(`${' '.repeat(start)}${text.padEnd(total - start - 1)}\n`);
  header.set([...MAGIC, 1, 0], 0);
  new DataView(header.buffer).setUint16(PRELUDE_BYTES, total - start, true);
  return { header, dtype };
}

async function npyPieces(x: Tensor, op: string): Promise<Uint8Array[]> {
  const { header, dtype } = npyHeader(x, op);
  return [header, await bytesOf(x, dtype)];
}

function checkTensor(x: unknown, op: string, what: string): asserts x is Tensor {
  if (!(x instanceof Tensor))
    throw new ArgumentError(`${op}: expected ${what}, but got ${x === null ? 'null' : typeof x}`);
}

/** Writes an .npy file, byte for byte as numpy does. @throws DataError if it cannot be written */
export async function saveNpy(x: Tensor, target: Target): Promise<void> {
  checkTensor(x, 'saveNpy', 'a tensor');
  const pieces = await npyPieces(x, 'saveNpy');
  await writeTo(target, 'saveNpy', () => pieces);
}

export interface SaveNpzOptions {
  /** Compress, as `numpy.savez_compressed`. Default false. */
  compressed?: boolean;
}

/** Writes an .npz archive of tensors by name. @throws DataError if it cannot be written */
export async function saveNpz(
  tensors: Readonly<Record<string, Tensor>>,
  target: Target,
  { compressed = false }: SaveNpzOptions = {},
): Promise<void> {
  const files = await Promise.all(
    Object.entries(tensors).map(async ([name, x]) => {
      checkTensor(x, 'saveNpz', `tensors by name at ${JSON.stringify(name)}`);
      return { name: `${name}.npy`, pieces: await npyPieces(x, 'saveNpz') };
    }),
  );
  await writeTo(target, 'saveNpz', () => zipChunks(files, compressed));
}
