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
import { type BernoulliArguments, bernoulli, type MultinomialOptions, multinomial } from '../ops/sample.ts';
import { InplaceAliasMethods } from './inplaceAliases.ts';
import { type Flexible, named } from './namedArguments.ts';

interface IntegerOptions extends GeneratorOptions {
  from?: number | bigint | null;
  to?: number | bigint | null;
}
interface ChanceOptions<P> extends GeneratorOptions {
  p: P;
}

export abstract class RandomMethods extends InplaceAliasMethods {
  /** Fills with uniform samples of [from, to), default [0, 1). */
  uniform_(...args: Flexible<[from: number, to: number], UniformOptions>): this {
    return uniform_(this, named<UniformOptions>('uniform_', 'from to * generator', args));
  }
  /** Fills with normal samples, default mean 0 and standard deviation 1. */
  normal_(...args: Flexible<[mean: number, std: number], NormalOptions>): this {
    return normal_(this, named<NormalOptions>('normal_', 'mean std * generator', args));
  }
  /** Fills with whole numbers: `()` all from 0 that the dtype holds, `(to)`, `(from, to)`, `(from, null)`. */
  random_(
    ...args: Flexible<[from: number | bigint | null, to: number | bigint | null], IntegerOptions>
  ): this {
    const { from, to, ...options } = named<IntegerOptions>('random_', 'from to * generator', args);
    return random_(this, from, to, options);
  }
  /** Fills with 1 at probability p (a number, default 0.5, or a tensor that broadcasts), else 0. */
  bernoulli_(...args: Flexible<[p: number | this], Partial<ChanceOptions<number | this>>>): this {
    const { p, ...options } = named<ChanceOptions<number | this>>('bernoulli_', 'p * generator', args);
    return bernoulli_(this, p, options);
  }
  /** Fills with exponential samples of rate `lambd`, default 1. */
  exponential_(...args: Flexible<[lambd: number], ExponentialOptions>): this {
    return exponential_(this, named<ExponentialOptions>('exponential_', 'lambd * generator', args));
  }
  /** Fills with the number of trials up to the first success of probability p. */
  geometric_(...args: [options: ChanceOptions<number>] | [p: number, options?: GeneratorOptions]): this {
    const { p, ...options } = named<ChanceOptions<number>>('geometric_', 'p * generator', args);
    return geometric_(this, p, options);
  }
  /** Fills with Cauchy samples, default median 0 and sigma 1. */
  cauchy_(...args: Flexible<[median: number, sigma: number], CauchyOptions>): this {
    return cauchy_(this, named<CauchyOptions>('cauchy_', 'median sigma * generator', args));
  }
  /** Fills with exp of normal samples, default mean 1 and standard deviation 2 (of the logarithm). */
  logNormal_(...args: Flexible<[mean: number, std: number], NormalOptions>): this {
    return logNormal_(this, named<NormalOptions>('log_normal_', 'mean std * generator', args));
  }
  /** 0 or 1 with the probability p, or by default with that in each element. */
  bernoulli(...args: BernoulliArguments): this {
    return bernoulli(this, ...args);
  }
  /** Category numbers drawn with the elements of each row as weights. */
  multinomial(
    numSamples: number,
    ...args: Flexible<[replacement: boolean | undefined], MultinomialOptions>
  ): this;
  multinomial(options: MultinomialOptions & { readonly numSamples: number }): this;
  multinomial(...args: readonly unknown[]): this {
    return multinomial(this, ...(args as [number])) as this;
  }
}
