/**
 * Error and gamma functions of one double, as plain numbers. erf and erfc: Maclaurin series and Laplace's continued
 * fraction (Abramowitz & Stegun 7.1.5, 7.1.14); log Γ and its derivatives: recurrence to large arguments and Stirling's
 * series (A&S 6.1.40, 6.3.18, 6.4.12).
 */

const TWO_OVER_ROOT_PI = 2 / Math.sqrt(Math.PI);

function erfSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; n < 200; n++) {
    term *= (-x * x) / n;
    const next = sum + term / (2 * n + 1);
    if (next === sum) break;
    sum = next;
  }
  return TWO_OVER_ROOT_PI * sum;
}

/** erfc for x ≥ 2, from the bottom of the continued fraction up. */
function erfcFraction(x: number): number {
  let fraction = 0;
  for (let k = 120; k >= 1; k--) fraction = k / 2 / (x + fraction);
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * (x + fraction));
}

export function erfOf(x: number): number {
  if (Number.isNaN(x)) return x;
  const a = Math.abs(x);
  if (a < 2) return erfSeries(x);
  return Math.sign(x) * (a > 6 ? 1 : 1 - erfcFraction(a));
}

export function erfcOf(x: number): number {
  if (Number.isNaN(x)) return x;
  if (x < -6) return 2;
  if (x < 2) return 1 - erfOf(x);
  return x > 28 ? 0 : erfcFraction(x);
}

/** Newton's method on erf from Winitzki's approximation. */
export function erfinvOf(y: number): number {
  if (!(Math.abs(y) < 1)) return Math.abs(y) === 1 ? y * Infinity : Number.NaN;
  if (y === 0) return y;
  const a = 0.147;
  const l = Math.log1p(-y * y);
  const b = 2 / (Math.PI * a) + l / 2;
  let x = Math.sign(y) * Math.sqrt(Math.sqrt(b * b - l / a) - b);
  for (let i = 0; i < 4; i++) {
    const gap = Math.abs(y) < 0.9 ? erfOf(x) - y : Math.sign(y) * (1 - Math.abs(y) - erfcOf(Math.abs(x)));
    const step = gap / (TWO_OVER_ROOT_PI * Math.exp(-x * x));
    x -= step / (1 + x * step);
  }
  return x;
}

/** log |Γ(x)|; +∞ at 0, −1, −2, … */
export function lgammaOf(x: number): number {
  if (Number.isNaN(x)) return x;
  if (!Number.isFinite(x)) return Infinity;
  if (x <= 0) {
    if (Number.isInteger(x)) return Infinity;
    return Math.log(Math.PI / Math.abs(Math.sin(Math.PI * x))) - lgammaOf(1 - x);
  }
  if (x === 1 || x === 2) return 0;
  let shift = 1;
  let z = x;
  for (; z < 12; z++) shift *= z;
  const w = 1 / (z * z);
  const tail = (1 / 12 - w * (1 / 360 - w * (1 / 1260 - w * (1 / 1680 - w / 1188)))) / z;
  return (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + tail - Math.log(shift);
}

/** The derivative of log Γ; NaN at negative integers, ∓∞ at ±0. */
export function digammaOf(x: number): number {
  if (x === 0) return Object.is(x, -0) ? Infinity : -Infinity;
  if (x < 0) {
    if (Number.isInteger(x)) return Number.NaN;
    return digammaOf(1 - x) - Math.PI / Math.tan(Math.PI * x);
  }
  if (x === Infinity) return x;
  let sum = 0;
  let z = x;
  for (; z < 12; z++) sum -= 1 / z;
  const w = 1 / (z * z);
  const tail = w * (1 / 12 - w * (1 / 120 - w * (1 / 252 - w * (1 / 240 - w / 132))));
  return sum + Math.log(z) - 0.5 / z - tail;
}

/** The second derivative of log Γ. */
export function trigammaOf(x: number): number {
  if (x <= 0) {
    if (Number.isInteger(x)) return Infinity;
    const s = Math.sin(Math.PI * x);
    return (Math.PI * Math.PI) / (s * s) - trigammaOf(1 - x);
  }
  let sum = 0;
  let z = x;
  for (; z < 12; z++) sum += 1 / (z * z);
  const w = 1 / (z * z);
  return sum + 1 / z + w / 2 + (w / z) * (1 / 6 - w * (1 / 30 - w * (1 / 42 - w / 30)));
}
