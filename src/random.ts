/**
 * Random tensors and the generators behind them. Everything here draws PyTorch's CPU streams: the same seed gives the
 * same numbers, bit for bit in float32 (float64 normals may differ in the last bit, with the engine's sin, cos and log).
 */

import { noGrad } from './autograd/gradMode.ts';
import { backendFor } from './backend/registry.ts';
import { fillUniform } from './core/distributions.ts';
import { type DType, isFloating, resolveDType, type TypedArray } from './core/dtype.ts';
import { ArgumentError, DTypeError } from './core/errors.ts';
import { inOp } from './core/inOp.ts';
import { int64From } from './core/int64.ts';
import { fillNormal } from './core/normal.ts';
import { defaultEngine, RandomEngine } from './core/rng.ts';
import { fillIntegers, integerLimits, randomPermutation } from './core/sampling.ts';
import { broadcastShapes, checkShape, contiguousStrides, type Shape } from './core/shape.ts';
import { fromTypedArray, leafTensor, type SizesWithOptions, type TensorOptions } from './creation.ts';
import { commonDType } from './ops/convert.ts';
import {
  drawArray,
  drawArrayLike,
  engineOf,
  type Fill,
  floating,
  type GeneratorOptions,
} from './ops/draw.ts';
import { given, optionsGiven, tensorGiven } from './ops/given.ts';
import { isPlain } from './ops/options.ts';
import { sizesAndOptions } from './tensor/arguments.ts';
import { type ByName, named } from './tensor/namedArguments.ts';
import { Tensor } from './tensor.ts';

export type { GeneratorOptions } from './ops/draw.ts';
export { bernoulli, multinomial, poisson } from './ops/sample.ts';

/** Options of every function that makes a random tensor. */
export interface RandomOptions extends TensorOptions, GeneratorOptions {}

/** A stream of random numbers of its own. A new one always starts from the same seed, 67280421310721. */
export class Generator {
  readonly #engine = new RandomEngine();

  /** The words behind the stream; for the library itself. */
  get engine(): RandomEngine {
    return this.#engine;
  }

  /** Where the draws are made; tensors on every device take them from there. */
  get device(): string {
    return 'cpu';
  }

  /** Restarts the stream from a seed in [-2^63, 2^64). Only its low 32 bits matter. @throws ArgumentError outside */
  manualSeed(seed: number | bigint): this {
    this.engine.manualSeed(seed);
    return this;
  }

  /** The seed last set; a bigint where a number would not be exact. */
  initialSeed(): number | bigint {
    const seed = this.engine.initialSeed();
    return seed <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(seed) : seed;
  }

  /** Restarts from a seed that nobody can foresee, and returns it. */
  seed(): number {
    return Number(this.engine.seed());
  }

  /** The whole state as a uint8 tensor [5056], byte for byte what PyTorch's `get_state` gives. */
  getState(): Tensor {
    const state = this.engine.getState();
    return fromTypedArray(state, [state.length], { device: 'cpu' });
  }

  /** Continues from a state. @throws DTypeError, ArgumentError if it is not one */
  setState(state: Tensor): this {
    const { data } = state;
    if (state.dtype !== 'uint8' || !(data instanceof Uint8Array)) {
      throw new DTypeError(`setState: expected a tensor of dtype uint8, but got ${state.dtype}`);
    }
    this.engine.setState(data);
    return this;
  }

  /** A second stream that continues from here independently. */
  cloneState(): Generator {
    const copy = new Generator();
    copy.engine.setState(this.engine.getState());
    return copy;
  }
}

class DefaultGenerator extends Generator {
  /** Made, and seeded from entropy, when it is first needed. */
  override get engine(): RandomEngine {
    return defaultEngine();
  }
}

/** The generator of everything that is given none. */
export const defaultGenerator: Generator = /* @__PURE__ */ new DefaultGenerator();

/** Seeds the default generator and returns it. @throws ArgumentError for seeds outside [-2^63, 2^64) */
export const manualSeed = (seed: number | bigint): Generator => defaultGenerator.manualSeed(seed);
/** The seed of the default generator. */
export const initialSeed = (): number | bigint => defaultGenerator.initialSeed();
/** Seeds the default generator from entropy and returns the seed. */
export const seed = (): number => defaultGenerator.seed();
/** The state of the default generator, a uint8 tensor [5056]. */
export const getRngState = (): Tensor => defaultGenerator.getState();
/** Restores what `getRngState` gave. */
export function setRngState(state: Tensor): void {
  defaultGenerator.setState(state);
}

/** Runs `body` and then puts the default generator back to where it was before. */
export function forkRng<R>(body: () => R): R {
  if (typeof body !== 'function')
    throw new ArgumentError('forkRng: expected a function to run, forkRng(() => { … }), but got nothing');
  const { engine } = defaultGenerator;
  const state = engine.getState();
  try {
    return body();
  } finally {
    engine.setState(state);
  }
}

