/** What a user installs: dist and package.json in a project of their own, run by a plain Node and read by tsc. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
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

let project = '';

beforeAll(() => {
  project = fs.mkdtempSync(path.join(os.tmpdir(), 'wasmgrad-user-'));
  const installed = path.join(project, 'node_modules/wasmgrad');
  for (const part of ['package.json', ...manifest.files]) {
    fs.cpSync(part, path.join(installed, part), { recursive: true });
  }
  fs.writeFileSync(path.join(project, 'package.json'), '{ "type": "module" }');
  fs.writeFileSync(path.join(project, 'user.ts'), TRAINING);
});

afterAll(() => fs.rmSync(project, { recursive: true, force: true }));

function run(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: project, encoding: 'utf8' });
  expect(status, stdout + stderr).toBe(0);
  return stdout;
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

  it('has one copy of the library under all entry points', () => {
    const { relaxed } = kernels;
    expect(relaxed.length).toBeGreaterThan(1000);
    const holders = fs
      .readdirSync('dist', { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.js'))
      .filter((file) => fs.readFileSync(path.join('dist', file), 'utf8').includes(relaxed));
    expect(holders).toHaveLength(1);
  });

  it('type checks for a strict user, declarations included, and trains', () => {
    const tsconfig = {
      compilerOptions: {
        strict: true,
        skipLibCheck: false,
        module: 'nodenext',
        target: 'es2022',
        lib: ['es2022', 'dom', 'esnext.disposable'],
        types: [],
        outDir: '.',
      },
      files: ['user.ts'],
    };
    fs.writeFileSync(path.join(project, 'tsconfig.json'), JSON.stringify(tsconfig));
    run(path.resolve('node_modules/typescript/bin/tsc'), '-p', '.');
    const { first, last, weight } = JSON.parse(run('user.js'));
    expect(first).toBeGreaterThan(1);
    expect(last).toBeLessThan(1e-4);
    expect(weight[0].map(Math.round)).toEqual([1, 2, 3]);
  });

  it('imports no package and no built-in module', () => {
    for (const file of fs.readdirSync('dist', { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.js')) continue;
      const text = fs.readFileSync(path.join('dist', file), 'utf8');
      const imported = [...text.matchAll(/^(?:import|export)\b[^'"]*\bfrom ["']([^"']+)["'];?$/gm)];
      expect(imported.map(([, name]) => name).filter((name) => !name.startsWith('.'))).toEqual([]);
    }
  });

  it('passes publint', async () => {
    const { messages } = await publint({ pkgDir: '.', strict: true, pack: false });
    expect(messages.map((message) => formatMessage(message, manifest))).toEqual([]);
  });
});
