/** Golden cases as data: how they are read, how their inputs become tensors, how results are checked. */
import * as torch from '../src/index.ts';
import { compare, compareOne, type ExpectedTensor, type Tolerance } from './goldenCompare.ts';
import { camelCase } from './goldenLookUp.ts';

export interface GoldenInput extends ExpectedTensor {
  requires_grad?: boolean;
  view?: ViewStep[];
}
interface ViewStep {
  slice?: [dim: number, start: number | null, end: number | null, step: number];
  transpose?: [number, number];
  expand?: number[];
  permute?: number[];
}
type State = { [name: string]: ExpectedTensor };
export interface GoldenCase {
  id: string;
  kind?: 'op' | 'composite' | 'optim' | 'lr_scheduler' | 'module' | 'error';
  op: string;
  inputs: GoldenInput[];
  args: unknown[];
  kwargs: { [name: string]: unknown };
  output?: ExpectedTensor | ExpectedTensor[];
  cotangent?: ExpectedTensor | (ExpectedTensor | null)[] | null;
  grads?: (ExpectedTensor | null)[] | null;
  tol?: Tolerance;
  output_exact?: boolean;
  python?: string;
  raises?: { type: string; message: string };
  state_dict?: State;
  state_after?: State;
  training?: boolean;
  forward_args?: unknown[];
  forward_kwargs?: { [name: string]: unknown };
  param_grads?: { [name: string]: ExpectedTensor | null };
  n_params?: number;
  steps?: number;
  param_groups?: { params: number[]; options: { [name: string]: unknown } }[];
  clip_grad_norm?: number;
  optimizer?: { op: string; kwargs: { [name: string]: unknown } };
  base_lrs?: number[];
  lambda?: string;
  metrics?: number[];
  report_momentum?: boolean;
}

/** A Python float without a fraction: JSON says `2.0`, which JavaScript could not tell from `2`. */
class WholeFloat {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

/** Parses a golden file, keeping whole floats in arguments apart from integers. */
export function parseGolden(text: string): GoldenCase[] {
  const marked = text.replace(/"(?:[^"\\]|\\.)*"|-?\d+\.0+(?=[,\]}\s])/g, (token) =>
    token.startsWith('"') ? token : `{"whole":${token}}`,
  );
  const unmark = (value: unknown, keep: boolean): unknown => {
    if (Array.isArray(value)) return value.map((v) => unmark(v, keep));
    if (typeof value !== 'object' || value === null) return value;
    if ('whole' in value) return keep ? new WholeFloat(Number(value.whole)) : value.whole;
    return Object.fromEntries(
      Object.entries(value).map(([key, v]) => [key, unmark(v, keep || key === 'args' || key === 'kwargs')]),
    );
  };
  const { cases } = unmark(JSON.parse(marked), false) as { cases: GoldenCase[] };
  return cases;
}

export const kindOf = (c: GoldenCase): string => (c.op === 'composite' ? 'composite' : (c.kind ?? 'op'));

const isInfinite: { [text: string]: number } = { inf: Infinity, '-inf': -Infinity, nan: Number.NaN };

/** A JSON argument as a user would write it. */
export function argument(value: unknown, inputs: readonly torch.Tensor[]): unknown {
  if (value instanceof WholeFloat) return value.value;
  if (typeof value === 'string') return value in isInfinite ? isInfinite[value] : value;
  if (Array.isArray(value)) return value.map((v) => argument(v, inputs));
  if (typeof value !== 'object' || value === null) return value;
  if ('$' in value) return inputs[Number(value.$)];
  if ('dtype' in value) return value.dtype;
  if ('ellipsis' in value) return '...';
  if ('slice' in value) {
    const [start, stop, step] = value.slice as (number | null)[];
    return torch.slice(start, stop, step);
  }
  throw new Error(`unknown argument ${JSON.stringify(value)}`);
}

/** Keywords that take a number or a tensor. */
const BOUNDS = new Set(['min', 'max']);

export function options(
  kwargs: { [name: string]: unknown } | undefined,
  inputs: readonly torch.Tensor[],
): unknown[] {
  const entries = Object.entries(kwargs ?? {});
  if (entries.length === 0) return [];
  const given = ([key, value]: [string, unknown]) =>
    value instanceof WholeFloat && BOUNDS.has(key) && areIntegers(inputs)
      ? torch.tensor(value.value)
      : argument(value, inputs);
  return [Object.fromEntries(entries.map((entry) => [camelCase(entry[0]), given(entry)]))];
}

