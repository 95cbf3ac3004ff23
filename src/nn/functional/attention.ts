/** Attention: values weighted by how well their keys match a query. */

import { ArgumentError, ShapeError } from '../../core/errors.ts';
import { inOp } from '../../core/inOp.ts';
import { formatShape } from '../../core/shape.ts';
import { fromTypedArray } from '../../creation.ts';
import { composed } from '../../ops/composite.ts';
import type { GeneratorOptions } from '../../ops/draw.ts';
import { tensorGiven } from '../../ops/given.ts';
import { safeSoftmax } from '../../ops/softmax.ts';
import { taking } from '../../ops/taking.ts';
import { whereOp } from '../../ops/where.ts';
import { type Flexible, named } from '../../tensor/namedArguments.ts';
import type { Tensor } from '../../tensor.ts';
import { dropout } from './dropout.ts';

export interface AttentionOptions extends GeneratorOptions {
  /** Bool: true where a query may look; floating: added to the scores. It broadcasts to [..., l, s]. */
  attnMask?: Tensor | null;
  /** Share of the weights that is dropped. Default 0. */
  dropoutP?: number;
  /** Query i sees keys 0 … i. */
  isCausal?: boolean;
  /** Default 1/√e. */
  scale?: number | null;
  /** Fewer heads of keys and values than of queries: each serves several. */
  enableGqa?: boolean;
}

type AttentionRest = Flexible<
  [
    attnMask: Tensor | null | undefined,
    dropoutP: number,
    isCausal: boolean,
    scale: number | null,
    enableGqa: boolean,
  ],
  AttentionOptions
>;

/** Bool [l, s]: true on and below the diagonal. */
function causalMask(l: number, s: number, device: string): Tensor {
  const data = new Uint8Array(l * s);
  for (let i = 0; i < l; i++) data.fill(1, i * s, i * s + Math.min(i + 1, s));
  return fromTypedArray(data, [l, s], { dtype: 'bool', device });
}

/**
 * Softmax of scores over the last dimension, with a mask laid over them if there is one: what a bool mask forbids
 * becomes −∞, a floating one is added. Rows that are −∞ throughout give zeros.
 */
function maskedSoftmax(scores: Tensor, mask: Tensor | null): Tensor {
  if (mask?.dtype !== 'bool') return safeSoftmax(mask ? scores.add(mask) : scores, -1);
  // Gradients pass the mask unchanged: where it forbids the softmax leaves nothing of them.
  const open = composed(
    'MaskedFillBackward0',
    scores,
    (raw) => whereOp<Tensor>(mask, raw, -Infinity),
    (grad) => [grad],
  );
  return safeSoftmax(open, -1);
}

/**
 * softmax(q·kᵀ·scale + mask)·v: query [..., l, e], key [..., s, e], value [..., s, v] → [..., l, v]. A query that may
 * look nowhere gives zeros. @throws ShapeError, ArgumentError
 */
export const scaledDotProductAttention = /* @__PURE__ */ taking(
  'scaled_dot_product_attention',
  'key value ...',
  function scaledDotProductAttention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    ...rest: AttentionRest
  ): Tensor {
    tensorGiven(query, 'scaled_dot_product_attention', 'query');
    tensorGiven(key, 'scaled_dot_product_attention', 'key');
    tensorGiven(value, 'scaled_dot_product_attention', 'value');
    return inOp('scaled_dot_product_attention', () => {
      const options = named<AttentionOptions>(
        'scaled_dot_product_attention',
        'attnMask dropoutP isCausal scale enableGqa * generator',
        rest,
      );
      const {
        attnMask = null,
        dropoutP = 0,
        isCausal = false,
        scale = null,
        enableGqa = false,
        generator,
      } = options;
      if (query.ndim < 2 || key.ndim < 2 || value.ndim < 2) {
        throw new ShapeError(
          `scaled_dot_product_attention: Expected query, key, and value to all be  at least 2 dimensional, but got ` +
            `${[query, key, value].map((x) => formatShape(x.shape)).join(', ')}`,
        );
      }
      if (isCausal && attnMask !== null) {
        throw new ArgumentError(
          '_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True',
        );
      }
      const factor = scale ?? 1 / Math.sqrt(query.shape[query.ndim - 1]);
      const heads = enableGqa ? query.shape[query.ndim - 3] : 0;
      const keys = enableGqa ? serveHeads(key, heads) : key;
      const values = enableGqa ? serveHeads(value, heads) : value;
      const scores = query.mul(factor).matmul(keys.transpose(-2, -1));
      const [l, s] = [query.shape[query.ndim - 2], key.shape[key.ndim - 2]];
      const mask = isCausal ? causalMask(l, s, query.device) : attnMask;
      const weights = maskedSoftmax(scores, mask);
      const kept = dropoutP > 0 ? dropout(weights, dropoutP, true, { generator }) : weights;
      return kept.matmul(values);
    });
  },
);

/** Each head of [..., h, s, e] as often as it takes to serve `heads` queries. @throws ShapeError */
function serveHeads(x: Tensor, heads: number): Tensor {
  const own = x.shape[x.ndim - 3];
  if (own === undefined || heads % own !== 0) {
    throw new ShapeError(
      'scaled_dot_product_attention: Number of heads in key and value must divide the number of heads in query, but got ' +
        `${own} and ${heads}`,
    );
  }
  const lead = x.shape.slice(0, -3);
  const [s, e] = x.shape.slice(-2);
  return x
    .unsqueeze(-3)
    .expand([...lead, own, heads / own, s, e])
    .reshape([...lead, heads, s, e]);
}
