// Node 20 has relaxed SIMD behind a V8 flag (later versions do not know it); the suites shall cover those kernels too.
import v8 from 'node:v8';

if (Number(process.versions.node.split('.')[0]) < 21)
  v8.setFlagsFromString('--experimental-wasm-relaxed-simd');
