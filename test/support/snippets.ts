/**
 * The code of a document, as programs. Blocks fenced as `ts` are one program, each block in a scope of its own inside
 * the one before, so that later blocks read what earlier ones made. A block whose first line is a comment with a file's
 * name is a module of its own; blocks fenced as `ts page` need a page, and are a program of their own.
 */

export interface Snippets {
  /** What runs in Node; null if the document has no such block. */
  readonly program: string | null;
  /** What runs in a page; null if the document has no such block. */
  readonly pageProgram: string | null;
  /** Modules by file name; `page.ts` begins. */
  readonly modules: ReadonlyMap<string, string>;
}

export interface Block {
  readonly info: string;
  readonly code: string;
}

const FENCE = /^```(\S.*)?\n([\s\S]*?)^```$/gm;
const IMPORT = /^import [^;]*;\n/gm;

/** All fenced pieces of a document, in their order. */
export const blocksOf = (markdown: string): Block[] =>
  [...markdown.matchAll(FENCE)].map(([, info = '', code]) => ({ info, code }));

/** Named imports of one module once each, however many blocks ask for them. */
function mergedImports(code: string): string {
  const named = new Map<string, Set<string>>();
  const whole = new Set<string>();
  for (const [statement] of code.matchAll(IMPORT)) {
    const list = /^import (?:type )?\{([^}]*)\} from '([^']+)';/.exec(statement);
    if (list === null) {
      whole.add(statement);
      continue;
    }
    const names = named.get(list[2]) ?? new Set<string>();
    for (const name of list[1].split(',')) if (name.trim() !== '') names.add(name.trim());
    named.set(list[2], names);
  }
  const lines = [...named].map(([from, names]) => `import { ${[...names].join(', ')} } from '${from}';\n`);
  return [...whole, ...lines].join('');
}

export function snippetsOf(markdown: string): Snippets {
  const modules = new Map<string, string>();
  const program: string[] = [];
  const pageProgram: string[] = [];
  for (const { info, code } of blocksOf(markdown)) {
    const [language, ...words] = info.split(/\s+/);
    if (language !== 'ts') continue;
    const name = /^\/\/ (\S+\.ts)\n/.exec(code)?.[1];
    if (name !== undefined) modules.set(name, code);
    else (words.includes('page') ? pageProgram : program).push(code);
  }
  return { program: joined(program), pageProgram: joined(pageProgram), modules };
}

function joined(blocks: readonly string[]): string | null {
  if (blocks.length === 0) return null;
  const bodies = blocks.map((code) => code.replace(IMPORT, ''));
  const nested = bodies.reduceRight((inner, code) => `{\n${code}\n${inner}}\n`, '');
  return `${mergedImports(blocks.join('\n'))}${nested}export {};\n`;
}

/** The texts that documents promise: `console.log(…); // text`, in the order of printing. */
export const promisedLines = (program: string): string[] =>
  [...program.matchAll(/^\s*console\.log\(.*\);\s*\/\/ ((?:tensor\(|\[|-?\d|'|true|false).*)$/gm)].map(
    ([, text]) => text,
  );
