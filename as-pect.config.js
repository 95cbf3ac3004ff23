// as-pect tests AssemblyScript helpers in a debug build. It offers an unshared memory; the kernels want a shared one.
import v8 from 'node:v8';

if (Number(process.versions.node.split('.')[0]) < 21)
  v8.setFlagsFromString('--experimental-wasm-relaxed-simd');

export default {
  entries: ['assembly/__tests__/**/*.spec.ts'],
  include: ['assembly/__tests__/**/*.include.ts'],
  disclude: [/node_modules/],
  async instantiate(_unshared, createImports, instantiate, binary) {
    const memory = new WebAssembly.Memory({ initial: 64, maximum: 1024, shared: true });
    return instantiate(binary, createImports({ env: { memory } }));
  },
  outputBinary: false,
};
