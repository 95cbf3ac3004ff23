/** The portable benchmarks: a page of their own, shown in a frame so that they measure themselves and not this page. */
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

/** Names of colours there, and what they are here. */
const COLOURS = {
  '--surface': '--card',
  '--text': '--text',
  '--muted': '--muted',
  '--line': '--line',
  '--accent': '--accent',
} as const;

/** Gives the page in the frame this page's colours, and the frame the height of its page: nothing scrolls inside another. */
function adopt(frame: HTMLIFrameElement): ResizeObserver | null {
  const inner = frame.contentDocument;
  if (inner === null) return null;
  const here = getComputedStyle(document.documentElement);
  for (const [there, name] of Object.entries(COLOURS))
    inner.documentElement.style.setProperty(there, here.getPropertyValue(name));
  const observer = new ResizeObserver(() => {
    frame.style.height = `${inner.body.offsetHeight + 2}px`;
  });
  observer.observe(inner.body);
  return observer;
}

export function BenchPanel(): JSX.Element {
  const observer = useRef<ResizeObserver | null>(null);
  useEffect(() => () => observer.current?.disconnect(), []);
  return (
    <iframe
      class="bench"
      src="bench/index.html"
      title="Benchmarks"
      onLoad={(event) => {
        observer.current?.disconnect();
        observer.current = adopt(event.currentTarget);
      }}
    />
  );
}
