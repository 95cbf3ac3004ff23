/** The functions that WGSL lacks, or whose built-in forms are too coarse; a module gets those that it mentions. */
import { floats } from './wgslFloats.ts';
import { integers } from './wgslIntegers.ts';
import { special } from './wgslSpecial.ts';

const functions = new Map<string, string>();
for (const text of [floats, special, integers]) {
  for (const whole of text.split(/^(?=fn )/m)) {
    const name = /^fn (\w+)/.exec(whole)?.[1];
    if (name !== undefined) functions.set(name, whole.trimEnd());
  }
}

/** The built-in functions of WGSL that ours replace in formulas over float32, for their accuracy or their range. */
const replaced: readonly string[] = [
  'exp',
  'exp2',
  'log',
  'log2',
  'sin',
  'cos',
  'tan',
  'asin',
  'acos',
  'atan',
  'atan2',
  'sinh',
  'cosh',
  'tanh',
  'asinh',
  'acosh',
  'atanh',
  'pow',
  'sign',
  'round',
  'max',
  'min',
  'inverseSqrt',
  'sqrt',
];
const calls = new RegExp(`(?<![\\w.])(${replaced.join('|')})\\(`, 'g');

/** A formula of an op's row over float32, with our functions for WGSL's where those are not good enough. */
export const overFloats = (formula: string): string => formula.replace(calls, 'f_$1(');

/** The text of every function of the library that `code` mentions, and of those that they mention. */
export function library(code: string): string {
  const wanted = new Set<string>();
  const visit = (text: string): void => {
    for (const [word] of text.matchAll(/\b[a-zA-Z]\w*/g)) {
      const found = functions.get(word);
      if (found === undefined || wanted.has(word)) continue;
      wanted.add(word);
      visit(found);
    }
  };
  visit(code);
  return [...functions].flatMap(([name, text]) => (wanted.has(name) ? [text] : [])).join('\n');
}
