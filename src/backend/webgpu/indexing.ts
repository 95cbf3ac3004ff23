/** Selection by indices, and what it shares with scattering: operands that are too large are taken by halves. */
import { expandStrides } from '../../core/shape.ts';
import type { NDArray } from '../array.ts';
import type { PixelScaling } from '../backend.ts';
import type { GpuContext } from './context.ts';
import { laneOf, wgslType } from './elementTypes.ts';
import { loopBy, placesText } from './loops.ts';
import { inHalves, outermost } from './slices.ts';

const WORKGROUP = 64;

/** The type in WGSL of an array's elements. */
export const typeOf = (x: NDArray): string => wgslType[laneOf(x.dtype, 'index')];
/** Strides that stay where they are along `dim`. */
export const without = (strides: readonly number[], dim: number): number[] =>
  strides.map((s, d) => (d === dim ? 0 : s));
/** Strides that move along `dim` alone. */
export const onlyAt = (ndim: number, dim: number, stride: number): number[] =>
  Array.from({ length: ndim }, (_, d) => (d === dim ? stride : 0));

/** out[…] = x[…] at the place along `dim` that the index of the same shape says, or what a table holds for it. */
interface Picking {
  readonly key: string;
  readonly out: NDArray;
  /** Of out's shape but for `dim`. */
  readonly x: NDArray;
  readonly dim: number;
  /** Of out's shape, or of size 1 where it repeats. */
  readonly index: NDArray;
  /** The length of the dimension that negative indices count from. */
  readonly size: number;
  /** The place there of x's first element: others are not picked. */
  readonly low: number;
  readonly table: NDArray | null;
}

/** Whole, or by halves of whatever cannot be bound; of x, places in the other half are left alone. */
function pick(gpu: GpuContext, p: Picking): void {
  const { out, x, dim, index, low, table } = p;
  if (out.size === 0 || x.size === 0) return;
  const bound = { out: gpu.part(out), x: gpu.bindable(x), index: gpu.bindable(index) };
  if (bound.out === null || bound.x === null || bound.index === null) {
    const large = bound.out === null ? out : bound.x === null ? x : index;
    inIndexedHalves(large, x, out, index, p, (half) =>
      pick(gpu, { ...p, x: half.picked, out: half.other, index: half.index, low: half.low }),
    );
    return;
  }
  const { shape } = out;
  const loop = loopBy(shape, [
    { name: 'out', offset: bound.out.offset, strides: out.strides },
    { name: 'x', offset: bound.x.offset, strides: without(bound.x.strides, dim) },
    {
      name: 'pick',
      offset: bound.index.offset,
      strides: expandStrides(bound.index.shape, bound.index.strides, shape),
    },
  ]);
  const picked = 'x[x_i + at * P.step]';
  gpu.run({
    key: `${p.key} ${x.dtype} ${loop.key}`,
    bindings: [
      { name: 'x', type: typeOf(x), array: bound.x },
      { name: 'picks', type: 'vec2<u32>', array: bound.index },
      ...(table ? [{ name: 'values', type: 'f32', array: table }] : []),
      { name: 'out', type: typeOf(out), array: bound.out, writes: true },
    ],
    params: [
      ...loop.params,
      ['size: u32', p.size],
      ['low: u32', low],
      ['count: u32', x.shape[dim] ?? 1],
      ['step: u32', bound.x.strides[dim] ?? 0],
    ],
    threads: out.size,
    workgroup: WORKGROUP,
    body: () => `${placesText(loop, 'i')}
let at = wrap_index(picks[pick_i], P.size) - P.low;
if (at >= P.count) { return; }
out[out_i] = ${table ? `values[u32(${picked})]` : picked};`,
  });
}

/** A list of indices along one of so many dimensions. */
export const across = (index: NDArray, ndim: number, dim: number): NDArray =>
  index.view(
    Array.from({ length: ndim }, (_, d) => (d === dim ? index.size : 1)),
    onlyAt(ndim, dim, index.strides[0] ?? 0),
  );

