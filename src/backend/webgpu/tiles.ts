/**
 * The text of products by tiles: a workgroup brings a tile of A and one of B into its memory, where every thread takes its
 * rows and columns from, and keeps their sums in registers. The next tiles are on their way from the device's memory, in
 * registers too, while the present ones are multiplied (V. Volkov and J. Demmel, "Benchmarking GPUs to tune dense linear
 * algebra", 2008, describe both).
 */

/** `rows` × `columns` sums, `each` × `across` of them a thread's, `depth` steps of l at a time. */
export interface Tile {
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  readonly each: number;
  readonly across: number;
}

/** Each with the number of workgroups from which on it is the fastest: measured on an H200, whose 132 cores want many. */
const TILES: readonly (readonly [Tile, workgroups: number])[] = [
  [{ rows: 128, columns: 128, depth: 16, each: 8, across: 8 }, 128],
  [{ rows: 64, columns: 64, depth: 32, each: 8, across: 4 }, 96],
  [{ rows: 32, columns: 32, depth: 32, each: 4, across: 4 }, 0],
];

/** The same where places in memory are worked out, as for convolutions: their tiles are by the sizes of the product. */
const WORKED_OUT: readonly (readonly [Tile, side: number, sums: number])[] = [
  [{ rows: 128, columns: 128, depth: 16, each: 8, across: 8 }, 512, 0],
  [{ rows: 64, columns: 64, depth: 16, each: 4, across: 4 }, 64, 65536],
  [{ rows: 32, columns: 32, depth: 16, each: 4, across: 4 }, 0, 0],
];

const bytesOf = ({ rows, columns, depth }: Tile): number => (rows + columns) * depth * 4;

/** Null where a thread for each sum does as well. */
export function tileFor(
  workgroupBytes: number,
  batches: number,
  m: number,
  n: number,
  k: number,
  workedOut: boolean,
): Tile | null {
  if (m < 8 || n < 8 || k < 8 || m * n * k <= 32 ** 3) return null;
  if (workedOut) {
    const fits = WORKED_OUT.find(
      ([tile, side, sums]) => bytesOf(tile) <= workgroupBytes && Math.min(m, n) >= side && m * n >= sums,
    );
    return fits?.[0] ?? null;
  }
  for (const [tile, workgroups] of TILES) {
    const { rows, columns } = tile;
    if (bytesOf(tile) > workgroupBytes) continue;
    if (Math.ceil(m / rows) * Math.ceil(n / columns) * batches >= workgroups) return tile;
  }
  return null;
}

/** How a product's operands lie in memory. */
export interface Directions {
  /** Neighbouring l of A, or j of B, are neighbours in memory. */
  readonly aAlongL: boolean;
  readonly bAlongJ: boolean;
  /** Where elements are takes divisions to tell. */
  readonly workedOut?: boolean;
}

export const threadsOf = ({ rows, columns, each, across }: Tile): number =>
  (rows / each) * (columns / across);

/** Rows of the tiles are steps of l; vectors are of four neighbouring i, or j. */
export const tileMemory = ({ rows, columns, depth }: Tile, half: boolean): string => {
  const vector = `vec4<${half ? 'f16' : 'f32'}>`;
  return `
var<workgroup> tile_a: array<${vector}, ${(rows / 4) * depth}>;
var<workgroup> tile_b: array<${vector}, ${(columns / 4) * depth}>;`;
};

/** What threads do to bring one tile from the device's memory: into registers, and from there into the workgroup's. */
interface Transfer {
  readonly declare: string;
  readonly load: string;
  readonly store: string;
}

const COMPONENTS = ['x', 'y', 'z', 'w'] as const;
/** Threads beside each other along l where l is the direction of memory: more would write into the same bank. */
const NEIGHBOURS = 2;

interface Side {
  readonly tile: 'tile_a' | 'tile_b';
  /** Rows of A, or columns of B. */
  readonly extent: number;
  readonly alongL: boolean;
  /** WGSL for the element at i (or j) and l. */
  element(at: string, l: string): string;
  /** WGSL for the first i (or j) of the tile, and for the last one that exists. */
  readonly first: string;
  readonly last: string;
}

