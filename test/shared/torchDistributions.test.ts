/**
 * `torch.distributions` against PyTorch's answers (test/fixtures/distributions): samples after a seed, densities, their
 * gradients, divergences, texts and refusals; and what only is here: names, options, devices.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';
import { distributions as D, nn, optim, type Tensor } from '../../src/index.ts';
import {
  type Answer,
  type Case,
  type Described,
  distribution,
  type Expected,
  loadExpected,
  type Spec,
  tensor,
} from '../support/distributionCases.ts';

let expected: Expected;
beforeAll(async () => {
  expected = await loadExpected();
});

/** PyTorch's derivatives of gamma samples have 3 or 4 places, and that of its digamma function 9. */
function toleranceOf(what: string, dtype: string): number {
  if (/(Gamma|Chi2|Dirichlet|Beta|StudentT|FisherSnedecor|Wishart)\(/.test(what)) {
    if (/rsample.*gradient/.test(what)) return 4e-3;
    if (/gradient/.test(what) && dtype === 'float64') return 1e-8;
  }
  // Sums over samples, of a heavy tail, and of small differences.
  if (/(GeneralizedPareto|ContinuousBernoulli|RelaxedBernoulli).*rsample.*gradient/.test(what)) return 1e-5;
  // A sum over all counts, of differences of log Γ.
  if (/Binomial.*entropy/.test(what)) return 3e-5;
  return dtype === 'float64' ? 1e-12 : 2e-6;
}

/** The same dtype and shape, and the same numbers, bit for bit or but for the last places. */
function expectTensor(got: Tensor, wanted: Described, what: string, exact = false): void {
  expect([got.dtype, [...got.shape]], what).toEqual([wanted.dtype, wanted.shape]);
  const tolerance = exact ? 0 : toleranceOf(what, wanted.dtype);
  const { data } = got;
  wanted.data.forEach((value, i) => {
    const [a, b] = [
      Number(data[i]),
      value === 'nan' ? Number.NaN : Number(String(value).replace('inf', 'Infinity')),
    ];
    if (Object.is(a, b) || a === b) return;
    const close = Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(b));
    if (!close) expect.fail(`${what}: element ${i} is ${a}, expected ${b}`);
  });
}

/** A sum in which every element has a weight of its own. */
function weighted(x: Tensor): Tensor {
  const weights = Array.from({ length: x.numel() }, (_, i) => ((7 * i) % 5) - 1.5);
  const finite = torch.where(torch.isfinite(x.detach()), x, 0);
  return finite.mul(torch.tensor(weights, { dtype: x.dtype }).reshape(x.shape)).sum();
}

function expectGradients(x: Tensor, leaves: Tensor[], wanted: (Described | null)[], what: string): void {
  if (!x.requiresGrad) {
    expect(wanted, what).toEqual(leaves.map(() => null));
    return;
  }
  const grads = torch.autograd.grad(weighted(x), leaves, { allowUnused: true });
  wanted.forEach((grad, i) => {
    const found = grads[i];
    if (grad === null) expect(found, `${what}, leaf ${i}`).toBeNull();
    else expectTensor(found as Tensor, grad, `${what}, gradient of leaf ${i}`);
  });
}

function expectAnswer(
  spec: Spec,
  answer: Answer,
  compute: (d: D.Distribution, value: Tensor) => Tensor,
  what: string,
): void {
  const leaves: Tensor[] = [];
  const d = distribution(spec, leaves);
  const value = answer.value === null ? torch.tensor(0) : tensor(answer.value, leaves);
  const result = compute(d, value);
  expectTensor(result, answer.result, what);
  expectGradients(result, leaves, answer.grads, what);
}

const each = (compute: (one: Case, what: string) => void): void => {
  expected.cases.forEach((one, i) => {
    compute(one, `case ${i}, ${one.repr}`);
  });
};
/** Whose samples are draws, sums and products; float64 normals have the engine's sine. */
const isExact = ({ type, args }: Spec): boolean =>
  /^(Normal|Uniform|Exponential|Bernoulli|Poisson|(OneHot)?Categorical|Multinomial)$/.test(type) &&
  !JSON.stringify(args).includes('float64');
const NOT_IMPLEMENTED = /is not implemented/;

