/** Convolutions of float32 arrays through the kernels of assembly/conv.ts. Other dtypes go to the reference loops: null. */
import type { NDArray } from '../array.ts';
import { lastOf, type Sliding, volume } from '../windows.ts';
import { runWithScratch, type WasmContext } from './context.ts';
import { depthwise, depthwiseInput, depthwiseWeight, isDepthwise } from './depthwise.ts';
import {
  directConvolution,
  directInput,
  directWeight,
  isDirect,
  isDirectInput,
  isDirectWeight,
} from './directConvolution.ts';
import { packed, productChunk } from './kernels.ts';

/** Elements of a panel of columns: with its packed copy it stays in the second-level cache. */
const PANEL_ELEMENTS = 65_536;
const LEAST_PANEL = 32;
/** Channels whose gradients are computed together: fewer where there are few images to share out among threads. */
const CHANNEL_BLOCK = 64;
const SMALL_CHANNEL_BLOCK = 16;
const FEW_IMAGES = 8;
/** At most this many partial gradients of the weight, of this many elements together. */
const MOST_PARTS = 16;
const PART_ELEMENTS = 1_048_576;

interface Plan {
  readonly geometry: NDArray;
  readonly panel: number;
  readonly panels: number;
  readonly block: number;
  readonly blocks: number;
  readonly parts: number;
  /** Images of a part. */
  readonly images: number;
  readonly taps: number;
  readonly outputs: number;
  readonly inputs: number;
  /** Multiply-adds of the whole product. */
  readonly work: number;
}

/** How the work is cut, from the shapes alone. */
function plan(
  host: WasmContext,
  g: Sliding,
  batch: number,
  channels: number,
  outs: number,
  groups: number,
): Plan {
  const [inputs, outputs, taps] = [volume(g.input), volume(g.output), volume(g.kernel)];
  const even = (n: number): number => Math.ceil(n / 16) * 16;
  const panels = Math.ceil(outputs / Math.max(LEAST_PANEL, Math.floor(PANEL_ELEMENTS / (channels * taps))));
  const panel = Math.min(outputs, even(Math.ceil(outputs / panels)));
  const block = Math.min(channels, batch * groups < FEW_IMAGES ? SMALL_CHANNEL_BLOCK : CHANNEL_BLOCK);
  const weights = groups * outs * channels * taps;
  const wanted = Math.max(1, Math.min(MOST_PARTS, batch, Math.floor(PART_ELEMENTS / weights)));
  const images = Math.ceil(batch / wanted);
  const direct =
    taps === 1 &&
    inputs === outputs &&
    g.padding.every((n) => n === 0) &&
    g.stride.every((n, d) => n === 1 || g.input[d] === 1);
  const words = [g.input, g.output, g.kernel, g.stride, g.padding, g.dilation].flat();
  words.push(channels, outs, groups, batch, panel, block, images, direct ? 1 : 0);
  const geometry = host.empty([words.length], 'int32');
  const data = host.data(geometry);
  if (data instanceof Int32Array) data.set(words);
  return {
    geometry,
    panel,
    panels: Math.ceil(outputs / panel),
    block,
    blocks: Math.ceil(channels / block),
    parts: Math.ceil(batch / images),
    images,
    taps,
    outputs,
    inputs,
    work: batch * weights * outputs,
  };
}

/** Bytes of a panel, then of what gemm needs for any of the given products. */
function scratchBytes(
  host: WasmContext,
  rows: number,
  panel: number,
  products: readonly (readonly [number, number, number])[],
): number {
  const { gemm_scratch_f32: needs } = host.runtime.module.exports;
  const panelBytes = Math.ceil(((rows * panel + 4) * 4) / 16) * 16;
  return panelBytes + Math.max(...products.map(([m, n, k]) => needs(m, n, k)));
}

const isFloat = (...arrays: readonly (NDArray | null)[]): boolean =>
  arrays.every((x) => x === null || x.dtype === 'float32');

export function convolve(
  host: WasmContext,
  x: NDArray,
  weight: NDArray,
  bias: NDArray | null,
  g: Sliding,
  groups: number,
): NDArray | null {
  if (!isFloat(x, weight, bias) || x.size === 0 || weight.size === 0) return null;
  const batch = x.shape[0];
  const [outs, channels] = [weight.shape[0] / groups, weight.shape[1]];
  if (isDepthwise(g, channels, outs)) return depthwise(host, x, weight, bias, g);
  if (isDirect(g, channels, outs)) return directConvolution(host, x, weight, bias, g, groups);
  const out = host.empty([batch, weight.shape[0], ...lastOf(g.output, x.shape.length - 2)], 'float32');
  const p = plan(host, g, batch, channels, outs, groups);
  const operands = [x, weight, bias].map((each) => each && packed(host, each));
  const [px, pw, pb] = operands.map((each) => (each ? host.pointer(each.array) : 0));
  const rows = channels * p.taps;
  const last = p.outputs - (p.panels - 1) * p.panel;
  const units = batch * groups * p.panels;
  const bytes = scratchBytes(host, rows, p.panel, [
    [outs, p.panel, rows],
    [outs, last, rows],
  ]);
  const args = [px, pw, pb, host.pointer(out), host.pointer(p.geometry), 0];
  runWithScratch(host, 'conv_f32', args, bytes, units, productChunk(host, units, p.work));
  for (const each of operands) each?.release();
  p.geometry.release();
  return out;
}

