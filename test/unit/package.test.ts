/** What a user installs: dist and package.json in a project of their own, run by a plain Node and read by tsc. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as kernels from '../../src/generated/kernels.ts';
import * as source from '../../src/index.ts';

const manifest = JSON.parse(fs.readFileSync('package.json', 'utf8'));
const subpaths = Object.keys(manifest.exports).filter((entry) => manifest.exports[entry].types);
const specifiers = subpaths.map((entry) => path.posix.join('wasmgrad', entry));

const TRAINING = `
import { nn, optim } from 'wasmgrad';
import * as torch from 'wasmgrad';
torch.manualSeed(1);
const x = torch.randn(64, 3);
const y = x.matmul(torch.tensor([[1], [2], [3]])).add(4);
const model = new nn.Linear(3, 1);
const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
const losses: number[] = [];
for (let step = 0; step < 100; step++) {
  const error = model.forward(x).sub(y);
  const loss = error.mul(error).mean();
  optimizer.zeroGrad();
  loss.backward();
  optimizer.step();
  losses.push(loss.item());
}
console.log(JSON.stringify({ first: losses[0], last: losses[99], weight: model.weight.toArray() }));
`;

/** The scripts are to be served, not imported. */
const ATTW_FLAGS = ['--exclude-entrypoints', './worker.js', './isolate.js'];

let project = '';
let tarball = '';

beforeAll(() => {
  project = fs.mkdtempSync(path.join(os.tmpdir(), 'wasmgrad-user-'));
  const packed = spawnSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', project], {
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  expect(packed.status, packed.stderr).toBe(0);
  tarball = path.join(project, JSON.parse(packed.stdout)[0].filename);
  const installed = path.join(project, 'node_modules/wasmgrad');
  fs.mkdirSync(installed, { recursive: true });
  const unpacked = spawnSync('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1']);
  expect(unpacked.status, String(unpacked.stderr)).toBe(0);
  fs.writeFileSync(path.join(project, 'package.json'), '{ "type": "module" }');
});

afterAll(() => fs.rmSync(project, { recursive: true, force: true }));

function run(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: project, encoding: 'utf8' });
  expect(status, stdout + stderr).toBe(0);
  return stdout;
}

/** `node10` knows no `exports`: the default of TypeScript 5 for CommonJS, gone from later ones. */
const RESOLUTIONS = {
  nodenext: { module: 'nodenext' },
  bundler: { module: 'esnext', moduleResolution: 'bundler' },
  node10: { module: 'commonjs', moduleResolution: 'node10' },
};

/** Checks the user's program, as both kinds of modules where there are two, and runs what becomes of it. */
function typeCheckAndTrain(compiler: string, kind: keyof typeof RESOLUTIONS): void {
  const folder = path.join(project, `${compiler}-${kind}`);
  fs.mkdirSync(folder);
  const files =
    kind === 'nodenext' ? ['user.mts', 'user.cts'] : kind === 'node10' ? ['user.cts'] : ['user.mts'];
  for (const file of files) fs.writeFileSync(path.join(folder, file), TRAINING);
  fs.copyFileSync('test/types/surface.ts', path.join(folder, 'surface.ts'));
  const tsconfig = {
    compilerOptions: {
      strict: true,
      skipLibCheck: false,
      skipDefaultLibCheck: true, // the compiler's own declarations are not ours to check
      ...RESOLUTIONS[kind],
      target: 'es2022',
      lib: ['es2022', 'dom'],
      types: [],
      outDir: '.',
      rootDir: '.',
    },
    files: [...files, 'surface.ts'],
  };
  fs.writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify(tsconfig));
  run(path.resolve('node_modules', compiler, 'bin/tsc'), '-p', folder);
  for (const file of files) {
    const { first, last, weight } = JSON.parse(run(path.join(folder, file.replace('ts', 'js'))));
    expect(first).toBeGreaterThan(1);
    expect(last).toBeLessThan(1e-4);
    expect(weight[0].map(Math.round)).toEqual([1, 2, 3]);
  }
}

