/**
 * Nested values (objects, lists, numbers, tensors, typed arrays) as JSON beside tensors by name. What JSON lacks is an
 * object with one key that begins with `$`, and a key of the user's that begins so gets one more.
 */
import { dtypeOfTypedArray, type TypedArray } from '../core/dtype.ts';
import { ArgumentError } from '../core/errors.ts';
import { fromTypedArray } from '../creation.ts';
import { Tensor } from '../tensor.ts';
import { type JsonValue, MAX_DEPTH } from './json.ts';
import type { Fail } from './source.ts';

export interface Encoded {
  readonly json: unknown;
  readonly tensors: Record<string, Tensor>;
}

/** Numbers that JSON writes as null, or without their sign. */
const specialNumbers: ReadonlyMap<string, number> = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
  ['-0', -0],
]);

/** Reading a bigint takes more than linear time: a second for five million digits. */
const MAX_DIGITS = 100_000;
const isBigint = (text: string): boolean => text.length <= MAX_DIGITS && /^-?\d+$/.test(text);

const escaped = (key: string): string => (key.startsWith('$') ? `$${key}` : key);
const unescaped = (key: string): string => (key.startsWith('$$') ? key.slice(1) : key);

/**
 * `plain` may put something else in the place of an object before it is looked at.
 * @throws ArgumentError for functions, cycles, objects of classes that are not known here, and what is nested too deep
 */
export function encodeTree(value: unknown, op: string, plain: (x: object) => unknown): Encoded {
  const tensors: Record<string, Tensor> = Object.create(null);
  const open = new Set<unknown>();

  const named = (path: string, tensor: Tensor): string => {
    let name = path;
    for (let n = 2; name in tensors; n++) name = `${path}#${n}`;
    tensors[name] = tensor;
    return name;
  };
  const encode = (x: unknown, path: string, depth: number): unknown => {
    const isLeaf =
      x === null ||
      typeof x === 'boolean' ||
      typeof x === 'string' ||
      (typeof x === 'number' && Number.isFinite(x) && !Object.is(x, -0));
    // Everything else is a list or an object with something in it.
    if (depth + (isLeaf ? 0 : 1) > MAX_DEPTH) {
      throw new ArgumentError(
        `${op}: ${path} is nested too deep: ${MAX_DEPTH} lists and objects (a Map counts three times) can be loaded`,
      );
    }
    if (isLeaf) return x;
    if (typeof x === 'number') return { $number: Object.is(x, -0) ? '-0' : String(x) };
    if (x === undefined) return { $undefined: true };
    if (typeof x === 'bigint') {
      const text = String(x);
      if (isBigint(text)) return { $bigint: text };
      throw new ArgumentError(`${op}: ${path} has ${text.length} digits; ${MAX_DIGITS} can be saved`);
    }
    if (x instanceof Tensor) return { $tensor: named(path, x) };
    if (typeof x === 'object') {
      const other = plain(x);
      if (other !== x) return encode(other, path, depth);
    }
    if (ArrayBuffer.isView(x)) {
      dtypeOfTypedArray(x, `${op}: ${path}`);
      const list = x as TypedArray;
      return { $array: named(path, fromTypedArray(list, [list.length], { device: 'cpu' })) };
    }
    if (typeof x !== 'object')
      throw new ArgumentError(`${op}: ${path} is a ${typeof x}, which cannot be saved`);
    if (open.has(x)) throw new ArgumentError(`${op}: ${path} contains itself`);
    open.add(x);
    const result = encodeObject(x, path, depth);
    open.delete(x);
    return result;
  };
  const inside = (path: string, key: string | number): string => (path === '' ? `${key}` : `${path}.${key}`);
  const encodeObject = (x: object, path: string, depth: number): unknown => {
    if (Array.isArray(x)) return x.map((item, i) => encode(item, inside(path, i), depth + 1));
    if (x instanceof Map) {
      const item = (y: unknown, i: number) => encode(y, inside(path, i), depth + 3);
      return { $map: Array.from(x, ([k, v], i) => [item(k, i), item(v, i)]) };
    }
    if (x instanceof Date) return { $date: x.toISOString() };
    const prototype: unknown = Object.getPrototypeOf(x);
    if (prototype !== null && prototype !== Object.prototype) {
      throw new ArgumentError(`${op}: ${path} is a ${x.constructor.name}, which cannot be saved`);
    }
    const pairs = Object.entries(x).map(([key, item]) => [
      escaped(key),
      encode(item, inside(path, key), depth + 1),
    ]);
    return Object.fromEntries(pairs);
  };
  return { json: encode(value, '', 0), tensors };
}

/** @throws what `fail` makes of a structure that `encodeTree` does not give */
export function decodeTree(json: JsonValue, tensors: Readonly<Record<string, Tensor>>, fail: Fail): unknown {
  const bad = (what: string) => fail(`its structure is damaged: ${what}`);
  const tensorOf = (name: JsonValue): Tensor => {
    if (typeof name === 'string' && Object.hasOwn(tensors, name)) return tensors[name];
    throw bad(`there is no tensor ${JSON.stringify(name)}`);
  };
  const special = (kind: string, value: JsonValue): unknown => {
    switch (kind) {
      case '$number': {
        const number = typeof value === 'string' ? specialNumbers.get(value) : undefined;
        if (number === undefined) throw bad('a number is none');
        return number;
      }
      case '$undefined':
        return undefined;
      case '$bigint':
        if (typeof value !== 'string' || !isBigint(value)) throw bad('a bigint is none');
        return BigInt(value);
      case '$date': {
        const date = new Date(typeof value === 'string' ? value : Number.NaN);
        if (Number.isNaN(date.getTime())) throw bad('a date is none');
        return date;
      }
      case '$tensor':
        return tensorOf(value);
      case '$array':
        return tensorOf(value).data;
      case '$map':
        if (!Array.isArray(value)) throw bad('a map is none');
        return new Map(
          value.map((pair: JsonValue): [unknown, unknown] => {
            if (!Array.isArray(pair) || pair.length !== 2) throw bad('an entry of a map is no pair');
            return [decode(pair[0]), decode(pair[1])];
          }),
        );
      default:
        throw bad(`it has a value of the kind ${kind}, which this version does not know`);
    }
  };
  const decode = (x: JsonValue): unknown => {
    if (Array.isArray(x)) return x.map(decode);
    if (!(x instanceof Map)) return x;
    const kind = [...x.keys()].find((key) => key.startsWith('$') && !key.startsWith('$$'));
    if (kind !== undefined) {
      if (x.size !== 1) throw bad(`${kind} does not stand alone`);
      return special(kind, x.get(kind) ?? null);
    }
    return Object.fromEntries(Array.from(x, ([key, item]) => [unescaped(key), decode(item)]));
  };
  return decode(json);
}
