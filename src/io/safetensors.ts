/**
 * The safetensors format: the length of the header as a little-endian 64-bit number, the header in JSON (for each tensor
 * its dtype, shape and range of bytes, and under `__metadata__` strings by name), the elements, row-major,
 * little-endian, without gaps. https://github.com/huggingface/safetensors, format description in its README.
 */
import { ArgumentError } from '../core/errors.ts';
import type { Shape } from '../core/shape.ts';
import { Tensor } from '../tensor.ts';
import {
  byteLength,
  bytesOf,
  checkSavedFloat,
  type FileDType,
  fileDTypeOf,
  fileDTypes,
  MAX_DIMENSIONS,
  type SavedFloat,
  tensorOf,
} from './dtypes.ts';
import { type JsonObject, type JsonValue, parseJson } from './json.ts';
import type { ByteSource, Fail } from './source.ts';
import { looksLikeZip } from './zip.ts';

/** Tensors by name. */
export type Tensors = Readonly<Record<string, Tensor>>;
/** Strings by name, whatever they mean. */
export type Metadata = Readonly<Record<string, string>>;

export interface SaveOptions {
  /** Strings by name that are kept in the file. */
  metadata?: Metadata;
  /** Write all floating tensors in this dtype. Default: each in its own. */
  dtype?: SavedFloat;
}

/** What a file says of a tensor. */
export interface TensorInfo {
  /** The dtype in the file; a name that this library cannot read is given as the file has it. */
  readonly dtype: FileDType | (string & {});
  readonly shape: Shape;
  /** Position in the part of the file that holds the elements. */
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  readonly metadata: Metadata;
  /** In the order of their positions. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Position of the elements in the file. */
  readonly dataStart: number;
}

const LENGTH_BYTES = 8;
/** The limit of the reference implementation. */
const MAX_HEADER_BYTES = 100_000_000;
const METADATA_KEY = '__metadata__';
const OPENING_BRACE = 0x7b;

/** From the narrowest to the widest, as the reference implementation orders them. */
const codes: { readonly [D in FileDType]: string } = {
  bool: 'BOOL',
  uint8: 'U8',
  int8: 'I8',
  float8_e5m2: 'F8_E5M2',
  float8_e4m3fn: 'F8_E4M3',
  int16: 'I16',
  uint16: 'U16',
  float16: 'F16',
  bfloat16: 'BF16',
  int32: 'I32',
  uint32: 'U32',
  float32: 'F32',
  float64: 'F64',
  int64: 'I64',
  uint64: 'U64',
};
const ranks = Object.keys(codes);
const dtypesByCode: ReadonlyMap<string, FileDType> = new Map(
  Object.entries(codes).map(([dtype, code]) => [code, dtype as FileDType]),
);

// Reading

/** True if these first bytes can begin a file of this format: a length, and the brace of the header. */
export const looksLikeSafetensors = (bytes: Uint8Array): boolean =>
  bytes.length > LENGTH_BYTES && bytes[LENGTH_BYTES] === OPENING_BRACE;

/** Reads and checks the header: afterwards every range lies in the file. @throws DataError */
export async function readHeader(source: ByteSource): Promise<Header> {
  const { fail, size } = source;
  const start = await source.read(0, LENGTH_BYTES);
  const length = new DataView(start.buffer, start.byteOffset, LENGTH_BYTES).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES))
    throw fail(
      looksLikeZip(start)
        ? "no safetensors file, but an archive, such as torch.save writes: loadTorch reads those, and loadNpz NumPy's"
        : `no safetensors file: its header would have ${length} bytes, the limit is ${MAX_HEADER_BYTES}`,
    );
  const dataStart = LENGTH_BYTES + Number(length);
  if (size !== null && dataStart > size) {
    throw fail(
      `its header is promised to have ${length} bytes, but only ${size - LENGTH_BYTES} follow: it was cut short`,
    );
  }
  const bytes = await source.read(LENGTH_BYTES, dataStart);
  if (bytes[0] !== OPENING_BRACE) throw fail("no safetensors file: its header does not begin with '{'");
  const json = parseJson(bytes, fail);
  if (!(json instanceof Map)) throw fail('its header is not a JSON object');
  const { metadata, entries } = readEntries(json, fail);
  const dataBytes = size === null ? null : size - dataStart;
  return { metadata, tensors: checkRanges(entries, dataBytes, fail), dataStart };
}

