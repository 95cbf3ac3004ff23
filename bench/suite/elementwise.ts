/** Elementwise functions, reductions and functions of rows, in cache and beyond it. */
import * as torch from 'wasmgrad';
import { nn, type Tensor } from 'wasmgrad';
import { lazy, on } from './inputs.ts';
import type { Group, Setting, Stream, Timed } from './types.ts';

interface Input {
  readonly x: Tensor;
  readonly y: Tensor;
  /** A tensor that is written to, and zeros that may be added to it as often as one likes. */
  readonly target: Tensor;
  readonly zeros: Tensor;
  /** The same elements in rows of `row`. */
  readonly rows: Tensor;
  readonly row: Tensor;
  readonly width: number;
}
type Body = (input: Input) => Tensor;
/** [name, what it reads and writes (if memory is its limit), what it does]. */
type Row = readonly [name: string, stream: Stream | undefined, body: Body];

const ELEMENTWISE: readonly Row[] = [
  ['copy', 'copy', ({ x }) => x.clone()],
  ['add', 'add', ({ x, y }) => x.add(y)],
  ['mul', 'add', ({ x, y }) => x.mul(y)],
  ['mul by a number', 'copy', ({ x }) => x.mul(2)],
  ['add a row to each row', 'copy', ({ rows, row }) => rows.add(row)],
  ['relu', 'copy', ({ x }) => x.relu()],
  ['sqrt', 'copy', ({ y }) => y.sqrt()],
  ['exp', undefined, ({ x }) => x.exp()],
  ['log', undefined, ({ y }) => y.log()],
  ['tanh', undefined, ({ x }) => x.tanh()],
  ['sigmoid', undefined, ({ x }) => x.sigmoid()],
  ['gelu', undefined, ({ x }) => nn.functional.gelu(x)],
  // Into memory that is there already: how fast the kernels are where no result is made.
  ['copy into', 'copy', ({ x, target }) => target.copy_(x)],
  ['add in place', 'add', ({ target, zeros }) => target.add_(zeros)],
  ['relu in place', 'copy', ({ target }) => target.relu_()],
  ['transpose and copy', 'copy', ({ rows }) => rows.t().contiguous()],
];
const REDUCTIONS: readonly Row[] = [
  ['sum', 'read', ({ x }) => x.sum()],
  ['mean', 'read', ({ x }) => x.mean()],
  ['max', 'read', ({ x }) => x.max()],
  ['sum of columns', 'read', ({ rows }) => rows.sum(0)],
  ['sum of rows', 'read', ({ rows }) => rows.sum(1)],
  ['argmax of rows', 'read', ({ rows }) => rows.argmax(1)],
];
const ROWS: readonly Row[] = [
  ['softmax', 'copy', ({ rows }) => rows.softmax(1)],
  ['logSoftmax', 'copy', ({ rows }) => rows.logSoftmax(1)],
  ['layerNorm', 'copy', ({ rows, width }) => nn.functional.layerNorm(rows, [width])],
];

const SIZES = [
  { elements: 65_536, width: 256 },
  { elements: 4_194_304, width: 1024 },
];
const TINY = [{ elements: 600, width: 20 }];

function family(group: Group, rows: readonly Row[], setting: Setting): Timed[] {
  return (setting.tiny ? TINY : SIZES).flatMap(({ elements, width }) => {
    const input = lazy<Input>(() => {
      const x = on(torch.randn(elements), setting);
      const y = on(torch.rand(elements).add(0.01), setting);
      const target = x.clone();
      const zeros = torch.zerosLike(x);
      return { x, y, target, zeros, rows: x.reshape(-1, width), row: on(torch.randn(width), setting), width };
    });
    return rows.map(([name, stream, body]) => ({
      group,
      name: `${name}, ${elements.toLocaleString('en')}`,
      work: { elements, stream },
      prepare: () => {
        const given = input();
        return { run: () => body(given) };
      },
    }));
  });
}

export const elementwise = (setting: Setting): Timed[] => family('elementwise', ELEMENTWISE, setting);
export const reductions = (setting: Setting): Timed[] => family('reductions', REDUCTIONS, setting);
export const rows = (setting: Setting): Timed[] => family('rows', ROWS, setting);