describe('as PyTorch:', () => {
  it('shapes, moments and texts', () => {
    each((one, what) => {
      const d = distribution(one.spec);
      expect(String(d), what).toBe(one.repr);
      expect([d.batchShape, d.eventShape], what).toEqual([one.batchShape, one.eventShape]);
      expect([d.hasRsample, d.hasEnumerateSupport], what).toEqual([one.hasRsample, one.hasEnumerateSupport]);
      for (const name of ['mean', 'mode', 'variance', 'stddev'] as const) {
        const wanted = one.properties[name];
        // PyTorch's formula gives NaN everywhere.
        if (name === 'mode' && one.spec.type === 'Kumaraswamy') continue;
        if (wanted === null) expect(() => d[name], what).toThrow(NOT_IMPLEMENTED);
        else expectTensor(d[name], wanted, `${what}: ${name}`);
      }
    });
  });

  it('samples, and where the stream is afterwards', () => {
    each((one, what) => {
      for (const { shape, result, after } of one.sample) {
        torch.manualSeed(7);
        const leaves: Tensor[] = [];
        const sample = distribution(one.spec, leaves).sample(shape);
        expect(sample.requiresGrad, what).toBe(false);
        expectTensor(sample, result, `${what}: sample(${shape})`, isExact(one.spec));
        expectTensor(torch.rand(1), after, `${what}: after sample(${shape})`, true);
      }
    });
  });

  it('samples with gradients', () => {
    each((one, what) => {
      if (one.rsample === null) {
        expect(() => distribution(one.spec).rsample(), what).toThrow(NOT_IMPLEMENTED);
        return;
      }
      for (const { shape, result, after, grads } of one.rsample) {
        torch.manualSeed(7);
        const leaves: Tensor[] = [];
        const sample = distribution(one.spec, leaves).rsample({ sampleShape: shape });
        expectTensor(torch.rand(1), after, `${what}: after rsample(${shape})`);
        expectTensor(sample, result, `${what}: rsample(${shape})`, isExact(one.spec));
        expectGradients(sample, leaves, grads ?? [], `${what}: rsample(${shape})`);
      }
    });
  });

  it('densities, distribution functions and entropies, with gradients', () => {
    each((one, what) => {
      one.logProb.forEach((answer, i) => {
        expectAnswer(one.spec, answer, (d, value) => d.logProb(value), `${what}: logProb ${i}`);
      });
      one.cdf.forEach((answer, i) => {
        if (answer !== null) expectAnswer(one.spec, answer, (d, value) => d.cdf(value), `${what}: cdf ${i}`);
        else
          expect(() => distribution(one.spec).cdf(tensor(one.logProb[i].value as Described)), what).toThrow(
            NOT_IMPLEMENTED,
          );
      });
      if (one.icdf !== null) expectAnswer(one.spec, one.icdf, (d, value) => d.icdf(value), `${what}: icdf`);
      if (one.entropy !== null) expectAnswer(one.spec, one.entropy, (d) => d.entropy(), `${what}: entropy`);
    });
  });

  it('lists of values, and larger batches', () => {
    each(({ spec, support, expanded }, what) => {
      const d = distribution(spec);
      if (support !== undefined) {
        expectTensor(d.enumerateSupport(), support[0], what);
        expectTensor(d.enumerateSupport({ expand: false }), support[1], what);
      }
      if (expanded === undefined) return;
      const larger = d.expand(expanded.batch);
      expect([String(larger), larger.batchShape], what).toEqual([expanded.repr, expanded.batch]);
      expect(larger.constructor, what).toBe(d.constructor);
      torch.manualSeed(3);
      expectTensor(larger.sample([2]), expanded.sample, `${what}: expanded`);
      const value = tensor(expected.cases.find((one) => one.spec === spec)?.logProb[0].value as Described);
      expectTensor(larger.logProb(value), expanded.logProb, `${what}: expanded`);
    });
  });

  it('divergences, with gradients', () => {
    for (const { p, q, result, grads } of expected.divergences) {
      const leaves: Tensor[] = [];
      const [left, right] = [distribution(p, leaves), distribution(q, leaves)];
      const what = `KL(${left} || ${right})`;
      const found = D.klDivergence(left, right);
      expectTensor(found, result, what);
      expectGradients(found, leaves, grads, what);
    }
  });

  it('the divergence of half-Cauchy variables', () => {
    const [p, q] = [new D.HalfCauchy(torch.tensor([1, 2])), new D.HalfCauchy(torch.tensor([3, 0.5]))];
    expect(torch.allclose(D.klDivergence(p, q), torch.tensor([0.2876821, 0.4462871]))).toBe(true);
  });

  it('what is refused, and in which words', () => {
    for (const { spec, value, method, message } of expected.refused) {
      const call = () => {
        const d = distribution(spec);
        if (method === 'cdf') d.cdf(tensor(value as Described));
        else d.logProb(tensor(value as Described));
      };
      // What tensors say of their gradients is nothing that a message is about.
      const plain = (text: string) => text.replaceAll(', requires_grad=True', '');
      let found = '';
      try {
        call();
      } catch (error) {
        expect(error).toBeInstanceOf(torch.ArgumentError);
        found = (error as Error).message;
      }
      expect(plain(found)).toBe(plain(message));
    }
  });

  it('texts that show what has been worked out by then', () => {
    const d = new D.Bernoulli(0.25);
    const before = String(d);
    d.logProb(torch.tensor(1));
    expect([before, String(d)]).toEqual(expected.lazy);
  });
});

