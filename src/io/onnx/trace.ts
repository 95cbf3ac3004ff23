/**
 * A device that computes as the reference does and writes down what it did, in ONNX's terms. Every kernel that `forward`
 * uses passes here with all its options, whatever op or method it came from; what is only another reading of the same
 * memory (reshape, transpose, slice, expand) is worked out from the strides when a kernel reads it.
 */
import type { NDArray, Storage } from '../../backend/array.ts';
import type {
  BinarySpec,
  GemmOptions,
  Operand,
  PixelScaling,
  ReduceSpec,
  TernarySpec,
  UnarySpec,
} from '../../backend/backend.ts';
import { ReferenceBackend } from '../../backend/reference/index.ts';
import type { Sliding, Standardized, Windows } from '../../backend/windows.ts';
import { type DType, dtypeInfo, isFloating, type TypedArray } from '../../core/dtype.ts';
import { ArgumentError } from '../../core/errors.ts';
import { numElements, type Shape, sameShape } from '../../core/shape.ts';
import { type Attribute, type Initializer, type Node, type NodeInput, onnxTypes } from './graph.ts';
import { binaryOps, reduceOps, unaryOps } from './opNames.ts';
import { poolingOf } from './poolings.ts';

/** What a storage holds as a value of the graph. */
interface Value {
  readonly name: string;
  /** The array that it was made as. */
  readonly array: NDArray;
  /** Does not depend on the inputs. */
  readonly constant: boolean;
}

export const refused = (what: string): ArgumentError => new ArgumentError(`exportOnnx: ${what}`);

export class TraceBackend extends ReferenceBackend {
  override readonly device: string = 'onnx';
  readonly nodes: Node[] = [];
  readonly initializers: Initializer[] = [];
  readonly #values = new Map<Storage, Value>();
  /** Parts that were written into new memory, to be joined when it is read. */
  readonly #parts = new Map<Storage, { whole: NDArray; parts: { view: NDArray; name: string }[] }>();
  #count = 0;
  /** Kernels use each other; only the outer one counts. */
  #inside = 0;

