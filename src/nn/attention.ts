/** Attention with several heads as a layer. */
import { noGrad } from '../autograd/gradMode.ts';
import { ArgumentError, ShapeError } from '../core/errors.ts';
import { formatShape, sameShape } from '../core/shape.ts';
import { empty, zeros } from '../creation.ts';
import { divide } from '../ops/divide.ts';
import { tensorGiven } from '../ops/given.ts';
import { cat } from '../ops/join.ts';
import { linear } from '../ops/matmul.ts';
import { whereOp } from '../ops/where.ts';
import { type ByName, type Flexible, named, required } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import { scaledDotProductAttention } from './functional/attention.ts';
import { dropout as drop } from './functional/dropout.ts';
import { xavierNormal_, xavierUniform_ } from './init.ts';
import { checkSize, type LayerOptions, Linear } from './linear.ts';
import { Module, noteParameters } from './module.ts';
import { Parameter } from './parameter.ts';

export interface MultiheadAttentionOptions extends LayerOptions {
  /** Share of the attention weights that is dropped in training. Default 0. */
  dropout?: number;
  /** Of the projections. Default true. */
  bias?: boolean;
  /** Add a learned key and value to the sequences. */
  addBiasKv?: boolean;
  /** Add a key and a value of zeros. */
  addZeroAttn?: boolean;
  /** Features of the keys. Default embedDim. */
  kdim?: number | null;
  /** Features of the values. Default embedDim. */
  vdim?: number | null;
  /** Sequences are [n, t, …] instead of [t, n, …]. */
  batchFirst?: boolean;
}

export interface MultiheadAttentionForwardOptions {
  /** Of shape [n, s]; bool, true for keys to ignore, or floating, added to the scores. */
  keyPaddingMask?: Tensor | null;
  /** Also return the weights, which is slower. Default true. */
  needWeights?: boolean;
  /** [l, s] or [n·heads, l, s]: bool, true where a query may not look, or floating, added to the scores. */
  attnMask?: Tensor | null;
  /** Return the mean of all heads' weights. Default true. */
  averageAttnWeights?: boolean;
  /** Says that attnMask is causal. */
  isCausal?: boolean;
}

type AttentionRest = Flexible<
  [
    dropout: number,
    bias: boolean,
    addBiasKv: boolean,
    addZeroAttn: boolean,
    kdim: number | null,
    vdim: number | null,
    batchFirst: boolean,
  ],
  MultiheadAttentionOptions
>;
type ForwardRest = Flexible<
  [
    keyPaddingMask: Tensor | null | undefined,
    needWeights: boolean,
    attnMask: Tensor | null | undefined,
    averageAttnWeights: boolean,
    isCausal: boolean,
  ],
  MultiheadAttentionForwardOptions
>;

/** The linear layer after attention, under the name that PyTorch prints. */
export class NonDynamicallyQuantizableLinear extends Linear {}

/**
 * Attention of `numHeads` heads, each over its share of the features (Vaswani et al., 2017): query [l, n, embedDim], key
 * [s, n, kdim], value [s, n, vdim] → [output [l, n, embedDim], weights [n, l, s] or null]. n may be absent.
 */
export class MultiheadAttention extends Module {
  readonly embedDim: number;
  readonly kdim: number;
  readonly vdim: number;
  readonly numHeads: number;
  readonly headDim: number;
  readonly dropout: number;
  readonly batchFirst: boolean;
  readonly addZeroAttn: boolean;
  /** [3·embedDim, embedDim], unless keys or values have other sizes. */
  in_proj_weight: Parameter | null;
  q_proj_weight: Parameter | null;
  k_proj_weight: Parameter | null;
  v_proj_weight: Parameter | null;
  in_proj_bias: Parameter | null;
  bias_k: Parameter | null;
  bias_v: Parameter | null;
  out_proj: Linear;

