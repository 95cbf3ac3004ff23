/**
 * The element types: their sizes, their typed arrays, and PyTorch's promotion table.
 */
import { DTypeError } from './errors.ts';

export type DType = 'float32' | 'float64' | 'int64' | 'int32' | 'int16' | 'int8' | 'uint8' | 'bool';

// PyTorch's names of dtypes, which are their texts.
export const float32 = 'float32' as const;
export const float64 = 'float64' as const;
export const int64 = 'int64' as const;
export const int32 = 'int32' as const;
export const int16 = 'int16' as const;
export const int8 = 'int8' as const;
export const uint8 = 'uint8' as const;
export const bool = 'bool' as const;

/** A dtype as users may write it: PyTorch's short names are accepted too. */
export type DTypeLike = DType | 'float' | 'double' | 'long' | 'int' | 'short';

export type TypedArray =
  | Float32Array
  | Float64Array
  | BigInt64Array
  | Int32Array
  | Int16Array
  | Int8Array
  | Uint8Array;

interface DTypeInfo {
  readonly bytes: number;
  /** 0 bool, 1 integer, 2 floating: PyTorch's promotion categories. */
  readonly category: 0 | 1 | 2;
  /** What kernels are called: `add_f32`. */
  readonly suffix: string;
  readonly array: (buffer: ArrayBufferLike, byteOffset: number, length: number) => TypedArray;
  readonly allocate: (length: number) => TypedArray;
}

export const dtypeInfo: { readonly [D in DType]: DTypeInfo } = {
  float32: {
    bytes: 4,
    category: 2,
    suffix: 'f32',
    array: (b, o, n) => new Float32Array(b, o, n),
    allocate: (n) => new Float32Array(n),
  },
  float64: {
    bytes: 8,
    category: 2,
    suffix: 'f64',
    array: (b, o, n) => new Float64Array(b, o, n),
    allocate: (n) => new Float64Array(n),
  },
  int64: {
    bytes: 8,
    category: 1,
    suffix: 'i64',
    array: (b, o, n) => new BigInt64Array(b, o, n),
    allocate: (n) => new BigInt64Array(n),
  },
  int32: {
    bytes: 4,
    category: 1,
    suffix: 'i32',
    array: (b, o, n) => new Int32Array(b, o, n),
    allocate: (n) => new Int32Array(n),
  },
  int16: {
    bytes: 2,
    category: 1,
    suffix: 'i16',
    array: (b, o, n) => new Int16Array(b, o, n),
    allocate: (n) => new Int16Array(n),
  },
  int8: {
    bytes: 1,
    category: 1,
    suffix: 'i8',
    array: (b, o, n) => new Int8Array(b, o, n),
    allocate: (n) => new Int8Array(n),
  },
  uint8: {
    bytes: 1,
    category: 1,
    suffix: 'u8',
    array: (b, o, n) => new Uint8Array(b, o, n),
    allocate: (n) => new Uint8Array(n),
  },
  bool: {
    bytes: 1,
    category: 0,
    suffix: 'bool',
    array: (b, o, n) => new Uint8Array(b, o, n),
    allocate: (n) => new Uint8Array(n),
  },
};

const aliases: { readonly [A in DTypeLike]: DType } = {
  float32: 'float32',
  float: 'float32',
  float64: 'float64',
  double: 'float64',
  int64: 'int64',
  long: 'int64',
  int32: 'int32',
  int: 'int32',
  int16: 'int16',
  short: 'int16',
  int8: 'int8',
  uint8: 'uint8',
  bool: 'bool',
};

/** The dtype that a name means. @throws DTypeError for a name that is none */
export function resolveDType(name: DTypeLike, op: string): DType {
  if (typeof name === 'string' && Object.hasOwn(aliases, name)) return aliases[name];
  throw new DTypeError(
    `${op}: dtype must be one of ${Object.keys(dtypeInfo).join(', ')}, but got ${String(name)}`,
  );
}

export const isFloating = (dtype: DType): boolean => dtypeInfo[dtype].category === 2;
export const isInteger = (dtype: DType): boolean => dtypeInfo[dtype].category === 1;

/** The dtype of a typed array (Uint8ClampedArray counts as uint8). @throws DTypeError for an unsupported one */
export function dtypeOfTypedArray(data: ArrayBufferView, op: string): DType {
  if (data instanceof Float32Array) return 'float32';
  if (data instanceof Float64Array) return 'float64';
  if (data instanceof BigInt64Array) return 'int64';
  if (data instanceof Int32Array) return 'int32';
  if (data instanceof Int16Array) return 'int16';
  if (data instanceof Int8Array) return 'int8';
  if (data instanceof Uint8Array || data instanceof Uint8ClampedArray) return 'uint8';
  throw new DTypeError(
    `${op}: data must be a Float32Array, Float64Array, BigInt64Array, Int32Array, Int16Array, Int8Array or ` +
      `Uint8Array, but got ${data.constructor.name}`,
  );
}

const integerOrder: readonly DType[] = ['int8', 'int16', 'int32', 'int64'];

/**
 * The common dtype of two tensors of the same standing (both with dimensions, or both without).
 * PyTorch's table: the higher category wins; within integers the wider one, and uint8 with a signed type gives the
 * next wider signed type.
 */
export function promote(a: DType, b: DType): DType {
  if (a === b) return a;
  const ca = dtypeInfo[a].category;
  const cb = dtypeInfo[b].category;
  if (ca !== cb) return ca > cb ? a : b;
  if (ca === 2) return 'float64';
  if (a === 'uint8') return b === 'int8' ? 'int16' : b;
  if (b === 'uint8') return a === 'int8' ? 'int16' : a;
  return integerOrder[Math.max(integerOrder.indexOf(a), integerOrder.indexOf(b))];
}

/** How strongly an operand speaks in promotion: a tensor with dimensions, one without, or a JavaScript number. */
export type Standing = 'tensor' | 'scalar' | 'number';

/**
 * The common dtype of operands as `torch.result_type` gives it: an operand of lower standing changes the result only
 * if its category is higher, and then with the default dtype of that category when it is a plain number.
 */
export function resultType(operands: readonly { dtype: DType; standing: Standing }[]): DType {
  let tensor: DType | null = null;
  let scalar: DType | null = null;
  let wrapped: DType | null = null;
  for (const { dtype, standing } of operands) {
    if (standing === 'tensor') tensor = tensor === null ? dtype : promote(tensor, dtype);
    else if (standing === 'scalar') scalar = scalar === null ? dtype : promote(scalar, dtype);
    else wrapped = wrapped === null ? dtype : promote(wrapped, dtype);
  }
  const stronger = (high: DType | null, low: DType | null): DType | null => {
    if (high === null) return low;
    if (low === null) return high;
    return dtypeInfo[low].category > dtypeInfo[high].category ? low : high;
  };
  return stronger(stronger(tensor, scalar), wrapped) ?? 'float32';
}

/** The dtype in which a floating result of these elements is given (`true` division, `sin`, `mean` of ints). */
export const toFloating = (dtype: DType): DType => (isFloating(dtype) ? dtype : 'float32');

/** PyTorch's name of a tensor type, as its error messages use it. */
export function torchTypeName(dtype: DType): string {
  const names: { readonly [D in DType]: string } = {
    float32: 'Float',
    float64: 'Double',
    int64: 'Long',
    int32: 'Int',
    int16: 'Short',
    int8: 'Char',
    uint8: 'Byte',
    bool: 'Bool',
  };
  return names[dtype];
}
