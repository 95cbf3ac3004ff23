/**
 * 64-bit integers as pairs of words (x low, y high) in two's complement, wrapping like int64; conversions between the
 * lanes (rounded here to the nearest even: drivers need not); positions. Division is by shifting and subtracting, unless both numbers have 32 bits.
 */
export const integers = /* wgsl */ `
fn i64_of(x: i32) -> vec2<u32> {
  return vec2<u32>(bitcast<u32>(x), bitcast<u32>(x >> 31u));
}
fn i64_add(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  let low = a.x + b.x;
  return vec2<u32>(low, a.y + b.y + select(0u, 1u, low < a.x));
}
fn i64_sub(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  return vec2<u32>(a.x - b.x, a.y - b.y - select(0u, 1u, a.x < b.x));
}
fn i64_neg(a: vec2<u32>) -> vec2<u32> {
  return i64_sub(vec2<u32>(), a);
}
fn i64_negative(a: vec2<u32>) -> bool {
  return (a.y >> 31u) != 0u;
}
fn i64_abs(a: vec2<u32>) -> vec2<u32> {
  return select(a, i64_neg(a), i64_negative(a));
}
fn i64_is_zero(a: vec2<u32>) -> bool {
  return (a.x | a.y) == 0u;
}
fn i64_sign(a: vec2<u32>) -> vec2<u32> {
  return select(select(vec2<u32>(1u, 0u), vec2<u32>(), i64_is_zero(a)), vec2<u32>(0xffffffffu, 0xffffffffu), i64_negative(a));
}
fn i64_eq(a: vec2<u32>, b: vec2<u32>) -> bool {
  return a.x == b.x && a.y == b.y;
}
fn i64_lt(a: vec2<u32>, b: vec2<u32>) -> bool {
  let high = bitcast<i32>(a.y) < bitcast<i32>(b.y);
  return high || (a.y == b.y && a.x < b.x);
}
fn i64_max(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  return select(a, b, i64_lt(a, b));
}
fn i64_min(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  return select(a, b, i64_lt(b, a));
}
fn u32_product(a: u32, b: u32) -> vec2<u32> {
  let al = a & 0xffffu;
  let ah = a >> 16u;
  let bl = b & 0xffffu;
  let bh = b >> 16u;
  let low = al * bl;
  let middle = ah * bl + (low >> 16u);
  let cross = al * bh + (middle & 0xffffu);
  return vec2<u32>((cross << 16u) | (low & 0xffffu), ah * bh + (middle >> 16u) + (cross >> 16u));
}
fn i64_mul(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  let low = u32_product(a.x, b.x);
  return vec2<u32>(low.x, low.y + a.x * b.y + a.y * b.x);
}
fn u64_less(a: vec2<u32>, b: vec2<u32>) -> bool {
  return a.y < b.y || (a.y == b.y && a.x < b.x);
}
fn u64_divide(n: vec2<u32>, d: vec2<u32>) -> vec4<u32> {
  if ((d.x | d.y) == 0u) {
    return vec4<u32>(0u, 0u, n.x, n.y);
  }
  if ((n.y | d.y) == 0u) {
    return vec4<u32>(n.x / d.x, 0u, n.x % d.x, 0u);
  }
  var quotient = vec2<u32>();
  var rest = vec2<u32>();
  for (var i = 63; i >= 0; i--) {
    let word = select(n.x, n.y, i >= 32);
    let carry = (rest.y >> 31u) != 0u;
    rest = vec2<u32>((rest.x << 1u) | ((word >> (u32(i) & 31u)) & 1u), (rest.y << 1u) | (rest.x >> 31u));
    if (carry || !u64_less(rest, d)) {
      rest = i64_sub(rest, d);
      let bit = 1u << (u32(i) & 31u);
      if (i >= 32) {
        quotient.y |= bit;
      } else {
        quotient.x |= bit;
      }
    }
  }
  return vec4<u32>(quotient, rest);
}
fn i64_div(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  let q = u64_divide(i64_abs(a), i64_abs(b)).xy;
  return select(q, i64_neg(q), i64_negative(a) != i64_negative(b));
}
fn i64_rem(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  let r = u64_divide(i64_abs(a), i64_abs(b)).zw;
  return select(r, i64_neg(r), i64_negative(a));
}
fn i64_mod(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  let r = i64_rem(a, b);
  return select(r, i64_add(r, b), !i64_is_zero(r) && i64_negative(r) != i64_negative(b));
}
fn i64_floor_div(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  let r = i64_rem(a, b);
  let q = i64_div(a, b);
  return select(q, i64_sub(q, vec2<u32>(1u, 0u)), !i64_is_zero(r) && i64_negative(r) != i64_negative(b));
}
fn i64_shl(a: vec2<u32>, by: vec2<u32>) -> vec2<u32> {
  let n = by.x;
  if (by.y != 0u || n >= 64u) {
    return vec2<u32>();
  }
  if (n == 0u) {
    return a;
  }
  if (n >= 32u) {
    return vec2<u32>(0u, a.x << (n - 32u));
  }
  return vec2<u32>(a.x << n, (a.y << n) | (a.x >> (32u - n)));
}
fn i64_shr(a: vec2<u32>, by: vec2<u32>) -> vec2<u32> {
  let sign = bitcast<u32>(bitcast<i32>(a.y) >> 31u);
  let n = by.x;
  if (by.y != 0u || n >= 64u) {
    return vec2<u32>(sign, sign);
  }
  if (n == 0u) {
    return a;
  }
  if (n >= 32u) {
    return vec2<u32>(bitcast<u32>(bitcast<i32>(a.y) >> (n - 32u)), sign);
  }
  return vec2<u32>((a.x >> n) | (a.y << (32u - n)), bitcast<u32>(bitcast<i32>(a.y) >> n));
}
fn i64_pow(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  let one = vec2<u32>(1u, 0u);
  if (i64_negative(b)) {
    let odd = (b.x & 1u) != 0u;
    if (i64_eq(a, one)) {
      return one;
    }
    return select(vec2<u32>(), select(one, a, odd), i64_eq(a, vec2<u32>(0xffffffffu, 0xffffffffu)));
  }
  var result = one;
  var base = a;
  var left = b;
  while (!i64_is_zero(left)) {
    if ((left.x & 1u) != 0u) {
      result = i64_mul(result, base);
    }
    base = i64_mul(base, base);
    left = vec2<u32>((left.x >> 1u) | (left.y << 31u), left.y >> 1u);
  }
  return result;
}
fn i64_gcd(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  var x = i64_abs(a);
  var y = i64_abs(b);
  while (!i64_is_zero(y)) {
    let r = u64_divide(x, y).zw;
    x = y;
    y = r;
  }
  return x;
}
fn i64_lcm(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  if (i64_is_zero(a) || i64_is_zero(b)) {
    return vec2<u32>();
  }
  return i64_abs(i64_mul(i64_div(a, i64_gcd(a, b)), b));
}
fn i64_to_f32(a: vec2<u32>) -> f32 {
  let m = i64_abs(a);
  let bits = 64u - select(32u + countLeadingZeros(m.x), countLeadingZeros(m.y), m.y != 0u);
  var value = f32(m.x);
  if (bits > 24u) {
    let shift = bits - 24u;
    let kept = u64_shr(m, shift).x;
    let behind = u64_shr(m, shift - 1u).x & 1u;
    let exact = u64_shr(i64_shl(m, vec2<u32>(65u - shift, 0u)), 65u - shift);
    let sticky = shift > 1u && (exact.x | exact.y) != 0u;
    let up = behind == 1u && (sticky || (kept & 1u) == 1u);
    value = f32(kept + select(0u, 1u, up)) * bitcast<f32>((shift + 127u) << 23u);
  }
  return select(value, -value, i64_negative(a));
}
fn u64_shr(a: vec2<u32>, n: u32) -> vec2<u32> {
  if (n == 0u) {
    return a;
  }
  if (n >= 64u) {
    return vec2<u32>();
  }
  if (n >= 32u) {
    return vec2<u32>(a.y >> (n - 32u), 0u);
  }
  return vec2<u32>((a.x >> n) | (a.y << (32u - n)), a.y >> n);
}
fn i32_to_f32(x: i32) -> f32 {
  if (abs(x) <= 16777216 && x != -2147483647 - 1) {
    return f32(x);
  }
  return i64_to_f32(i64_of(x));
}
fn f32_to_i64(x: f32) -> vec2<u32> {
  let bits = bitcast<u32>(x) & 0x7fffffffu;
  let exponent = i32(bits >> 23u) - 127;
  if (exponent < 0) {
    return vec2<u32>();
  }
  if (exponent >= 63) {
    return vec2<u32>(0u, 0x80000000u);
  }
  let mantissa = vec2<u32>((bits & 0x7fffffu) | 0x800000u, 0u);
  var m = vec2<u32>(mantissa.x >> u32(max(23 - exponent, 0)), 0u);
  if (exponent > 23) {
    m = i64_shl(mantissa, vec2<u32>(u32(exponent - 23), 0u));
  }
  return select(m, i64_neg(m), (bitcast<u32>(x) >> 31u) != 0u);
}
fn f32_to_word(x: f32) -> i32 {
  return bitcast<i32>(f32_to_i64(x).x);
}
fn f32_truth(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) != 0u;
}
fn i32_div(a: i32, b: i32) -> i32 {
  return select(a / select(b, 1, b == 0 || b == -1), -a, b == -1);
}
fn i32_rem(a: i32, b: i32) -> i32 {
  return select(a % select(b, 1, b == 0 || b == -1), 0, b == -1 || b == 0);
}
fn i32_mod(a: i32, b: i32) -> i32 {
  let r = i32_rem(a, b);
  return select(r, r + b, r != 0 && (r < 0) != (b < 0));
}
fn i32_floor_div(a: i32, b: i32) -> i32 {
  let r = i32_rem(a, b);
  return i32_div(a, b) - select(0, 1, r != 0 && (r < 0) != (b < 0));
}
fn i32_shl(a: i32, b: i32) -> i32 {
  return select(0, a << u32(b & 31), b >= 0 && b < 32);
}
fn i32_shr(a: i32, b: i32) -> i32 {
  return a >> u32(select(31, b, b >= 0 && b < 32));
}
fn i32_pow(a: i32, b: i32) -> i32 {
  if (b < 0) {
    return select(select(0, select(1, -1, (b & 1) != 0), a == -1), 1, a == 1);
  }
  var result = 1;
  var base = a;
  var left = b;
  while (left != 0) {
    if ((left & 1) != 0) {
      result = result * base;
    }
    base = base * base;
    left = left >> 1u;
  }
  return result;
}
fn i32_gcd(a: i32, b: i32) -> i32 {
  var x = u32(abs(a));
  var y = u32(abs(b));
  while (y != 0u) {
    let r = x % y;
    x = y;
    y = r;
  }
  return i32(x);
}
fn i32_lcm(a: i32, b: i32) -> i32 {
  if (a == 0 || b == 0) {
    return 0;
  }
  return abs((a / i32_gcd(a, b)) * b);
}
fn wrap_index(i: vec2<u32>, size: u32) -> u32 {
  return select(i.x, i.x + size, i64_negative(i));
}
`;
