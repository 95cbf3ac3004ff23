/** Optimiser steps: parameter, gradient and buffers in one pass, many parameters in one kernel. */
import type { NDArray } from '../array.ts';
import type { SgdOptions, StepSpec } from '../backend.ts';
import type { GpuContext } from './context.ts';
import { floatBits, laneOf } from './elementTypes.ts';
import { loopOver, placesText } from './loops.ts';
import { inHalves, outermost } from './slices.ts';

interface Step {
  readonly key: string;
  /** The parameter first, and the gradient as `g`, which alone is not written. */
  readonly arrays: readonly { readonly name: string; readonly array: NDArray }[];
  readonly scalars: readonly (readonly [name: string, value: number])[];
  /** Statements over `value(name)`, the arrays' elements, and `P(name)`, the scalars. */
  text(value: (name: string) => string, scalar: (name: string) => string): string;
}

/** Whole, or by halves of what cannot be bound. */
function run(gpu: GpuContext, step: Step): void {
  const { arrays } = step;
  for (const { name, array } of arrays) if (name !== 'g' && !gpu.fits(array)) gpu.changeInPlace(array);
  runApart(gpu, step);
}

function runApart(gpu: GpuContext, step: Step): void {
  const parts = step.arrays.map(({ name, array }) => ({ name, array: gpu.part(array) }));
  if (parts.every((part): part is { name: string; array: NDArray } => part.array !== null)) {
    runBound(gpu, { ...step, arrays: parts });
    return;
  }
  const large = parts.findIndex(({ array }) => array === null);
  const d = outermost(step.arrays[large].array);
  inHalves(
    step.arrays.map(({ array }) => [array, d]),
    (halves) =>
      runApart(gpu, { ...step, arrays: halves.map((array, i) => ({ name: step.arrays[i].name, array })) }),
  );
}

function runBound(gpu: GpuContext, { key, arrays, scalars, text }: Step): void {
  const { shape, size } = arrays[0].array;
  const loop = (prefix: string) =>
    loopOver(
      shape,
      arrays.map(({ name, array }) => ({ name: prefix + name, array })),
      `${prefix}n`,
    );
  gpu.runTogether({
    key: `${key} ${loop('').key}`,
    bindings: arrays.map(({ name, array }) => ({
      name: `${name}_`,
      type: 'f32',
      array,
      writes: name !== 'g',
    })),
    threads: size,
    params: (prefix) => [
      ...loop(prefix).params,
      ...scalars.map(([name, value]): [string, number] => [`${prefix}_${name}: f32`, floatBits(value)]),
    ],
    body: (prefix) =>
      `${placesText(loop(prefix), 'i', `${prefix}n`)}\n${text(
        (name) => `${prefix}${name}_[${prefix}${name}_i]`,
        (name) => `P.${prefix}_${name}`,
      )}`,
  });
}

export function sgdStep(
  gpu: GpuContext,
  param: NDArray,
  grad: NDArray,
  momentum: NDArray | null,
  firstStep: boolean,
  o: SgdOptions,
): void {
  laneOf(param.dtype, 'sgd');
  if (param.size === 0) return;
  run(gpu, {
    key: `sgd ${o.weightDecay !== 0} ${momentum !== null} ${firstStep} ${o.nesterov}`,
    arrays: [
      { name: 'p', array: param },
      { name: 'g', array: gpu.apart(grad, param) },
      ...(momentum ? [{ name: 'v', array: momentum }] : []),
    ],
    scalars: [
      ['lr', o.lr],
      ['sign', o.maximize ? -1 : 1],
      ['decay', o.weightDecay],
      ['mu', o.momentum],
      ['share', 1 - o.dampening],
    ],
    text: (value, P) => `
let p = ${value('p')};
var d = ${P('sign')} * ${value('g')};
${o.weightDecay !== 0 ? `d += ${P('decay')} * p;` : ''}
${
  momentum
    ? `let v = ${firstStep ? 'd' : `${P('mu')} * ${value('v')} + ${P('share')} * d`};
${value('v')} = v;
d = ${o.nesterov ? `d + ${P('mu')} * v` : 'v'};`
    : ''
}
${value('p')} = p - ${P('lr')} * d;`,
  });
}

/** The scalars of a spec are `c0` …, and `m0` … is 1 − each, rounded once. */
export function optimizerStep(
  gpu: GpuContext,
  spec: StepSpec,
  param: NDArray,
  grad: NDArray,
  buffers: readonly (NDArray | null)[],
  scalars: readonly number[],
): void {
  laneOf(param.dtype, spec.name);
  if (param.size === 0) return;
  const kept = buffers.flatMap((array, i) => (array ? [{ name: `v${i + 1}`, array }] : []));
  run(gpu, {
    key: `step ${spec.name} ${kept.map((b) => b.name).join()}`,
    arrays: [{ name: 'v0', array: param }, { name: 'g', array: gpu.apart(grad, param) }, ...kept],
    scalars: scalars.flatMap((c, i) => [[`c${i}`, c] as const, [`m${i}`, 1 - c] as const]),
    text: (value, P) => `
${buffers.map((array, i) => `var v${i + 1} = ${array ? value(`v${i + 1}`) : '0.0'};`).join('\n')}
var v0 = ${value('v0')};
let gradient = ${value('g')};
${scalars.map((_, i) => `let c${i} = ${P(`c${i}`)};\nlet m${i} = ${P(`m${i}`)};`).join('\n')}
${spec.wgsl}
${value('v0')} = v0;
${kept.map(({ name }) => `${value(name)} = ${name};`).join('\n')}`,
  });
}
