/** Checks every collective with every dtype against what plain arithmetic gives. Reports what was wrong. */
import fs from 'node:fs';
import type { DType, Tensor } from 'wasmgrad';
import * as torch from 'wasmgrad';
import * as dist from 'wasmgrad/distributed';

dist.initProcessGroup({ backend: 'mpi', timeoutMs: 120_000, chunkMb: 0.005 });
const rank = dist.getRank();
const size = dist.getWorldSize();
const wrong: string[] = [];

function same(what: string, x: Tensor, expected: ArrayLike<number | bigint>): void {
  const got = Array.from<number | bigint>(x.data);
  const want = Array.from(expected);
  if (got.length !== want.length || got.some((v, i) => Number(v) !== Number(want[i])))
    wrong.push(`${what}: got ${got.slice(0, 6)}, expected ${want.slice(0, 6)}`);
}

function throws(what: string, body: () => unknown, message: RegExp): void {
  try {
    body();
    wrong.push(`${what}: no error`);
  } catch (error) {
    if (!message.test(String(error))) wrong.push(`${what}: ${String(error)}`);
  }
}

const dtypes: DType[] = ['float32', 'float64', 'int64', 'int32', 'int16', 'int8', 'uint8', 'bool'];
const ranks = [...new Array(size).keys()];
/** The last one goes the way of large tensors. */
const lengths = (dtype: DType): number[] => (dtype === 'float32' ? [1, 7, 20_000] : [7, 2000]);

/** Element i of process r: small, so that no dtype overflows in sums of a few. */
const element = (dtype: DType, r: number, i: number): number =>
  dtype === 'bool' ? (i + r) % 2 : ((i + 3 * r) % 5) + 1;
const make = (dtype: DType, r: number, n: number): Tensor =>
  torch.tensor(Array.from({ length: n }, (_, i) => element(dtype, r, i))).to(dtype);
const combined = (dtype: DType, n: number, f: (a: number, b: number) => number): number[] =>
  Array.from({ length: n }, (_, i) => ranks.map((r) => element(dtype, r, i)).reduce((a, b) => f(a, b)));

const add = (a: number, b: number): number => a + b;
const either = (a: number, b: number): number => a | b;
const both = (a: number, b: number): number => a & b;
const differ = (a: number, b: number): number => a ^ b;
for (const dtype of dtypes) {
  for (const n of lengths(dtype)) {
    const is = `${dtype} [${n}]`;
    const sum = combined(dtype, n, dtype === 'bool' ? either : add);
    const x = make(dtype, rank, n);
    const version = x.version;
    same(`allReduce ${is}`, dist.allReduce(x), sum);
    if (size > 1 && x.version === version) wrong.push(`allReduce ${is}: the version did not change`);
    same(`max ${is}`, dist.allReduce(make(dtype, rank, n), { op: 'max' }), combined(dtype, n, Math.max));
    same(`min ${is}`, dist.allReduce(make(dtype, rank, n), { op: 'min' }), combined(dtype, n, Math.min));
    const product = combined(dtype, n, dtype === 'bool' ? both : (a, b) => a * b);
    if (dtype !== 'int8' && dtype !== 'uint8')
      same(`product ${is}`, dist.allReduce(make(dtype, rank, n), { op: 'product' }), product);
    if (!dtype.startsWith('float')) {
      same(`bor ${is}`, dist.allReduce(make(dtype, rank, n), { op: 'bor' }), combined(dtype, n, either));
      same(`band ${is}`, dist.allReduce(make(dtype, rank, n), { op: 'band' }), combined(dtype, n, both));
      same(`bxor ${is}`, dist.allReduce(make(dtype, rank, n), { op: 'bxor' }), combined(dtype, n, differ));
    } else {
      same(
        `mean ${is}`,
        dist.allReduce(make(dtype, rank, n).mul(size), { op: 'mean' }),
        combined(dtype, n, add),
      );
    }
    const late = dist.allReduce(make(dtype, rank, n), { async: true });
    const later = dist.broadcast(make(dtype, rank, n), size - 1, { async: true });
    same(`async ${is}`, late.wait(), sum);
    same(`async broadcast ${is}`, later.wait(), make(dtype, size - 1, n).data);
    if (!late.isCompleted()) wrong.push(`async ${is}: not complete after wait`);
    same(`broadcast ${is}`, dist.broadcast(make(dtype, rank, n), size - 1), make(dtype, size - 1, n).data);
    const reduced = dist.reduce(make(dtype, rank, n), size - 1);
    same(`reduce ${is}`, reduced, rank === size - 1 ? sum : make(dtype, rank, n).data);
    const gathered = dist.allGather(make(dtype, rank, n));
    ranks.forEach((r) => {
      same(`allGather ${is}`, gathered[r], make(dtype, r, n).data);
    });
    const parts = ranks.map((r) => make(dtype, rank + r, n));
    const scattered = ranks.map((r) => Array.from({ length: n }, (_, i) => element(dtype, r + rank, i)));
    const folded = scattered[0].map((_, i) =>
      scattered.map((row) => row[i]).reduce(dtype === 'bool' ? either : add),
    );
    same(`reduceScatter ${is}`, dist.reduceScatter(parts), folded);
    same(`reduceScatter of one tensor ${is}`, dist.reduceScatter(torch.cat(parts)), folded);
  }
}

