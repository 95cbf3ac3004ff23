/** The specs in assembly/__tests__: AssemblyScript helpers tested in AssemblyScript, by as-pect. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import { expect, it } from 'vitest';

it('every as-pect spec passes', { timeout: 120_000 }, () => {
  const specs = fs.readdirSync('assembly/__tests__').filter((file) => file.endsWith('.spec.ts'));
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      'node_modules/@as-pect/cli/bin/asp.js',
      '--config',
      'as-pect.config.js',
      '--as-config',
      'as-pect.asconfig.json',
    ],
    { encoding: 'utf8' },
  );
  const output = stripVTControlCharacters(stdout);
  expect(status, output + stderr).toBe(0);
  // as-pect is content with finding nothing, so count.
  const passed = output.match(/^✔ assembly\/__tests__\/\S+\.spec\.ts Pass: [1-9]\d* \/ \d+/gm) ?? [];
  expect(passed.length, output).toBe(specs.length);
  expect(specs.length).toBeGreaterThan(0);
});
