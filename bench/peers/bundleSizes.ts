/** What a page has to fetch: each library's modules for training, bundled, minified and gzipped, and its .wasm files. */
import fs from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import * as esbuild from 'esbuild';

export interface BundleSize {
  readonly peer: string;
  /** Bytes after gzip. */
  readonly script: number;
  /** Bytes after gzip of the largest .wasm file that one visitor fetches; 0 if it is inside the script. */
  readonly wasm: number;
}

const folder = path.resolve('bench/peers');
const gzipped = (bytes: Uint8Array): number => gzipSync(bytes, { level: 9 }).length;

interface Library {
  readonly peer: string;
  readonly source: string;
  readonly from: string;
  readonly wasm?: string;
}
const LIBRARIES: readonly Library[] = [
  { peer: 'wasmgrad', source: `export * from './dist/index.js';`, from: '.' },
  {
    peer: 'tfjs-wasm',
    source: `
      import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
      import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js';
      export * from '@tensorflow/tfjs-core';
      export * from '@tensorflow/tfjs-backend-wasm';`,
    from: folder,
    wasm: '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm',
  },
  { peer: 'jax-js', source: `export * from '@jax-js/jax';`, from: folder },
  {
    peer: 'onnxruntime-web',
    source: `export * from 'onnxruntime-web/wasm';`,
    from: folder,
    wasm: 'onnxruntime-web/dist/ort-wasm-simd-threaded.wasm',
  },
];

async function sizeOf({ peer, source, from, wasm }: Library): Promise<BundleSize> {
  const { outputFiles } = await esbuild.build({
    stdin: { contents: source, resolveDir: from },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    splitting: true, // what is loaded only when asked for is not counted
    outdir: 'unwritten',
    entryNames: 'entry',
    write: false,
    logLevel: 'silent',
    external: ['node:*', 'fs', 'path', 'crypto', 'worker_threads', 'perf_hooks', 'os', 'module'],
  });
  const lazy = (text: string) =>
    new Set([...text.matchAll(/import\("\.\/([^"]+)"\)/g)].map(([, name]) => name));
  const left = new Set(outputFiles.flatMap((file) => [...lazy(file.text)]));
  const eager = outputFiles.filter((file) => !left.has(path.basename(file.path)));
  const script = gzipped(Buffer.concat(eager.map((file) => file.contents)));
  return {
    peer,
    script,
    wasm: wasm ? gzipped(fs.readFileSync(path.join(folder, 'node_modules', wasm))) : 0,
  };
}

export const bundleSizes = (): Promise<BundleSize[]> => Promise.all(LIBRARIES.map(sizeOf));
