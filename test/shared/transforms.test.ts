/** Transforms of distributions against PyTorch's answers (test/fixtures/transforms), and what they refuse. */
import { describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';
import { distributions as D, type NestedNumbers, type Tensor } from '../../src/index.ts';
import expected from '../fixtures/transforms/expected.json' with { type: 'json' };

const vector = (...values: number[]) => torch.tensor(values);
const normal = () => new D.Normal(vector(0.5, -1), vector(1, 2));
const thrice = () => vector(1, 2, 3);
const made: { [name: string]: () => D.TransformedDistribution } = {
  tanh: () => new D.TransformedDistribution(normal(), new D.TanhTransform({ cacheSize: 1 })),
  'tanh affine': () =>
    new D.TransformedDistribution(normal(), [
      new D.TanhTransform({ cacheSize: 1 }),
      new D.AffineTransform(1, vector(2, -3), { cacheSize: 1 }),
    ]),
  'independent sigmoid': () =>
    new D.TransformedDistribution(new D.Independent(normal(), 1), [new D.SigmoidTransform()]),
  'exp power': () =>
    new D.TransformedDistribution(normal(), [new D.ExpTransform(), new D.PowerTransform({ exponent: 2 })]),
  'falling power': () =>
    new D.TransformedDistribution(new D.Exponential(vector(1, 2)), [
      new D.PowerTransform(torch.tensor(-0.5)),
    ]),
  'affine that grows': () =>
    new D.TransformedDistribution({
      baseDistribution: new D.Normal(0, 1),
      transforms: [new D.AffineTransform(thrice(), 2)],
    }),
  'affine of events': () =>
    new D.TransformedDistribution(new D.Normal(torch.zeros(3), 1), [
      new D.AffineTransform(thrice(), thrice(), 1),
    ]),
  'stick breaking': () =>
    new D.TransformedDistribution(new D.Normal(vector(0.3, -0.2, 1), 1), [new D.StickBreakingTransform()]),
  'inverse of softplus': () =>
    new D.TransformedDistribution(new D.Gamma(vector(2, 3), 1), [new D.SoftplusTransform().inv]),
  composed: () =>
    new D.TransformedDistribution(normal(), [
      new D.ComposeTransform([new D.ExpTransform(), new D.AffineTransform(0, -1)]),
    ]),
  'independent transform': () =>
    new D.TransformedDistribution(new D.Normal(torch.zeros(2, 3), 1), [
      new D.IndependentTransform(new D.ExpTransform(), 1),
    ]),
};

function close(got: Tensor, wanted: NestedNumbers, what: string): void {
  const values = [wanted].flat(9) as number[];
  expect(got.numel(), what).toBe(values.length);
  for (const [i, value] of [...got.data].map(Number).entries())
    expect(Math.abs(value - values[i]), `${what} ${i}`).toBeLessThan(2e-5 * Math.max(1, Math.abs(values[i])));
}

describe('transformed distributions', () => {
  it.each(Object.entries(expected))('%s is PyTorch’s', (name, answer) => {
    const distribution = made[name]();
    expect([distribution.batchShape, distribution.eventShape]).toEqual([answer.batch, answer.event]);
    expect(String(distribution.support)).toBe(answer.support);
    torch.manualSeed(3);
    const sample = distribution.rsample([2]);
    close(sample, answer.sample, 'sample');
    const density = distribution.logProb(sample);
    expect(density.shape).toEqual([2, ...answer.batch]);
    close(density, answer.log_prob, 'logProb');
    if (answer.cdf === null)
      expect(() => distribution.icdf(distribution.cdf(sample))).toThrow('not implemented');
    else {
      const probability = distribution.cdf(sample);
      close(probability, answer.cdf, 'cdf');
      close(distribution.icdf(probability), answer.icdf!, 'icdf');
    }
    expect(distribution.expand([4, ...answer.batch]).sample().shape).toEqual(answer.expanded);
  });

  it('pass gradients to the parameters of a bounded policy', () => {
    const mean = torch.zeros(3).requiresGrad_();
    const policy = new D.TransformedDistribution(new D.Normal(mean, 1), [
      new D.TanhTransform({ cacheSize: 1 }),
    ]);
    const action = policy.rsample();
    policy.logProb(action).sum().backward();
    expect(mean.grad!.abs().sum().item()).toBeGreaterThan(0);
    expect(
      policy
        .logProb(vector(1, 0, 0))
        .isfinite()
        .toArray(),
    ).toEqual([false, true, true]);
  });

  it('of the same transforms have the divergence of their bases', () => {
    const [p, q] = [normal(), new D.Normal(torch.zeros(2), 1)].map(
      (base) => new D.TransformedDistribution(base, [new D.ExpTransform(), new D.AffineTransform(1, 2)]),
    );
    close(D.klDivergence(p, q), [0.125, 1.3068528], 'divergence');
    const other = new D.TransformedDistribution(normal(), [new D.ExpTransform()]);
    expect(() => D.klDivergence(p, other)).toThrow('expected both to have the same transforms');
  });

  it('refuse values and arguments out of range', () => {
    expect(() => made.tanh().logProb(vector(2, 0))).toThrow(
      'to be within the support (Interval(lower_bound=-1.0, upper_bound=1.0)) of the distribution TransformedDistribution()',
    );
    expect(() => new D.TransformedDistribution(normal(), [1 as never])).toThrow(
      'transforms must be a Transform or a list of Transforms',
    );
    expect(() => new D.TransformedDistribution(new D.Normal(0, 1), new D.StickBreakingTransform())).toThrow(
      'base_distribution needs to have shape with size at least 1',
    );
    expect(() => new D.ExpTransform({ cacheSize: 2 })).toThrow('cache_size must be 0 or 1');
    expect(() => new D.AbsTransform().sign).toThrow('AbsTransform: sign is not implemented');
  });
});

describe('transforms', () => {
  it('have inverses, whose inverse they are', () => {
    const x = vector(0.1, -0.5, 2);
    for (const transform of [
      new D.ExpTransform(),
      new D.SigmoidTransform(),
      new D.SoftplusTransform(),
      new D.TanhTransform(),
      new D.AffineTransform(3, -2),
      new D.StickBreakingTransform(),
      new D.SoftmaxTransform(),
    ]) {
      const y = transform.forward(x);
      const back = transform.inv.forward(y);
      if (transform.bijective) close(back, x.toArray(), String(transform));
      else close(transform.forward(back), y.toArray(), String(transform));
      expect(transform.inv.inv).toBe(transform);
      if (!transform.bijective) continue;
      const slope = transform.logAbsDetJacobian(x, y);
      close(transform.inv.logAbsDetJacobian(y, x).neg(), slope.toArray(), `${transform}`);
    }
    close(new D.AbsTransform().forward(x), [0.1, 0.5, 2], 'abs');
    expect(new D.TanhTransform({ cacheSize: 1 }).inv.forward(vector(1)).item()).toBe(
      Number.POSITIVE_INFINITY,
    );
  });

  it('made of others take as many dimensions together as the widest', () => {
    const { ComposeTransform, ExpTransform, IndependentTransform, AbsTransform } = D;
    const made = new ComposeTransform([
      new ExpTransform(),
      new IndependentTransform(new ExpTransform(), 1),
      new AbsTransform(),
    ]);
    expect(String(made.domain)).toBe('IndependentConstraint(Real(), 1)');
    expect(String(made.codomain)).toBe('IndependentConstraint(GreaterThan(lower_bound=0.0), 1)');
    expect(made.domain.check(torch.zeros(2, 3)).shape).toEqual([2]);
  });

  it('keep the last pair if they are told to', () => {
    const kept = new D.TanhTransform({ cacheSize: 1 });
    const x = vector(30);
    const y = kept.forward(x);
    expect(kept.inv.forward(y)).toBe(x);
    expect(kept.forward(x)).toBe(y);
    expect(new D.TanhTransform().inv.forward(y).item()).toBe(Number.POSITIVE_INFINITY);
  });

  it('are printed as PyTorch prints them', () => {
    expect(String(new D.ExpTransform().inv)).toBe('_InverseTransform(ExpTransform())');
    expect(String(new D.IndependentTransform(new D.ExpTransform(), 1))).toBe(
      'IndependentTransform(ExpTransform(), 1)',
    );
    expect(String(new D.ComposeTransform([new D.ExpTransform(), new D.TanhTransform()]))).toBe(
      'ComposeTransform(\n    ExpTransform(),\n    TanhTransform()\n)',
    );
    expect(D.identityTransform.forward(thrice()).toArray()).toEqual([1, 2, 3]);
  });

  it('may be a user’s own', () => {
    class Cube extends D.Transform {
      override get domain() {
        return D.constraints.real;
      }
      override get codomain() {
        return D.constraints.real;
      }
      override get sign() {
        return 1;
      }
      protected override call(x: Tensor) {
        return x.pow(3);
      }
      protected override inverse(y: Tensor) {
        return y.sign().mul(y.abs().pow(1 / 3));
      }
      override logAbsDetJacobian(x: Tensor) {
        return x.square().mul(3).log();
      }
    }
    const cubed = new D.TransformedDistribution(new D.Normal(0, 1), new Cube());
    expect(cubed.logProb(torch.tensor(8)).item()).toBeCloseTo(-0.9189385 - 2 - Math.log(12), 5);
    expect(cubed.cdf(torch.tensor(0)).item()).toBeCloseTo(0.5, 6);
  });
});
