/** Methods that draw: fills in place (PyTorch's streams, see ops/random.ts), and samples by the tensor's values. */
import type { GeneratorOptions } from '../ops/draw.ts';
import {
  bernoulli_,
  type CauchyOptions,
  cauchy_,
  type ExponentialOptions,
  exponential_,
  geometric_,
  logNormal_,
  type NormalOptions,
  normal_,
  random_,
  type UniformOptions,
  uniform_,
} from '../ops/random.ts';
import { bernoulli, type MultinomialOptions, multinomial } from '../ops/sample.ts';
import { InplaceAliasMethods } from './inplaceAliases.ts';

export abstract class RandomMethods extends InplaceAliasMethods {
  /** Fills with uniform samples of [from, to), default [0, 1). */
  uniform_(from?: number | UniformOptions, to?: number, options?: GeneratorOptions): this {
    return uniform_(this, from, to, options);
  }
  /** Fills with normal samples, default mean 0 and standard deviation 1. */
  normal_(mean?: number | NormalOptions, std?: number, options?: GeneratorOptions): this {
    return normal_(this, mean, std, options);
  }
  /** Fills with whole numbers: `()` all from 0 that the dtype holds, `(to)`, `(from, to)`, `(from, null)`. */
  random_(
    from?: number | bigint | GeneratorOptions | null,
    to?: number | bigint | GeneratorOptions | null,
    options?: GeneratorOptions,
  ): this {
    return random_(this, from, to, options);
  }
  /** Fills with 1 at probability p (a number, default 0.5, or a tensor that broadcasts), else 0. */
  bernoulli_(p?: number | this | GeneratorOptions, options?: GeneratorOptions): this {
    return bernoulli_(this, p, options);
  }
  /** Fills with exponential samples of rate `lambd`, default 1. */
  exponential_(lambd?: number | ExponentialOptions, options?: GeneratorOptions): this {
    return exponential_(this, lambd, options);
  }
  /** Fills with the number of trials up to the first success of probability p. */
  geometric_(p: number, options?: GeneratorOptions): this {
    return geometric_(this, p, options);
  }
  /** Fills with Cauchy samples, default median 0 and sigma 1. */
  cauchy_(median?: number | CauchyOptions, sigma?: number, options?: GeneratorOptions): this {
    return cauchy_(this, median, sigma, options);
  }
  /** Fills with exp of normal samples, default mean 1 and standard deviation 2 (of the logarithm). */
  logNormal_(mean?: number | NormalOptions, std?: number, options?: GeneratorOptions): this {
    return logNormal_(this, mean, std, options);
  }
  /** 0 or 1 with the probability p, or by default with that in each element. */
  bernoulli(p?: number | (GeneratorOptions & { p?: number }) | null, options?: GeneratorOptions): this {
    return bernoulli(this, p, options);
  }
  /** Category numbers drawn with the elements of each row as weights. */
  multinomial(
    numSamples: number,
    replacement?: boolean | MultinomialOptions,
    options?: GeneratorOptions,
  ): this {
    return multinomial(this, numSamples, replacement, options);
  }
}
