// src -> dist/*.js. Three forms of the same modules:
// - dist/*.js, ES modules for pages and bundlers. Every namespace (`nn`, `optim`, …) is a file of its own, so that
//   bundlers leave out the layers that a program does not name;
// - dist/cjs, one file for Node's `require` (and what it loads when asked for a GPU), and dist/node, through which Node's
//   `import` takes that same file: a program whose parts use both has one library, with one random stream;
// - dist/wasmgrad.min.js, everything in one file for pages without a bundler, and what it loads when asked for a GPU.
import fs from 'node:fs';
import path from 'node:path';
import { withClassNames } from './classNames.mjs';
import { withDroppableClasses } from './droppableClasses.mjs';

const ESBUILD_TARGET = 'es2022';
/** Letters of a line, about: Node shows the line that threw before the message. */
const LINE = 160;
/** Parts that need Node are left out of the file for pages. */
const NODE_ONLY = ['serve/index', 'distributed/index'];
/**
 * Calls at the top of modules that only make a function or a number: marked, so that bundlers may drop what is not used.
 */
const PURE_CALLS =
  /^((?:export )?const \w+(?:: [^=\n]+)? =\s+)(?=(?:unaryOp|binaryOp|bitwise|compare|logic|truth|skippingNan|forward|transposed|maxOf|meanOf|adaptiveMean|adaptiveMax|maxPool|maxPoolWithIndices|maxUnpool|avgPool|adaptiveAvg|lpPool|Math\.sqrt|Math\.fround)[(<])/gm;

/**
 * The packed kernels are a file of their own, which others import first, so that they come first in bundles: in the midst
 * of code they would separate it from its like by more than gzip looks back (32 kB), which costs 1 kB.
 */
const KERNELS = { source: 'generated/kernels', specifier: 'wasmgrad:kernels' };

/** Modules, optimisers and distributions print the names of their classes; others are printed by consoles and named in errors. */
const NAMED_CLASSES = /[\\/]src[\\/]((nn|optim|distributions)[\\/].*|tensor|random|graph)\.ts$/;

/** A source as bundlers get it. */
export function prepared(/** @type {string} */ file, /** @type {string} */ code) {
  const marked = code.replace(PURE_CALLS, '$1/* @__PURE__ */ ');
  return withDroppableClasses(NAMED_CLASSES.test(file) ? withClassNames(marked) : marked);
}

/** @returns {import('esbuild').Plugin} */
export function preparedSources() {
  return {
    name: 'prepared sources',
    setup(build) {
      build.onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, async ({ path: file }) => ({
        contents: prepared(file, await fs.promises.readFile(file, 'utf8')),
        loader: 'ts',
      }));
    },
  };
}

/** @type {import('esbuild').BuildOptions} */
const COMMON = {
  tsconfigRaw: '{}',
  bundle: true,
  target: ESBUILD_TARGET,
  charset: 'utf8',
  logLevel: 'silent',
  write: false,
  // Some bundlers (Parcel) would put a package in the place of a bare `process`.
  define: { process: 'globalThis.process' },
  plugins: [preparedSources()],
};

/**
 * @typedef {{ root: string, entries: string[], files: string[] }} Library
 *   `entries`: public entry points, `files`: all sources; as paths inside src, entries without their ending
 * @typedef {Map<string, string | Uint8Array>} Files contents by path from the root
 */

/** Every `export * as name from './file.ts'` of the sources: who does it → the files it names, without ending. */
function namespaces(/** @type {Library} */ { root, files }) {
  /** @type {Map<string, Set<string>>} */
  const found = new Map();
  for (const file of files) {
    const text = fs.readFileSync(path.join(root, 'src', file), 'utf8');
    const targets = [...text.matchAll(/^export \* as \w+ from '(.*)\.ts';$/gm)].map(([, to]) =>
      path.posix.join(path.posix.dirname(file), to),
    );
    if (targets.length > 0) found.set(file, new Set(targets));
  }
  return found;
}