// Tensors with gaps, in another order, or in the middle of a storage.
const grid = torch
  .arange(24)
  .float()
  .reshape(4, 6)
  .mul(rank + 1);
const factor = ranks.reduce((s, r) => s + r + 1, 0);
const whole = grid.clone();
const t = grid.t();
dist.allReduce(t);
same('a transposed tensor', grid, whole.div(rank + 1).mul(factor).data);
const columns = whole.clone();
dist.allReduce(columns.narrow(1, 2, 3));
const expected = whole.clone();
expected.narrow(1, 2, 3).copy_(
  whole
    .narrow(1, 2, 3)
    .div(rank + 1)
    .mul(factor),
);
same('some columns', columns, expected.data);
const rows = whole.clone();
dist.broadcast(rows.narrow(0, 1, 2), 0);
const fromFirst = whole.clone();
fromFirst.narrow(0, 1, 2).copy_(whole.narrow(0, 1, 2).div(rank + 1));
same('some rows', rows, fromFirst.data);
same('a scalar', dist.allReduce(torch.tensor(rank)), [ranks.reduce(add)]);
same('nothing', dist.allReduce(torch.zeros(0)), []);
const repeated = torch
  .tensor([rank + 1])
  .expand(5)
  .contiguous();
same('a repeated element', dist.allReduce(repeated), new Array(5).fill(factor));

// Many at once, while memory grows and old blocks are moved out.
const pending = Array.from({ length: 12 }, (_, k) =>
  dist.allReduce(torch.full([30_000], k + rank), { async: true }),
);
const kept: Tensor[] = [];
for (let i = 0; i < 34; i++) kept.push(torch.full([1_000_000], i));
pending.forEach((work, k) => {
  const want = ranks.reduce((s, r) => s + k + r, 0);
  const x = work.wait();
  if (x.min().item() !== want || x.max().item() !== want)
    wrong.push(`pending ${k}: ${x.min().item()}, not ${want}`);
});
kept.forEach((x, i) => {
  if (x.sum().item() !== 1_000_000 * i) wrong.push(`a tensor made meanwhile: ${i}`);
});

// Objects, metrics, and words for mistakes.
const objects = dist.allGatherObject({ rank, text: 'ä'.repeat(rank) });
if (JSON.stringify(objects) !== JSON.stringify(ranks.map((r) => ({ rank: r, text: 'ä'.repeat(r) }))))
  wrong.push(`allGatherObject: ${JSON.stringify(objects)}`);
const { loss } = dist.averageMetrics({ loss: rank }, rank + 1);
const mean = ranks.reduce((s, r) => s + r * (r + 1), 0) / factor;
if (Math.abs(loss - mean) > 1e-12) wrong.push(`averageMetrics: ${loss}, not ${mean}`);
throws(
  'mean of ints',
  () => dist.allReduce(torch.arange(3), { op: 'mean' }),
  /'mean' needs a floating dtype/,
);
throws('bor of floats', () => dist.allReduce(torch.zeros(3), { op: 'bor' }), /needs integers or bool/);
throws(
  'no such op',
  () => dist.allReduce(torch.zeros(3), { op: 'avg' as 'sum' }),
  /op must be one of mean, sum/,
);
throws('no such rank', () => dist.broadcast(torch.zeros(3), size), /src must be a rank from 0 to/);
throws('no tensor', () => dist.allReduce([1] as unknown as Tensor), /expected a Tensor/);
throws('a second group', () => dist.initProcessGroup(), /twice/);
if (size > 1) throws('uneven', () => dist.reduceScatter(torch.zeros(size + 1)), /multiple of the/);

// A trap in WebAssembly must stay an error of JavaScript, although MPI's libraries handle signals.
const trap = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 127, 3, 2, 1, 0, 5, 3, 1, 0, 1, 7, 5, 1, 1, 102, 0, 0, 10,
  12, 1, 10, 0, 65, 128, 128, 200, 0, 40, 2, 0, 11,
]);
const { exports } = new WebAssembly.Instance(new WebAssembly.Module(trap));
throws('a trap', () => (exports.f as () => number)(), /RuntimeError: memory access out of bounds/);

dist.barrier();
fs.writeSync(
  1,
  `@${JSON.stringify({ rank, size, local: dist.getLocalRank(), wrong, threads: torch.backendInfo().threads })}\n`,
);
dist.destroyProcessGroup();
throws('after the end', () => dist.getRank(), /has not been initialized/);
