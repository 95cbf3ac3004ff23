/**
 * Kernels that look at how they are called, compiled on the fly: what the pool promises is tested without the real
 * kernels. `me` is a scratch argument: it equals `main` on the calling thread only.
 */
import asc from 'assemblyscript/asc';
import type { Binaries } from '../../src/backend/wasm/module.ts';

const SOURCE = `
export function heapBase(): usize { return __heap_base; }

// Every element once: a chunk done twice or never shows.
export function count(out: usize, begin: i32, end: i32): void {
  for (let i = begin; i < end; i++) {
    const at = out + (<usize>i << 2);
    store<i32>(at, load<i32>(at) + 1);
  }
}

// Needs all the bits of its arguments; the time it takes depends on the slice.
export function affine(x: usize, out: usize, scale: f64, shift: f64, begin: i32, end: i32): void {
  for (let i = begin; i < end; i++) {
    store<f64>(out + (<usize>i << 3), load<f64>(x + (<usize>i << 3)) * scale + shift);
  }
}

// Which thread did the element, as the distance between its scratch and the calling thread's.
export function whoAmI(me: usize, main: usize, out: usize, begin: i32, end: i32): void {
  for (let i = begin; i < end; i++) store<i32>(out + (<usize>i << 2), <i32>(me - main) + 1);
}

// The calling thread waits (not for ever) until a worker is inside; a worker stays until the gate opens.
export function hang(me: usize, main: usize, inside: usize, gate: usize, begin: i32, end: i32): void {
  if (me != main) {
    atomic.store<i32>(inside, 1);
    while (!atomic.load<i32>(gate)) {}
  } else {
    for (let i = 0; i < 2000000000 && !atomic.load<i32>(inside); i++) {}
  }
}

// As hang, but the worker goes on after so many turns of a loop.
export function linger(me: usize, main: usize, inside: usize, turns: i32, begin: i32, end: i32): void {
  if (me != main) {
    atomic.store<i32>(inside, 1);
    for (let i = 0; i < turns && atomic.load<i32>(inside); i++) {}
  } else {
    for (let i = 0; i < 2000000000 && !atomic.load<i32>(inside); i++) {}
  }
}

// As hang, but the worker traps.
export function trapInWorker(me: usize, main: usize, inside: usize, begin: i32, end: i32): void {
  if (me != main) {
    atomic.store<i32>(inside, 1);
    unreachable();
  }
  for (let i = 0; i < 2000000000 && !atomic.load<i32>(inside); i++) {}
}

export function trap(begin: i32, end: i32): void { unreachable(); }

export function big(x: i64, begin: i32, end: i32): void {}
export function many(a: i32, b: i32, c: i32, d: i32, e: i32, f: i32, g: i32, h: i32, i: i32, j: i32, k: i32, l: i32,
  m: f64, n: f32, o: f64, p: f64, q: f64, r: f64, s: f64, t: f64, u: f64, v: f64, w: f64, out: usize,
  begin: i32, end: i32): void {
  const sum = a + b + c + d + e + f + g + h + i + j + k + l;
  const floats = m + <f64>n + o + p + q + r + s + t + u + v + w;
  for (let x = begin; x < end; x++) store<f64>(out + (<usize>x << 3), <f64>sum + floats);
}
`;

export interface ProbeKernels {
  heapBase(): number;
  count(out: number, begin: number, end: number): void;
  affine(x: number, out: number, scale: number, shift: number, begin: number, end: number): void;
  whoAmI(me: number, main: number, out: number, begin: number, end: number): void;
  hang(me: number, main: number, inside: number, gate: number, begin: number, end: number): void;
  linger(me: number, main: number, inside: number, turns: number, begin: number, end: number): void;
  trapInWorker(me: number, main: number, inside: number, begin: number, end: number): void;
  trap(begin: number, end: number): void;
  big(x: bigint, begin: number, end: number): void;
  many(...args: number[]): void;
}

async function compile(features: string[]): Promise<Uint8Array> {
  let binary: Uint8Array | undefined;
  const flags = [
    '--runtime',
    'stub',
    '--importMemory',
    '--noExportMemory',
    '--sharedMemory',
    '--zeroFilledMemory',
  ];
  const memory = ['--initialMemory', '16', '--maximumMemory', '65536', '-O3', '--noAssert'];
  const enable = features.flatMap((feature) => ['--enable', feature]);
  const args = [
    'probe.ts',
    '--config',
    'none.json',
    '--outFile',
    'probe.wasm',
    ...flags,
    ...memory,
    ...enable,
  ];
  const { error, stderr } = await asc.main(args, {
    readFile: (name) => (name === 'probe.ts' ? SOURCE : null),
    writeFile: (_name, contents) => {
      binary = contents as Uint8Array;
    },
    listFiles: () => [],
  });
  if (error || !binary) throw new Error(`asc: ${error?.message}\n${stderr.toString()}`);
  return binary;
}

/** Both binaries, as the build makes them. */
export async function compileProbe(): Promise<Binaries> {
  const simd = await compile(['simd', 'threads']);
  const relaxed = await compile(['simd', 'threads', 'relaxed-simd']);
  return { simd: () => simd, relaxed: () => relaxed };
}
