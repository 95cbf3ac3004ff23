// Three projects. test/shared runs in all of them; test/unit needs Node; test/browser needs a page. The project
// `browser` serves its pages cross-origin isolated (threads), `browser-plain` does not (the library on one thread).
import { playwright } from '@vitest/browser-playwright';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import SummaryReporter from './test/support/summaryReporter.ts';

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
const BROWSER_TESTS = ['test/shared/**/*.test.ts', 'test/browser/**/*.test.ts'];

function inBrowser(name: string, headers: Record<string, string>): TestProjectInlineConfiguration {
  return {
    server: { headers },
    optimizeDeps: { include: ['fast-check'] },
    test: {
      name,
      include: BROWSER_TESTS,
      testTimeout: 300_000,
      hookTimeout: 300_000,
      browser: {
        enabled: true,
        headless: true,
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
  test: {
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
    projects: process.env.DISTRIBUTED ? [distributed] : noBrowser ? [node] : [node, ...browsers],
    reporters: [
      'default',
      new SummaryReporter(noBrowser ? { reason: noBrowser, include: BROWSER_TESTS } : undefined),
    ],
    coverage: { include: ['src/**'], exclude: ['src/generated/**'] },
  },
});