const areIntegers = (inputs: readonly torch.Tensor[]): boolean =>
  inputs.length > 0 && inputs.every((x) => !x.isFloatingPoint());

/**
 * Arguments that JavaScript's single kind of number cannot tell apart are written as api.md says: a whole Python float
 * is a float tensor where only integer tensors meet it; Python's integers fill int64 tensors as bigints.
 */
export function positional(c: GoldenCase, inputs: readonly torch.Tensor[]): unknown[] {
  const integersOnly = areIntegers(inputs);
  const list = c.args.map((value) =>
    value instanceof WholeFloat && integersOnly ? torch.tensor(value.value) : argument(value, inputs),
  );
  if (
    c.op === 'full' &&
    typeof list[1] === 'number' &&
    !(c.args[1] instanceof WholeFloat) &&
    !('dtype' in c.kwargs)
  ) {
    if (Number.isInteger(list[1])) list[1] = BigInt(list[1]);
  }
  return list;
}

/** The dtype option that a sequence of whole floats needs. */
export function sequenceOptions(c: GoldenCase): unknown[] {
  const floats = [...c.args, ...Object.values(c.kwargs)].some((v) => v instanceof WholeFloat);
  return c.op === 'arange' && floats && !('dtype' in c.kwargs) ? [{ dtype: 'float32' }] : [];
}

export function makeTensor(expected: ExpectedTensor): torch.Tensor {
  const { dtype, shape } = expected;
  const list = expected.data.map((v) => (typeof v === 'string' ? isInfinite[v] : Number(v)));
  if (dtype === 'int64') return torch.tensor(BigInt64Array.from(list, BigInt)).reshape(shape);
  return torch.tensor(Float64Array.from(list), { dtype: dtype as torch.DType }).reshape(shape);
}

export interface Inputs {
  /** The stored tensors: what gradients refer to. */
  readonly bases: torch.Tensor[];
  /** After their view steps: what the op gets. */
  readonly operands: torch.Tensor[];
}

export function makeInputs(list: readonly GoldenInput[]): Inputs {
  const bases = list.map((input) => {
    const x = makeTensor(input);
    if (input.requires_grad) x.requiresGrad = true;
    return x;
  });
  return { bases, operands: bases.map((x, i) => (list[i].view ?? []).reduce(viewStep, x)) };
}

function viewStep(x: torch.Tensor, step: ViewStep): torch.Tensor {
  if (step.slice) {
    const [dim, ...bounds] = step.slice;
    return x.index(...new Array<torch.Slice>(dim).fill(torch.slice()), torch.slice(...bounds));
  }
  if (step.transpose) return x.transpose(...step.transpose);
  if (step.expand) return x.expand(step.expand);
  if (step.permute) return x.permute(step.permute);
  throw new Error(`unknown view step ${JSON.stringify(step)}`);
}

/** Tensors of a result, depth first; named pairs give values, then indices. */
export function flatten(result: unknown): torch.Tensor[] {
  if (result instanceof torch.Tensor) return [result];
  if (Array.isArray(result)) return result.flatMap(flatten);
  if (typeof result === 'object' && result !== null) return Object.values(result).flatMap(flatten);
  return [];
}

const listOf = <V>(value: V | V[] | null | undefined): V[] =>
  value === null || value === undefined ? [] : Array.isArray(value) ? value : [value];

export function checkOutputs(c: GoldenCase, outputs: readonly torch.Tensor[]): Promise<string[]> {
  return compare('output', outputs, listOf(c.output), c.tol, c.output_exact === true);
}

export function backwardAll(c: GoldenCase, outputs: readonly torch.Tensor[]): boolean {
  if (c.cotangent === null || c.cotangent === undefined) return false;
  const cotangents = Array.isArray(c.cotangent) ? c.cotangent : [c.cotangent];
  const pairs = outputs.flatMap((y, i) => {
    const g = cotangents[i];
    return g && y.requiresGrad ? [{ y, g: makeTensor(g) }] : [];
  });
  if (pairs.length > 0) {
    torch.autograd.backward(
      pairs.map((p) => p.y),
      pairs.map((p) => p.g),
    );
  }
  return true;
}

export async function checkGrads(c: GoldenCase, bases: readonly torch.Tensor[]): Promise<string[]> {
  const problems = await Promise.all(
    (c.grads ?? []).map((expected, i) =>
      compareOne(`gradient of input ${i}`, bases[i].grad, expected, c.tol),
    ),
  );
  return problems.flat();
}
