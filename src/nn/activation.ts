/** Activations as modules. */
import { ShapeError } from '../core/errors.ts';
import { pythonFloat, pythonNumber, pythonValue } from '../core/pythonText.ts';
import { formatShape } from '../core/shape.ts';
import { full } from '../creation.ts';
import { inOrder, option } from '../ops/options.ts';
import { type ByName, type Flexible, named, required } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import type { GELUOptions, InplaceOptions, LambdOptions, LeakyReLUOptions } from './functional/activation.ts';
import * as F from './functional/activation.ts';
import type { LayerOptions } from './linear.ts';
import { Module, noteParameters } from './module.ts';
import { Parameter } from './parameter.ts';

/** An activation that may overwrite its input. */
abstract class InplaceActivation extends Module {
  inplace: boolean;

  constructor(inplace: boolean | InplaceOptions = false) {
    super();
    this.inplace = option<'inplace', boolean>(inplace, new.target.name, 'inplace', false);
  }
  abstract override forward(input: Tensor): Tensor;
  override extraRepr(): string {
    return this.inplace ? 'inplace=True' : '';
  }
  /** Behind other options in print. */
  protected get inplaceText(): string {
    return this.inplace ? ', inplace=True' : '';
  }
}

/** max(x, 0). */
export class ReLU extends InplaceActivation {
  forward(input: Tensor): Tensor {
    return F.relu(input, this.inplace);
  }
}

/** min(max(x, 0), 6). */
export class ReLU6 extends InplaceActivation {
  forward(input: Tensor): Tensor {
    return F.relu6(input, this.inplace);
  }
}

/** 1.0507·elu(x, 1.6733). */
export class SELU extends InplaceActivation {
  forward(input: Tensor): Tensor {
    return F.selu(input, this.inplace);
  }
}

/** x·sigmoid(x). */
export class SiLU extends InplaceActivation {
  forward(input: Tensor): Tensor {
    return F.silu(input, this.inplace);
  }
}

/** x·tanh(softplus(x)). */
export class Mish extends InplaceActivation {
  forward(input: Tensor): Tensor {
    return F.mish(input, this.inplace);
  }
}

/** x·hardsigmoid(x). */
export class Hardswish extends InplaceActivation {
  forward(input: Tensor): Tensor {
    return F.hardswish(input, this.inplace);
  }
  override extraRepr(): string {
    return '';
  }
}

/** (x + 3)/6 within [0, 1]. */
export class Hardsigmoid extends InplaceActivation {
  forward(input: Tensor): Tensor {
    return F.hardsigmoid(input, this.inplace);
  }
  override extraRepr(): string {
    return '';
  }
}

/** x above 0, α(eˣ − 1) below. */
export class ELU extends InplaceActivation {
  alpha: number;

  constructor(...args: F.AlphaArguments) {
    const [alpha = 1, inplace] = inOrder<[number, boolean]>(new.target.name, 'alpha inplace', args);
    super(inplace);
    this.alpha = alpha;
  }
  forward(input: Tensor): Tensor {
    return F.elu(input, this.alpha, this.inplace);
  }
  override extraRepr(): string {
    return `alpha=${pythonFloat(this.alpha)}${this.inplaceText}`;
  }
}

/** x above 0, α(e^(x/α) − 1) below. */
export class CELU extends ELU {
  override forward(input: Tensor): Tensor {
    return F.celu(input, this.alpha, this.inplace);
  }
}

/** x above 0, negativeSlope·x below. */
export class LeakyReLU extends InplaceActivation {
  negativeSlope: number;

  constructor(...args: Flexible<[negativeSlope: number, inplace: boolean], LeakyReLUOptions>) {
    type Values = [number, boolean];
    const [slope = 0.01, inplace] = inOrder<Values>(new.target.name, 'negativeSlope inplace', args);
    super(inplace);
    this.negativeSlope = slope;
  }
  forward(input: Tensor): Tensor {
    return F.leakyRelu(input, this.negativeSlope, this.inplace);
  }
  override extraRepr(): string {
    return `negative_slope=${pythonNumber(this.negativeSlope)}${this.inplaceText}`;
  }
}

