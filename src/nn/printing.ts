/** How modules are laid out in print: PyTorch's lines and indents. */

/** All lines but the first moved in by two columns. */
export const indented = (text: string): string => text.replaceAll('\n', '\n  ');

/** `Name(extra)`, or a line for each piece. */
export function wrapLines(name: string, extra: readonly string[], children: readonly string[]): string {
  if (extra.length === 1 && children.length === 0) return `${name}(${extra[0]})`;
  const lines = [...extra, ...children];
  return lines.length === 0 ? `${name}()` : `${name}(\n  ${lines.join('\n  ')}\n)`;
}
