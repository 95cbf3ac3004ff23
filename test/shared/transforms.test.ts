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

const {
  AffineTransform,
  CatTransform,
  ComposeTransform,
  CorrCholeskyTransform,
  CumulativeDistributionTransform,
} = D;
const { ExpTransform, IndependentTransform, LowerCholeskyTransform, PositiveDefiniteTransform } = D;
const { ReshapeTransform, SigmoidTransform, StackTransform } = D;
const transformed =
  (base: D.Distribution, ...transforms: D.Transform[]) =>
  () =>
    new D.TransformedDistribution(base, transforms);
const standard = (...shape: number[]) => new D.Normal(torch.zeros(shape), 1);
Object.assign(made, {
  reshape: transformed(standard(3, 4), new ExpTransform(), new ReshapeTransform([4], [2, 2])),
  'reshape of events': transformed(
    new D.Independent(standard(3, 4), 2),
    new ReshapeTransform([4], [2, 2]),
    new AffineTransform(1, 2),
  ),
  correlations: transformed(new D.Normal(vector(0.3, -0.2, 1), 1), new CorrCholeskyTransform()),
  cat: transformed(
    standard(5),
    new CatTransform([new ExpTransform(), new AffineTransform(1, 2)], -1, [2, 3]),
  ),
  copula: transformed(
    normal(),
    new CumulativeDistributionTransform(normal()),
    new CumulativeDistributionTransform(new D.Exponential(2)).inv,
  ),
});

/** Those whose values, slopes and determinants are compared by themselves. */
const [exp, sigmoid] = [new ExpTransform(), new SigmoidTransform()];
const alone: { [name: string]: D.Transform } = {
  reshape: new ReshapeTransform({ inShape: [2, 3], outShape: [6] }),
  'cat of numbers': new CatTransform([exp, sigmoid]),
  'cat of vectors': new CatTransform(
    [new IndependentTransform(sigmoid, 1), new IndependentTransform(exp, 1)],
    { dim: 0 },
  ),
  'cat along vectors': new CatTransform({
    tseq: [new IndependentTransform(sigmoid, 1), exp],
    dim: -1,
    lengths: [2, 4],
  }),
  stack: new StackTransform([exp, sigmoid], 0),
  'stack behind': new StackTransform([exp, sigmoid, new AffineTransform(1, 2)], { dim: -1 }),
  'distribution function': new CumulativeDistributionTransform(new D.Normal(0, 2)),
  'lower cholesky': new LowerCholeskyTransform(),
  'positive definite': new PositiveDefiniteTransform(),
  correlations: new CorrCholeskyTransform(),
  composed: new ComposeTransform([exp, new ReshapeTransform([6], [2, 3]), new AffineTransform(1, 2)]),
};

function close(got: Tensor, wanted: NestedNumbers, what: string): void {
  const values = [wanted].flat(9) as number[];
  expect(got.numel(), what).toBe(values.length);
  for (const [i, value] of [...got.data].map(Number).entries())
    expect(Math.abs(value - values[i]), `${what} ${i}`).toBeLessThan(2e-5 * Math.max(1, Math.abs(values[i])));
}

describe('transformed distributions', () => {
  it.each(Object.entries(expected.distributions))('%s is PyTorch’s', (name, answer) => {
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
  it.each(Object.entries(expected.transforms))('%s is PyTorch’s', (name, answer) => {
    const transform = alone[name];
    const x = torch.tensor(answer.x).requiresGrad_();
    const y = transform.forward(x);
    close(y, answer.y, 'y');
    close(torch.autograd.grad(y.square().sum(), [x])[0], answer.slope, 'slope');
    close(transform.inv.forward(y), answer.back, 'back');
    const [forward, back] = answer.shapes;
    expect([transform.forwardShape(x.shape), transform.inverseShape(y.shape)]).toEqual([forward, back]);
    expect([y.shape, transform.inv.forward(y).shape]).toEqual([forward, back]);
    if (answer.jacobian === null)
      expect(() => transform.logAbsDetJacobian(x, y)).toThrow('logAbsDetJacobian is not implemented');
    else {
      const jacobian = transform.logAbsDetJacobian(x, y);
      close(jacobian, answer.jacobian, 'jacobian');
      close(transform.inv.logAbsDetJacobian(y, x).neg(), answer.jacobian, 'jacobian of the inverse');
    }
    // Its constraints are of numbers and of vectors: PyTorch joins neither.
    if (name === 'cat along vectors') return;
    for (const [constraint, value] of [[transform.domain, x], [transform.codomain, y]] as const) // biome-ignore format: pairs
      expect(constraint.check(value).all().item(), String(constraint)).toBe(true);
  });

  it('of parts and shapes are equal to those of the same parts and shapes', () => {
    const pair = () => [new ExpTransform(), new SigmoidTransform()];
    expect(new CatTransform(pair()).equals(new CatTransform(pair()))).toBe(true);
    expect(new CatTransform(pair()).equals(new CatTransform(pair(), 1))).toBe(false);
    expect(new CatTransform(pair()).equals(new StackTransform(pair()))).toBe(false);
    expect(new StackTransform(pair()).equals(new StackTransform(pair().toReversed()))).toBe(false);
    expect(new ReshapeTransform([6], [2, 3]).equals(new ReshapeTransform([6], [2, 3]))).toBe(true);
    expect(new ReshapeTransform([6], [2, 3]).equals(new ReshapeTransform([6], [3, 2]))).toBe(false);
    expect([new CatTransform(pair()).domain, new StackTransform(pair()).codomain].map(String)).toEqual([
      'Cat()',
      'Stack()',
    ]);
    expect(new CatTransform([exp, new D.AbsTransform()]).bijective).toBe(false);
    expect(new CatTransform(pair(), { cacheSize: 1 }).cacheSize).toBe(1);
  });

  it.each<[string, () => unknown, string]>([
    ['shapes of other sizes', () => new ReshapeTransform([4], [3, 2]), 'have different numbers of elements: [4] and [3, 2]'],
    ['other events', () => alone.reshape.forward(torch.ones(6)), 'ReshapeTransform: Too few dimensions on input: expected events of shape [2, 3], but got [6]'],
    ['events of other shapes', () => alone.reshape.forward(torch.ones(1, 6)), 'ReshapeTransform: Shape mismatch: expected events of shape [2, 3], but got [1, 6]'],
    ['parts that are none', () => new CatTransform([1 as never]), "CatTransform: argument 'tseq' must be a list of Transforms, but got 1"],
    ['other lengths', () => new CatTransform([exp], 0, [1, 2]), 'CatTransform: expected as many lengths as transforms, 1, but got 2'],
    ['another size', () => alone.stack.forward(torch.ones(3)), 'StackTransform: expected dimension 0 to have size 2, but got shape [3]'],
    ['no dimension', () => alone.stack.forward(torch.tensor(1)), 'StackTransform'],
    ['no distribution', () => new CumulativeDistributionTransform(exp as never), "CumulativeDistributionTransform: argument 'distribution' must be a Distribution, but got ExpTransform()"],
    ['counts of no triangle', () => alone.correlations.forward(torch.ones(4)), 'CorrCholeskyTransform: Input is not a flattened lower-diagonal number: expected n·(n − 1)/2 elements, but got shape [4]'],
    ['no square', () => alone.correlations.inv.forward(torch.ones(2, 3)), 'CorrCholeskyTransform: Input is not square: got shape [2, 3]'],
  ])('refuse %s', (_what, call, message) => {
    expect(call).toThrow(torch.WasmgradError);
    expect(call).toThrow(message);
  }); // biome-ignore format: a table

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
