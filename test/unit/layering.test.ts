/** The floors of the house: no import upward, no cycle, no package and no Node built-in inside src. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { brokenRules, cycles, floorOf, importsOf } from '../support/importGraph.ts';

function sources(folder: string): Map<string, string> {
  const files = fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((file) => path.join(folder, file).split(path.sep).join('/'))
    .filter((file) => file.endsWith('.ts') && !file.includes('/node_modules/'));
  return new Map(files.map((file) => [file, fs.readFileSync(file, 'utf8')]));
}

describe('the library', () => {
  const files = sources('src');

  it('imports no higher floor, no package, no built-in module, and has no cycle', () => {
    expect(files.size).toBeGreaterThan(20);
    expect(brokenRules(files)).toEqual([]);
  });

  it('is reached from its entries to the last file', () => {
    const { exports } = JSON.parse(fs.readFileSync('package.json', 'utf8'));
    const entries = Object.keys(exports)
      .filter((entry) => exports[entry].types)
      .map((entry) => path.posix.join('src', entry, 'index.ts'));
    expect(entries.filter((entry) => !files.has(entry))).toEqual([]);
    const reached = new Set(['src/backend/wasm/worker.ts', ...entries]);
    for (const file of reached) {
      for (const { to } of importsOf(file, files.get(file)!)) reached.add(to);
    }
    expect([...files.keys()].filter((file) => !reached.has(file))).toEqual([]);
  });
});

describe('the kernels', () => {
  it('are all exported through assembly/index.ts, or unpack the others, and are imported by nothing else', () => {
    const kernels = sources('assembly');
    const reached = new Set(['assembly/index.ts', 'assembly/unpack.ts']);
    for (const file of reached) {
      for (const { to } of importsOf(file, kernels.get(file)!))
        reached.add(to.endsWith('.ts') ? to : `${to}.ts`);
    }
    const shipped = [...kernels.keys()].filter((file) => !file.includes('__tests__'));
    expect([...reached].sort()).toEqual(shipped.sort());

    const typescript = ['src', 'test', 'bench', 'demo'].filter((folder) => fs.existsSync(folder));
    const importers = typescript
      .flatMap((folder) => [...sources(folder)].flatMap(([file, text]) => importsOf(file, text)))
      .filter(({ to }) => to.startsWith('assembly/'));
    expect(importers).toEqual([]);
  });
});

describe('the rules themselves', () => {
  const broken = (files: Record<string, string>) => brokenRules(new Map(Object.entries(files)));
  const empty = { 'src/core/a.ts': '', 'src/tensor.ts': '', 'src/nn/a.ts': '', 'src/data/a.ts': '' };

  it('know the floors', () => {
    const folders = ['core', 'backend', 'autograd', 'ops', 'nn', 'distributed'];
    expect(folders.map((name) => floorOf(`src/${name}/x.ts`))).toEqual([1, 2, 3, 4, 6, 7]);
    expect([floorOf('src/tensor.ts'), floorOf('src/index.ts')]).toEqual([5, 8]);
    expect(() => floorOf('src/misc/x.ts')).toThrow(/no floor/);
  });

  it('see an import upward in every form', () => {
    for (const text of [
      `import { x } from '../tensor.ts';`,
      `import type { X } from '../tensor.ts';`,
      `export * from '../tensor.ts';`,
      `let x: import('../tensor.ts').X;`,
      `await import('../tensor.ts');`,
    ]) {
      expect(broken({ ...empty, 'src/ops/x.ts': text })).toEqual([
        'src/ops/x.ts imports src/tensor.ts: floor 4 must not know floor 5',
      ]);
    }
  });

  it('see a package, a built-in module and a value between the parts', () => {
    const x = 'src/nn/x.ts';
    expect(broken({ ...empty, [x]: `import fs from 'node:fs';` })).toHaveLength(1);
    expect(broken({ ...empty, [x]: `import 'left-pad';` })).toHaveLength(1);
    expect(broken({ ...empty, [x]: `import { a } from '../data/a.ts';` })).toHaveLength(1);
    expect(broken({ ...empty, [x]: `import type { A } from '../data/a.ts';` })).toEqual([]);
    expect(
      broken({ ...empty, [x]: `import { a } from './a.ts'; import { b } from '../tensor.ts';` }),
    ).toEqual([]);
  });

  it('see cycles', () => {
    const graph = new Map([
      ['a', ['b']],
      ['b', ['c', 'd']],
      ['c', ['d']],
      ['d', ['b']],
    ]);
    expect(cycles(graph)).toEqual([['b', 'c', 'd', 'b']]);
    expect(
      cycles(
        new Map([
          ['a', ['b', 'c']],
          ['b', ['c']],
          ['c', []],
        ]),
      ),
    ).toEqual([]);
  });
});
