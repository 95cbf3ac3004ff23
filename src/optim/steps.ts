/**
 * What each optimiser does to one element, rounded where PyTorch rounds. Every formula begins with the gradient's sign
 * and the weight decay, c[0] and c[1]; the other scalars are named where they are unpacked.
 */
import type { StepSpec } from '../backend/backend.ts';

type Round = (x: number) => number;

/** sign·g + decay·p. */
const decayed = (p: number, g: number, c: readonly number[], r: Round): number =>
  c[1] === 0 ? c[0] * g : r(c[0] * g + r(c[1] * p));

/** from + weight·(to − from), the way that is exact at both ends. */
const lerp = (from: number, to: number, weight: number, r: Round): number =>
  weight < 0.5 ? r(from + r(weight * r(to - from))) : r(to - r(r(to - from) * r(1 - weight)));

/** a·rate + weight·x². */
const square = (a: number, rate: number, weight: number, x: number, r: Round): number =>
  r(r(a * rate) + r(r(weight * x) * x));

/** p + factor·a/b. */
const divided = (p: number, factor: number, a: number, b: number, r: Round): number =>
  r(p + r(r(factor * a) / b));

/** Buffers: expAvg, expAvgSq, maxExpAvgSq if amsgrad. Scalars: sign, decay, shrink, 1 − β₁, β₂, √(1 − β₂ᵗ), eps, −lr/(1 − β₁ᵗ), amsgrad. */
export const adam: StepSpec = {
  name: 'adam',
  js: (v, gradient, c, r) => {
    const [, , shrink, share, beta2, correction, eps, factor, amsgrad] = c;
    const p = r(v[0] * shrink);
    const g = decayed(p, gradient, c, r);
    v[1] = lerp(v[1], g, share, r);
    v[2] = square(v[2], beta2, 1 - beta2, g, r);
    if (amsgrad) v[3] = Math.max(v[3], v[2]);
    const spread = amsgrad ? v[3] : v[2];
    v[0] = divided(p, factor, v[1], r(r(r(Math.sqrt(spread)) / correction) + eps), r);
  },
  wgsl: `
    v0 *= c2;
    let g = decayed(v0, gradient, c0, c1);
    v1 = mixed(v1, g, c3);
    v2 = v2 * c4 + m4 * g * g;
    if (c8 != 0.0) { v3 = f_max(v3, v2); }
    let spread = select(v2, v3, c8 != 0.0);
    v0 += c7 * v1 / (sqrt(spread) / c5 + c6);`,
};

/** Buffers: expAvg, expInf. Scalars: sign, decay, 1 − β₁, β₂, eps, −lr/(1 − β₁ᵗ). */
export const adamax: StepSpec = {
  name: 'adamax',
  js: (v, gradient, c, r) => {
    const [, , share, beta2, eps, factor] = c;
    const g = decayed(v[0], gradient, c, r);
    v[1] = lerp(v[1], g, share, r);
    v[2] = Math.max(r(v[2] * beta2), r(Math.abs(g) + eps));
    v[0] = divided(v[0], factor, v[1], v[2], r);
  },
  wgsl: `
    let g = decayed(v0, gradient, c0, c1);
    v1 = mixed(v1, g, c2);
    v2 = f_max(v2 * c3, abs(g) + c4);
    v0 += c5 * v1 / v2;`,
};

/** Buffers: expAvg, expAvgSq. Scalars: sign, decay, shrink, 1 − β₁, β₂, 1 − β₂ᵗ, eps, factor of g, factor of expAvg. */
export const nadam: StepSpec = {
  name: 'nadam',
  js: (v, gradient, c, r) => {
    const [, , shrink, share, beta2, correction, eps, byGradient, byAverage] = c;
    const p = r(v[0] * shrink);
    const g = decayed(p, gradient, c, r);
    v[1] = lerp(v[1], g, share, r);
    v[2] = square(v[2], beta2, 1 - beta2, g, r);
    const spread = r(r(Math.sqrt(r(v[2] / correction))) + eps);
    v[0] = divided(divided(p, byGradient, g, spread, r), byAverage, v[1], spread, r);
  },
  wgsl: `
    v0 *= c2;
    let g = decayed(v0, gradient, c0, c1);
    v1 = mixed(v1, g, c3);
    v2 = v2 * c4 + m4 * g * g;
    let spread = sqrt(v2 / c5) + c6;
    v0 += c7 * g / spread;
    v0 += c8 * v1 / spread;`,
};

/**
 * Buffers: expAvg, expAvgSq. Scalars: sign, decay, shrink, 1 − β₁, β₂, 1 − β₁ᵗ, lr, eps, √(1 − β₂ᵗ), and the
 * rectification, 0 while the variance is not tractable.
 */
export const radam: StepSpec = {
  name: 'radam',
  js: (v, gradient, c, r) => {
    const [, , shrink, share, beta2, correction, lr, eps, root, rectification] = c;
    const p = r(v[0] * shrink);
    const g = decayed(p, gradient, c, r);
    v[1] = lerp(v[1], g, share, r);
    v[2] = square(v[2], beta2, 1 - beta2, g, r);
    let change = r(r(v[1] / correction) * lr);
    if (rectification > 0) change = r(r(change * r(root / r(r(Math.sqrt(v[2])) + eps))) * rectification);
    v[0] = r(p - change);
  },
  wgsl: `
    v0 *= c2;
    let g = decayed(v0, gradient, c0, c1);
    v1 = mixed(v1, g, c3);
    v2 = v2 * c4 + m4 * g * g;
    var change = v1 / c5 * c6;
    if (c9 > 0.0) { change = change * (c8 / (sqrt(v2) + c7)) * c9; }
    v0 -= change;`,
};

