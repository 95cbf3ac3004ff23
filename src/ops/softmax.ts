/** Softmax and its logarithm along one dimension, shifted by the maximum so that nothing overflows. */

import { record } from '../autograd/record.ts';
import type { Variable } from '../autograd/variable.ts';
import type { SoftmaxKind } from '../backend/backend.ts';
import { type DType, isFloating, torchTypeName } from '../core/dtype.ts';
import { DTypeError } from '../core/errors.ts';
import { normalizeDim } from '../core/shape.ts';
import { mul, sub } from './arithmetic.ts';
import { named } from './composite.ts';
import { cast, contiguous } from './convert.ts';
import { exp } from './elementwise.ts';
import { tensorGiven } from './given.ts';
import { sum } from './reduce.ts';
import { transpose } from './views.ts';

function along<T extends Variable>(x: T, dim: number, op: SoftmaxKind, dtype?: DType): T {
  const input = dtype === undefined ? x : cast(x, dtype);
  if (!isFloating(input.dtype)) {
    throw new DTypeError(
      `${op}: "softmax_lastdim_kernel_impl" not implemented for '${torchTypeName(input.dtype)}'`,
    );
  }
  const d = normalizeDim(dim, input.ndim, op);
  if (input.ndim === 0 || d === input.ndim - 1) return rows(input, op);
  // Row-major, as PyTorch's: the kernel works on rows.
  return named(NODES[op], contiguous(transpose(rows(transpose(input, d, -1), op), d, -1)));
}

const NODES: Readonly<Record<SoftmaxKind, string>> = {
  softmax: 'SoftmaxBackward0',
  logSoftmax: 'LogSoftmaxBackward0',
  safeSoftmax: 'SafeSoftmaxBackward0',
};

function rows<T extends Variable>(x: T, kind: SoftmaxKind): T {
  const out = x.array.backend.softmax(x.array, kind);
  return record(NODES[kind], out, [x], (node, output) => {
    const saved = node.saveOutput(output);
    return (grad) => [rowsGrad(grad, saved.get(grad), kind === 'logSoftmax')];
  });
}

/** The gradient of both, itself differentiable. */
function rowsGrad<T extends Variable>(grad: T, output: T, log: boolean): T {
  const out = output.array.backend.softmaxGrad(grad.array, output.array, log);
  return record(
    log ? 'LogSoftmaxBackwardDataBackward0' : 'SoftmaxBackwardDataBackward0',
    out,
    [grad, output],
    (node) => {
      const savedGrad = node.save(grad);
      const savedY = node.save(output);
      return (gg) => {
        const g = savedGrad.get(gg);
        const y = savedY.get(gg);
        // log: r = g − e^y Σg. else: r = y(g − Σ g y).
        if (log) {
          const p = exp(y);
          return [sub<T>(gg, sum(mul(gg, p), -1, true)), mul(mul(mul(gg, p), sum(g, -1, true)), -1)];
        }
        const inner = sum(mul(gg, y), -1, true);
        return [
          mul(sub<T>(gg, inner), y),
          sub<T>(mul(gg, sub<T>(g, sum(mul(g, y), -1, true))), mul(inner, g)),
        ];
      };
    },
  );
}

/** eˣ / Σ eˣ along dim. */
export const softmax = <T extends Variable>(x: T, dim: number, dtype?: DType): T =>
  along(tensorGiven(x, 'softmax'), dim, 'softmax', dtype);

/** `softmax` with zeros for rows that are −∞ throughout. */
export const safeSoftmax = <T extends Variable>(x: T, dim: number): T => along(x, dim, 'safeSoftmax');

/** log(softmax(x)) along dim, exact where softmax underflows. */
export const logSoftmax = <T extends Variable>(x: T, dim: number, dtype?: DType): T =>
  along(tensorGiven(x, 'log_softmax'), dim, 'logSoftmax', dtype);
