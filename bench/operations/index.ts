/**
 * `npm run bench:operations -- [--threads n] [--samples n] [--filter text]`: some 250 everyday operations beside PyTorch's,
 * forward, and forward and backward, sorted by how many times as long ours take: to find what is out of the ordinary. Best
 * of a few samples each, ours first and then theirs, so that a quiet machine is needed; PYTHON names an interpreter with torch.
 */
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import * as torch from 'wasmgrad';
import { nn, Tensor } from 'wasmgrad';
import { FORWARD, makeInputs, type Operation, WITH_GRADIENTS } from './operations.ts';

const { values } = parseArgs({
  options: {
    threads: { type: 'string', default: '1' },
    samples: { type: 'string', default: '15' },
    filter: { type: 'string', default: '' },
  },
});
const threads = Number(values.threads);
const samples = Number(values.samples);

function timeOf(body: () => void, count: number): number {
  const start = performance.now();
  for (let i = 0; i < count; i++) body();
  return ((performance.now() - start) / count) * 1e3;
}

/** Microseconds: the best of the samples, each of 2 ms or one call. */
function bestOf(body: () => void): number {
  for (let i = 0; i < 10; i++) body();
  const count = Math.max(1, Math.min(1000, Math.floor(2000 / Math.max(timeOf(body, 1), 1))));
  return Math.min(...Array.from({ length: samples }, () => timeOf(body, count)));
}

await torch.init({ threads });
torch.manualSeed(0);
const inputs = makeInputs();
const held: unknown[] = Object.values(inputs);
const leaves = held.filter((x) => x instanceof Tensor).filter((x) => x.isFloatingPoint());
const parameters = held.flatMap((x) => (x instanceof nn.Module ? x.parameters() : []));

function stepOf(call: () => unknown): () => void {
  const tensorOf = () => call() as Tensor;
  const ones = torch.onesLike(tensorOf().detach());
  return () => {
    tensorOf().backward(ones);
    for (const leaf of leaves) leaf.grad = null;
    for (const parameter of parameters) parameter.grad = null;
  };
}

const chosen = (rows: readonly Operation[]) => rows.filter(([, theirs]) => theirs.includes(values.filter));
const [forward, gradients] = [chosen(FORWARD), chosen(WITH_GRADIENTS)];
const ours = forward.map(([call]) => bestOf(() => call(inputs)));
for (const leaf of leaves) leaf.requiresGrad_();
const oursBack = gradients.map(([call]) => bestOf(stepOf(() => call(inputs))));

const names = (rows: readonly Operation[]) => rows.map(([, theirs]) => theirs);
const asked = { threads, samples, forward: names(forward), gradients: names(gradients) };
const reply = execFileSync(process.env.PYTHON ?? 'python3', ['bench/operations/measure.py'], {
  input: JSON.stringify(asked),
  encoding: 'utf8',
  stdio: ['pipe', 'pipe', 'inherit'],
});
const { version, found } = JSON.parse(reply) as { version: string; found: number[][] };

const rows = [
  ...forward.map(([, name], i) => ({ name, ours: ours[i], theirs: found[0][i] })),
  ...gradients.map(([, name], i) => ({
    name: `${name}, backward too`,
    ours: oursBack[i],
    theirs: found[1][i],
  })),
].sort((a, b) => b.ours / b.theirs - a.ours / a.theirs);
console.log(`Microseconds on ${threads} thread(s), wasmgrad and PyTorch ${version}:\n`);
console.log('| times | wasmgrad | PyTorch | operation |\n|--:|--:|--:|---|');
for (const row of rows)
  console.log(
    `| ${(row.ours / row.theirs).toFixed(2)} | ${row.ours.toFixed(1)} | ${row.theirs.toFixed(1)} | \`${row.name}\` |`,
  );
process.exit(0);
