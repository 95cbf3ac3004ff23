/**
 * Sums of products, out[b, i, j] = Σ_l A(b, i, l) · B(b, l, j), for whatever A and B are: matrices with any strides, or
 * the windows of a convolution. Small results are computed by one thread per element; others by workgroups that share
 * tiles of A and B (tiles.ts). Few tiles over a long l are split along l, and the parts added in a second pass, always in
 * the same order. Few sums over neighbours in memory (rows times rows) are made by a workgroup each, whose subgroups add up
 * without a barrier where the device has them.
 */
import type { NDArray } from '../array.ts';
import type { BoundArray, GpuContext } from './context.ts';
import { split } from './foldKernels.ts';
import { SUM } from './folds.ts';
import { reduce } from './reduce.ts';
import { type Directions, type Tile, threadsOf, tiledBody, tileFor, tileMemory } from './tiles.ts';

/** Threads of a workgroup where each computes one element. */
const SINGLES = 64;
/** Threads that share one sum, a multiple of every subgroup's size; from so many terms on, up to so many sums. */
const TEAM = 128;
const TEAM_TERMS = 256;
const TEAM_SUMS = 4096;
/** Below so many tiles the sum is split, into parts of at least so many terms. */
const FEW_TILES = 16;
const PART_TERMS = 512;
/** So many parts of a sum are added by one thread; more are folded first. */
const FEW_PARTS = 64;

export interface Product extends Directions {
  readonly key: string;
  readonly batches: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** The arrays that `a` and `b` read. */
  readonly inputs: readonly BoundArray[];
  /** Those that `epilogue` and `aside` read or write. */
  readonly also?: readonly BoundArray[];
  readonly params: readonly (readonly [string, number])[];
  /** WGSL functions `load_a(b, i, l)` and `load_b(b, l, j)`, all u32, each giving f32. */
  readonly loads: () => string;
  readonly out: NDArray;
  /** WGSL for the place in `out` of (b, i, j); default row-major [batches, m, n] from out's offset on. */
  readonly place?: string | undefined;
  /** WGSL over `v`, `b`, `i`, `j`: what becomes of a finished sum. */
  readonly epilogue?: string | undefined;
  /** WGSL over the same, before all else: statements that may store a sum elsewhere, and return. */
  readonly aside?: string | undefined;
}

const isForTeams = ({ m, n, k, batches, aAlongL, bAlongJ }: Product): boolean =>
  aAlongL && !bAlongJ && k >= TEAM_TERMS && m * n * batches <= TEAM_SUMS && Math.min(m, n) < 8;

export function product(gpu: GpuContext, p: Product): void {
  const { m, n, k, batches } = p;
  if (m * n * batches === 0) return;
  if (isForTeams(p)) {
    launchTeams(gpu, p);
    return;
  }
  const tile = tileFor(gpu.workgroupBytes, batches, m, n, k, p.workedOut ?? false);
  const parts = partsOf(p, tile);
  if (parts > 1) {
    const length = Math.ceil(k / parts);
    const count = Math.ceil(k / length);
    const partials = gpu.empty([count, batches, m, n], 'float32');
    const { key, inputs, params, loads, aAlongL, bAlongJ, workedOut } = p;
    const terms = { inputs, params, loads, aAlongL, bAlongJ, workedOut, batches, m, n, k };
    launch(gpu, { ...terms, key: `${key} parts`, out: partials }, tile, count, length);
    joinParts(gpu, p, partials);
    partials.release();
    return;
  }
  launch(gpu, p, tile, 1, Math.max(k, 1));
}

/** How many parts the sum over l is split into. */
function partsOf({ m, n, k, batches }: Product, tile: Tile | null): number {
  if (k < 2 * PART_TERMS) return 1;
  const tiles = Math.ceil(m / (tile?.rows ?? 1)) * Math.ceil(n / (tile?.columns ?? 1)) * batches;
  const enough = tile ? FEW_TILES : FEW_TILES * SINGLES;
  return tiles >= enough ? 1 : Math.min(Math.ceil(enough / tiles), Math.floor(k / PART_TERMS));
}

/** Adds the parts [count, batches, m, n] of each sum, and finishes it. */
function joinParts(gpu: GpuContext, p: Product, partials: NDArray): void {
  if (partials.shape[0] > FEW_PARTS) {
    const total = reduce(gpu, SUM, partials, [0], true);
    joinParts(gpu, p, total);
    total.release();
    return;
  }
  gpu.run({
    key: `product ${p.key} join`,
    bindings: [
      { name: 'partials', type: 'f32', array: partials },
      ...(p.also ?? []),
      { name: 'out', type: 'f32', array: p.out, writes: true },
    ],
    params: [...sizeParams(p, p.k), ['parts: u32', partials.shape[0]]],
    threads: p.batches * p.m * p.n,
    workgroup: SINGLES,
    declarations: () => finishText(p),
    body: () => `
var sum = 0.0;
for (var part = 0u; part < P.parts; part++) { sum += partials[part * P.threads + i]; }
finish(0u, i / P.n / P.m, (i / P.n) % P.m, i % P.n, sum);`,
  });
}

