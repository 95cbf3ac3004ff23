// Builds everything that is not written by hand. `kernels`: AssemblyScript -> build/*.wasm -> src/generated (what
// type checks, tests and bundles read). `js`: also the ES modules of dist. Without an argument: also the type
// declarations. Each stage is skipped when a hash over its inputs equals the one of its last run.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { kernelTypes } from './kernelTypes.mjs';

export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const at = (/** @type {string} */ file) => path.join(root, file);

const KERNEL_BINARIES = { simd: 'build/simd.wasm', relaxed: 'build/relaxed.wasm' };
/** The names of all functions that the kernels are made of. */
const KERNEL_FUNCTIONS = 'build/kernels.txt';
const PLAIN_BINARY = 'src/backend/wasm/plainBinary.ts';
/** Unpacks the kernels: compiled by itself, with an own memory for both and its table. */
const UNPACKER = 'assembly/unpack.ts';
const UNPACKER_FLAGS = ['--config', 'none', '--runtime', 'stub', '--initialMemory', '16'];
const UNPACKER_OPTIMISATIONS = ['-O3', '--shrinkLevel', '2', '--converge', '--noAssert'];
/** Says which compiler makes the kernels: they are compiled anew for another, and not for other packages. */
const COMPILER = 'node_modules/assemblyscript/package.json';
const WORKER_ENTRY = 'src/backend/wasm/worker.ts';
const WORKER_SCRIPT = 'build/worker.js';
/** The worker as a file, for pages whose security policy refuses workers made from strings. */
const SERVED_WORKER = 'dist/worker.js';
/** For sites that cannot send headers: copied to them as it is. */
const ISOLATE = { source: 'src/isolate.js', served: 'dist/isolate.js' };
const ESBUILD_TARGET = 'es2022';

/**
 * The entry points that package.json promises, as paths inside src and dist without their ending.
 * @throws BuildError for one that would load a second copy of the library in Node
 */
function entryPoints() {
  const { exports, typesVersions } = JSON.parse(fs.readFileSync(at('package.json'), 'utf8'));
  const entries = Object.keys(exports).filter((entry) => exports[entry].types);
  for (const entry of entries) {
    const wanted = JSON.stringify(exportConditions(path.posix.join(entry, 'index')), null, 2);
    if (JSON.stringify(exports[entry], null, 2) !== wanted)
      throw new BuildError(`package.json: expected exports['${entry}'] to be ${wanted}`);
  }
  // For compilers that do not read `exports`: TypeScript 5 with `moduleResolution: "node"`, its default for CommonJS.
  const parts = entries.filter((entry) => entry !== '.').map((entry) => entry.slice('./'.length));
  const types = { '*': Object.fromEntries(parts.map((part) => [part, [`./dist/types/${part}/index.d.ts`]])) };
  if (JSON.stringify(typesVersions) !== JSON.stringify(types))
    throw new BuildError(`package.json: expected typesVersions to be ${JSON.stringify(types, null, 2)}`);
  return entries.map((entry) => path.posix.join(entry, 'index'));
}

/**
 * Where importers find an entry: Node's two kinds share dist/cjs, pages and bundlers take the ES modules. So do bundlers
 * that build for Node, which cannot follow dist/node to dist/cjs: they all set `module`, and Node does not.
 */
const exportConditions = (/** @type {string} */ file) => ({
  node: {
    module: `./dist/${file}.js`,
    import: { types: `./dist/${file}.d.ts`, default: `./dist/node/${file}.js` },
    require: { types: `./dist/types/${file}.d.ts`, default: `./dist/cjs/${file}.js` },
  },
  types: `./dist/${file}.d.ts`,
  default: `./dist/${file}.js`,
});

