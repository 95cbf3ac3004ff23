/** The normal distribution's like on a circle. */
import { noGrad } from '../autograd/gradMode.ts';
import { where } from '../functions.ts';
import { rand } from '../random.ts';
import type { Tensor } from '../tensor.ts';
import { type Constraint, positive, real } from './constraints.ts';
import type { SampleShape } from './distribution.ts';
import { Elementwise, type Two } from './parameters.ts';

/** Abramowitz and Stegun: Handbook of Mathematical Functions, 1964, 9.8.1 to 9.8.4: |error| < 2e-7. Constant first. */
const BESSEL = [
  {
    near: [1, 3.5156229, 3.0899424, 1.2067492, 0.2659732, 0.0360768, 0.0045813],
    far: [
      0.39894228, 0.01328592, 0.00225319, -0.00157565, 0.00916281, -0.02057706, 0.02635537, -0.01647633,
      0.00392377,
    ],
  },
  {
    near: [0.5, 0.87890594, 0.51498869, 0.15084934, 0.02658733, 0.00301532, 0.00032411],
    far: [
      0.39894228, -0.03988024, -0.00362018, 0.00163801, -0.01031555, 0.02282967, -0.02895312, 0.01787654,
      -0.00420059,
    ],
  },
] as const;

const polynomial = (y: Tensor, coefficients: readonly number[]): Tensor =>
  coefficients
    .slice(0, -1)
    .reduceRight<Tensor>(
      (sum, coefficient) => y.mul(sum).add(coefficient),
      y.mul(0).add(coefficients[coefficients.length - 1]),
    );

/** log I₀(x) or log I₁(x), of x > 0. */
function logBessel(x: Tensor, order: 0 | 1): Tensor {
  const { near, far } = BESSEL[order];
  const series = polynomial(x.div(3.75).square(), near);
  const small = (order === 0 ? series : x.abs().mul(series)).log();
  const large = x.sub(x.log().mul(0.5)).add(polynomial(x.reciprocal().mul(3.75), far).log());
  return where(x.lt(3.75), small, large);
}

/**
 * Von Mises' distribution of angles, in [−π, π): e^(concentration·cos(x − loc)) / (2π·I₀(concentration)). Samples are drawn
 * in double precision, by rejection (Best and Fisher, 1979).
 */
export class VonMises extends Elementwise {
  declare readonly loc: Tensor;
  declare readonly concentration: Tensor;

  constructor(...args: Two<'loc', 'concentration'>) {
    super(['loc', 'concentration'], args);
  }
  override get argConstraints(): { loc: Constraint; concentration: Constraint } {
    return { loc: real, concentration: positive };
  }
  override get support(): Constraint {
    return real;
  }
  override get mean(): Tensor {
    return this.loc;
  }
  override get mode(): Tensor {
    return this.loc;
  }
  /** The circular one, 1 − I₁/I₀. */
  override get variance(): Tensor {
    const { concentration } = this;
    return logBessel(concentration, 1).sub(logBessel(concentration, 0)).exp().rsub(1);
  }
  /** @throws DeviceError on webgpu, where parameters cannot be read at once: draw with ones on the CPU */
  override sample(sampleShape?: SampleShape): Tensor {
    const shape = this.extendedShape(sampleShape);
    const { dtype, device } = this.loc;
    const [loc, concentration] = [this.loc, this.concentration].map((x) => x.detach().cpu().double());
    return noGrad(() => drawn(shape, loc, concentration))
      .to(dtype)
      .to(device);
  }
  override logProb(value: Tensor): Tensor {
    this.checkValue(value);
    const { loc, concentration } = this;
    const density = concentration.mul(value.sub(loc).cos());
    return density.sub(Math.log(2 * Math.PI)).sub(logBessel(concentration, 0));
  }
}

/** The parameter of the wrapped Cauchy distribution that is drawn from first; by its series where κ is tiny. */
function envelope(kappa: Tensor): Tensor {
  const tau = kappa.square().mul(4).add(1).sqrt().add(1);
  const rho = tau.sub(tau.mul(2).sqrt()).div(kappa.mul(2));
  const exact = rho.square().add(1).div(rho.mul(2));
  return where(kappa.lt(1e-5), kappa.reciprocal().add(kappa), exact);
}

function drawn(shape: readonly number[], loc: Tensor, kappa: Tensor): Tensor {
  const r = envelope(kappa);
  let x = loc.newZeros([...shape]);
  let done = x.ne(0);
  // Every turn draws for all, and later acceptances count: so PyTorch's stream is used up.
  while (!done.all().item()) {
    const [u1, u2, u3] = rand([3, ...shape], { dtype: 'float64', device: 'cpu' }).unbind();
    const z = u1.mul(Math.PI).cos();
    const f = r.mul(z).add(1).div(r.add(z));
    const c = kappa.mul(r.sub(f));
    const quickly = c.mul(c.rsub(2)).sub(u2).gt(0);
    const accept = quickly.logicalOr(c.div(u2).log().add(1).sub(c).ge(0));
    x = where(accept, u3.sub(0.5).sign().mul(f.acos()), x);
    done = done.logicalOr(accept);
  }
  return x
    .add(Math.PI)
    .add(loc)
    .remainder(2 * Math.PI)
    .sub(Math.PI);
}