/** x above 0; below, a slope drawn from [lower, upper) in training, else the middle one. */
export class RReLU extends InplaceActivation {
  lower: number;
  upper: number;

  constructor(
    ...args: Flexible<
      [lower: number, upper: number, inplace: boolean],
      { lower?: number; upper?: number; inplace?: boolean }
    >
  ) {
    type Values = [number, number, boolean];
    const [lower = 1 / 8, upper = 1 / 3, inplace] = inOrder<Values>(
      new.target.name,
      'lower upper inplace',
      args,
    );
    super(inplace);
    this.lower = lower;
    this.upper = upper;
  }
  forward(input: Tensor): Tensor {
    return F.rrelu(input, this.lower, this.upper, this.training, this.inplace);
  }
  override extraRepr(): string {
    return `lower=${pythonNumber(this.lower)}, upper=${pythonNumber(this.upper)}${this.inplaceText}`;
  }
}

/** x within [minVal, maxVal], the nearer bound outside. */
export class Hardtanh extends InplaceActivation {
  minVal: number;
  maxVal: number;

  constructor(...args: F.HardtanhArguments) {
    type Values = [number, number, boolean];
    const [minVal = -1, maxVal = 1, inplace] = inOrder<Values>(
      new.target.name,
      'minVal maxVal inplace',
      args,
    );
    super(inplace);
    this.minVal = minVal;
    this.maxVal = maxVal;
  }
  forward(input: Tensor): Tensor {
    return F.hardtanh(input, this.minVal, this.maxVal, this.inplace);
  }
  override extraRepr(): string {
    return `min_val=${pythonFloat(this.minVal)}, max_val=${pythonFloat(this.maxVal)}${this.inplaceText}`;
  }
}

/** x above the threshold, else `value`. */
export class Threshold extends InplaceActivation {
  threshold: number;
  value: number;

  constructor(
    ...args:
      | [threshold: number, value: number, inplace?: boolean | InplaceOptions]
      | ByName<{ threshold: number; value: number }, ['threshold'], InplaceOptions>
  ) {
    const [threshold, value, inplace] = required<[number, number, boolean]>(
      new.target.name,
      ['threshold', 'value'],
      args,
    );
    super(inplace);
    this.threshold = threshold;
    this.value = value;
  }
  forward(input: Tensor): Tensor {
    return F.threshold(input, this.threshold, this.value, this.inplace);
  }
  override extraRepr(): string {
    return `threshold=${pythonNumber(this.threshold)}, value=${pythonNumber(this.value)}${this.inplaceText}`;
  }
}

/** 1/(1 + e⁻ˣ). */
export class Sigmoid extends Module {
  forward(input: Tensor): Tensor {
    return input.sigmoid();
  }
}

/** The hyperbolic tangent. */
export class Tanh extends Module {
  forward(input: Tensor): Tensor {
    return input.tanh();
  }
}

/** log(sigmoid(x)). */
export class LogSigmoid extends Module {
  forward(input: Tensor): Tensor {
    return F.logsigmoid(input);
  }
}

/** x/(1 + |x|). */
export class Softsign extends Module {
  forward(input: Tensor): Tensor {
    return F.softsign(input);
  }
}

/** x − tanh(x). */
export class Tanhshrink extends Module {
  forward(input: Tensor): Tensor {
    return F.tanhshrink(input);
  }
}

/** x·Φ(x), Φ being the normal distribution. */
export class GELU extends Module {
  approximate: 'none' | 'tanh';

  constructor(approximate: 'none' | 'tanh' | GELUOptions = 'none') {
    super();
    this.approximate = option<'approximate', 'none' | 'tanh'>(
      approximate,
      new.target.name,
      'approximate',
      'none',
    );
  }
  forward(input: Tensor): Tensor {
    return F.gelu(input, this.approximate);
  }
  override extraRepr(): string {
    return `approximate=${pythonValue(this.approximate)}`;
  }
}

/** The first half along dim times the sigmoid of the second. */
export class GLU extends Module {
  dim: number;

