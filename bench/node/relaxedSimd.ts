/** Node 20 has relaxed SIMD behind a flag. Programs that measure set it, before the library's first operation. */
import v8 from 'node:v8';

export function allowRelaxedSimd(): void {
  if (Number(process.versions.node.split('.')[0]) < 21)
    v8.setFlagsFromString('--experimental-wasm-relaxed-simd');
}
