// One step of an optimiser over a parameter, its gradient and its buffers, in one pass. Formulas and the order of
// roundings are those of PyTorch in float32.
import { V } from './lanes';

abstract class Step {
  /** The scalars of one call, in all lanes, are arguments: `lanes` is a constant in the loop over whole vectors. */
  // @ts-ignore: decorator
  @inline
  static sgd(
    param: usize,
    grad: usize,
    velocity: usize,
    lanes: usize,
    first: i32,
    decayed: bool,
    nesterov: i32,
    step: v128,
    mu: v128,
    fresh: v128,
    decay: v128,
    sign: v128,
  ): void {
    const p = V.loadLanes(param, 1, lanes);
    let d = v128.xor(V.loadLanes(grad, 1, lanes), sign);
    if (decayed) d = V.madd<f32>(p, decay, d);
    if (velocity) {
      let v = d;
      if (!first) v = V.madd<f32>(d, fresh, f32x4.mul(V.loadLanes(velocity, 1, lanes), mu));
      V.storeLanes(velocity, v, lanes);
      d = nesterov ? V.madd<f32>(v, mu, d) : v;
    }
    V.storeLanes(param, V.madd<f32>(d, step, p), lanes);
  }

  // @ts-ignore: decorator
  @inline
  static adam(
    param: usize,
    grad: usize,
    first: usize,
    second: usize,
    largest: usize,
    lanes: usize,
    sign: f64,
    decay: f64,
    shrink: f64,
    share: f64,
    beta2: f64,
    root: f64,
    eps: f64,
    factor: f64,
  ): void {
    const p = f32x4.mul(V.loadLanes(param, 1, lanes), f32x4.splat(<f32>shrink));
    let g = f32x4.mul(V.loadLanes(grad, 1, lanes), f32x4.splat(<f32>sign));
    if (decay != 0) g = f32x4.add(g, f32x4.mul(p, f32x4.splat(<f32>decay)));
    let m = V.loadLanes(first, 1, lanes);
    const change = f32x4.sub(g, m);
    // From the nearer end, as PyTorch's lerp.
    if (share < 0.5) m = f32x4.add(m, f32x4.mul(change, f32x4.splat(<f32>share)));
    else m = f32x4.sub(g, f32x4.mul(change, f32x4.splat(<f32>1 - <f32>share)));
    V.storeLanes(first, m, lanes);
    let v = f32x4.mul(V.loadLanes(second, 1, lanes), f32x4.splat(<f32>beta2));
    v = f32x4.add(v, f32x4.mul(f32x4.mul(g, f32x4.splat(<f32>(1 - beta2))), g));
    V.storeLanes(second, v, lanes);
    if (largest) {
      v = f32x4.max(v, V.loadLanes(largest, 1, lanes));
      V.storeLanes(largest, v, lanes);
    }
    const spread = f32x4.add(f32x4.div(f32x4.sqrt(v), f32x4.splat(<f32>root)), f32x4.splat(<f32>eps));
    const step = f32x4.div(f32x4.mul(m, f32x4.splat(<f32>factor)), spread);
    V.storeLanes(param, f32x4.add(p, step), lanes);
  }
}

/**
 * Stochastic gradient descent. `velocity` is 0 without momentum; on the first step it becomes the gradient.
 */
export function sgd_f32(
  param: usize,
  grad: usize,
  velocity: usize,
  first: i32,
  lr: f64,
  momentum: f64,
  dampening: f64,
  weightDecay: f64,
  nesterov: i32,
  maximize: i32,
  begin: usize,
  end: usize,
): void {
  const step = f32x4.splat(<f32>-lr);
  const mu = f32x4.splat(<f32>momentum);
  const fresh = f32x4.splat(<f32>(1 - dampening));
  const decay = f32x4.splat(<f32>weightDecay);
  const decayed = weightDecay != 0;
  const sign = f32x4.splat(maximize ? -0.0 : 0);
  const stop = end << 2;
  let i = begin << 2;
  if (velocity) {
    for (; i + 16 <= stop; i += 16) {
      Step.sgd(param + i, grad + i, velocity + i, 4, first, decayed, nesterov, step, mu, fresh, decay, sign);
    }
  } else {
    for (; i + 16 <= stop; i += 16) {
      Step.sgd(param + i, grad + i, 0, 4, first, decayed, nesterov, step, mu, fresh, decay, sign);
    }
  }
  if (i < stop) {
    const v = velocity ? velocity + i : 0;
    const lanes = (stop - i) >> 2;
    Step.sgd(param + i, grad + i, v, lanes, first, decayed, nesterov, step, mu, fresh, decay, sign);
  }
}

/**
 * Adam. The averages `first` and `second` are always there, `largest` only for amsgrad (else 0). `sign` is −1 to climb,
 * `decay` is added to the gradient in units of the parameter, which `shrink` has multiplied before; `share` is 1 − β₁,
 * `root` √(1 − β₂ᵗ), `factor` −lr/(1 − β₁ᵗ).
 */
export function adam_f32(
  param: usize,
  grad: usize,
  first: usize,
  second: usize,
  largest: usize,
  sign: f64,
  decay: f64,
  shrink: f64,
  share: f64,
  beta2: f64,
  root: f64,
  eps: f64,
  factor: f64,
  begin: usize,
  end: usize,
): void {
  const stop = end << 2;
  let i = begin << 2;
  for (; i + 16 <= stop; i += 16) {
    const m = largest ? largest + i : 0;
    Step.adam(
      param + i,
      grad + i,
      first + i,
      second + i,
      m,
      4,
      sign,
      decay,
      shrink,
      share,
      beta2,
      root,
      eps,
      factor,
    );
  }
  if (i < stop) {
    const m = largest ? largest + i : 0;
    const lanes = (stop - i) >> 2;
    Step.adam(
      param + i,
      grad + i,
      first + i,
      second + i,
      m,
      lanes,
      sign,
      decay,
      shrink,
      share,
      beta2,
      root,
      eps,
      factor,
    );
  }
}
