// `npm run size [-- program]`: what takes the bytes of everything, or of another program of sizes.mjs: by folder, by file,
// and by what kind of text it is, minified and gzipped. Each byte counts with the bits that it takes in the gzipped file.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, deflateRawSync } from 'node:zlib';
import ts from 'typescript';
import { deflateCosts } from './deflateCosts.mjs';
import { PROGRAMS } from './sizes.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
/** Strings beyond this length are no texts: the kernels, the worker. */
const BLOB = 2000;
const FILES_SHOWN = 25;

/** One file for the program, from the sources; without what a GPU needs, which is loaded on demand. */
async function bundled(/** @type {string} */ program) {
  const esbuild = await import('esbuild');
  const { preparedSources } = await import('./libraryBundles.mjs');
  const { outputFiles } = await esbuild.build({
    absWorkingDir: root,
    stdin: { contents: program, resolveDir: path.join(root, 'src') },
    outfile: path.join(root, 'unused.js'),
    tsconfigRaw: '{}',
    bundle: true,
    minify: true,
    sourcemap: 'external',
    format: 'esm',
    target: 'es2022',
    charset: 'utf8',
    write: false,
    logLevel: 'error',
    plugins: [
      preparedSources(),
      {
        name: 'sources',
        setup(build) {
          build.onResolve({ filter: /^wasmgrad/ }, ({ path: name }) => ({
            path: path.join(root, 'src', name.slice('wasmgrad'.length), 'index.ts'),
          }));
          build.onResolve({ filter: /webgpu\/index\.ts$/ }, ({ kind, path: file }) =>
            kind === 'dynamic-import' ? { path: file, external: true } : undefined,
          );
        },
      },
    ],
  });
  const [map, code] = outputFiles.sort((a, b) => b.path.length - a.path.length);
  return { code: code.text, map: JSON.parse(map.text) };
}

/** Where in the code another source begins: offsets, and the sources' names. */
function* segments(/** @type {string} */ code, /** @type {{ mappings: string, sources: string[] }} */ map) {
  const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const lines = code.split('\n');
  let lineStart = 0;
  let source = 0;
  for (const [i, line] of map.mappings.split(';').entries()) {
    let column = 0;
    for (const segment of line === '' ? [] : line.split(',')) {
      const fields = [];
      let value = 0;
      let shift = 0;
      for (const digit of segment) {
        const bits = DIGITS.indexOf(digit);
        value |= (bits & 31) << shift;
        shift += 5;
        if (bits & 32) continue;
        fields.push(value & 1 ? -(value >> 1) : value >> 1);
        value = 0;
        shift = 0;
      }
      column += fields[0];
      if (fields.length < 2) continue;
      source += fields[1];
      yield { at: lineStart + column, file: path.relative('src', path.normalize(map.sources[source])) };
    }
    lineStart += lines[i].length + 1;
  }
}

/** What a piece of code is. @param {ts.Node} node without children */
function kindOf(node) {
  const { parent } = node;
  const text = 'text' in node ? String(node.text) : '';
  if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node)) {
    if (text.length > BLOB) return 'kernels and worker';
    return text.includes(' ') || ts.isTemplateExpression(parent) || ts.isTemplateSpan(parent)
      ? 'messages and other texts'
      : 'strings without a space';
  }
  if (!ts.isIdentifier(node)) return ts.isNumericLiteral(node) ? 'numbers' : 'keywords and signs';
  const named = ts.isBindingElement(parent) ? parent.propertyName : /** @type {any} */ (parent).name;
  const isProperty =
    named === node &&
    !ts.isVariableDeclaration(parent) &&
    !ts.isParameter(parent) &&
    !ts.isFunctionLike(parent) &&
    !ts.isClassLike(parent);
  return isProperty || ts.isMethodDeclaration(parent) ? 'names of properties and methods' : 'local names';
}

function kinds(/** @type {string} */ code, /** @type {(start: number, end: number) => number} */ cost) {
  const file = ts.createSourceFile('bundle.js', code, ts.ScriptTarget.Latest, true, ts.ScriptKind.JS);
  /** @type {Map<string, number>} */
  const found = new Map();
  const visit = (/** @type {ts.Node} */ node) => {
    const children = node.getChildren(file);
    if (children.length > 0) return children.forEach(visit);
    const kind = kindOf(node);
    found.set(kind, (found.get(kind) ?? 0) + cost(node.getStart(file), node.end));
  };
  visit(file);
  return found;
}

const name = /** @type {keyof typeof PROGRAMS} */ (process.argv[2] ?? 'everything');
if (!(name in PROGRAMS)) throw new Error(`expected one of ${Object.keys(PROGRAMS).join(', ')}, got ${name}`);
const { code, map } = await bundled(PROGRAMS[name]);
const stream = deflateRawSync(code, { level: 9 });
/** Bits up to each character. */
const bits = new Float64Array(code.length + 1);
const costs = deflateCosts(stream);
for (let i = 0, byte = 0; i < code.length; i++) {
  bits[i + 1] = bits[i];
  for (const end = byte + Buffer.byteLength(code[i]); byte < end; byte++) bits[i + 1] += costs[byte];
}
const cost = (/** @type {number} */ start, /** @type {number} */ end) => (bits[end] - bits[start]) / 8;

/** @type {Map<string, number>} */
const files = new Map();
/** @type {Map<string, number>} */
const folders = new Map();
const parts = [...segments(code, map)];
for (const [i, { at, file }] of parts.entries()) {
  const size = cost(at, parts[i + 1]?.at ?? code.length);
  files.set(file, (files.get(file) ?? 0) + size);
  folders.set(path.dirname(file), (folders.get(path.dirname(file)) ?? 0) + size);
}
const show = (/** @type {string} */ title, /** @type {Map<string, number>} */ sizes, count = sizes.size) => {
  console.log(`\n${title}`);
  const sorted = [...sizes].sort((a, b) => b[1] - a[1]).slice(0, count);
  for (const [part, size] of sorted) console.log(`${(size / 1000).toFixed(1).padStart(7)} kB  ${part}`);
};
const kB = (/** @type {number} */ bytes) => `${(bytes / 1000).toFixed(1)} kB`;
console.log(
  `${name}: ${kB(code.length)} minified, ${kB(stream.length)} gzipped, ${kB(brotliCompressSync(code).length)} by Brotli`,
);
show('by folder of src, gzipped', folders);
show('by file', files, FILES_SHOWN);
show('by kind of text', kinds(code, cost));
