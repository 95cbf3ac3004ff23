/** `torch.linalg` against PyTorch's numbers, and what does not depend on them: products, derivatives, errors. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';
import fixture from '../fixtures/linalg/expected.json';

const { linalg } = torch;
type T = torch.Tensor;
type Matrices = (...inputs: T[]) => T | readonly T[];
const float64 = { dtype: 'float64' } as const;

interface Described {
  readonly shape: number[];
  readonly dtype: string;
  readonly data: (number | string)[];
}
interface Case {
  readonly op: string;
  readonly inputs: readonly Described[];
  readonly options: { readonly [name: string]: unknown };
  readonly squared: boolean;
  readonly turned: boolean;
  readonly backward: boolean;
  readonly outputs: readonly Described[];
  readonly grads: readonly (Described | null)[];
  readonly tolerance: number;
}

const numberOf = (v: unknown): unknown =>
  v === 'inf' ? Infinity : v === '-inf' ? -Infinity : v === 'nan' ? NaN : v;
const made = ({ shape, dtype, data }: Described): T =>
  torch
    .tensor(
      data.map((v) => numberOf(v) as number),
      { dtype: dtype as torch.DType },
    )
    .reshape(shape);
const camelCase = (name: string): string => name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());

/** Every element within the tolerance, relative to the largest one. */
function expectClose(got: T, wanted: Described, tolerance: number, what: string): void {
  expect([got.dtype, got.shape], what).toEqual([wanted.dtype, wanted.shape]);
  const numbers = wanted.data.map((v) => numberOf(v) as number);
  const scale = numbers.reduce((m, v) => (Number.isFinite(v) ? Math.max(m, Math.abs(v)) : m), 1);
  const values = Array.from(got.contiguous().data, Number);
  for (const [i, v] of values.entries()) {
    if (Object.is(v, numbers[i]) || v === numbers[i]) continue;
    expect(Math.abs(v - numbers[i]), `${what}: element ${i} is ${v}, not ${numbers[i]}`).toBeLessThanOrEqual(
      tolerance * scale,
    );
  }
}

function run({ op, inputs, options, squared, turned, backward, outputs, grads, tolerance }: Case): void {
  const leaves = inputs.map((x) => made(x).requiresGrad_(backward));
  const operands = leaves.map((x) =>
    turned && x.ndim > 1 ? x.transpose(-1, -2).contiguous().transpose(-1, -2) : x,
  );
  const named = Object.entries(options).map(([key, v]) => [camelCase(key), numberOf(v)]);
  const call = Reflect.get(linalg, camelCase(op)) as Matrices;
  const args = [...operands, ...(named.length > 0 ? [Object.fromEntries(named)] : [])];
  // What norms take by position only here.
  const { ord, dim, keepdim } = options;
  const result = op.endsWith('norm')
    ? call(operands[0], ord as T, (dim ?? [-2, -1]) as unknown as T, (keepdim ?? false) as unknown as T)
    : call(...args);
  const list = result instanceof torch.Tensor ? [result] : result;
  const got = squared ? list.map((y) => y.square()) : list;
  expect(got.length).toBe(outputs.length);
  for (const [i, y] of got.entries()) expectClose(y.detach(), outputs[i], tolerance, `output ${i}`);
  const roots = got.filter((y) => y.requiresGrad && y.numel() > 0);
  if (roots.length > 0) {
    const weights = roots.map((y) =>
      torch.arange(y.numel(), float64).mul(0.37).add(0.5).sin().to(y.dtype).reshape(y.shape),
    );
    torch.autograd.backward(roots, weights);
  }
  for (const [i, wanted] of grads.entries()) {
    const { grad } = leaves[i];
    if (wanted === null) expect(grad).toBeNull();
    else expectClose(grad!, wanted, 10 * tolerance, `gradient ${i}`);
  }
}

describe.each(['cpu', 'reference'])('torch.linalg on %s', (device) => {
  const before = torch.getDefaultDevice();
  beforeEach(() => torch.setDefaultDevice(device));
  afterEach(() => torch.setDefaultDevice(before));

  const cases = (fixture.cases as unknown as Case[]).map((c, i) => {
    const shapes = c.inputs.map((x) => `${x.dtype} [${x.shape}]`).join(', ');
    return [`${i} ${c.op} of ${shapes} ${JSON.stringify(c.options)}`, c] as const;
  });
  it.each(cases)('gives PyTorch’s numbers: %s', (_, c) => run(c));
});

