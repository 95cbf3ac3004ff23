/** Optimiser steps: parameter, gradient and buffers in one pass. */
import type { NDArray } from '../array.ts';
import type { SgdOptions, StepSpec } from '../backend.ts';
import type { GpuContext } from './context.ts';
import { floatBits, laneOf } from './elementTypes.ts';
import { loopOver, placesText } from './loops.ts';

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
  const g = gpu.apart(grad, param);
  const arrays = [
    { name: 'p', array: param },
    { name: 'g', array: g },
    ...(momentum ? [{ name: 'v', array: momentum }] : []),
  ];
  const loop = loopOver(param.shape, arrays);
  gpu.run({
    key: `sgd ${o.weightDecay !== 0} ${firstStep} ${o.nesterov} ${loop.key}`,
    bindings: arrays.map(({ name, array }) => ({
      name: `${name}_`,
      type: 'f32',
      array,
      writes: name !== 'g',
    })),
    params: [
      ...loop.params,
      ['lr: f32', floatBits(o.lr)],
      ['sign: f32', floatBits(o.maximize ? -1 : 1)],
      ['decay: f32', floatBits(o.weightDecay)],
      ['mu: f32', floatBits(o.momentum)],
      ['share: f32', floatBits(1 - o.dampening)],
    ],
    threads: param.size,
    workgroup: 64,
    body: () => `${placesText(loop, 'i')}
let p = p_[p_i];
var d = P.sign * g_[g_i];
${o.weightDecay !== 0 ? 'd += P.decay * p;' : ''}
${momentum ? `let v = ${firstStep ? 'd' : 'P.mu * v_[v_i] + P.share * d'};\nv_[v_i] = v;\nd = ${o.nesterov ? 'd + P.mu * v' : 'v'};` : ''}
p_[p_i] = p - P.lr * d;`,
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
  const arrays = [{ name: 'v0', array: param }, { name: 'g', array: gpu.apart(grad, param) }, ...kept];
  const loop = loopOver(param.shape, arrays);
  const used = scalars.map((_, i) => i);
  gpu.run({
    key: `step ${spec.name} ${kept.map((b) => b.name).join()} ${loop.key}`,
    bindings: arrays.map(({ name, array }) => ({
      name: `${name}_`,
      type: 'f32',
      array,
      writes: name !== 'g',
    })),
    params: [
      ...loop.params,
      ...used.map((i): [string, number] => [`c${i}: f32`, floatBits(scalars[i])]),
      ...used.map((i): [string, number] => [`m${i}: f32`, floatBits(1 - scalars[i])]),
    ],
    threads: param.size,
    workgroup: 64,
    body: () => `${placesText(loop, 'i')}
${buffers.map((array, i) => `var v${i + 1} = ${array ? `v${i + 1}_[v${i + 1}_i]` : '0.0'};`).join('\n')}
var v0 = v0_[v0_i];
let gradient = g_[g_i];
${used.map((i) => `let c${i} = P.c${i};\nlet m${i} = P.m${i};`).join('\n')}
${spec.wgsl}
v0_[v0_i] = v0;
${kept.map(({ name }) => `${name}_[${name}_i] = ${name};`).join('\n')}`,
  });
}