/** Threads that have nothing to bring leave out what others do. */
const guarded = (unit: string, count: number, sure: boolean, text: string): string =>
  sure ? `{ ${text} }` : `if (${unit} < ${count}u) { ${text} }`;

/** Four by four elements at a time, read along l and stored across it. */
function transferAlongL(side: Side, { depth }: Tile, threads: number, narrow: string): Transfer[] {
  const { tile, extent, element, first, last } = side;
  const across = extent / 4;
  const blocks = across * (depth / 4);
  return Array.from({ length: Math.ceil(blocks / threads) }, (_, turn) => {
    const q = `${tile}_${turn}`;
    const sure = (turn + 1) * threads <= blocks;
    const vectors = [0, 1, 2, 3].map((r) => `${q}_${r}`);
    const loads = vectors.map((vector, r) => {
      const elements = [0, 1, 2, 3].map(
        (c) => `select(0.0, ${element(`at`, `min(l + ${c}u, end - 1u)`)}, l + ${c}u < end)`,
      );
      return `{ let at = min(${first} + ${q}_at * 4u + ${r}u, ${last}); ${vector} = vec4<f32>(${elements.join(', ')}); }`;
    });
    const stores = COMPONENTS.map(
      (c, step) =>
        `${tile}[(${q}_l + ${step}u) * ${across}u + ${q}_at] = ${narrow}(vec4<f32>(${vectors.map((v) => `${v}.${c}`).join(', ')}));`,
    );
    return {
      declare: `let ${q} = lid + ${turn * threads}u;
let ${q}_l = (${q} % ${NEIGHBOURS}u + ${q} / ${NEIGHBOURS * across}u * ${NEIGHBOURS}u) * 4u;
let ${q}_at = (${q} / ${NEIGHBOURS}u) % ${across}u;
${vectors.map((v) => `var ${v} = vec4<f32>();`).join(' ')}`,
      load: guarded(q, blocks, sure, `let l = step + ${q}_l; ${loads.join('\n')}`),
      store: guarded(q, blocks, sure, stores.join('\n')),
    };
  });
}

/** Four neighbours at a time, as they lie in memory. */
function transferAcross(side: Side, { depth }: Tile, threads: number, narrow: string): Transfer[] {
  const { tile, extent, element, first, last } = side;
  const across = extent / 4;
  const slots = across * depth;
  return Array.from({ length: Math.ceil(slots / threads) }, (_, turn) => {
    const q = `${tile}_${turn}`;
    const sure = (turn + 1) * threads <= slots;
    const elements = [0, 1, 2, 3].map((c) => element(`min(at + ${c}u, ${last})`, 'min(l, end - 1u)'));
    return {
      declare: `let ${q} = lid + ${turn * threads}u;
let ${q}_l = ${q} / ${across}u;
let ${q}_at = ${q} % ${across}u;
var ${q}_v = vec4<f32>();`,
      load: guarded(
        q,
        slots,
        sure,
        `let l = step + ${q}_l; let at = ${first} + ${q}_at * 4u;
${q}_v = select(vec4<f32>(), vec4<f32>(${elements.join(', ')}), l < end);`,
      ),
      store: guarded(q, slots, sure, `${tile}[${q}] = ${narrow}(${q}_v);`),
    };
  });
}

/**
 * Nothing on its way ahead, and little text: where each place takes divisions, threads beside each other take them for
 * neighbours in memory.
 */
function transferAtOnce(side: Side, { depth }: Tile, threads: number, narrow: string): Transfer[] {
  const { tile, extent, alongL, element, first, last } = side;
  const across = extent / 4;
  const elements = [0, 1, 2, 3].map((c) => element(`min(${first} + place * 4u + ${c}u, ${last})`, 'l'));
  const store = `
for (var slot = lid; slot < ${across * depth}u; slot += ${threads}u) {
let dl = ${alongL ? `slot % ${depth}u` : `slot / ${across}u`};
let place = ${alongL ? `slot / ${depth}u` : `slot % ${across}u`};
let l = at + dl;
var v = vec4<f32>();
if (l < end) { v = vec4<f32>(${elements.join(', ')}); }
${tile}[dl * ${across}u + place] = ${narrow}(v);
}`;
  return [{ declare: '', load: '', store }];
}