/** Files below `folder`, as sorted paths from the root. */
export function filesBelow(/** @type {string} */ folder) {
  if (!fs.existsSync(at(folder))) return [];
  return fs
    .readdirSync(at(folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
    .sort();
}

function hashOf(/** @type {string[]} */ files) {
  const hash = createHash('sha256').update(process.versions.node.split('.')[0]);
  for (const file of files) hash.update(`\0${file}\0`).update(fs.readFileSync(at(file)));
  return hash.digest('hex');
}

/** Replaces a file in one step (a reader never sees half of it) and leaves it alone when nothing changed. */
export function writeIfChanged(/** @type {string} */ file, /** @type {string | Uint8Array} */ content) {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  if (fs.existsSync(at(file)) && fs.readFileSync(at(file)).equals(bytes)) return;
  fs.mkdirSync(path.dirname(at(file)), { recursive: true });
  const draft = at(`${file}.${process.pid}.draft`);
  fs.writeFileSync(draft, bytes);
  fs.renameSync(draft, at(file));
}

/**
 * Runs a stage unless its inputs and outputs are as it left them.
 * @param {string} name
 * @param {string[]} inputs
 * @param {string[]} outputs
 * @param {() => Promise<void>} work
 */
async function stage(name, inputs, outputs, work) {
  const stamp = `build/stamps/${name}`;
  const hash = hashOf([...inputs, 'scripts/build.mjs']);
  const done = fs.existsSync(at(stamp)) && fs.readFileSync(at(stamp), 'utf8') === hash;
  if (done && outputs.every((file) => fs.existsSync(at(file)))) return;
  const start = performance.now();
  await work();
  writeIfChanged(stamp, hash);
  console.error(`built ${name} in ${((performance.now() - start) / 1000).toFixed(1)} s`);
}

/** Parts of the library that the build uses itself. */
async function libraryModule(/** @type {string} */ file) {
  const esbuild = await import('esbuild');
  const { outputFiles } = await esbuild.build({
    entryPoints: [at(file)],
    absWorkingDir: root,
    tsconfigRaw: '{}',
    bundle: true,
    write: false,
    format: 'esm',
    target: ESBUILD_TARGET,
    logLevel: 'silent',
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
}

/** LZMA without its header: lc = 3, lp = 0, pb = 2. The unpacker is checked against what it has to give. */
async function packed(/** @type {Uint8Array} */ bytes, /** @type {Uint8Array<ArrayBuffer>} */ unpacker) {
  const HEADER_BYTES = 13;
  // @ts-expect-error: the package has no types
  const { compress } = (await import('lzma')).default;
  const small = Uint8Array.from(compress(bytes, 9)).subarray(HEADER_BYTES);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(unpacker));
  const { memory, source, unpack } = /** @type {any} */ (exports);
  const from = source();
  const room = new Uint8Array(memory.buffer);
  room.set(small, from);
  unpack(from + small.length, bytes.length);
  if (!Buffer.from(room.subarray(from + small.length, from + small.length + bytes.length)).equals(bytes))
    throw new BuildError(`${UNPACKER} does not give back what was packed`);
  return small;
}

/** What the compiler of AssemblyScript writes for these arguments, by the names of the files; functions before inlining. */
async function compiled(/** @type {string[]} */ args) {
  const asc = (await import('assemblyscript/asc')).default;
  /** @type {Map<string, string | Uint8Array>} */
  const written = new Map();
  const { default: binaryen } = await import('assemblyscript/binaryen');
  const afterCompile = (/** @type {import('assemblyscript/binaryen').default.Module} */ module) => {
    const list = Array.from({ length: module.getNumFunctions() }, (_, i) => module.getFunctionByIndex(i));
    written.set('functions', list.map((one) => binaryen.getFunctionInfo(one).name).join('\n'));
  };
  const { error, stderr } = await asc.main(args, {
    writeFile: (name, contents) => void written.set(path.basename(name), contents),
    transforms: [/** @type {any} */ ({ afterCompile })],
  });
  if (error) throw new BuildError(`asc: ${error.message}\n${stderr.toString()}`);
  return written;
}

async function compileKernels() {
  const written = await compiled(['--target', 'relaxed', '--textFile', 'relaxed.wat']);
  const relaxed = Uint8Array.from(Buffer.from(written.get('relaxed.wasm') ?? ''));
  const unpacking = await compiled([
    ...[UNPACKER, '--outFile', 'unpack.wasm'],
    ...[...UNPACKER_FLAGS, ...UNPACKER_OPTIMISATIONS],
  ]);
  const unpacker = Uint8Array.from(Buffer.from(unpacking.get('unpack.wasm') ?? ''));
  const { plainBinary, fusedCount } = await libraryModule(PLAIN_BINARY);
  const stated = String(written.get('relaxed.wat')).match(/relaxed_madd/g)?.length ?? 0;
  if (fusedCount(relaxed) !== stated)
    throw new BuildError(
      `${PLAIN_BINARY} takes other bytes of the binary for a multiply-add: change a kernel a little`,
    );
  const base64 = (/** @type {Uint8Array} */ bytes) => Buffer.from(bytes).toString('base64');
  writeIfChanged(KERNEL_FUNCTIONS, `${written.get('functions')}\n`);
  writeIfChanged(KERNEL_BINARIES.relaxed, relaxed);
  writeIfChanged(KERNEL_BINARIES.simd, plainBinary(relaxed));
  writeIfChanged(
    'src/generated/kernels.ts',
    '// The compiled kernels, packed, and what unpacks them, as base64. Written by scripts/build.mjs.\n' +
      `export const unpacker: string =\n  '${base64(unpacker)}';\n` +
      `export const relaxed: string =\n  '${base64(await packed(relaxed, unpacker))}';\n` +
      `export const relaxedBytes: number = ${relaxed.length};\n${kernelTypes(relaxed)}`,
  );
}

async function bundleWorker() {
  const esbuild = await import('esbuild');
  const result = await esbuild.build({
    entryPoints: [at(WORKER_ENTRY)],
    absWorkingDir: root,
    tsconfigRaw: '{}',
    bundle: true,
    write: false,
    minify: true,
    format: 'iife',
    platform: 'neutral',
    target: ESBUILD_TARGET,
    logLevel: 'silent',
  });
  failOnWarnings('worker', result.warnings);
  writeIfChanged(WORKER_SCRIPT, result.outputFiles[0].contents);
  const source = JSON.stringify(result.outputFiles[0].text.trimEnd());
  writeIfChanged(
    'src/generated/worker.ts',
    `// The worker as source text. Written by scripts/build.mjs from ${WORKER_ENTRY}.\nexport const workerSource: string =\n  ${source};\n`,
  );
}

async function writeLibrary(/** @type {string[]} */ entries, /** @type {string[]} */ sources) {
  const { bundleLibrary } = await import('./libraryBundles.mjs');
  const { sizes } = await import('./sizes.mjs');
  const inside = sources.map((file) => file.slice('src/'.length));
  const { files, warnings } = await bundleLibrary({ root, entries, files: inside });
  failOnWarnings('dist', warnings);
  files.set(SERVED_WORKER, fs.readFileSync(at(WORKER_SCRIPT)));
  files.set(ISOLATE.served, fs.readFileSync(at(ISOLATE.source)));
  for (const [file, contents] of files) writeIfChanged(file, contents);
  for (const file of filesBelow('dist'))
    if (/\.js(\.map)?$/.test(file) && !files.has(file)) fs.rmSync(at(file));
  const weights = Object.entries(await sizes(root)).map(
    ([name, size]) => `${name} ${(size / 1000).toFixed(1)} kB`,
  );
  console.error(`minified and gzipped, kernels included: ${weights.join(', ')}`);
}

/**
 * The declarations are CommonJS (dist/types), which both kinds of importers may read; beside each ES module lies a
 * declaration that passes them on.
 */
async function writeTypes(/** @type {string[]} */ entries) {
  for (const file of filesBelow('dist')) if (file.endsWith('.d.ts')) fs.rmSync(at(file));
  const args = [at('node_modules/typescript/bin/tsc'), '-p', at('tsconfig.build.json')];
  const tsc = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 2, 2] });
  const [code] = await once(tsc, 'close');
  if (code !== 0) throw new BuildError('the type declarations could not be written (errors above)');
  writeIfChanged('dist/types/package.json', '{ "type": "commonjs" }\n');
  for (const entry of entries) {
    const up = path.posix.relative(path.posix.dirname(entry), '.') || '.';
    writeIfChanged(`dist/${entry}.d.ts`, `export * from '${up}/types/${entry}.js';\n`);
  }
}