describe('training', () => {
  it('of a variational autoencoder gives PyTorch’s losses', () => {
    torch.manualSeed(5);
    const encoder = new nn.Linear(6, 4);
    const decoder = new nn.Linear(2, 6);
    const images = torch.rand(16, 6).round();
    const optimizer = new optim.Adam([...encoder.parameters(), ...decoder.parameters()], { lr: 0.05 });
    const losses = Array.from({ length: 20 }, () => {
      const [loc, scale] = encoder.forward(images).chunk(2, 1);
      const latent = new D.Normal(loc, nn.functional.softplus(scale));
      const out = new D.Independent(new D.Bernoulli({ logits: decoder.forward(latent.rsample()) }), 1);
      const divergence = D.klDivergence(latent, new D.Normal(0, 1)).sum(1);
      const loss = divergence.sub(out.logProb(images)).mean();
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss.item();
    });
    losses.forEach((loss, i) => {
      expect(loss).toBeCloseTo(expected.variational[i], 4);
    });
    expect(losses[19]).toBeLessThan(losses[0]);
  });

  it('of a policy gives PyTorch’s losses and rewards', () => {
    torch.manualSeed(9);
    const policy = new nn.Linear(4, 3);
    const optimizer = new optim.SGD(policy.parameters(), { lr: 0.5 });
    for (let step = 0; step < 20; step++) {
      const state = torch.randn(32, 4);
      const arms = new D.Categorical({ logits: policy.forward(state) });
      const action = arms.sample();
      const reward = action.eq(state.argmax(1).clamp({ max: 2 })).float();
      const gain = arms.logProb(action).mul(reward.sub(reward.mean())).mean();
      const loss = gain.neg().sub(arms.entropy().mean().mul(0.01));
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      expect(loss.item()).toBeCloseTo(expected.reinforce.losses[step], 5);
      expect(reward.mean().item()).toBe(expected.reinforce.rewards[step]);
    }
  });
});

