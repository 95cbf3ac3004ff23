/** The methods that change a tensor in place, as functions: `torch.relu_(x)` is `x.relu_()`. */
import { tensorGiven } from './ops/given.ts';
import type { Tensor } from './tensor.ts';

type Method = {
  [K in keyof Tensor]: K extends `${string}_`
    ? Tensor[K] extends (...args: infer _) => Tensor
      ? K
      : never
    : never;
}[keyof Tensor];
type InPlace<K extends Method> = (x: Tensor, ...args: Parameters<Tensor[K]>) => Tensor;

/** Changes its first argument and returns it. @throws ArgumentError for what is no tensor, and as the method does */
const inPlace =
  <K extends Method>(name: K): InPlace<K> =>
  (x, ...args) =>
    Reflect.apply(tensorGiven(x, name)[name] as (...args: unknown[]) => Tensor, x, args);

/** `x.abs_(…)`. */
export const abs_ = /* @__PURE__ */ inPlace('abs_');
/** `x.acos_(…)`. */
export const acos_ = /* @__PURE__ */ inPlace('acos_');
/** `x.acosh_(…)`. */
export const acosh_ = /* @__PURE__ */ inPlace('acosh_');
/** `x.arccos_(…)`. */
export const arccos_ = /* @__PURE__ */ inPlace('arccos_');
/** `x.arccosh_(…)`. */
export const arccosh_ = /* @__PURE__ */ inPlace('arccosh_');
/** `x.arcsin_(…)`. */
export const arcsin_ = /* @__PURE__ */ inPlace('arcsin_');
/** `x.arcsinh_(…)`. */
export const arcsinh_ = /* @__PURE__ */ inPlace('arcsinh_');
/** `x.arctan_(…)`. */
export const arctan_ = /* @__PURE__ */ inPlace('arctan_');
/** `x.arctanh_(…)`. */
export const arctanh_ = /* @__PURE__ */ inPlace('arctanh_');
/** `x.asin_(…)`. */
export const asin_ = /* @__PURE__ */ inPlace('asin_');
/** `x.asinh_(…)`. */
export const asinh_ = /* @__PURE__ */ inPlace('asinh_');
/** `x.atan_(…)`. */
export const atan_ = /* @__PURE__ */ inPlace('atan_');
/** `x.atanh_(…)`. */
export const atanh_ = /* @__PURE__ */ inPlace('atanh_');
/** `x.ceil_(…)`. */
export const ceil_ = /* @__PURE__ */ inPlace('ceil_');
/** `x.clamp_(…)`. */
export const clamp_ = /* @__PURE__ */ inPlace('clamp_');
/** `x.clampMax_(…)`. */
export const clampMax_ = /* @__PURE__ */ inPlace('clampMax_');
/** `x.clampMin_(…)`. */
export const clampMin_ = /* @__PURE__ */ inPlace('clampMin_');
/** `x.clip_(…)`. */
export const clip_ = /* @__PURE__ */ inPlace('clip_');
/** `x.cos_(…)`. */
export const cos_ = /* @__PURE__ */ inPlace('cos_');
/** `x.cosh_(…)`. */
export const cosh_ = /* @__PURE__ */ inPlace('cosh_');
/** `x.deg2rad_(…)`. */
export const deg2rad_ = /* @__PURE__ */ inPlace('deg2rad_');
/** `x.detach_(…)`. */
export const detach_ = /* @__PURE__ */ inPlace('detach_');
/** `x.erf_(…)`. */
export const erf_ = /* @__PURE__ */ inPlace('erf_');
/** `x.erfc_(…)`. */
export const erfc_ = /* @__PURE__ */ inPlace('erfc_');
/** `x.exp_(…)`. */
export const exp_ = /* @__PURE__ */ inPlace('exp_');
/** `x.exp2_(…)`. */
export const exp2_ = /* @__PURE__ */ inPlace('exp2_');
/** `x.expm1_(…)`. */
export const expm1_ = /* @__PURE__ */ inPlace('expm1_');
/** `x.fill_(…)`. */
export const fill_ = /* @__PURE__ */ inPlace('fill_');
/** `x.fix_(…)`. */
export const fix_ = /* @__PURE__ */ inPlace('fix_');
/** `x.floor_(…)`. */
export const floor_ = /* @__PURE__ */ inPlace('floor_');
/** `x.frac_(…)`. */
export const frac_ = /* @__PURE__ */ inPlace('frac_');
/** `x.gcd_(…)`. */
export const gcd_ = /* @__PURE__ */ inPlace('gcd_');
/** `x.indexPut_(…)`. */
export const indexPut_ = /* @__PURE__ */ inPlace('indexPut_');
/** `x.lcm_(…)`. */
export const lcm_ = /* @__PURE__ */ inPlace('lcm_');
/** `x.log_(…)`. */
export const log_ = /* @__PURE__ */ inPlace('log_');
/** `x.log10_(…)`. */
export const log10_ = /* @__PURE__ */ inPlace('log10_');
/** `x.log1p_(…)`. */
export const log1p_ = /* @__PURE__ */ inPlace('log1p_');
/** `x.log2_(…)`. */
export const log2_ = /* @__PURE__ */ inPlace('log2_');
/** `x.nanToNum_(…)`. */
export const nanToNum_ = /* @__PURE__ */ inPlace('nanToNum_');
/** `x.neg_(…)`. */
export const neg_ = /* @__PURE__ */ inPlace('neg_');
/** `x.negative_(…)`. */
export const negative_ = /* @__PURE__ */ inPlace('negative_');
/** `x.rad2deg_(…)`. */
export const rad2deg_ = /* @__PURE__ */ inPlace('rad2deg_');
/** `x.reciprocal_(…)`. */
export const reciprocal_ = /* @__PURE__ */ inPlace('reciprocal_');
/** `x.relu_(…)`. */
export const relu_ = /* @__PURE__ */ inPlace('relu_');
/** `x.resizeAs_(…)`. */
export const resizeAs_ = /* @__PURE__ */ inPlace('resizeAs_');
/** `x.round_(…)`. */
export const round_ = /* @__PURE__ */ inPlace('round_');
/** `x.rsqrt_(…)`. */
export const rsqrt_ = /* @__PURE__ */ inPlace('rsqrt_');
/** `x.sigmoid_(…)`. */
export const sigmoid_ = /* @__PURE__ */ inPlace('sigmoid_');
/** `x.sin_(…)`. */
export const sin_ = /* @__PURE__ */ inPlace('sin_');
/** `x.sinc_(…)`. */
export const sinc_ = /* @__PURE__ */ inPlace('sinc_');
/** `x.sinh_(…)`. */
export const sinh_ = /* @__PURE__ */ inPlace('sinh_');
/** `x.sqrt_(…)`. */
export const sqrt_ = /* @__PURE__ */ inPlace('sqrt_');
/** `x.square_(…)`. */
export const square_ = /* @__PURE__ */ inPlace('square_');
/** `x.tan_(…)`. */
export const tan_ = /* @__PURE__ */ inPlace('tan_');
/** `x.tanh_(…)`. */
export const tanh_ = /* @__PURE__ */ inPlace('tanh_');
/** `x.trunc_(…)`. */
export const trunc_ = /* @__PURE__ */ inPlace('trunc_');
/** `x.xlogy_(…)`. */
export const xlogy_ = /* @__PURE__ */ inPlace('xlogy_');
/** `x.zero_(…)`. */
export const zero_ = /* @__PURE__ */ inPlace('zero_');
