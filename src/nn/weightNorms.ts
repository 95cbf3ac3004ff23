/** Weights divided by their lengths, or by their largest singular value, in the older form and as parametrizations. */
import { noGrad } from '../autograd/gradMode.ts';
import { ArgumentError } from '../core/errors.ts';
import { normalizeDim } from '../core/shape.ts';
import { empty } from '../creation.ts';
import { wholeGiven } from '../ops/given.ts';
import { type ByName, option } from '../ops/options.ts';
import { vectorNorm } from '../ops/statistics.ts';
import { type Flexible, named } from '../tensor/namedArguments.ts';
import type { Tensor } from '../tensor.ts';
import { ConvTranspose1d, ConvTranspose2d, ConvTranspose3d } from './conv.ts';
import { normalize } from './functional/distance.ts';
import { Module } from './module.ts';
import { Parameter } from './parameter.ts';
import {
  isParametrized,
  ownClass,
  registerParametrization,
  settleParameter,
  tensorOf,
} from './parametrize.ts';

export interface WeightNormOptions {
  /** The parameter. Default 'weight'. */
  name?: string;
  /** Lengths are taken over all other dimensions, or over all where it is null. Default 0. */
  dim?: number | null;
}
type WeightNormRest = Flexible<[name: string, dim: number | null], WeightNormOptions>;
const weightOptions = (rest: readonly unknown[]) => {
  const { name = 'weight', dim = 0 } = named<WeightNormOptions>('weight_norm', 'name dim', rest);
  return { name, dim };
};

/** The length of all but `dim`, whose size alone it keeps; 0-d for all. PyTorch takes −1 for all, too. */
function normExcept(x: Tensor, dim: number | null): Tensor {
  if (dim === null || dim === -1) return vectorNorm<Tensor>(x, 2, null, false);
  const kept = normalizeDim(dim, x.ndim, 'weight_norm');
  const others = x.shape.flatMap((_, d) => (d === kept ? [] : [d]));
  return others.length === 0 ? x.abs() : vectorNorm<Tensor>(x, 2, others, true);
}

/** g·v/‖v‖ of the originals g and v: Salimans and Kingma, Weight normalization, 2016. */
class _WeightNorm extends Module {
  readonly dim: number | null;
  constructor(dim: number | null) {
    super();
    this.dim = dim;
  }
  forward(g: Tensor, v: Tensor): Tensor {
    return v.mul(g.div(normExcept(v, this.dim)));
  }
  rightInverse(weight: Tensor): Tensor[] {
    return [normExcept(weight, this.dim), weight];
  }
}

/**
 * The weight of a module as g·v/‖v‖, of which length g and direction v are trained: its parameters `weight_g` and
 * `weight_v`. Returns the module. PyTorch's older form; `parametrizations.weightNorm` is the newer one.
 *
 * Salimans and Kingma, Weight normalization, 2016. @throws ArgumentError for a name that is no parameter's
 */
export function weightNorm<M extends Module>(module: M, ...rest: WeightNormRest): M {
  const { name, dim } = weightOptions(rest);
  if (Object.hasOwn(module, `${name}_g`))
    throw new ArgumentError(
      `weight_norm: Cannot register two weight_norm hooks on the same parameter: expected 'name' to be new, but got '${name}'`,
    );
  const weight = tensorOf(module, name, 'weight_norm');
  const norm = new _WeightNorm(dim);
  const get = (own: Module): Tensor =>
    norm.forward(Reflect.get(own, `${name}_g`), Reflect.get(own, `${name}_v`));
  replace(module, name, get);
  const [g, v] = noGrad(() => norm.rightInverse(weight.detach()));
  module.registerParameter(`${name}_g`, new Parameter(g.clone()));
  module.registerParameter(`${name}_v`, new Parameter(v.clone()));
  return module;
}

/** Has a property of a module computed, in a class of its own of the same name, which copies of it keep. */
function replace(module: Module, name: string, get: (own: Module) => Tensor): object {
  Reflect.deleteProperty(module, name);
  const own = ownClass(module, module.constructor.name);
  Object.defineProperty(own, name, {
    get(this: Module) {
      return get(this);
    },
    configurable: true,
  });
  return own;
}

