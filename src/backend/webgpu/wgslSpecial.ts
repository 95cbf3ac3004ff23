/**
 * WGSL for special functions of float32: the error functions (the inverse after M. Giles, "Approximating the erfinv
 * function", 2012) and the gamma family.
 */
export const special = /* wgsl */ `
fn erf_series(x: f32) -> f32 {
  let z = x * x;
  return x + x * (0.128379155 + z * (-0.376125336 + z * (0.112822302 + z * (-0.0267819576 + z * (0.00501622818 + z * -6.11129159e-4)))));
}
fn erfc_tail(a: f32) -> f32 {
  let t = 1.0 / (1.0 + 0.5 * a);
  let g = -1.26551223 + t * (1.00002368 + t * (0.37409196 + t * (0.09678418 + t * (-0.18628806 + t * (0.27886807 + t * (-1.13520398 + t * (1.48851587 + t * (-0.82215223 + t * 0.17087277))))))));
  let high = bitcast<f32>(bitcast<u32>(a) & 0xfffff000u);
  return t * f_exp(-high * high) * f_exp((high - a) * (high + a) + g);
}
fn erf(x: f32) -> f32 {
  let a = abs(x);
  if (isNan(x) || a < 0.9) {
    return erf_series(x);
  }
  let value = select(1.0 - erfc_tail(min(a, 9.0)), 1.0, a > 4.0);
  return select(value, -value, isNegative(x));
}
fn erfc(x: f32) -> f32 {
  if (isNan(x) || abs(x) < 0.5) {
    return 1.0 - erf_series(x);
  }
  let tail = select(erfc_tail(min(abs(x), 11.0)), 0.0, abs(x) > 10.5);
  return select(tail, 2.0 - tail, isNegative(x));
}
fn erfinv(x: f32) -> f32 {
  if (!(abs(x) < 1.0)) {
    return select(f_nan(), select(f_inf(), -f_inf(), isNegative(x)), abs(x) == 1.0);
  }
  var w = -log1p(-x * x);
  if (abs(x) > 0.59) {
    w = -(f_log(1.0 - abs(x)) + f_log(1.0 + abs(x)));
  }
  var y = 0.0;
  if (w < 5.0) {
    w = w - 2.5;
    y = x * (1.50140941 + w * (0.246640727 + w * (-0.00417768164 + w * (-0.00125372503 + w * (2.1858087e-4 + w * (-4.39150654e-6 + w * (-3.5233877e-6 + w * (3.43273939e-7 + w * 2.81022636e-8))))))));
  } else {
    w = sqrt(w) - 3.0;
    y = x * (2.83297682 + w * (1.00167406 + w * (0.00943887047 + w * (-0.0076224613 + w * (0.00573950773 + w * (-0.00367342844 + w * (0.00134934322 + w * (1.00950558e-4 + w * -2.00214257e-4))))))));
  }
  return y;
}
fn gamma_log_above(x: f32) -> f32 {
  var shift = 1.0;
  var z = x;
  while (z < 7.0) {
    shift = shift * z;
    z = z + 1.0;
  }
  let r = 1.0 / z;
  let q = r * r;
  return (z - 0.5) * f_log(z) - z + 0.918938533 + r * (0.0833333333 + q * (-0.00277777778 + q * 7.93650794e-4)) - f_log(shift);
}
fn gamma_log_near(x: f32, center: f32) -> f32 {
  let t = x - center;
  let a = select(0.422784335, -0.577215665, center == 1.0);
  let b = select(0.322467033, 0.822467033, center == 1.0);
  let c = select(-0.0673523011, -0.400685634, center == 1.0);
  let d = select(0.0205808084, 0.270580808, center == 1.0);
  let e = select(-0.00738555103, -0.207385551, center == 1.0);
  let f = select(0.00289051033, 0.169557177, center == 1.0);
  return t * (a + t * (b + t * (c + t * (d + t * (e + t * f)))));
}
fn lgamma(x: f32) -> f32 {
  if (isNan(x)) {
    return x;
  }
  if (isInf(x)) {
    return f_inf();
  }
  if (x <= 0.0) {
    if (x == floor(x)) {
      return f_inf();
    }
    return f_log(3.14159265 / abs(f_sin(3.14159265 * (x - round(x))))) - gamma_log_above(1.0 - x);
  }
  if (abs(x - 1.0) < 0.1) {
    return gamma_log_near(x, 1.0);
  }
  if (abs(x - 2.0) < 0.2) {
    return gamma_log_near(x, 2.0);
  }
  return gamma_log_above(x);
}
fn digamma_above(x: f32) -> f32 {
  var z = x;
  var sum = 0.0;
  while (z < 7.0) {
    sum = sum - 1.0 / z;
    z = z + 1.0;
  }
  let r = 1.0 / z;
  let q = r * r;
  return sum + f_log(z) - 0.5 * r - q * (0.0833333333 + q * (-0.00833333333 + q * 0.00396825397));
}
fn digamma(x: f32) -> f32 {
  if (x == 0.0) {
    return select(-f_inf(), f_inf(), isNegative(x));
  }
  if (x < 0.0) {
    if (x == floor(x)) {
      return f_nan();
    }
    let angle = 3.14159265 * (x - round(x));
    return digamma_above(1.0 - x) - 3.14159265 * f_cos(angle) / f_sin(angle);
  }
  return digamma_above(x);
}
fn trigamma_above(x: f32) -> f32 {
  var z = x;
  var sum = 0.0;
  while (z < 7.0) {
    sum = sum + 1.0 / (z * z);
    z = z + 1.0;
  }
  let r = 1.0 / z;
  let q = r * r;
  return sum + r + 0.5 * q + r * q * (0.166666667 + q * (-0.0333333333 + q * 0.0238095238));
}
fn trigamma(x: f32) -> f32 {
  if (x < 0.5) {
    let s = f_sin(3.14159265 * (x - round(x)));
    return -trigamma_above(1.0 - x) + 9.86960440 / (s * s);
  }
  return trigamma_above(x);
}
`;
