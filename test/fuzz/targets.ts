/** What is fuzzed: every parser of files that nobody vouches for, with files that it reads as seeds. */
import fs from 'node:fs';
import { gzipSync } from 'node:zlib';
import { DataError } from '../../src/core/errors.ts';
import { ArgumentError, Generator, nn, optim, Tensor, tensor } from '../../src/index.ts';
import { crc32 } from '../../src/io/crc32.ts';
import { load, loadCheckpoint, loadNpy, loadNpz, loadTorch, saveCheckpoint } from '../../src/io/index.ts';
import { parseJson } from '../../src/io/json.ts';
import { bytesSink, inMemory, readIdx } from '../../src/vision/idx.ts';
import { idxFile, imagesFile, labelsFile } from '../support/idxFiles.ts';

type Bytes = Uint8Array<ArrayBuffer>;

export interface Target {
  readonly seeds: readonly Bytes[];
  /** Reads the bytes; resolves with whether they were taken. Anything thrown but a refusal is a bug. */
  readonly run: (bytes: Bytes) => Promise<boolean>;
}

const text = (content: string): Bytes => new TextEncoder().encode(content) as Bytes;
const fixture = (name: string): Bytes => new Uint8Array(fs.readFileSync(`test/fixtures/files/${name}`));
const fail = (problem: string, cause?: unknown) => new DataError(problem, { cause });

async function taken(job: () => unknown, ...refusals: (new (...args: never[]) => Error)[]): Promise<boolean> {
  try {
    await job();
    return true;
  } catch (error) {
    if ([DataError, ...refusals].some((kind) => error instanceof kind)) return false;
    throw error;
  }
}

/** A zip archive whose checksums are made right after a change, so that changes reach what lies behind them. */
export function repaired(bytes: Bytes): Bytes {
  const out = bytes.slice();
  const view = new DataView(out.buffer);
  for (let at = 0; at + 46 <= out.length; at++) {
    if (view.getUint32(at, true) !== 0x02014b50) continue;
    const local = view.getUint32(at + 42, true);
    const size = view.getUint32(at + 20, true);
    if (view.getUint16(at + 10, true) !== 0 || local + 30 > out.length) continue;
    const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    if (start + size <= out.length) view.setUint32(at + 16, crc32(out.subarray(start, start + size)), true);
  }
  return out;
}

const archives = (read: (bytes: Bytes) => Promise<unknown>) => (bytes: Bytes) =>
  taken(async () => read(bytes[0] % 2 === 0 ? bytes : repaired(bytes)));

/** What a checkpoint is loaded into; it must be as it was if the checkpoint is refused. */
function parts() {
  const model = new nn.Linear(2, 2);
  return {
    model,
    optimizer: new optim.Adam(model.parameters(), { lr: 0.1 }),
    generator: new Generator(),
    weights: tensor([1, 2]),
  };
}
const print = ({ model, optimizer, generator, weights }: ReturnType<typeof parts>): string =>
  JSON.stringify([
    Object.values(model.stateDict()).map((x) => x.data.join()),
    JSON.stringify(optimizer.stateDict(), (_, x) => (x instanceof Tensor ? x.data.join() : x)),
    generator.getState().data.join(),
    weights.data.join(),
  ]);

async function checkpointSeed(): Promise<Bytes> {
  const chunks: Bytes[] = [];
  const state = { ...parts(), epoch: 3, list: [Number.NaN, 1n, null, new Map([[1, { $a: 'x' }]])] };
  await saveCheckpoint(
    new WritableStream<Uint8Array>({ write: (chunk) => void chunks.push(chunk.slice() as Bytes) }),
    state,
  );
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

/** A checkpoint whose checksum is made right, so that changed elements are looked at. */
function withChecksum(bytes: Bytes): Bytes {
  const length = bytes.length < 8 ? 0 : Number(new DataView(bytes.buffer).getBigUint64(0, true));
  if (length > bytes.length - 8) return bytes;
  const header = new TextDecoder('latin1').decode(bytes.subarray(8, 8 + length));
  const at = header.indexOf('wasmgrad.crc32');
  const sum = crc32(bytes.subarray(8 + length)).toString(16);
  const old = /^wasmgrad\.crc32":"([0-9a-f]+)"/.exec(header.slice(at))?.[1];
  if (at < 0 || old?.length !== sum.length) return bytes;
  const out = bytes.slice();
  out.set(text(sum), 8 + at + 'wasmgrad.crc32":"'.length);
  return out;
}

export async function targets(): Promise<Record<string, Target>> {
  const into = parts();
  return {
    safetensors: {
      seeds: [fixture('dtypes.safetensors'), fixture('model.safetensors')],
      run: (bytes) => taken(() => load(bytes)),
    },
    checkpoint: {
      seeds: [await checkpointSeed()],
      run: async (bytes) => {
        const before = print(into);
        const ok = await taken(() => loadCheckpoint(withChecksum(bytes), into), ArgumentError);
        if (!ok && print(into) !== before) throw new Error('a refused checkpoint has changed the model');
        return ok;
      },
    },
    torch: {
      seeds: ['dtypes.pt', 'model.pth', 'views.pt', 'protocol4.pt', 'one.pt', 'code.pt'].map(fixture),
      run: archives((bytes) => loadTorch(bytes, { maxBytes: 1 << 26 })),
    },
    npy: {
      seeds: [
        'float16.npy',
        'fortran.npy',
        'bigendian.npy',
        'scalar.npy',
        'version3.npy',
        'structured.npy',
      ].map(fixture),
      run: (bytes) => taken(() => loadNpy(bytes)),
    },
    npz: {
      seeds: [fixture('stored.npz'), fixture('deflated.npz')],
      run: archives((bytes) => loadNpz(bytes, { maxBytes: 1 << 26 })),
    },
    idx: {
      seeds: [imagesFile(1), labelsFile(9), idxFile(0x802, [3, 2], [1, 2, 3, 4, 5, 6])],
      run: (bytes) => taken(() => readIdx(inMemory(bytes), bytes[3] === 3 ? [28, 28] : [], fail, bytesSink)),
    },
    gzip: {
      seeds: [new Uint8Array(gzipSync(labelsFile(9))), new Uint8Array(gzipSync(imagesFile(1)))],
      run: (bytes) => taken(() => readIdx(inMemory(bytes), [], fail, bytesSink)),
    },
    json: {
      seeds: ['{"a":[1,-2.5e3,true,null,"x\\u0041\\n"],"__proto__":{}}', ' [ {"\\"":""} ] '].map(text),
      run: (bytes) => taken(() => parseJson(bytes, fail)),
    },
  };
}