/** Makes a computed property a parameter again, of the value that it has, or that it would have after `forward`. */
function restore(module: Module, name: string, parts: readonly string[]): void {
  const top = Object.getPrototypeOf(module);
  let own = top;
  while (!Object.hasOwn(own, name)) own = Object.getPrototypeOf(own);
  // The class's own: one below it may settle another parameter.
  const settle = Object.hasOwn(own, SETTLE) ? (Reflect.get(own, SETTLE) as (self: Module) => Tensor) : null;
  const value = noGrad(() => settle?.(module) ?? tensorOf(module, name, 'restore'));
  for (const part of parts) Reflect.deleteProperty(module, part);
  if (own === top && !isParametrized(module)) Object.setPrototypeOf(module, Object.getPrototypeOf(own));
  settleParameter(module, name, new Parameter(value.detach().clone()));
}

function checkNormed(module: Module, name: string, part: string, op: string): void {
  if (Object.hasOwn(module, part)) return;
  throw new ArgumentError(
    `${op} of '${name}' not found in ${module}: expected argument 'name' to be that of a parameter with ${op}, but got '${name}'`,
  );
}

/** Makes the weight an ordinary parameter again. Returns the module. @throws ArgumentError for one that was none */
export function removeWeightNorm<M extends Module>(module: M, from?: ByName<'name', string>): M {
  const name = option(from, 'remove_weight_norm', 'name', 'weight');
  checkNormed(module, name, `${name}_g`, 'weight_norm');
  restore(module, name, [`${name}_g`, `${name}_v`]);
  return module;
}

export interface SpectralNormOptions {
  /** The parameter. Default 'weight'. */
  name?: string;
  /** Steps of the power iteration in each call while training. Default 1. */
  nPowerIterations?: number;
  /** Lengths are at least this. Default 1e-12. */
  eps?: number;
  /** The dimension of the outputs. Default 0, and 1 for transposed convolutions. */
  dim?: number | null;
}
type SpectralNormRest = Flexible<
  [name: string, nPowerIterations: number, eps: number, dim: number | null],
  SpectralNormOptions
>;
function spectralOptions(module: Module, rest: readonly unknown[]) {
  const options = named<SpectralNormOptions>('spectral_norm', 'name nPowerIterations eps dim', rest);
  const { name = 'weight', nPowerIterations = 1, eps = 1e-12 } = options;
  if (!(wholeGiven(nPowerIterations, 'spectral_norm', 'nPowerIterations') > 0))
    throw new ArgumentError(
      `spectral_norm: Expected n_power_iterations to be positive, but got n_power_iterations=${nPowerIterations}`,
    );
  const transposed = [ConvTranspose1d, ConvTranspose2d, ConvTranspose3d].some(
    (kind) => module instanceof kind,
  );
  return { name, nPowerIterations, eps, dim: options.dim ?? (transposed ? 1 : 0) };
}

/** A weight as a matrix whose rows are its outputs. */
function asMatrix(weight: Tensor, dim: number): Tensor {
  const first = dim === 0 ? weight : weight.movedim(dim, 0);
  return first.ndim === 2 ? first : first.reshape([first.shape[0], -1]);
}

/** A direction drawn at random. */
function direction(size: number, eps: number, { dtype, device }: Tensor): Tensor {
  return noGrad(() => normalize(empty([size], { dtype, device }).normal_(), { dim: 0, eps }));
}

/** ‖W‖ as uᵀ·W·v, u and v being directions that the power iteration has found. */
const sigmaOf = (matrix: Tensor, u: Tensor, v: Tensor): Tensor => u.clone().dot(matrix.mv(v.clone()));

/** Turns u and v towards the largest singular value, in place: equation 17 of Miyato et al. */
function turn(matrix: Tensor, u: Tensor, v: Tensor, eps: number): void {
  noGrad(() => {
    u.copy_(normalize(matrix.mv(v), { dim: 0, eps }));
    v.copy_(normalize(matrix.t().mv(u), { dim: 0, eps }));
  });
}

/** The weight over its largest singular value; `_u` and `_v` are the directions of that. */
class _SpectralNorm extends Module {
  declare _u: Tensor;
  declare _v: Tensor;
  readonly nPowerIterations: number;
  readonly eps: number;
  readonly dim: number;
  constructor(weight: Tensor, nPowerIterations: number, eps: number, dim: number) {
    super();
    this.nPowerIterations = nPowerIterations;
    this.eps = eps;
    this.dim = dim;
    if (weight.ndim < 2) return;
    const matrix = asMatrix(weight.detach(), dim);
    const [u, v] = matrix.shape.map((size) => direction(size, eps, weight));
    this.registerBuffer('_u', u);
    this.registerBuffer('_v', v);
    for (let i = 0; i < 15; i++) turn(matrix, u, v, eps);
  }
  forward(weight: Tensor): Tensor {
    const { eps, _u: u, _v: v } = this;
    if (weight.ndim < 2) return normalize(weight, { dim: 0, eps });
    const matrix = asMatrix(weight, this.dim);
    if (this.training) for (let i = 0; i < this.nPowerIterations; i++) turn(matrix.detach(), u, v, eps);
    return weight.div(sigmaOf(matrix, u, v));
  }
  rightInverse(weight: Tensor): Tensor {
    return weight;
  }
}