/** A new row-major tensor of drawn values. */
function drawn(
  shape: Shape,
  options: RandomOptions | undefined,
  dtype: DType,
  fill: (values: TypedArray, engine: RandomEngine) => void,
): Tensor {
  const backend = backendFor(options?.device);
  const engine = engineOf(options ?? {});
  const array = drawArray(backend, dtype, shape, contiguousStrides(shape), engine, (values) =>
    fill(values, engine),
  );
  return leafTensor(array, options);
}

const NAMES = 'dtype device requiresGrad generator';

function dtypeOf(options: RandomOptions | undefined, op: string, otherwise: DType): DType {
  const { dtype } = optionsGiven(options, op, NAMES);
  return dtype === undefined ? otherwise : resolveDType(dtype, op);
}

function floatingDType(options: RandomOptions | undefined, op: string, otherwise: DType = 'float32'): DType {
  const dtype = dtypeOf(options, op, otherwise);
  if (!isFloating(dtype))
    throw new DTypeError(`${op}: expected argument 'dtype' to be float32 or float64, but got ${dtype}`);
  return dtype;
}

/** Uniform samples of [0, 1). Sizes spread or as a list, options behind. @throws DTypeError for an integer dtype */
export function rand(...args: SizesWithOptions<RandomOptions>): Tensor {
  const { shape, options } = sizesAndOptions<RandomOptions>(args, 'rand');
  return drawn(shape, options, floatingDType(options, 'rand'), (values, engine) =>
    fillUniform(engine, floating(values, 'rand')),
  );
}

/** Normal samples, mean 0 and standard deviation 1. @throws DTypeError for an integer dtype */
export function randn(...args: SizesWithOptions<RandomOptions>): Tensor {
  const { shape, options } = sizesAndOptions<RandomOptions>(args, 'randn');
  return drawn(shape, options, floatingDType(options, 'randn'), (values, engine) =>
    fillNormal(engine, floating(values, 'randn'), 0, 1),
  );
}

type Bound = number | bigint;
interface Range {
  low?: Bound;
  high: Bound;
}
type Sized = { size: Shape };
type IntegerArguments =
  | readonly [high: Bound, size: Shape, options?: RandomOptions]
  | readonly [low: Bound, high: Bound, size: Shape, options?: RandomOptions]
  | readonly [high: Bound, options: RandomOptions & Sized]
  | readonly [low: Bound, high: Bound, options: RandomOptions & Sized]
  | readonly [low: Bound, options: RandomOptions & Sized & Range]
  | readonly [options: RandomOptions & Sized & Range];

/** The bounds and what is behind them. One number by position is the lower bound only if the upper one comes by name. */
function bounded<O extends object>(op: string, given: readonly unknown[], behind: string): O & Range {
  const byName = given.find((x) => isPlain(x)) ?? {};
  const gap = given.length > 2 && given[1] === undefined;
  const alone = isBound(given[0]) && !isBound(given[1]) && !gap && !('high' in byName);
  const into = (alone || given[0] === byName ? { low: 0 } : {}) as O & Range;
  // A lower bound by name has no place then.
  const names = alone ? `high ${behind} * low ${NAMES}` : `low high ${behind} * ${NAMES}`;
  return named<O & Range>(op, names, given, into);
}

/**
 * Whole numbers of [low, high), int64 unless a dtype is given: `randint(high, size)` from 0, `randint(low, high, size)`.
 * @throws ArgumentError for an empty range
 */
export function randint(...args: IntegerArguments): Tensor {
  const { low, high, size, ...options } = bounded<RandomOptions & Sized>('randint', args, 'size');
  if (!isBound(low) || !isBound(high) || !isSize(size)) {
    throw new ArgumentError(
      `randint: argument '${isBound(high) ? (isBound(low) ? 'size' : 'low') : 'high'}' is missing or no number or list: expected ` +
        `(high, size) or (low, high, size), but got (${args.map(String).join(', ')})`,
    );
  }
  checkShape(size, 'randint');
  const dtype = dtypeOf(options, 'randint', 'int64');
  return drawn(size, options, dtype, (values, engine) => fillIntegers(engine, values, dtype, low, high));
}

const isBound = (x: unknown): x is Bound => typeof x === 'number' || typeof x === 'bigint';
const isSize = (x: unknown): x is Shape => Array.isArray(x);

/**
 * 0 … n − 1 in random order, int64 unless a dtype is given.
 * @throws ArgumentError if n is no whole number from 0, or too large for the dtype
 */
export function randperm(n: number, options: RandomOptions = {}): Tensor {
  const dtype = dtypeOf(options, 'randperm', 'int64');
  if (n - 1 > integerLimits(dtype)[1])
    throw new ArgumentError(`randperm: n = ${n} is too large for dtype ${dtype}`);
  const order = randomPermutation(engineOf(options), n);
  return drawn([n], options, dtype, (values) => {
    if (values instanceof BigInt64Array) values.set(int64From(order));
    else values.set(order);
  });
}

