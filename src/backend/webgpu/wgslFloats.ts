/**
 * Functions of analysis over float32. WGSL allows its own an absolute error of 2⁻¹¹ (sine) or a relative one that grows
 * with the argument (exponential), lets drivers assume that there is no NaN or infinity, and flush denormal numbers: so
 * NaN and infinity are told by their bits here, and results are polynomials of our own (the fits of assembly/math.ts,
 * those of Cephes for the arcs, https://www.netlib.org/cephes/). Quotients and roots, which may be off by 2.5 units in the
 * last place, are mended by what is left of the mantissas: whole numbers, whose difference is exact in their last 32 bits,
 * and which no driver computes otherwise than it is written. Large angles are multiplied by the bits of 2/π that count, in
 * whole numbers (M. Payne and R. Hanek, "Radian reduction for trigonometric functions", 1983). What many formulas have, quotients
 * and roots, has no branches: compilers write it out at every use, and SwiftShader's takes many times as long where it branches.
 */
export const floats = /* wgsl */ `
fn isNan(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}
fn isInf(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) == 0x7f800000u;
}
fn isFinite(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u;
}
fn isNegative(x: f32) -> bool {
  return (bitcast<u32>(x) >> 31u) != 0u;
}
fn f_nan() -> f32 {
  var bits = 0x7fc00000u;
  return bitcast<f32>(bits);
}
fn f_inf() -> f32 {
  var bits = 0x7f800000u;
  return bitcast<f32>(bits);
}
fn f_max(a: f32, b: f32) -> f32 {
  if (isNan(a) || isNan(b)) {
    return select(b, a, isNan(a));
  }
  return select(b, a, a > b);
}
fn f_min(a: f32, b: f32) -> f32 {
  if (isNan(a) || isNan(b)) {
    return select(b, a, isNan(a));
  }
  return select(b, a, a < b);
}
fn relu(x: f32) -> f32 {
  return select(x, 0.0, bitcast<u32>(x) - 0x80000001u < 0x7f800000u);
}
fn mantissa(bits: u32) -> u32 {
  return (bits & 0x7fffffu) | 0x800000u;
}
fn is_normal(exponent: u32) -> bool {
  return exponent - 1u < 254u;
}
fn divide(a: f32, b: f32) -> f32 {
  let scale = select(1.0, 0.25, abs(b) > 4.2535296e37);
  let n = a * scale;
  let d = b * scale;
  let q = n / d;
  let bits = vec3<u32>(bitcast<u32>(n), bitcast<u32>(d), bitcast<u32>(q)) & vec3<u32>(0x7fffffffu);
  let exponents = bits >> vec3<u32>(23u);
  let shift = exponents.x - exponents.y - exponents.z + 150u;
  let near = is_normal(exponents.x) & is_normal(exponents.y) & is_normal(exponents.z) & (shift <= 25u);
  let whole = i32(mantissa(bits.y));
  let twice = 2 * bitcast<i32>((mantissa(bits.x) << shift) - mantissa(bits.z) * mantissa(bits.y));
  let more = i32(twice > whole) + i32(twice > 3 * whole) + i32(twice > 5 * whole);
  let fewer = i32(-twice > whole) + i32(-twice > 3 * whole) + i32(-twice > 5 * whole);
  return select(q, bitcast<f32>(bitcast<i32>(q) + more - fewer), near);
}
fn f_sqrt(x: f32) -> f32 {
  let s = sqrt(x);
  let bits = vec2<u32>(bitcast<u32>(x), bitcast<u32>(s));
  let exponents = bits >> vec2<u32>(23u);
  let shift = exponents.x - 2u * exponents.y + 150u;
  let near = is_normal(exponents.x) & is_normal(exponents.y) & (shift <= 25u);
  let root = i32(mantissa(bits.y));
  let rest = bitcast<i32>((mantissa(bits.x) << shift) - mantissa(bits.y) * mantissa(bits.y));
  let more = i32(rest > root) + i32(rest > 3 * root + 2) + i32(rest > 5 * root + 6);
  let fewer = i32(rest <= -root) + i32(rest <= 2 - 3 * root) + i32(rest <= 6 - 5 * root);
  return select(s, bitcast<f32>(bitcast<i32>(s) + more - fewer), near);
}
fn fmax(a: f32, b: f32) -> f32 {
  if (isNan(a)) {
    return b;
  }
  return select(f_max(a, b), a, isNan(b));
}
fn fmin(a: f32, b: f32) -> f32 {
  if (isNan(a)) {
    return b;
  }
  return select(f_min(a, b), a, isNan(b));
}
fn f_sign(x: f32) -> f32 {
  let size = bitcast<u32>(x) & 0x7fffffffu;
  return select(select(1.0, -1.0, isNegative(x)), 0.0, size == 0u || size > 0x7f800000u);
}
fn f_round(x: f32) -> f32 {
  let nearest = floor(x);
  let distance = x - nearest;
  let even = nearest - 2.0 * floor(nearest * 0.5) == 0.0;
  let up = distance > 0.5 || (distance == 0.5 && !even);
  let rounded = bitcast<f32>(bitcast<u32>(select(nearest, nearest + 1.0, up)) | (bitcast<u32>(x) & 0x80000000u));
  return select(rounded, x, !isFinite(x) || abs(x) >= 8388608.0);
}
fn f_inverseSqrt(x: f32) -> f32 {
  return divide(1.0, f_sqrt(x));
}
fn f_exp(x: f32) -> f32 {
  let a = clamp(x, -104.0, 89.0);
  let n = floor(a * 1.44269504 + 0.5);
  let r = (a - n * 0.693359375) + n * 2.12194442e-4;
  let p = 1.0 + r * (1.0 + r * (0.5 + r * (0.166666666 + r * (0.0416666666 + r * (0.00833333333 + r * (0.00138888889 + r * 1.98412698e-4))))));
  let e = i32(n);
  let half = e / 2;
  let scaled = p * bitcast<f32>(u32(half + 127) << 23u) * bitcast<f32>(u32(e - half + 127) << 23u);
  return select(select(scaled, f_inf(), x > 88.72284), x, isNan(x));
}
fn f_exp2(x: f32) -> f32 {
  let n = floor(clamp(x, -150.0, 128.0) + 0.5);
  let r = (clamp(x, -150.0, 128.0) - n) * 0.693147181;
  let p = 1.0 + r * (1.0 + r * (0.5 + r * (0.166666666 + r * (0.0416666666 + r * (0.00833333333 + r * (0.00138888889 + r * 1.98412698e-4))))));
  let e = i32(n);
  let half = e / 2;
  let scaled = p * bitcast<f32>(u32(half + 127) << 23u) * bitcast<f32>(u32(e - half + 127) << 23u);
  return select(select(scaled, f_inf(), x >= 128.0), x, isNan(x));
}
fn expm1(x: f32) -> f32 {
  if (abs(x) < 0.5) {
    return x * (1.0 + x * (0.5 + x * (0.166666666 + x * (0.0416666666 + x * (0.00833333333 + x * (0.00138888889 + x * (1.98412698e-4 + x * 2.48015873e-5)))))));
  }
  return f_exp(x) - 1.0;
}
fn log_mantissa(f: f32) -> f32 {
  let q = 0.333333135 + f * (-0.250000089 + f * (0.200021341 + f * (-0.166680068 + f * (0.142192259 + f * (-0.124051362 + f * (0.118903145 + f * (-0.116796345 + f * 0.0674658492)))))));
  return f + f * f * (f * q - 0.5);
}
fn f_log(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  if (x <= 0.0 || bits >= 0x7f800000u || bits < 0x00800000u) {
    if (isNan(x) || bits == 0x7f800000u) {
      return x;
    }
    if ((bits & 0x7fffffffu) == 0u) {
      return -f_inf();
    }
    if (bits >= 0x80000000u) {
      return f_nan();
    }
    let tiny = f32(bits) * 1.1920929e-7;
    let s = (bitcast<i32>(tiny) - 0x3f3504f3) >> 23u;
    return f32(s - 126) * 0.693147181 + log_mantissa(bitcast<f32>(bitcast<i32>(tiny) - (s << 23u)) - 1.0);
  }
  let e = (bitcast<i32>(bits) - 0x3f3504f3) >> 23u;
  let f = bitcast<f32>(bitcast<i32>(bits) - (e << 23u)) - 1.0;
  let n = f32(e);
  return n * 0.693359375 + (log_mantissa(f) - n * 2.12194442e-4);
}
fn f_log2(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  if (bits >= 0x7f800000u || bits < 0x00800000u) {
    return f_log(x) * 1.44269504;
  }
  let e = (bitcast<i32>(bits) - 0x3f3504f3) >> 23u;
  let f = bitcast<f32>(bitcast<i32>(bits) - (e << 23u)) - 1.0;
  return f32(e) + log_mantissa(f) * 1.44269504;
}
fn log1p(x: f32) -> f32 {
  if (x > -0.29 && x < 0.41) {
    return log_mantissa(x);
  }
  return f_log(1.0 + x);
}
fn reduced_angle(a: f32) -> vec2<f32> {
  var words = array<u32, 8>(
    0u, 0xa2f9836eu, 0x4e441529u, 0xfc2757d1u, 0xf534ddc0u, 0xdb629599u, 0x3c439041u, 0xfe5163abu
  );
  let bits = bitcast<u32>(a);
  let start = (bits >> 23u) - 120u;
  let at = start >> 5u;
  let s = start & 31u;
  let mantissa = (bits & 0x007fffffu) | 0x00800000u;
  var window = vec3<u32>(words[at], words[at + 1u], words[at + 2u]);
  if (s > 0u) {
    let next = vec3<u32>(words[at + 1u], words[at + 2u], words[at + 3u]);
    window = (window << vec3<u32>(s)) | (next >> vec3<u32>(32u - s));
  }
  let low = u32_product(window.z, mantissa);
  let middle = u32_product(window.y, mantissa);
  let second = low.y + middle.x;
  let first = window.x * mantissa + middle.y + select(0u, 1u, second < low.y);
  var quarters = first >> 30u;
  var part = vec2<u32>((first << 2u) | (second >> 30u), (second << 2u) | (low.x >> 30u));
  let beyond = part.x >= 0x80000000u;
  if (beyond) {
    quarters = quarters + 1u;
    part = vec2<u32>(~part.x + select(0u, 1u, part.y == 0u), ~part.y + 1u);
  }
  var zeros = 0u;
  if (part.x == 0u) {
    zeros = 32u;
    part = vec2<u32>(part.y, 0u);
  }
  let lead = min(countLeadingZeros(part.x), 31u);
  if (lead > 0u) {
    part.x = (part.x << lead) | (part.y >> (32u - lead));
  }
  let turned = f32(part.x) * 2.32830644e-10 * bitcast<f32>((127u - zeros - lead) << 23u) * 1.57079633;
  return vec2<f32>(select(turned, -turned, beyond), f32(quarters & 3u));
}
fn sine_of(x: f32, shift: i32) -> f32 {
  if (!isFinite(x)) {
    return f_nan();
  }
  let a = abs(x);
  var n = floor(a * 0.636619772 + 0.5);
  var r = ((a - n * 1.5703125) - n * 4.83751297e-4) - n * 7.54978942e-8 - n * 5.126e-12;
  if (a >= 8192.0) {
    let reduced = reduced_angle(a);
    r = reduced.x;
    n = reduced.y;
  }
  let z = r * r;
  let s = r + r * z * (-0.166666552 + z * (0.00833217613 + z * -1.95169778e-4));
  let c = 1.0 - 0.5 * z + z * z * (0.0416666456 + z * (-0.00138873642 + z * 2.44380917e-5));
  let quarter = (i32(n - 4.0 * floor(n * 0.25)) + shift) & 3;
  let value = select(s, c, (quarter & 1) != 0);
  let signed = select(value, -value, quarter >= 2);
  return select(signed, -signed, shift == 0 && isNegative(x));
}
fn f_sin(x: f32) -> f32 {
  return sine_of(x, 0);
}
fn f_cos(x: f32) -> f32 {
  return sine_of(x, 1);
}
fn f_tan(x: f32) -> f32 {
  return f_sin(x) / f_cos(x);
}
fn f_atan(x: f32) -> f32 {
  let a = abs(x);
  var base = 0.0;
  var t = a;
  if (a > 2.41421356) {
    base = 1.57079633;
    t = -1.0 / a;
  } else if (a > 0.414213562) {
    base = 0.785398163;
    t = (a - 1.0) / (a + 1.0);
  }
  let z = t * t;
  let value = base + (t + t * z * (-0.333329491539 + z * (0.199777106478 + z * (-0.138776856032 + z * 0.0805374449538))));
  return select(select(value, -value, isNegative(x)), x, isNan(x));
}
fn f_atan2(y: f32, x: f32) -> f32 {
  if (isNan(x) || isNan(y)) {
    return x + y;
  }
  let ax = abs(x);
  let ay = abs(y);
  var angle = 0.0;
  if (isInf(x) && isInf(y)) {
    angle = 0.785398163;
  } else if (ax >= ay) {
    angle = select(f_atan(divide(ay, ax)), 0.0, ax == 0.0);
  } else {
    angle = 1.57079633 - f_atan(divide(ax, ay));
  }
  let whole = select(angle, 3.14159265 - angle, isNegative(x));
  return select(whole, -whole, isNegative(y));
}
fn asin_small(x: f32) -> f32 {
  let z = x * x;
  return x + x * z * (0.16666752422 + z * (0.074953002686 + z * (0.045470025998 + z * (0.024181311049 + z * 0.042163199048))));
}
fn f_asin(x: f32) -> f32 {
  let a = abs(x);
  if (!(a <= 1.0)) {
    return f_nan();
  }
  var value = asin_small(a);
  if (a > 0.5) {
    value = 1.57079633 - 2.0 * asin_small(sqrt(0.5 * (1.0 - a)));
  }
  return select(value, -value, isNegative(x));
}
fn f_acos(x: f32) -> f32 {
  if (!(abs(x) <= 1.0)) {
    return f_nan();
  }
  if (x > 0.5) {
    return 2.0 * asin_small(sqrt(0.5 * (1.0 - x)));
  }
  if (x < -0.5) {
    return 3.14159265 - 2.0 * asin_small(sqrt(0.5 * (1.0 + x)));
  }
  return 1.57079633 - asin_small(x);
}
fn f_sinh(x: f32) -> f32 {
  let a = abs(x);
  let e = expm1(min(a, 88.0));
  let near = 0.5 * (e + e / (e + 1.0));
  let h = f_exp(0.5 * a);
  let value = select(near, 0.5 * h * h, a > 15.0);
  return select(select(value, -value, isNegative(x)), x, isNan(x));
}
fn f_cosh(x: f32) -> f32 {
  let h = f_exp(0.5 * abs(x));
  let s = h * h;
  return select(0.5 * s + 0.5 / s, 0.5 * h * h, abs(x) > 15.0);
}
fn f_tanh(x: f32) -> f32 {
  let a = abs(x);
  let e = expm1(2.0 * min(a, 10.0));
  let value = select(e / (e + 2.0), 1.0, a > 9.5);
  return select(select(value, -value, isNegative(x)), x, isNan(x));
}
fn f_asinh(x: f32) -> f32 {
  let a = abs(x);
  var value = log1p(a + a * a / (1.0 + sqrt(1.0 + a * a)));
  if (a > 1.0e9) {
    value = f_log(a) + 0.693147181;
  }
  return select(select(value, -value, isNegative(x)), x, isNan(x));
}
fn f_acosh(x: f32) -> f32 {
  if (!(x >= 1.0)) {
    return f_nan();
  }
  if (x > 1.0e9) {
    return f_log(x) + 0.693147181;
  }
  let t = x - 1.0;
  return log1p(t + sqrt(2.0 * t + t * t));
}
fn f_atanh(x: f32) -> f32 {
  let a = abs(x);
  if (!(a <= 1.0)) {
    return f_nan();
  }
  let value = select(0.5 * log1p(2.0 * a / (1.0 - a)), f_inf(), a == 1.0);
  return select(value, -value, isNegative(x));
}
fn f_pow(a: f32, b: f32) -> f32 {
  if (b == 0.0 || a == 1.0) {
    return 1.0;
  }
  if (isNan(a) || isNan(b)) {
    return f_nan();
  }
  let m = abs(a);
  let whole = b == floor(b);
  let odd = whole && abs(b) < 16777216.0 && b - 2.0 * floor(b * 0.5) != 0.0;
  var value = 0.0;
  if (isInf(b)) {
    value = select(select(0.0, f_inf(), (m > 1.0) == (b > 0.0)), 1.0, m == 1.0);
  } else if (m == 0.0 || isInf(m)) {
    value = select(0.0, f_inf(), (m == 0.0) != (b > 0.0));
  } else if (whole && abs(b) <= 64.0) {
    var n = u32(abs(b));
    var base = m;
    value = 1.0;
    while (n != 0u) {
      if ((n & 1u) != 0u) {
        value = value * base;
      }
      base = base * base;
      n = n >> 1u;
    }
    value = select(value, 1.0 / value, b < 0.0);
  } else {
    value = f_exp2(b * f_log2(m));
  }
  if (a < 0.0 && !whole && isFinite(a)) {
    return f_nan();
  }
  return select(value, -value, isNegative(a) && odd);
}
fn fmod(a: f32, b: f32) -> f32 {
  let m = abs(b);
  if (!isFinite(a) || isNan(b) || m == 0.0) {
    return f_nan();
  }
  if (isInf(b)) {
    return a;
  }
  var r = abs(a);
  var steps = 0;
  while (r >= m && steps < 300) {
    let ratio = (bitcast<u32>(r) >> 23u) - (bitcast<u32>(m) >> 23u);
    let twos = max(ratio, 1u) - 1u;
    let some = min(twos, 126u);
    let half = m * bitcast<f32>((some + 127u) << 23u) * bitcast<f32>((twos - some + 127u) << 23u);
    let unit = select(half, half + half, ratio > 0u && half <= r - half);
    r = r - unit;
    steps++;
  }
  return select(r, -r, isNegative(a));
}
fn remainder(a: f32, b: f32) -> f32 {
  let r = fmod(a, b);
  return select(r, r + b, r != 0.0 && (b < 0.0) != (r < 0.0));
}
fn floorDivide(a: f32, b: f32) -> f32 {
  if (b == 0.0) {
    return divide(a, b);
  }
  if (!isFinite(a) || !isFinite(b)) {
    if (isInf(b) && isFinite(a)) {
      return select(0.0, -1.0, a != 0.0 && isNegative(a) != isNegative(b));
    }
    return select(divide(a, b), f_nan(), isInf(a));
  }
  let r = fmod(a, b);
  let q = divide(a - r, b);
  let lower = select(q, q - 1.0, r != 0.0 && (b < 0.0) != (r < 0.0));
  let floored = floor(lower);
  return select(floored, floored + 1.0, lower - floored > 0.5);
}
fn decayed(p: f32, g: f32, sign: f32, decay: f32) -> f32 {
  return select(sign * g + decay * p, sign * g, decay == 0.0);
}
fn mixed(a: f32, b: f32, weight: f32) -> f32 {
  return select(b - (b - a) * (1.0 - weight), a + weight * (b - a), weight < 0.5);
}
fn hypot(a: f32, b: f32) -> f32 {
  if (isInf(a) || isInf(b)) {
    return f_inf();
  }
  let m = f_max(abs(a), abs(b));
  let n = f_min(abs(a), abs(b));
  let r = divide(n, select(m, 1.0, m == 0.0));
  return m * sqrt(1.0 + r * r);
}
fn logaddexp(a: f32, b: f32) -> f32 {
  if (a == b && isInf(a)) {
    return a;
  }
  return f_max(a, b) + log1p(f_exp(-abs(a - b)));
}
fn logaddexp2(a: f32, b: f32) -> f32 {
  if (a == b && isInf(a)) {
    return a;
  }
  return f_max(a, b) + log1p(f_exp2(-abs(a - b))) * 1.44269504;
}
fn xlogy(a: f32, b: f32) -> f32 {
  return select(select(a * f_log(b), 0.0, a == 0.0), b, isNan(b));
}
`;