const normal = (...shape: number[]): T => torch.randn(shape, float64);
const eyes = (n: number): T => torch.eye(n, float64);
const positive = (x: T): T => x.matmul(x.adjoint()).add(eyes(x.shape[x.ndim - 1]));
const symmetric = (x: T): T => x.add(x.adjoint());
const farthest = (a: T, b: T): number => {
  expect(a.shape).toEqual(b.shape);
  return a.numel() === 0 ? 0 : a.sub(b).abs().max().item();
};

/** Matrices on which decompositions have failed: of low rank, graded, without anything on the diagonal, large and small. */
function awkward(): [string, T][] {
  torch.manualSeed(5);
  const graded = (m: number, n: number): T =>
    normal(m, n)
      .mul(torch.pow(10, torch.arange(0, m, 1, float64).mul(-5)).unsqueeze(1))
      .mul(torch.pow(10, torch.arange(0, n, 1, float64).mul(-5)));
  const list: [string, T][] = [];
  for (const [m, n] of [
    [1, 1],
    [2, 2],
    [5, 3],
    [3, 5],
    [1, 4],
    [20, 20],
    [30, 12],
  ]) {
    const kinds: { [kind: string]: T } = {
      any: normal(m, n),
      'of rank 2': normal(m, 2).matmul(normal(2, n)),
      whole: normal(m, n).mul(1.2).round(),
      zero: torch.zeros(m, n, float64),
      ones: torch.ones(m, n, float64),
      graded: graded(m, n),
      'above the diagonal': normal(m, n).triu(1).tril(1),
    };
    for (const [kind, x] of Object.entries(kinds)) list.push([`${kind} [${m}, ${n}]`, x]);
  }
  return list;
}

describe('decompositions', () => {
  it.each(awkward())('give the matrix again: %s', (_, matrix) => {
    for (const unit of [1, 1e200, 1e-200]) {
      const x = matrix.mul(unit);
      const [m, n] = x.shape;
      const size = (matrix.abs().max().item() || 1) * Math.max(m, n);
      const near = (got: T, wanted: T, bound = size) =>
        expect(farthest(got, wanted)).toBeLessThan(2e-14 * bound);
      for (const fullMatrices of [true, false]) {
        const { U, S, Vh } = linalg.svd(x, { fullMatrices });
        const k = Math.min(m, n);
        near(
          U.narrow(-1, 0, k)
            .mul(S.div(unit))
            .matmul(Vh.narrow(0, 0, k)),
          matrix,
        );
        near(U.t().matmul(U), eyes(U.shape[1]), m);
        near(Vh.matmul(Vh.t()), eyes(Vh.shape[0]), n);
        near(linalg.svdvals(x).div(unit), S.div(unit));
        expect(S.equal(S.sort({ descending: true }).values)).toBe(true);
      }
      for (const mode of ['reduced', 'complete'] as const) {
        const { Q, R } = linalg.qr(x, mode);
        near(Q.matmul(R.div(unit)), matrix);
        near(Q.t().matmul(Q), eyes(Q.shape[1]), m);
        expect(R.equal(R.triu())).toBe(true);
        if (mode === 'reduced') expect(linalg.qr(x, 'r').R.equal(R)).toBe(true);
      }
      if (m !== n) continue;
      for (const UPLO of ['L', 'U'] as const) {
        const half = UPLO === 'L' ? matrix.tril(-1) : matrix.triu(1);
        const whole = half.add(half.t()).add(torch.diag(matrix.diagonal()));
        const { eigenvalues, eigenvectors: V } = linalg.eigh(x, UPLO);
        near(V.mul(eigenvalues.div(unit)).matmul(V.t()), whole);
        near(V.t().matmul(V), eyes(n), n);
        near(linalg.eigvalsh(x, UPLO).div(unit), eigenvalues.div(unit));
        expect(eigenvalues.equal(eigenvalues.sort().values)).toBe(true);
      }
    }
  });

  it('keep signs where the matrix hardly changes', () => {
    torch.manualSeed(7);
    for (let i = 0; i < 30; i++) {
      const x = normal(4, 4);
      const moved = x.add(normal(4, 4).mul(1e-9));
      expect(farthest(linalg.svd(x).U, linalg.svd(moved).U)).toBeLessThan(1e-5);
      expect(
        farthest(linalg.eigh(symmetric(x)).eigenvectors, linalg.eigh(symmetric(moved)).eigenvectors),
      ).toBeLessThan(1e-5);
    }
  });

  it('solve in double precision what is float32', () => {
    const n = 8;
    const hilbert = torch.tensor(
      Array.from({ length: n * n }, (_, i) => 1 / ((i % n) + Math.floor(i / n) + 1)),
    );
    const a = hilbert.reshape(n, n);
    const x = torch.ones(n, 1);
    const b = a.double().matmul(x.double());
    expect(farthest(linalg.solve(a.double(), b), x.double())).toBeLessThan(1e-5);
    const rounded = linalg.solve(a, b.float());
    expect(rounded.dtype).toBe('float32');
    expect(farthest(rounded.double(), linalg.solve(a.double(), b.float().double()))).toBeLessThan(
      1e-7 * rounded.abs().max().item(),
    );
  });

  it('give tuples with names', () => {
    const { Q, R } = linalg.qr(eyes(2));
    const [q, r] = linalg.qr(eyes(2));
    expect([q.equal(Q), r.equal(R)]).toEqual([true, true]);
    expect(String(linalg.slogdet(eyes(2)))).toBe(
      'torch.return_types.linalg_slogdet(\nsign=tensor(1., dtype=torch.float64),\nlogabsdet=tensor(0., dtype=torch.float64))',
    );
    expect(linalg.lstsq(eyes(2), eyes(2)).singularValues.shape).toEqual([0]);
  });

  it('have PyTorch’s nodes', () => {
    const x = positive(normal(2, 2)).requiresGrad_();
    const names = [
      linalg.cholesky(x),
      linalg.inv(x),
      linalg.det(x),
      linalg.slogdet(x)[1],
      linalg.eigvalsh(x),
      linalg.svdvals(x),
      linalg.qr(x)[0],
      linalg.pinv(x),
      linalg.solve(x, x),
      linalg.solveTriangular(x, x, { upper: true }),
      linalg.lstsq(x, x).solution,
    ].map((y) => y.gradFn?.name.replace(/^Linalg|Backward0$/g, ''));
    expect(names.join(' ')).toBe(
      'CholeskyEx InvEx Det Slogdet Eigh Svd Qr Pinv SolveEx SolveTriangular Lstsq',
    );
  });
});

