/** Products with weights. */

import { ShapeError } from '../../core/errors.ts';
import { inOp } from '../../core/inOp.ts';
import { formatShape } from '../../core/shape.ts';
import { tensorGiven } from '../../ops/given.ts';
import { linear as linearOp } from '../../ops/matmul.ts';
import { taking } from '../../ops/taking.ts';
import type { Tensor } from '../../tensor.ts';

/** x·Wᵀ + b over the last dimension: x [..., in], weight [out, in], bias [out]. @throws ShapeError, DTypeError */
export const linear = /* @__PURE__ */ taking(
  'linear',
  'weight bias?',
  (input: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor =>
    inOp('linear', () =>
      linearOp<Tensor>(tensorGiven(input, 'linear'), tensorGiven(weight, 'linear', 'weight'), bias),
    ),
);

/**
 * Σᵢⱼ x₁ᵢ·Wₒᵢⱼ·x₂ⱼ + bₒ: x₁ [..., i], x₂ [..., j], weight [o, i, j], bias [o]. @throws ShapeError
 */
export const bilinear = /* @__PURE__ */ taking(
  'bilinear',
  'input2 weight bias?',
  function bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor {
    tensorGiven(input1, 'bilinear', 'input1');
    tensorGiven(input2, 'bilinear', 'input2');
    tensorGiven(weight, 'bilinear', 'weight');
    return inOp('bilinear', () => {
      const [out, size1, size2] = weight.shape;
      const lead1 = input1.shape.slice(0, -1);
      const lead2 = input2.shape.slice(0, -1);
      const fits = weight.ndim === 3 && input1.shape.at(-1) === size1 && input2.shape.at(-1) === size2;
      if (!fits || formatShape(lead1) !== formatShape(lead2)) {
        throw new ShapeError(
          `bilinear: expected [..., ${size1}] and [..., ${size2}] with equal leading sizes for a weight of shape ` +
            `${formatShape(weight.shape)}, but got ${formatShape(input1.shape)} and ${formatShape(input2.shape)}`,
        );
      }
      const rows1 = input1.reshape([-1, size1]);
      const rows2 = input2.reshape([-1, 1, size2]);
      // [n, i]·[i, o·j], then the sum over j with x₂: no array of size n·o·i·j.
      const half = rows1
        .matmul(weight.permute(1, 0, 2).reshape([size1, out * size2]))
        .reshape([-1, out, size2]);
      const result = half
        .mul(rows2)
        .sum(-1)
        .reshape([...lead1, out]);
      return bias === null ? result : result.add(bias);
    });
  },
);