function readEntries(json: JsonObject, fail: Fail) {
  const entries: [string, TensorInfo][] = [];
  let metadata: Metadata = {};
  for (const [name, value] of json) {
    if (name !== METADATA_KEY) {
      entries.push([name, readInfo(name, value, fail)]);
      continue;
    }
    const pairs = value instanceof Map ? [...value] : null;
    if (!pairs?.every(([, text]) => typeof text === 'string'))
      throw fail(`${METADATA_KEY} must be an object of strings`);
    metadata = Object.fromEntries(pairs);
  }
  return { metadata, entries };
}

const isCount = (x: JsonValue | undefined): x is number =>
  typeof x === 'number' && Number.isSafeInteger(x) && x >= 0;

function readInfo(name: string, value: JsonValue, fail: Fail): TensorInfo {
  const bad = (what: string) => fail(`the tensor ${JSON.stringify(name)} ${what}`);
  if (!(value instanceof Map)) throw bad('is not described by an object');
  const code: JsonValue | undefined = value.get('dtype');
  const shape: JsonValue | undefined = value.get('shape');
  const offsets: JsonValue | undefined = value.get('data_offsets');
  if (typeof code !== 'string') throw bad('has no dtype');
  if (!Array.isArray(shape) || !shape.every(isCount)) throw bad('has no shape of non-negative integers');
  if (shape.length > MAX_DIMENSIONS)
    throw bad(`has ${shape.length} dimensions, the limit is ${MAX_DIMENSIONS}`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount) || offsets[0] > offsets[1])
    throw bad('has no data_offsets [begin, end]');
  const [begin, end] = offsets;
  const dtype = dtypesByCode.get(code);
  if (dtype === undefined) return { dtype: code, shape, begin, end };
  const expected = byteLength(shape, dtype);
  if (expected !== end - begin) {
    throw bad(
      `of shape [${shape.join(', ')}] and dtype ${code} needs ${expected ?? 'more than 2^53'} bytes, but its data_offsets ` +
        `[${begin}, ${end}] hold ${end - begin}`,
    );
  }
  return { dtype, shape, begin, end };
}

/** The format allows neither gaps nor overlaps: nothing can be hidden in a file, nor be read twice. */
function checkRanges(
  entries: [string, TensorInfo][],
  dataBytes: number | null,
  fail: Fail,
): Map<string, TensorInfo> {
  entries.sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  let at = 0;
  for (const [name, { begin, end }] of entries) {
    if (begin !== at) {
      throw fail(
        `the tensor ${JSON.stringify(name)} begins at byte ${begin} of the data, but the one before it ends at ${at}`,
      );
    }
    at = end;
  }
  if (dataBytes !== null && dataBytes !== at) {
    throw fail(
      `its header describes ${at} bytes of data, but ${dataBytes} follow: ` +
        (dataBytes < at ? 'the file was cut short' : 'something was added to the file'),
    );
  }
  return new Map(entries);
}

/** The tensor of an entry. @throws DataError for a dtype that this library does not have */
export async function readTensor(
  source: ByteSource,
  { dataStart }: Header,
  name: string,
  info: TensorInfo,
  device?: string,
): Promise<Tensor> {
  const dtype = readableDType(name, info, source.fail);
  const bytes = await source.read(dataStart + info.begin, dataStart + info.end);
  return tensorOf(bytes, dtype, info.shape, source.fail, device);
}

function readableDType(name: string, { dtype }: TensorInfo, fail: Fail): FileDType {
  if (Object.hasOwn(fileDTypes, dtype)) return dtype as FileDType;
  throw fail(`the tensor ${JSON.stringify(name)} has the dtype ${dtype}, which cannot be read`);
}

/** All tensors and the metadata, in one pass from the beginning; `seen` gets the bytes of each tensor. @throws DataError */
export async function readSafetensors(
  source: ByteSource,
  device?: string,
  seen: (elements: Uint8Array) => void = () => {},
): Promise<{ tensors: Record<string, Tensor>; metadata: Metadata }> {
  const header = await readHeader(source);
  for (const [name, info] of header.tensors) readableDType(name, info, source.fail);
  const found: [string, Tensor][] = [];
  for (const [name, info] of header.tensors) {
    const elements = await source.read(header.dataStart + info.begin, header.dataStart + info.end);
    seen(elements);
    found.push([
      name,
      tensorOf(elements, readableDType(name, info, source.fail), info.shape, source.fail, device),
    ]);
  }
  const end =
    header.dataStart + Math.max(0, ...[...header.tensors.values()].slice(-1).map((info) => info.end));
  if (source.size === null && (await source.rest(end)).length > 0)
    throw source.fail(
      `its header describes ${end - header.dataStart} bytes of data, but more follow: something was added`,
    );
  return { tensors: Object.fromEntries(found), metadata: header.metadata };
}

