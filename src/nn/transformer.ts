/** The transformer (Vaswani et al., 2017): stacks of its layers, and both together. */
import { noGrad } from '../autograd/gradMode.ts';
import { ArgumentError, ShapeError } from '../core/errors.ts';
import { empty, full } from '../creation.ts';
import { tensorGiven } from '../ops/given.ts';
import { triu } from '../ops/triangles.ts';
import { type ByName, type Flexible, named, required } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import { ModuleList } from './container.ts';
import { xavierUniform_ } from './init.ts';
import type { LayerOptions } from './linear.ts';
import { Module } from './module.ts';
import { LayerNorm } from './norm.ts';
import {
  type Activation,
  type DecoderForwardOptions,
  type DecoderForwardRest,
  decoderNames,
  TransformerDecoderLayer,
  TransformerEncoderLayer,
  type TransformerLayerOptions,
} from './transformerLayers.ts';

type StackRest = [norm?: LayerNorm | null | StackOptions];
type EncoderRest = [norm?: LayerNorm | null | EncoderOptions, options?: EncoderOptions];
interface StackOptions {
  norm?: LayerNorm | null;
}
interface EncoderOptions extends StackOptions {
  /** Says nothing here, where no tensor is nested. */
  enableNestedTensor?: boolean;
}

/** `numLayers` copies of a layer one after the other, and a last norm if given. */
abstract class LayerStack<L extends Module> extends Module {
  layers: ModuleList;
  readonly numLayers: number;
  norm: LayerNorm | null;

  constructor(layerName: string, args: readonly unknown[], names = 'norm') {
    super();
    const [layer, numLayers, ...rest] = required<[L, number]>(
      new.target.name,
      [layerName, 'numLayers'],
      args,
    );
    const { norm = null } = named<StackOptions>(new.target.name, names, rest);
    this.layers = new ModuleList(Array.from({ length: numLayers }, () => layer.deepcopy()));
    this.numLayers = numLayers;
    this.norm = norm;
  }

  /** @throws ArgumentError for a layer in the list that does not belong there */
  protected through(
    input: Tensor,
    belongs: (layer: Module) => layer is L,
    step: (layer: L, x: Tensor) => Tensor,
  ): Tensor {
    let x = input;
    for (const layer of this.layers) {
      if (!belongs(layer))
        throw new ArgumentError(`unexpected layer in a transformer's list: ${layer.constructor.name}`);
      x = step(layer, x);
    }
    return this.norm === null ? x : this.norm.forward(x);
  }
}

export interface EncoderForwardOptions {
  /** As `srcMask` of the layers. */
  mask?: Tensor | null;
  srcKeyPaddingMask?: Tensor | null;
  isCausal?: boolean | null;
}

type EncoderForwardRest = Flexible<
  [mask: Tensor | null | undefined, srcKeyPaddingMask: Tensor | null | undefined, isCausal: boolean | null],
  EncoderForwardOptions
>;

/** `numLayers` copies of an encoder layer one after the other, and a last norm if given. */
export class TransformerEncoder extends LayerStack<TransformerEncoderLayer> {
  constructor(
    ...args:
      | [encoderLayer: TransformerEncoderLayer, numLayers: number, ...rest: EncoderRest]
      | ByName<{ encoderLayer: TransformerEncoderLayer; numLayers: number }, ['encoderLayer'], EncoderOptions>
  ) {
    super('encoderLayer', args, 'norm enableNestedTensor');
  }

  forward(src: Tensor, ...rest: EncoderForwardRest): Tensor {
    const { mask, srcKeyPaddingMask, isCausal } = named<EncoderForwardOptions>(
      'TransformerEncoder.forward',
      'mask srcKeyPaddingMask isCausal',
      rest,
    );
    const options = { srcMask: mask, srcKeyPaddingMask, isCausal: isCausal ?? false };
    return this.through(
      src,
      (layer) => layer instanceof TransformerEncoderLayer,
      (layer, x) => layer.forward(x, options),
    );
  }
}

/** `numLayers` copies of a decoder layer one after the other, and a last norm if given. */
export class TransformerDecoder extends LayerStack<TransformerDecoderLayer> {
  constructor(
    ...args:
      | [decoderLayer: TransformerDecoderLayer, numLayers: number, ...rest: StackRest]
      | ByName<{ decoderLayer: TransformerDecoderLayer; numLayers: number }, ['decoderLayer'], StackOptions>
  ) {
    super('decoderLayer', args);
  }

  forward(tgt: Tensor, memory: Tensor, ...rest: DecoderForwardRest): Tensor {
    const options = named<DecoderForwardOptions>('TransformerDecoder.forward', decoderNames, rest);
    return this.through(
      tgt,
      (layer) => layer instanceof TransformerDecoderLayer,
      (layer, x) => layer.forward(x, memory, options),
    );
  }
}

