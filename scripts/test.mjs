// `npm test`: prepares the clone, builds, finds a browser and hands over to vitest. Arguments go to vitest, so
// `npm test -- --project node tensor` runs the files whose path contains `tensor`.
// Without a browser its suites are reported as skipped, with the reason; REQUIRE_BROWSER=1 makes that a failure.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { prepare } from './bootstrap.mjs';
import { ensureChromium } from './chromium.mjs';

const HELP = `npm test [-- <vitest arguments>]

  npm test                          everything, in Node and in Chromium with and without isolation
  npm test -- --project node        the suites in Node only
  npm test -- tensor                the files whose path contains 'tensor'
  npm run test:distributed          training by several processes, under every MPI that is installed

CHROMIUM=<path>      the browser to use
REQUIRE_BROWSER=1    fail when no browser can be found
REQUIRE_MPI=1        fail when Open MPI or MPICH is not installed
REQUIRE_WEBGPU=1     fail when no GPU can be found, not even the one that computes on the processor
GOLDEN_DIR=<folder>  where the golden answers are (default: ../shared/golden)`;

/** Whether vitest's arguments leave the browser projects out. */
function withoutBrowser(/** @type {string[]} */ args) {
  const projects = args.flatMap((arg, i) => {
    if (arg.startsWith('--project=')) return [arg.slice('--project='.length)];
    return arg === '--project' ? [args[i + 1]] : [];
  });
  return projects.length > 0 && projects.every((project) => ['node', 'distributed'].includes(project));
}

async function main() {
  const distributed = process.argv[2] === '--distributed';
  const args = distributed ? ['--project', 'distributed', ...process.argv.slice(3)] : process.argv.slice(2);
  if (args.includes('--help') || args.includes('-h')) return console.log(HELP);
  prepare();
  const env = { ...process.env };
  if (distributed) env.DISTRIBUTED = '1';
  if (!withoutBrowser(args)) {
    const browser = ensureChromium();
    if ('path' in browser) env.CHROMIUM = browser.path;
    else if (env.REQUIRE_BROWSER) throw new Error(browser.missing);
    else env.NO_BROWSER = browser.missing;
  }
  const { build, root } = await import('./build.mjs');
  await build('all');

  const vitest = path.join(root, 'node_modules/vitest/vitest.mjs');
  const child = spawn(process.execPath, [vitest, 'run', ...args], { cwd: root, env, stdio: 'inherit' });
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal ? 1 : 0);
  });
}

await main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
