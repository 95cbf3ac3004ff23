/** Layers of products: linear, bilinear, and the identity. */
import { noGrad } from '../autograd/gradMode.ts';
import { backendFor } from '../backend/registry.ts';
import { type DTypeLike, resolveDType } from '../core/dtype.ts';
import { ArgumentError } from '../core/errors.ts';
import { pythonValue } from '../core/pythonText.ts';
import { columnMajor } from '../core/shape.ts';
import { empty } from '../creation.ts';
import { linear } from '../ops/matmul.ts';
import { type ByName, named, required } from '../tensor/namedArguments.ts';
import { Tensor } from '../tensor.ts';
import { bilinear } from './functional/linear.ts';
import { kaimingUniform_ } from './init.ts';
import { Module, noteParameters } from './module.ts';
import { Parameter } from './parameter.ts';

/** Where a layer makes its parameters, and in which dtype. */
export interface LayerOptions {
  device?: string;
  dtype?: DTypeLike;
}

export interface LinearOptions extends LayerOptions {
  /** Default true. */
  bias?: boolean;
}

/** @throws ArgumentError unless it is a whole number from 0 */
export function checkSize(value: number, layer: string, argument: string): void {
  if (Number.isInteger(value) && value >= 0) return;
  throw new ArgumentError(`${layer}: ${argument} must be a non-negative integer, but got ${String(value)}`);
}

/** x → the very same x, whatever arguments it was made with. */
export class Identity extends Module {
  constructor(..._ignored: readonly unknown[]) {
    super();
  }
  forward(input: Tensor): Tensor {
    return input;
  }
}

/**
 * x·Wᵀ + b over the last dimension: [..., inFeatures] → [..., outFeatures]. `weight` is [outFeatures, inFeatures] and
 * lies in memory the other way round, so that neither the product nor its gradients transpose anything, until a `view` of
 * it asks for the usual order. Weight and bias start uniform in ±1/√inFeatures.
 */
export class Linear extends Module {
  readonly inFeatures: number;
  readonly outFeatures: number;
  weight: Parameter;
  bias: Parameter | null;

  constructor(
    ...args:
      | [inFeatures: number, outFeatures: number, bias?: boolean | LinearOptions, options?: LayerOptions]
      | ByName<{ inFeatures: number; outFeatures: number }, ['inFeatures'], LinearOptions>
  ) {
    super();
    const [inFeatures, outFeatures, ...rest] = required<[number, number]>(
      new.target.name,
      ['inFeatures', 'outFeatures'],
      args,
    );
    checkSize(inFeatures, 'Linear', 'inFeatures');
    checkSize(outFeatures, 'Linear', 'outFeatures');
    const {
      bias: hasBias = true,
      device,
      dtype = 'float32',
    } = named<LinearOptions>(new.target.name, 'bias * device dtype', rest);
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    const shape = [outFeatures, inFeatures];
    const memory = backendFor(device).empty(shape, resolveDType(dtype, 'Linear'), columnMajor(outFeatures));
    this.weight = new Parameter(new Tensor(memory));
    this.bias = hasBias ? new Parameter(empty([outFeatures], { device, dtype })) : null;
    this.resetParameters();
    noteParameters(this);
  }

  /** Draws weight and bias anew. */
  resetParameters(): void {
    const { weight, bias, inFeatures } = this;
    noGrad(() => {
      // The draws go along the rows of [out, in], whatever the memory looks like.
      const drawn = kaimingUniform_(empty(weight.shape, { device: weight.device, dtype: weight.dtype }), {
        a: Math.sqrt(5),
      });
      weight.copy_(drawn);
      drawn.dispose();
      const bound = inFeatures > 0 ? 1 / Math.sqrt(inFeatures) : 0;
      bias?.uniform_(-bound, bound);
    });
  }

  forward(input: Tensor): Tensor {
    return linear<Tensor>(input, this.weight, this.bias);
  }

  override extraRepr(): string {
    return `in_features=${this.inFeatures}, out_features=${this.outFeatures}, bias=${pythonValue(this.bias !== null)}`;
  }
}

/**
 * x₁ᵀ·A·x₂ + b: [..., in1Features] and [..., in2Features] → [..., outFeatures]. `weight` is
 * [outFeatures, in1Features, in2Features].
 */
export class Bilinear extends Module {
  readonly in1Features: number;
  readonly in2Features: number;
  readonly outFeatures: number;
  weight: Parameter;
  bias: Parameter | null;

  constructor(
    ...args:
      | [
          in1Features: number,
          in2Features: number,
          outFeatures: number,
          bias?: boolean | LinearOptions,
          options?: LayerOptions,
        ]
      | ByName<
          { in1Features: number; in2Features: number; outFeatures: number },
          ['in1Features', 'in2Features'],
          LinearOptions
        >
  ) {
    super();
    const [in1Features, in2Features, outFeatures, ...given] = required<[number, number, number]>(
      new.target.name,
      ['in1Features', 'in2Features', 'outFeatures'],
      args,
    );
    if (!(in1Features > 0)) throw new ArgumentError(`in1_features must be > 0, but got ${in1Features}`);
    checkSize(in2Features, 'Bilinear', 'in2Features');
    checkSize(outFeatures, 'Bilinear', 'outFeatures');
    const { bias: hasBias = true, ...rest } = named<LinearOptions>(
      new.target.name,
      'bias * device dtype',
      given,
    );
    this.in1Features = in1Features;
    this.in2Features = in2Features;
    this.outFeatures = outFeatures;
    this.weight = new Parameter(empty([outFeatures, in1Features, in2Features], rest));
    this.bias = hasBias ? new Parameter(empty([outFeatures], rest)) : null;
    this.resetParameters();
    noteParameters(this);
  }

  resetParameters(): void {
    const bound = 1 / Math.sqrt(this.in1Features);
    noGrad(() => {
      this.weight.uniform_(-bound, bound);
      this.bias?.uniform_(-bound, bound);
    });
  }

  forward(input1: Tensor, input2: Tensor): Tensor {
    return bilinear(input1, input2, this.weight, this.bias);
  }

  override extraRepr(): string {
    const { in1Features, in2Features, outFeatures, bias } = this;
    return (
      `in1_features=${in1Features}, in2_features=${in2Features}, out_features=${outFeatures}, ` +
      `bias=${pythonValue(bias !== null)}`
    );
  }
}
