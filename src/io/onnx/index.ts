/** Export of modules as ONNX models (opset 17). */
import { noGrad } from '../../autograd/gradMode.ts';
import { getDefaultDevice, registerBackend, setDefaultDevice } from '../../backend/registry.ts';
import type { TypedArray } from '../../core/dtype.ts';
import { ArgumentError } from '../../core/errors.ts';
import type { Module } from '../../nn/module.ts';
import { Tensor } from '../../tensor.ts';
import { type Target, writeTo } from '../target.ts';
import { refused } from './builder.ts';
import {
  type Initializer,
  modelBytes,
  type Node,
  type NodeInput,
  type Port,
  type WrittenNode,
} from './graph.ts';
import { TraceBackend } from './trace.ts';

export interface OnnxOptions {
  /** Names of the inputs. Default: input, or input_0, input_1, … */
  inputNames?: readonly string[];
  /** Names of the outputs. Default: output, or output_0, … */
  outputNames?: readonly string[];
  /** Let the first dimension of all inputs vary, as one size for all of them. Default true. */
  dynamicBatch?: boolean;
}

interface Traced {
  readonly nodes: readonly Node[];
  readonly initializers: readonly Initializer[];
  readonly outputs: readonly { name: string; tensor: Tensor }[];
}

const namesFor = (given: readonly string[] | undefined, count: number, word: string): string[] =>
  Array.from({ length: count }, (_, i) => given?.[i] ?? (count === 1 ? word : `${word}_${i}`));

/** What `forward` does with these inputs, on a device that writes it down; the module is as before afterwards. */
function trace(model: Module, inputs: readonly Tensor[], names: readonly string[]): Traced {
  const backend = new TraceBackend();
  registerBackend(backend);
  const moved: [Tensor, Tensor['array']][] = [];
  const device = getDefaultDevice();
  const modes = model.modules().map((module): [Module, boolean] => [module, module.training]);
  const seen = new Set<Tensor>();
  try {
    model.eval();
    for (const [name, tensor] of [...model.namedParameters(), ...model.namedBuffers()]) {
      if (seen.has(tensor)) continue;
      seen.add(tensor);
      const { data } = tensor;
      const array = backend.upload(data, tensor.shape, tensor.dtype);
      backend.name(array, name, data);
      moved.push([tensor, tensor.array]);
      tensor.setArray(array);
    }
    const given = inputs.map((x, i) => {
      const array = backend.upload(x.data, x.shape, x.dtype);
      backend.name(array, names[i], null);
      return new Tensor(array);
    });
    setDefaultDevice(backend.device);
    const result = noGrad(() => model.call(...given));
    const list = Array.isArray(result) ? result.flat() : [result];
    if (!list.every((x): x is Tensor => x instanceof Tensor && x.device === backend.device))
      throw refused('forward must return a tensor, or a list of tensors, that depends on the inputs');
    const outputs = list.map((tensor) => ({ name: backend.result(tensor.array), tensor }));
    return { nodes: backend.nodes, initializers: backend.initializers, outputs };
  } finally {
    setDefaultDevice(device);
    for (const [tensor, array] of moved) tensor.setArray(array);
    for (const [module, training] of modes) module.training = training;
  }
}

/** The same inputs with one more sample. */
const larger = (x: Tensor): Tensor => x.detach().index(indicesOf(x));
function indicesOf(x: Tensor): Tensor {
  const list = BigInt64Array.from({ length: x.shape[0] + 1 }, (_, i) => BigInt(Math.max(0, i - 1)));
  const backend = x.array.backend;
  return new Tensor(backend.upload(list, [list.length], 'int64'));
}

/** Writes the graph of one trace, with what differs in a second one as functions of the batch size. */
class Writer {
  readonly nodes: WrittenNode[] = [];
  readonly initializers: Initializer[];
  readonly #input: string;
  readonly #batches: readonly [number, number];
  readonly #constants = new Map<string, string>();
  readonly #sizes = new Map<string, string>();
  #count = 0;

  constructor(first: Traced, input: string, batches: readonly [number, number]) {
    this.initializers = [...first.initializers];
    this.#input = input;
    this.#batches = batches;
  }

