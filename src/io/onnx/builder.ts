/** A graph that grows node by node, and the numbers that it is given. */
import { type DType, dtypeInfo, isFloating, type TypedArray } from '../../core/dtype.ts';
import { ArgumentError } from '../../core/errors.ts';
import type { Shape } from '../../core/shape.ts';
import type { Attribute, Initializer, Node, NodeInput } from './graph.ts';

/** Adds a node, and gives the name of its output. */
export type Emit = (
  op: string,
  inputs: readonly NodeInput[],
  attributes?: Readonly<Record<string, Attribute>>,
) => string;

export const refused = (what: string): ArgumentError => new ArgumentError(`exportOnnx: ${what}`);

/** @throws ArgumentError, always */
export function noCounterpart(what: string): never {
  throw refused(`${what} has no counterpart in the graph`);
}

/** Numbers that become a value of the graph; without a shape, one number. */
export function constant(values: readonly number[], dtype: DType, shape: Shape = []): NodeInput {
  const list = dtypeInfo[dtype].allocate(values.length);
  if (list instanceof BigInt64Array) list.set(values.map((x) => BigInt(Math.trunc(x))));
  else list.set(isFloating(dtype) ? values : values.map(Math.trunc));
  return { constant: list, dtype, shape };
}

/** Names for values that have none: a letter and a number, past those that are taken. */
export function freshNames(letter: string, taken: ReadonlySet<string>): () => string {
  let count = 0;
  return () => {
    let name: string;
    do name = `${letter}${++count}`;
    while (taken.has(name));
    return name;
  };
}

export class GraphBuilder {
  readonly nodes: Node[] = [];
  readonly initializers: Initializer[] = [];
  readonly #fresh: () => string;

  /** Without the names that are taken: those of weights, inputs and outputs. */
  constructor(taken: ReadonlySet<string>) {
    this.#fresh = freshNames('t', taken);
  }

  readonly emit: Emit = (op, inputs, attributes = {}) => {
    const output = this.#fresh();
    this.nodes.push({ op, inputs, output, attributes });
    return output;
  };

  /** Numbers that the file holds; without a name of their own they get one. */
  initializer(data: TypedArray, shape: Shape, dtype: DType, name = this.#fresh()): string {
    this.initializers.push({ name, dtype, shape, data });
    return name;
  }

  /** The node that gives a value, if one does. */
  maker(name: string): Node | undefined {
    return this.nodes.find((node) => node.output === name);
  }
  remove(node: Node): void {
    this.nodes.splice(this.nodes.indexOf(node), 1);
  }
}
