/**
 * Expressions that a user types, computed with tensors: numbers, names, + − * / ^ @ (matrix product), brackets and
 * functions. A parser of our own, so that nothing that is typed is ever run as code.
 *
 *     sum     = product { ("+" | "-") product }
 *     product = signed { ("*" | "/" | "@") signed }
 *     signed  = "-" signed | power
 *     power   = atom [ ("^" | "**") signed ]
 *     atom    = number | name | name "(" sum ")" | "(" sum ")"
 */

import type { Tensor } from 'wasmgrad';
import * as torch from 'wasmgrad';

const FUNCTIONS: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  sin: (x) => x.sin(),
  cos: (x) => x.cos(),
  tan: (x) => x.tan(),
  exp: (x) => x.exp(),
  log: (x) => x.log(),
  sqrt: (x) => x.sqrt(),
  abs: (x) => x.abs(),
  tanh: (x) => x.tanh(),
  sigmoid: (x) => x.sigmoid(),
  relu: (x) => torch.nn.functional.relu(x),
  softmax: (x) => x.softmax(-1),
  sum: (x) => x.sum(),
  mean: (x) => x.mean(),
};

/** What can be called in an expression. */
export const functionNames = Object.keys(FUNCTIONS);

const isFunction = (name: string): boolean => Object.hasOwn(FUNCTIONS, name);

type Token = { readonly kind: 'number' | 'name' | 'sign'; readonly text: string; readonly at: number };

/** Computes the expression from the values of its names. */
export type Program = (values: ReadonlyMap<string, Tensor>) => Tensor;

export interface Expression {
  /** Names without a value yet, in the order of their first use. */
  readonly names: readonly string[];
  readonly compute: Program;
}

function tokens(text: string): Token[] {
  const found: Token[] = [];
  const pattern = /\s*(?:(\d+\.?\d*(?:e[+-]?\d+)?|\.\d+)|([a-z_]\w*)|(\*\*|[-+*/^@()]))/iy;
  while (text.slice(pattern.lastIndex).trim() !== '') {
    const at = pattern.lastIndex;
    const match = pattern.exec(text);
    if (match === null) {
      const bad = text.slice(at).trimStart();
      throw new SyntaxError(`'${bad[0]}' at ${text.length - bad.length + 1} means nothing here`);
    }
    const [, number, name, sign] = match;
    const kind = number ? 'number' : name ? 'name' : 'sign';
    found.push({ kind, text: number ?? name ?? sign, at });
  }
  return found;
}

const lift = (x: Tensor | number): Tensor => (typeof x === 'number' ? torch.tensor(x) : x);

/** Brackets within brackets, at most: the parser calls itself for each. */
const DEEPEST = 200;

type Node = (values: ReadonlyMap<string, Tensor>) => Tensor | number;

class Parser {
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;
  readonly names = new Set<string>();

  constructor(list: readonly Token[]) {
    this.#tokens = list;
  }

  #take(...signs: string[]): string | null {
    const token = this.#tokens[this.#next];
    if (token?.kind !== 'sign' || !signs.includes(token.text)) return null;
    this.#next++;
    return token.text;
  }

  whole(): Node {
    const node = this.#sum();
    const rest = this.#tokens[this.#next];
    if (rest === undefined) return node;
    if (rest.text === ')') throw new SyntaxError("there is a ')' too many");
    const before = this.#tokens[this.#next - 1];
    if (isFunction(before.text))
      throw new SyntaxError(`${before.text} wants brackets: ${before.text}(${rest.text})`);
    throw new SyntaxError(`between '${before.text}' and '${rest.text}' a sign is missing, such as *`);
  }

  #sum(): Node {
    if (++this.#depth > DEEPEST)
      throw new SyntaxError(`there are more than ${DEEPEST} brackets within brackets`);
    let left = this.#product();
    for (let sign = this.#take('+', '-'); sign !== null; sign = this.#take('+', '-')) {
      left = combine(sign, left, this.#product());
    }
    this.#depth--;
    return left;
  }

  #product(): Node {
    let left = this.#signed();
    for (let sign = this.#take('*', '/', '@'); sign !== null; sign = this.#take('*', '/', '@')) {
      left = combine(sign, left, this.#signed());
    }
    return left;
  }

  #signed(): Node {
    if (this.#take('-') === null) return this.#power();
    const inner = this.#signed();
    return (values) => {
      const x = inner(values);
      return typeof x === 'number' ? -x : x.neg();
    };
  }

  #power(): Node {
    const base = this.#atom();
    return this.#take('^', '**') === null ? base : combine('^', base, this.#signed());
  }

  #atom(): Node {
    if (this.#take('(') !== null) return this.#closed(this.#sum());
    const token = this.#tokens[this.#next++];
    if (token === undefined) throw new SyntaxError('the expression ends too early');
    if (token.kind === 'number') {
      const value = Number(token.text);
      return () => value;
    }
    if (token.kind === 'sign') throw new SyntaxError(`'${token.text}' is not expected here`);
    if (this.#take('(') !== null) return this.#call(token.text);
    this.names.add(token.text);
    return (values) => {
      const value = values.get(token.text);
      if (value === undefined) throw new SyntaxError(`${token.text} has no value`);
      return value;
    };
  }

  #call(name: string): Node {
    const known = FUNCTIONS[name];
    if (!isFunction(name)) {
      throw new SyntaxError(`there is no function ${name}; there are ${functionNames.join(', ')}`);
    }
    const inner = this.#closed(this.#sum());
    return (values) => known(lift(inner(values)));
  }

  #closed(node: Node): Node {
    if (this.#take(')') !== null) return node;
    const next = this.#tokens[this.#next];
    throw new SyntaxError(
      next === undefined ? "a ')' is missing" : `before '${next.text}' a ')' or a sign is missing`,
    );
  }
}

function combine(sign: string, left: Node, right: Node): Node {
  return (values) => {
    const [a, b] = [left(values), right(values)];
    if (sign === '@') return lift(a).matmul(lift(b));
    if (typeof a === 'number' && typeof b === 'number') return arithmetic(sign, a, b);
    // A plain number on the left of a method: as a tensor it would be an op's operand just the same.
    const x = lift(a);
    if (sign === '+') return x.add(b);
    if (sign === '-') return x.sub(b);
    if (sign === '*') return x.mul(b);
    return sign === '/' ? x.div(b) : x.pow(b);
  };
}

function arithmetic(sign: string, a: number, b: number): number {
  if (sign === '+') return a + b;
  if (sign === '-') return a - b;
  if (sign === '*') return a * b;
  return sign === '/' ? a / b : a ** b;
}

/** @throws SyntaxError that says what is wrong with the text */
export function parse(text: string): Expression {
  if (text.trim() === '') throw new SyntaxError('the expression is empty');
  const parser = new Parser(tokens(text));
  const node = parser.whole();
  return { names: [...parser.names], compute: (values) => lift(node(values)) };
}

/** A value as it is typed: one number, or several between commas. @throws SyntaxError */
export function parseValue(text: string): Tensor {
  const numbers = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (numbers.some(Number.isNaN)) {
    throw new SyntaxError(`'${text}' is not a number, nor numbers between commas`);
  }
  return torch.tensor(numbers.length === 1 ? numbers[0] : numbers);
}
