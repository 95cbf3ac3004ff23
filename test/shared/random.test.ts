/** Generators, random tensors and fills in place, where golden/rng.json has no case: forms of calls, layouts, refusals. */
import { describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';
import { dropoutMask, dropoutNoise } from '../../src/ops/sample.ts';

type Tensor = torch.Tensor;
const { ArgumentError, AutogradError, DTypeError, Generator, ShapeError } = torch;

const seeded = (seed = 7) => new Generator().manualSeed(seed);
const numbers = (x: Tensor) => Array.from(x.data, Number);
/** What `draw` gives from the default generator with this seed. */
function fromSeed<R>(draw: () => R, seed = 7): R {
  torch.manualSeed(seed);
  return draw();
}

describe('Generator', () => {
  it('starts from the documented seed and remembers the seeds it gets', () => {
    expect(new Generator().initialSeed()).toBe(67280421310721);
    expect(seeded(-1).initialSeed()).toBe(2n ** 64n - 1n);
    expect(seeded(5).initialSeed()).toBe(5);
    const generator = new Generator();
    expect(generator.seed()).toBe(generator.initialSeed());
    for (const none of [Number.NaN, 'a'] as number[])
      expect(() => generator.manualSeed(none)).toThrow(/manualSeed: expected an integer .* got (NaN|a)/);
  });

  it('saves and restores its state as a uint8 tensor of 5056 bytes', () => {
    const generator = seeded();
    torch.randn(3, { generator });
    const state = generator.getState();
    expect([state.dtype, ...state.shape]).toEqual(['uint8', 5056]);
    const next = numbers(torch.randn(5, { generator }));
    expect(numbers(torch.randn(5, { generator: generator.setState(state) }))).toEqual(next);
    expect(() => generator.setState(torch.zeros(5056))).toThrow(DTypeError);
    expect(() => generator.setState(torch.zeros(5055, { dtype: 'uint8' }))).toThrow(ArgumentError);
    expect(() => generator.setState(torch.zeros(5056, { dtype: 'uint8' }))).toThrow(ArgumentError);
  });

  it('clones into an independent stream', () => {
    const generator = seeded();
    const copy = generator.cloneState();
    const drawn = numbers(torch.rand(4, { generator }));
    expect(numbers(torch.rand(4, { generator: copy }))).toEqual(drawn);
  });

  it('is separate from the default one', () => {
    const expected = fromSeed(() => numbers(torch.rand(3)));
    const got = fromSeed(() => {
      torch.rand(10, { generator: seeded(1) });
      torch.empty(10).normal_({ generator: seeded(1) });
      return numbers(torch.rand(3));
    });
    expect(got).toEqual(expected);
  });

  it('by default is seeded with manualSeed, restored with setRngState and forkRng', () => {
    expect(torch.manualSeed(3)).toBe(torch.defaultGenerator);
    expect(torch.initialSeed()).toBe(3);
    const state = torch.getRngState();
    const first = numbers(torch.rand(3));
    torch.setRngState(state);
    expect(numbers(torch.rand(3))).toEqual(first);
    torch.setRngState(state);
    expect(() =>
      torch.forkRng(() => {
        torch.rand(100);
        throw new Error('stop');
      }),
    ).toThrow('stop');
    expect(numbers(torch.rand(3))).toEqual(first);
    expect(torch.seed()).toBe(torch.initialSeed());
  });
});

describe('random tensors', () => {
  it('take sizes spread or as a list, and options', () => {
    const x = torch.rand(2, 3, { dtype: 'float64', requiresGrad: true });
    expect([x.dtype, x.requiresGrad, ...x.shape]).toEqual(['float64', true, 2, 3]);
    expect(torch.randn([4, 1]).shape).toEqual([4, 1]);
    expect(torch.rand([]).shape).toEqual([]);
    expect(() => torch.rand(3, { dtype: 'int64' })).toThrow(
      /rand: expected argument 'dtype' to be float32 or float64, but got int64/,
    );
    expect(() => torch.randn(2, -1)).toThrow(ShapeError);
  });

  it('randint: (high, size), (low, high, size), dtypes, bigints', () => {
    const one = fromSeed(() => numbers(torch.randint(10, [20])));
    expect(fromSeed(() => numbers(torch.randint(0, 10, [20])))).toEqual(one);
    expect(fromSeed(() => numbers(torch.randint(0n, 10n, [20], { dtype: 'float32' })))).toEqual(one);
    expect(torch.randint(5, 6, [2]).toArray()).toEqual([5, 5]);
    expect(torch.randint(2, [3], { dtype: 'bool' }).dtype).toBe('bool');
    expect(() => torch.randint(3, 3, [2])).toThrow(/from = 3 >= to = 3/);
    expect(() => torch.randint(0, 300, [2], { dtype: 'uint8' })).toThrow(ArgumentError);
  });

  it('randperm refuses what is no length', () => {
    expect(torch.randperm(0).shape).toEqual([0]);
    expect(() => torch.randperm(-1)).toThrow(ArgumentError);
    expect(() => torch.randperm(1.5)).toThrow(ArgumentError);
    expect(() => torch.randperm(129, { dtype: 'int8' })).toThrow(/n = 129 is too large for dtype int8/);
    expect(numbers(torch.randperm(128, { dtype: 'int8' })).sort((a, b) => a - b)[127]).toBe(127);
  });

  it('like another tensor: its shape, dtype and memory layout', () => {
    const base = torch.zeros(5, 8, { dtype: 'float64' });
    const turned = torch.zeros(8, 5, { dtype: 'float64' }).t();
    const uniform = fromSeed(() => torch.randLike(turned));
    expect([uniform.dtype, ...uniform.shape, ...uniform.stride()]).toEqual(['float64', 5, 8, 1, 5]);
    expect(uniform.t().toArray()).toEqual(fromSeed(() => torch.rand(8, 5, { dtype: 'float64' })).toArray());
    // Not contiguous: the scalar path, in the order of memory.
    const normal = fromSeed(() => torch.randnLike(turned));
    const scalar = fromSeed(() => torch.zeros(8, 5, { dtype: 'float64' }).t().normal_());
    expect(normal.toArray()).toEqual(scalar.toArray());
    expect(fromSeed(() => torch.randnLike(base, { dtype: 'float32' })).toArray()).toEqual(
      fromSeed(() => torch.randn(5, 8)).toArray(),
    );
    const whole = fromSeed(() => torch.randintLike(base, 9));
    expect(whole.dtype).toBe('float64');
    expect(numbers(whole)).toEqual(fromSeed(() => numbers(torch.randint(9, [5, 8]))));
    expect(torch.randintLike(base, 3, 4, { dtype: 'int32' }).dtype).toBe('int32');
    expect(() => torch.randLike(torch.zeros(2, { dtype: 'int64' }))).toThrow(DTypeError);
  });

  it("normal: one uniform of 2^24 is 0, and the pair that it makes is the mean, as PyTorch's", () => {
    torch.manualSeed(3);
    const values = torch.empty(1532320).normal_(2, 3).narrow(0, 1532304, 16);
    // biome-ignore format: as PyTorch 2.13 has them
    const expected = [1.9061603546142578, 0.3508450388908386, 0.042191267013549805, -0.37350213527679443, 2.0766310691833496,
      1.8673219680786133, 2.5604586601257324, 2, 0.4465816617012024, -1.6732151508331299, 6.088086128234863,
      7.983198165893555, -2.003570079803467, 3.952465057373047, 4.363134384155273, 2];
    expect(values.toArray()).toEqual(expected);
  });

  it('normal: numbers with a size, and tensors that broadcast', () => {
    expect(fromSeed(() => torch.normal(0, 1, [20])).toArray()).toEqual(
      fromSeed(() => torch.randn(20)).toArray(),
    );
    const mean = torch.tensor([[0], [100]]);
    const x = fromSeed(() => torch.normal(mean, torch.ones(3).mul(0.5)));
    const z = fromSeed(() => torch.randn(2, 3));
    expect(x.toArray()).toEqual(z.mul(0.5).add(mean).toArray());
    expect(fromSeed(() => torch.normal(2, torch.tensor([0, 0]))).toArray()).toEqual([2, 2]);
    expect(() => torch.normal(torch.zeros(2), -1)).toThrow(/std >= 0, but found -1/);
    expect(() => torch.normal(0, torch.tensor([1, -2]))).toThrow(ArgumentError);
  });
});

describe('fills in place', () => {
  const forms: [string, (x: Tensor) => Tensor, (x: Tensor) => Tensor][] = [
    ['uniform_', (x) => x.uniform_(-1, 2), (x) => x.uniform_({ from: -1, to: 2 })],
    ['normal_', (x) => x.normal_(3, 4), (x) => x.normal_({ mean: 3, std: 4 })],
    ['exponential_', (x) => x.exponential_(3), (x) => x.exponential_({ lambd: 3 })],
    ['cauchy_', (x) => x.cauchy_(1, 2), (x) => x.cauchy_({ median: 1, sigma: 2 })],
    ['logNormal_', (x) => x.logNormal_(0, 1), (x) => x.logNormal_({ mean: 0, std: 1 })],
    ['random_', (x) => x.random_(5), (x) => x.random_(0, 5)],
    ['bernoulli_', (x) => x.bernoulli_(), (x) => x.bernoulli_(0.5)],
    ['geometric_', (x) => x.geometric_(0.5), (x) => x.geometric_(0.5, { generator: torch.defaultGenerator })],
  ];

  it.each(forms)(
    '%s takes its arguments by position or by name, and returns the tensor',
    (_, position, name) => {
      const x = torch.zeros(20);
      expect(fromSeed(() => position(x))).toBe(x);
      expect(x.version).toBe(1);
      expect(fromSeed(() => name(torch.zeros(20))).toArray()).toEqual(x.toArray());
      expect(new Set(numbers(x)).size).toBeGreaterThan(1);
    },
  );

  it.each(forms)('%s fills a transposed tensor in the order of memory', (name, fill) => {
    // normal_ takes the scalar path here, as it does for fewer than 16 values.
    const turned = fromSeed(() => fill(torch.zeros(5, 3).t()));
    const straight = fromSeed(() => fill(torch.zeros(5, 3)));
    expect(turned.t().toArray(), name).toEqual(straight.toArray());
  });

  it.each(forms)('%s fills a slice in logical order and leaves the rest alone', (name, fill) => {
    const whole = torch.full([4, 6], -7);
    fromSeed(() => fill(whole.index(torch.slice(), torch.slice(null, null, 2))));
    const rows = whole.toArray() as number[][];
    expect(
      rows.flatMap((row) => [row[1], row[3], row[5]]),
      name,
    ).toEqual(new Array(12).fill(-7));
    const expected = fromSeed(() => fill(torch.zeros(12)));
    expect(
      rows.flatMap((row) => [row[0], row[2], row[4]]),
      name,
    ).toEqual(expected.toArray());
  });

  it('forms of random_', () => {
    const x = torch.zeros(200, { dtype: 'int8' });
    expect(Math.max(...numbers(x.random_()))).toBeGreaterThan(100);
    expect(Math.min(...numbers(x.random_(100, null)))).toBeGreaterThanOrEqual(100);
    expect(numbers(x.random_(-3, -2)).every((v) => v === -3)).toBe(true);
    expect(() => x.random_(0)).toThrow(ArgumentError);
  });

  it('bernoulli_ with probabilities that broadcast, in the order of the filled tensor', () => {
    const p = torch.tensor([0, 1, 0.5]);
    const x = fromSeed(() => torch.zeros(3, 40).t().bernoulli_(p));
    const columns = (x.t().toArray() as number[][]).map((column) => column.reduce((a, b) => a + b));
    expect(columns.slice(0, 2)).toEqual([0, 40]);
    const straight = fromSeed(() => torch.zeros(3, 40).bernoulli_(p.reshape(3, 1)));
    expect(x.t().toArray()).toEqual(straight.toArray());
    expect(() => torch.zeros(2).bernoulli_(torch.tensor([0.5, 2]))).toThrow(ArgumentError);
    expect(() => torch.zeros(2).bernoulli_(torch.tensor([0n, 1n]))).toThrow(DTypeError);
  });

  it('keep the graph right: leaves are refused, the old value gets no gradient', () => {
    const leaf = torch.ones(3, { requiresGrad: true });
    expect(() => leaf.uniform_()).toThrow(AutogradError);
    expect(torch.noGrad(() => leaf.uniform_())).toBe(leaf);
    const x = leaf.mul(2);
    x.normal_();
    expect(x.gradFn?.name).toBe('NormalBackward0');
    x.sum().backward();
    expect(leaf.grad?.toArray()).toEqual([0, 0, 0]);
  });

  it('refuse before they change or draw anything', () => {
    torch.manualSeed(7);
    const before = numbers(torch.getRngState());
    const whole = torch.ones(3, { dtype: 'int64' });
    const float = torch.ones(3);
    for (const bad of [
      () => whole.uniform_(),
      () => whole.normal_(),
      () => whole.exponential_(),
      () => whole.cauchy_(),
      () => whole.logNormal_(),
      () => torch.bernoulli(whole),
      () => torch.poisson(whole),
      () => torch.multinomial(whole, 1),
    ]) {
      expect(bad).toThrow(DTypeError);
    }
    for (const bad of [
      () => float.uniform_(2, 1),
      () => float.normal_(0, -1),
      () => float.exponential_(0),
      () => float.geometric_(1),
      () => float.cauchy_(0, 0),
      () => float.logNormal_(0, 0),
      () => float.bernoulli_(1.5),
      () => torch.multinomial(float, 4),
      () => torch.multinomial(float, 0),
    ]) {
      expect(bad).toThrow(ArgumentError);
    }
    expect(() => torch.multinomial(torch.ones(2, 2, 2), 1)).toThrow(ShapeError);
    expect(() => torch.ones(1).expand(3).uniform_()).toThrow(ShapeError);
    expect(float.toArray()).toEqual([1, 1, 1]);
    expect(numbers(torch.getRngState())).toEqual(before);
  });
});

describe('samples', () => {
  it('poisson and bernoulli have the shape of their parameters, in row-major order', () => {
    const rates = torch.tensor([
      [0, 3],
      [50, 0],
    ]);
    const counts = numbers(fromSeed(() => torch.poisson(rates)));
    expect([counts[0], counts[3]]).toEqual([0, 0]);
    expect(counts[2]).toBeGreaterThan(20);
    const p = torch.tensor([
      [0, 1, 0],
      [1, 0, 1],
    ]);
    expect(torch.bernoulli(p.t()).toArray()).toEqual(p.t().toArray());
    expect(p.bernoulli(1).toArray()).toEqual([
      [1, 1, 1],
      [1, 1, 1],
    ]);
  });

  it('multinomial: rows, options, int64', () => {
    const weights = torch.tensor([
      [0, 1],
      [1, 0],
    ]);
    const drawn = torch.multinomial(weights, 3, { replacement: true, generator: seeded() });
    expect(drawn.dtype).toBe('int64');
    expect(drawn.toArray()).toEqual([
      [1, 1, 1],
      [0, 0, 0],
    ]);
    expect(weights.multinomial(1).toArray()).toEqual([[1], [0]]);
  });
});

describe('layouts', () => {
  it('multinomial races in the order of memory', () => {
    const w = torch.arange(1, 13).float().view(4, 3).t();
    expect(fromSeed(() => torch.multinomial(w, 2)).toArray()).toEqual([
      [2, 3],
      [3, 2],
      [3, 2],
    ]);
    expect(fromSeed(() => torch.multinomial(w, 2, true)).toArray()).toEqual([
      [2, 2],
      [3, 3],
      [3, 3],
    ]);
  });
  it('what is expanded has no order of its own', () => {
    const x = torch.ones(3).expand(2, 3);
    expect(fromSeed(() => torch.nn.functional.dropout(x, 0.5)).toArray()).toEqual([
      [2, 2, 0],
      [0, 0, 0],
    ]);
    expect(torch.randLike(x).stride()).toEqual([3, 1]);
  });
  it('alpha dropout has the constants of its dtype', () => {
    const x = torch.ones(3, { dtype: 'float64' });
    const y = fromSeed(() => torch.nn.functional.alphaDropout(x, 0.3, true));
    expect(y.toArray()).toEqual([1.315044684383419, 1.315044684383419, -1.0595481589864801]);
  });
});

describe('noise of dropout', () => {
  it('is drawn in the memory order of its tensor and lies as it does', () => {
    const turned = torch.ones(4, 6).t();
    const noise = fromSeed(() => dropoutNoise(turned, 0.5));
    expect(noise.stride()).toEqual(turned.stride());
    const straight = fromSeed(() => dropoutNoise(torch.ones(4, 6), 0.5));
    expect(noise.t().toArray()).toEqual(straight.toArray());
    expect(new Set(numbers(noise))).toEqual(new Set([0, 2]));
  });

  it('may be one per channel; the mask is the same draws as zeros and ones', () => {
    const x = torch.ones(3, 5, 2, 2);
    const noise = fromSeed(() => dropoutNoise(x, 0.25, { channels: true }));
    expect(noise.shape).toEqual([3, 5, 1, 1]);
    const mask = fromSeed(() => dropoutMask(x, 0.25, { channels: true }));
    expect(numbers(mask)).toEqual(numbers(noise).map((v) => (v === 0 ? 0 : 1)));
    expect(() => dropoutNoise(torch.ones(3), 0.5, { channels: true })).toThrow(ShapeError);
  });
});

describe('nn.init', () => {
  const { init } = torch.nn;

  it('gains', () => {
    expect(init.calculateGain('tanh')).toBe(5 / 3);
    expect(init.calculateGain('relu')).toBe(Math.SQRT2);
    expect(init.calculateGain('leakyRelu', 0.2)).toBe(Math.sqrt(2 / 1.04));
    expect(init.calculateGain('leaky_relu')).toBe(Math.sqrt(2 / (1 + 0.01 ** 2)));
    expect(init.calculateGain('selu')).toBe(0.75);
    expect(init.calculateGain('conv2d')).toBe(1);
  });

  it('constants, identity and dirac', () => {
    const w = torch.empty(2, 3, { requiresGrad: true });
    expect(init.constant_(w, 3).toArray()).toEqual([
      [3, 3, 3],
      [3, 3, 3],
    ]);
    expect(init.eye_(w).toArray()).toEqual([
      [1, 0, 0],
      [0, 1, 0],
    ]);
    expect(numbers(init.ones_(w)).every((v) => v === 1)).toBe(true);
    expect(numbers(init.zeros_(w)).every((v) => v === 0)).toBe(true);
    const kernel = init.dirac_(torch.empty(4, 2, 3), 2);
    expect(kernel.toArray()).toEqual([
      [
        [0, 1, 0],
        [0, 0, 0],
      ],
      [
        [0, 0, 0],
        [0, 1, 0],
      ],
      [
        [0, 1, 0],
        [0, 0, 0],
      ],
      [
        [0, 0, 0],
        [0, 1, 0],
      ],
    ]);
    expect(() => init.dirac_(torch.empty(3, 2, 3), 2)).toThrow(ShapeError);
    expect(() => init.eye_(torch.empty(3))).toThrow(ShapeError);
  });

  it('orthogonal_: rows or columns orthonormal, times the gain', () => {
    for (const shape of [
      [6, 4],
      [4, 6],
      [5, 5],
      [3, 2, 2, 2],
    ]) {
      const w = init.orthogonal_(torch.empty(shape), { gain: 2, generator: seeded() }).reshape(shape[0], -1);
      const [rows, columns] = w.shape;
      const product = rows < columns ? w.matmul(w.t()) : w.t().matmul(w);
      const error = product
        .sub(torch.eye(Math.min(rows, columns)).mul(4))
        .abs()
        .max()
        .item();
      expect(error).toBeLessThan(1e-5);
    }
    expect(() => init.orthogonal_(torch.empty(3))).toThrow(ShapeError);
  });

  it('truncNormal_ keeps to its bounds by either method', () => {
    for (const [a, b] of [
      [-2, 2],
      [1, 1.5],
      [-0.1, 0.2],
      [3, 9],
    ]) {
      const values = numbers(init.truncNormal_(torch.empty(500), { a, b, generator: seeded() }));
      expect(Math.min(...values)).toBeGreaterThanOrEqual(Math.fround(a));
      expect(Math.max(...values)).toBeLessThanOrEqual(Math.fround(b));
    }
    expect(() => init.truncNormal_(torch.empty(3), 0, 0)).toThrow(ArgumentError);
    expect(() => init.truncNormal_(torch.empty(3), { a: 1, b: 1 })).toThrow(ArgumentError);
  });

  it('kaiming and xavier: names in both spellings, a tensor without elements, too few dimensions', () => {
    const one = fromSeed(() => init.kaimingNormal_(torch.empty(4, 3), 0.1, 'fan_out', 'leaky_relu'));
    const two = fromSeed(() =>
      init.kaimingNormal_(torch.empty(4, 3), { a: 0.1, mode: 'fanOut', nonlinearity: 'leakyRelu' }),
    );
    expect(two.toArray()).toEqual(one.toArray());
    expect(init.kaimingUniform_(torch.empty(0, 3)).shape).toEqual([0, 3]);
    expect(() => init.xavierUniform_(torch.empty(3))).toThrow(/fewer than 2 dimensions, got \[3\]/);
    expect(init.calculateFanInAndFanOut(torch.empty(4, 3, 5, 2))).toEqual({ fanIn: 30, fanOut: 40 });
  });

  it('truncNormal_ draws in the order of a transposed view, as PyTorch does', () => {
    for (const [a, b, first, next] of [
      [-1, 1, [-0.2849, -0.2934, 0.3475, 0.5684], 0.147],
      [1, 2, [1.6651, 1.53, 1.0885, 1.132], 0.0782],
    ] as const) {
      torch.manualSeed(0);
      const w = torch.zeros(20, 3);
      init.truncNormal_(w.t(), { a, b });
      const seen = [...numbers(w).slice(0, 4), torch.rand(1).item()];
      expect(seen.map((x) => Number(x.toFixed(4)))).toEqual([...first, next]);
    }
  });

  it('sparse_ takes rows from the default generator, values from the given one', () => {
    torch.manualSeed(0);
    const generator = seeded(1);
    const w = init.sparse_(torch.zeros(5, 3), 0.4, { generator });
    const seen = [...numbers(w), torch.rand(1).item(), torch.rand(1, { generator }).item()];
    expect(seen.map((x) => Number(x.toFixed(4)))).toEqual([
      ...[0, 0.0027, 0.0006, 0.0062, -0.0045, -0.0017, -0.0152, 0.0038, 0],
      ...[-0.0056, 0, -0.0006, 0, 0, 0, 0.0223, 0.83],
    ]);
  });

  it('sparse_: the share of zeros in every column, rounded up', () => {
    const w = init.sparse_(torch.empty(7, 4), { sparsity: 0.4, generator: seeded() });
    expect(w.eq(0).sum(0).toArray()).toEqual([3, 3, 3, 3]);
    expect(() => init.sparse_(torch.empty(3), 0.5)).toThrow(ShapeError);
    expect(() => init.sparse_(torch.empty(3, 3), 1.5)).toThrow(ArgumentError);
  });
});

it('gives the same values on every device', () => {
  const draw = (device: string) => numbers(torch.randn(100, { device, generator: seeded() }));
  expect(draw('reference')).toEqual(draw('cpu'));
});
