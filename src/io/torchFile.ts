/**
 * The files of `torch.save` since 1.6: a zip archive with the pickled structure, and the memory of each storage as an
 * entry of its own. Only tensors and containers of plain values are read, what PyTorch calls `weights_only`.
 */
import { isContiguous, type Shape } from '../core/shape.ts';
import type { Tensor } from '../tensor.ts';
import { byteLength, type FileDType, fileDTypes, MAX_DIMENSIONS, swapped, tensorOf } from './dtypes.ts';
import type { ByteSource, Fail, Source } from './source.ts';
import { withSource } from './source.ts';
import { PickleGlobal, PickleTuple, unpickle } from './unpickle.ts';
import { DEFAULT_MAX_BYTES, looksLikeZip, ZipArchive, type ZipEntry } from './zip.ts';

/** The dtypes of the classes of storages; an untyped one holds bytes. */
const storageClasses: ReadonlyMap<string, FileDType> = new Map([
  ['torch.DoubleStorage', 'float64'],
  ['torch.FloatStorage', 'float32'],
  ['torch.HalfStorage', 'float16'],
  ['torch.BFloat16Storage', 'bfloat16'],
  ['torch.LongStorage', 'int64'],
  ['torch.IntStorage', 'int32'],
  ['torch.ShortStorage', 'int16'],
  ['torch.CharStorage', 'int8'],
  ['torch.ByteStorage', 'uint8'],
  ['torch.BoolStorage', 'bool'],
  ['torch.storage.UntypedStorage', 'uint8'],
  ['torch.storage._UntypedStorage', 'uint8'],
]);

/** Calls that give containers or tensors, and what is only a name. */
const callables: ReadonlySet<string> = new Set([
  'collections.OrderedDict',
  'collections.Counter',
  'torch.Size',
  'torch.device',
  'builtins.set',
  '__builtin__.set',
  'builtins.frozenset',
  'builtins.complex',
  'torch._utils._rebuild_tensor',
  'torch._utils._rebuild_tensor_v2',
  'torch._utils._rebuild_tensor_v3',
  'torch._utils._rebuild_parameter',
  'torch._utils._rebuild_parameter_with_state',
]);

/** A piece of memory that tensors are views of. */
interface Storage {
  readonly key: string;
  readonly dtype: FileDType;
  readonly count: number;
}

/** A tensor of the file: where it lies, not yet what is in it. */
class StoredTensor {
  readonly storage: Storage;
  readonly dtype: FileDType;
  readonly offset: number;
  readonly shape: Shape;
  readonly strides: readonly number[];

  constructor(storage: Storage, dtype: FileDType, offset: number, shape: Shape, strides: readonly number[]) {
    this.storage = storage;
    this.dtype = dtype;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
}

const isStorage = (x: unknown): x is Storage =>
  typeof x === 'object' && x !== null && 'key' in x && 'count' in x;
const isCount = (x: unknown): x is number => typeof x === 'number' && Number.isSafeInteger(x) && x >= 0;

class Host {
  readonly #fail: Fail;
  constructor(fail: Fail) {
    this.#fail = fail;
  }

  global(name: string): unknown {
    if (storageClasses.has(name) || callables.has(name)) return new PickleGlobal(name);
    const dtype = /^torch\.(\w+)$/.exec(name)?.[1];
    if (dtype !== undefined && Object.hasOwn(fileDTypes, dtype)) return new PickleGlobal(name);
    throw this.#fail(
      `it names ${name}, which is no tensor and no plain container: only the values of a model are read, never its ` +
        'classes. Save model.state_dict() instead',
    );
  }

  persistent(id: unknown): Storage {
    const [kind, type, key, , count] = id instanceof PickleTuple ? id.items : [];
    const dtype = type instanceof PickleGlobal ? storageClasses.get(type.name) : undefined;
    if (kind !== 'storage' || dtype === undefined || typeof key !== 'string' || !isCount(count))
      throw this.#fail('its pickle refers to a storage in a way that is not known');
    return { key, dtype, count };
  }

  reduce(callee: unknown, args: readonly unknown[]): unknown {
    const name = callee instanceof PickleGlobal ? callee.name : null;
    switch (name) {
      case 'collections.OrderedDict':
      case 'collections.Counter':
        return mapOf(args[0]);
      case 'builtins.set':
      case '__builtin__.set':
      case 'builtins.frozenset':
        return new Set(Array.isArray(args[0]) ? args[0] : []);
      case 'torch.Size':
        return args[0] instanceof PickleTuple ? args[0] : new PickleTuple([]);
      case 'torch.device':
        return args.map(String).join(':');
      case 'torch._utils._rebuild_parameter':
      case 'torch._utils._rebuild_parameter_with_state':
        if (args[0] instanceof StoredTensor) return args[0];
        throw this.#fail('a parameter of its pickle is no tensor');
      case 'torch._utils._rebuild_tensor':
      case 'torch._utils._rebuild_tensor_v2':
        return this.#tensor(args, null);
      case 'torch._utils._rebuild_tensor_v3':
        return this.#tensor(args, args[6]);
      default:
        throw this.#fail(`its pickle calls ${name ?? 'something that is no name'}, which is not allowed`);
    }
  }

