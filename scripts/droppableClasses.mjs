// esbuild keeps a class with a computed name, such as `[Symbol.for('nodejs.util.inspect.custom')]`, and all that it
// refers to, in programs that never name it: to make the name might have an effect. The names here have none.
import ts from 'typescript';

/** Names such as `Symbol.iterator` are known to be harmless. */
const SUSPICIOUS_NAME = /^ {2}(?:(?:get|set|static|async) |\*)*\[(?!Symbol\.\w+\])/m;

/** The source with each class of such a name made by a function, whose call bundlers may drop. */
export function withDroppableClasses(/** @type {string} */ text) {
  if (!SUSPICIOUS_NAME.test(text)) return text;
  const file = ts.createSourceFile('module.ts', text, ts.ScriptTarget.Latest);
  let droppable = text;
  for (const node of file.statements.toReversed()) {
    if (!ts.isClassDeclaration(node) || !node.name || !SUSPICIOUS_NAME.test(node.getText(file))) continue;
    const exported = node.modifiers?.find(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
    const start = exported ? exported.end + 1 : node.getStart(file);
    const made = `const ${node.name.text} = /* @__PURE__ */ (() => { ${text.slice(start, node.end)} return ${node.name.text}; })();`;
    droppable = `${droppable.slice(0, start)}${made}${droppable.slice(node.end)}`;
  }
  return droppable;
}