/** What is halved of an index along d: nothing where it repeats. */
const alike = (index: NDArray, d: number): readonly [NDArray, number | null] => [
  index,
  index.shape[d] === 1 ? null : d,
];

interface IndexedHalf {
  readonly picked: NDArray;
  readonly other: NDArray;
  readonly index: NDArray;
  readonly low: number;
}

/**
 * Calls `body` with two halves where `large`, one of the arrays, cannot be bound: of all of them, or where it is the longest along
 * the dimension in which indices pick, of what is picked from, or of the other two.
 */
export function inIndexedHalves(
  large: NDArray,
  picked: NDArray,
  other: NDArray,
  index: NDArray,
  { dim, low }: { readonly dim: number; readonly low: number },
  body: (half: IndexedHalf) => void,
): void {
  const d = outermost(large);
  if (d !== dim)
    inHalves([[picked, d], [other, d], alike(index, d)], ([x, y, i]) =>
      body({ picked: x, other: y, index: i, low }),
    );
  else if (large === picked)
    inHalves([[picked, d]], ([x], half) =>
      body({ picked: x, other, index, low: half === 0 ? low : low + Math.ceil(picked.shape[d] / 2) }),
    );
  else
    inHalves(
      [
        [other, d],
        [index, d],
      ],
      ([y, i]) => body({ picked, other: y, index: i, low }),
    );
}

export function indexSelect(gpu: GpuContext, x: NDArray, dim: number, index: NDArray): NDArray {
  const shape = x.shape.length === 0 ? [] : x.shape.map((s, d) => (d === dim ? index.size : s));
  const out = gpu.empty(shape, x.dtype);
  const picks = across(index, shape.length, dim);
  pick(gpu, { key: 'indexSelect', out, x, dim, index: picks, size: x.shape[dim] ?? 1, low: 0, table: null });
  picks.release();
  return out;
}

export function gather(gpu: GpuContext, x: NDArray, dim: number, index: NDArray): NDArray {
  const { shape } = index;
  const out = gpu.empty(shape, x.dtype);
  // Only dim may be longer than the index is.
  const like = shape.map((size, d) => (d === dim ? (x.shape[d] ?? 1) : size));
  const source = x.view(
    like,
    shape.map((_, d) => x.strides[d] ?? 0),
  );
  pick(gpu, { key: 'gather', out, x: source, dim, index, size: x.shape[dim] ?? 1, low: 0, table: null });
  source.release();
  return out;
}

export function take(gpu: GpuContext, source: NDArray, positions: NDArray): NDArray {
  const out = gpu.empty(positions.shape, source.dtype);
  if (out.size === 0) return out;
  const x = gpu.contiguous(source);
  const index = gpu.contiguous(positions);
  const flat = [out, x, index].map((array) => array.view([array.size], [1]));
  pick(gpu, {
    key: 'take',
    out: flat[0],
    x: flat[1],
    dim: 0,
    index: flat[2],
    size: x.size,
    low: 0,
    table: null,
  });
  for (const view of flat) view.release();
  return out;
}

/** Each step rounded, as the CPU's: the division by its exact reciprocal would not be. */
export function gatherScaled(gpu: GpuContext, x: NDArray, index: NDArray, s: PixelScaling): NDArray {
  const shape = [index.size, ...x.shape.slice(1)];
  const out = gpu.empty(shape, 'float32');
  const f = Math.fround;
  const values = Float32Array.from({ length: 256 }, (_, byte) =>
    f(f(f(byte / f(s.divisor)) - f(s.mean)) / f(s.std)),
  );
  const picks = across(index, shape.length, 0);
  const table = gpu.table(values);
  pick(gpu, { key: 'gatherScaled', out, x, dim: 0, index: picks, size: x.shape[0], low: 0, table });
  picks.release();
  return out;
}
