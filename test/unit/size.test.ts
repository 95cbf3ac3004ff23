/** How much a page has to load. A change that makes it more has to raise the number here, and say why. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { rolldown } from 'rolldown';
import { describe, expect, it } from 'vitest';
import { type PROGRAMS, sizes } from '../../scripts/sizes.mjs';

/** kB, minified and gzipped, with both kernel binaries and the worker. */
const BUDGET: Record<keyof typeof PROGRAMS, number> = { everything: 182, tutorial: 116, tensors: 105 };

describe('size', () => {
  it('stays within the budget', async () => {
    const measured = Object.entries(await sizes('.')).map(([name, size]) => [name, size / 1000]);
    console.log(measured.map(([name, size]) => `${name}: ${size} kB`).join(', '));
    for (const [name, size] of measured)
      expect(size, `${name}`).toBeLessThan(BUDGET[name as keyof typeof PROGRAMS]);
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

/** Bundles as Vite does. */
async function weigh(program: string): Promise<{ code: string; kB: number }> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'wasmgrad-size-'));
  try {
    const input = path.join(folder, 'main.js');
    fs.writeFileSync(input, program);
    fs.mkdirSync(path.join(folder, 'node_modules'));
    fs.symlinkSync(path.resolve('.'), path.join(folder, 'node_modules/wasmgrad'), 'dir');
    const bundle = await rolldown({ input, platform: 'browser', logLevel: 'silent' });
    const { output } = await bundle.generate({ minify: true });
    await bundle.close();
    const { code } = output[0];
    return { code, kB: gzipSync(code, { level: 9 }).length / 1000 };
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