export interface TransformerOptions extends TransformerLayerOptions {
  /** Default 512. */
  dModel?: number;
  /** Default 8. */
  nhead?: number;
  /** Default 6. */
  numEncoderLayers?: number;
  /** Default 6. */
  numDecoderLayers?: number;
}

export interface TransformerForwardOptions extends DecoderForwardOptions {
  srcMask?: Tensor | null;
  srcKeyPaddingMask?: Tensor | null;
  srcIsCausal?: boolean | null;
}

type TransformerRest = Flexible<
  [
    dModel: number,
    nhead: number,
    numEncoderLayers: number,
    numDecoderLayers: number,
    dimFeedforward: number,
    dropout: number,
    activation: Activation,
  ],
  TransformerOptions
>;
type TransformerForwardRest = Flexible<
  [
    srcMask: Tensor | null | undefined,
    tgtMask: Tensor | null | undefined,
    memoryMask: Tensor | null | undefined,
    srcKeyPaddingMask: Tensor | null | undefined,
    tgtKeyPaddingMask: Tensor | null | undefined,
    memoryKeyPaddingMask: Tensor | null | undefined,
  ],
  TransformerForwardOptions
>;

/** Encoder and decoder: src [s, n, dModel] and tgt [t, n, dModel] → [t, n, dModel]. */
export class Transformer extends Module {
  encoder: TransformerEncoder;
  decoder: TransformerDecoder;
  readonly dModel: number;
  readonly nhead: number;
  readonly batchFirst: boolean;

  constructor(...rest: TransformerRest) {
    super();
    const given = named<TransformerOptions>(
      new.target.name,
      'dModel nhead numEncoderLayers numDecoderLayers dimFeedforward dropout activation * layerNormEps batchFirst normFirst bias device dtype',
      rest,
    );
    const { dModel = 512, nhead = 8, numEncoderLayers = 6, numDecoderLayers = 6, ...options } = given;
    const { layerNormEps: eps = 1e-5, bias, device, dtype, batchFirst = false } = options;
    const norm = { eps, bias, device, dtype };
    const encoderLayer = new TransformerEncoderLayer(dModel, nhead, options);
    this.encoder = new TransformerEncoder(encoderLayer, numEncoderLayers, new LayerNorm(dModel, norm));
    const decoderLayer = new TransformerDecoderLayer(dModel, nhead, options);
    this.decoder = new TransformerDecoder(decoderLayer, numDecoderLayers, new LayerNorm(dModel, norm));
    this.dModel = dModel;
    this.nhead = nhead;
    this.batchFirst = batchFirst;
    this.resetParameters();
  }

  /** Draws all matrices anew (Glorot and Bengio, 2010). */
  resetParameters(): void {
    for (const parameter of this.parameters()) {
      if (parameter.ndim < 2) continue;
      // The draws go along the rows, whatever the memory looks like.
      const drawn = xavierUniform_(
        empty(parameter.shape, { dtype: parameter.dtype, device: parameter.device }),
      );
      noGrad(() => parameter.copy_(drawn));
      drawn.dispose();
    }
  }

  forward(src: Tensor, tgt: Tensor, ...rest: TransformerForwardRest): Tensor {
    const { srcMask, srcKeyPaddingMask, srcIsCausal, ...options } = named<TransformerForwardOptions>(
      'Transformer.forward',
      'srcMask tgtMask memoryMask srcKeyPaddingMask tgtKeyPaddingMask memoryKeyPaddingMask * srcIsCausal tgtIsCausal memoryIsCausal',
      rest,
    );
    tensorGiven(tgt, 'Transformer.forward', 'tgt');
    const batch = this.batchFirst ? 0 : 1;
    if (src.ndim === 3 && src.shape[batch] !== tgt.shape[batch])
      throw new ShapeError('the batch number of src and tgt must be equal');
    if (src.shape[src.ndim - 1] !== this.dModel || tgt.shape[tgt.ndim - 1] !== this.dModel) {
      throw new ShapeError('the feature number of src and tgt must be equal to d_model');
    }
    const memory = this.encoder.forward(src, { mask: srcMask, srcKeyPaddingMask, isCausal: srcIsCausal });
    return this.decoder.forward(tgt, memory, options);
  }

  /** Of shape [size, size]; −∞ above the diagonal, 0 elsewhere. */
  static generateSquareSubsequentMask(size: number, options: LayerOptions = {}): Tensor {
    return triu<Tensor>(full([size, size], -Infinity, { dtype: 'float32', ...options }), 1);
  }
}