  constructor(
    ...args:
      | [embedDim: number, numHeads: number, ...rest: AttentionRest]
      | ByName<{ embedDim: number; numHeads: number }, ['embedDim'], MultiheadAttentionOptions>
  ) {
    super();
    const [embedDim, numHeads, ...rest] = required<[number, number]>(
      new.target.name,
      ['embedDim', 'numHeads'],
      args,
    );
    const options = named<MultiheadAttentionOptions>(
      new.target.name,
      'dropout bias addBiasKv addZeroAttn kdim vdim batchFirst * device dtype',
      rest,
    );
    const {
      dropout = 0,
      bias = true,
      addBiasKv = false,
      addZeroAttn = false,
      batchFirst = false,
      kdim,
      vdim,
      ...place
    } = options;
    checkSize(embedDim, 'MultiheadAttention', 'embedDim');
    if (!(embedDim > 0 && numHeads > 0)) {
      throw new ArgumentError(
        `embed_dim and num_heads must be greater than 0, got embed_dim=${embedDim} and num_heads=${numHeads} instead`,
      );
    }
    if (embedDim % numHeads !== 0) throw new ArgumentError('embed_dim must be divisible by num_heads');
    this.embedDim = embedDim;
    this.kdim = kdim ?? embedDim;
    this.vdim = vdim ?? embedDim;
    this.numHeads = numHeads;
    this.headDim = embedDim / numHeads;
    this.dropout = dropout;
    this.batchFirst = batchFirst;
    this.addZeroAttn = addZeroAttn;
    const parameter = (...shape: number[]): Parameter => new Parameter(empty(shape, place));
    const joint = this.kdim === embedDim && this.vdim === embedDim;
    this.in_proj_weight = joint ? parameter(3 * embedDim, embedDim) : null;
    this.q_proj_weight = joint ? null : parameter(embedDim, embedDim);
    this.k_proj_weight = joint ? null : parameter(embedDim, this.kdim);
    this.v_proj_weight = joint ? null : parameter(embedDim, this.vdim);
    this.in_proj_bias = bias ? parameter(3 * embedDim) : null;
    this.out_proj = new NonDynamicallyQuantizableLinear(embedDim, embedDim, { bias, ...place });
    this.bias_k = addBiasKv ? parameter(1, 1, embedDim) : null;
    this.bias_v = addBiasKv ? parameter(1, 1, embedDim) : null;
    this.resetParameters();
    noteParameters(this);
  }

  /** Draws the projections of the inputs anew; their biases, and that of the output, become 0. */
  resetParameters(): void {
    const {
      in_proj_weight,
      q_proj_weight,
      k_proj_weight,
      v_proj_weight,
      in_proj_bias,
      out_proj,
      bias_k,
      bias_v,
    } = this;
    for (const weight of [in_proj_weight, q_proj_weight, k_proj_weight, v_proj_weight])
      if (weight) xavierUniform_(weight);
    noGrad(() => {
      in_proj_bias?.zero_();
      out_proj.bias?.zero_();
    });
    for (const bias of [bias_k, bias_v]) if (bias) xavierNormal_(bias);
  }

  forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    ...rest: ForwardRest
  ): [output: Tensor, weights: Tensor | null] {
    const options = named<MultiheadAttentionForwardOptions>(
      'MultiheadAttention.forward',
      'keyPaddingMask needWeights attnMask averageAttnWeights isCausal',
      rest,
    );
    for (const [name, x] of Object.entries({ query, key, value }))
      tensorGiven(x, 'MultiheadAttention.forward', name);
    checkSequences(this, query, key, value, options);
    if (query.ndim === 3) return attend(this, query, key, value, options);
    const { keyPaddingMask } = options;
    // One sample alone becomes a batch of one; in a self-attention all three stay the same tensor.
    const b = this.batchFirst ? 0 : 1;
    const q = query.unsqueeze(b);
    const k = key === query ? q : key.unsqueeze(b);
    const v = value === query ? q : value === key ? k : value.unsqueeze(b);
    const [output, weights] = attend(this, q, k, v, {
      ...options,
      keyPaddingMask: keyPaddingMask?.unsqueeze(0),
    });
    return [output.squeeze(b), weights?.squeeze(0) ?? null];
  }
}

