/**
 * Evaluates the Python expressions of golden files (`torch.empty(3).uniform_(-1/28, 1/28)`) with this library: names
 * become camelCase, keyword arguments one trailing options object, classes `new`, dtypes their names, tuples lists.
 */

type Value = unknown;
type Callable = (...args: Value[]) => Value;

/** Python tells 1. from 1, and `torch.arange` and `torch.tensor` choose their dtype by it. */
class Float {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

/** `:`, `::2` … between brackets. */
class Slice {
  readonly bounds: [start: number | null, stop: number | null, step: number | null];
  constructor([start = null, stop = null, step = null]: (number | null)[]) {
    this.bounds = [start, stop, step];
  }
}

/** An object whose attributes are this library's exports. */
interface Namespace {
  readonly [name: string]: Value;
}

export interface Library extends Namespace {
  slice(start: number | null, stop: number | null, step: number | null): Value;
}

const DTYPES = ['float32', 'float64', 'int64', 'int32', 'int16', 'int8', 'uint8', 'bool'];
const CONSTANTS: Record<string, Value> = { True: true, False: false, None: null };

/** `xavier_uniform_` → `xavierUniform_`; classes keep their names. */
export const camelCase = (name: string): string =>
  name.replace(/([a-z0-9])_([a-z0-9])/gi, (_, before: string, after: string) => before + after.toUpperCase());

export function evaluatePython(source: string, torch: Library): Value {
  return plain(new Evaluator(source, torch).run());
}

function tokenize(source: string): string[] {
  const form =
    /\s*(?:(\d+\.\d*(?:e[-+]?\d+)?|\.\d+|\d+e[-+]?\d+|\d+|'[^']*'|"[^"]*"|[A-Za-z_]\w*|\*\*|[-+*/().,=:{}[\]]))/gy;
  const tokens: string[] = [];
  while (form.lastIndex < source.length) {
    const at = form.lastIndex;
    const match = form.exec(source);
    if (!match) throw new SyntaxError(`cannot read ${JSON.stringify(source.slice(at))} in ${source}`);
    tokens.push(match[1]);
  }
  return tokens;
}

function plain(value: Value): Value {
  if (value instanceof Float) return value.value;
  if (Array.isArray(value) && !('get' in value)) return value.map(plain);
  return value;
}

const containsFloat = (value: Value): boolean =>
  value instanceof Float || (Array.isArray(value) && value.some(containsFloat));
const containsBool = (value: Value): boolean =>
  typeof value === 'boolean' || (Array.isArray(value) && value.some(containsBool));

class Evaluator {
  readonly #source: string;
  readonly #tokens: string[];
  readonly #torch: Library;
  #at = 0;

  constructor(source: string, torch: Library) {
    this.#source = source;
    this.#tokens = tokenize(source);
    this.#torch = torch;
  }

  run(): Value {
    const value = this.#expression();
    if (this.#at < this.#tokens.length) throw this.#unexpected();
    return value;
  }

  get #next(): string | undefined {
    return this.#tokens[this.#at];
  }

  #unexpected(): SyntaxError {
    return new SyntaxError(`unexpected ${this.#next ?? 'end'} in ${this.#source}`);
  }

  #accept(token: string): boolean {
    if (this.#next !== token) return false;
    this.#at += 1;
    return true;
  }

  #expect(token: string): void {
    if (!this.#accept(token)) throw this.#unexpected();
  }

  #expression(): Value {
    let value = this.#sum();
    while (this.#accept('and')) value = this.#sum();
    return value;
  }

  #sum(): Value {
    let value = this.#product();
    for (;;) {
      if (this.#accept('+')) value = arithmetic(value, this.#product(), (a, b) => a + b);
      else if (this.#accept('-')) value = arithmetic(value, this.#product(), (a, b) => a - b);
      else return value;
    }
  }

  #product(): Value {
    let value = this.#unary();
    for (;;) {
      if (this.#accept('*')) value = arithmetic(value, this.#unary(), (a, b) => a * b);
      else if (this.#accept('/')) value = quotient(value, this.#unary());
      else return value;
    }
  }

  #unary(): Value {
    if (this.#accept('-')) return arithmetic(0, this.#unary(), (_, b) => -b);
    const base = this.#postfix();
    return this.#accept('**') ? arithmetic(base, this.#unary(), (a, b) => a ** b) : base;
  }

  #postfix(): Value {
    let value = this.#atom();
    for (;;) {
      if (this.#accept('.')) value = this.#attribute(value);
      else if (this.#accept('(')) value = this.#call(value);
      else if (this.#accept('[')) value = this.#subscript(value);
      else return value;
    }
  }

  #atom(): Value {
    const token = this.#next;
    if (token === undefined) throw this.#unexpected();
    this.#at += 1;
    if (token === '(') return this.#tuple();
    if (token === '[') return this.#list(']');
    if (token === '{') return this.#dictionary();
    if (/^[\d.]/.test(token)) return /[.e]/.test(token) ? new Float(Number(token)) : Number(token);
    if (/^['"]/.test(token)) return token.slice(1, -1);
    if (token in CONSTANTS) return CONSTANTS[token];
    if (token === 'range') return range;
    if (token === 'torch') return this.#torch;
    const { nn, data } = this.#torch;
    if (token === 'nn') return nn;
    const name = camelCase(token);
    for (const home of [this.#torch, data]) if (isNamespace(home) && name in home) return home[name];
    throw new ReferenceError(`${name} is not exported`);
  }

  #tuple(): Value {
    const items: Value[] = [];
    let tuple = this.#next === ')';
    while (!this.#accept(')')) {
      items.push(this.#expression());
      if (this.#accept(',')) tuple = true;
    }
    return tuple ? items : items[0];
  }

  #list(end: string): Value[] {
    const items: Value[] = [];
    while (!this.#accept(end)) {
      items.push(this.#expression());
      this.#accept(',');
    }
    return items;
  }

  #dictionary(): Record<string, Value> {
    const entries: Record<string, Value> = {};
    while (!this.#accept('}')) {
      const key = String(this.#expression());
      this.#expect(':');
      entries[key] = this.#expression();
      this.#accept(',');
    }
    return entries;
  }

  #attribute(owner: Value): Value {
    const name = this.#tokens[this.#at++];
    if (owner === this.#torch) {
      if (DTYPES.includes(name)) return name;
      if (name === 'utils') return { data: this.#torch.data };
    }
    if (!isNamespace(owner)) throw new TypeError(`no object has the attribute ${name} in ${this.#source}`);
    const member = owner[camelCase(name)];
    if (member === undefined) throw new ReferenceError(`${camelCase(name)} does not exist (${this.#source})`);
    return isCallable(member) && !isClass(member)
      ? Object.assign(member.bind(owner), { python: name })
      : member;
  }

  #call(callee: Value): Value {
    const positional: Value[] = [];
    const options: Record<string, Value> = {};
    while (!this.#accept(')')) {
      if (this.#accept('**')) Object.assign(options, this.#expression());
      else if (this.#tokens[this.#at + 1] === '=') {
        const name = this.#tokens[this.#at];
        this.#at += 2;
        options[name] = this.#expression();
      } else positional.push(this.#expression());
      this.#accept(',');
    }
    const named = Object.entries(options).map(([name, value]) => [camelCase(name), plain(value)] as const);
    if (!('dtype' in options) && isCallable(callee)) {
      const { python } = callee as { python?: string };
      const dtype = literalDType(positional);
      if ((python === 'arange' || python === 'tensor') && dtype) named.push(['dtype', dtype]);
    }
    const args = positional.map(plain);
    if (named.length > 0) args.push(Object.fromEntries(named));
    if (!isCallable(callee)) throw new TypeError(`not callable: ${this.#source}`);
    return isClass(callee) ? Reflect.construct(callee, args) : callee(...args);
  }

  #subscript(owner: Value): Value {
    const entries: Value[] = [];
    while (!this.#accept(']')) {
      entries.push(this.#subscriptEntry());
      this.#accept(',');
    }
    const picks = entries.map((entry) =>
      entry instanceof Slice ? this.#torch.slice(...entry.bounds) : plain(entry),
    );
    if (!isNamespace(owner) || !isCallable(owner.index)) throw new TypeError(`no index in ${this.#source}`);
    return owner.index(...picks);
  }

  #subscriptEntry(): Value {
    const bounds: (number | null)[] = [];
    let current: number | null = null;
    let colons = 0;
    while (this.#next !== ',' && this.#next !== ']') {
      if (this.#accept(':')) {
        bounds.push(current);
        current = null;
        colons += 1;
      } else {
        const value = this.#expression();
        if (colons === 0 && this.#next !== ':') return value;
        current = number(value);
      }
    }
    return new Slice([...bounds, current]);
  }
}

/** The dtype that PyTorch infers from literals where JavaScript cannot. */
function literalDType(args: readonly Value[]): string | null {
  if (args.some(containsFloat)) return 'float32';
  return args.some(containsBool) ? null : 'int64';
}

function number(value: Value): number {
  if (value instanceof Float) return value.value;
  if (typeof value === 'number') return value;
  throw new TypeError(`expected a number, got ${String(value)}`);
}

function arithmetic(a: Value, b: Value, apply: (a: number, b: number) => number): Value {
  const result = apply(number(a), number(b));
  return a instanceof Float || b instanceof Float ? new Float(result) : result;
}

/** 0 … n − 1, both as a list and as a data set. */
const range = (n: number): Value =>
  Object.assign(
    Array.from({ length: n }, (_, i) => i),
    { get: (i: number) => i },
  );

function quotient(a: Value, b: Value): Value {
  if (isNamespace(a) && isCallable(a.div)) return a.div(b);
  return new Float(number(a) / number(b));
}

const isCallable = (value: Value): value is Callable => typeof value === 'function';
const isClass = (value: Callable): boolean => /^class\b/.test(Function.prototype.toString.call(value));
const isNamespace = (value: Value): value is Namespace => typeof value === 'object' && value !== null;
