// `node scripts/release.mjs [--publish]`: tests a fresh clone of the tagged commit, packs it there, looks at what is in
// the package, and publishes it with provenance (which needs a CI run with an identity token). Without --publish it stops
// before the last step and says where the package is. Nothing of the working folder reaches the package.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
/** What the package may hold besides dist/ and bin/. */
const BESIDES_DIST = new Set(['package.json', 'README.md', 'LICENSE', 'NOTICE.md', 'CHANGELOG.md']);

class ReleaseError extends Error {}

/** Runs a command and returns what it printed; `show` lets it print to the terminal instead. */
function run(
  /** @type {string} */ command,
  /** @type {string[]} */ args,
  /** @type {string} */ cwd,
  show = false,
) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', show ? 'inherit' : 'pipe', show ? 'inherit' : 'pipe'],
  });
  if (status === 0) return stdout ?? '';
  throw new ReleaseError(
    `${command} ${args.join(' ')} failed: ${error?.message ?? stderr ?? `exit ${status}`}`,
  );
}

/** The version to release. Everything about the commit must say the same. */
function checkedVersion() {
  const { version } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
  if (run('git', ['status', '--porcelain'], root) !== '') {
    throw new ReleaseError('there are uncommitted changes; commit or remove them first');
  }
  const tags = run('git', ['tag', '--points-at', 'HEAD'], root).split('\n');
  if (!tags.includes(`v${version}`)) {
    throw new ReleaseError(`the commit has no tag v${version}; git tag -s v${version} makes it`);
  }
  const changes = fs.readFileSync(path.join(root, 'CHANGELOG.md'), 'utf8');
  if (!new RegExp(`^## ${version.replaceAll('.', '\\.')}\\b`, 'm').test(changes)) {
    throw new ReleaseError(`CHANGELOG.md has no section '## ${version}'`);
  }
  return version;
}

/** Packs a clone and returns the package's path, after a look at every name in it. */
function pack(/** @type {string} */ clone) {
  const [report] = JSON.parse(run('npm', ['pack', '--json', '--ignore-scripts'], clone));
  const names = report.files.map((/** @type {{ path: string }} */ file) => file.path);
  const strange = names.filter(
    (/** @type {string} */ name) => !/^(dist|bin)\//.test(name) && !BESIDES_DIST.has(name),
  );
  if (strange.length > 0) throw new ReleaseError(`the package would hold ${strange.join(', ')}`);
  for (const name of ['LICENSE', 'NOTICE.md', 'README.md', 'dist/index.js', 'dist/index.d.ts']) {
    if (!names.includes(name)) throw new ReleaseError(`the package would lack ${name}`);
  }
  console.log(`${report.filename}: ${names.length} files, ${(report.size / 1000).toFixed(0)} kB packed`);
  return path.join(clone, report.filename);
}

function main() {
  const { values } = parseArgs({ options: { publish: { type: 'boolean', default: false } } });
  const version = checkedVersion();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), `wasmgrad-${version}-`));
  const clone = path.join(folder, 'clone');
  run('git', ['clone', '--quiet', '--branch', `v${version}`, root, clone], folder);
  run('bash', ['.ci/full'], clone, true);
  run('node', ['scripts/build.mjs'], clone, true);
  const file = pack(clone);
  if (!values.publish) return console.log(`not published; the package is ${file}`);
  run('npm', ['publish', file, '--provenance', '--access', 'public'], clone, true);
  console.log(`published ${version}`);
}

try {
  main();
} catch (error) {
  if (!(error instanceof ReleaseError) && !(error instanceof TypeError)) throw error;
  console.error(`release: ${error.message}`);
  process.exitCode = 1;
}
