/** Tables of vectors that are put together in bags. */
import { noGrad } from '../autograd/gradMode.ts';
import { ShapeError } from '../core/errors.ts';
import { pythonNumber } from '../core/pythonText.ts';
import { formatShape } from '../core/shape.ts';
import { empty } from '../creation.ts';
import { tensorGiven } from '../ops/given.ts';
import { type ByName, type Flexible, named, oneWay, required } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import { type EmbeddingBagMode, type EmbeddingBagSettings, embeddingBag } from './functional/embeddingBag.ts';
import { paddingRow } from './functional/paddingRow.ts';
import { checkSize, type LayerOptions } from './linear.ts';
import { Module, noteParameters } from './module.ts';
import { Parameter } from './parameter.ts';

export interface EmbeddingBagOptions extends LayerOptions, EmbeddingBagSettings {}

/** What comes by name only. */
const OTHERS = 'includeLastOffset paddingIdx device dtype';

type Settings = [
  maxNorm: number | null | undefined,
  normType: number,
  scaleGradByFreq: boolean,
  mode: EmbeddingBagMode,
  sparse: false,
];
/** `(freeze)` and what `EmbeddingBag` takes, any tail of them by name. */
type FromPretrained = Flexible<[freeze: boolean, ...Settings], EmbeddingBagOptions & { freeze?: boolean }>;

/** What `EmbeddingBag.forward` takes beside the input, by position or by name. */
export interface BagOptions {
  /** Where each bag begins, for an input of one dimension. */
  offsets?: Tensor | null;
  /** A factor for each row, of the input's shape. In mode 'sum' only. */
  perSampleWeights?: Tensor | null;
}

/**
 * Bags of numbers → the sum, mean or largest of their rows: int64 [bags, size], or [items] with the offsets of the bags →
 * [bags, embeddingDim], as `nn.functional.embeddingBag`. `weight` is [numEmbeddings, embeddingDim] and starts normal(0, 1).
 */
export class EmbeddingBag extends Module {
  readonly numEmbeddings: number;
  readonly embeddingDim: number;
  readonly maxNorm: number | null;
  readonly normType: number;
  readonly scaleGradByFreq: boolean;
  readonly mode: EmbeddingBagMode;
  readonly includeLastOffset: boolean;
  readonly paddingIdx: number | null;
  weight: Parameter;

  constructor(
    ...args:
      | [numEmbeddings: number, embeddingDim: number, ...rest: Flexible<Settings, EmbeddingBagOptions>]
      | ByName<{ numEmbeddings: number; embeddingDim: number }, ['numEmbeddings'], EmbeddingBagOptions>
  ) {
    super();
    const [numEmbeddings, embeddingDim, ...rest] = required<[number, number]>(
      new.target.name,
      ['numEmbeddings', 'embeddingDim'],
      args,
    );
    checkSize(numEmbeddings, 'EmbeddingBag', 'numEmbeddings');
    checkSize(embeddingDim, 'EmbeddingBag', 'embeddingDim');
    const names = `maxNorm normType scaleGradByFreq mode sparse * ${OTHERS}`;
    const options = named<EmbeddingBagOptions>(new.target.name, names, rest);
    oneWay('EmbeddingBag', 'sparse', options.sparse, false);
    this.numEmbeddings = numEmbeddings;
    this.embeddingDim = embeddingDim;
    this.maxNorm = options.maxNorm ?? null;
    this.normType = options.normType ?? 2;
    this.scaleGradByFreq = options.scaleGradByFreq ?? false;
    this.mode = options.mode ?? 'mean';
    this.includeLastOffset = options.includeLastOffset ?? false;
    this.paddingIdx = paddingRow(options.paddingIdx, numEmbeddings, 'EmbeddingBag');
    const { device, dtype } = options;
    this.weight = new Parameter(empty([numEmbeddings, embeddingDim], { device, dtype }));
    this.resetParameters();
    noteParameters(this);
  }

  /** A layer over given vectors [num, dim], frozen unless told otherwise. @throws ShapeError */
  static fromPretrained(vectors: Tensor, ...args: FromPretrained): EmbeddingBag {
    if (tensorGiven(vectors, 'EmbeddingBag.fromPretrained', 'embeddings').ndim !== 2) {
      throw new ShapeError(
        `EmbeddingBag: Embeddings parameter is expected to be 2-dimensional, but got shape ${formatShape(vectors.shape)}`,
      );
    }
    const {
      freeze = true,
      device,
      dtype,
      paddingIdx,
      ...settings
    } = named<EmbeddingBagOptions & { freeze?: boolean }>(
      'EmbeddingBag.fromPretrained',
      `freeze maxNorm normType scaleGradByFreq mode sparse * ${OTHERS}`,
      args,
    );
    const [numEmbeddings, embeddingDim] = vectors.shape;
    const own = {
      numEmbeddings,
      embeddingDim,
      paddingIdx: paddingRow(paddingIdx, numEmbeddings, 'EmbeddingBag'),
    };
    const layer = Object.assign(new EmbeddingBag(0, 0, settings), own);
    layer.weight = new Parameter(vectors.to({ device, dtype }), !freeze);
    return layer;
  }

  /** Draws the table anew. */
  resetParameters(): void {
    noGrad(() => {
      this.weight.normal_();
      if (this.paddingIdx !== null) this.weight.select(0, this.paddingIdx).zero_();
    });
  }

  forward(
    input: Tensor,
    ...rest: Flexible<[offsets: Tensor | null | undefined, perSampleWeights: Tensor | null], BagOptions>
  ): Tensor {
    const { maxNorm, normType, scaleGradByFreq, mode, includeLastOffset, paddingIdx } = this;
    const bags = named<BagOptions>('EmbeddingBag', 'offsets perSampleWeights', rest);
    const settings = { maxNorm, normType, scaleGradByFreq, mode, includeLastOffset, paddingIdx };
    return embeddingBag(input, this.weight, { ...bags, ...settings });
  }

  override extraRepr(): string {
    const { numEmbeddings, embeddingDim, maxNorm, normType, scaleGradByFreq, mode, paddingIdx } = this;
    const parts = [
      `${numEmbeddings}, ${embeddingDim}`,
      maxNorm === null ? '' : `max_norm=${pythonNumber(maxNorm)}`,
      normType === 2 ? '' : `norm_type=${pythonNumber(normType)}`,
      scaleGradByFreq ? 'scale_grad_by_freq=True' : '',
      `mode='${mode}'`,
      paddingIdx === null ? '' : `padding_idx=${paddingIdx}`,
    ];
    return parts.filter((part) => part !== '').join(', ');
  }
}
