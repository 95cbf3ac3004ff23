/**
 * The three products of a convolution: forward, gradient by the input (the transposed convolution) and gradient by the
 * weight. Each is linear in both of its operands and has the other two as its gradients, so derivatives of any order
 * are made of these three.
 */
import { isGradEnabled } from '../autograd/gradMode.ts';
import { record } from '../autograd/record.ts';
import type { Variable } from '../autograd/variable.ts';
import { addSpec } from '../backend/specs.ts';
import type { Sliding } from '../backend/windows.ts';
import { sum } from './reduce.ts';

/** x [n, c, …] with weight [o, c/groups, …] and bias [o] → [n, o, …]. The operands have been checked. */
export function convolve<T extends Variable>(
  x: T,
  weight: T,
  bias: T | null,
  geometry: Sliding,
  groups: number,
): T {
  const out = x.array.backend.convolve(x.array, weight.array, bias?.array ?? null, geometry, groups);
  const inputs = bias === null ? [x, weight] : [x, weight, bias];
  return record('ConvolutionBackward0', out, inputs, (node) => {
    const savedX = node.needs[1] ? node.save(x) : null;
    const savedW = node.needs[0] ? node.save(weight) : null;
    return (grad) => {
      const gradX = savedW && convolveInput(grad, savedW.get(grad), null, geometry, groups);
      const { backend } = grad.array;
      if (savedX && node.needs[2] && backend.convolveWeightAndSums && !isGradEnabled()) {
        const { array } = savedX.get(grad);
        const { product, sums } = backend.convolveWeightAndSums(grad.array, array, geometry, groups);
        return [gradX, grad.derive(product), grad.derive(sums)];
      }
      return [
        gradX,
        savedX && convolveWeight(grad, savedX.get(grad), geometry, groups),
        node.needs[2] && biasGrad(grad),
      ];
    };
  });
}

/** The transposed convolution: grad [n, o, …] with weight [o, c/groups, …] and bias [c] → [n, c, …]. */
export function convolveInput<T extends Variable>(
  grad: T,
  weight: T,
  bias: T | null,
  geometry: Sliding,
  groups: number,
): T {
  const { backend } = grad.array;
  const out = backend.convolveInput(grad.array, weight.array, geometry, groups);
  if (bias !== null) {
    const column = bias.array.view(
      [bias.shape[0], ...new Array<number>(out.shape.length - 2).fill(1)],
      [bias.array.strides[0], ...new Array<number>(out.shape.length - 2).fill(0)],
    );
    backend.binary(addSpec, out, column, out);
  }
  const inputs = bias === null ? [grad, weight] : [grad, weight, bias];
  return record('ConvolutionBackward0', out, inputs, (node) => {
    const savedGrad = node.needs[1] ? node.save(grad) : null;
    const savedW = node.needs[0] ? node.save(weight) : null;
    return (gg) => [
      savedW && convolve(gg, savedW.get(gg), null, geometry, groups),
      savedGrad && convolveWeight(savedGrad.get(gg), gg, geometry, groups),
      node.needs[2] && biasGrad(gg),
    ];
  });
}

/** grad [n, o, …] with x [n, c, …] → [o, c/groups, …]. */
function convolveWeight<T extends Variable>(grad: T, x: T, geometry: Sliding, groups: number): T {
  const out = x.array.backend.convolveWeight(grad.array, x.array, geometry, groups);
  return record('ConvolutionBackward0', out, [grad, x], (node) => {
    const savedGrad = node.needs[1] ? node.save(grad) : null;
    const savedX = node.needs[0] ? node.save(x) : null;
    return (gg) => [
      savedX && convolve(savedX.get(gg), gg, null, geometry, groups),
      savedGrad && convolveInput(savedGrad.get(gg), gg, null, geometry, groups),
    ];
  });
}

/** The sum over all but the channels. */
const biasGrad = <T extends Variable>(grad: T): T => sum(grad, [0, ...[...grad.shape.keys()].slice(2)]);

/** Every window as a column, and back: each is the other's gradient. */
export function im2col<T extends Variable>(x: T, geometry: Sliding): T {
  const ndim = x.ndim - 2;
  return record('Im2ColBackward0', x.array.backend.im2col(x.array, geometry), [x], () => (grad) => [
    col2im(grad, geometry, ndim),
  ]);
}

export function col2im<T extends Variable>(columns: T, geometry: Sliding, ndim: number): T {
  const out = columns.array.backend.col2im(columns.array, geometry, ndim);
  return record('Col2ImBackward0', out, [columns], () => (grad) => [im2col(grad, geometry)]);
}
