// Modules and optimisers print the names of their classes, and minifiers rename classes. esbuild's `keepNames` would
// wrap every function of the library for that, and no bundler could leave out a class that carries its calls. A static
// field that holds the name costs a few bytes and nothing else.
import ts from 'typescript';

/** The source with `static name = "…"` in each of its classes. */
export function withClassNames(/** @type {string} */ text) {
  const file = ts.createSourceFile('module.ts', text, ts.ScriptTarget.Latest);
  /** @type {{ at: number, name: string }[]} */
  const classes = [];
  for (const node of file.statements) {
    if (ts.isClassDeclaration(node) && node.name)
      classes.push({ at: node.members.pos, name: node.name.text });
  }
  let named = text;
  for (const { at, name } of classes.reverse())
    named = `${named.slice(0, at)} static name = ${JSON.stringify(name)};${named.slice(at)}`;
  return named;
}