  #fresh(): string {
    this.#count++;
    return `t${this.#count}`;
  }

  /** Makes an array a value of the graph that something outside gives: an input or a weight. */
  name(array: NDArray, name: string, weight: TypedArray | null): void {
    this.#values.set(array.storage, { name, array, constant: weight !== null });
    if (weight) this.initializers.push({ name, dtype: array.dtype, shape: array.shape, data: weight });
  }

  #emit(
    op: string,
    inputs: readonly NodeInput[],
    attributes: Readonly<Record<string, Attribute>> = {},
  ): string {
    const output = this.#fresh();
    this.nodes.push({ op, inputs, output, attributes });
    return output;
  }

  /** Runs a kernel, and says what it is in the graph. */
  #record<R extends NDArray>(compute: () => R, describe: () => string): R {
    if (this.#inside > 0) return compute();
    const name = describe();
    this.#inside++;
    try {
      const out = compute();
      this.#values.set(out.storage, { name, array: out, constant: false });
      return out;
    } finally {
      this.#inside--;
    }
  }
  #unknown(what: string): never {
    throw refused(`${what} has no counterpart in the graph`);
  }

  // Reading operands

  /** The name of an operand as it is read here. */
  #in(x: NDArray): string {
    const parts = this.#parts.get(x.storage);
    if (parts) this.#join(x.storage, parts);
    const value = this.#values.get(x.storage);
    if (!value) return this.#embed(x);
    return this.#view(value, x);
  }

  #operand(x: Operand, dtype: DType): NodeInput {
    if (typeof x !== 'number') return this.#in(x);
    return { constant: listOf([x], dtype), dtype, shape: [] };
  }

  /** Memory that no kernel made: data of the program, kept in the file. */
  #embed(x: NDArray): string {
    const name = this.#fresh();
    this.#inside++;
    const data = super.read(x);
    this.#inside--;
    this.initializers.push({ name, dtype: x.dtype, shape: x.shape, data });
    return name;
  }

  /** A reading of a value with other strides, in steps: reshape, slice, transpose, expand. */
  #view({ name, array }: Value, x: NDArray): string {
    if (x.shape === array.shape && x.strides === array.strides && x.offset === array.offset) return name;
    const total = numElements(array.shape);
    let at = name;
    if (!array.contiguous) {
      // The memory's own order of dimensions first.
      const order = array.shape.map((_, d) => d).sort((a, b) => array.strides[b] - array.strides[a] || a - b);
      if (!array.dense) this.#unknown('a value with gaps in memory');
      at = this.#emit('Transpose', [at], { perm: order });
    }
    if (x.contiguous && x.size === total && x.offset === 0) {
      if (array.contiguous && sameShape(x.shape, array.shape)) return at;
      return this.#emit('Reshape', [at, { sizes: x.shape }]);
    }
    const kept = x.shape.map((_, d) => d).filter((d) => x.shape[d] !== 1 && x.strides[d] !== 0);
    const order = [...kept].sort((a, b) => x.strides[b] - x.strides[a]);
    const steps = order.map((d) => x.strides[d]);
    const bounds = [total, ...steps].map((step, i) => step / (steps[i] ?? 1));
    if (bounds.some((bound) => !Number.isInteger(bound))) this.#unknown('a view with overlapping windows');
    at = this.#emit('Reshape', [at, { sizes: bounds }]);
    let rest = x.offset;
    const starts = [...steps, 1].map((step) => {
      const start = Math.floor(rest / step);
      rest -= start * step;
      return start;
    });
    const ends = starts.map((start, i) => start + (i < order.length ? x.shape[order[i]] : 1));
    ends.forEach((end, i) => {
      if (end > bounds[i]) this.#unknown('a view across rows');
      if (starts[i] === 0 && end === bounds[i]) return;
      at = this.#emit('Slice', [at, { sizes: [starts[i]] }, { sizes: [end] }, { sizes: [i] }]);
    });
    const perm = kept.map((d) => order.indexOf(d));
    if (perm.some((p, i) => p !== i)) at = this.#emit('Transpose', [at], { perm: [...perm, order.length] });
    const dense = x.shape.map((size, d) => (x.strides[d] === 0 ? 1 : size));
    at = this.#emit('Reshape', [at, { sizes: dense }]);
    return sameShape(dense, x.shape) ? at : this.#emit('Expand', [at, { sizes: x.shape }]);
  }

  // Memory

  override empty(shape: Shape, dtype: DType, strides?: readonly number[]): NDArray {
    const out = super.empty(shape, dtype, strides);
    if (this.#inside === 0) this.#parts.set(out.storage, { whole: out, parts: [] });
    return out;
  }
  override upload(data: TypedArray, shape: Shape, dtype: DType): NDArray {
    this.#inside++;
    const out = super.upload(data, shape, dtype);
    this.#inside--;
    return out;
  }
  override fill(out: NDArray, value: number | bigint): void {
    if (this.#inside > 0) {
      super.fill(out, value);
      return;
    }
    if (out.size !== numElements(this.#wholeOf(out).shape)) this.#unknown('filling a part of a tensor');
    const scalar = { constant: listOf([Number(value)], out.dtype), dtype: out.dtype, shape: [] };
    this.#replace(out, this.#emit('Expand', [scalar, { sizes: out.shape }]));
    this.#inside++;
    super.fill(out, value);
    this.#inside--;
  }
  #wholeOf(x: NDArray): NDArray {
    return this.#parts.get(x.storage)?.whole ?? this.#values.get(x.storage)?.array ?? x;
  }
  #replace(out: NDArray, name: string): void {
    this.#parts.delete(out.storage);
    this.#values.set(out.storage, { name, array: out, constant: false });
  }
  override assign(out: NDArray, x: NDArray): void {
    if (this.#inside > 0) {
      super.assign(out, x);
      return;
    }
    let name = this.#in(x);
    if (x.dtype !== out.dtype) name = this.#emit('Cast', [name], { to: onnxTypes[out.dtype] });
    if (!sameShape(x.shape, out.shape)) name = this.#emit('Expand', [name, { sizes: out.shape }]);
    const open = this.#parts.get(out.storage);
    if (out.size === numElements(this.#wholeOf(out).shape)) this.#replace(out, name);
    else if (open) open.parts.push({ view: out, name });
    else this.#pad(out, name);
    this.#inside++;
    super.assign(out, x);
    this.#inside--;
  }
  /** A part written into memory that was filled with one number: padding. */
  #pad(out: NDArray, name: string): void {
    const value = this.#values.get(out.storage);
    const made = this.nodes.find((node) => node.output === value?.name);
    const [scalar] = made?.inputs ?? [];
    if (
      !value ||
      made?.op !== 'Expand' ||
      typeof scalar !== 'object' ||
      !('constant' in scalar) ||
      !value.array.contiguous
    )
      this.#unknown('changing a part of a tensor in place');
    const whole = (value as Value).array;
    let rest = out.offset;
    const before = whole.strides.map((step, d) => {
      const start = whole.shape[d] === 1 ? 0 : Math.floor(rest / step);
      rest -= start * step;
      return start;
    });
    if (
      out.shape.length !== whole.shape.length ||
      out.strides.some((step, d) => out.shape[d] > 1 && step !== whole.strides[d])
    )
      this.#unknown('changing a part of a tensor in place');
    const after = whole.shape.map((size, d) => size - before[d] - out.shape[d]);
    this.nodes.splice(this.nodes.indexOf(made as Node), 1);
    const padded = this.#emit('Pad', [name, { sizes: [...before, ...after] }, scalar as NodeInput], {
      mode: 'constant',
    });
    this.#values.set(out.storage, { name: padded, array: whole, constant: false });
  }
  /** Parts beside each other along one dimension. */
  #join(
    storage: Storage,
    { whole, parts }: { whole: NDArray; parts: { view: NDArray; name: string }[] },
  ): void {
    this.#parts.delete(storage);
    if (parts.length === 0) return;
    const d = whole.shape.findIndex((size, i) => parts[0].view.shape[i] !== size);
    const sorted = [...parts].sort((a, b) => a.view.offset - b.view.offset);
    let at = 0;
    for (const { view } of sorted) {
      const fits = view.shape.every((size, i) => i === d || size === whole.shape[i]);
      if (!fits || view.offset !== at * whole.strides[d])
        this.#unknown('a tensor put together of parts like these');
      at += view.shape[d];
    }
    if (at !== whole.shape[d]) this.#unknown('a tensor of which a part was never written');
    const name = this.#emit(
      'Concat',
      sorted.map((part) => part.name),
      { axis: d },
    );
    this.#values.set(storage, { name, array: whole, constant: false });
  }
  override read(x: NDArray): TypedArray {
    if (this.#inside > 0) return super.read(x);
    throw refused(
      'forward reads the values of a tensor (item, data, toArray); a graph cannot depend on them',
    );
  }
  override findBadIndex(index: NDArray, size: number): number {
    this.#inside++;
    const found = super.findBadIndex(index, size);
    this.#inside--;
    return found;
  }

  // Kernels

  #into(out: NDArray | undefined, result: NDArray): NDArray {
    if (!out) return result;
    const value = this.#values.get(result.storage);
    if (value) this.#values.set(out.storage, { ...value, array: out });
    this.#parts.delete(out.storage);
    return out;
  }
  override unary(spec: UnarySpec, x: NDArray, p = 0, q = 0, out?: NDArray): NDArray {
    const describe = () => {
      const rule = unaryOps[spec.name] ?? this.#unknown(spec.name);
      return rule((op, inputs, attributes) => this.#emit(op, inputs, attributes), this.#in(x), x.dtype, p, q);
    };
    return this.#into(
      out,
      this.#record(() => super.unary(spec, x, p, q, out), describe),
    );
  }
  override binary(spec: BinarySpec, a: Operand, b: Operand, out?: NDArray): NDArray {
    const dtype = typeof a === 'number' ? (typeof b === 'number' ? 'float32' : b.dtype) : a.dtype;
    const describe = () => {
      const rule = binaryOps[spec.name] ?? this.#unknown(spec.name);
      return rule(
        (op, inputs, attributes) => this.#emit(op, inputs, attributes),
        this.#operand(a, dtype),
        this.#operand(b, dtype),
        dtype,
      );
    };
    return this.#into(
      out,
      this.#record(() => super.binary(spec, a, b, out), describe),
    );
  }
  override ternary(spec: TernarySpec, a: Operand, b: Operand, c: Operand, out?: NDArray): NDArray {
    return this.#record(
      () => super.ternary(spec, a, b, c, out),
      () => this.#unknown(spec.name),
    );
  }
  override where(condition: NDArray, a: Operand, b: Operand, dtype: DType): NDArray {
    return this.#record(
      () => super.where(condition, a, b, dtype),
      () => this.#emit('Where', [this.#in(condition), this.#operand(a, dtype), this.#operand(b, dtype)]),
    );
  }
  override reduce(spec: ReduceSpec, x: NDArray, dims: readonly number[], keepdim: boolean): NDArray {
    return this.#record(
      () => super.reduce(spec, x, dims, keepdim),
      () => {
        const op = reduceOps[spec.name] ?? this.#unknown(spec.name);
        const keepdims = keepdim ? 1 : 0;
        if (dims.length === 0) return this.#in(x);
        // Since opset 13 the sum takes its dimensions as an input, the others have them as an attribute.
        return op === 'ReduceSum'
          ? this.#emit(op, [this.#in(x), { sizes: dims }], { keepdims })
          : this.#emit(op, [this.#in(x)], { axes: dims, keepdims });
      },
    );
  }
  override argReduce(kind: 'max' | 'min', x: NDArray, dim: number, keepdim: boolean): NDArray {
    return this.#record(
      () => super.argReduce(kind, x, dim, keepdim),
      () =>
        this.#emit(kind === 'max' ? 'ArgMax' : 'ArgMin', [this.#in(x)], {
          axis: dim,
          keepdims: keepdim ? 1 : 0,
        }),
    );
  }
  override extreme(
    kind: 'max' | 'min',
    x: NDArray,
    dim: number,
    keepdim: boolean,
  ): { values: NDArray; indices: NDArray } {
    if (this.#inside > 0) return super.extreme(kind, x, dim, keepdim);
    const name = this.#in(x);
    const keepdims = keepdim ? 1 : 0;
    const values = this.#emit(kind === 'max' ? 'ReduceMax' : 'ReduceMin', [name], { axes: [dim], keepdims });
    const indices = this.#emit(kind === 'max' ? 'ArgMax' : 'ArgMin', [name], { axis: dim, keepdims });
    this.#inside++;
    const out = super.extreme(kind, x, dim, keepdim);
    this.#inside--;
    this.#values.set(out.values.storage, { name: values, array: out.values, constant: false });
    this.#values.set(out.indices.storage, { name: indices, array: out.indices, constant: false });
    return out;
  }
  override scan(kind: 'sum' | 'prod', x: NDArray, dim: number): NDArray {
    return this.#record(
      () => super.scan(kind, x, dim),
      () =>
        kind === 'sum'
          ? this.#emit('CumSum', [
              this.#in(x),
              { constant: BigInt64Array.of(BigInt(dim)), dtype: 'int64', shape: [] },
            ])
          : this.#unknown('cumprod'),
    );
  }
  override matmul(a: NDArray, b: NDArray, options: GemmOptions = {}): NDArray {
    return this.#record(
      () => super.matmul(a, b, options),
      () => {
        let name = this.#emit('MatMul', [this.#in(a), this.#in(b)]);
        if (options.bias) name = this.#emit('Add', [name, this.#in(options.bias)]);
        return options.relu ? this.#emit('Relu', [name]) : name;
      },
    );
  }
  override softmax(x: NDArray, log: boolean): NDArray {
    return this.#record(
      () => super.softmax(x, log),
      () => this.#emit(log ? 'LogSoftmax' : 'Softmax', [this.#in(x)], { axis: -1 }),
    );
  }
  override indexSelect(x: NDArray, dim: number, index: NDArray): NDArray {
    return this.#record(
      () => super.indexSelect(x, dim, index),
      () => this.#emit('Gather', [this.#in(x), this.#in(index)], { axis: dim }),
    );
  }
  override gather(x: NDArray, dim: number, index: NDArray): NDArray {
    return this.#record(
      () => super.gather(x, dim, index),
      () => this.#emit('GatherElements', [this.#in(x), this.#in(index)], { axis: dim }),
    );
  }
  override take(x: NDArray, positions: NDArray): NDArray {
    return this.#record(
      () => super.take(x, positions),
      () =>
        this.#emit(
          'Gather',
          [this.#emit('Reshape', [this.#in(x), { sizes: [x.size] }]), this.#in(positions)],
          { axis: 0 },
        ),
    );
  }
  override convolve(x: NDArray, weight: NDArray, bias: NDArray | null, g: Sliding, groups: number): NDArray {
    return this.#record(
      () => super.convolve(x, weight, bias, g, groups),
      () => {
        const { spatial, end } = geometryOf(x.shape.length - 2, g);
        const attributes = {
          ...spatial,
          pads: [...spatial.pads, ...end.map((n) => Math.max(0, n))],
          group: groups,
        };
        const inputs = [this.#in(x), this.#in(weight)];
        return this.#emit('Conv', bias ? [...inputs, this.#in(bias)] : inputs, attributes);
      },
    );
  }
  override convolveInput(grad: NDArray, weight: NDArray, g: Sliding, groups: number): NDArray {
    return this.#record(
      () => super.convolveInput(grad, weight, g, groups),
      () => {
        const { spatial, end } = geometryOf(grad.shape.length - 2, g);
        return this.#emit('ConvTranspose', [this.#in(grad), this.#in(weight)], {
          ...spatial,
          pads: [...spatial.pads, ...end.map((n) => Math.max(0, n))],
          output_padding: end.map((n) => Math.max(0, -n)),
          group: groups,
        });
      },
    );
  }
  /** Windows as columns: a convolution in which each output copies one place of the kernel. */
  override im2col(x: NDArray, g: Sliding): NDArray {
    return this.#record(
      () => super.im2col(x, g),
      () => {
        const [batch, channels] = x.shape;
        const { spatial, end } = geometryOf(x.shape.length - 2, g);
        const places = this.#emit(
          'Conv',
          [this.#in(x), copyingTaps(channels, spatial.kernel_shape, x.dtype)],
          {
            ...spatial,
            pads: [...spatial.pads, ...end.map((n) => Math.max(0, n))],
            group: channels,
          },
        );
        const taps = numElements(spatial.kernel_shape);
        return this.#emit('Reshape', [places, { sizes: [batch, channels * taps, numElements(g.output)] }]);
      },
    );
  }
  override col2im(columns: NDArray, g: Sliding, ndim: number): NDArray {
    return this.#record(
      () => super.col2im(columns, g, ndim),
      () => {
        const { spatial, end } = geometryOf(ndim, g);
        const [batch, rows] = columns.shape;
        const channels = rows / numElements(spatial.kernel_shape);
        const places = this.#emit('Reshape', [
          this.#in(columns),
          { sizes: [batch, rows, ...g.output.slice(3 - ndim)] },
        ]);
        const weight = copyingTaps(channels, spatial.kernel_shape, columns.dtype);
        return this.#emit('ConvTranspose', [places, weight], {
          ...spatial,
          pads: [...spatial.pads, ...end.map((n) => Math.max(0, n))],
          output_padding: end.map((n) => Math.max(0, -n)),
          group: channels,
        });
      },
    );
  }
  override maxPool(x: NDArray, windows: Windows): { values: NDArray; indices: NDArray } {
    if (this.#inside > 0) return super.maxPool(x, windows);
    const name = this.#emit('MaxPool', [this.#in(x)], poolingOf(windows, x.shape.length - 2, false));
    this.#inside++;
    const out = super.maxPool(x, windows);
    this.#inside--;
    this.#values.set(out.values.storage, { name, array: out.values, constant: false });
    return out;
  }
  override avgPool(x: NDArray, windows: Windows): NDArray {
    return this.#record(
      () => super.avgPool(x, windows),
      () => this.#emit('AveragePool', [this.#in(x)], poolingOf(windows, x.shape.length - 2, true)),
    );
  }
  override standardize(x: NDArray, eps: number): Standardized {
    const name = this.#in(x);
    const centred = this.#emit('Sub', [
      name,
      this.#emit('ReduceMean', [name], { axes: [0, 2], keepdims: 1 }),
    ]);
    const squares = this.#emit('Mul', [centred, centred]);
    const variance = this.#emit('ReduceMean', [squares], { axes: [0, 2], keepdims: 1 });
    const scalar = { constant: listOf([eps], x.dtype), dtype: x.dtype, shape: [] };
    const output = this.#emit('Div', [centred, this.#emit('Sqrt', [this.#emit('Add', [variance, scalar])])]);
    this.#inside++;
    const out = super.standardize(x, eps);
    this.#inside--;
    this.#values.set(out.output.storage, { name: output, array: out.output, constant: false });
    return out;
  }

  // What is not written down is refused: its result would be taken for data of the program.
  #refused<R>(name: string, compute: () => R): R {
    return this.#inside > 0 ? compute() : this.#unknown(name);
  }
  override sort(x: NDArray, dim: number, descending: boolean): { values: NDArray; indices: NDArray } {
    return this.#refused('sort', () => super.sort(x, dim, descending));
  }
  override scanExtreme(kind: 'max' | 'min', x: NDArray, dim: number): { values: NDArray; indices: NDArray } {
    return this.#refused(`cum${kind}`, () => super.scanExtreme(kind, x, dim));
  }
  override gatherScaled(x: NDArray, index: NDArray, scaling: PixelScaling): NDArray {
    return this.#refused('a batch of images', () => super.gatherScaled(x, index, scaling));
  }
  override nonzero(x: NDArray): NDArray {
    return this.#refused('nonzero', () => super.nonzero(x));
  }
  override indexAdd(out: NDArray, dim: number, index: NDArray, source: NDArray): void {
    this.#refused('indexAdd', () => super.indexAdd(out, dim, index, source));
  }
  override put(out: NDArray, positions: NDArray, source: NDArray, accumulate: boolean): void {
    this.#refused('put', () => super.put(out, positions, source, accumulate));
  }
  override scatter(out: NDArray, dim: number, index: NDArray, source: NDArray, accumulate: boolean): void {
    this.#refused('scatter', () => super.scatter(out, dim, index, source, accumulate));
  }

  /** The name of a result of `forward`. */
  result(x: NDArray): string {
    return this.#emit('Identity', [this.#in(x)]);
  }
}