describe('derivatives', () => {
  const low = () => torch.tensor([1, 2, 0, 2, 4, 0, 0, 0, 1], float64).reshape(3, 3);
  const solve: Matrices = (a, b) => linalg.solve(a, b);
  const rows: { [name: string]: [fn: Matrices, ...shapes: number[][]] } = {
    cholesky: [(x) => linalg.cholesky(positive(x)), [3, 3]],
    'cholesky, upper': [(x) => linalg.cholesky(positive(x), { upper: true }), [2, 2, 2]],
    inv: [linalg.inv, [2, 3, 3]],
    det: [linalg.det, [2, 3, 3]],
    'det of one': [linalg.det, [1, 1]],
    'det, singular': [(x) => linalg.det(x.matmul(low())), [3, 3]],
    'det, some singular': [(x) => linalg.det(torch.stack([x, x.matmul(low())])), [3, 3]],
    slogdet: [(x) => linalg.slogdet(x).logabsdet, [2, 3, 3]],
    'solve, one matrix': [solve, [3, 3], [2, 3, 2]],
    'solve, one right side': [solve, [2, 3, 3], [3, 2]],
    'solve, broadcast': [solve, [2, 1, 2, 2], [3, 2, 2]],
    'solve, a vector': [solve, [3, 3], [3]],
    'solve, vectors': [solve, [2, 3, 3], [2, 3]],
    'solve from the right': [(a, b) => linalg.solve(a, b, { left: false }), [3, 3], [2, 3]],
    solveTriangular: [(a, b) => linalg.solveTriangular(a, b, { upper: true }), [3, 3], [3, 2]],
    'solveTriangular, unit': [
      (a, b) => linalg.solveTriangular(a, b, { upper: false, unitriangular: true }),
      [3, 3],
      [2, 3, 2],
    ],
    'solveTriangular from the right': [
      (a, b) => linalg.solveTriangular(a, b, { upper: false, left: false }),
      [3, 3],
      [2, 3],
    ],
    qr: [(x) => linalg.qr(x), [3, 3]],
    'qr, tall': [(x) => linalg.qr(x), [2, 4, 2]],
    'qr, wide': [(x) => linalg.qr(x), [2, 4]],
    'qr, wide, Q': [(x) => linalg.qr(x).Q, [2, 4]],
    'qr, wide, R': [(x) => linalg.qr(x).R, [2, 4]],
    'qr, complete': [(x) => linalg.qr(x, { mode: 'complete' }), [2, 3]],
    eigh: [(x) => linalg.eigh(symmetric(x)), [3, 3]],
    'eigh, upper': [(x) => linalg.eigh(symmetric(x), { UPLO: 'U' }), [2, 2, 2]],
    eigvalsh: [(x) => linalg.eigvalsh(symmetric(x)), [3, 3]],
    svd: [(x) => linalg.svd(x, false), [3, 3]],
    'svd, tall': [(x) => linalg.svd(x, false), [4, 2]],
    'svd, wide': [(x) => linalg.svd(x, false), [2, 4]],
    'svd, U': [(x) => linalg.svd(x, false).U, [2, 4, 2]],
    'svd, Vh': [(x) => linalg.svd(x, false).Vh, [2, 4]],
    'svd, full': [(x) => [linalg.svd(x).U.narrow(-1, 0, 2), ...linalg.svd(x).slice(1)], [3, 2]],
    svdvals: [(x) => linalg.svdvals(x), [3, 2]],
    'pinv, tall': [(x) => linalg.pinv(x), [4, 2]],
    'pinv, wide': [(x) => linalg.pinv(x), [2, 4]],
    'pinv, low rank': [(x, y) => linalg.pinv(x.matmul(y)), [4, 2], [2, 3]],
    'pinv, symmetric': [(x) => linalg.pinv(symmetric(x), { hermitian: true }), [3, 3]],
    'lstsq, tall': [(a, b) => linalg.lstsq(a, b).solution, [4, 2], [4, 2]],
    'lstsq, wide': [(a, b) => linalg.lstsq(a, b).solution, [2, 3], [2]],
    'lstsq, residuals': [(a, b) => linalg.lstsq(a, b, { driver: 'gelsd' }).slice(0, 2), [1, 4, 2], [3, 4, 1]],
    cond: [(x) => linalg.cond(x), [3, 3]],
    'cond by sums': [(x) => linalg.cond(x, 1), [3, 3]],
    'cond, nuclear': [(x) => linalg.cond(x, 'nuc'), [3, 3]],
    'norm, spectral': [(x) => linalg.norm(x, 2), [3, 2]],
    'norm, nuclear': [(x) => linalg.matrixNorm(x, 'nuc', [0, 2], true), [3, 2, 2]],
  };

  it.each(Object.entries(rows))('first and second: %s', (_, [fn, ...shapes]) => {
    torch.manualSeed(3);
    const inputs = shapes.map((shape) => normal(...shape).requiresGrad_());
    expect(torch.autograd.gradcheck(fn, inputs)).toBe(true);
    expect(torch.autograd.gradgradcheck(fn, inputs)).toBe(true);
  });

  it('by an argument that alone requires one', () => {
    const [a, b] = [positive(normal(2, 2)), normal(2, 1)];
    for (const either of [solve, (x: T, y: T) => linalg.lstsq(x, y).solution]) {
      expect(torch.autograd.gradcheck((x) => either(x, b), [a.clone().requiresGrad_()])).toBe(true);
      expect(torch.autograd.gradcheck((x) => either(a, x), [b.clone().requiresGrad_()])).toBe(true);
    }
  });
});