  constructor(dim: number | { dim?: number } = -1) {
    super();
    this.dim = option<'dim', number>(dim, new.target.name, 'dim', -1);
  }
  forward(input: Tensor): Tensor {
    return F.glu(input, this.dim);
  }
  override extraRepr(): string {
    return `dim=${this.dim}`;
  }
}

/** log(1 + e^(βx))/β. */
export class Softplus extends Module {
  beta: number;
  threshold: number;

  constructor(...args: F.SoftplusArguments) {
    super();
    const [beta = 1, threshold = 20] = inOrder<[number, number]>(new.target.name, 'beta threshold', args);
    this.beta = beta;
    this.threshold = threshold;
  }
  forward(input: Tensor): Tensor {
    return F.softplus(input, this.beta, this.threshold);
  }
  override extraRepr(): string {
    return `beta=${pythonFloat(this.beta)}, threshold=${pythonFloat(this.threshold)}`;
  }
}

abstract class Shrink extends Module {
  lambd: number;

  constructor(lambd: number | LambdOptions = 0.5) {
    super();
    this.lambd = option<'lambd', number>(lambd, new.target.name, 'lambd', 0.5);
  }
  abstract override forward(input: Tensor): Tensor;
  override extraRepr(): string {
    return pythonNumber(this.lambd);
  }
}

/** 0 within [−λ, λ], x outside. */
export class Hardshrink extends Shrink {
  forward(input: Tensor): Tensor {
    return F.hardshrink(input, this.lambd);
  }
}

/** x moved towards 0 by λ. */
export class Softshrink extends Shrink {
  forward(input: Tensor): Tensor {
    return F.softshrink(input, this.lambd);
  }
}

export interface PReLUOptions extends LayerOptions {
  /** 1, or the number of channels. Default 1. */
  numParameters?: number;
  /** The slope to start from. Default 0.25. */
  init?: number;
}

/** x above 0, weight·x below; `weight` is [numParameters] and is trained. */
export class PReLU extends Module {
  readonly numParameters: number;
  readonly init: number;
  weight: Parameter;

  constructor(...args: Flexible<[numParameters: number, init: number], PReLUOptions>) {
    super();
    const options = named<PReLUOptions>(new.target.name, 'numParameters init * device dtype', args);
    const { numParameters: count = 1, init: start = 0.25, ...place } = options;
    this.numParameters = count;
    this.init = start;
    this.weight = new Parameter(full([count], start, { dtype: 'float32', ...place }));
    noteParameters(this);
  }
  forward(input: Tensor): Tensor {
    return F.prelu(input, this.weight);
  }
  override extraRepr(): string {
    return `num_parameters=${this.numParameters}`;
  }
}

abstract class SoftmaxLayer extends Module {
  dim: number | null;

  constructor(dim: number | null | { dim?: number | null } = null) {
    super();
    this.dim = option<'dim', number | null>(dim, new.target.name, 'dim', null);
  }
  abstract override forward(input: Tensor): Tensor;
  override extraRepr(): string {
    return `dim=${pythonValue(this.dim)}`;
  }
}

/** eˣ / Σ eˣ along dim. */
export class Softmax extends SoftmaxLayer {
  forward(input: Tensor): Tensor {
    return F.softmax(input, this.dim);
  }
}

/** The logarithm of softmax along dim. */
export class LogSoftmax extends SoftmaxLayer {
  forward(input: Tensor): Tensor {
    return F.logSoftmax(input, this.dim);
  }
}

/** softmax(−x) along dim. */
export class Softmin extends SoftmaxLayer {
  forward(input: Tensor): Tensor {
    return F.softmin(input, this.dim);
  }
}

/** Softmax over the channels of [N, C, H, W] or [C, H, W]. */
export class Softmax2d extends Module {
  /** @throws ShapeError */
  forward(input: Tensor): Tensor {
    if (input.ndim !== 3 && input.ndim !== 4) {
      throw new ShapeError(
        `Softmax2d: expected input to be 3D or 4D, got shape ${formatShape(input.shape)} instead`,
      );
    }
    return input.softmax(-3);
  }
}
