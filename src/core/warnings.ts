/** What is no error, but mostly not what was meant. */

const given = new Set<string>();

/** Says `text` in the console, once for each `place`: what warns in a training loop would fill it. */
export function warnOnce(place: string, text: string): void {
  if (given.has(place)) return;
  given.add(place);
  console.warn(`wasmgrad: ${place}: ${text}`);
}
