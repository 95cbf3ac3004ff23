/**
 * Python's pickles, read as data: a stack machine of which only the instructions for plain values exist here. A class or
 * function that a pickle names must be one that the caller knows; nothing of the pickle is ever run.
 * https://docs.python.org/3/library/pickletools.html, protocols 2 to 5.
 */
import type { Fail } from './source.ts';

/** A class or function that a pickle names. */
export class PickleGlobal {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** A tuple; lists are arrays. */
export class PickleTuple {
  readonly items: readonly unknown[];
  constructor(items: readonly unknown[]) {
    this.items = items;
  }
}

export interface PickleHost {
  /** What a name stands for. @throws for names that are not known */
  global(name: string): unknown;
  /** What a call of it with these arguments gives. */
  reduce(callee: unknown, args: readonly unknown[]): unknown;
  /** An object that lies outside the pickle. */
  persistent(id: unknown): unknown;
}

const MAX_STACK = 1_000_000;
const MARK = Symbol('mark');

/** The object that the bytes describe. @throws what `fail` makes of damaged ones and of instructions that are not allowed */
export function unpickle(bytes: Uint8Array, host: PickleHost, fail: Fail): unknown {
  return new Machine(bytes, host, fail).run();
}

/** The numbers of the instructions, by their names in Python's pickletools. */
const op = {
  PROTO: 0x80,
  FRAME: 0x95,
  STOP: 0x2e,
  MARK: 0x28,
  POP: 0x30,
  POP_MARK: 0x31,
  DUP: 0x32,
  NONE: 0x4e,
  NEWTRUE: 0x88,
  NEWFALSE: 0x89,
  BININT: 0x4a,
  BININT1: 0x4b,
  BININT2: 0x4d,
  LONG1: 0x8a,
  LONG4: 0x8b,
  BINFLOAT: 0x47,
  SHORT_BINSTRING: 0x55,
  BINSTRING: 0x54,
  SHORT_BINUNICODE: 0x8c,
  BINUNICODE: 0x58,
  BINUNICODE8: 0x8d,
  SHORT_BINBYTES: 0x43,
  BINBYTES: 0x42,
  BINBYTES8: 0x8e,
  EMPTY_LIST: 0x5d,
  APPEND: 0x61,
  APPENDS: 0x65,
  EMPTY_TUPLE: 0x29,
  TUPLE: 0x74,
  TUPLE1: 0x85,
  TUPLE2: 0x86,
  TUPLE3: 0x87,
  EMPTY_DICT: 0x7d,
  SETITEM: 0x73,
  SETITEMS: 0x75,
  EMPTY_SET: 0x8f,
  ADDITEMS: 0x90,
  BINPUT: 0x71,
  LONG_BINPUT: 0x72,
  MEMOIZE: 0x94,
  BINGET: 0x68,
  LONG_BINGET: 0x6a,
  GLOBAL: 0x63,
  STACK_GLOBAL: 0x93,
  REDUCE: 0x52,
  NEWOBJ: 0x81,
  BUILD: 0x62,
  BINPERSID: 0x51,
} as const;

class Machine {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #host: PickleHost;
  readonly #fail: Fail;
  readonly #stack: unknown[] = [];
  readonly #memo = new Map<number, unknown>();
  #at = 0;

  constructor(bytes: Uint8Array, host: PickleHost, fail: Fail) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#host = host;
    this.#fail = fail;
  }

  run(): unknown {
    for (;;) {
      const code = this.#bytes[this.#skip(1)];
      if (code === op.STOP) return this.#pop();
      if (!this.#constant(code) && !this.#container(code) && !this.#reference(code)) {
        throw this.#damaged(
          `its instruction 0x${code.toString(16)} at byte ${this.#at - 1} is not one for plain data`,
        );
      }
      if (this.#stack.length > MAX_STACK) throw this.#damaged('it nests without end');
    }
  }

