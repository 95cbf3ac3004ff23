/** Generated parts of documents. */
import fs from 'node:fs';

/** Replaces what lies between `<!-- name -->` and `<!-- /name -->`. @throws Error if the file has no such markers */
export function writeBetweenMarkers(file: string, name: string, content: string): void {
  const text = fs.readFileSync(file, 'utf8');
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [start, end] = [text.indexOf(open), text.indexOf(close)];
  if (start < 0 || end < start) throw new Error(`${file} has no ${open} … ${close}`);
  fs.writeFileSync(file, `${text.slice(0, start + open.length)}\n${content}\n${text.slice(end)}`);
}
