// Speed of single kernels on one thread, in elements and bytes per second:
//   node bench/kernels/elementwise.mjs [elements] [kernel ...]
// 16,384 elements (the default) stay in cache; 4,194,304 come from memory. Best of many runs.
import fs from 'node:fs';
import v8 from 'node:v8';

if (Number(process.versions.node.split('.')[0]) < 21)
  v8.setFlagsFromString('--experimental-wasm-relaxed-simd');

const FIRST = 131072;
const MILLISECONDS = 60;
const [, , size = '16384', ...wanted] = process.argv;
const n = Number(size);

/** @param {string} build */
function load(build) {
  const bytes = fs.readFileSync(new URL(`../../build/${build}.wasm`, import.meta.url));
  const pages = Math.ceil((FIRST + 16 * n) / 65536) + 16;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: 65536, shared: true });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
  const floats = new Float32Array(memory.buffer, FIRST, 2 * n);
  for (let i = 0; i < 2 * n; i++) floats[i] = 0.01 + 4 * Math.random();
  return /** @type {Record<string, (...args: number[]) => void>} */ (exports);
}

const a = FIRST;
const b = FIRST + 4 * n;
const out = FIRST + 8 * n;
const unary = [a, out, 1, 2, 0, n];
const side = Math.floor(Math.sqrt(n));
/** Arguments, elements and bytes moved per call. @type {Record<string, [string, number[], number, number]>} */
const cases = {
  copy: ['copy_u32', [a, out, 1, 1, n, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1], n, 8 * n],
  transpose: ['transpose_u32', [a, out, side, side, 0, side, 0, side, 0, side], side * side, 8 * side * side],
  add: ['add_f32', [a, b, out, n, 0, 1, 0, 1, 0, n], n, 12 * n],
  'add number': ['add_f32', [a, b, out, n, 0, 1, 0, 0, 0, n], n, 8 * n],
  'number − x': ['sub_f32', [a, b, out, n, 0, 0, 0, 1, 0, n], n, 8 * n],
  maximum: ['maximum_f32', [a, b, out, n, 0, 1, 0, 1, 0, n], n, 12 * n],
  'add bias': ['add_f32', [a, b, out, 500, 500, 1, 0, 1, 0, n], n, 8 * n],
  lt: ['lt_f32', [a, b, out, n, 0, 1, 0, 1, 0, n], n, 9 * n],
  pow: ['pow_f32', [a, b, out, n, 0, 1, 0, 1, 0, n], n, 12 * n],
  sum: ['sum_f32', [a, out, n, 1, n, 0, 1], n, 4 * n],
  'sum of columns': ['sum_f32', [a, out, side, side, side, 0, side], side * side, 4 * side * side],
  max: ['max_f32', [a, out, n, 1, n, 0, 1], n, 4 * n],
  softmax: ['softmax_f32', [a, out, 128, 0, Math.floor(n / 128)], n, 8 * n],
  sgd: ['sgd_f32', [a, b, 0, 0, 0, 0, 0, 0, 0, 0, 0, n], n, 12 * n],
};
for (const name of [
  'relu',
  'neg',
  'sqrt',
  'exp',
  'log',
  'tanh',
  'sigmoid',
  'silu',
  'sin',
  'erf',
  'expm1',
  'log10',
  'tan',
  'gelu',
])
  cases[name] = [`${name}_f32`, unary, n, 8 * n];

for (const build of ['simd', 'relaxed']) {
  const kernels = load(build);
  for (const [name, [kernel, args, elements, bytes]] of Object.entries(cases)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    let best = Infinity;
    const until = performance.now() + MILLISECONDS;
    const calls = Math.max(1, Math.round(65536 / n));
    while (performance.now() < until) {
      const begin = performance.now();
      for (let i = 0; i < calls; i++) kernels[kernel](...args);
      best = Math.min(best, (performance.now() - begin) / calls);
    }
    const rate = (/** @type {number} */ x) => (x / best / 1e6).toFixed(2).padStart(7);
    console.log(`${build.padEnd(8)}${name.padEnd(16)}${rate(elements)} G elements/s ${rate(bytes)} GB/s`);
  }
}
