/** How much a page has to load. A change that makes it more has to raise the number here, and say why. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { rolldown } from 'rolldown';
import { describe, expect, it } from 'vitest';
import { deflateCosts } from '../../scripts/deflateCosts.mjs';
import { PROGRAMS, sizes } from '../../scripts/sizes.mjs';

/**
 * kB, minified and gzipped, with the kernels and the worker: the built package, as esbuild bundles it. Of that 0.5 are
 * PyTorch's names in saved states of optimisers and schedules, 2 the names of arguments in messages, 0.4 looks after
 * messages of other processes during long kernels, 0.3 the refusal of what is no option, module or data set, 1.5 folds
 * of columns, sums of magnitudes and sums of squares at the speed of memory, 0.6 products of few terms, 0.4 the
 * inverse of erf and faster tails of the normal distribution, 0.2 lists that V8 finds of one kind, 0.2 gradients of
 * biases and of normalizations that a GPU finds in one pass, 0.3 lists of non-zeros without a branch, equal shares
 * of them, and what keeps code optimised, 1.5 products for which threads pack together or alone, 1.2 random words and
 * normal samples four at a time, 1.6 cells of recurrent layers in one kernel (0.9 of it the kernels, which every program
 * has), 1.8 sequences of different lengths, packed and padded, 1.6 the names of each
 * function's options and the refusal of others, with the one that is meant, 1.1 methods of which there were functions only, and 1.1 arguments by position,
 * taken or refused, and tensors in lists, 0.6 iterables and tensors as data sets, 2 to 3 what is refused by name or
 * remembered for backward instead of computed wrong, 1.1 PyTorch's rules for changes in place, and 2.6 kernels where there were
 * none or slow ones: depthwise convolutions (1.2), whole numbers divided, indices, remainders and choices. 2.2 are convolutions
 * that read their input where it lies, 1.6 gradients of rarer activations in one pass, and comparisons, choices and products of
 * rows in wider turns, 0.9 inner loops of decompositions, 0.6 parts of an order without the rest, 0.8 broadcasts, scatters and
 * conversions without a copy, 0.6 sums with a factor in one pass, as optimisers written by hand make them in place, and 0.6 schedules, leaves and
 * factors as PyTorch has them, and 1.3 products that read rows in place, and few of them in one pass over the other operand, 1.2 hooks on the gradients of modules, 1.4 folds
 * of what an index sends to one place, 2.2 arguments by name, parts of tensors, refusals and zeros as PyTorch has them, and 0.8
 * quantiles of what is not NaN, hooks after gradients, and words for what a GPU finds late, 0.7 warnings, refusals, and graphs that hold what they saved and nothing else, 0.7 draws by weights that a GPU
 * computed, 1.1 options and names that PyTorch's programs use, and loops on the host without a call for each element. Everything holds 9 of decompositions and exponentials of matrices, 23.3 of
 * distributions (8.3 of them the rarer ones, and transforms of parts and matrices), 2.5 of slopes, areas, powers, writes into views and
 * resizing by means, and 19 of layers, losses, normed and averaged weights and optimisers that are rare (1.7 of them layers that learn
 * their input's size from the first one, 0.4 layers that take in their batch norms), which no program has that does not name them.
 */
const BUDGET: Record<keyof typeof PROGRAMS, number> = { everything: 278.4, tutorial: 148.9, tensors: 132.5 };
/** The tutorial of README.md as it is written there, MNIST's download included, and everything: as Vite bundles. */
const VITE_BUDGET = { readme: 152.8, everything: 268.8 };
/**
 * For pages without a bundler: everything, with files, plots and data sets; what a GPU needs beside it, on demand. Of that
 * 16 kB are formulas that are computed late, kernels that several steps share, products in float16 and over subgroups, large
 * tensors and products in parts, buffers given back early, taken back and shared by repeated calls, gradients of biases and of
 * normalizations in one pass, large angles, searches by halving, sorting in blocks, recurrent cells, what is done when memory was out, and clean exits in Node; of the first, 0.8 are random values drawn in place, norms
 * that do not overflow, and linear layers that rectify in the same pass.
 */
const FILE_BUDGET = { 'wasmgrad.min.js': 324.4, 'wasmgrad.webgpu.min.js': 48.3 };