function listOf(values: readonly number[], dtype: DType): TypedArray {
  const list = dtypeInfo[dtype].allocate(values.length);
  if (list instanceof BigInt64Array) list.set(values.map((x) => BigInt(Math.trunc(x))));
  else list.set(isFloating(dtype) ? values : values.map(Math.trunc));
  return list;
}

/** [channels · taps, 1, …kernel]: for each channel one kernel for each of its places, 1 there and 0 elsewhere. */
function copyingTaps(channels: number, kernel: readonly number[], dtype: DType): NodeInput {
  const taps = numElements(kernel);
  const values = Array.from({ length: channels * taps * taps }, (_, i) =>
    Math.floor(i / taps) % taps === i % taps ? 1 : 0,
  );
  return { constant: listOf(values, dtype), dtype, shape: [channels * taps, 1, ...kernel] };
}

function geometryOf(ndim: number, g: Sliding) {
  const last = (list: readonly number[]) => list.slice(3 - ndim);
  const end = [0, 1, 2].map(
    (i) =>
      (g.output[i] - 1) * g.stride[i] + (g.kernel[i] - 1) * g.dilation[i] + 1 - g.input[i] - g.padding[i],
  );
  const spatial = {
    kernel_shape: last(g.kernel),
    strides: last(g.stride),
    dilations: last(g.dilation),
    pads: last(g.padding),
  };
  return { spatial, end: last(end) };
}
