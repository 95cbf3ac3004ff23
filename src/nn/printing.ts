/** How modules are laid out in print: PyTorch's lines and indents. */

/** All lines but the first moved in by two columns. */
export const indented = (text: string): string => text.replaceAll('\n', '\n  ');

/** `Name(extra)`, or a line for each piece. */
export function wrapLines(name: string, extra: readonly string[], children: readonly string[]): string {
  if (extra.length === 1 && children.length === 0) return `${name}(${extra[0]})`;
  const lines = [...extra, ...children];
  return lines.length === 0 ? `${name}()` : `${name}(\n  ${lines.join('\n  ')}\n)`;
}

/** `Name(…)` with numbered pieces; equal neighbours are one, with their number. */
export function numbered(name: string, pieces: readonly unknown[]): string {
  const blocks: { text: string; first: number; last: number }[] = [];
  pieces.forEach((piece, i) => {
    const text = String(piece);
    const before = blocks.at(-1);
    if (before?.text === text) before.last = i;
    else blocks.push({ text, first: i, last: i });
  });
  const lines = blocks.map(({ text, first, last }) =>
    first === last ? `(${first}): ${text}` : `(${first}-${last}): ${last - first + 1} x ${text}`,
  );
  return wrapLines(name, [], lines.map(indented));
}