// Writing

interface Planned {
  readonly name: string;
  readonly tensor: Tensor;
  readonly dtype: FileDType;
  readonly bytes: number;
  readonly version: number;
}

/** What will be written, in the order of the reference implementation: wide dtypes first, then by name. */
function plan(tensors: Tensors, { dtype }: SaveOptions, op: string): Planned[] {
  if (dtype !== undefined) checkSavedFloat(dtype, op);
  const list = Object.entries(tensors).map(([name, tensor]): Planned => {
    if (name === METADATA_KEY) throw new ArgumentError(`${op}: no tensor can have the name ${METADATA_KEY}`);
    if (!(tensor instanceof Tensor)) {
      throw new ArgumentError(
        `${op}: expected tensors by name, but ${JSON.stringify(name)} is ${tensor === null ? 'null' : typeof tensor}` +
          (op === 'save' ? '; saveCheckpoint takes numbers, texts, lists and objects too' : ''),
      );
    }
    const written = dtype !== undefined && tensor.isFloatingPoint() ? dtype : fileDTypeOf(tensor);
    const bytes = tensor.numel() * fileDTypes[written].bytes;
    return { name, tensor, dtype: written, bytes, version: tensor.version };
  });
  const rank = ({ dtype: d }: Planned) => ranks.indexOf(d);
  return list.sort((a, b) => rank(b) - rank(a) || compareBytes(a.name, b.name));
}

/** By code points, as bytes of UTF-8 compare. */
function compareBytes(a: string, b: string): number {
  const x = Array.from(a, (c) => c.codePointAt(0) ?? 0);
  const y = Array.from(b, (c) => c.codePointAt(0) ?? 0);
  const at = x.findIndex((code, i) => code !== y[i]);
  return at === -1 ? x.length - y.length : x[at] - (y[at] ?? -1);
}

function headerBytes(planned: readonly Planned[], metadata: Metadata | undefined, op: string): Uint8Array {
  const fields: string[] = [];
  if (metadata !== undefined) {
    const pairs = Object.entries(metadata).map(([key, value]) => {
      if (typeof value !== 'string')
        throw new ArgumentError(
          `${op}: metadata must be strings, but ${JSON.stringify(key)} is ${typeof value}`,
        );
      return `${JSON.stringify(key)}:${JSON.stringify(value)}`;
    });
    fields.push(`"${METADATA_KEY}":{${pairs.join(',')}}`);
  }
  let at = 0;
  for (const { name, tensor, dtype, bytes } of planned) {
    const info = { dtype: codes[dtype], shape: tensor.shape, data_offsets: [at, at + bytes] };
    fields.push(`${JSON.stringify(name)}:${JSON.stringify(info)}`);
    at += bytes;
  }
  const text = new TextEncoder().encode(`{${fields.join(',')}}`);
  const length = Math.ceil(text.length / 8) * 8; // the elements stay aligned
  if (length > MAX_HEADER_BYTES) {
    throw new ArgumentError(
      `${op}: names and metadata take ${length} bytes, the format allows ${MAX_HEADER_BYTES}`,
    );
  }
  const header = new Uint8Array(LENGTH_BYTES + length).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(text, LENGTH_BYTES);
  return header;
}

/**
 * A file in pieces: the header, then one piece per tensor, read from the tensor when it is asked for.
 * @throws ArgumentError at once for what cannot be written, and later for a tensor that was changed in the meantime
 */
export function safetensorsChunks(
  tensors: Tensors,
  options: SaveOptions,
  op: string,
): () => AsyncGenerator<Uint8Array> {
  const planned = plan(tensors, options, op);
  const header = headerBytes(planned, options.metadata, op);
  return async function* () {
    yield header;
    for (const { name, tensor, dtype, version } of planned) {
      if (tensor.version !== version) {
        throw new ArgumentError(
          `${op}: the tensor ${JSON.stringify(name)} was changed while it was being saved; await the save, or save clones`,
        );
      }
      yield await bytesOf(tensor, dtype);
    }
  };
}

/**
 * The same pieces as the tensors are now: everything is read before the first `await`. The metadata may depend on the
 * elements. @throws ArgumentError for what cannot be written
 */
export async function safetensorsSnapshot(
  tensors: Tensors,
  metadata: (elements: readonly Uint8Array[]) => Metadata,
  op: string,
): Promise<Uint8Array[]> {
  const planned = plan(tensors, {}, op);
  const elements = await Promise.all(planned.map(({ tensor, dtype }) => bytesOf(tensor, dtype)));
  return [headerBytes(planned, metadata(elements), op), ...elements];
}
