/** A model as a table: modules, what they give, how many parameters they hold. */
import { noGrad } from '../autograd/gradMode.ts';
import type { DType } from '../core/dtype.ts';
import { ArgumentError, DTypeError } from '../core/errors.ts';
import { formatShape, type Shape } from '../core/shape.ts';
import { zeros } from '../creation.ts';
import { Tensor } from '../tensor.ts';
import type { Module } from './module.ts';

interface Row {
  readonly label: string;
  readonly output: string;
  readonly parameters: number;
}

/** The table, as data and as text. */
export interface ModelSummary {
  /** One row for each module, in the order of the calls; `output` is the shape of what it returned. */
  readonly rows: readonly { readonly label: string; readonly output: string; readonly parameters: number }[];
  readonly totalParameters: number;
  readonly trainableParameters: number;
  /** Bytes of all parameters and buffers. */
  readonly bytes: number;
  toString(): string;
}

type Input = Shape | readonly (Shape | Tensor)[] | Tensor;

/**
 * Runs the model once, in evaluation mode and without gradients, on zeros of `inputShape` (a list of shapes for several
 * inputs, or tensors), and lists what its modules returned. The zeros are float32, or int64 for a model that takes no
 * floating point, as one that begins with an embedding. @throws ArgumentError without inputs
 */
export function summary(model: Module, input: Input): ModelSummary {
  try {
    return run(model, toInputs(input, model, 'float32'));
  } catch (error) {
    if (!(error instanceof DTypeError) || input instanceof Tensor) throw error;
    try {
      return run(model, toInputs(input, model, 'int64'));
    } catch {
      throw error;
    }
  }
}

function run(model: Module, inputs: readonly Tensor[]): ModelSummary {
  const rows: Row[] = [];
  const names = new Map(model.namedModules().map(([name, module]) => [module, name]));
  const modes = model.modules().map((module) => ({ module, training: module.training }));
  const running = new Set<() => void>();
  const handles = model.modules().map((module) =>
    module.registerForwardPreHook((called) => {
      rows.push({ label: '', output: '', parameters: 0 });
      const at = rows.length - 1;
      const done = called.registerForwardHook((self, _, output) => {
        done();
        running.delete(done);
        rows[at] = rowOf(self, names.get(self) ?? '', output);
      });
      running.add(done);
    }),
  );
  try {
    model.eval();
    noGrad(() => model.call(...inputs));
  } finally {
    for (const handle of [...handles, ...running]) handle();
    for (const { module, training } of modes) module.training = training;
  }
  return describe(model, rows);
}

function toInputs(input: Input, model: Module, dtype: DType): Tensor[] {
  if (input instanceof Tensor) return [input];
  const list: readonly (number | Shape | Tensor)[] = input;
  if (list.length === 0)
    throw new ArgumentError('summary: expected a shape, a list of shapes, or tensors, but got an empty list');
  const device = model.parameters()[0]?.device;
  const make = (shape: Shape): Tensor => zeros(shape, { device, dtype });
  const sizes = list.filter((x) => typeof x === 'number');
  if (sizes.length === list.length) return [make(sizes)];
  return list.flatMap((x) => (x instanceof Tensor ? [x] : typeof x === 'number' ? [] : [make(x)]));
}

function rowOf(module: Module, name: string, output: unknown): Row {
  const depth = name === '' ? 0 : name.split('.').length;
  const own = name.slice(name.lastIndexOf('.') + 1);
  const label = `${'  '.repeat(depth)}${module.constructor.name}${own === '' ? '' : ` (${own})`}`;
  const parameters = module.parameters(false).reduce((sum, p) => sum + p.numel(), 0);
  return { label, output: shapesOf(output), parameters };
}

function shapesOf(output: unknown): string {
  if (output instanceof Tensor) return formatShape(output.shape);
  if (Array.isArray(output)) return output.map(shapesOf).join(', ');
  return '--';
}

function describe(model: Module, rows: readonly Row[]): ModelSummary {
  const parameters = model.parameters();
  const count = (list: readonly Tensor[]) => list.reduce((sum, p) => sum + p.numel(), 0);
  const totalParameters = count(parameters);
  const trainableParameters = count(parameters.filter((p) => p.requiresGrad));
  const bytes = [...parameters, ...model.buffers()].reduce((sum, x) => sum + x.numel() * x.elementSize(), 0);
  const text = table(rows, totalParameters, trainableParameters, bytes);
  return { rows, totalParameters, trainableParameters, bytes, toString: () => text };
}

function table(rows: readonly Row[], total: number, trainable: number, bytes: number): string {
  const cells = rows.map((row) => [
    row.label,
    row.output,
    row.parameters === 0 ? '--' : grouped(row.parameters),
  ]);
  const head = ['Layer (name)', 'Output shape', 'Parameters'];
  const widths = head.map((title, i) => Math.max(title.length, ...cells.map((row) => row[i].length)));
  const line = (row: readonly string[]) =>
    `${row[0].padEnd(widths[0])}  ${row[1].padEnd(widths[1])}  ${row[2].padStart(widths[2])}`;
  const rule = (mark: string) => mark.repeat(widths[0] + widths[1] + widths[2] + 4);
  const foot = [
    `Total parameters: ${grouped(total)}`,
    `Trainable parameters: ${grouped(trainable)}`,
    `Size: ${(bytes / 1e6).toFixed(2)} MB`,
  ];
  return [line(head), rule('='), ...cells.map(line), rule('='), ...foot].join('\n');
}

/** 1234567 → 1,234,567 */
const grouped = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ',');
