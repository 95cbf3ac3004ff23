/** The portable benchmarks: a page of their own, shown in a frame so that they measure themselves and not this page. */
import type { JSX } from 'preact';

export function BenchPanel(): JSX.Element {
  return <iframe class="bench" src="bench/index.html" title="Benchmarks" />;
}