  #constant(dtype: Initializer['dtype'], shape: readonly number[], data: TypedArray): string {
    const key = `${dtype}[${shape.join()}]${data.join()}`;
    let name = this.#constants.get(key);
    if (name === undefined) {
      name = `c${this.#constants.size}`;
      this.#constants.set(key, name);
      this.initializers.push({ name, dtype, shape, data });
    }
    return name;
  }
  #list(values: readonly number[]): string {
    return this.#constant('int64', [values.length], BigInt64Array.from(values, BigInt));
  }
  #emit(op: string, inputs: readonly string[], attributes: WrittenNode['attributes'] = {}): string {
    const output = `s${this.#count++}`;
    this.nodes.push({ op, inputs, output, attributes });
    return output;
  }

  /** A size [1] that is a at the first batch size and b at the second. */
  #size(a: number, b: number): string {
    if (a === b) return this.#list([a]);
    const [one, two] = this.#batches;
    const slope = (b - a) / (two - one);
    const offset = a - slope * one;
    if (!Number.isInteger(slope)) throw refused('a size depends on the batch in a way that is not linear');
    const key = `${slope}/${offset}`;
    let name = this.#sizes.get(key);
    if (name === undefined) {
      const shape = this.#emit('Shape', [this.#input]);
      name = this.#emit('Slice', [shape, this.#list([0]), this.#list([1]), this.#list([0])]);
      if (slope !== 1) name = this.#emit('Mul', [name, this.#list([slope])]);
      if (offset !== 0) name = this.#emit('Add', [name, this.#list([offset])]);
      this.#sizes.set(key, name);
    }
    return name;
  }

  input(a: NodeInput, b: NodeInput): string {
    if (typeof a === 'string') return a;
    if ('constant' in a) {
      if (typeof b === 'string' || !('constant' in b) || a.constant.join() !== b.constant.join())
        throw refused('a number depends on the batch size; pass dynamicBatch: false');
      return this.#constant(a.dtype, a.shape, a.constant);
    }
    const other = typeof b === 'object' && 'sizes' in b ? b.sizes : [];
    if (other.every((size, i) => size === a.sizes[i])) return this.#list(a.sizes);
    return this.#emit(
      'Concat',
      a.sizes.map((size, i) => this.#size(size, other[i])),
      { axis: 0 },
    );
  }

  node(a: Node, b: Node): void {
    if (
      a.op !== b.op ||
      a.inputs.length !== b.inputs.length ||
      JSON.stringify(a.attributes) !== JSON.stringify(b.attributes)
    )
      throw refused('forward does something else for another batch size; pass dynamicBatch: false');
    const inputs = a.inputs.map((input, i) => this.input(input, b.inputs[i]));
    this.nodes.push({ op: a.op, inputs, output: a.output, attributes: a.attributes });
  }
}

/**
 * The model as an ONNX file (opset 17), in evaluation mode. `forward` is run on examples of its inputs, on a device that
 * writes down every kernel, so any code in it exports, as long as its course does not depend on the values.
 * @throws ArgumentError for an operation that ONNX has no counterpart of here
 */
export function toOnnx(
  model: Module,
  inputs: Tensor | readonly Tensor[],
  options: OnnxOptions = {},
): Uint8Array<ArrayBuffer> {
  const examples = inputs instanceof Tensor ? [inputs] : [...inputs];
  if (examples.length === 0 || !examples.every((x) => x instanceof Tensor))
    throw new ArgumentError('toOnnx: expected an example of each input, a tensor or a list of tensors');
  const { dynamicBatch = true } = options;
  if (dynamicBatch && examples.some((x) => x.ndim === 0 || x.shape[0] !== examples[0].shape[0])) {
    throw new ArgumentError(
      'toOnnx: the inputs have no batch in common (their first sizes differ); pass dynamicBatch: false',
    );
  }
  const names = namesFor(options.inputNames, examples.length, 'input');
  const first = trace(model, examples, names);
  const second = dynamicBatch ? trace(model, examples.map(larger), names) : first;
  const batch = examples[0].shape[0] ?? 1;
  const writer = new Writer(first, names[0], [batch, batch + 1]);
  if (first.nodes.length !== second.nodes.length)
    throw refused('forward does something else for another batch size; pass dynamicBatch: false');
  first.nodes.forEach((node, i) => {
    writer.node(node, second.nodes[i]);
  });
  const outputNames = namesFor(options.outputNames, first.outputs.length, 'output');
  const outputs = first.outputs.map(({ name, tensor }, i): Port => {
    writer.nodes.push({ op: 'Identity', inputs: [name], output: outputNames[i], attributes: {} });
    const other = second.outputs[i].tensor.shape;
    const shape = tensor.shape.map((size, d) =>
      size === other[d] ? size : size === batch ? 'batch' : `size_${i}_${d}`,
    );
    return { name: outputNames[i], dtype: tensor.dtype, shape };
  });
  const ports = examples.map(
    (x, i): Port => ({
      name: names[i],
      dtype: x.dtype,
      shape: x.shape.map((size, d) => (d === 0 && dynamicBatch ? 'batch' : size)),
    }),
  );
  return modelBytes(model.constructor.name, writer.nodes, writer.initializers, ports, outputs);
}

/** `toOnnx` into a file. @throws ArgumentError, DataError */
export async function exportOnnx(
  model: Module,
  inputs: Tensor | readonly Tensor[],
  target: Target,
  options: OnnxOptions = {},
): Promise<void> {
  const bytes = toOnnx(model, inputs, options);
  await writeTo(target, 'exportOnnx', () => [bytes]);
}
