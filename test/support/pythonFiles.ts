/** Files that PyTorch, numpy and the safetensors package wrote (test/fixtures/files), and what is in them. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import type { Tensor } from '../../src/index.ts';

const FOLDER = 'test/fixtures/files';

export interface Described {
  dtype: string;
  shape: number[];
  /** The elements in row-major, little-endian order. */
  hex: string;
}

export const fixture = (name: string): string => `${FOLDER}/${name}`;
export const fixtureBytes = (name: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(fs.readFileSync(fixture(name)));
export const expectedOf = (name: string): unknown =>
  JSON.parse(fs.readFileSync(fixture('expected.json'), 'utf8'))[name];

export const hexOf = (view: ArrayBufferView): string =>
  Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString('hex');

export const describeTensor = (x: Tensor): Described => ({
  dtype: x.dtype,
  shape: [...x.shape],
  hex: hexOf(x.data),
});

/** Runs a script of test/support with Python, or returns null where there is none. */
export function python(script: string, args: string[], input = ''): string | null {
  const run = spawnSync('python3', [`test/support/${script}`, ...args], { input, encoding: 'utf8' });
  if (run.error) return null;
  if (run.status !== 0) throw new Error(run.stderr);
  return run.stdout;
}

export const hasPython = spawnSync('python3', ['--version']).status === 0;
