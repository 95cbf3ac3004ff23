/**
 * JSON from files that nobody vouches for. Unlike `JSON.parse` it refuses a key that comes twice, bytes that are no
 * UTF-8 and nesting without end, and says where. Objects are entries, so that no key (`__proto__`) means anything.
 */
import type { Fail } from './source.ts';

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
export type JsonObject = ReadonlyMap<string, JsonValue>;

/** Lists and objects within each other. */
export const MAX_DEPTH = 64;
const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const FIRST_PRINTABLE = 0x20;
const LITERALS = { true: true, false: false, null: null } as const;

/** The value that the bytes spell, spaces around it allowed. @throws what `fail` makes of anything else */
export function parseJson(bytes: Uint8Array, fail: Fail): JsonValue {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw fail('its header is not valid UTF-8', cause);
  }
  return new Parser(text, fail).whole();
}

class Parser {
  readonly #text: string;
  readonly #fail: Fail;
  #at = 0;

  constructor(text: string, fail: Fail) {
    this.#text = text;
    this.#fail = fail;
  }

  whole(): JsonValue {
    this.#match(SPACE);
    const value = this.#value(0);
    this.#match(SPACE);
    if (this.#at < this.#text.length) throw this.#unexpected('the end');
    return value;
  }

  #value(depth: number): JsonValue {
    if (depth > MAX_DEPTH) throw this.#fail(`its header is nested more than ${MAX_DEPTH} deep`);
    const first = this.#text[this.#at];
    if (first === '{') return this.#object(depth);
    if (first === '[') return this.#array(depth);
    if (first === '"') return this.#string();
    for (const [word, value] of Object.entries(LITERALS)) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
    }
    const number = this.#match(NUMBER);
    if (number === null) throw this.#unexpected('a value');
    return Number(number);
  }

  #object(depth: number): JsonObject {
    const entries = new Map<string, JsonValue>();
    this.#items('}', () => {
      if (this.#text[this.#at] !== '"') throw this.#unexpected('a key');
      const key = this.#string();
      if (entries.has(key)) throw this.#fail(`its header has the key ${JSON.stringify(key)} twice`);
      this.#match(SPACE);
      this.#take(':');
      this.#match(SPACE);
      entries.set(key, this.#value(depth + 1));
    });
    return entries;
  }

  #array(depth: number): JsonValue[] {
    const items: JsonValue[] = [];
    this.#items(']', () => items.push(this.#value(depth + 1)));
    return items;
  }

  /** What stands between brackets, separated by commas. */
  #items(end: string, item: () => void): void {
    this.#at++;
    this.#match(SPACE);
    if (this.#text[this.#at] === end) {
      this.#at++;
      return;
    }
    for (;;) {
      item();
      this.#match(SPACE);
      if (this.#text[this.#at] === end) break;
      this.#take(',');
      this.#match(SPACE);
    }
    this.#at++;
  }

  #string(): string {
    const text = this.#text;
    const start = this.#at;
    if (text[start] !== '"') throw this.#unexpected('a string');
    let escaped = false;
    for (let at = start + 1; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) {
        this.#at = at + 1;
        return escaped ? this.#unescape(text.slice(start, at + 1)) : text.slice(start + 1, at);
      }
      if (code < FIRST_PRINTABLE) break;
      if (code === BACKSLASH) {
        escaped = true;
        at++;
      }
    }
    throw this.#fail(`its header is not valid JSON: the string at character ${start} has no end`);
  }

  #unescape(quoted: string): string {
    try {
      return JSON.parse(quoted);
    } catch (cause) {
      throw this.#fail('its header is not valid JSON: a string has an escape that is none', cause);
    }
  }

  #take(sign: string): void {
    if (this.#text[this.#at] !== sign) throw this.#unexpected(`'${sign}'`);
    this.#at++;
  }

  #match(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (!found) return null;
    this.#at = pattern.lastIndex;
    return found[0];
  }

  #unexpected(wanted: string): Error {
    const found = this.#at < this.#text.length ? JSON.stringify(this.#text[this.#at]) : 'its end';
    return this.#fail(
      `its header is not valid JSON: expected ${wanted} at character ${this.#at}, but got ${found}`,
    );
  }
}
