/** Derivatives compared with differences: `gradcheck` and `gradgradcheck`. */
import { enableGrad, noGrad } from './autograd/gradMode.ts';
import { grad } from './autograd.ts';
import { AutogradError } from './core/errors.ts';
import { formatShape } from './core/shape.ts';
import { type Runnable, running } from './runnable.ts';
import { type Flexible, named } from './tensor/namedArguments.ts';
import { Tensor } from './tensor.ts';

export interface GradcheckOptions {
  /** Step of the central difference. */
  eps?: number;
  atol?: number;
  rtol?: number;
  /** Throw on a mismatch (default) instead of returning false. */
  raiseException?: boolean;
}

type GradcheckArguments = Flexible<[eps: number, atol: number, rtol: number], GradcheckOptions>;

type Fn = (...inputs: Tensor[]) => Tensor | readonly Tensor[];

const listOf = (results: Tensor | readonly Tensor[]): readonly Tensor[] =>
  results instanceof Tensor ? [results] : results;

/** d output/d input[j] by central difference, one number per element of the output. */
function numericalColumn(
  fn: Fn,
  inputs: readonly Tensor[],
  which: number,
  j: number,
  out: number,
  eps: number,
): number[] {
  const base = inputs[which];
  const at = (delta: number): number[] =>
    noGrad(() => {
      const moved = base.detach().contiguous().clone();
      const flat = moved.reshape(-1).select(0, j);
      flat.add_(delta);
      const args = inputs.map((x, i) => (i === which ? moved : x));
      return Array.from(listOf(fn(...args))[out].data, Number);
    });
  const above = at(eps);
  const below = at(-eps);
  return above.map((v, i) => (v - below[i]) / (2 * eps));
}

/** Row i, column j: d output[i]/d input[j] by backward. */
function analyticalRows(fn: Fn, inputs: readonly Tensor[], which: number, out: number): number[][] {
  const rows: number[][] = [];
  const y = listOf(enableGrad(() => fn(...inputs)))[out];
  const count = y.numel();
  for (let i = 0; i < count; i++) {
    const pick = noGrad(() => {
      const start = y.detach().contiguous().mul(0);
      start.reshape(-1).select(0, i).fill_(1);
      return start;
    });
    const [g] = grad(y, inputs[which], { gradOutputs: pick, retainGraph: true, allowUnused: true });
    rows.push(g === null ? new Array<number>(inputs[which].numel()).fill(0) : Array.from(g.data, Number));
  }
  return rows;
}

/**
 * Compares the derivatives of a function (or module) at float64 inputs with central differences, for every input that requires a gradient.
 * Returns true, or throws (returns false with raiseException: false). @throws AutogradError naming the first mismatch
 */
export function gradcheck(
  func: Runnable<Tensor[], Tensor | readonly Tensor[]>,
  inputs: Tensor | readonly Tensor[],
  ...rest: GradcheckArguments
): boolean {
  const fn: Fn = running(func, 'gradcheck');
  const options = named<GradcheckOptions>('gradcheck', 'eps atol rtol * raiseException', rest);
  const { eps = 1e-6, atol = 1e-5, rtol = 1e-3, raiseException = true } = options;
  const list = inputs instanceof Tensor ? [inputs] : inputs;
  if (!list.some((x) => x.requiresGrad)) {
    throw new AutogradError(
      'gradcheck expects at least one input tensor to require gradient, but none of them have requiresGrad=true.',
    );
  }
  for (const x of list) {
    if (x.requiresGrad && x.dtype !== 'float64') {
      throw new AutogradError(
        `gradcheck: inputs must be float64 for differences to mean anything, but got ${x.dtype}`,
      );
    }
  }
  const outputs = listOf(fn(...list));
  for (const [which, x] of list.entries()) {
    if (!x.requiresGrad) continue;
    for (const [out, y] of outputs.entries()) {
      if (!y.requiresGrad) continue;
      const rows = analyticalRows(fn, list, which, out);
      for (let j = 0; j < x.numel(); j++) {
        const column = numericalColumn(fn, list, which, j, out, eps);
        const bad = column.findIndex((n, i) => !(Math.abs(rows[i][j] - n) <= atol + rtol * Math.abs(n)));
        if (bad < 0) continue;
        if (!raiseException) return false;
        throw new AutogradError(
          `gradcheck: Jacobian mismatch for output ${out} with respect to input ${which} (shape ${formatShape(x.shape)}), element ` +
            `[${bad}, ${j}]: numerical ${column[bad]}, analytical ${rows[bad][j]}`,
        );
      }
    }
  }
  return true;
}

/** The same for second derivatives: checks the gradient of fn's gradient. */
export function gradgradcheck(
  func: Runnable<Tensor[], Tensor | readonly Tensor[]>,
  inputs: Tensor | readonly Tensor[],
  ...rest: GradcheckArguments
): boolean {
  const fn: Fn = running(func, 'gradgradcheck');
  const list = inputs instanceof Tensor ? [inputs] : inputs;
  const outputs = noGrad(() => listOf(fn(...list)));
  // Fixed, uneven weights for the outputs, so that the first derivative depends on all of them.
  const weights = noGrad(() =>
    outputs.map((y) => {
      const w = y.detach().contiguous().mul(0);
      const flat = w.reshape(-1);
      for (let i = 0; i < w.numel(); i++) flat.select(0, i).fill_(0.5 + ((i * 7) % 11) / 11);
      return w;
    }),
  );
  const wanted = list.filter((x) => x.requiresGrad);
  const first = (...args: Tensor[]): readonly Tensor[] => {
    const results = enableGrad(() => listOf(fn(...args)));
    const differentiable = results.flatMap((y, i) => (y.requiresGrad ? [{ y, w: weights[i] }] : []));
    const targets = args
      .filter((_, i) => list[i].requiresGrad)
      .map((x) => (x.requiresGrad ? x : x.requiresGrad_()));
    const grads = enableGrad(() =>
      grad(
        differentiable.map(({ y }) => y),
        targets,
        { gradOutputs: differentiable.map(({ w }) => w), createGraph: true, allowUnused: true },
      ),
    );
    return grads.map((g, i) => g ?? wanted[i].detach().mul(0));
  };
  const moving = (...args: Tensor[]): readonly Tensor[] => {
    const again = args.map((x, i) =>
      list[i].requiresGrad && !x.requiresGrad ? x.detach().requiresGrad_() : x,
    );
    return enableGrad(() => first(...again));
  };
  return gradcheck(moving, list, ...rest);
}
