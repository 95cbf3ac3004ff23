// GFLOP/s of the matrix product of build/*.wasm on one thread, beside what the registers of this machine can do at
// most, measured in the same run: `node bench/kernels/gemm.mjs [seconds per shape]`. On Node 20 start it with
// --experimental-wasm-relaxed-simd, or the relaxed binary is left out. Zero-skipping counts the flops of the dense
// product.
import fs from 'node:fs';
import asc from 'assemblyscript/asc';

const seconds = Number(process.argv[2] ?? 0.15);
const BASE = 65536 / 4;
const ACCUMULATORS = 12;

/** Multiply-adds on 12 independent accumulators: as many as hide the latency, as few as stay in registers. */
function peakSource(/** @type {boolean} */ relaxed) {
  const each = (/** @type {(i: number) => string} */ line) =>
    Array.from({ length: ACCUMULATORS }, (_, i) => line(i)).join('\n');
  const madd = (/** @type {number} */ i) =>
    relaxed ? `f32x4.relaxed_madd(c${i}, x, y)` : `f32x4.add(f32x4.mul(c${i}, x), y)`;
  return `export function peak(p: usize, n: i32): void {
    const x = v128.load(p), y = v128.load(p, 16);
    ${each((i) => `let c${i} = v128.load(p, ${32 + 16 * i});`)}
    for (; n > 0; --n) { ${each((i) => `c${i} = ${madd(i)};`)} }
    ${each((i) => `v128.store(p, c${i}, ${32 + 16 * i});`)}
  }`;
}

async function compilePeak(/** @type {boolean} */ relaxed) {
  /** @type {Uint8Array | undefined} */
  let binary;
  const features = relaxed ? ['simd', 'threads', 'relaxed-simd'] : ['simd', 'threads'];
  const options = [
    '--runtime',
    'stub',
    '--importMemory',
    '--noExportMemory',
    '--sharedMemory',
    '--maximumMemory',
  ];
  const { error } = await asc.main(
    [
      'peak.ts',
      '--config',
      'none',
      '-O3',
      '-o',
      'peak.wasm',
      ...options,
      '65536',
      ...features.flatMap((f) => ['--enable', f]),
    ],
    {
      readFile: (name) => (name === 'peak.ts' ? peakSource(relaxed) : null),
      writeFile: (_, contents) => {
        if (typeof contents !== 'string') binary = contents;
      },
      listFiles: () => [],
    },
  );
  if (error || !binary) throw error ?? new Error('asc wrote no binary');
  return new WebAssembly.Module(Uint8Array.from(binary));
}

/** The best time of a call in seconds, from as many as fit; tiny calls are timed in groups. */
function best(/** @type {() => void} */ call, /** @type {number} */ group) {
  let least = Infinity;
  const end = performance.now() + seconds * 1000;
  do {
    const start = performance.now();
    for (let i = 0; i < group; i++) call();
    least = Math.min(least, performance.now() - start);
  } while (performance.now() < end);
  return least / 1000 / group;
}

/** [m, k, n, transpose A, transpose B, density of A when zeros are to be skipped] */
const shapes = [
  [128, 784, 500],
  [128, 784, 500, 0, 1],
  [784, 128, 500, 1],
  [128, 500, 10],
  [500, 128, 10, 1],
  [128, 10, 500, 0, 1],
  [256, 256, 256],
  [512, 512, 512],
  [1024, 1024, 1024],
  [4, 4, 4],
  [8, 8, 8],
  [16, 16, 16],
  [32, 32, 32],
  [48, 48, 48],
  [64, 64, 64],
  [128, 128, 128],
  [2, 784, 500],
  [1, 784, 500],
  [1, 784, 500, 0, 1],
  [128, 784, 500, 0, 0, 0.19],
  [784, 128, 500, 1, 0, 0.19],
  [128, 784, 500, 0, 0, 0.5],
];

/** Runs of eight zeros or non-zeros, as in pictures. */
function fill(/** @type {Float32Array} */ x, density = 1) {
  let state = 1;
  const next = () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
  let zero = false;
  for (let i = 0; i < x.length; i++) {
    if (i % 8 === 0) zero = next() >= density;
    x[i] = zero ? 0 : next() - 0.5;
  }
}

for (const name of ['simd', 'relaxed']) {
  const binary = fs.readFileSync(`build/${name}.wasm`);
  if (!WebAssembly.validate(binary)) {
    console.log(`${name}: this Node does not take it (try --experimental-wasm-relaxed-simd)`);
    continue;
  }
  const memory = new WebAssembly.Memory({ initial: 1024, maximum: 65536, shared: true });
  const imports = { env: { memory } };
  const kernels = /** @type {any} */ (
    new WebAssembly.Instance(new WebAssembly.Module(binary), imports).exports
  );
  const { peak } = /** @type {any} */ (
    new WebAssembly.Instance(await compilePeak(name === 'relaxed'), imports).exports
  );
  const all = new Float32Array(memory.buffer);
  all.fill(0.5, BASE, BASE + 64);
  // A pause in which V8 may finish its optimised code on another thread.
  for (let i = 0; i < 2000; i++) peak(BASE * 4, 100);
  await new Promise((resolve) => setTimeout(resolve, 100));
  const peakSeconds = best(() => peak(BASE * 4, 20000), 1);
  console.log(`${name}: peak ${((20000 * ACCUMULATORS * 8) / peakSeconds / 1e9).toFixed(1)} GFLOP/s`);
  for (const [m, k, n, transA, transB, density] of shapes) {
    const a = BASE;
    const b = a + m * k + 64;
    const c = b + k * n + 64;
    const scratch = (c + m * n + 64 + 15) & ~15;
    fill(all.subarray(a, b), density);
    fill(all.subarray(b, c));
    const [aRow, aCol] = transA ? [1, m] : [k, 1];
    const [bRow, bCol] = transB ? [1, k] : [n, 1];
    const operands = [a * 4, aRow, aCol, b * 4, bRow, bCol, c * 4, n, m, n, k, 0, 0];
    const dense = () => kernels.gemm_f32(...operands, scratch * 4, 0, m);
    const lists = scratch * 4 + ((kernels.gemm_sparse_scratch_f32(m, n, k) + 63) & ~63);
    const sparse = () => {
      kernels.sparse_lists_f32(a * 4, aRow, aCol, m, k, lists, scratch * 4, 0, Math.ceil(m / 32));
      const rows = (m + 31) & ~31;
      kernels.gemm_sparse_f32(...operands, lists, rows, rows, scratch * 4, 0, Math.ceil(n / 48));
    };
    const call = density === undefined ? dense : sparse;
    if (m * n * k < 1e8) for (let i = 0; i < 20; i++) call();
    await new Promise((resolve) => setTimeout(resolve, 20));
    const time = best(call, Math.max(1, Math.round(1e6 / (m * n * k))));
    const label = `${transA ? 'T' : 'N'}${transB ? 'T' : 'N'} ${m}x${k}x${n}`;
    const skipped = density === undefined ? '' : `, zeros skipped, density ${density}`;
    const flops = (2 * m * n * k) / time / 1e9;
    console.log(
      `  ${label.padEnd(20)} ${flops.toFixed(1).padStart(6)} GFLOP/s ${(time * 1e6).toFixed(2).padStart(10)} us${skipped}`,
    );
  }
}
