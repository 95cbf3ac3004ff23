/** Statistics of float32 rows through the kernels of assembly/norm.ts. Other dtypes go to the reference loops: null. */
import type { NDArray } from '../array.ts';
import type { Standardized } from '../windows.ts';
import type { WasmContext } from './context.ts';
import { packed, rowChunk } from './kernels.ts';

export function standardize(host: WasmContext, x: NDArray, eps: number): Standardized | null {
  if (x.dtype !== 'float32' || x.size === 0) return null;
  const [outer, rows, inner] = x.shape;
  const source = packed(host, x);
  const output = host.empty(x.shape, 'float32');
  const [mean, variance, rstd] = [0, 1, 2].map(() => host.empty([rows], 'float32'));
  const args = [source.array, output, mean, variance, rstd].map((array) => host.pointer(array));
  args.push(outer, rows, inner, eps);
  host.runtime.pool.run('standardize_f32', args, rows, rowChunk(host, rows, outer * inner));
  source.release();
  return { output, mean, variance, rstd };
}

export function standardizeGrad(
  host: WasmContext,
  grad: NDArray,
  output: NDArray,
  rstd: NDArray,
): NDArray | null {
  if (grad.dtype !== 'float32' || grad.size === 0) return null;
  const [outer, rows, inner] = grad.shape;
  const sources = [grad, output, rstd].map((each) => packed(host, each));
  const out = host.empty(grad.shape, 'float32');
  const args = [...sources.map(({ array }) => host.pointer(array)), host.pointer(out), outer, rows, inner];
  host.runtime.pool.run('standardize_grad_f32', args, rows, rowChunk(host, rows, outer * inner));
  for (const each of sources) each.release();
  return out;
}
