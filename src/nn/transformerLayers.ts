/** The layers of the transformer (Vaswani et al., 2017). */
import { ArgumentError } from '../core/errors.ts';
import { tensorGiven } from '../ops/given.ts';
import { type ByName, type Flexible, named, required } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import { MultiheadAttention } from './attention.ts';
import { Dropout } from './dropout.ts';
import { gelu, relu } from './functional/activation.ts';
import { type LayerOptions, Linear } from './linear.ts';
import { Module } from './module.ts';
import { LayerNorm } from './norm.ts';

export type Activation = 'relu' | 'gelu' | ((x: Tensor) => Tensor);

export interface TransformerLayerOptions extends LayerOptions {
  /** Default 2048. */
  dimFeedforward?: number;
  /** Default 0.1. */
  dropout?: number;
  /** Default 'relu'. */
  activation?: Activation;
  /** Default 1e-5. */
  layerNormEps?: number;
  /** Sequences are [n, t, …] instead of [t, n, …]. */
  batchFirst?: boolean;
  /** Normalise before attention and feed-forward instead of after. */
  normFirst?: boolean;
  /** Of all linear layers and norms. Default true. */
  bias?: boolean;
}

type LayerRest = Flexible<
  [
    dimFeedforward: number,
    dropout: number,
    activation: Activation,
    layerNormEps: number,
    batchFirst: boolean,
    normFirst: boolean,
    bias: boolean,
  ],
  TransformerLayerOptions
>;

interface Plan extends LayerOptions {
  dimFeedforward: number;
  dropout: number;
  activation: (x: Tensor) => Tensor;
  layerNormEps: number;
  batchFirst: boolean;
  normFirst: boolean;
  bias: boolean;
}

function activationOf(activation: Activation): (x: Tensor) => Tensor {
  if (typeof activation === 'function') return activation;
  if (activation === 'relu') return (x) => relu(x);
  if (activation === 'gelu') return (x) => gelu(x);
  throw new ArgumentError(`activation should be relu/gelu, not ${String(activation)}`);
}

function planOf(options: TransformerLayerOptions): Plan {
  const { activation = 'relu', ...rest } = options;
  const defaults = {
    dimFeedforward: 2048,
    dropout: 0.1,
    layerNormEps: 1e-5,
    batchFirst: false,
    normFirst: false,
    bias: true,
  };
  return { ...defaults, ...rest, activation: activationOf(activation) };
}

type LayerArguments =
  | [dModel: number, nhead: number, ...rest: LayerRest]
  | ByName<{ dModel: number; nhead: number }, ['dModel'], TransformerLayerOptions>;

/** What the layers are made of. They ask for it in PyTorch's order, which state dicts and random draws follow. */
function partsOf(layer: string, args: LayerArguments) {
  const [dModel, nhead, ...rest] = required<[number, number]>(layer, ['dModel', 'nhead'], args);
  const plan = planOf(
    named<TransformerLayerOptions>(
      layer,
      'dimFeedforward dropout activation layerNormEps batchFirst normFirst bias * device dtype',
      rest,
    ),
  );
  const { dimFeedforward, dropout, activation, layerNormEps: eps, batchFirst, normFirst, ...place } = plan;
  return {
    normFirst,
    activation,
    attention: () => new MultiheadAttention(dModel, nhead, { dropout, batchFirst, ...place }),
    widening: () => new Linear(dModel, dimFeedforward, place),
    narrowing: () => new Linear(dimFeedforward, dModel, place),
    norm: () => new LayerNorm(dModel, { eps, ...place }),
    dropout: () => new Dropout(dropout),
  };
}

/** What an encoder layer is told about its input. */
export interface EncoderLayerForwardOptions {
  /** [t, t] or [n·heads, t, t]: bool, true where attention is forbidden, or floating, added to the scores. */
  srcMask?: Tensor | null;
  /** Of shape [n, t]; bool, true for padding, or floating. */
  srcKeyPaddingMask?: Tensor | null;
  /** Says that srcMask is causal. */
  isCausal?: boolean;
}

type EncoderLayerForwardRest = Flexible<
  [srcMask: Tensor | null | undefined, srcKeyPaddingMask: Tensor | null | undefined, isCausal: boolean],
  EncoderLayerForwardOptions
>;

/** Self-attention, then two linear layers; each with a residual connection and a norm. [t, n, dModel] → the same. */
export class TransformerEncoderLayer extends Module {
  readonly normFirst: boolean;
  readonly activation: (x: Tensor) => Tensor;
  self_attn: MultiheadAttention;
  linear1: Linear;
  dropout: Dropout;
  linear2: Linear;
  norm1: LayerNorm;
  norm2: LayerNorm;
  dropout1: Dropout;
  dropout2: Dropout;

  constructor(...args: LayerArguments) {
    super();
    const make = partsOf(new.target.name, args);
    this.normFirst = make.normFirst;
    this.activation = make.activation;
    this.self_attn = make.attention();
    this.linear1 = make.widening();
    this.dropout = make.dropout();
    this.linear2 = make.narrowing();
    this.norm1 = make.norm();
    this.norm2 = make.norm();
    this.dropout1 = make.dropout();
    this.dropout2 = make.dropout();
  }