const SETTLE = /* @__PURE__ */ Symbol('what the older form computes without a step');
/** What the last `forward` of a module in the older form has computed with. */
const computed = /* @__PURE__ */ new WeakMap<Module, Map<string, Tensor>>();

/**
 * The weight of a module over its largest singular value, which a power iteration follows while the module trains: the
 * parameter `weight_orig` and the buffers `weight_u` and `weight_v`. Returns the module. PyTorch's older form;
 * `parametrizations.spectralNorm` is the newer one.
 *
 * Miyato et al., Spectral normalization for generative adversarial networks, 2018.
 * @throws ArgumentError for a name that is no parameter's, and unless nPowerIterations > 0
 */
export function spectralNorm<M extends Module>(module: M, ...rest: SpectralNormRest): M {
  const { name, nPowerIterations, eps, dim } = spectralOptions(module, rest);
  const [orig, uName, vName] = ['orig', 'u', 'v'].map((part) => `${name}_${part}`);
  if (Object.hasOwn(module, orig))
    throw new ArgumentError(
      `spectral_norm: Cannot register two spectral_norm hooks on the same parameter: expected 'name' to be new, but got '${name}'`,
    );
  const weight = tensorOf(module, name, 'spectral_norm');
  const read = (own: Module, part: string): Tensor => Reflect.get(own, part);
  const own = replace(module, name, (self) => computed.get(self)?.get(name) ?? read(self, orig).detach());
  module.registerParameter(orig, new Parameter(weight.detach()));
  const [u, v] = asMatrix(weight, dim).shape.map((size) => direction(size, eps, weight));
  module.registerBuffer(uName, u);
  module.registerBuffer(vName, v);
  const settle = (self: Module): Tensor =>
    read(self, orig).div(sigmaOf(asMatrix(read(self, orig), dim), read(self, uName), read(self, vName)));
  Object.defineProperty(own, SETTLE, { value: settle, configurable: true });
  Object.defineProperty(own, 'forward', {
    value(this: Module, ...inputs: unknown[]): unknown {
      // It may have been removed below another class.
      if (Object.hasOwn(this, orig)) {
        const matrix = asMatrix(read(this, orig).detach(), dim);
        // From the left first, which the newer form does last.
        for (let i = this.training ? nPowerIterations : 0; i > 0; i--)
          turn(matrix.t(), read(this, vName), read(this, uName), eps);
        const all = computed.get(this) ?? new Map<string, Tensor>();
        computed.set(this, all.set(name, settle(this)));
      }
      return Reflect.apply(Reflect.get(Object.getPrototypeOf(own), 'forward'), this, inputs);
    },
    configurable: true,
    writable: true,
  });
  return module;
}

/** Makes the weight an ordinary parameter again. Returns the module. @throws ArgumentError for one that was none */
export function removeSpectralNorm<M extends Module>(module: M, from?: ByName<'name', string>): M {
  const name = option(from, 'remove_spectral_norm', 'name', 'weight');
  const parts = ['orig', 'u', 'v'].map((part) => `${name}_${part}`);
  checkNormed(module, name, parts[0], 'spectral_norm');
  restore(module, name, parts);
  computed.get(module)?.delete(name);
  return module;
}

/** As parametrizations: `nn.utils.parametrizations`. */
export const parametrizedWeightNorm = <M extends Module>(module: M, ...rest: WeightNormRest): M => {
  const { name, dim } = weightOptions(rest);
  tensorOf(module, name, 'weight_norm');
  return registerParametrization(module, name, new _WeightNorm(dim));
};
export const parametrizedSpectralNorm = <M extends Module>(module: M, ...rest: SpectralNormRest): M => {
  const { name, nPowerIterations, eps, dim } = spectralOptions(module, rest);
  const weight = tensorOf(module, name, 'spectral_norm');
  return registerParametrization(module, name, new _SpectralNorm(weight, nPowerIterations, eps, dim));
};
