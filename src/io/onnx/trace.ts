/**
 * A device that computes as the reference does and writes down what it did, in ONNX's terms. Every kernel that `forward`
 * uses passes here with all its options, whatever op or method it came from; what is only another reading of the same
 * memory is worked out when a kernel reads it (views.ts), and what is written in parts when it is read (values.ts).
 */
import type { NDArray } from '../../backend/array.ts';
import type {
  BinarySpec,
  GemmOptions,
  Operand,
  PixelScaling,
  Placement,
  ReduceSpec,
  SoftmaxKind,
  UnarySpec,
} from '../../backend/backend.ts';
import { ReferenceBackend } from '../../backend/reference/index.ts';
import type { Sliding, Standardized, Windows } from '../../backend/windows.ts';
import type { DType, TypedArray } from '../../core/dtype.ts';
import { numElements, type Shape } from '../../core/shape.ts';
import { constant, type Emit, GraphBuilder, noCounterpart, refused } from './builder.ts';
import type { Initializer, Node, NodeInput } from './graph.ts';
import { binaryOps, reduceOps, unaryOps } from './opNames.ts';
import { poolingOf } from './poolings.ts';
import { convolution, copyingWeight, transposed } from './sliding.ts';
import { Values } from './values.ts';

/** A kernel with two results. */
interface Extreme {
  values: NDArray;
  indices: NDArray;
}

export class TraceBackend extends ReferenceBackend {
  override readonly device: string = 'onnx';
  override readonly synchronous: boolean = false;
  readonly #graph: GraphBuilder;
  readonly #emit: Emit;
  readonly #values: Values;
  /** Kernels use each other; only the outer one counts. */
  #inside = 0;