/** ES modules for pages and bundlers. */
async function bundleModules(/** @type {Library} */ library) {
  const esbuild = await import('esbuild');
  const { root, entries } = library;
  const spaces = namespaces(library);
  /** @type {import('esbuild').Plugin} */
  const separateNamespaces = {
    name: 'separate namespaces',
    setup(build) {
      build.onResolve({ filter: /^\.\.?\/.*\.ts$/ }, ({ path: specifier, importer, kind }) => {
        if (kind !== 'import-statement' || importer === '') return undefined;
        const from = path.relative(path.join(root, 'src'), importer).split(path.sep).join('/');
        const to = path.posix.join(path.posix.dirname(from), specifier).replace(/\.ts$/, '');
        if (to === KERNELS.source) return { path: KERNELS.specifier, external: true, sideEffects: false };
        if (!spaces.get(from)?.has(to)) return undefined;
        return { path: specifier.replace(/\.ts$/, '.js'), external: true, sideEffects: false };
      });
    },
  };
  const all = new Set([
    ...entries,
    ...[...spaces.values()].flatMap((targets) => [...targets]),
    KERNELS.source,
  ]);
  const result = await esbuild.build({
    ...COMMON,
    absWorkingDir: root,
    entryPoints: [...all].map((entry) => ({ in: path.join(root, 'src', `${entry}.ts`), out: entry })),
    outdir: path.join(root, 'dist'),
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    format: 'esm',
    platform: 'neutral',
    sourcemap: true,
    metafile: true,
    plugins: [...(COMMON.plugins ?? []), separateNamespaces],
  });
  const { files, warnings } = outputs(root, result);
  for (const [file, content] of files) {
    if (!file.endsWith('.js')) continue;
    // Chunks have no side effects: an import for its effects alone says nothing, but some bundlers warn of it.
    files.set(file, kernelsFirst(file, text(content).replace(/^import "[^"]+";$/gm, '')));
  }
  /** @type {Map<string, string[]>} */
  const names = new Map();
  for (const [file, { exports, entryPoint }] of Object.entries(result.metafile.outputs))
    if (entryPoint) names.set(file.slice('dist/'.length, -'.js'.length), exports);
  return { files, warnings, names };
}

/** The import of the kernels as the first one, by its path. Takes no line away, so that the source map holds. */
function kernelsFirst(/** @type {string} */ file, /** @type {string} */ code) {
  const found = code.match(new RegExp(`import {([^}]*)} from "${KERNELS.specifier}";`));
  if (found === null) return code;
  const target = path.posix.relative(path.posix.dirname(file), `dist/${KERNELS.source}.js`);
  const first = `import {${found[1].replace(/\s+/g, ' ')}} from "./${target}";`.replace('"./..', '"..');
  const lines = found[0].replace(/[^\n]+/g, '');
  return first + code.replace(found[0], () => lines);
}

/** One CommonJS file, and for every entry a CommonJS and an ES module that name its parts. */
async function bundleForNode(
  /** @type {Library} */ { root, entries },
  /** @type {Map<string, string[]>} */ names,
) {
  const id = (/** @type {string} */ entry) => entry.replaceAll('/', '_');
  const lines = entries.map((entry) => `export * as ${id(entry)} from './${entry}.ts';`);
  const files = await rolledUp(root, lines, 'dist/cjs', {
    format: 'cjs',
    entryFileNames: 'wasmgrad.js',
    chunkFileNames: 'wasmgrad.[name].js',
  });
  files.set('dist/cjs/package.json', '{ "type": "commonjs" }\n');
  for (const entry of entries) {
    const up = path.posix.relative(path.posix.dirname(entry), '.') || '.';
    files.set(`dist/cjs/${entry}.js`, `module.exports = require('${up}/wasmgrad.js').${id(entry)};\n`);
    const exported = names.get(entry) ?? [];
    // By way of local names: some exports (`var`) are reserved words.
    const locals = exported.map((name, i) => `  ${name}: x${i},`);
    const renamed = exported.map((name, i) => `  x${i} as ${name},`);
    files.set(
      `dist/node/${entry}.js`,
      `// The same modules that require() gives, so that a program has one copy of them. By require() itself: before an\n` +
        `// import Node would read all of the file for the names of its exports.\n` +
        `import { createRequire } from 'node:module';\n\n` +
        `const library = createRequire(import.meta.url)('${up}/../cjs/wasmgrad.js');\n` +
        `const {\n${locals.join('\n')}\n} = library.${id(entry)};\n\nexport {\n${renamed.join('\n')}\n};\n`,
    );
  }
  return files;
}

/**
 * Everything for pages in one file: the main entry's names, and the other entries as namespaces. What is loaded on
 * demand (WebGPU) lies beside it.
 */
async function bundleMinified(/** @type {Library} */ { root, entries }) {
  const parts = entries.filter(
    (entry) => /^\w+\/index$/.test(entry) && !NODE_ONLY.includes(entry) && !isNamespaceOfMain(root, entry),
  );
  const lines = parts.map((entry) => `export * as ${entry.split('/')[0]} from './${entry}.ts';`);
  return rolledUp(
    root,
    [`import './${KERNELS.source}.ts';`, `export * from './index.ts';`, ...lines],
    'dist',
    {
      format: 'esm',
      minify: true,
      entryFileNames: 'wasmgrad.min.js',
      chunkFileNames: 'wasmgrad.[name].min.js',
    },
  );
}

/**
 * A module of these lines, which stands in src, with all that it needs in one file, but for what is loaded on demand. By
 * rolldown: what both need it leaves in the first, in either form of modules.
 */
async function rolledUp(
  /** @type {string} */ root,
  /** @type {string[]} */ lines,
  /** @type {string} */ folder,
  /** @type {import('rolldown').OutputOptions} */ options,
) {
  const { rolldown } = await import('rolldown');
  const input = path.join(root, 'src/everything.ts');
  const everything = {
    name: 'everything',
    resolveId: (/** @type {string} */ id) => (id === input ? id : undefined),
    load: (/** @type {string} */ id) => (id === input ? lines.join('\n') : undefined),
    transform: (/** @type {string} */ code, /** @type {string} */ id) =>
      /[\\/]src[\\/].*\.ts$/.test(id) && id !== input ? prepared(id, code) : undefined,
  };
  const bundle = await rolldown({
    cwd: root,
    input,
    platform: options.format === 'cjs' ? 'node' : 'neutral',
    tsconfig: false,
    transform: { target: ESBUILD_TARGET, define: COMMON.define },
    plugins: [everything],
    preserveEntrySignatures: 'allow-extension',
    logLevel: 'silent',
  });
  const { output } = await bundle.generate({
    ...options,
    comments: { legal: true, annotation: false, jsdoc: false },
  });
  await bundle.close();
  /** @type {Files} */
  const files = new Map();
  for (const file of output) {
    if (file.type !== 'chunk') continue;
    const code = options.format === 'cjs' ? await soonRead(file.code) : file.code;
    files.set(`${folder}/${file.fileName}`, code);
  }
  return files;
}

/**
 * What Node reads at each start: without spaces, and in ASCII, which V8 keeps in one byte a letter. Names stay, for those who
 * read a stack.
 */
async function soonRead(/** @type {string} */ code) {
  const { transform } = await import('esbuild');
  const { code: small } = await transform(code, {
    lineLimit: LINE,
    charset: 'ascii',
    minifyWhitespace: true,
    minifySyntax: true,
    target: ESBUILD_TARGET,
    legalComments: 'inline',
  });
  return small;
}

function isNamespaceOfMain(/** @type {string} */ root, /** @type {string} */ entry) {
  return fs.readFileSync(path.join(root, 'src/index.ts'), 'utf8').includes(`from './${entry}.ts'`);
}

const text = (/** @type {string | Uint8Array} */ content) =>
  typeof content === 'string' ? content : Buffer.from(content).toString('utf8');

function outputs(/** @type {string} */ root, /** @type {import('esbuild').BuildResult} */ result) {
  /** @type {Files} */
  const files = new Map();
  for (const file of result.outputFiles ?? [])
    files.set(path.relative(root, file.path).split(path.sep).join('/'), file.contents);
  return { files, warnings: result.warnings };
}

/** All forms of the library, by path from the root. */
export async function bundleLibrary(/** @type {Library} */ library) {
  const modules = await bundleModules(library);
  const forNode = await bundleForNode(library, modules.names);
  const minified = await bundleMinified(library);
  return {
    files: new Map([...modules.files, ...forNode, ...minified]),
    warnings: modules.warnings,
  };
}
