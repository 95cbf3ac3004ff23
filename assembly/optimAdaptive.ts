// Optimisers that scale each element by its past gradients, one pass over a parameter, its gradient and up to three
// buffers. What they compute, which buffers and which scalars they take, in which order: src/optim/steps.ts, which
// also says where results are rounded. All are called alike: absent buffers are 0, s0 is the sign of the gradient, s1
// the weight decay.
import { V } from './lanes';

/** A constant at every use, so that of the switch below one case remains. */
enum Op {
  ADADELTA,
  ADAGRAD,
  ADAMAX,
  NADAM,
  RADAM,
  RMSPROP,
}

abstract class Adaptive {
  // @ts-ignore: decorator
  @inline
  static splat(x: f64): v128 {
    return f32x4.splat(<f32>x);
  }

  /** from + weight·(to − from), from the nearer end. */
  // @ts-ignore: decorator
  @inline
  static lerp(from: v128, to: v128, weight: f64): v128 {
    const change = f32x4.sub(to, from);
    if (weight < 0.5) return f32x4.add(from, f32x4.mul(change, Adaptive.splat(weight)));
    return f32x4.sub(to, f32x4.mul(change, Adaptive.splat(1 - weight)));
  }

  /** a·rate + (1 − rate)·x². */
  // @ts-ignore: decorator
  @inline
  static square(a: v128, rate: f64, x: v128): v128 {
    const part = f32x4.mul(f32x4.mul(x, Adaptive.splat(1 - rate)), x);
    return f32x4.add(f32x4.mul(a, Adaptive.splat(rate)), part);
  }

  /** p + factor·a/b. */
  // @ts-ignore: decorator
  @inline
  static divided(p: v128, factor: f64, a: v128, b: v128): v128 {
    return f32x4.add(p, f32x4.div(f32x4.mul(a, Adaptive.splat(factor)), b));
  }

  // @ts-ignore: decorator
  @inline
  static run(
    op: Op,
    param: usize,
    grad: usize,
    a: usize,
    b: usize,
    c: usize,
    s0: f64,
    s1: f64,
    s2: f64,
    s3: f64,
    s4: f64,
    s5: f64,
    s6: f64,
    s7: f64,
    s8: f64,
    s9: f64,
    begin: usize,
    end: usize,
  ): void {
    const stop = end << 2;
    for (let i = begin << 2; i < stop; i += 16) {
      const lanes = (stop - i) >> 2;
      let p = V.loadLanes(param + i, 1, lanes);
      let g = f32x4.mul(V.loadLanes(grad + i, 1, lanes), Adaptive.splat(s0));
      // Some shrink the parameter first.
      if (op == Op.NADAM || op == Op.RADAM) p = f32x4.mul(p, Adaptive.splat(s2));
      if (s1 != 0) g = f32x4.add(g, f32x4.mul(p, Adaptive.splat(s1)));
      let x = V.loadLanes(a + i, 1, lanes);
      if (op == Op.ADAGRAD) {
        x = f32x4.add(x, f32x4.mul(g, g));
        p = Adaptive.divided(p, s3, g, f32x4.add(f32x4.sqrt(x), Adaptive.splat(s2)));
      } else if (op == Op.ADADELTA) {
        let y = V.loadLanes(b + i, 1, lanes);
        const eps = Adaptive.splat(s3);
        x = Adaptive.square(x, s2, g);
        const spread = f32x4.sqrt(f32x4.add(x, eps));
        const delta = f32x4.mul(f32x4.div(f32x4.sqrt(f32x4.add(y, eps)), spread), g);
        y = Adaptive.square(y, s2, delta);
        p = f32x4.sub(p, f32x4.mul(delta, Adaptive.splat(s4)));
        V.storeLanes(b + i, y, lanes);
      } else if (op == Op.ADAMAX) {
        let y = V.loadLanes(b + i, 1, lanes);
        x = Adaptive.lerp(x, g, s2);
        y = f32x4.max(f32x4.mul(y, Adaptive.splat(s3)), f32x4.add(f32x4.abs(g), Adaptive.splat(s4)));
        p = Adaptive.divided(p, s5, x, y);
        V.storeLanes(b + i, y, lanes);
      } else if (op == Op.NADAM) {
        const y = Adaptive.square(V.loadLanes(b + i, 1, lanes), s4, g);
        x = Adaptive.lerp(x, g, s3);
        const spread = f32x4.add(f32x4.sqrt(f32x4.div(y, Adaptive.splat(s5))), Adaptive.splat(s6));
        p = Adaptive.divided(Adaptive.divided(p, s7, g, spread), s8, x, spread);
        V.storeLanes(b + i, y, lanes);
      } else if (op == Op.RADAM) {
        const y = Adaptive.square(V.loadLanes(b + i, 1, lanes), s4, g);
        x = Adaptive.lerp(x, g, s3);
        let change = f32x4.mul(f32x4.div(x, Adaptive.splat(s5)), Adaptive.splat(s6));
        if (s9 > 0) {
          const factor = f32x4.div(Adaptive.splat(s8), f32x4.add(f32x4.sqrt(y), Adaptive.splat(s7)));
          change = f32x4.mul(f32x4.mul(change, factor), Adaptive.splat(s9));
        }
        p = f32x4.sub(p, change);
        V.storeLanes(b + i, y, lanes);
      } else if (op == Op.RMSPROP) {
        x = Adaptive.square(x, s2, g);
        let variance = x;
        if (s6 != 0) {
          const average = Adaptive.lerp(V.loadLanes(b + i, 1, lanes), g, 1 - s2);
          V.storeLanes(b + i, average, lanes);
          variance = f32x4.sub(x, f32x4.mul(average, average));
        }
        const spread = f32x4.add(f32x4.sqrt(variance), Adaptive.splat(s3));
        if (s5 > 0) {
          let z = f32x4.mul(V.loadLanes(c + i, 1, lanes), Adaptive.splat(s5));
          z = f32x4.add(z, f32x4.div(g, spread));
          V.storeLanes(c + i, z, lanes);
          p = f32x4.sub(p, f32x4.mul(z, Adaptive.splat(s4)));
        } else {
          p = Adaptive.divided(p, -s4, g, spread);
        }
      }
      V.storeLanes(a + i, x, lanes);
      V.storeLanes(param + i, p, lanes);
    }
  }
}

