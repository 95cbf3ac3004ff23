/** Which file of the library imports which, read from the syntax tree, and the rules that the floors set. */
import path from 'node:path';
import ts from 'typescript';

export interface Import {
  from: string;
  /** The imported file as a path from the root, or the bare specifier of a package. */
  to: string;
  typeOnly: boolean;
}

/** What may be imported from where: a file imports its own floor or lower ones. `src/index.ts` stands above all. */
const FLOORS: Record<string, number> = { generated: 1, core: 1, backend: 2, autograd: 3, ops: 4, tensor: 5 };
const TENSOR_FLOOR = 5;
const PARTS_FLOOR = 6;
const PARTS = ['nn', 'optim', 'data', 'distributions', 'vision', 'io', 'plot', 'serve', 'training'];
/** Built out of several parts: whole models and their files, the processes that train them, what shows their time. */
const ASSEMBLIES_FLOOR = 7;
const ASSEMBLIES = ['distributed', 'profiler'];
const ROOF = 8;

export function floorOf(file: string): number {
  if (file === 'src/index.ts') return ROOF;
  const folder = folderOf(file);
  if (folder === undefined) return TENSOR_FLOOR;
  if (PARTS.includes(folder)) return PARTS_FLOOR;
  if (ASSEMBLIES.includes(folder)) return ASSEMBLIES_FLOOR;
  const floor = FLOORS[folder];
  if (floor === undefined) throw new Error(`${file}: the folder '${folder}' has no floor`);
  return floor;
}

function folderOf(file: string): string | undefined {
  const parts = file.split('/');
  return parts.length > 2 ? parts[1] : undefined;
}

/** All imports, re-exports, import types and dynamic imports of one file. */
export function importsOf(file: string, text: string): Import[] {
  const found: Import[] = [];
  const add = (specifier: ts.Node | undefined, typeOnly: boolean) => {
    if (!specifier) return;
    // A package that a program may have or not is looked up when it runs.
    if (!ts.isStringLiteralLike(specifier) && file === 'src/backend/webgpu/dawn.ts') return;
    if (!ts.isStringLiteralLike(specifier)) throw new Error(`${file}: an import that only a run can resolve`);
    const { text: target } = specifier;
    const to = target.startsWith('.') ? path.posix.join(path.posix.dirname(file), target) : target;
    found.push({ from: file, to, typeOnly });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, node.importClause?.isTypeOnly ?? false);
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
      add(node.argument.literal, true);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node.arguments[0], false);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest));
  return found;
}

/** Every broken rule of the house, in words; `files` maps paths to sources. */
export function brokenRules(files: ReadonlyMap<string, string>): string[] {
  const broken: string[] = [];
  const graph = new Map<string, string[]>();
  for (const [file, text] of files) {
    const imports = importsOf(file, text);
    graph.set(
      file,
      imports.filter((one) => !one.typeOnly).map((one) => one.to),
    );
    for (const one of imports) {
      const reason = files.has(one.to) ? brokenFloor(one) : `is not a file of src`;
      if (reason) broken.push(`${one.from} imports ${one.to}: ${reason}`);
    }
  }
  return [...broken, ...cycles(graph).map((cycle) => `import cycle: ${cycle.join(' -> ')}`)];
}

function brokenFloor({ from, to, typeOnly }: Import): string | undefined {
  if (floorOf(to) > floorOf(from)) return `floor ${floorOf(from)} must not know floor ${floorOf(to)}`;
  const betweenParts =
    floorOf(from) === PARTS_FLOOR && floorOf(to) === PARTS_FLOOR && folderOf(from) !== folderOf(to);
  return betweenParts && !typeOnly ? 'the parts know each other by types only' : undefined;
}

/** One cycle for every edge that closes one on a depth-first walk. */
export function cycles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const found: string[][] = [];
  const finished = new Set<string>();
  const trail: string[] = [];
  const walk = (file: string): void => {
    const start = trail.indexOf(file);
    if (start >= 0) found.push([...trail.slice(start), file]);
    if (start >= 0 || finished.has(file)) return;
    trail.push(file);
    for (const next of graph.get(file) ?? []) walk(next);
    trail.pop();
    finished.add(file);
  };
  for (const file of graph.keys()) walk(file);
  return found;
}
