// The largest error of functions of one float over all 2^32 bit patterns (or every n-th), in units in the last place:
//   node bench/kernels/ulps.mjs [n] [kernel ...]
// Math in double precision is the measure, so results are good to some 1e-8 of a unit.
import fs from 'node:fs';
import v8 from 'node:v8';

if (Number(process.versions.node.split('.')[0]) < 21)
  v8.setFlagsFromString('--experimental-wasm-relaxed-simd');

const BATCH = 2 ** 20;
const FIRST = 131072;
/** @type {Record<string, (x: number) => number>} */
const functions = {
  exp: Math.exp,
  exp2: (x) => 2 ** x,
  log: Math.log,
  tanh: Math.tanh,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  silu: (x) => (x < -745 ? x * Math.exp(x) : x / (1 + Math.exp(-x))),
  sin: Math.sin,
  cos: Math.cos,
  expm1: Math.expm1,
  log1p: Math.log1p,
  log2: Math.log2,
  log10: Math.log10,
};
const [, , step = '1', ...wanted] = process.argv;
const stride = Number(step);
const word = new Float32Array(1);
const bits = new Uint32Array(word.buffer);

/** The distance between two neighbouring floats at x. */
function unit(/** @type {number} */ x) {
  word[0] = Math.abs(x);
  const exponent = Math.max(1, bits[0] >>> 23);
  return 2 ** (Math.min(exponent, 254) - 150);
}

for (const build of ['simd', 'relaxed']) {
  const memory = new WebAssembly.Memory({ initial: 64 + (8 * BATCH) / 65536, maximum: 65536, shared: true });
  const module = new WebAssembly.Module(
    fs.readFileSync(new URL(`../../build/${build}.wasm`, import.meta.url)),
  );
  const kernels = /** @type {any} */ (new WebAssembly.Instance(module, { env: { memory } }).exports);
  const x = new Float32Array(memory.buffer, FIRST, BATCH);
  const patterns = new Uint32Array(memory.buffer, FIRST, BATCH);
  const y = new Float32Array(memory.buffer, FIRST + 4 * BATCH, BATCH);
  for (const [name, js] of Object.entries(functions)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    let worst = 0;
    let at = 0;
    for (let next = 0; next < 2 ** 32; ) {
      for (let i = 0; i < BATCH; i++, next += stride) patterns[i] = next;
      kernels[`${name}_f32`](FIRST, FIRST + 4 * BATCH, 1, 1, 0, BATCH);
      for (let i = 0; i < BATCH; i++) {
        const want = js(x[i]);
        const same = Object.is(Math.fround(want), y[i]) || (Number.isNaN(want) && Number.isNaN(y[i]));
        const far = same ? 0 : Math.abs(y[i] - want) / unit(want);
        if (far > worst) [worst, at] = [far, x[i]];
      }
    }
    console.log(`${build.padEnd(7)} ${name.padEnd(8)} ${worst.toFixed(3)} ulp at ${at}`);
  }
}
