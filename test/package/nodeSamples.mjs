// Node's versions, by import and by require, Deno and Bun.
import fs from 'node:fs';
import path from 'node:path';
import { expectAnswer } from './expected.mjs';
import { Skip } from './samples.mjs';

/** @typedef {import('./samples.mjs').Sample} Sample */

const PRINT = 'check().then((answer) => console.log(JSON.stringify(answer)));';

/** @returns {Sample[]} */
export function nodeSamples(/** @type {import('./samples.mjs').Samples} */ samples) {
  /** @type {string | undefined} */
  let project;
  const programs = () => {
    if (project) return project;
    project = samples.project('runtimes');
    fs.writeFileSync(path.join(project, 'imported.js'), `import { check } from './check.js';\n${PRINT}`);
    const module = fs.readFileSync(path.join(project, 'check.js'), 'utf8');
    const required = module
      .replace(`import * as torch from 'wasmgrad';`, `const torch = require('wasmgrad');`)
      .replace(`import { nn, optim } from 'wasmgrad';`, `const { nn, optim } = require('wasmgrad');`)
      .replace('export async function', 'async function');
    fs.writeFileSync(path.join(project, 'required.cjs'), `${required}\n${PRINT}`);
    fs.writeFileSync(
      path.join(project, 'training.mjs'),
      `import { trainInWorker } from 'wasmgrad/training';
       const answer = await trainInWorker(new URL('./training.js', import.meta.url)).result;
       console.log(JSON.stringify(answer));`,
    );
    // Importing defines and does nothing else: no module is compiled, no thread started, nothing read.
    fs.writeFileSync(
      path.join(project, 'quiet.mjs'),
      `const used = [];
       const watch = (owner, name) => { owner[name] = new Proxy(owner[name], {
         construct: (target, args) => { used.push(name); return Reflect.construct(target, args); },
         apply: (target, self, args) => { used.push(name); return Reflect.apply(target, self, args); } }); };
       for (const name of ['Module', 'Memory', 'Instance', 'instantiate', 'validate']) watch(WebAssembly, name);
       for (const name of ['fetch', 'setTimeout', 'setInterval']) watch(globalThis, name);
       const before = Object.keys(globalThis).length;
       for (const part of ['', '/nn', '/optim', '/data', '/distributions', '/vision', '/io', '/plot', '/training', '/serve'])
         await import('wasmgrad' + part);
       const threads = process.getActiveResourcesInfo().filter((name) => name === 'MessagePort');
       console.log(JSON.stringify([used, Object.keys(globalThis).length - before, threads]));`,
    );
    return project;
  };
  /** @param {string} file @param {string[]} args @param {{ threads: 1 | 2, why?: RegExp }} wanted */
  const expectProgram = (file, args, wanted) => {
    const stdout = samples.command(file, args, { cwd: programs() });
    const line = stdout.trim().split('\n').at(-1) ?? '';
    expectAnswer(JSON.parse(line), wanted);
  };
  const uses = { import: 'imported.js', require: 'required.cjs', trainInWorker: 'training.mjs' };
  /** @param {string} name @param {() => string} binary @param {boolean} slow @param {string[]} flags @returns {Sample[]} */
  const node = (name, binary, slow, flags = []) =>
    Object.entries(uses).map(([use, file]) => ({
      name: `${name}, ${use}`,
      slow,
      run: async () => expectProgram(binary(), [...flags, file], { threads: 2 }),
    }));
  const runtime = (/** @type {string} */ file) => {
    if (process.platform !== 'linux' || process.arch !== 'x64')
      throw new Skip('the binaries are for Linux on x64');
    return path.join(samples.tools('runtimes'), file);
  };
  return [
    ...node(`Node ${process.versions.node}`, () => process.execPath, false),
    {
      name: 'Node, importing does nothing',
      run: async () => {
        const stdout = samples.command(process.execPath, ['quiet.mjs'], { cwd: programs() });
        if (stdout.trim() !== '[[],0,[]]') throw new Error(`the import did ${stdout}`);
      },
    },
    ...['22', '24', '26'].flatMap((version) =>
      node(`Node ${version}`, () => runtime(`node${version}/bin/node`), true),
    ),
    ...node('Deno', () => runtime('@deno/linux-x64-glibc/deno'), true, [
      'run',
      '--allow-all',
      '--no-remote',
      '--node-modules-dir=manual',
    ]),
    ...node('Bun', () => runtime('@oven/bun-linux-x64-baseline/bin/bun'), true),
  ];
}