  #tensor([storage, offset, size, stride]: readonly unknown[], dtype: unknown): StoredTensor {
    const sizes = size instanceof PickleTuple ? size.items : null;
    const strides = stride instanceof PickleTuple ? stride.items : null;
    if (!isStorage(storage) || !isCount(offset) || !sizes?.every(isCount) || !strides?.every(isCount))
      throw this.#fail('a tensor of its pickle is described in a way that is not known');
    if (sizes.length !== strides.length || sizes.length > MAX_DIMENSIONS)
      throw this.#fail(`a tensor of its pickle has ${sizes.length} sizes and ${strides.length} strides`);
    const named = dtype instanceof PickleGlobal ? dtype.name.replace('torch.', '') : storage.dtype;
    if (!Object.hasOwn(fileDTypes, named)) throw this.#fail(`a tensor of its pickle has the dtype ${named}`);
    return this.#checked(new StoredTensor(storage, named as FileDType, offset, sizes, strides));
  }

  /** The last element lies in the storage, and the whole is no larger than can be counted. */
  #checked(x: StoredTensor): StoredTensor {
    const bytes = byteLength(x.shape, x.dtype);
    const last = x.shape.reduce((at, size, d) => at + (size - 1) * x.strides[d], x.offset);
    const there = (x.storage.count * fileDTypes[x.storage.dtype].bytes) / fileDTypes[x.dtype].bytes;
    if (bytes === null || (bytes > 0 && !(last < there))) {
      throw this.#fail(
        `a tensor of shape [${x.shape.join(', ')}] and strides [${x.strides.join(', ')}] at ${x.offset} lies outside its ` +
          `storage of ${there} elements`,
      );
    }
    return x;
  }
}

function mapOf(items: unknown): Map<unknown, unknown> {
  if (items instanceof Map) return new Map(items);
  if (!Array.isArray(items)) return new Map();
  return new Map(
    items.map((pair): [unknown, unknown] =>
      pair instanceof PickleTuple || Array.isArray(pair)
        ? ([...(pair instanceof PickleTuple ? pair.items : pair)].slice(0, 2) as [unknown, unknown])
        : [pair, null],
    ),
  );
}

export interface LoadTorchOptions {
  /** Where the tensors go. Default 'cpu'. */
  device?: string;
  /** What the file may become in memory, views that are larger than their storage included. Default 2 GiB. */
  maxBytes?: number;
}

const LEGACY_PICKLE = 0x80;

class TorchFile {
  readonly #archive: ZipArchive;
  readonly #fail: Fail;
  readonly #prefix: string;
  readonly #options: LoadTorchOptions;
  readonly #storages = new Map<string, Promise<Uint8Array>>();
  readonly #tensors = new Map<StoredTensor, Tensor>();
  #bigEndian = false;
  #allowance: number;

  private constructor(archive: ZipArchive, fail: Fail, prefix: string, options: LoadTorchOptions) {
    this.#archive = archive;
    this.#fail = fail;
    this.#prefix = prefix;
    this.#options = options;
    this.#allowance = options.maxBytes ?? DEFAULT_MAX_BYTES;
  }

  static async read(source: ByteSource, options: LoadTorchOptions): Promise<unknown> {
    const { fail } = source;
    const start = await source.read(0, Math.min(4, source.size ?? 4));
    if (!looksLikeZip(start)) {
      throw fail(
        start[0] === LEGACY_PICKLE
          ? 'it was written by torch.save before PyTorch 1.6, or with _use_new_zipfile_serialization=False; load it with ' +
              'PyTorch and save it again'
          : 'it is no file of torch.save: it does not begin as a zip archive',
      );
    }
    const archive = await ZipArchive.open(source, options.maxBytes ?? DEFAULT_MAX_BYTES);
    const pickle = [...archive.entries.values()].find(({ name }) => /^[^/]+\/data\.pkl$/.test(name));
    if (!pickle) throw fail('it is a zip archive, but not one of torch.save: it has no data.pkl');
    const file = new TorchFile(archive, fail, pickle.name.slice(0, -'data.pkl'.length), options);
    await file.#readByteOrder();
    const structure = unpickle(await archive.read(pickle), new Host(fail), fail);
    return file.#plain(structure, 0, new Set());
  }

