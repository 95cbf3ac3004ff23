// Three projects. test/shared runs in all of them; test/unit needs Node; test/browser needs a page. The project
// `browser` serves its pages cross-origin isolated (threads), `browser-plain` does not (the library on one thread).
import { playwright } from '@vitest/browser-playwright';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { BUNDLED, libraryBundle } from './test/support/libraryBundle.ts';
import LongestFirst from './test/support/longestFirst.ts';
import SummaryReporter from './test/support/summaryReporter.ts';

const needsSources =
  !process.argv.includes('run') || process.argv.some((arg) => arg.startsWith('--coverage'));
const plugins = needsSources ? [] : [await libraryBundle()];

const CHROMIUM_FLAGS = [
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};
/** Every file of tests has a page of its own; the library's modules are asked for once. */
const CACHE = { 'Cache-Control': 'max-age=3600' };
const BROWSER_TESTS = ['test/shared/**/*.test.ts', 'test/browser/**/*.test.ts'];

function inBrowser(name: string, headers: Record<string, string>): TestProjectInlineConfiguration {
  return {
    plugins,
    server: { headers: { ...headers, ...CACHE } },
    optimizeDeps: { include: ['fast-check'], noDiscovery: true },
    test: {
      name,
      include: BROWSER_TESTS,
      // After those in Node: threads that wait for each other's core cost several times what they do.
      sequence: { groupOrder: 1 },
      testTimeout: 300_000,
      hookTimeout: 300_000,
      browser: {
        enabled: true,
        headless: true,
        fileParallelism: false, // one page in each of the two projects
        screenshotFailures: false,
        instances: [{ browser: 'chromium' }],
        provider: playwright({
          launchOptions: {
            executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
            args: CHROMIUM_FLAGS,
          },
        }),
      },
    },
  };
}

const node: TestProjectInlineConfiguration = {
  plugins,
  test: {
    server: { deps: { external: [BUNDLED] } },
    name: 'node',
    include: ['test/unit/**/*.test.ts', 'test/shared/**/*.test.ts'],
    environment: 'node',
    pool: 'forks',
    testTimeout: 300_000,
    hookTimeout: 300_000,
    setupFiles: ['test/support/setupNode.ts'],
  },
};
/** Trainings by several processes: one file after the other, as each takes all cores. */
const distributed: TestProjectInlineConfiguration = {
  plugins,
  test: {
    ...node.test,
    name: 'distributed',
    include: ['test/distributed/**/*.test.ts'],
    fileParallelism: false,
  },
};
const browsers = [inBrowser('browser', ISOLATION), inBrowser('browser-plain', {})];
const noBrowser = process.env.NO_BROWSER;

export default defineConfig({
  test: {
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    projects: process.env.DISTRIBUTED ? [distributed] : noBrowser ? [node] : [node, ...browsers],
    reporters: [
      'default',
      new SummaryReporter(noBrowser ? { reason: noBrowser, include: BROWSER_TESTS } : undefined),
    ],
    coverage: { include: ['src/**'], exclude: ['src/generated/**'] },
  },
});
