/** What is shipped: our own sources, no code made from text, nothing that runs at install, hashes for all tools. */
import fs from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import ts from 'typescript';
import { expect, it } from 'vitest';

const manifest = JSON.parse(fs.readFileSync('package.json', 'utf8'));

/** Functions of AssemblyScript's standard library that NOTICE.md names. */
const NOTICED = new Set(['~lib/math/NativeMathf.mod']);

it('the bundle is made of files in src and nothing else', async () => {
  const entries = Object.keys(manifest.exports)
    .filter((entry) => manifest.exports[entry].types)
    .map((entry) => path.posix.join('src', entry, 'index.ts'));
  const { metafile } = await build({
    entryPoints: entries,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'neutral',
    outdir: 'unused',
    write: false,
    metafile: true,
    logLevel: 'silent',
  });
  const inputs = Object.keys(metafile.inputs);
  expect(inputs.length).toBeGreaterThan(50);
  expect(inputs.filter((file) => !file.startsWith('src/'))).toEqual([]);
});

it('the kernels hold no function of a library that NOTICE.md does not name', () => {
  const functions = fs.readFileSync('build/kernels.txt', 'utf8').trim().split('\n');
  expect(functions.length).toBeGreaterThan(100);
  expect(functions.filter((name) => name.startsWith('~lib/') && !NOTICED.has(name))).toEqual([]);
  // The list has functions of libraries as well: none would be found if their names began otherwise.
  expect(functions).toEqual(expect.arrayContaining([...NOTICED]));
});

/** Calls of `eval` and `Function` by their global names. */
function evaluators(file: string): string[] {
  const tree = ts.createSourceFile(file, fs.readFileSync(file, 'utf8'), ts.ScriptTarget.Latest);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
      const { expression } = node;
      if (ts.isIdentifier(expression) && ['eval', 'Function'].includes(expression.text)) {
        found.push(`${file}: ${expression.text}`);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
}

it('no code is made from text in what is shipped', () => {
  const files = fs
    .readdirSync('dist', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.js'));
  expect(files.length).toBeGreaterThan(2);
  expect(files.flatMap((file) => evaluators(path.join('dist', file)))).toEqual([]);
});

it('nothing is installed with the package and nothing runs at install', () => {
  expect(manifest.dependencies ?? {}).toEqual({});
  for (const script of ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish']) {
    expect(manifest.scripts).not.toHaveProperty(script);
  }
});

it('every package of the lock file has a hash', () => {
  const { packages } = JSON.parse(fs.readFileSync('package-lock.json', 'utf8')) as {
    packages: Record<string, { integrity?: string; link?: boolean }>;
  };
  const names = Object.keys(packages).filter((name) => name !== '' && !packages[name].link);
  expect(names.length).toBeGreaterThan(20);
  expect(names.filter((name) => !packages[name].integrity)).toEqual([]);
});
