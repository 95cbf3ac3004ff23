/** Dropout layers: active in training, the identity otherwise. */
import { pythonNumber, pythonValue } from '../core/pythonText.ts';
import { type Flexible, inOrder } from '../ops/options.ts';
import type { Tensor } from '../tensor.ts';
import * as F from './functional/dropout.ts';
import { Module } from './module.ts';

interface LayerDropoutOptions {
  /** Default 0.5. */
  p?: number;
  inplace?: boolean;
}

abstract class DropoutLayer extends Module {
  /** The probability of an element (or a channel) to be dropped. */
  p: number;
  inplace: boolean;

  /** @throws ArgumentError for p outside [0, 1] */
  constructor(...args: Flexible<[p: number, inplace: boolean], LayerDropoutOptions>) {
    super();
    const [p = 0.5, inplace = false] = inOrder<[number, boolean]>(new.target.name, 'p inplace', args);
    this.p = p;
    this.inplace = inplace;
    F.checkProbability(this.p);
  }

  abstract override forward(input: Tensor): Tensor;

  override extraRepr(): string {
    return `p=${pythonNumber(this.p)}, inplace=${pythonValue(this.inplace)}`;
  }
}

/** Elements become 0 with probability p, the others grow by 1/(1 − p). */
export class Dropout extends DropoutLayer {
  forward(input: Tensor): Tensor {
    return F.dropout(input, this.p, this.training, this.inplace);
  }
}

/** Whole channels of [N, C, L] or [C, L] become 0. */
export class Dropout1d extends DropoutLayer {
  forward(input: Tensor): Tensor {
    return F.dropout1d(input, this.p, this.training, this.inplace);
  }
}

/** Whole channels of [N, C, H, W] become 0. */
export class Dropout2d extends DropoutLayer {
  forward(input: Tensor): Tensor {
    return F.dropout2d(input, this.p, this.training, this.inplace);
  }
}

/** Whole channels of [N, C, D, H, W] or [C, D, H, W] become 0. */
export class Dropout3d extends DropoutLayer {
  forward(input: Tensor): Tensor {
    return F.dropout3d(input, this.p, this.training, this.inplace);
  }
}

/** Dropout that keeps mean and variance, for SELU networks. */
export class AlphaDropout extends DropoutLayer {
  forward(input: Tensor): Tensor {
    return F.alphaDropout(input, this.p, this.training, this.inplace);
  }
}

/** Alpha dropout of whole channels. */
export class FeatureAlphaDropout extends DropoutLayer {
  forward(input: Tensor): Tensor {
    return F.featureAlphaDropout(input, this.p, this.training, this.inplace);
  }
}