describe('size', () => {
  it('stays within the budget', async () => {
    const measured = Object.entries(await sizes('.')).map(([name, size]) => [name, size / 1000]);
    console.log(measured.map(([name, size]) => `${name}: ${size} kB`).join(', '));
    for (const [name, size] of measured)
      expect(size, `${name}`).toBeLessThan(BUDGET[name as keyof typeof PROGRAMS]);
  });

  it('of what README.md shows stays within the budget', async () => {
    const readme = fs.readFileSync('README.md', 'utf8');
    const [, tutorial] = readme.match(/```ts\n(import \* as torch.*?MNIST.*?)```/s) ?? [];
    const programs = { readme: tutorial, everything: PROGRAMS.everything };
    for (const [name, program] of Object.entries(programs)) {
      const { kB } = await weigh(program);
      console.log(`${name}, bundled by Vite: ${kB} kB`);
      expect(kB, name).toBeLessThan(VITE_BUDGET[name as keyof typeof VITE_BUDGET]);
    }
  });

  it('of the files for pages without a bundler stays within the budget', () => {
    for (const [file, budget] of Object.entries(FILE_BUDGET))
      expect(gzipped(fs.readFileSync(`dist/${file}`)), file).toBeLessThan(budget);
  });

  it('of a program is that of what it uses, by every way to import it', async () => {
    const by = {
      names: `import { tensor } from 'wasmgrad'; import { Linear } from 'wasmgrad/nn'; globalThis.x = [tensor, Linear];`,
      namespaces: `import { tensor, nn } from 'wasmgrad'; globalThis.x = [tensor, nn.Linear];`,
      star: `import * as torch from 'wasmgrad'; globalThis.x = [torch.tensor, torch.nn.Linear];`,
    };
    const all = await weigh(`import { tensor, nn } from 'wasmgrad'; globalThis.x = [tensor, nn];`);
    for (const [way, program] of Object.entries(by)) {
      const { code, kB } = await weigh(program);
      expect(kB, way).toBeLessThan(all.kB - 15);
      for (const unused of ['LSTM', 'MultiheadAttention', 'BatchNorm2d', 'CosineAnnealingLR'])
        expect(code, `${way} keeps ${unused}`).not.toContain(`"${unused}"`);
    }
    expect(all.code).toContain('LSTM');
  });

  it('of tensors alone has nothing of drawings and of classes that nobody names, by any bundler', async () => {
    const bundled = await build({
      stdin: { contents: PROGRAMS.tensors, resolveDir: '.' },
      tsconfigRaw: '{}',
      bundle: true,
      splitting: true,
      outdir: 'unused',
      format: 'esm',
      write: false,
      logLevel: 'silent',
      conditions: ['browser'],
    });
    const codes = { esbuild: bundled.outputFiles[0].text, rolldown: (await weigh(PROGRAMS.tensors)).code };
    for (const [bundler, code] of Object.entries(codes)) {
      const kept = ['backward', 'digraph', '--plot-', 'viewBox'].filter((text) => code.includes(text));
      expect(kept, bundler).toEqual(['backward']);
    }
  });

  it('is told apart to the bit', () => {
    const text = Buffer.from(`${fs.readFileSync('README.md', 'utf8')}é`);
    for (const content of [text, text.subarray(0, 9), Buffer.from(text.toString('base64'))]) {
      const stream = deflateRawSync(content, { level: 9 });
      const costs = deflateCosts(stream);
      expect(costs.length).toBe(content.length);
      const bits = costs.reduce((a, b) => a + b, 0);
      expect(bits).toBeLessThan(8 * stream.length);
      expect(bits).toBeGreaterThan(0.9 * 8 * stream.length - 800);
    }
  });

  it('does not grow by an import of nothing', async () => {
    const { outputFiles } = await build({
      stdin: { contents: `import 'wasmgrad';`, resolveDir: '.' },
      bundle: true,
      write: false,
      logLevel: 'silent',
      conditions: ['browser'],
    });
    expect(outputFiles[0].text.replace(/^"use strict";|\(\(\) => \{\s*\}\)\(\);/g, '').trim()).toBe('');
  });
});

const gzipped = (content: string | Uint8Array): number => gzipSync(content, { level: 9 }).length / 1000;

/** Bundles as Vite does. */
async function weigh(program: string): Promise<{ code: string; kB: number }> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'wasmgrad-size-'));
  try {
    const input = path.join(folder, 'main.ts');
    fs.writeFileSync(input, program);
    fs.mkdirSync(path.join(folder, 'node_modules'));
    fs.symlinkSync(path.resolve('.'), path.join(folder, 'node_modules/wasmgrad'), 'dir');
    const bundle = await rolldown({ input, platform: 'browser', logLevel: 'silent' });
    const { output } = await bundle.generate({ minify: true });
    await bundle.close();
    const { code } = output[0];
    return { code, kB: gzipped(code) };
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