/** The body of the kernel, which calls `load_a`, `load_b` and `finish` (product.ts). */
export function tiledBody(
  tile: Tile,
  { aAlongL, bAlongJ, workedOut = false }: Directions,
  half: boolean,
): string {
  const { rows, columns, depth, each, across } = tile;
  const threads = threadsOf(tile);
  const narrow = half ? 'vec4<f16>' : 'vec4<f32>';
  const widen = half ? 'vec4<f32>' : '';
  const sides: Side[] = [
    {
      tile: 'tile_a',
      extent: rows,
      alongL: aAlongL,
      element: (i, l) => `load_a(b, ${i}, ${l})`,
      first: 'i0',
      last: 'P.m - 1u',
    },
    {
      tile: 'tile_b',
      extent: columns,
      alongL: !bAlongJ,
      element: (j, l) => `load_b(b, ${l}, ${j})`,
      first: 'j0',
      last: 'P.n - 1u',
    },
  ];
  const transfers = sides.flatMap((side) => {
    if (workedOut) return transferAtOnce(side, tile, threads, narrow);
    return (side.alongL ? transferAlongL : transferAcross)(side, tile, threads, narrow);
  });
  const load = transfers.map((x) => x.load).join('\n');
  const store = transfers.map((x) => x.store).join('\n');
  const [threadRows, threadColumns] = [rows / each, columns / across];
  const list = (length: number) => Array.from({ length }, (_, at) => at);
  const [aVectors, bVectors] = [list(each / 4), list(across / 4)];
  const sum = (r: number, c: number) => `s${r}_${c}`;
  const sums = list(each).flatMap((r) => bVectors.map((c) => sum(r, c)));
  const multiply = list(each).flatMap((r) =>
    bVectors.map((c) => `${sum(r, c)} += a${Math.floor(r / 4)}.${COMPONENTS[r % 4]} * b${c};`),
  );
  const results = list(each).map((r) => {
    const stores = bVectors.flatMap((c) =>
      COMPONENTS.map(
        (component, v) =>
          `{ let j = j0 + (tx + ${c * threadColumns}u) * 4u + ${v}u; if (j < P.n) { finish(part, b, i, j, ${sum(r, c)}.${component}); } }`,
      ),
    );
    return `{ let i = i0 + (ty + ${Math.floor(r / 4) * threadRows}u) * 4u + ${r % 4}u;
if (i < P.m) {
${stores.join('\n')}
} }`;
  });
  return `
let tile = wid.y * groups.x + wid.x;
if (tile >= P.tiles) { return; }
let tn = tile % P.tiles_n;
let tm = (tile / P.tiles_n) % P.tiles_m;
let b = (tile / P.tiles_n / P.tiles_m) % P.batches;
let part = tile / P.tiles_n / P.tiles_m / P.batches;
let ty = lid / ${threadColumns}u;
let tx = lid % ${threadColumns}u;
let i0 = tm * ${rows}u;
let j0 = tn * ${columns}u;
let begin = part * P.part;
let end = min(begin + P.part, P.k);
${sums.map((s) => `var ${s} = vec4<f32>();`).join(' ')}
${transfers.map((x) => x.declare).join('\n')}
var step = begin;
${load}
for (var at = begin; at < end; at += ${depth}u) {
${store}
workgroupBarrier();
step = at + ${depth}u;
if (step < end) {
${load}
}
for (var dl = 0u; dl < ${depth}u; dl++) {
${bVectors.map((c) => `let b${c} = ${widen}(tile_b[dl * ${columns / 4}u + tx + ${c * threadColumns}u]);`).join('\n')}
${aVectors.map((c) => `let a${c} = ${widen}(tile_a[dl * ${rows / 4}u + ty + ${c * threadRows}u]);`).join('\n')}
${multiply.join('\n')}
}
workgroupBarrier();
}
${results.join('\n')}`;
}