describe('distributions', () => {
  it('take parameters by position and by name, numbers and tensors', () => {
    const value = torch.tensor([0.5, 1]);
    const same = (...forms: D.Distribution[]) => {
      const [first, ...others] = forms.map((d) => [String(d), d.logProb(value).toArray()]);
      for (const other of others) expect(other).toEqual(first);
    };
    same(
      new D.Normal(0.5, 2),
      new D.Normal({ loc: 0.5, scale: 2 }),
      new D.Normal(0.5, { scale: 2 }),
      new D.Normal(0.5, 2, true),
      new D.Normal(torch.tensor(0.5), 2, { validateArgs: false }),
    );
    same(new D.Exponential(2), new D.Exponential({ rate: 2 }), new D.Exponential(2, { validateArgs: null }));
    const options = { validateArgs: false };
    same(
      new D.Bernoulli(0.5, options),
      new D.Bernoulli({ probs: 0.5, ...options }),
      new D.Bernoulli(0.5, null, false),
    );
    same(
      new D.Bernoulli(null, 0, options),
      new D.Bernoulli(undefined, 0, false),
      new D.Bernoulli({ logits: 0, ...options }),
    );
    const tril = torch.eye(2);
    same(
      new D.MultivariateNormal(torch.zeros(2), { scaleTril: tril }),
      new D.MultivariateNormal({ loc: torch.zeros(2), scaleTril: tril }),
      new D.MultivariateNormal(torch.zeros(2), null, null, tril),
    );
    const probs = torch.ones(2);
    same(
      new D.Multinomial(2, probs, null, false),
      new D.Multinomial({ totalCount: 2, probs, validateArgs: false }),
      new D.Multinomial(2, { probs, validateArgs: false }),
    );
    const components = new D.Normal(torch.tensor([-1, 1]), 0.5);
    const mixtureDistribution = new D.Categorical(probs);
    same(
      new D.MixtureSameFamily(mixtureDistribution, components),
      new D.MixtureSameFamily({ mixtureDistribution, componentDistribution: components }),
    );
    same(
      new D.Independent(components, 1),
      new D.Independent({ baseDistribution: components, reinterpretedBatchNdims: 1 }),
    );
    expect(new D.Normal(torch.zeros(2, { dtype: 'float64' }), 1).scale.dtype).toBe('float64');
  });

  it.each<[string, () => unknown, string | RegExp]>([
    [
      'a missing parameter',
      () => new D.Normal(...([0] as unknown as [number, number])),
      "missing required argument 'scale'",
    ],
    [
      'text',
      () => new D.Normal('zero' as unknown as number, 1),
      "Normal: argument 'loc' must be a Tensor or a number, but got 'zero'",
    ],
    [
      'shapes',
      () => new D.Normal(torch.zeros(2), torch.ones(3)),
      "got shapes [2] for argument 'loc' and [3] for 'scale'",
    ],
    [
      'a wrong name',
      () => new D.Normal(0, 1, { validate: false } as object),
      "Normal: got an unexpected option 'validate'; it has validateArgs",
    ],
    [
      'no probability',
      () => new D.Bernoulli(),
      'Bernoulli: Either `probs` or `logits` must be specified, but not both; got none',
    ],
    ['no vector of probabilities', () => new D.OneHotCategorical(), 'OneHotCategorical: Either `probs` or'],
    [
      'a missing parameter of the logarithm',
      () => new D.LogNormal({ loc: 1 } as never),
      "LogNormal: missing required argument 'scale'",
    ],
    [
      'two probabilities',
      () => new D.Geometric({ probs: 0.5, logits: 0 }),
      'Geometric: Either `probs` or `logits` must be specified, but not both; got both',
    ],
    [
      'a number for a vector',
      () => new D.Categorical(0.5 as unknown as Tensor),
      "Categorical: argument 'probs' must be a Tensor",
    ],
    [
      'no dimension',
      () => new D.Categorical({ logits: torch.tensor(1) }),
      'Categorical: `logits` parameter must be at least one-dimensional',
    ],
    [
      'a fraction',
      () => new D.Multinomial(1.5, torch.ones(2)),
      /'totalCount' to be a whole number, but got 1.5/,
    ],
    [
      'no matrix',
      () => new D.MultivariateNormal(torch.zeros(2)),
      /Exactly one of covariance_matrix .* got 0/,
    ],
    [
      'a covariance that is none',
      () => new D.MultivariateNormal(torch.zeros(2), torch.eye(2).neg()),
      /linalg.cholesky: .* is not positive-definite/,
    ],
    [
      'a covariance of one dimension',
      () => new D.MultivariateNormal(torch.zeros(2), torch.ones(2)),
      'covariance_matrix matrix must be at least two-dimensional',
    ],
    [
      'no mean',
      () => new D.MultivariateNormal({ scaleTril: torch.eye(2) } as never),
      "argument 'loc' must be a Tensor, but got nothing",
    ],
    [
      'a matrix of another size',
      () => new D.MultivariateNormal(torch.zeros(2), { scaleTril: torch.eye(3) }),
      'expected scaleTril to be [..., 2, 2] for loc of shape [2], but got shape [3, 3]',
    ],
    [
      'no triangle',
      () => new D.MultivariateNormal(torch.zeros(2), { scaleTril: torch.ones(2, 2) }),
      'Expected parameter scaleTril (Tensor of shape (2, 2))',
    ],
    [
      'too many dimensions',
      () => new D.Independent(new D.Normal(0, 1), 1),
      'Expected reinterpreted_batch_ndims <= len(base_distribution.batch_shape), actual 1 vs 0',
    ],
    [
      'no distribution',
      () => new D.Independent(torch.zeros(2) as never, 1),
      "'baseDistribution' must be a Distribution, but got Tensor",
    ],
    [
      'no categories',
      () => new D.MixtureSameFamily(new D.Normal(0, 1) as never, new D.Normal(0, 1)),
      'needs to be an instance of Categorical, but got Normal',
    ],
    [
      'other components',
      () => new D.MixtureSameFamily(new D.Categorical(torch.ones(2)), new D.Normal(torch.zeros(3), 1)),
      '`mixture_distribution component` (2) does not equal `component_distribution.batch_shape[-1]` (3)',
    ],
    [
      'another batch',
      () => new D.MixtureSameFamily(new D.Categorical(torch.ones(3, 2)), new D.Normal(torch.zeros(4, 2), 1)),
      '`mixture_distribution.batch_shape` (torch.Size([3])) is not compatible',
    ],
    [
      'a number of samples',
      () => new D.Normal(0, 1).sample(3 as never),
      "Normal.sample: argument 'sampleShape' must be a list of sizes, but got 3",
    ],
    ['sizes below 0', () => new D.Normal(0, 1).sample([-3]), /Normal.sample: .* negative dimension -3/],
    [
      'no value',
      () => new D.Normal(0, 1).logProb(undefined as never),
      "Normal.logProb: argument 'value' must be a Tensor, but got nothing",
    ],
    [
      'another event',
      () => new D.OneHotCategorical(torch.ones(2)).logProb(torch.ones(3)),
      'The right-most size of value must match event_shape: torch.Size([3]) vs torch.Size([2]).',
    ],
    [
      'a value that does not broadcast',
      () => new D.Normal(torch.zeros(2), 1).logProb(torch.ones(3)),
      'Value is not broadcastable with batch_shape+event_shape: torch.Size([3]) vs torch.Size([2]).',
    ],
    ['what there is not', () => new D.Poisson(1).rsample(), 'Poisson: rsample is not implemented'],
    [
      'all values of an event of several',
      () => new D.Independent(new D.Bernoulli(torch.ones(2)), 1).enumerateSupport(),
      'Enumeration over cartesian product is not implemented',
    ],
    [
      'a divergence that nobody knows',
      () => D.klDivergence(new D.Normal(0, 1), new D.Poisson(1)),
      'No KL(p || q) is implemented for p type Normal and q type Poisson',
    ],
    [
      'a divergence of tensors',
      () => D.klDivergence(torch.ones(1) as never, new D.Poisson(1)),
      "klDivergence: argument 'p' must be a Distribution, but got tensor([1.])",
    ],
    [
      'a rule for no class',
      () => D.registerKl(torch.Tensor as never, D.Normal),
      'registerKl: Expected typeP to be a Distribution subclass',
    ],
  ])('refuse %s', (_, call, message) => {
    expect(call).toThrow(torch.WasmgradError);
    expect(call).toThrow(message);
  });

  it('check nothing where they are told so', () => {
    const unchecked = new D.Normal(0, -1, { validateArgs: false });
    expect(unchecked.logProb(torch.tensor(Number.NaN)).item()).toBeNaN();
    expect(unchecked.expand([2]).validateArgs).toBe(false);
    D.Distribution.setDefaultValidateArgs(false);
    try {
      expect(String(new D.Normal(0, -1))).toBe('Normal(loc: 0.0, scale: -1.0)');
    } finally {
      D.Distribution.setDefaultValidateArgs(true);
    }
    expect(() => new D.Normal(0, -1)).toThrow('GreaterThan(lower_bound=0.0)');
  });

  it('draw more than few samples, strided parameters and none', () => {
    torch.manualSeed(1);
    expect(new D.Normal(torch.zeros(0), 1).sample([2]).shape).toEqual([2, 0]);
    const rates = torch
      .tensor([
        [1, 2],
        [3, 4],
        [5, 6],
      ])
      .t();
    expect(new D.Exponential(rates).sample([5]).shape).toEqual([5, 2, 3]);
    const mean = new D.Laplace(3, 0.5).sample([20000]).mean().item();
    expect(mean).toBeCloseTo(3, 1);
  });

  it('can be made of one’s own, with a divergence, and keep what they are when expanded', () => {
    class Triangular extends D.Distribution {
      readonly width: Tensor;
      constructor(width: Tensor) {
        super(width.shape);
        this.width = width;
        this.checkParameters();
      }
      override get argConstraints() {
        return { width: D.constraints.positive };
      }
      override rsample(sampleShape: readonly number[] = []) {
        const shape = this.extendedShape(sampleShape);
        return torch.rand(shape).sub(torch.rand(shape)).mul(this.width);
      }
      twice() {
        return this.width.mul(2);
      }
    }
    expect(() => new Triangular(torch.tensor([-1]))).toThrow(
      'of distribution Triangular(width: tensor([-1.]))',
    );
    const large = new Triangular(torch.tensor(2)).expand([3]);
    expect([String(large), large.twice().toArray()]).toEqual([
      'Triangular(width: torch.Size([3]))',
      [4, 4, 4],
    ]);
    expect(large.sample([5]).shape).toEqual([5, 3]);
    expect(() => large.entropy()).toThrow('Triangular: entropy is not implemented');
    D.registerKl(Triangular, D.Distribution)(() => torch.tensor(1));
    D.registerKl(Triangular, Triangular)((p, q) => q.width.div(p.width).log());
    const small = new Triangular(torch.tensor(1));
    expect(D.klDivergence(small, new D.Normal(0, 1)).item()).toBe(1);
    expect(D.klDivergence(small, large).toArray()).toEqual(Array(3).fill(Math.fround(Math.log(2))));
    class Wider extends D.Normal {}
    const wider = new Wider(0, 2).expand([2]);
    expect(String(wider)).toBe('Wider(loc: torch.Size([2]), scale: torch.Size([2]))');
    expect(D.klDivergence(wider, new Wider(0, 2)).toArray()).toEqual([0, 0]);
  });

  it('of vectors come by their covariance, or by its inverse', () => {
    const matrix = torch.tensor([[4, 2, 0.5], [2, 3, 0.25], [0.5, 0.25, 1]]).requiresGrad_(); // biome-ignore format: a matrix
    const [loc, at] = [torch.tensor([1, -1, 0]), torch.zeros(3)];
    const d = new D.MultivariateNormal(loc, matrix);
    torch.manualSeed(3);
    const sample = d.sample().toArray() as number[];
    [2.6065521, 0.0505278, 0.2869717].forEach((x, i) => {
      expect(sample[i]).toBeCloseTo(x, 5);
    });
    expect(d.entropy().item()).toBeCloseTo(5.264267, 5);
    const density = d.logProb(at);
    expect(density.item()).toBeCloseTo(-4.4601007, 5);
    density.backward();
    const slopes = matrix.grad?.toArray() as number[][];
    expect(slopes[0][1]).toBeCloseTo(-0.115625, 5);
    expect(slopes[2][2]).toBeCloseTo(-0.5244445, 5);
    const inverse = new D.MultivariateNormal({ loc, precisionMatrix: matrix.detach() });
    expect(inverse.logProb(at).item()).toBeCloseTo(-3.2493639, 5);
    expect((inverse.scaleTril.toArray() as number[][])[1][0]).toBeCloseTo(-0.3994677, 5);
  });

  it('of vectors know their covariance and its inverse', () => {
    const scaleTril = torch.tensor([
      [2, 0],
      [1, 0.5],
    ]);
    const d = new D.MultivariateNormal(torch.zeros(2), { scaleTril });
    expect(d.covarianceMatrix.toArray()).toEqual([
      [4, 2],
      [2, 1.25],
    ]);
    expect(d.precisionMatrix.matmul(d.covarianceMatrix).toArray()).toEqual([
      [1, 0],
      [0, 1],
    ]);
  });
});

