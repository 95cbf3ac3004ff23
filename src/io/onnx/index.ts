/** Export of modules as ONNX models (opset 17). */
import { noGrad } from '../../autograd/gradMode.ts';
import { getDefaultDevice, registerBackend, setDefaultDevice } from '../../backend/registry.ts';
import type { TypedArray } from '../../core/dtype.ts';
import { ArgumentError, DeviceError } from '../../core/errors.ts';
import type { Module } from '../../nn/module.ts';
import { Tensor } from '../../tensor.ts';
import { type Target, writeTo } from '../target.ts';
import { freshNames, refused } from './builder.ts';
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
  readonly batch: number;
  readonly nodes: readonly Node[];
  readonly initializers: readonly Initializer[];
  readonly outputs: readonly { name: string; tensor: Tensor }[];
}

const namesFor = (given: readonly string[] | undefined, count: number, word: string): string[] =>
  Array.from({ length: count }, (_, i) => given?.[i] ?? (count === 1 ? word : `${word}_${i}`));

/** Tensors that a module holds in properties or lists, registered or not. */
const constantsOf = (module: Module): Tensor[] =>
  Object.values(module)
    .flatMap((value: unknown) => (Array.isArray(value) ? value.flat() : [value]))
    .filter((value): value is Tensor => value instanceof Tensor);

/** @throws ArgumentError if forward mixes its inputs with tensors that nobody could move to the device */
function called(model: Module, inputs: readonly Tensor[], device: string): unknown {
  try {
    return model.call(...inputs);
  } catch (error) {
    if (!(error instanceof DeviceError && error.message.includes(` ${device} `))) throw error;
    throw refused(
      `forward uses a tensor that belongs to no module; hold it in a property or a buffer (${error.message})`,
    );
  }
}

/** What `forward` does with these inputs, on a device that writes it down; the module is as before afterwards. */
function trace(
  model: Module,
  inputs: readonly Tensor[],
  names: readonly string[],
  taken: ReadonlySet<string>,
): Traced {
  const backend = new TraceBackend(taken);
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
    for (const tensor of model.modules().flatMap(constantsOf)) {
      if (seen.has(tensor)) continue;
      seen.add(tensor);
      moved.push([tensor, tensor.array]);
      tensor.setArray(backend.upload(tensor.data, tensor.shape, tensor.dtype));
    }
    const given = inputs.map((x, i) => {
      const array = backend.upload(x.data, x.shape, x.dtype);
      backend.name(array, names[i], null);
      return new Tensor(array);
    });
    setDefaultDevice(backend.device);
    const result = noGrad(() => called(model, given, backend.device));
    const list = Array.isArray(result) ? result.flat() : [result];
    if (!list.every((x): x is Tensor => x instanceof Tensor && x.device === backend.device))
      throw refused('forward must return a tensor, or a list of tensors, that depends on the inputs');
    const outputs = list.map((tensor) => ({ name: backend.result(tensor.array), tensor }));
    const batch = inputs[0].shape[0] ?? 1;
    return { batch, nodes: backend.nodes, initializers: backend.initializers, outputs };
  } finally {
    setDefaultDevice(device);
    for (const [tensor, array] of moved) tensor.setArray(array);
    for (const [module, training] of modes) module.training = training;
  }
}

/** The same input with the last sample repeated, up to another batch size. */
function repeated(x: Tensor, batch: number): Tensor {
  const last = x.shape[0] - 1;
  const list = BigInt64Array.from({ length: batch }, (_, i) => BigInt(Math.min(i, last)));
  return x.detach().index(new Tensor(x.array.backend.upload(list, [batch], 'int64')));
}

function sameNumbers(a: TypedArray, b: TypedArray): boolean {
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return false;
  return a.length === b.length;
}

/** Writes the graph of one trace, with what differs in the others as functions of the batch size. */
class Writer {
  readonly nodes: WrittenNode[] = [];
  readonly initializers: Initializer[];
  readonly #input: string;
  readonly #first: Traced;
  readonly #others: readonly Traced[];
  readonly #constants = new Map<string, string>();
  readonly #sizes = new Map<string, string>();
  readonly #constantName: () => string;
  readonly #sizeName: () => string;

  /** `others` have other batch sizes: the first of them one sample more than `first`, which gives the slopes. */
  constructor(first: Traced, others: readonly Traced[], input: string, taken: ReadonlySet<string>) {
    this.initializers = [...first.initializers];
    this.#input = input;
    this.#first = first;
    this.#others = others;
    this.#constantName = freshNames('c', taken);
    this.#sizeName = freshNames('s', taken);
  }

