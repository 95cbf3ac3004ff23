/** Elementwise kernels: one thread per element, or per four where everything is contiguous float32. */
import type { DType } from '../../core/dtype.ts';
import { broadcastShapes, expandStrides, type Shape, type Strides, sameShape } from '../../core/shape.ts';
import type { NDArray } from '../array.ts';
import type { BinarySpec, Operand, TernarySpec, UnarySpec } from '../backend.ts';
import { resultStrides } from '../reference/elements.ts';
import type { BoundArray, GpuContext } from './context.ts';
import { convert, type Lane, laneOf, narrow, numberWords, wgslType } from './elementTypes.ts';
import { binaryFormula, unaryFormula } from './formulas.ts';
import { overFloats } from './library.ts';
import { loopOver, placesText } from './loops.ts';

const WORKGROUP = 64;

type Param = readonly [declaration: string, word: number];

interface Operands {
  readonly names: readonly string[];
  readonly values: readonly Operand[];
}

export interface Elementwise {
  /** What the formula depends on besides the lanes: the op's name. */
  readonly key: string;
  readonly operands: Operands;
  /** The dtype of plain numbers among them, and the lane of the formula. */
  readonly dtype: DType;
  /** An expression over the operands' names. */
  readonly formula: string;
  /** The formula gives a WGSL bool. */
  readonly predicate: boolean;
  /** Further uniforms that the formula mentions as plain names. */
  readonly scalars?: readonly (readonly [name: string, value: number])[];
  readonly out: NDArray;
}

/** out[i] ← formula(operands[i]), broadcast to out's shape. */
export function elementwise(gpu: GpuContext, op: Elementwise): void {
  const { out, operands, dtype } = op;
  if (out.size === 0) return;
  const lane = laneOf(dtype, op.key);
  const params: Param[] = [];
  const arrays: { name: string; array: NDArray }[] = [];
  const lets: string[] = [];
  const addScalar = (name: string, value: number): void => {
    const words = numberWords(value, lane);
    if (lane === 'i64') {
      params.push([`${name}_low: u32`, words[0]], [`${name}_high: u32`, words[1]]);
      lets.push(`let ${name} = vec2<u32>(P.${name}_low, P.${name}_high);`);
    } else {
      params.push([`${name}: ${lane}`, words[0]]);
      lets.push(`let ${name} = P.${name};`);
    }
  };
  operands.names.forEach((name, i) => {
    const value = operands.values[i];
    if (typeof value === 'number') addScalar(name, value);
    else arrays.push({ name, array: alignedWith(gpu, value, out) });
  });
  for (const [name, value] of op.scalars ?? []) addScalar(name, value);

  const { bindings, buffers } = bind([...arrays, { name: 'out', array: out }]);
  const loop = loopOver(out.shape, [...arrays, { name: 'out', array: out }]);
  const types = arrays.map(({ name, array }) => `${name}${array.dtype}@${buffers.get(name)}`).join(',');
  const key = `each ${op.formula}/${types}/${params.map(([p]) => p).join()}>${out.dtype}@${buffers.get('out')}/${dtype}`;
  const value = op.predicate ? `select(0, 1, ${op.formula})` : op.formula;
  const stored = storedText(value, op.predicate ? null : lane, dtype, out.dtype);

  const fours =
    loop.sizes.length <= 1 && loop.readings.every((r) => r.offset % 4 === 0 && (r.strides[0] ?? 1) === 1);
  const wholeOut = out.size % 4 === 0 || out.size === out.storage.byteLength / 4;
  if (
    fours &&
    wholeOut &&
    lane === 'f32' &&
    out.dtype === 'float32' &&
    arrays.every((x) => x.array.dtype === 'float32' && x.array.size === out.size)
  ) {
    const names = [...arrays.map((x) => x.name)];
    gpu.run({
      key: `${key} by fours`,
      bindings: bindings.map((b) => ({ ...b, type: 'vec4<f32>' })),
      params: [...loop.params, ...params],
      threads: Math.ceil(out.size / 4),
      workgroup: WORKGROUP,
      declarations: () =>
        `fn formula(${names.map((n) => `${n}: f32`).join(', ')}) -> f32 {\n${lets.join('\n')}\nreturn ${stored};\n}`,
      body: () =>
        [
          ...names.map((n) => `let v_${n} = ${buffers.get(n)}[P.${n}_at / 4u + i];`),
          `${buffers.get('out')}[P.out_at / 4u + i] = vec4<f32>(${['x', 'y', 'z', 'w'].map((c) => `formula(${names.map((n) => `v_${n}.${c}`).join(', ')})`).join(', ')});`,
        ].join('\n'),
    });
    return;
  }
  gpu.run({
    key: `${key} ${loop.key}`,
    bindings,
    params: [...loop.params, ...params],
    threads: out.size,
    workgroup: WORKGROUP,
    body: () =>
      [
        placesText(loop, 'i'),
        ...arrays.map(({ name }) => `let ${name} = ${buffers.get(name)}[${name}_i];`),
        ...lets,
        `${buffers.get('out')}[out_i] = ${stored};`,
      ].join('\n'),
  });
}

/** WGSL that brings a value of a lane (null: 0 or 1 from a predicate) into the dtype of the result. */
function storedText(value: string, lane: Lane | null, dtype: DType, to: DType): string {
  if (lane === null) return convert(`(${value})`, 'bool', to);
  if (lane === 'i32')
    return to === 'float32' || to === 'int64' ? convert(`(${value})`, 'int32', to) : narrow(`(${value})`, to);
  return convert(`(${value})`, dtype, to);
}

