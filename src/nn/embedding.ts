/** Tables of vectors by number. */
import { noGrad } from '../autograd/gradMode.ts';
import { ShapeError } from '../core/errors.ts';
import { pythonNumber, pythonValue } from '../core/pythonText.ts';
import { formatShape } from '../core/shape.ts';
import { empty } from '../creation.ts';
import { tensorGiven } from '../ops/given.ts';
import { type ByName, type Flexible, named, oneWay, required } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import { embedding } from './functional/embedding.ts';
import { paddingRow } from './functional/paddingRow.ts';
import { checkSize, type LayerOptions } from './linear.ts';
import { Module, noteParameters } from './module.ts';
import { Parameter } from './parameter.ts';

export interface EmbeddingOptions extends LayerOptions {
  /** This row starts as zeros and gets no gradient; negative from the end. */
  paddingIdx?: number | null;
  /** Rows that are used and longer than this are shortened to it. */
  maxNorm?: number | null;
  /** The exponent of that length. Default 2. */
  normType?: number;
  /** Divide each row's gradient by how often the row is used in the batch. */
  scaleGradByFreq?: boolean;
  /** Always false: gradients are dense. */
  sparse?: false;
}

/** int64 [...] → [..., embeddingDim]. `weight` is [numEmbeddings, embeddingDim] and starts normal(0, 1). */
/** `(freeze)` and what `Embedding` takes, any tail of them by name. */
type FromPretrained = Flexible<
  [
    freeze: boolean,
    paddingIdx: number | null | undefined,
    maxNorm: number | null | undefined,
    normType: number,
    scaleGradByFreq: boolean,
    sparse: false,
  ],
  EmbeddingOptions & { freeze?: boolean }
>;

export class Embedding extends Module {
  readonly numEmbeddings: number;
  readonly embeddingDim: number;
  readonly paddingIdx: number | null;
  readonly maxNorm: number | null;
  readonly normType: number;
  readonly scaleGradByFreq: boolean;
  weight: Parameter;

  constructor(
    ...args:
      | [
          numEmbeddings: number,
          embeddingDim: number,
          ...rest: Flexible<
            [
              paddingIdx: number | null | undefined,
              maxNorm: number | null | undefined,
              normType: number,
              scaleGradByFreq: boolean,
              sparse: false,
            ],
            EmbeddingOptions
          >,
        ]
      | ByName<{ numEmbeddings: number; embeddingDim: number }, ['numEmbeddings'], EmbeddingOptions>
  ) {
    super();
    const [numEmbeddings, embeddingDim, ...rest] = required<[number, number]>(
      new.target.name,
      ['numEmbeddings', 'embeddingDim'],
      args,
    );
    checkSize(numEmbeddings, 'Embedding', 'numEmbeddings');
    checkSize(embeddingDim, 'Embedding', 'embeddingDim');
    const {
      paddingIdx = null,
      maxNorm = null,
      normType = 2,
      scaleGradByFreq = false,
      sparse,
      ...place
    } = named<EmbeddingOptions>(
      new.target.name,
      'paddingIdx maxNorm normType scaleGradByFreq sparse * device dtype',
      rest,
    );
    oneWay('Embedding', 'sparse', sparse, false);
    this.paddingIdx = paddingRow(paddingIdx, numEmbeddings, 'Embedding');
    this.numEmbeddings = numEmbeddings;
    this.embeddingDim = embeddingDim;
    this.maxNorm = maxNorm;
    this.normType = normType;
    this.scaleGradByFreq = scaleGradByFreq;
    this.weight = new Parameter(empty([numEmbeddings, embeddingDim], place));
    this.resetParameters();
    noteParameters(this);
  }

  /** A layer over given vectors [num, dim], frozen unless told otherwise. @throws ShapeError */
  static fromPretrained(vectors: Tensor, ...args: FromPretrained): Embedding {
    if (tensorGiven(vectors, 'Embedding.fromPretrained', 'embeddings').ndim !== 2) {
      throw new ShapeError(
        `Embeddings parameter is expected to be 2-dimensional, but got shape ${formatShape(vectors.shape)}`,
      );
    }
    const [numEmbeddings, embeddingDim] = vectors.shape;
    const {
      freeze = true,
      paddingIdx = null,
      maxNorm = null,
      normType = 2,
      scaleGradByFreq = false,
      sparse,
      ...place
    } = named<EmbeddingOptions & { freeze?: boolean }>(
      'Embedding.fromPretrained',
      'freeze paddingIdx maxNorm normType scaleGradByFreq sparse * device dtype',
      args,
    );
    oneWay('Embedding.fromPretrained', 'sparse', sparse, false);
    const row = paddingRow(paddingIdx, numEmbeddings, 'Embedding');
    const own = { numEmbeddings, embeddingDim, paddingIdx: row, maxNorm, normType, scaleGradByFreq };
    const layer = Object.assign(new Embedding(0, 0), own);
    layer.weight = new Parameter(vectors.to(place), !freeze);
    return layer;
  }

  /** Draws the table anew. */
  resetParameters(): void {
    noGrad(() => {
      this.weight.normal_();
      if (this.paddingIdx !== null) this.weight.select(0, this.paddingIdx).zero_();
    });
  }

  forward(input: Tensor): Tensor {
    const { paddingIdx, maxNorm, normType, scaleGradByFreq } = this;
    return embedding(input, this.weight, paddingIdx, maxNorm, normType, scaleGradByFreq);
  }

  override extraRepr(): string {
    const { numEmbeddings, embeddingDim, paddingIdx, maxNorm, normType, scaleGradByFreq } = this;
    let text = `${numEmbeddings}, ${embeddingDim}`;
    if (paddingIdx !== null) text += `, padding_idx=${paddingIdx}`;
    if (maxNorm !== null) text += `, max_norm=${pythonNumber(maxNorm)}`;
    if (normType !== 2) text += `, norm_type=${pythonNumber(normType)}`;
    if (scaleGradByFreq) text += `, scale_grad_by_freq=${pythonValue(scaleGradByFreq)}`;
    return text;
  }
}