describe('errors', () => {
  const singular = () => torch.tensor([1, 2, 2, 4], float64).reshape(2, 2);
  const both = () => torch.stack([eyes(2), singular()]);
  const untyped = (x: unknown) => x as never;
  const nan = () => torch.full([2, 2], NaN);

  it.each<[() => unknown, string]>([
    [
      () => linalg.cholesky(singular()),
      'linalg.cholesky: The factorization could not be completed because the input is not positive-definite (the leading minor of ' +
        'order 2 is not positive-definite).',
    ],
    [() => linalg.cholesky(nan()), 'the leading minor of order 1 is not'],
    [() => linalg.cholesky(both()), 'linalg.cholesky: (Batch element 1): The factorization'],
    [
      () => linalg.inv(singular()),
      'linalg.inv: The diagonal element 2 is zero, the inversion could not be completed because the input matrix is singular.',
    ],
    [() => linalg.inv(both()), 'linalg.inv: (Batch element 1): The diagonal element 2 is zero'],
    [
      () => linalg.solve(singular(), eyes(2)),
      'linalg.solve: The solver failed because the input matrix is singular.',
    ],
    [
      () => linalg.svd(nan()),
      'linalg.svd: The algorithm failed to converge because the input matrix contained non-finite values.',
    ],
    [() => linalg.matrixRank(nan()), 'linalg.matrix_rank: The algorithm failed to converge'],
  ])('LinAlgError %#: %s', (call, message) => {
    expect(call).toThrow(torch.linalg.LinAlgError);
    expect(call).toThrow(torch.ArgumentError);
    expect(call).toThrow(message);
  });

  it.each<[() => unknown, string]>([
    [
      () => linalg.inv(torch.ones(2, 3)),
      'linalg.inv: A must be batches of square matrices, but they are 2 by 3 matrices',
    ],
    [() => linalg.svd(torch.ones(3)), 'linalg.svd: The input tensor A must have at least 2 dimensions'],
    [
      () => linalg.qr(torch.ones(2, 2).long()),
      'linalg.qr: Expected a floating point or complex tensor as input. Got Long',
    ],
    [() => linalg.solve(eyes(3), torch.ones(4, 2).double()), 'for the equation AX = B (3x3 and 4x2)'],
    [
      () => linalg.solve(eyes(3), torch.ones(3, 2).double(), { left: false }),
      'for the equation XA = B (3x3 and 3x2)',
    ],
    [
      () => linalg.solve(eyes(2), torch.ones(2)),
      'Expected A and B to have the same dtype, but found A of type Double',
    ],
    [() => linalg.solveTriangular(eyes(2), eyes(2), untyped(undefined)), "argument 'upper' must be"],
    [() => linalg.qr(eyes(2), untyped('full')), "received unrecognized mode 'full'"],
    [() => linalg.eigh(eyes(2), untyped('X')), "Expected UPLO argument to be 'L' or 'U', but got X"],
    [() => linalg.svd(eyes(2), untyped({ full_matrices: false })), "write fullMatrices, not 'full_matrices'"],
    [
      () => linalg.svd(eyes(2), untyped({ fullmatrices: false })),
      "there is no option 'fullmatrices'; is fullMatrices meant?",
    ],
    [() => linalg.cholesky(eyes(2), untyped(true)), "argument 'options' must be"],
    [() => linalg.cond(eyes(2), untyped(3)), 'linalg.cond got an invalid norm type: 3'],
    [() => linalg.matrixNorm(eyes(2), 3), 'linalg.matrix_norm: Order 3 not supported'],
    [() => linalg.lstsq(eyes(2), torch.ones(3, 2, 2).double()), 'must be greater or equal to other.dim()'],
    [() => linalg.lstsq(eyes(2), torch.ones(3, 2).double()), 'input.size(-2) should match other.size(-2)'],
    [() => linalg.lstsq(eyes(2), eyes(2), { driver: untyped('gel') }), "parameter 'driver' should be one of"],
  ])('%#: %s', (call, message) => {
    expect(call).toThrow(torch.WasmgradError);
    expect(call).toThrow(message);
  });

  it('of gradients that there are not', () => {
    const x = normal(3, 2).requiresGrad_();
    expect(() => linalg.qr(x, 'r').R.sum().backward()).toThrow(/which is not computed when mode='r'/);
    expect(() => linalg.qr(x, 'complete').R.sum().backward()).toThrow(
      /not differentiable when mode='complete'/,
    );
  });

  it('are none where PyTorch has infinities or NaN', () => {
    expect(linalg.slogdet(singular()).logabsdet.item()).toBe(-Infinity);
    expect(linalg.cond(singular(), 1).item()).toBe(Infinity);
    expect(linalg.eigvalsh(nan()).toArray()).toEqual([NaN, NaN]);
    expect(linalg.inv(nan()).isnan().all().item()).toBe(true);
    const zeros = torch.zeros(2, 2, float64);
    expect(linalg.solveTriangular(zeros, torch.ones(2, 1, float64), { upper: true }).toArray()).toEqual([
      [NaN],
      [Infinity],
    ]);
  });
});