describe('derivatives of samples', () => {
  it('of gamma variables are those of quantiles', () => {
    // P(α, x) by its series, and its derivative by differences.
    const share = (alpha: number, x: number): number => {
      let [term, sum] = [1 / alpha, 1 / alpha];
      for (let k = 1; k < 400; k++) {
        term *= x / (alpha + k);
        sum += term;
      }
      const logGamma = torch.tensor(alpha, { dtype: 'float64' }).lgamma().item();
      return sum * Math.exp(alpha * Math.log(x) - x - logGamma);
    };
    torch.manualSeed(1);
    for (const alpha of [0.05, 0.4, 1, 3.5, 20]) {
      const parameter = torch.tensor(alpha, { dtype: 'float64' }).requiresGrad_();
      const d = new D.Gamma(parameter, 1);
      for (let i = 0; i < 5; i++) {
        const x = d.rsample();
        const [found] = torch.autograd.grad(x, [parameter]);
        const h = 1e-4 * alpha;
        const slope = (share(alpha + h, x.item()) - share(alpha - h, x.item())) / (2 * h);
        const wanted = -slope / Math.exp(d.logProb(x.detach()).item());
        expect(Math.abs(found.item() / wanted - 1), `α = ${alpha}, x = ${x.item()}`).toBeLessThan(1e-5);
      }
    }
  });

  it('of beta variables are those of quantiles', () => {
    // F(x; α, 1) is x^α.
    torch.manualSeed(1);
    const alpha = torch.tensor([0.05, 0.4, 1, 3.5, 20], { dtype: 'float64' }).requiresGrad_();
    const x = new D.Beta(alpha, 1).rsample();
    const [found] = torch.autograd.grad(x.sum(), [alpha]);
    const wanted = x.mul(x.log()).neg().div(alpha).detach();
    expect(torch.allclose(found, wanted, { rtol: 1e-9 })).toBe(true);
  });

  it('have none themselves', () => {
    const alpha = torch.ones(2).requiresGrad_();
    for (const x of [new D.Gamma(alpha, 1).rsample(), new D.Dirichlet(alpha).rsample()])
      expect(() => torch.autograd.grad(x.sum(), [alpha], { createGraph: true })).toThrow(
        'expected backward without createGraph',
      );
  });
});

