// Ends a test run with one line that a machine can read: `N passed, N failed, N skipped`. A file that could not be
// loaded and an error outside of any test count as failed. It is written on exit, so nothing comes after it.
import fs from 'node:fs';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/** Suites that cannot run on this machine: why, and which files they are. */
export interface LeftOut {
  reason: string;
  include: string[];
}

export default class SummaryReporter implements Reporter {
  readonly #leftOut: LeftOut | undefined;

  constructor(leftOut?: LeftOut) {
    this.#leftOut = leftOut;
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const count = { passed: 0, failed: unhandled.length, skipped: this.#reportLeftOut(), pending: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) count[test.result().state] += 1;
      count.failed += module.errors().length;
      for (const suite of module.children.allSuites()) count.failed += suite.errors().length;
    }
    const failed = count.failed + count.pending;
    const line = `${count.passed} passed, ${failed} failed, ${count.skipped} skipped\n`;
    process.once('exit', () => fs.writeSync(1, line));
  }

  #reportLeftOut(): number {
    if (!this.#leftOut) return 0;
    const roots = this.#leftOut.include.map((pattern) => pattern.slice(0, pattern.indexOf('/**')));
    const files = roots.flatMap((root) =>
      fs.existsSync(root) ? fs.readdirSync(root, { recursive: true, encoding: 'utf8' }) : [],
    );
    const suites = files.filter((file) => file.endsWith('.test.ts')).length * 2;
    console.log(`\nskipped ${suites} suites in the browser (counted one each): ${this.#leftOut.reason}`);
    return suites;
  }
}