/** Drawn values in the shape of x, and unless told otherwise in its dtype, device and memory layout. */
function drawnLike(x: Tensor, options: RandomOptions, dtype: DType, fill: Fill): Tensor {
  const backend = options.device === undefined ? x.array.backend : backendFor(options.device);
  return leafTensor(drawArrayLike(x.array, x.fillStrides, backend, dtype, engineOf(options), fill), options);
}

/** Uniform samples of [0, 1), like x. */
export const randLike = (x: Tensor, options: RandomOptions = {}): Tensor =>
  drawnLike(
    tensorGiven(x, 'rand_like'),
    options,
    floatingDType(options, 'randLike', x.dtype),
    (values, engine) => fillUniform(engine, floating(values, 'randLike')),
  );

/** Normal samples, like x. */
export const randnLike = (x: Tensor, options: RandomOptions = {}): Tensor =>
  drawnLike(
    tensorGiven(x, 'randn_like'),
    options,
    floatingDType(options, 'randnLike', x.dtype),
    (values, engine, contiguous) => fillNormal(engine, floating(values, 'randnLike'), 0, 1, contiguous),
  );

/** Whole numbers like x: `randintLike(x, high)` of [0, high), `randintLike(x, low, high)` of [low, high). */
export function randintLike(
  x: Tensor,
  ...args:
    | readonly [high: Bound, options?: RandomOptions]
    | readonly [low: Bound, high: Bound, options?: RandomOptions]
    | readonly [options: RandomOptions & Range]
    | readonly [low: Bound, options: RandomOptions & Range]
): Tensor {
  tensorGiven(x, 'randint_like');
  return inOp('randint_like', () => {
    const { low, high, ...options } = bounded<RandomOptions>('randint_like', args, '');
    const dtype = dtypeOf(options, 'randintLike', x.dtype);
    return drawnLike(x, options, dtype, (values, engine) =>
      fillIntegers(engine, values, dtype, low as Bound, high),
    );
  });
}

/**
 * Normal samples, one for each mean and each standard deviation. mean or std is a tensor and the other one a number
 * or a tensor that broadcasts with it; for two numbers a size is given. Outside the graph.
 * @throws ArgumentError if a standard deviation is negative
 */
export function normal(mean: number, std: number, size: Shape, options?: RandomOptions): Tensor;
export function normal(mean: Tensor | number, std?: Tensor | number, options?: GeneratorOptions): Tensor;
export function normal(
  ...args: ByName<{ mean: number; std: number } & Sized, ['mean', 'std'], RandomOptions>
): Tensor;
export function normal(
  ...args: ByName<{ mean: Tensor | number; std?: Tensor | number }, ['mean'], GeneratorOptions>
): Tensor;
export function normal(...args: readonly unknown[]): Tensor {
  const {
    mean,
    std = 1,
    size,
    ...options
  } = named<NormalArguments>('normal', 'mean std size * dtype device requiresGrad generator', args);
  if (typeof mean === 'number' && typeof std === 'number') {
    if (!isSize(size)) throw new ArgumentError('normal: two numbers need a size: normal(mean, std, size)');
    checkStd(std);
    return drawn(size, options, floatingDType(options, 'normal'), (values, engine) =>
      fillNormal(engine, floating(values, 'normal'), mean, std),
    );
  }
  if (size !== undefined)
    throw new ArgumentError('normal: a size is only for two numbers; a tensor brings its own');
  return noGrad(() => scaled(mean, std, options));
}

interface NormalArguments extends RandomOptions {
  mean: Tensor | number;
  std?: Tensor | number;
  size?: Shape;
}

/** std·z + mean with z standard normal; a plain std is part of the draw, which rounds once less. */
function scaled(mean: Tensor | number, std: Tensor | number, options: GeneratorOptions): Tensor {
  given(mean, 'normal', 'mean', 'a Tensor or a number');
  if (typeof std === 'number') checkStd(std);
  else {
    tensorGiven(std, 'normal', 'std');
    std.array.backend.require(
      std.detach().ge(0).array,
      () => new ArgumentError('normal: expects all elements of std >= 0, but found a negative one'),
    );
  }
  const tensors = [mean, std].filter((x) => typeof x === 'object');
  const [like] = tensors;
  const dtype = floatingDType(undefined, 'normal', commonDType(tensors));
  const shape = tensors.reduce<Shape>((sizes, x) => broadcastShapes(sizes, x.shape, 'normal'), []);
  const plain = typeof std === 'number' ? std : 1;
  const engine = engineOf(options);
  const z = drawArray(like.array.backend, dtype, shape, contiguousStrides(shape), engine, (values) =>
    fillNormal(engine, floating(values, 'normal'), 0, plain),
  );
  const out = typeof std === 'number' ? new Tensor(z) : new Tensor(z).mul_(std);
  return out.add_(mean);
}

function checkStd(std: number): void {
  if (!(std >= 0)) throw new ArgumentError(`normal: expects all elements of std >= 0, but found ${std}`);
}