describe('counts of tosses', () => {
  it('are PyTorch’s for a million tosses, too', () => {
    for (const dtype of ['float32', 'float64'] as const) {
      torch.manualSeed(3);
      const probs = torch.full([1000], 0.2, { dtype });
      const draws = new D.Binomial(torch.full([1000], 1e6, { dtype }), probs).sample().double();
      expect([draws.sum().item(), draws.index(659).item()]).toEqual([200009093, 200223]);
    }
  });

  it('are refused by their own name', () => {
    expect(() => new D.Binomial(-1, 0.5)).toThrow(
      'Expected parameter totalCount (Tensor of shape ()) of distribution Binomial(total_count: -1.0, probs: 0.5)',
    );
    expect(() => new D.NegativeBinomial({ probs: 0.5 })).toThrow("missing required argument 'totalCount'");
    expect(() => new D.Binomial(torch.tensor([3, 4]), 0.5).entropy()).toThrow('but got 3 and 4');
    const [few, many] = [new D.Binomial(3, 0.5), new D.Binomial(4, 0.5)];
    expect(() => D.klDivergence(few, many)).toThrow('expected no more tosses of q');
    expect(D.klDivergence(many, few).item()).toBe(Infinity);
  });

  it('come by position or by name', () => {
    const wanted = new D.Binomial(3, null, 0.5).logProb(torch.tensor(2)).item();
    expect(new D.Binomial({ totalCount: 3, logits: 0.5 }).logProb(torch.tensor(2)).item()).toBe(wanted);
  });
});