  #entry(name: string): ZipEntry | undefined {
    return this.#archive.entries.get(this.#prefix + name);
  }

  async #readByteOrder(): Promise<void> {
    const entry = this.#entry('byteorder');
    if (!entry) return;
    const order = new TextDecoder().decode(await this.#archive.read(entry));
    if (order !== 'little' && order !== 'big')
      throw this.#fail(`its byte order is ${JSON.stringify(order.slice(0, 20))}`);
    this.#bigEndian = order === 'big';
  }

  /** The structure with its tensors read, in JavaScript's containers. */
  async #plain(x: unknown, depth: number, open: Set<unknown>): Promise<unknown> {
    if (x instanceof StoredTensor) return this.#tensor(x);
    if (typeof x !== 'object' || x === null || x instanceof Uint8Array) return x;
    if (x instanceof PickleGlobal) return x.name;
    if (depth > 1000 || open.has(x))
      throw this.#fail('its structure contains itself, or is nested without end');
    open.add(x);
    const inside = (item: unknown) => this.#plain(item, depth + 1, open);
    const all = async (items: Iterable<unknown>): Promise<unknown[]> => {
      const list: unknown[] = [];
      for (const item of items) {
        list.push(await inside(item));
        this.#spend(8, 'values');
      }
      return list;
    };
    let result: unknown;
    if (Array.isArray(x)) result = await all(x);
    else if (x instanceof PickleTuple) result = await all(x.items);
    else if (x instanceof Set) result = new Set(await all(x));
    else if (x instanceof Map) {
      const [keys, values] = [[...x.keys()].map((key) => this.#key(key)), await all(x.values())];
      result = Object.fromEntries(keys.map((key, i) => [key, values[i]]));
    } else throw this.#fail('its structure has a storage outside of a tensor');
    open.delete(x);
    return result;
  }

  #key(key: unknown): string {
    if (typeof key === 'string') return key;
    if (typeof key === 'number' || typeof key === 'bigint' || typeof key === 'boolean') return String(key);
    throw this.#fail('a key of one of its dictionaries is neither a text nor a number');
  }

  /** Small pickles can name one thing many times: what comes out is counted. */
  #spend(bytes: number, what: string): void {
    this.#allowance -= bytes;
    if (this.#allowance < 0)
      throw this.#fail(`its ${what} take more than the limit; maxBytes sets another one`);
  }

  async #tensor(x: StoredTensor): Promise<Tensor> {
    const known = this.#tensors.get(x);
    if (known) return known;
    const bytes = await this.#bytes(x.storage, x.dtype);
    this.#spend(byteLength(x.shape, x.dtype) ?? 0, 'tensors');
    const { device } = this.#options;
    const size = fileDTypes[x.dtype].bytes;
    let result: Tensor;
    if (isContiguous(x.shape, x.strides)) {
      const start = x.offset * size;
      const count = byteLength(x.shape, x.dtype) ?? 0;
      const part = count === 0 ? new Uint8Array(0) : bytes.subarray(start, start + count);
      result = tensorOf(part, x.dtype, x.shape, this.#fail, device);
    } else {
      result = tensorOf(gathered(bytes, x, size), x.dtype, x.shape, this.#fail, device);
    }
    this.#tensors.set(x, result);
    return result;
  }

  /** The memory of a storage, read once. */
  #bytes({ key, dtype, count }: Storage, of: FileDType): Promise<Uint8Array> {
    const read = async (): Promise<Uint8Array> => {
      const entry = this.#entry(`data/${key}`);
      if (!entry) throw this.#fail(`the storage ${JSON.stringify(key)} is missing`);
      const expected = count * fileDTypes[dtype].bytes;
      if (entry.size !== expected)
        throw this.#fail(`the storage ${JSON.stringify(key)} has ${entry.size} bytes instead of ${expected}`);
      const bytes = await this.#archive.read(entry);
      return this.#bigEndian ? swapped(bytes, fileDTypes[of].bytes) : bytes;
    };
    const id = `${this.#bigEndian ? fileDTypes[of].bytes : ''}/${dtype}/${count}/${key}`;
    let job = this.#storages.get(id);
    if (!job) {
      job = read();
      this.#storages.set(id, job);
    }
    return job;
  }
}

/** The elements of a strided view in row-major order. */
function gathered(bytes: Uint8Array, { shape, strides, offset }: StoredTensor, size: number): Uint8Array {
  const count = shape.reduce((n, s) => n * s, 1);
  const out = new Uint8Array(count * size);
  const index = new Array<number>(shape.length).fill(0);
  let from = offset;
  for (let i = 0; i < count; i++) {
    for (let b = 0; b < size; b++) out[i * size + b] = bytes[from * size + b];
    for (let d = shape.length - 1; d >= 0; d--) {
      index[d]++;
      from += strides[d];
      if (index[d] < shape[d]) break;
      from -= index[d] * strides[d];
      index[d] = 0;
    }
  }
  return out;
}

/**
 * What `torch.save` wrote (.pt, .pth): tensors, numbers, texts and bools in dictionaries (objects here), lists and tuples
 * (arrays). Anything else is refused by its name, and no code is ever run. Views of one storage become tensors of their
 * own. @throws DataError
 */
export function loadTorch<T = unknown>(source: Source, options: LoadTorchOptions = {}): Promise<T> {
  return withSource(source, 'loadTorch', true, async (bytes) => (await TorchFile.read(bytes, options)) as T);
}
