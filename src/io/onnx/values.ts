/** Which value of the graph each piece of memory holds, also when it is written in parts. */
import type { NDArray, Storage } from '../../backend/array.ts';
import { numElements, sameShape } from '../../core/shape.ts';
import { constant, type GraphBuilder, noCounterpart } from './builder.ts';
import { onnxTypes } from './graph.ts';
import { startsOf, type Value, viewOf } from './views.ts';

interface Part {
  readonly view: NDArray;
  readonly name: string;
}

/** New memory, of which parts were written. */
interface Open {
  readonly whole: NDArray;
  readonly parts: Part[];
}

export class Values {
  readonly #graph: GraphBuilder;
  /** Keeps memory that nothing in the graph made: data of the program. */
  readonly #embed: (x: NDArray) => string;
  readonly #values = new Map<Storage, Value>();
  /** To be joined when they are read. */
  readonly #open = new Map<Storage, Open>();

  constructor(graph: GraphBuilder, embed: (x: NDArray) => string) {
    this.#graph = graph;
    this.#embed = embed;
  }

  /** Says that the memory of an array holds a value. */
  set(array: NDArray, name: string): void {
    this.#open.delete(array.storage);
    this.#values.set(array.storage, { name, array });
  }

  /** The name of what an array reads. */
  nameOf(x: NDArray): string {
    const open = this.#open.get(x.storage);
    if (open) this.#join(open);
    const value = this.#values.get(x.storage);
    return value ? viewOf(value, x, this.#graph.emit) : this.#embed(x);
  }

  /** `out` is what `result`, of another array, was. */
  move(result: NDArray, out: NDArray): void {
    const value = this.#values.get(result.storage);
    if (value) this.set(out, value.name);
  }

  /** Memory that is there, and of which nothing is known yet. */
  reserve(whole: NDArray): void {
    this.#open.set(whole.storage, { whole, parts: [] });
  }

  #covers(x: NDArray): boolean {
    const whole = this.#open.get(x.storage)?.whole ?? this.#values.get(x.storage)?.array ?? x;
    return x.size === numElements(whole.shape);
  }

  fill(out: NDArray, value: number): void {
    if (!this.#covers(out)) noCounterpart('filling a part of a tensor');
    this.set(out, this.#graph.emit('Expand', [constant([value], out.dtype), { sizes: out.shape }]));
  }

  assign(out: NDArray, x: NDArray): void {
    const { emit } = this.#graph;
    let name = this.nameOf(x);
    if (x.dtype !== out.dtype) name = emit('Cast', [name], { to: onnxTypes[out.dtype] });
    if (!sameShape(x.shape, out.shape)) name = emit('Expand', [name, { sizes: out.shape }]);
    const open = this.#open.get(out.storage);
    if (this.#covers(out)) this.set(out, name);
    else if (open) open.parts.push({ view: out, name });
    else this.#pad(out, name);
  }

  /** A part written into memory that was filled with one number: padding. */
  #pad(out: NDArray, name: string): void {
    const value = this.#values.get(out.storage);
    const made = value && this.#graph.maker(value.name);
    const filling = made?.inputs[0];
    if (
      !value?.array.contiguous ||
      made?.op !== 'Expand' ||
      typeof filling !== 'object' ||
      !('constant' in filling)
    )
      noCounterpart('changing a part of a tensor in place');
    const whole = value.array;
    if (
      out.shape.length !== whole.shape.length ||
      out.strides.some((step, d) => out.shape[d] > 1 && step !== whole.strides[d])
    )
      noCounterpart('changing a part of a tensor in place');
    // A dimension of one has nothing to start in, whatever its stride is.
    const real = whole.shape.map((_, d) => d).filter((d) => whole.shape[d] !== 1);
    const starts = startsOf(
      out.offset,
      real.map((d) => whole.strides[d]),
    );
    const before = whole.shape.map((_, d) => starts[real.indexOf(d)] ?? 0);
    const after = whole.shape.map((size, d) => size - before[d] - out.shape[d]);
    this.#graph.remove(made);
    const sizes = [...before, ...after];
    this.set(whole, this.#graph.emit('Pad', [name, { sizes }, filling], { mode: 'constant' }));
  }

  /** Parts beside each other along one dimension. */
  #join({ whole, parts }: Open): void {
    this.#open.delete(whole.storage);
    if (parts.length === 0) return;
    const axis = whole.shape.findIndex((size, d) => parts[0].view.shape[d] !== size);
    const sorted = [...parts].sort((a, b) => a.view.offset - b.view.offset);
    let at = 0;
    for (const { view } of sorted) {
      const fits = view.shape.every((size, d) => d === axis || size === whole.shape[d]);
      if (!fits || view.offset !== at * whole.strides[axis])
        noCounterpart('a tensor put together of parts like these');
      at += view.shape[axis];
    }
    if (at !== whole.shape[axis]) noCounterpart('a tensor of which a part was never written');
    const names = sorted.map((part) => part.name);
    this.set(whole, this.#graph.emit('Concat', names, { axis }));
  }
}