/** A build that failed for a reason which its message tells in full; the stack would add nothing. */
export class BuildError extends Error {}

function failOnWarnings(/** @type {string} */ what, /** @type {import('esbuild').Message[]} */ warnings) {
  if (warnings.length === 0) return;
  const lines = warnings.map(
    ({ text, location }) => `${location?.file ?? ''}:${location?.line ?? ''} ${text}`,
  );
  throw new BuildError(`${what}: ${lines.join('\n')}`);
}

/**
 * Brings the generated files up to date.
 * @param {'kernels' | 'js' | 'all'} depth
 */
export async function build(depth = 'all') {
  const manifest = ['package.json', 'package-lock.json'];
  process.chdir(root); // asc takes its configuration from the current folder
  const kernels = filesBelow('assembly').filter(
    (file) => file.endsWith('.ts') && !file.includes('__tests__'),
  );
  const decoders = [PLAIN_BINARY, 'src/backend/wasm/sections.ts'];
  await stage(
    'kernels',
    [...kernels, ...decoders, 'asconfig.json', 'scripts/kernelTypes.mjs', COMPILER],
    [...Object.values(KERNEL_BINARIES), KERNEL_FUNCTIONS, 'src/generated/kernels.ts'],
    compileKernels,
  );

  const sources = filesBelow('src').filter(
    (file) => file.endsWith('.ts') && file !== 'src/generated/worker.ts',
  );
  await stage('worker', [...sources, ...manifest], ['src/generated/worker.ts', WORKER_SCRIPT], bundleWorker);
  if (depth === 'kernels') return;

  const all = filesBelow('src').filter((file) => file.endsWith('.ts'));
  const entries = entryPoints().filter((entry) => fs.existsSync(at(`src/${entry}.ts`)));
  const bundlers = ['libraryBundles', 'classNames', 'droppableClasses', 'sizes'].map(
    (name) => `scripts/${name}.mjs`,
  );
  const outputs = entries.flatMap((entry) => ['', 'cjs/', 'node/'].map((form) => `dist/${form}${entry}.js`));
  const scripts = [...bundlers, ...manifest, ISOLATE.source];
  const configs = ['tsconfig.json', 'tsconfig.build.json'];
  const types = () =>
    stage(
      'types',
      [...all, ...configs, ...manifest],
      entries.map((entry) => `dist/${entry}.d.ts`),
      () => writeTypes(entries),
    );
  await Promise.all([
    stage('js', [...all, ...scripts], [...outputs, SERVED_WORKER, ISOLATE.served], () =>
      writeLibrary(entries, all),
    ),
    depth === 'all' && types(),
  ]);
}

if (process.argv[1] && import.meta.url === pathToFileURL(fs.realpathSync(process.argv[1])).href) {
  const depth = process.argv[2] ?? 'all';
  if (depth !== 'kernels' && depth !== 'js' && depth !== 'all') {
    console.error(`unknown stage '${depth}': expected kernels, js or all`);
    process.exit(2);
  }
  const { prepare } = await import('./bootstrap.mjs');
  prepare();
  await build(depth).catch((error) => {
    const text = error instanceof BuildError || 'errors' in error ? error.message : error.stack;
    console.error(`build failed: ${text}`);
    process.exitCode = 1;
  });
}
