/** WGSL for expressions: a function that gives the element at a place, and what it needs of uniforms and bindings. */
import type { Shape, Strides } from '../../core/shape.ts';
import type { Cell } from './cells.ts';
import { convert, type Lane, laneOf, narrow, wgslType } from './elementTypes.ts';
import { type Apply, type Formula, type Leaf, type Node, nodesOf } from './expressions.ts';
import { type Loop, loopBy } from './loops.ts';

type Param = readonly [declaration: string, word: number];

/** WGSL that brings a value of a lane (null: 0 or 1 from a predicate) into the dtype of the result. */
function storedText(value: string, lane: Lane | null, dtype: Apply['dtype'], to: Apply['dtype']): string {
  if (lane === null) return convert(`(${value})`, 'bool', to);
  if (lane === 'i32')
    return to === 'float32' || to === 'int64' ? convert(`(${value})`, 'int32', to) : narrow(`(${value})`, to);
  return convert(`(${value})`, dtype, to);
}

const typeOf = (node: Node): string => wgslType[laneOf(node.dtype, 'elementwise')];

function functionText(name: string, { formula, inputs, dtype }: Apply): string {
  const { names, text, predicate, lane } = formula;
  const value = predicate ? `select(0, 1, ${text})` : text;
  const stored = storedText(value, predicate ? null : laneOf(lane, formula.name), lane, dtype);
  const parameters = names.map((n, i) => `${n}: ${typeOf(inputs[i])}`).join(', ');
  return `fn ${name}(${parameters}) -> ${wgslType[laneOf(dtype, formula.name)]} { return ${stored}; }`;
}

const numbers = new Map<string, number>();

/** A short name for all that a formula's text depends on. */
function identity(formula: Formula, to: string): string {
  const whole = `${formula.text}|${formula.names.join()}|${formula.lane}|${formula.predicate}|${to}`;
  let number = numbers.get(whole);
  if (number === undefined) {
    number = numbers.size;
    numbers.set(whole, number);
  }
  return `${formula.name}${number}`;
}

export interface ExpressionText {
  /** Distinct buffers, in the order of their first use, with the WGSL types of their elements. */
  readonly cells: readonly { readonly cell: Cell; readonly type: string }[];
  readonly leaves: readonly Leaf[];
  /** Over the dimensions in the order of memory; readings `${name}0` … are the leaves. */
  readonly loop: Loop;
  readonly key: string;
  readonly params: readonly Param[];
  /** The functions that the statements call. */
  functions(): string;
  /** Statements that work out the root from the leaves, and its name. */
  statements(leaf: (k: number) => string): { readonly text: string; readonly result: string };
}

/** `name` keeps the names of several expressions in one shader apart; `also` is walked with the leaves. */
export function expressionText(
  root: Node,
  { shape, strides }: { readonly shape: Shape; readonly strides: Strides },
  name: string,
  also: readonly { readonly name: string; readonly offset: number; readonly strides: Strides }[] = [],
): ExpressionText {
  const nodes = nodesOf(root);
  const leaves = nodes.filter((node) => node.kind === 'leaf');
  const order = shape.map((_, d) => d).filter((d) => shape[d] > 1);
  order.sort((a, b) => strides[b] - strides[a]);
  const inOrder = (list: readonly number[]) => order.map((d) => list[d]);
  const loop = loopBy(
    inOrder(shape),
    [
      ...leaves.map((leaf, k) => ({
        name: `${name}${k}`,
        offset: leaf.offset,
        strides: inOrder(leaf.strides),
      })),
      ...also.map((x) => ({ ...x, strides: inOrder(x.strides) })),
    ],
    `${name}n`,
  );
  const cells: { cell: Cell; type: string }[] = [];
  const params: Param[] = [...loop.params];
  const words: string[] = [];
  const names = new Map<Node, string>();
  nodes.forEach((node, at) => {
    names.set(node, `v${at}`);
    if (node.kind === 'leaf') {
      let binding = cells.findIndex(({ cell }) => cell === node.cell);
      if (binding < 0) binding = cells.push({ cell: node.cell, type: typeOf(node) }) - 1;
      words.push(`${node.dtype}@${binding}`);
    } else if (node.kind === 'scalar') {
      const type = typeOf(node);
      const parts = type === 'vec2<u32>' ? ['low: u32', 'high: u32'] : [type === 'f32' ? 'v: f32' : 'v: i32'];
      for (const [i, part] of parts.entries()) params.push([`${name}c${at}_${part}`, node.words[i]]);
      words.push(node.dtype);
    } else
      words.push(`${identity(node.formula, node.dtype)}(${node.inputs.map((x) => names.get(x)).join()})`);
  });
  const applies = nodes.filter((node) => node.kind === 'apply');
  return {
    cells,
    leaves,
    loop,
    key: `${words.join(' ')}/${loop.key}`,
    params,
    functions: () => applies.map((node) => functionText(`${name}_${names.get(node)}`, node)).join('\n'),
    statements(leaf) {
      let k = 0;
      const lines = nodes.map((node, at) => {
        const start = `let v${at} = `;
        if (node.kind === 'leaf') return `${start}${leaf(k++)};`;
        if (node.kind === 'apply')
          return `${start}${name}_v${at}(${node.inputs.map((x) => names.get(x)).join(', ')});`;
        const at_ = `P.${name}c${at}`;
        return `${start}${node.words.length > 1 ? `vec2<u32>(${at_}_low, ${at_}_high)` : `${at_}_v`};`;
      });
      return { text: lines.join('\n'), result: `v${nodes.length - 1}` };
    },
  };
}