describe('divergences that come with a class', () => {
  class Waiting extends D.Gamma {}

  it('are those of its subclasses, until there are others', () => {
    const [mine, other] = [new Waiting(2, 1), new D.Gamma(3, 1)];
    const wanted = D.klDivergence(new D.Gamma(2, 1), other).item();
    expect(D.klDivergence(mine, other).item()).toBe(wanted);
    D.registerKl(Waiting, D.Gamma)(() => torch.tensor(7));
    expect(D.klDivergence(mine, other).item()).toBe(7);
    expect(D.klDivergence(new D.Gamma(2, 1), other).item()).toBe(wanted);
  });

  it('are refused where there are none', () => {
    expect(() => D.klDivergence(new D.StudentT(3), new D.Gamma(1, 1))).toThrow(
      'No KL(p || q) is implemented for p type StudentT and q type Gamma',
    );
  });
});

describe('rarer distributions', () => {
  const vector = (...values: number[]) => torch.tensor(values);

  it('know the mode of Kumaraswamy’s, where the density is highest', () => {
    const d = new D.Kumaraswamy(vector(2, 5, 0.5), vector(3, 1.5, 2));
    const [a, b, none] = d.mode.toArray() as number[];
    expect(none).toBeNaN();
    expect([a, b]).toEqual([Math.fround(Math.sqrt(1 / 5)), expect.closeTo((4 / 6.5) ** 0.2, 6)]);
    for (const side of [0.99, 1.01]) {
      const slope = d.logProb(vector(a * side, b * side, 0.5)).sub(d.logProb(vector(a, b, 0.5)));
      expect((slope.toArray() as number[]).slice(0, 2).every((x) => x < 0)).toBe(true);
    }
  });

  it('tell survival and distribution functions in logarithms', () => {
    const d = new D.GeneralizedPareto(0, 1, vector(0, 0.5));
    const x = torch.tensor(2);
    expect(torch.allclose(d.logSurvivalFunction(x), vector(-2, -2 * Math.log(2)))).toBe(true);
    expect(torch.allclose(d.logCdf(x).exp(), d.cdf(x))).toBe(true);
  });

  it('of few directions have the covariance that they say', () => {
    const factor = torch.tensor([[0.5, -1], [1, 0], [0.25, 2]]); // biome-ignore format: a matrix
    const d = new D.LowRankMultivariateNormal(torch.zeros(3), factor, vector(1, 0.5, 2));
    const wanted = factor.matmul(factor.t()).add(torch.diag(vector(1, 0.5, 2)));
    expect(torch.allclose(d.covarianceMatrix, wanted)).toBe(true);
    expect(torch.allclose(d.scaleTril.matmul(d.scaleTril.t()), wanted, { atol: 1e-6 })).toBe(true);
    expect(torch.allclose(d.precisionMatrix.matmul(wanted), torch.eye(3), { atol: 1e-6 })).toBe(true);
    const whole = new D.MultivariateNormal(torch.zeros(3), { scaleTril: d.scaleTril });
    const at = vector(1, -1, 0.5);
    expect(d.logProb(at).item()).toBeCloseTo(whole.logProb(at).item(), 5);
    expect(Math.abs(D.klDivergence(d, whole).item())).toBeLessThan(1e-5);
  });

  it('take temperatures as numbers, and logits or probabilities', () => {
    const spec = { temperature: 0.5, logits: vector(0, 1) };
    expect(new D.RelaxedBernoulli(spec).temperature.item()).toBe(0.5);
    const d = new D.RelaxedOneHotCategorical(spec);
    const logits = d.logits.sub(d.logits.logsumexp(-1));
    expect(torch.allclose(d.probs, logits.exp())).toBe(true);
    expect(new D.RelaxedBernoulli(0.5, 0.25).logits.item()).toBeCloseTo(-Math.log(3), 6);
    expect(new D.LogisticNormal(0, 1).loc.shape).toEqual([1]);
  });

  it('of correlations give triangles whose rows have length 1', () => {
    torch.manualSeed(1);
    const l = new D.LKJCholesky(4, 2).sample([50]);
    expect(D.constraints.corrCholesky.check(l).all().item()).toBe(true);
    const matrix = l.matmul(l.transpose(-2, -1));
    expect(D.constraints.positiveDefinite.check(matrix).all().item()).toBe(true);
    expect(D.constraints.positiveDefinite.check(torch.ones(2, 2)).item()).toBe(false);
    expect(D.constraints.positiveDefinite.check(vector(1, 2, 3, 4).reshape(2, 2)).item()).toBe(false);
  });

  it('of covariances come by one of three matrices, and are far from each other', () => {
    const scaleTril = torch.tensor([[1, 0], [0.5, 2]]); // biome-ignore format: a matrix
    const matrix = torch.tensor([[2, 0.5], [0.5, 1]]); // biome-ignore format: a matrix
    const p = new D.Wishart(vector(3, 7.5), { scaleTril });
    const q = new D.Wishart(4, matrix);
    // PyTorch's for one at a time, and the mean over samples: of a batch, it sums up what belongs to different ones.
    expect(torch.allclose(D.klDivergence(p, q), vector(3.3312914, 11.4381319))).toBe(true);
    expect(D.klDivergence(q, q).item()).toBe(0);
    const inverse = new D.Wishart({ df: 4, precisionMatrix: matrix });
    const wanted = torch.tensor([[2.2857146, -1.1428571], [-1.1428571, 4.5714287]]); // biome-ignore format: a matrix
    expect(torch.allclose(inverse.mean, wanted)).toBe(true);
  });

  it('of covariances have the mean that they say', () => {
    torch.manualSeed(1);
    const d = new D.Wishart(5, { scaleTril: torch.tensor([[1, 0], [0.5, 2]]) }); // biome-ignore format: a matrix
    const mean = d.sample([20000]).mean(0);
    expect(torch.allclose(mean, d.mean, { rtol: 0.05, atol: 0.1 })).toBe(true);
  });

  const bad = torch.zeros(2);
  it.each<[string, () => unknown, string]>([
    ['freedom below 0', () => new D.FisherSnedecor(1, -1), 'Expected parameter df2 (Tensor of shape ()) of distribution FisherSnedecor(df1: 1.0, df2: -1.0)'],
    ['an alpha below 0', () => new D.Pareto(1, -1), 'Expected parameter alpha (Tensor of shape ()) of distribution Pareto(alpha: -1.0, scale: 1.0)'],
    ['a diagonal below 0', () => new D.LowRankMultivariateNormal(vector(0), torch.ones(1, 1), vector(-2)), 'Expected parameter covDiag (Tensor of shape (1,))'],
    ['a factor for another size', () => new D.LowRankMultivariateNormal(bad, torch.ones(3, 1), bad), 'expected covFactor to be [..., 2, m] for loc of shape [2], but got shape [3, 1]'],
    ['a diagonal of another size', () => new D.LowRankMultivariateNormal(bad, torch.ones(2, 1), vector(1)), 'expected covDiag to be [..., 2] for loc of shape [2], but got shape [1]'],
    ['a factor that is no matrix', () => new D.LowRankMultivariateNormal(bad, bad, bad), 'covFactor must be at least two-dimensional, but got shape [2]'],
    ['matrices of one row', () => new D.LKJCholesky(1), 'LKJCholesky: Expected dim to be an integer greater than or equal to 2. Found dim=1.'],
    ['a concentration below 0', () => new D.LKJCholesky(3, -1), 'Expected parameter concentration (Tensor of shape ()) of distribution LKJCholesky(concentration: -1.0)'],
    ['too few degrees of freedom', () => new D.Wishart(1, torch.eye(2)), 'Expected parameter df (Tensor of shape ()) of distribution Wishart(scale_tril: torch.Size([2, 2]), df: 1.0) to satisfy the constraint GreaterThan'],
    ['none', () => new D.Wishart({ scaleTril: torch.eye(2) }), "Wishart: argument 'df' must be a Tensor or a number, but got nothing"],
    ['two matrices', () => new D.Wishart(3, torch.eye(2), torch.eye(2)), 'Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified; got 2 of them'],
    ['no square', () => new D.Wishart(3, torch.ones(2, 3)), 'Wishart: expected covarianceMatrix to be [..., 2, 2], but got shape [2, 3]'],
    ['values that are not symmetric', () => new D.Wishart(3, torch.eye(2)).logProb(vector(1, 2, 3, 4).reshape(2, 2)), 'within the support (PositiveDefinite())'],
    ['no temperature', () => new D.RelaxedBernoulli({ probs: 0.5 }), "RelaxedBernoulli: argument 'temperature' must be a Tensor or a number, but got nothing"],
    ['neither probabilities nor logits', () => new D.RelaxedOneHotCategorical(1), 'Either `probs` or `logits` must be specified'],
    ['limits of another kind', () => new D.ContinuousBernoulli({ probs: 0.5, lims: 0.4 as never }), "ContinuousBernoulli: argument 'lims' must be a list of two numbers, but got 0.4"],
    ['shares that are none', () => new D.ContinuousBernoulli(1.5), 'Expected parameter probs (Tensor of shape ()) of distribution ContinuousBernoulli(probs: 1.5)'],
    ['divergences of vectors of other sizes', () => D.klDivergence(new D.LowRankMultivariateNormal(bad, torch.ones(2, 1), torch.ones(2)), new D.MultivariateNormal(torch.zeros(3), { scaleTril: torch.eye(3) })), 'with different event shapes cannot be computed; got torch.Size([2]) and torch.Size([3])'],
    ['a cdf that nobody knows', () => new D.InverseGamma(1, 1).cdf(torch.tensor(1)), 'Gamma: cdf is not implemented'],
  ])('refuse %s', (_what, call, message) => {
    expect(call).toThrow(torch.WasmgradError);
    expect(call).toThrow(message);
  }); // biome-ignore format: a table
});