function checkSequences(
  layer: MultiheadAttention,
  query: Tensor,
  key: Tensor,
  value: Tensor,
  { attnMask, isCausal, keyPaddingMask }: MultiheadAttentionForwardOptions,
): void {
  const shown = (x: Tensor): string => `${x.ndim}-D`;
  if (query.ndim !== 2 && query.ndim !== 3) {
    throw new ShapeError(
      `query should be unbatched 2D or batched 3D tensor but received ${shown(query)} query tensor`,
    );
  }
  if (key.ndim !== query.ndim || value.ndim !== query.ndim) {
    throw new ShapeError(
      `For ${query.ndim === 3 ? 'batched (3-D)' : 'unbatched (2-D)'} \`query\`, expected \`key\` and \`value\` to be ${shown(query)} ` +
        `but found ${shown(key)} and ${shown(value)} tensors respectively`,
    );
  }
  [query, key, value].forEach((x, i) => {
    const [name, size] = [
      ['query', layer.embedDim],
      ['key', layer.kdim],
      ['value', layer.vdim],
    ][i];
    if (x.shape[x.ndim - 1] === size) return;
    throw new ShapeError(
      `was expecting embedding dimension of ${size} for ${name}, but got ${x.shape[x.ndim - 1]}`,
    );
  });
  const lead = (x: Tensor): string => formatShape(x.shape.slice(0, -1));
  if (lead(key) !== lead(value)) {
    throw new ShapeError(`key's sequence and batch dims ${lead(key)} do not match value's ${lead(value)}`);
  }
  if (isCausal && !attnMask) throw new ArgumentError('Need attn_mask if specifying the is_causal hint.');
  for (const mask of [attnMask, keyPaddingMask]) {
    if (!mask || mask.dtype === 'bool' || mask.isFloatingPoint()) continue;
    throw new ArgumentError(
      `only bool and floating types of attention masks are supported, but got ${mask.dtype}`,
    );
  }
}

/** A mask as what is added to the scores: −∞ where a bool mask is true. */
const additive = (mask: Tensor, like: Tensor): Tensor =>
  mask.dtype === 'bool'
    ? whereOp<Tensor>(mask, -Infinity, zeros([], { dtype: like.dtype, device: like.device }))
    : mask;

/** Both masks as one, broadcastable to [n, heads, l, s]. */
function joinMasks(
  layer: MultiheadAttention,
  { attnMask, keyPaddingMask }: MultiheadAttentionForwardOptions,
  [n, l, s]: readonly [number, number, number],
  like: Tensor,
): Tensor | null {
  const expect = (mask: Tensor, what: string, shape: readonly number[]): void => {
    if (sameShape(mask.shape, shape)) return;
    throw new ShapeError(
      `The shape of the ${what} is ${formatShape(mask.shape)}, but should be ${formatShape(shape)}.`,
    );
  };
  let mask: Tensor | null = null;
  if (attnMask) {
    expect(
      attnMask,
      `${attnMask.ndim}D attn_mask`,
      attnMask.ndim === 3 ? [n * layer.numHeads, l, s] : [l, s],
    );
    mask = additive(attnMask, like);
    if (mask.ndim === 3) mask = mask.reshape([n, layer.numHeads, l, s]);
  }
  if (keyPaddingMask) {
    expect(keyPaddingMask, 'key_padding_mask', [n, s]);
    const padding = additive(keyPaddingMask, like).reshape([n, 1, 1, s]);
    mask = mask === null ? padding : mask.add(padding);
  }
  return mask;
}