  #constant(dtype: Initializer['dtype'], shape: readonly number[], data: TypedArray): string {
    const key = `${dtype}[${shape.join()}]${data.join()}`;
    let name = this.#constants.get(key);
    if (name === undefined) {
      name = this.#constantName();
      this.#constants.set(key, name);
      this.initializers.push({ name, dtype, shape, data });
    }
    return name;
  }
  #list(values: readonly number[]): string {
    return this.#constant('int64', [values.length], BigInt64Array.from(values, BigInt));
  }
  #emit(op: string, inputs: readonly string[], attributes: WrittenNode['attributes'] = {}): string {
    const output = this.#sizeName();
    this.nodes.push({ op, inputs, output, attributes });
    return output;
  }

  /** A size [1] that is `size` in the first trace and `others` in the others. */
  #size(size: number, others: readonly number[]): string {
    const slope = others[0] - size;
    const offset = size - slope * this.#first.batch;
    if (others.some((other, i) => other !== slope * this.#others[i].batch + offset))
      throw refused('a size depends on the batch in a way that is not linear; pass dynamicBatch: false');
    if (slope === 0) return this.#list([size]);
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

  #node(node: Node, at: number): void {
    const others = this.#others.map((other) => other.nodes[at]);
    const attributes = JSON.stringify(node.attributes);
    for (const other of others) {
      if (
        other.op !== node.op ||
        other.inputs.length !== node.inputs.length ||
        JSON.stringify(other.attributes) !== attributes
      )
        throw somethingElse();
    }
    const inputs = node.inputs.map((input, i) =>
      this.#inputOf(
        input,
        others.map((other) => other.inputs[i]),
      ),
    );
    this.nodes.push({ op: node.op, inputs, output: node.output, attributes: node.attributes });
  }

  #inputOf(input: NodeInput, others: readonly NodeInput[]): string {
    if (typeof input === 'string') {
      if (others.some((other) => other !== input)) throw somethingElse();
      return input;
    }
    if ('constant' in input) {
      for (const other of others) {
        if (
          typeof other === 'string' ||
          !('constant' in other) ||
          !sameNumbers(input.constant, other.constant)
        )
          throw refused('a number depends on the batch size; pass dynamicBatch: false');
      }
      return this.#constant(input.dtype, input.shape, input.constant);
    }
    const lists = others.map((other) => {
      if (typeof other === 'string' || !('sizes' in other) || other.sizes.length !== input.sizes.length)
        throw somethingElse();
      return other.sizes;
    });
    if (lists.every((list) => list.every((size, i) => size === input.sizes[i])))
      return this.#list(input.sizes);
    return this.#emit(
      'Concat',
      input.sizes.map((size, i) =>
        this.#size(
          size,
          lists.map((list) => list[i]),
        ),
      ),
      { axis: 0 },
    );
  }

  /** @throws ArgumentError where the traces differ in more than sizes that follow the batch's */
  write(): void {
    const { nodes, initializers, outputs } = this.#first;
    for (const other of this.#others) {
      if (
        other.nodes.length !== nodes.length ||
        other.initializers.length !== initializers.length ||
        other.outputs.length !== outputs.length
      )
        throw somethingElse();
      initializers.forEach(({ data }, i) => {
        if (!sameNumbers(data, other.initializers[i].data))
          throw refused('forward makes another tensor for another batch size; pass dynamicBatch: false');
      });
    }
    nodes.forEach((node, at) => {
      this.#node(node, at);
    });
  }
}

const somethingElse = (): ArgumentError =>
  refused('forward does something else for another batch size; pass dynamicBatch: false');

/**
 * The model as an ONNX file (opset 17), in evaluation mode. `forward` is run on examples of its inputs, on a device that
 * writes down every kernel, so any code in it exports, as long as its course does not depend on the values. Tensors that modules hold, registered
 * or not, become constants.
 * @throws ArgumentError for an operation that ONNX has no counterpart of here, or a tensor from outside the modules
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
  const weights = [...model.namedParameters(), ...model.namedBuffers()].map(([name]) => name);
  const taken = new Set([...weights, ...names, ...(options.outputNames ?? [])]);
  const traced = (batch: number): Traced =>
    trace(
      model,
      examples.map((x) => repeated(x, batch)),
      names,
      taken,
    );
  // A batch of one has views that others have not. One sample more gives how sizes grow; twice as many and one tell
  // growth from steps, as those of n >> 1.
  const batch = examples[0].shape[0] ?? 1;
  const first = dynamicBatch && batch === 1 ? traced(2) : trace(model, examples, names, taken);
  const others = dynamicBatch ? [traced(first.batch + 1), traced(2 * first.batch + 1)] : [];
  const writer = new Writer(first, others, names[0], taken);
  writer.write();
  const outputNames = namesFor(options.outputNames, first.outputs.length, 'output');
  const all = [...weights, ...names, ...outputNames];
  const twice = all.find((name, i) => all.indexOf(name) !== i);
  if (twice !== undefined) {
    throw new ArgumentError(
      `toOnnx: two values have the name '${twice}' (weights, inputs and outputs); pass inputNames or outputNames`,
    );
  }
  const outputs = first.outputs.map(({ name, tensor }, i): Port => {
    writer.nodes.push({ op: 'Identity', inputs: [name], output: outputNames[i], attributes: {} });
    const other = others[0]?.outputs[i].tensor.shape ?? tensor.shape;
    const shape = tensor.shape.map((size, d) =>
      size === other[d] ? size : size === first.batch && other[d] === size + 1 ? 'batch' : `size_${i}_${d}`,
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