/** One binding per buffer, though several arrays may lie in it; `buffers` maps names of arrays to those of bindings. */
export function bind(arrays: readonly { name: string; array: NDArray }[]): {
  bindings: BoundArray[];
  buffers: Map<string, string>;
} {
  const bindings: BoundArray[] = [];
  const buffers = new Map<string, string>();
  const last = arrays.length - 1;
  arrays.forEach(({ name, array }, i) => {
    const type = wgslType[laneOf(array.dtype, name)];
    const at = bindings.findIndex((b) => b.array.storage === array.storage);
    if (at < 0) {
      const buffer = `m${bindings.length}`;
      bindings.push({ name: buffer, type, array, writes: i === last });
      buffers.set(name, buffer);
      return;
    }
    if (i === last) bindings[at] = { ...bindings[at], writes: true };
    buffers.set(name, bindings[at].name);
  });
  return { bindings, buffers };
}

/** An operand in out's own storage must be read exactly where out is written; else it is copied first. */
function alignedWith(gpu: GpuContext, x: NDArray, out: NDArray): NDArray {
  if (x.storage !== out.storage) return x;
  const spread = expandStrides(x.shape, x.strides, out.shape);
  const same = x.offset === out.offset && spread.every((s, d) => s === out.strides[d] || out.shape[d] === 1);
  return same ? x : gpu.apart(x, out);
}

const isArray = (x: Operand): x is NDArray => typeof x !== 'number';

function commonShape(operands: readonly Operand[], op: string): Shape {
  let shape: Shape = [];
  for (const x of operands) if (isArray(x)) shape = broadcastShapes(shape, x.shape, op);
  return shape;
}

export function unary(
  gpu: GpuContext,
  spec: UnarySpec,
  x: NDArray,
  p: number,
  q: number,
  out?: NDArray,
): NDArray {
  const formula = unaryFormula(spec, x.dtype);
  const y = out ?? gpu.empty(x.shape, spec.predicate ? 'bool' : x.dtype, resultStrides(x));
  const scalars = (
    [
      ['p', p],
      ['q', q],
    ] as const
  ).filter(([name]) => new RegExp(`\\b${name}\\b`).test(formula));
  elementwise(gpu, {
    key: spec.name,
    operands: { names: ['x'], values: [x] },
    dtype: x.dtype,
    formula,
    predicate: spec.predicate === true,
    scalars,
    out: y,
  });
  return y;
}

export function binary(gpu: GpuContext, spec: BinarySpec, a: Operand, b: Operand, out?: NDArray): NDArray {
  const like = isArray(a) ? a : (b as NDArray);
  const formula = binaryFormula(spec, like.dtype);
  const shape = commonShape([a, b], spec.name);
  const strides: Strides | undefined = sameShape(like.shape, shape) ? resultStrides(like) : undefined;
  const y = out ?? gpu.empty(shape, spec.predicate ? 'bool' : like.dtype, strides);
  elementwise(gpu, {
    key: spec.name,
    operands: { names: ['a', 'b'], values: [a, b] },
    dtype: like.dtype,
    formula,
    predicate: spec.predicate === true,
    out: y,
  });
  return y;
}

export function ternary(
  gpu: GpuContext,
  spec: TernarySpec,
  a: Operand,
  b: Operand,
  c: Operand,
  out?: NDArray,
): NDArray {
  const like = [a, b, c].find(isArray) as NDArray;
  laneOf(like.dtype, spec.name);
  const y = out ?? gpu.empty(commonShape([a, b, c], spec.name), like.dtype);
  elementwise(gpu, {
    key: spec.name,
    operands: { names: ['a', 'b', 'c'], values: [a, b, c] },
    dtype: like.dtype,
    formula: overFloats(spec.wgsl),
    predicate: false,
    out: y,
  });
  return y;
}

export function where(gpu: GpuContext, condition: NDArray, a: Operand, b: Operand, dtype: DType): NDArray {
  const out = gpu.empty(commonShape([condition, a, b], 'where'), dtype);
  elementwise(gpu, {
    key: 'where',
    operands: { names: ['chosen', 'a', 'b'], values: [condition, a, b] },
    dtype,
    formula: 'select(b, a, chosen != 0)',
    predicate: false,
    out,
  });
  return out;
}

/** out ← x, converted to out's dtype and broadcast to its shape. */
export function copy(gpu: GpuContext, out: NDArray, x: NDArray): void {
  laneOf(out.dtype, 'to');
  elementwise(gpu, {
    key: 'copy',
    operands: { names: ['x'], values: [x] },
    dtype: x.dtype,
    formula: 'x',
    predicate: false,
    out,
  });
}

export function fill(gpu: GpuContext, out: NDArray, value: number | bigint): void {
  const lane = laneOf(out.dtype, 'fill');
  if (out.size === 0) return;
  const words = numberWords(lane === 'i32' ? Number(value) : value, lane);
  const loop = loopOver(out.shape, [{ name: 'out', array: out }]);
  const raw =
    lane === 'f32'
      ? 'bitcast<f32>(P.low)'
      : lane === 'i32'
        ? narrow('bitcast<i32>(P.low)', out.dtype)
        : 'vec2<u32>(P.low, P.high)';
  gpu.run({
    key: `fill ${out.dtype} ${loop.key}`,
    bindings: [{ name: 'y', type: wgslType[lane], array: out, writes: true }],
    params: [...loop.params, ['low: u32', words[0]], ['high: u32', words[1] ?? 0]],
    threads: out.size,
    workgroup: WORKGROUP,
    body: () => `${placesText(loop, 'i')}\ny[out_i] = ${raw};`,
  });
}