/** Query, key and value through their projections. */
function project(
  layer: MultiheadAttention,
  query: Tensor,
  key: Tensor,
  value: Tensor,
): [Tensor, Tensor, Tensor] {
  const { in_proj_weight, in_proj_bias, q_proj_weight, k_proj_weight, v_proj_weight } = layer;
  if (in_proj_weight !== null && key === query && value === query) {
    const [q, k, v] = divide<Tensor>(linear<Tensor>(query, in_proj_weight, in_proj_bias), 2, 3);
    return [q, k, v];
  }
  const biases = in_proj_bias === null ? [null, null, null] : divide<Tensor>(in_proj_bias, 0, 3);
  const joint = in_proj_weight === null ? null : divide<Tensor>(in_proj_weight, 0, 3);
  const weights = joint ?? [q_proj_weight, k_proj_weight, v_proj_weight];
  const [q, k, v] = [query, key, value].map((x, i) => {
    const weight = weights[i];
    if (weight === null) throw new ArgumentError('MultiheadAttention: a projection weight is missing');
    return linear<Tensor>(x, weight, biases[i]);
  });
  return [q, k, v];
}

function attend(
  layer: MultiheadAttention,
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options: MultiheadAttentionForwardOptions,
): [output: Tensor, weights: Tensor | null] {
  const { numHeads, headDim, batchFirst, bias_k, bias_v, out_proj } = layer;
  const [n, l] = batchFirst ? query.shape : [query.shape[1], query.shape[0]];
  if (key.shape[batchFirst ? 0 : 1] !== n) {
    throw new ShapeError(
      `MultiheadAttention: query has a batch of ${n}, but key one of ${key.shape[batchFirst ? 0 : 1]}`,
    );
  }
  const given = joinMasks(layer, options, [n, l, key.shape[batchFirst ? 1 : 0]], query);
  const [q, k, v] = project(layer, query, key, value).map((x) => {
    const [first, second] = x.shape;
    return x
      .reshape([first, second, numHeads, headDim])
      .permute(...(batchFirst ? [0, 2, 1, 3] : [1, 2, 0, 3]));
  });
  // Further keys and values that every query may look at.
  const more: [Tensor, Tensor][] = [];
  const spread = (bias: Tensor): Tensor =>
    bias.reshape([1, numHeads, 1, headDim]).expand([n, numHeads, 1, headDim]);
  if (bias_k !== null && bias_v !== null) more.push([spread(bias_k), spread(bias_v)]);
  if (layer.addZeroAttn) {
    const none = zeros([n, numHeads, 1, headDim], { dtype: query.dtype, device: query.device });
    more.push([none, none]);
  }
  const keys = more.length === 0 ? k : cat([k, ...more.map(([x]) => x)], 2);
  const values = more.length === 0 ? v : cat([v, ...more.map(([, x]) => x)], 2);
  const mask = given && more.length > 0 ? widen(given, more.length) : given;

  const dropoutP = layer.training ? layer.dropout : 0;
  const join = (heads: Tensor): Tensor => {
    // In memory sequences always come first, as in PyTorch: a dropout behind this layer draws in the order of memory.
    const rows = out_proj.forward(heads.permute(2, 0, 1, 3).reshape([l, n, numHeads * headDim]));
    return batchFirst ? rows.transpose(0, 1) : rows;
  };
  if (!(options.needWeights ?? true)) {
    return [join(scaledDotProductAttention(q, keys, values, { attnMask: mask, dropoutP })), null];
  }
  const scores = q.mul(1 / Math.sqrt(headDim)).matmul(keys.transpose(-2, -1));
  const weights = (mask === null ? scores : scores.add(mask)).softmax(-1);
  const kept = dropoutP > 0 ? drop(weights, dropoutP) : weights;
  const shown = (options.averageAttnWeights ?? true) ? kept.mean(1) : kept;
  return [join(kept.matmul(values)), shown];
}

/** A mask with `count` more keys that all may see. */
function widen(mask: Tensor, count: number): Tensor {
  const shape = [...mask.shape.slice(0, -1), count];
  return cat([mask, zeros(shape, { dtype: mask.dtype, device: mask.device })], mask.ndim - 1);
}
