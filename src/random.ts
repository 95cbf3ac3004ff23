/**
 * Random tensors and the generators behind them. Everything here draws PyTorch's CPU streams: the same seed gives the
 * same numbers, bit for bit in float32 (float64 normals may differ in the last bit, with the engine's sin, cos and log).
 */
import { backendFor } from './backend/registry.ts';
import { isFloating, resolveDType, type DType, type TypedArray } from './core/dtype.ts';
import { ArgumentError, DTypeError } from './core/errors.ts';
import { fillNormal } from './core/normal.ts';
import { fillUniform } from './core/distributions.ts';
import { defaultEngine, RandomEngine } from './core/rng.ts';
import { fillIntegers, randomPermutation } from './core/sampling.ts';
import { broadcastShapes, checkShape, contiguousStrides, type Shape } from './core/shape.ts';
import { fromTypedArray, leafTensor, type SizesWithOptions, type TensorOptions } from './creation.ts';
import { drawArray, engineOf, floating, type GeneratorOptions } from './ops/draw.ts';
import { emptyFilledLike } from './ops/sample.ts';
import { Tensor } from './tensor.ts';
import { sizesAndOptions } from './tensor/arguments.ts';

/** Options of every function that makes a random tensor. */
export interface RandomOptions extends TensorOptions, GeneratorOptions {}

/** A stream of random numbers of its own. A new one always starts from the same seed, 67280421310721. */
export class Generator {
  /** The words behind the stream; for the library itself. */
  readonly engine: RandomEngine;

  constructor(engine: RandomEngine = new RandomEngine()) {
    this.engine = engine;
  }

  /** Restarts the stream from a seed in [-2^63, 2^64). Only its low 32 bits matter. @throws ArgumentError outside */
  manualSeed(seed: number | bigint): this {
    this.engine.manualSeed(seed);
    return this;
  }

  /** The seed last set; a bigint where a number would not be exact. */
  initialSeed(): number | bigint {
    return exactly(this.engine.initialSeed());
  }

  /** Restarts from a seed that nobody can foresee, and returns it. */
  seed(): number {
    return Number(this.engine.seed());
  }

  /** The whole state as a uint8 tensor [5056], PyTorch's `get_state`. */
  getState(): Tensor {
    return fromTypedArray(this.engine.getState(), [this.engine.getState().length], { device: 'cpu' });
  }

  /** Continues from a state. @throws DTypeError, ArgumentError if it is not one */
  setState(state: Tensor): this {
    this.engine.setState(stateBytes(state));
    return this;
  }

  /** A second stream that continues from here independently. */
  cloneState(): Generator {
    return new Generator(new RandomEngine().setState(this.engine.getState()));
  }

  get device(): string {
    return 'cpu';
  }
}

const exactly = (seed: bigint): number | bigint => (seed <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(seed) : seed);

function stateBytes(state: Tensor): Uint8Array {
  const { data } = state;
  if (state.dtype === 'uint8' && data instanceof Uint8Array) return data;
  throw new DTypeError(`setState: expected a tensor of dtype uint8, but got ${state.dtype}`);
}

let shared: Generator | null = null;

/** The generator of everything that is given none. */
export function defaultGenerator(): Generator {
  shared ??= new Generator(defaultEngine());
  return shared;
}

/** Seeds the default generator and returns it. @throws ArgumentError for seeds outside [-2^63, 2^64) */
export const manualSeed = (seed: number | bigint): Generator => defaultGenerator().manualSeed(seed);
/** The seed of the default generator. */
export const initialSeed = (): number | bigint => defaultGenerator().initialSeed();
/** Seeds the default generator from entropy and returns the seed. */
export const seed = (): number => defaultGenerator().seed();
/** The state of the default generator, a uint8 tensor [5056]. */
export const getRngState = (): Tensor => defaultGenerator().getState();
/** Restores what `getRngState` gave. */
export function setRngState(state: Tensor): void {
  defaultGenerator().setState(state);
}

/** Runs `body` and then puts the default generator back to where it was before. */
export function forkRng<R>(body: () => R): R {
  const { engine } = defaultGenerator();
  const state = engine.getState();
  try {
    return body();
  } finally {
    engine.setState(state);
  }
}

type Draw = (values: TypedArray, engine: RandomEngine, dtype: DType) => void;

/** A new row-major tensor of drawn values. */
function drawn(shape: Shape, options: RandomOptions | undefined, dtype: DType, fill: Draw): Tensor {
  const backend = backendFor(options?.device);
  const engine = engineOf(options ?? {});
  const array = drawArray(backend, dtype, shape, contiguousStrides(shape), engine, (values) => fill(values, engine, dtype));
  return leafTensor(array, options);
}

function dtypeOf(options: RandomOptions | undefined, op: string, otherwise: DType): DType {
  return options?.dtype === undefined ? otherwise : resolveDType(options.dtype, op);
}

function floatingDType(options: RandomOptions | undefined, op: string, otherwise: DType = 'float32'): DType {
  const dtype = dtypeOf(options, op, otherwise);
  if (!isFloating(dtype)) throw new DTypeError(`${op}: expected dtype float32 or float64, but got ${dtype}`);
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
type IntegerArguments =
  | readonly [high: Bound, size: Shape, options?: RandomOptions]
  | readonly [low: Bound, high: Bound, size: Shape, options?: RandomOptions];

/**
 * Whole numbers of [low, high), int64 unless a dtype is given: `randint(high, size)` from 0, `randint(low, high, size)`.
 * @throws ArgumentError for an empty range
 */
export function randint(...args: IntegerArguments): Tensor {
  const at = Array.isArray(args[1]) ? 1 : 2;
  const [low, high] = at === 1 ? [0, args[0]] : [args[0], args[1]];
  const size = args[at];
  const options = args[at + 1];
  if (!isBound(low) || !isBound(high) || !isSize(size) || isSize(options) || isBound(options)) {
    throw new ArgumentError(`randint: expected (high, size) or (low, high, size), but got (${args.map(String).join(', ')})`);
  }
  checkShape(size, 'randint');
  return drawn(size, options, dtypeOf(options, 'randint', 'int64'), (values, engine, dtype) =>
    fillIntegers(engine, values, dtype, low, high),
  );
}

type IntegerArgument = IntegerArguments[number];
const isBound = (x: IntegerArgument): x is Bound => typeof x === 'number' || typeof x === 'bigint';
const isSize = (x: IntegerArgument): x is Shape => Array.isArray(x);

/** 0 … n − 1 in random order, int64 unless a dtype is given. @throws ArgumentError if n is no whole number from 0 */
export function randperm(n: number, options?: RandomOptions): Tensor {
  const dtype = dtypeOf(options, 'randperm', 'int64');
  return drawn([n], options, dtype, (values, engine) => {
    const order = randomPermutation(engine, n);
    if (values instanceof BigInt64Array) for (let i = 0; i < n; i++) values[i] = BigInt(order[i]);
    else values.set(order);
  });
}

/** A tensor with the shape, and unless told otherwise the dtype and device, of x. A dense x gives its memory layout too. */
function drawnLike(x: Tensor, options: RandomOptions, fill: Draw, dtype: DType): Tensor {
  const { device } = options;
  if (device !== undefined && device !== x.device) return drawn(x.shape, options, dtype, fill);
  const like = emptyFilledLike(x, dtype, options, (values, engine) => fill(values, engine, dtype));
  return leafTensor(like.array, options);
}
