/// <reference lib="esnext.disposable" preserve="true" />
/** Saving and loading tensors by name. */
import { ArgumentError } from '../core/errors.ts';
import { Tensor } from '../tensor.ts';
import {
  type Header,
  type Metadata,
  readHeader,
  readSafetensors,
  readTensor,
  type SaveOptions,
  safetensorsChunks,
  type TensorInfo,
  type Tensors,
} from './safetensors.ts';
import { type ByteSource, openSource, type Source, withSource } from './source.ts';
import { type Target, writeTo } from './target.ts';

/** Tensors by name, or what has them: a module. */
export type Saveable = Tensors | { stateDict(): Tensors };

export interface LoadOptions {
  /** Where the tensors go. Default 'cpu'. */
  device?: string;
}

function tensorsOf(saveable: Saveable, op: string): Tensors {
  if (typeof saveable !== 'object' || saveable === null || saveable instanceof Tensor) {
    throw new ArgumentError(
      `${op}: expected tensors by name or a module, but got ${saveable instanceof Tensor ? 'a Tensor' : String(saveable)}`,
    );
  }
  const { stateDict } = saveable;
  return typeof stateDict === 'function' ? Reflect.apply(stateDict, saveable, []) : (saveable as Tensors);
}

/** Endings of files that torch.load reads, which are no safetensors files. */
const PYTORCH_FILE = /\.(pt|pth|pkl)$/i;

/**
 * Writes tensors by name, or a module's state, as a safetensors file, which PyTorch reads as it is. The path holds the
 * old file until the new one is complete. Tensors widened from float16, bfloat16 or another dtype that this library
 * lacks are written in it again, unless they were changed.
 * @throws DataError, StorageFullError if it cannot be written; ArgumentError for anything but tensors, and for a name
 * under which PyTorch would not read it
 */
export async function save(tensors: Saveable, target: Target, options: SaveOptions = {}): Promise<void> {
  const ending = typeof target === 'string' ? PYTORCH_FILE.exec(target) : null;
  if (ending) {
    throw new ArgumentError(
      `save: torch.load reads no safetensors files, so none is written as ${ending[0]}: name it ` +
        `'${String(target).slice(0, ending.index)}.safetensors', which safetensors.torch.load_file reads in Python and load here`,
    );
  }
  await writeTo(target, 'save', safetensorsChunks(tensorsOf(tensors, 'save'), options, 'save'));
}

/** The safetensors file as a Blob: to offer it for download, to send it, to keep it in a database. */
export async function toBlob(tensors: Saveable, options: SaveOptions = {}): Promise<Blob> {
  const parts: BlobPart[] = [];
  for await (const chunk of safetensorsChunks(tensorsOf(tensors, 'toBlob'), options, 'toBlob')())
    parts.push(chunk as Uint8Array<ArrayBuffer>);
  return new Blob(parts, { type: 'application/octet-stream' });
}

/**
 * All tensors of a safetensors file by name. Reads tensor by tensor, so that little more than they need is held.
 * @throws DataError if the file is missing, damaged or something else
 */
export function load(source: Source, options: LoadOptions = {}): Promise<Record<string, Tensor>> {
  return withSource(
    source,
    'load',
    false,
    async (bytes) => (await readSafetensors(bytes, options.device)).tensors,
  );
}

/** A safetensors file of which only the header has been read. Close it, or declare it with `await using`. */
export class SafetensorsFile implements AsyncDisposable {
  readonly #source: ByteSource;
  readonly #header: Header;

  constructor(source: ByteSource, header: Header) {
    this.#source = source;
    this.#header = header;
  }

  /** The strings kept with the tensors. */
  get metadata(): Metadata {
    return this.#header.metadata;
  }

  /** The tensors' names, in the order of the file. */
  keys(): string[] {
    return [...this.#header.tensors.keys()];
  }

  has(name: string): boolean {
    return this.#header.tensors.has(name);
  }

  /** Dtype, shape and position of a tensor. @throws ArgumentError if there is none of this name */
  info(name: string): TensorInfo {
    const info = this.#header.tensors.get(name);
    if (info) return info;
    throw new ArgumentError(
      `openSafetensors: ${this.#source.name} has no tensor ${JSON.stringify(name)}; it has ${listed(this.keys())}`,
    );
  }

  /** Reads one tensor, and nothing else of the file. @throws ArgumentError, DataError */
  async get(name: string, options: LoadOptions = {}): Promise<Tensor> {
    return readTensor(this.#source, this.#header, name, this.info(name), options.device);
  }

  close(): Promise<void> {
    return this.#source.close();
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

const LISTED = 8;

function listed(names: readonly string[]): string {
  const shown = names.slice(0, LISTED).map((name) => JSON.stringify(name));
  return names.length > LISTED
    ? `${shown.join(', ')} and ${names.length - LISTED} more`
    : shown.join(', ') || 'none';
}

/**
 * Opens a safetensors file to read single tensors: ranges of the file, of a Blob, or of an address whose server answers
 * range requests. @throws DataError
 */
export async function openSafetensors(source: Source): Promise<SafetensorsFile> {
  const bytes = await openSource(source, 'openSafetensors', true);
  try {
    return new SafetensorsFile(bytes, await readHeader(bytes));
  } catch (error) {
    await bytes.close();
    throw error;
  }
}
