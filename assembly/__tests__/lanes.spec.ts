// V's multiply-add in the relaxed build: every lane gets its own operands, and the result is one of the two that the
// instruction may give (rounded once or twice).
import { V } from '../lanes';

function floats(a: f32, b: f32, c: f32, d: f32): v128 {
  return f32x4.replace_lane(f32x4.replace_lane(f32x4.replace_lane(f32x4.splat(a), 1, b), 2, c), 3, d);
}

function doubles(a: f64, b: f64): v128 {
  return f64x2.replace_lane(f64x2.splat(a), 1, b);
}

describe('V.madd', () => {
  it('multiplies and adds float32 lane by lane', () => {
    const r = V.madd<f32>(floats(1, 2, 3, 4), floats(5, 6, 7, 8), floats(0.5, 0.25, -1, -32));
    expect<f32>(f32x4.extract_lane(r, 0)).toBe(5.5);
    expect<f32>(f32x4.extract_lane(r, 1)).toBe(12.25);
    expect<f32>(f32x4.extract_lane(r, 2)).toBe(20);
    expect<f32>(f32x4.extract_lane(r, 3)).toBe(0);
  });

  it('multiplies and adds float64 lane by lane', () => {
    const r = V.madd<f64>(doubles(3, -2), doubles(7, 0.5), doubles(-20, 1e300));
    expect<f64>(f64x2.extract_lane(r, 0)).toBe(1);
    expect<f64>(f64x2.extract_lane(r, 1)).toBe(1e300);
  });

  it('rounds float32 once or twice', () => {
    const x: f32 = 1 + 1 / 4096.0;
    const r = f32x4.extract_lane(
      V.madd<f32>(f32x4.splat(x), f32x4.splat(x), f32x4.splat(-1 - 1 / 2048.0)),
      0,
    );
    const once: f32 = 1 / 16777216.0;
    expect(r == once || r == 0).toBe(true);
    expect(V.fused() || r == 0).toBe(true);
  });

  it('carries infinities and NaN', () => {
    const r = V.madd<f32>(floats(Infinity, 0, NaN, 1), floats(2, Infinity, 1, 1), floats(1, 1, 1, -Infinity));
    expect<f32>(f32x4.extract_lane(r, 0)).toBe(Infinity);
    expect(isNaN(f32x4.extract_lane(r, 1))).toBe(true);
    expect(isNaN(f32x4.extract_lane(r, 2))).toBe(true);
    expect<f32>(f32x4.extract_lane(r, 3)).toBe(-Infinity);
  });
});