describe('the installed package', () => {
  it('exports what the source exports, under every entry point', async () => {
    const script = specifiers.map(
      (name) => `console.log(JSON.stringify(Object.keys(await import('${name}')).sort()));`,
    );
    fs.writeFileSync(path.join(project, 'names.js'), script.join('\n'));
    const [main, ...parts] = run('names.js')
      .trim()
      .split('\n')
      .map((line): string[] => JSON.parse(line));
    expect(main).toEqual(Object.keys(source).sort());
    for (const names of parts) expect(names).not.toEqual([]);
  });

  it('has one copy of the library, for import and require alike', () => {
    const script = `
      import { createRequire } from 'node:module';
      const require = createRequire(import.meta.url);
      for (const name of ${JSON.stringify(specifiers)}) {
        const [imported, required] = [await import(name), require(name)];
        const names = Object.keys(imported);
        if (names.length === 0) throw new Error(name + ' is empty');
        const other = [...names, ...Object.keys(required)].filter((part) => imported[part] !== required[part]);
        if (other.length > 0) throw new Error(name + ' has two copies of ' + other);
      }
      const [torch, nn] = [await import('wasmgrad'), require('wasmgrad/nn')];
      console.log(torch.nn.Linear === nn.Linear, torch.tensor([1]) instanceof require('wasmgrad').Tensor);
    `;
    fs.writeFileSync(path.join(project, 'copies.js'), script);
    expect(run('copies.js').trim()).toBe('true true');
  });

  it('ends with an error that can be read: the line that threw, which Node shows first, is short', () => {
    const script = `import { zeros } from 'wasmgrad'; zeros(2, 3).matmul(zeros(2, 3));`;
    const args = ['--input-type=module', '-e', script];
    const { status, stderr } = spawnSync(process.execPath, args, { cwd: project, encoding: 'utf8' });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^ShapeError: matmul/m);
    expect(stderr.length).toBeLessThan(4000);
  });

  it('has one copy of the kernels in what pages load', () => {
    const { relaxed } = kernels;
    expect(relaxed.length).toBeGreaterThan(1000);
    const holders = fs
      .readdirSync('dist', { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.js') && !/^(cjs|node)\b|\.min\.js$/.test(file))
      .filter((file) => fs.readFileSync(path.join('dist', file), 'utf8').includes(relaxed));
    expect(holders).toHaveLength(1);
  });

  it('keeps the names of classes through a minifier', async () => {
    const printed = `
      import { distributions, Generator, nn, optim, RecordedGraph, Tensor } from 'wasmgrad';
      const all = { Generator, RecordedGraph, Tensor, ...nn, ...optim, ...optim.lrScheduler, ...distributions };
      const classes = Object.entries(all).filter(([name]) => /^[A-Z]/.test(name));
      const wrong = classes.filter(([name, value]) => typeof value === 'function' && value.name !== name);
      console.log(JSON.stringify([classes.length, wrong.map(([name]) => name)]));
    `;
    fs.writeFileSync(path.join(project, 'printed.js'), printed);
    const options = { entryPoints: [path.join(project, 'printed.js')], bundle: true, minify: true };
    await build({
      ...options,
      format: 'esm',
      outfile: path.join(project, 'minified.js'),
      logLevel: 'silent',
    });
    const [count, wrong] = JSON.parse(run('minified.js'));
    expect(count).toBeGreaterThan(100);
    expect(wrong).toEqual([]);
  });

  const users = [
    ['TypeScript 5', 'typescript5', 'nodenext'],
    ['TypeScript 5', 'typescript5', 'bundler'],
    ['TypeScript 5', 'typescript5', 'node10'],
    ['TypeScript 6', 'typescript', 'nodenext'],
    ['TypeScript 6', 'typescript', 'bundler'],
  ] as const;
  for (const [version, compiler, kind] of users)
    it(`type checks for a strict user of ${version} with ${kind}, declarations included, and trains`, () => {
      typeCheckAndTrain(compiler, kind);
    });

  it('declares nothing as any, but what a module of unknown class gives', () => {
    const declarations = fs
      .readdirSync('dist', { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.d.ts'));
    expect(declarations.length).toBeGreaterThan(100);
    const found = declarations.flatMap((file) => {
      const text = fs.readFileSync(path.join('dist', file), 'utf8');
      const tree = ts.createSourceFile(file, text, ts.ScriptTarget.Latest);
      const places: string[] = [];
      const visit = (node: ts.Node): void => {
        if (node.kind === ts.SyntaxKind.AnyKeyword) {
          const { line } = tree.getLineAndCharacterOfPosition(node.pos);
          places.push(text.split('\n')[line].trim());
        }
        ts.forEachChild(node, visit);
      };
      visit(tree);
      return places;
    });
    expect([...new Set(found)]).toEqual(['abstract forward(...inputs: unknown[]): any;']);
  });

  it('resolves to the right kind of module and types for every importer', () => {
    run(path.resolve('node_modules/@arethetypeswrong/cli/dist/index.js'), tarball, ...ATTW_FLAGS);
  });

  it('imports no package, and no built-in module but require() where Node imports it', () => {
    for (const file of fs.readdirSync('dist', { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.js')) continue;
      const text = fs.readFileSync(path.join('dist', file), 'utf8');
      const imported = [...text.matchAll(/^(?:import|export)\b[^'"]*\bfrom ["']([^"']+)["'];?$/gm)];
      const foreign = imported.map(([, name]) => name).filter((name) => !name.startsWith('.'));
      expect(foreign).toEqual(file.startsWith(`node${path.sep}`) ? ['node:module'] : []);
    }
  });

  it('passes publint', async () => {
    const packed = Uint8Array.from(fs.readFileSync(tarball)).buffer;
    const { messages } = await publint({ strict: true, pack: { tarball: packed } });
    expect(messages.map((message) => formatMessage(message, manifest))).toEqual([]);
  });
});