/** Buffers: sum. Scalars: sign, decay, eps, −lr/(1 + (t − 1)·lrDecay). */
export const adagrad: StepSpec = {
  name: 'adagrad',
  js: (v, gradient, c, r) => {
    const [, , eps, factor] = c;
    const g = decayed(v[0], gradient, c, r);
    v[1] = square(v[1], 1, 1, g, r);
    v[0] = divided(v[0], factor, g, r(r(Math.sqrt(v[1])) + eps), r);
  },
  wgsl: `
    let g = decayed(v0, gradient, c0, c1);
    v1 += g * g;
    v0 += c3 * g / (sqrt(v1) + c2);`,
};

/** Buffers: squareAvg, accDelta. Scalars: sign, decay, ρ, eps, lr. */
export const adadelta: StepSpec = {
  name: 'adadelta',
  js: (v, gradient, c, r) => {
    const [, , rho, eps, lr] = c;
    const g = decayed(v[0], gradient, c, r);
    v[1] = square(v[1], rho, 1 - rho, g, r);
    const spread = r(Math.sqrt(r(v[1] + eps)));
    const delta = r(r(r(Math.sqrt(r(v[2] + eps))) / spread) * g);
    v[2] = square(v[2], rho, 1 - rho, delta, r);
    v[0] = r(v[0] - r(lr * delta));
  },
  wgsl: `
    let g = decayed(v0, gradient, c0, c1);
    v1 = v1 * c2 + m2 * g * g;
    let delta = sqrt(v2 + c3) / sqrt(v1 + c3) * g;
    v2 = v2 * c2 + m2 * delta * delta;
    v0 -= c4 * delta;`,
};

/** Buffers: squareAvg, gradAvg if centered, momentumBuffer if μ > 0. Scalars: sign, decay, α, eps, lr, μ, centered. */
export const rmsprop: StepSpec = {
  name: 'rmsprop',
  js: (v, gradient, c, r) => {
    const [, , alpha, eps, lr, momentum, centered] = c;
    const g = decayed(v[0], gradient, c, r);
    v[1] = square(v[1], alpha, 1 - alpha, g, r);
    if (centered) v[2] = lerp(v[2], g, 1 - alpha, r);
    const variance = centered ? r(v[1] - r(v[2] * v[2])) : v[1];
    const spread = r(r(Math.sqrt(variance)) + eps);
    if (momentum > 0) {
      v[3] = r(r(v[3] * momentum) + r(g / spread));
      v[0] = r(v[0] - r(lr * v[3]));
    } else {
      v[0] = divided(v[0], -lr, g, spread, r);
    }
  },
  wgsl: `
    let g = decayed(v0, gradient, c0, c1);
    v1 = v1 * c2 + m2 * g * g;
    if (c6 != 0.0) { v2 = mixed(v2, g, m2); }
    let variance = select(v1, v1 - v2 * v2, c6 != 0.0);
    let spread = sqrt(variance) + c3;
    if (c5 > 0.0) {
      v3 = v3 * c5 + g / spread;
      v0 -= c4 * v3;
    } else {
      v0 -= c4 * g / spread;
    }`,
};

/** Buffers: prev, stepSize. Scalars: sign, 0, η⁻, η⁺, the least and the largest step. */
export const rprop: StepSpec = {
  name: 'rprop',
  js: (v, gradient, c, r) => {
    const [, , shrink, growth, least, largest] = c;
    const g = decayed(v[0], gradient, c, r);
    const turn = r(g * v[1]);
    const factor = turn > 0 ? growth : turn < 0 ? shrink : turn + 1;
    v[2] = Math.min(Math.max(r(v[2] * factor), least), largest);
    v[1] = turn < 0 ? 0 : g;
    v[0] = r(v[0] - Math.sign(v[1]) * v[2]);
  },
  wgsl: `
    let g = decayed(v0, gradient, c0, c1);
    let turn = g * v1;
    let factor = select(select(turn + 1.0, c2, turn < 0.0), c3, turn > 0.0);
    v2 = f_min(f_max(v2 * factor, c4), c5);
    v1 = select(g, 0.0, turn < 0.0);
    v0 -= sign(v1) * v2;`,
};

/** Buffers: ax. Scalars: sign, decay, 1 − λη, −η, μ. */
export const asgd: StepSpec = {
  name: 'asgd',
  js: (v, gradient, c, r) => {
    const [, , shrink, factor, weight] = c;
    const g = decayed(v[0], gradient, c, r);
    v[0] = r(r(v[0] * shrink) + r(factor * g));
    v[1] = weight === 1 ? v[0] : r(v[1] + r(r(v[0] - v[1]) * weight));
  },
  wgsl: `
    let g = decayed(v0, gradient, c0, c1);
    v0 = v0 * c2 + c3 * g;
    v1 = select(v1 + (v0 - v1) * c4, v0, c4 == 1.0);`,
};
