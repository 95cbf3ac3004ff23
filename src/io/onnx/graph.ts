/** A graph in ONNX's terms while it is built, and as a file (https://onnx.ai/onnx/repo-docs/IR.html). */
import type { DType, TypedArray } from '../../core/dtype.ts';
import type { Shape } from '../../core/shape.ts';
import { bytes, type Field, float, int, joined, message } from './protobuf.ts';

/** A list of sizes or positions that may depend on the batch: constant, or an input of the node. */
export interface Sizes {
  readonly sizes: readonly number[];
}

export type Attribute = number | string | readonly number[] | { readonly real: number };
/** The name of a value, or numbers that become one. */
export type NodeInput =
  | string
  | Sizes
  | { readonly constant: TypedArray; readonly dtype: DType; readonly shape: Shape };

export interface Node {
  readonly op: string;
  readonly inputs: readonly NodeInput[];
  readonly output: string;
  readonly attributes: Readonly<Record<string, Attribute>>;
}

export interface Initializer {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
  readonly data: TypedArray;
}

export interface Port {
  readonly name: string;
  readonly dtype: DType;
  /** A text is a size that varies. */
  readonly shape: readonly (number | string)[];
}

export const onnxTypes: { readonly [D in DType]: number } = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float64: 11,
};

const IR_VERSION = 8;
const OPSET = 17;

function attribute(name: string, value: Attribute): Field {
  const named = bytes(1, name);
  if (typeof value === 'number') return message(5, [named, int(3, value), int(20, 2)]);
  if (typeof value === 'string') return message(5, [named, bytes(4, value), int(20, 3)]);
  if ('real' in value) return message(5, [named, float(2, value.real), int(20, 1)]);
  return message(5, [named, ...value.map((x) => int(8, x)), int(20, 7)]);
}

export interface WrittenNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes: Readonly<Record<string, Attribute>>;
}

const nodeField = ({ op, inputs, output, attributes }: WrittenNode): Field =>
  message(1, [
    ...inputs.map((name) => bytes(1, name)),
    bytes(2, output),
    bytes(3, `${op}_${output}`),
    bytes(4, op),
    ...Object.entries(attributes).map(([name, value]) => attribute(name, value)),
  ]);

const tensorField = (number: number, { name, dtype, shape, data }: Initializer): Field =>
  message(number, [
    ...shape.map((size) => int(1, size)),
    int(2, onnxTypes[dtype]),
    bytes(8, name),
    bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  ]);

const portField = (number: number, { name, dtype, shape }: Port): Field => {
  const dims = shape.map((size) => message(1, [typeof size === 'number' ? int(1, size) : bytes(2, size)]));
  return message(number, [
    bytes(1, name),
    message(2, [message(1, [int(1, onnxTypes[dtype]), message(2, dims)])]),
  ]);
};

/** The model file. */
export function modelBytes(
  name: string,
  nodes: readonly WrittenNode[],
  initializers: readonly Initializer[],
  inputs: readonly Port[],
  outputs: readonly Port[],
): Uint8Array<ArrayBuffer> {
  const graph = [
    ...nodes.map(nodeField),
    bytes(2, name),
    ...initializers.map((one) => tensorField(5, one)),
    ...inputs.map((one) => portField(11, one)),
    ...outputs.map((one) => portField(12, one)),
  ];
  return joined([
    int(1, IR_VERSION),
    bytes(2, 'wasmgrad'),
    message(7, graph),
    message(8, [bytes(1, ''), int(2, OPSET)]),
  ]);
}