  /** `taken` are names that no value inside may have. */
  constructor(taken: ReadonlySet<string>) {
    super();
    this.#graph = new GraphBuilder(taken);
    this.#emit = this.#graph.emit;
    this.#values = new Values(this.#graph, (x) =>
      this.#graph.initializer(
        this.#inner(() => super.read(x)),
        x.shape,
        x.dtype,
      ),
    );
  }

  get nodes(): readonly Node[] {
    return this.#graph.nodes;
  }
  get initializers(): readonly Initializer[] {
    return this.#graph.initializers;
  }

  /** Makes an array a value of the graph that something outside gives: an input or a weight. */
  name(array: NDArray, name: string, weight: TypedArray | null): void {
    this.#values.set(array, name);
    if (weight) this.#graph.initializer(weight, array.shape, array.dtype, name);
  }

  /** The name of a result of `forward`. */
  result(x: NDArray): string {
    return this.#emit('Identity', [this.#in(x)]);
  }

  #inner<R>(compute: () => R): R {
    this.#inside++;
    try {
      return compute();
    } finally {
      this.#inside--;
    }
  }

  /** Runs a kernel, and says what it is in the graph. */
  #record(compute: () => NDArray, describe: () => string): NDArray {
    if (this.#inside > 0) return compute();
    const name = describe();
    const out = this.#inner(compute);
    this.#values.set(out, name);
    return out;
  }

  /** The name of an operand as it is read here. */
  #in(x: NDArray): string {
    return this.#values.nameOf(x);
  }
  #operand(x: Operand, dtype: DType): NodeInput {
    return typeof x === 'number' ? constant([x], dtype) : this.#in(x);
  }

  // Memory

  override empty(shape: Shape, dtype: DType, strides?: readonly number[]): NDArray {
    const out = super.empty(shape, dtype, strides);
    if (this.#inside === 0) this.#values.reserve(out);
    return out;
  }
  override upload(data: TypedArray, shape: Shape, dtype: DType): NDArray {
    return this.#inner(() => super.upload(data, shape, dtype));
  }
  override fromHost(shape: Shape, dtype: DType, write: (values: TypedArray) => void, out?: NDArray): NDArray {
    const made = this.#inner(() => super.fromHost(shape, dtype, write));
    if (out === undefined) return made;
    this.assign(out, made);
    made.release();
    return out;
  }
  override fill(out: NDArray, value: number | bigint): void {
    if (this.#inside === 0) this.#values.fill(out, Number(value));
    this.#inner(() => super.fill(out, value));
  }
  override assign(out: NDArray, x: NDArray): void {
    if (this.#inside === 0) this.#values.assign(out, x);
    this.#inner(() => super.assign(out, x));
  }
  override read(x: NDArray): TypedArray {
    if (this.#inside > 0) return super.read(x);
    throw refused(
      'forward reads the values of a tensor (item, data, toArray); a graph cannot depend on them',
    );
  }
  override findBadIndex(index: NDArray, size: number, least = -size): number {
    return this.#inner(() => super.findBadIndex(index, size, least));
  }

  // Kernels

  #into(out: NDArray | undefined, result: NDArray): NDArray {
    if (!out) return result;
    this.#values.move(result, out);
    return out;
  }
  override unary(spec: UnarySpec, x: NDArray, p = 0, q = 0, out?: NDArray): NDArray {
    const describe = () => {
      const rule = unaryOps[spec.name] ?? noCounterpart(spec.name);
      return rule(this.#emit, this.#in(x), x.dtype, p, q);
    };
    return this.#into(
      out,
      this.#record(() => super.unary(spec, x, p, q, out), describe),
    );
  }
  override binary(spec: BinarySpec, a: Operand, b: Operand, out?: NDArray): NDArray {
    const dtype = typeof a === 'number' ? (typeof b === 'number' ? 'float32' : b.dtype) : a.dtype;
    const describe = () => {
      const rule = binaryOps[spec.name] ?? noCounterpart(spec.name);
      return rule(this.#emit, this.#operand(a, dtype), this.#operand(b, dtype), dtype, spec.scalars);
    };
    return this.#into(
      out,
      this.#record(() => super.binary(spec, a, b, out), describe),
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
        const op = reduceOps[spec.name] ?? noCounterpart(spec.name);
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
  override extreme(kind: 'max' | 'min', x: NDArray, dim: number, keepdim: boolean): Extreme {
    if (this.#inside > 0) return super.extreme(kind, x, dim, keepdim);
    const name = this.#in(x);
    const keepdims = keepdim ? 1 : 0;
    const values = this.#emit(kind === 'max' ? 'ReduceMax' : 'ReduceMin', [name], { axes: [dim], keepdims });
    const indices = this.#emit(kind === 'max' ? 'ArgMax' : 'ArgMin', [name], { axis: dim, keepdims });
    const out = this.#inner(() => super.extreme(kind, x, dim, keepdim));
    this.#values.set(out.values, values);
    this.#values.set(out.indices, indices);
    return out;
  }
  override scan(kind: 'sum' | 'prod', x: NDArray, dim: number): NDArray {
    return this.#record(
      () => super.scan(kind, x, dim),
      () =>
        kind === 'sum'
          ? this.#emit('CumSum', [this.#in(x), constant([dim], 'int64')])
          : noCounterpart('cumprod'),
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
  override softmax(x: NDArray, kind: SoftmaxKind): NDArray {
    return this.#record(
      () => super.softmax(x, kind),
      () => {
        const logits = this.#in(x);
        const out = this.#emit(kind === 'logSoftmax' ? 'LogSoftmax' : 'Softmax', [logits], { axis: -1 });
        if (kind !== 'safeSoftmax') return out;
        const top = this.#emit('ReduceMax', [logits], { axes: [-1], keepdims: 1 });
        const closed = this.#emit('Equal', [top, constant([-Infinity], x.dtype)]);
        return this.#emit('Where', [closed, constant([0], x.dtype), out]);
      },
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
        const inputs = [this.#in(x), this.#in(weight)];
        if (bias) inputs.push(this.#in(bias));
        return this.#emit('Conv', inputs, convolution(x.shape.length - 2, g, groups));
      },
    );
  }
  override convolveInput(grad: NDArray, weight: NDArray, g: Sliding, groups: number): NDArray {
    return this.#record(
      () => super.convolveInput(grad, weight, g, groups),
      () => {
        const inputs = [this.#in(grad), this.#in(weight)];
        return this.#emit('ConvTranspose', inputs, transposed(grad.shape.length - 2, g, groups));
      },
    );
  }
  /** Windows as columns: a convolution in which each output copies one place of the kernel. */
  override im2col(x: NDArray, g: Sliding): NDArray {
    return this.#record(
      () => super.im2col(x, g),
      () => {
        const [batch, channels] = x.shape;
        const attributes = convolution(x.shape.length - 2, g, channels);
        const weight = copyingWeight(channels, attributes.kernel_shape, x.dtype);
        const places = this.#emit('Conv', [this.#in(x), weight], attributes);
        const rows = channels * numElements(attributes.kernel_shape);
        return this.#emit('Reshape', [places, { sizes: [batch, rows, numElements(g.output)] }]);
      },
    );
  }
  override col2im(columns: NDArray, g: Sliding, ndim: number): NDArray {
    return this.#record(
      () => super.col2im(columns, g, ndim),
      () => {
        const [batch, rows] = columns.shape;
        const channels = rows / numElements(g.kernel.slice(3 - ndim));
        const attributes = transposed(ndim, g, channels);
        const sizes = [batch, rows, ...g.output.slice(3 - ndim)];
        const places = this.#emit('Reshape', [this.#in(columns), { sizes }]);
        const weight = copyingWeight(channels, attributes.kernel_shape, columns.dtype);
        return this.#emit('ConvTranspose', [places, weight], attributes);
      },
    );
  }
  override maxPool(x: NDArray, windows: Windows): Extreme {
    if (this.#inside > 0) return super.maxPool(x, windows);
    const name = this.#emit('MaxPool', [this.#in(x)], poolingOf(windows, x.shape.length - 2, false));
    const out = this.#inner(() => super.maxPool(x, windows));
    this.#values.set(out.values, name);
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
    const shifted = this.#emit('Add', [variance, constant([eps], x.dtype)]);
    const output = this.#emit('Div', [centred, this.#emit('Sqrt', [shifted])]);
    const out = this.#inner(() => super.standardize(x, eps));
    this.#values.set(out.output, output);
    return out;
  }

  // What is not written down is refused: its result would be taken for data of the program.
  #refused<R>(name: string, compute: () => R): R {
    return this.#inside > 0 ? compute() : noCounterpart(name);
  }
  override sort(x: NDArray, dim: number, descending: boolean): Extreme {
    return this.#refused('sort', () => super.sort(x, dim, descending));
  }
  override scanExtreme(kind: 'max' | 'min', x: NDArray, dim: number): Extreme {
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
  override scatter(out: NDArray, dim: number, index: NDArray, source: NDArray, how: Placement): void {
    this.#refused('scatter', () => super.scatter(out, dim, index, source, how));
  }
}