const finishText = (p: Product): string => {
  const place = p.place ?? 'P.out_at + ((part * P.batches + b) * P.m + i) * P.n + j';
  return `fn finish(part: u32, b: u32, i: u32, j: u32, v: f32) {
  ${p.aside ?? ''}
  out[${place}] = ${p.epilogue ?? 'v'};
}`;
};

function sizeParams({ m, n, k, batches, out, params }: Product, length: number): [string, number][] {
  return [
    ['m: u32', m],
    ['n: u32', n],
    ['k: u32', k],
    ['batches: u32', batches],
    ['part: u32', length],
    ['out_at: u32', out.offset],
    ...(params as [string, number][]),
  ];
}

const SUBGROUP_SUM = `
for (var d = 1u; d < lanes; d = d << 1u) { sum += subgroupShuffleXor(sum, d); }
sum = select(0.0, sum, lane == 0u);`;

/** A workgroup per sum. Every thread takes each TEAM-th term; lanes of a subgroup add up in a butterfly. */
function launchTeams(gpu: GpuContext, p: Product): void {
  const { subgroups } = gpu;
  const sums = p.m * p.n * p.batches;
  gpu.run({
    key: `product ${p.key} team ${subgroups}`,
    bindings: [...p.inputs, ...(p.also ?? []), { name: 'out', type: 'f32', array: p.out, writes: true }],
    params: [...sizeParams(p, p.k), ['sums: u32', sums]],
    threads: 0,
    workgroup: TEAM,
    groups: split(sums, gpu.maxGroups),
    enables: subgroups ? ['subgroups'] : undefined,
    declarations: () => `${p.loads()}\n${finishText(p)}\nvar<workgroup> team: array<f32, ${TEAM}>;`,
    body: () => `
let at = wid.y * groups.x + wid.x;
if (at >= P.sums) { return; }
let j = at % P.n;
let row = (at / P.n) % P.m;
let b = at / P.n / P.m;
var sum = 0.0;
for (var l = lid; l < P.k; l += ${TEAM}u) { sum += load_a(b, row, l) * load_b(b, l, j); }
${subgroups ? SUBGROUP_SUM : ''}
team[lid] = sum;
workgroupBarrier();
if (lid == 0u) {
  var total = 0.0;
  for (var t = 0u; t < ${TEAM}u; t++) { total += team[t]; }
  finish(0u, b, row, j, total);
}`,
  });
}

function launch(gpu: GpuContext, p: Product, tile: Tile | null, parts: number, length: number): void {
  const { m, n, batches, inputs, also = [], out } = p;
  const params = sizeParams(p, length);
  const bindings = [...inputs, ...also, { name: 'out', type: 'f32', array: out, writes: true }];
  if (tile === null) {
    gpu.run({
      key: `product ${p.key} single`,
      bindings,
      params,
      threads: parts * batches * m * n,
      workgroup: SINGLES,
      declarations: () => `${p.loads()}\n${finishText(p)}`,
      body: () => `
let j = i % P.n;
let row = (i / P.n) % P.m;
let b = (i / P.n / P.m) % P.batches;
let part = i / P.n / P.m / P.batches;
let end = min((part + 1u) * P.part, P.k);
var sum = 0.0;
for (var l = part * P.part; l < end; l++) {
  sum += load_a(b, row, l) * load_b(b, l, j);
}
finish(part, b, row, j, sum);`,
    });
    return;
  }
  const { rows, columns, depth } = tile;
  const tiles = Math.ceil(m / rows) * Math.ceil(n / columns) * batches * parts;
  const half = gpu.halfProducts;
  gpu.run({
    key: `product ${p.key} ${rows}×${columns} ${depth} ${p.aAlongL ? 'l' : 'i'}${p.bAlongJ ? 'j' : 'l'}${half ? ' f16' : ''}`,
    bindings,
    params: [
      ...params,
      ['tiles_n: u32', Math.ceil(n / columns)],
      ['tiles_m: u32', Math.ceil(m / rows)],
      ['tiles: u32', tiles],
    ],
    threads: 0,
    workgroup: threadsOf(tile),
    groups: split(tiles, gpu.maxGroups),
    enables: half ? ['f16'] : undefined,
    declarations: () => `${p.loads()}\n${finishText(p)}\n${tileMemory(tile, half)}`,
    body: () => tiledBody(tile, p, half),
  });
}
