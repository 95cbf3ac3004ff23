// The functions of analysis against the standard library's in float64: an error in units of the last place, and the
// values at the edges.
import { M } from '../math';

const STEPS = 20000;

/** How far a float32 result lies from the exact value, in units of the last place of that value. */
function ulps(result: f32, exact: f64): f64 {
  const nearest = <f32>exact;
  if (result === nearest) return 0;
  const bits = reinterpret<u32>(nearest) & 0x7fffffff;
  const unit = <f64>reinterpret<f32>(bits + 1) - <f64>reinterpret<f32>(bits);
  return Math.abs(<f64>result - exact) / unit;
}

function quad(a: f32, b: f32, c: f32, d: f32): v128 {
  return f32x4.replace_lane(f32x4.replace_lane(f32x4.replace_lane(f32x4.splat(a), 1, b), 2, c), 3, d);
}

describe('M', () => {
  it('exp is within 2 ulp where the result is a normal number', () => {
    let worst: f64 = 0;
    for (let i = 0; i <= STEPS; i++) {
      const x = <f32>(<f64>i * (175.5 / <f64>STEPS) - 87);
      worst = Math.max(worst, ulps(f32x4.extract_lane(M.exp(f32x4.splat(x)), 0), Math.exp(<f64>x)));
    }
    expect(worst).toBeLessThan(2);
  });

  it('log is within 2 ulp from the smallest denormal to the largest float', () => {
    let worst: f64 = 0;
    for (let bits: u32 = 1; bits < 0x7f800000; bits += 106543) {
      const x = reinterpret<f32>(bits);
      worst = Math.max(worst, ulps(f32x4.extract_lane(M.log(f32x4.splat(x)), 0), Math.log(<f64>x)));
    }
    expect(worst).toBeLessThan(2);
  });

  it('tanh is odd and within 2 ulp', () => {
    let worst: f64 = 0;
    let odd = true;
    for (let i = 1; i <= STEPS; i++) {
      const x = <f32>(<f64>i * (10.0 / <f64>STEPS));
      const y = f32x4.extract_lane(M.tanh(f32x4.splat(x)), 0);
      worst = Math.max(worst, ulps(y, Math.tanh(<f64>x)));
      odd = odd && f32x4.extract_lane(M.tanh(f32x4.splat(-x)), 0) === -y;
    }
    expect(odd).toBe(true);
    expect(worst).toBeLessThan(2);
  });

  it('sigmoid is within 2 ulp', () => {
    let worst: f64 = 0;
    for (let i = 0; i <= STEPS; i++) {
      const x = <f32>(<f64>i * (100.0 / <f64>STEPS) - 80);
      const exact = 1 / (1 + Math.exp(<f64>-x));
      worst = Math.max(worst, ulps(f32x4.extract_lane(M.sigmoid(f32x4.splat(x)), 0), exact));
    }
    expect(worst).toBeLessThan(2);
  });

  it('knows the edges, each lane for itself', () => {
    const e = M.exp(quad(Infinity, -Infinity, NaN, 0));
    expect(f32x4.extract_lane(e, 0)).toBe(Infinity);
    expect(f32x4.extract_lane(e, 1)).toBe(0);
    expect(isNaN(f32x4.extract_lane(e, 2))).toBe(true);
    expect(f32x4.extract_lane(e, 3)).toBe(1);

    const l = M.log(quad(Infinity, 0, -1, 1));
    expect(f32x4.extract_lane(l, 0)).toBe(Infinity);
    expect(f32x4.extract_lane(l, 1)).toBe(-Infinity);
    expect(isNaN(f32x4.extract_lane(l, 2))).toBe(true);
    expect(f32x4.extract_lane(l, 3)).toBe(0);

    const t = M.tanh(quad(Infinity, -Infinity, NaN, 0));
    expect(f32x4.extract_lane(t, 0)).toBe(1);
    expect(f32x4.extract_lane(t, 1)).toBe(-1);
    expect(isNaN(f32x4.extract_lane(t, 2))).toBe(true);
    expect(f32x4.extract_lane(t, 3)).toBe(0);
  });
});