export function adadelta_f32(
  param: usize,
  grad: usize,
  a: usize,
  b: usize,
  c: usize,
  s0: f64,
  s1: f64,
  s2: f64,
  s3: f64,
  s4: f64,
  s5: f64,
  s6: f64,
  s7: f64,
  s8: f64,
  s9: f64,
  begin: usize,
  end: usize,
): void {
  Adaptive.run(Op.ADADELTA, param, grad, a, b, c, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, begin, end);
}

export function adagrad_f32(
  param: usize,
  grad: usize,
  a: usize,
  b: usize,
  c: usize,
  s0: f64,
  s1: f64,
  s2: f64,
  s3: f64,
  s4: f64,
  s5: f64,
  s6: f64,
  s7: f64,
  s8: f64,
  s9: f64,
  begin: usize,
  end: usize,
): void {
  Adaptive.run(Op.ADAGRAD, param, grad, a, b, c, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, begin, end);
}

export function adamax_f32(
  param: usize,
  grad: usize,
  a: usize,
  b: usize,
  c: usize,
  s0: f64,
  s1: f64,
  s2: f64,
  s3: f64,
  s4: f64,
  s5: f64,
  s6: f64,
  s7: f64,
  s8: f64,
  s9: f64,
  begin: usize,
  end: usize,
): void {
  Adaptive.run(Op.ADAMAX, param, grad, a, b, c, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, begin, end);
}

export function nadam_f32(
  param: usize,
  grad: usize,
  a: usize,
  b: usize,
  c: usize,
  s0: f64,
  s1: f64,
  s2: f64,
  s3: f64,
  s4: f64,
  s5: f64,
  s6: f64,
  s7: f64,
  s8: f64,
  s9: f64,
  begin: usize,
  end: usize,
): void {
  Adaptive.run(Op.NADAM, param, grad, a, b, c, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, begin, end);
}

export function radam_f32(
  param: usize,
  grad: usize,
  a: usize,
  b: usize,
  c: usize,
  s0: f64,
  s1: f64,
  s2: f64,
  s3: f64,
  s4: f64,
  s5: f64,
  s6: f64,
  s7: f64,
  s8: f64,
  s9: f64,
  begin: usize,
  end: usize,
): void {
  Adaptive.run(Op.RADAM, param, grad, a, b, c, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, begin, end);
}

export function rmsprop_f32(
  param: usize,
  grad: usize,
  a: usize,
  b: usize,
  c: usize,
  s0: f64,
  s1: f64,
  s2: f64,
  s3: f64,
  s4: f64,
  s5: f64,
  s6: f64,
  s7: f64,
  s8: f64,
  s9: f64,
  begin: usize,
  end: usize,
): void {
  Adaptive.run(Op.RMSPROP, param, grad, a, b, c, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, begin, end);
}