  forward(src: Tensor, ...rest: EncoderLayerForwardRest): Tensor {
    const { srcMask, srcKeyPaddingMask, isCausal } = named<EncoderLayerForwardOptions>(
      'TransformerEncoderLayer.forward',
      'srcMask srcKeyPaddingMask isCausal',
      rest,
    );
    const attention = (x: Tensor): Tensor =>
      this.dropout1.forward(lookAt(this.self_attn, x, x, srcMask, srcKeyPaddingMask, isCausal));
    const { norm1, norm2, normFirst } = this;
    const x = residual(src, norm1, normFirst, attention);
    return residual(x, norm2, normFirst, (y) => this.dropout2.forward(feedForward(this, y)));
  }
}

/** x + body(x), normalised before or after. */
function residual(x: Tensor, norm: LayerNorm, normFirst: boolean, body: (x: Tensor) => Tensor): Tensor {
  return normFirst ? x.add(body(norm.forward(x))) : norm.forward(x.add(body(x)));
}

function lookAt(
  attention: MultiheadAttention,
  x: Tensor,
  memory: Tensor,
  attnMask: Tensor | null | undefined,
  keyPaddingMask: Tensor | null | undefined,
  isCausal: boolean | undefined,
): Tensor {
  return attention.forward(x, memory, memory, { attnMask, keyPaddingMask, isCausal, needWeights: false })[0];
}

interface FeedForward {
  readonly linear1: Linear;
  readonly dropout: Dropout;
  readonly linear2: Linear;
  readonly activation: (x: Tensor) => Tensor;
}

const feedForward = ({ linear1, dropout, linear2, activation }: FeedForward, x: Tensor): Tensor =>
  linear2.forward(dropout.forward(activation(linear1.forward(x))));

/** What a decoder, or one layer of it, is told about its inputs. */
export interface DecoderForwardOptions {
  /** [t, t] or [n·heads, t, t]: bool, true where attention is forbidden, or floating, added to the scores. */
  tgtMask?: Tensor | null;
  /** [t, s] or [n·heads, t, s], likewise. */
  memoryMask?: Tensor | null;
  /** Of shape [n, t]; bool, true for padding, or floating. */
  tgtKeyPaddingMask?: Tensor | null;
  /** [n, s], likewise. */
  memoryKeyPaddingMask?: Tensor | null;
  /** Says that tgtMask is causal. */
  tgtIsCausal?: boolean | null;
  /** Says that memoryMask is causal. */
  memoryIsCausal?: boolean;
}

export type DecoderForwardRest = Flexible<
  [
    tgtMask: Tensor | null | undefined,
    memoryMask: Tensor | null | undefined,
    tgtKeyPaddingMask: Tensor | null | undefined,
    memoryKeyPaddingMask: Tensor | null | undefined,
    tgtIsCausal: boolean | null | undefined,
    memoryIsCausal: boolean,
  ],
  DecoderForwardOptions
>;
export const decoderNames =
  'tgtMask memoryMask tgtKeyPaddingMask memoryKeyPaddingMask tgtIsCausal memoryIsCausal';

/** Self-attention, attention to the encoder's output, then two linear layers. [t, n, dModel] → the same. */
export class TransformerDecoderLayer extends Module {
  readonly normFirst: boolean;
  readonly activation: (x: Tensor) => Tensor;
  self_attn: MultiheadAttention;
  multihead_attn: MultiheadAttention;
  linear1: Linear;
  dropout: Dropout;
  linear2: Linear;
  norm1: LayerNorm;
  norm2: LayerNorm;
  norm3: LayerNorm;
  dropout1: Dropout;
  dropout2: Dropout;
  dropout3: Dropout;

  constructor(...args: LayerArguments) {
    super();
    const make = partsOf(new.target.name, args);
    this.normFirst = make.normFirst;
    this.activation = make.activation;
    this.self_attn = make.attention();
    this.multihead_attn = make.attention();
    this.linear1 = make.widening();
    this.dropout = make.dropout();
    this.linear2 = make.narrowing();
    this.norm1 = make.norm();
    this.norm2 = make.norm();
    this.norm3 = make.norm();
    this.dropout1 = make.dropout();
    this.dropout2 = make.dropout();
    this.dropout3 = make.dropout();
  }

  forward(tgt: Tensor, memory: Tensor, ...rest: DecoderForwardRest): Tensor {
    tensorGiven(memory, 'TransformerDecoderLayer.forward', 'memory');
    const options = named<DecoderForwardOptions>('TransformerDecoderLayer.forward', decoderNames, rest);
    const { tgtMask, memoryMask, tgtKeyPaddingMask, memoryKeyPaddingMask, tgtIsCausal, memoryIsCausal } =
      options;
    const { norm1, norm2, norm3, normFirst } = this;
    const toSelf = (x: Tensor): Tensor =>
      this.dropout1.forward(lookAt(this.self_attn, x, x, tgtMask, tgtKeyPaddingMask, tgtIsCausal ?? false));
    const toMemory = (x: Tensor): Tensor =>
      this.dropout2.forward(
        lookAt(this.multihead_attn, x, memory, memoryMask, memoryKeyPaddingMask, memoryIsCausal),
      );
    const x = residual(tgt, norm1, normFirst, toSelf);
    const y = residual(x, norm2, normFirst, toMemory);
    return residual(y, norm3, normFirst, (z) => this.dropout3.forward(feedForward(this, z)));
  }
}