  #damaged(what: string): Error {
    return this.#fail(`its pickle cannot be read: ${what}`);
  }

  // The instruction stream

  /** The position of the next `count` bytes, which are passed. */
  #skip(count: number): number {
    const at = this.#at;
    if (!(count <= this.#bytes.length - at)) throw this.#damaged('it ends too early');
    this.#at += count;
    return at;
  }
  #uint8 = (): number => this.#view.getUint8(this.#skip(1));
  #uint16 = (): number => this.#view.getUint16(this.#skip(2), true);
  #int32 = (): number => this.#view.getInt32(this.#skip(4), true);
  #uint32 = (): number => this.#view.getUint32(this.#skip(4), true);
  #uint64 = (): number => Number(this.#view.getBigUint64(this.#skip(8), true));

  #part(length: number): Uint8Array {
    const at = this.#skip(length);
    return this.#bytes.subarray(at, at + length);
  }
  #text(length: number): string {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(this.#part(length));
    } catch (cause) {
      if (cause instanceof TypeError) throw this.#damaged('a text is not valid UTF-8');
      throw cause;
    }
  }
  #line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0) throw this.#damaged('a name has no end');
    const text = this.#text(end - this.#at);
    this.#at++;
    return text;
  }
  /** A whole number of any length: two's complement, little-endian. */
  #long(length: number): number | bigint {
    const bytes = this.#part(length);
    if (length > 1024) throw this.#damaged(`a number has ${length} bytes`);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]);
    const signed = BigInt.asIntN(8 * length, value);
    const plain = Number(signed);
    return Number.isSafeInteger(plain) ? plain : signed;
  }

  // The stack

  #push(x: unknown): true {
    this.#stack.push(x);
    return true;
  }
  #pop(): unknown {
    const x = this.#stack.pop();
    if (x === undefined || x === MARK) throw this.#damaged('it takes from an empty stack');
    return x;
  }
  #top(): unknown {
    const x = this.#stack[this.#stack.length - 1];
    if (x === undefined || x === MARK) throw this.#damaged('it takes from an empty stack');
    return x;
  }
  /** What was pushed since the last mark. */
  #sinceMark(): unknown[] {
    const at = this.#stack.lastIndexOf(MARK);
    if (at < 0) throw this.#damaged('a mark is missing');
    const items = this.#stack.splice(at);
    return items.slice(1);
  }

  // The instructions

  #constant(code: number): boolean {
    switch (code) {
      case op.PROTO: {
        const version = this.#uint8();
        if (version < 2 || version > 5) throw this.#damaged(`its protocol is ${version}; 2 to 5 can be read`);
        return true;
      }
      case op.FRAME:
        this.#skip(8);
        return true;
      case op.NONE:
        return this.#push(null);
      case op.NEWTRUE:
        return this.#push(true);
      case op.NEWFALSE:
        return this.#push(false);
      case op.BININT:
        return this.#push(this.#int32());
      case op.BININT1:
        return this.#push(this.#uint8());
      case op.BININT2:
        return this.#push(this.#uint16());
      case op.LONG1:
        return this.#push(this.#long(this.#uint8()));
      case op.LONG4:
        return this.#push(this.#long(this.#uint32()));
      case op.BINFLOAT:
        return this.#push(this.#view.getFloat64(this.#skip(8), false));
      case op.SHORT_BINSTRING:
      case op.SHORT_BINUNICODE:
        return this.#push(this.#text(this.#uint8()));
      case op.BINSTRING:
      case op.BINUNICODE:
        return this.#push(this.#text(this.#uint32()));
      case op.BINUNICODE8:
        return this.#push(this.#text(this.#uint64()));
      case op.SHORT_BINBYTES:
        return this.#push(this.#part(this.#uint8()).slice());
      case op.BINBYTES:
        return this.#push(this.#part(this.#uint32()).slice());
      case op.BINBYTES8:
        return this.#push(this.#part(this.#uint64()).slice());
      default:
        return false;
    }
  }

  #container(code: number): boolean {
    switch (code) {
      case op.MARK:
        return this.#push(MARK);
      case op.POP:
        if (this.#stack.pop() === undefined) throw this.#damaged('it takes from an empty stack');
        return true;
      case op.POP_MARK:
        this.#sinceMark();
        return true;
      case op.DUP:
        return this.#push(this.#top());
      case op.EMPTY_LIST:
        return this.#push([]);
      case op.EMPTY_DICT:
        return this.#push(new Map());
      case op.EMPTY_SET:
        return this.#push(new Set());
      case op.EMPTY_TUPLE:
        return this.#push(new PickleTuple([]));
      case op.TUPLE:
        return this.#push(new PickleTuple(this.#sinceMark()));
      case op.TUPLE1:
      case op.TUPLE2:
      case op.TUPLE3: {
        const items = Array.from({ length: code - op.TUPLE1 + 1 }, () => this.#pop());
        return this.#push(new PickleTuple(items.reverse()));
      }
      case op.APPEND:
        return this.#append([this.#pop()]);
      case op.APPENDS:
        return this.#append(this.#sinceMark());
      case op.SETITEM: {
        const value = this.#pop();
        return this.#setItems([this.#pop(), value]);
      }
      case op.SETITEMS:
        return this.#setItems(this.#sinceMark());
      case op.ADDITEMS: {
        const items = this.#sinceMark();
        const set = this.#top();
        if (!(set instanceof Set)) throw this.#damaged('it adds to what is no set');
        for (const item of items) set.add(item);
        return true;
      }
      default:
        return false;
    }
  }

  #append(items: readonly unknown[]): true {
    const list = this.#top();
    if (!Array.isArray(list)) throw this.#damaged('it appends to what is no list');
    for (const item of items) list.push(item);
    return true;
  }

  #setItems(items: readonly unknown[]): true {
    const dict = this.#top();
    if (!(dict instanceof Map)) throw this.#damaged('it sets an item of what is no dictionary');
    if (items.length % 2 !== 0) throw this.#damaged('a key has no value');
    for (let i = 0; i < items.length; i += 2) dict.set(items[i], items[i + 1]);
    return true;
  }

  #reference(code: number): boolean {
    switch (code) {
      case op.BINPUT:
        this.#memo.set(this.#uint8(), this.#top());
        return true;
      case op.LONG_BINPUT:
        this.#memo.set(this.#uint32(), this.#top());
        return true;
      case op.MEMOIZE:
        this.#memo.set(this.#memo.size, this.#top());
        return true;
      case op.BINGET:
        return this.#push(this.#remembered(this.#uint8()));
      case op.LONG_BINGET:
        return this.#push(this.#remembered(this.#uint32()));
      case op.GLOBAL: {
        const module = this.#line();
        return this.#push(this.#host.global(`${module}.${this.#line()}`));
      }
      case op.STACK_GLOBAL: {
        const name = this.#pop();
        return this.#push(this.#host.global(`${String(this.#pop())}.${String(name)}`));
      }
      case op.REDUCE:
      case op.NEWOBJ: {
        const args = this.#pop();
        if (!(args instanceof PickleTuple)) throw this.#damaged('the arguments of a call are no tuple');
        return this.#push(this.#host.reduce(this.#pop(), args.items));
      }
      case op.BUILD:
        // Attributes of containers (`_metadata` of a state dict) say nothing about the values.
        this.#pop();
        this.#top();
        return true;
      case op.BINPERSID:
        return this.#push(this.#host.persistent(this.#pop()));
      default:
        return false;
    }
  }

  #remembered(index: number): unknown {
    if (!this.#memo.has(index)) throw this.#damaged(`it refers to object ${index}, which is not there`);
    return this.#memo.get(index);
  }
}