export function convolveInput(
  host: WasmContext,
  grad: NDArray,
  weight: NDArray,
  g: Sliding,
  groups: number,
): NDArray | null {
  if (!isFloat(grad, weight) || grad.size === 0 || weight.size === 0) return null;
  const batch = grad.shape[0];
  const [outs, channels] = [weight.shape[0] / groups, weight.shape[1]];
  if (isDepthwise(g, channels, outs)) return depthwiseInput(host, grad, weight, g);
  if (isDirectInput(g, channels, outs)) return directInput(host, grad, weight, g, groups);
  const out = host.empty([batch, channels * groups, ...lastOf(g.input, grad.shape.length - 2)], 'float32');
  const p = plan(host, g, batch, channels, outs, groups);
  const operands = [packed(host, grad), packed(host, weight)];
  const [pg, pw] = operands.map(({ array }) => host.pointer(array));
  const last = p.outputs - (p.panels - 1) * p.panel;
  const rows = [p.block, channels - (p.blocks - 1) * p.block].map((count) => count * p.taps);
  const products = rows.flatMap((m) => [p.panel, last, p.outputs].map((n) => [m, n, outs] as const));
  const units = batch * groups * p.blocks;
  const bytes = scratchBytes(host, rows[0], p.panel, products);
  const args = [pg, pw, host.pointer(out), host.pointer(p.geometry), 0];
  runWithScratch(host, 'conv_input_f32', args, bytes, units, productChunk(host, units, p.work));
  for (const each of operands) each.release();
  p.geometry.release();
  return out;
}

export function convolveWeight(
  host: WasmContext,
  grad: NDArray,
  x: NDArray,
  g: Sliding,
  groups: number,
): NDArray | null {
  if (!isFloat(grad, x) || grad.size === 0 || x.size === 0) return null;
  const batch = grad.shape[0];
  const [outs, channels] = [grad.shape[1] / groups, x.shape[1] / groups];
  if (isDepthwise(g, channels, outs)) return depthwiseWeight(host, grad, x, g);
  const shape = [outs * groups, channels, ...lastOf(g.kernel, grad.shape.length - 2)];
  const out = host.empty(shape, 'float32');
  const p = plan(host, g, batch, channels, outs, groups);
  const parts = p.parts === 1 ? out : host.empty([p.parts, ...shape], 'float32');
  const operands = [packed(host, grad), packed(host, x)];
  const [pg, px] = operands.map(({ array }) => host.pointer(array));
  if (isDirectWeight(g, channels, outs)) {
    directWeight(host, [pg, px, host.pointer(parts)], g, [batch, groups, channels, outs], p);
  } else {
    const last = p.outputs - (p.panels - 1) * p.panel;
    const rows = [p.block, channels - (p.blocks - 1) * p.block].map((count) => count * p.taps);
    const products = rows.flatMap((n) => [p.panel, last].map((k) => [outs, n, k] as const));
    const units = p.parts * groups * p.blocks;
    const bytes = scratchBytes(host, rows[0], p.panel, products);
    const args = [pg, px, host.pointer(parts), host.pointer(p.geometry), 0];
    runWithScratch(host, 'conv_weight_f32', args, bytes, units, productChunk(host, units, p.work));
  }
  if (parts !== out) {
    host.runtime.pool.run(
      'add_parts_f32',
      [host.pointer(parts), host.pointer(out), p.parts, out.size],
      out.size,
      out.size,
    );
    parts.release();
  }
  for (const each of operands) each.release();
  p.geometry.release();
  return out;
}

export function im2col(host: WasmContext, x: NDArray, g: Sliding): NDArray | null {
  if (!isFloat(x) || x.size === 0) return null;
  const [batch, channels] = x.shape;
  const p = plan(host, g, batch, channels, 1, 1);
  const out = host.empty([batch, channels * p.taps, p.outputs], 'float32');
  const source = packed(host, x);
  const units = batch * channels;
  const bytes = (p.taps * p.outputs + 4) * 4;
  const args = [host.pointer(source.array), host.pointer(out), host.pointer(p.geometry), 0];
  runWithScratch(host, 'im2col_f32', args, bytes, units, productChunk(host, units, out.size));
  source.release();
  p.geometry.release();
  return out;
}

export function col2im(host: WasmContext, columns: NDArray, g: Sliding, ndim: number): NDArray | null {
  if (!isFloat(columns) || columns.size === 0) return null;
  const batch = columns.shape[0];
  const channels = columns.shape[1] / volume(g.kernel);
  const p = plan(host, g, batch, channels, 1, 1);
  const out = host.empty([batch, channels, ...lastOf(g.input, ndim)], 'float32');
  const source = packed(host, columns);
  const units = batch * channels;
  const args = [host.pointer(source.array), host.pointer(out), host.pointer(p.geometry)];
  host.runtime.pool.run('col2im_f32', args, units, productChunk(host, units, columns.size));
  source.release();
  p.geometry.release();
  return out;
}
