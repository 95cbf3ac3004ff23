/** The quasi-Newton method with limited memory, and its line search. */
import { enableGrad, noGrad } from '../autograd/gradMode.ts';
import { ArgumentError } from '../core/errors.ts';
import { tensor, zeros } from '../creation.ts';
import { cat, stack } from '../ops/join.ts';
import { type Flexible, namedFreely } from '../tensor/namedArguments.ts';
import { Tensor } from '../tensor.ts';
import { type Phi, strongWolfe } from './lineSearch.ts';
import {
  checkNonNegative,
  Optimizer,
  type OptimizerOptions,
  type OptimizerStateDict,
  type ParamState,
  type Params,
  savedNumber,
  savedOrNull,
} from './optimizer.ts';

export interface LBFGSOptions extends OptimizerOptions {
  /** Iterations of one step. Default 20. */
  maxIter: number;
  /** Evaluations of the closure in one step; null: 1.25·maxIter. */
  maxEval: number | null;
  /** Stop when no element of the gradient is larger. Default 1e-7. */
  toleranceGrad: number;
  /** Stop when neither the loss nor a parameter changes by more. Default 1e-9. */
  toleranceChange: number;
  /** How many updates are remembered. Default 100. */
  historySize: number;
  /** Default null: steps of length lr. */
  lineSearchFn: 'strong_wolfe' | null;
}

/** Kept for the first parameter, as in PyTorch. */
interface LBFGSMemory {
  funcEvals: number;
  nIter: number;
  d: Tensor | null;
  t: number;
  oldDirs: Tensor[];
  oldStps: Tensor[];
  ro: number[];
  hDiag: number;
  prevFlatGrad: Tensor | null;
  prevLoss: number;
}

const fresh = (): LBFGSMemory => ({
  funcEvals: 0,
  nIter: 0,
  d: null,
  t: 0,
  oldDirs: [],
  oldStps: [],
  ro: [],
  hDiag: 1,
  prevFlatGrad: null,
  prevLoss: 0,
});

const largest = (x: Tensor): number => (x.numel() === 0 ? 0 : x.abs().max().item());

function memoryOf(saved: ParamState): LBFGSMemory {
  const copy = (name: string) => savedOrNull(saved, name)?.clone() ?? null;
  const rows = (name: string) => Array.from(savedOrNull(saved, name) ?? [], (row) => row.clone());
  const ro = savedOrNull(saved, 'ro');
  return {
    funcEvals: savedNumber(saved, 'funcEvals'),
    nIter: savedNumber(saved, 'nIter'),
    d: copy('d'),
    t: savedNumber(saved, 't'),
    oldDirs: rows('oldDirs'),
    oldStps: rows('oldStps'),
    ro: ro === null ? [] : Array.from(ro.data, Number),
    hDiag: savedNumber(saved, 'hDiag'),
    prevFlatGrad: copy('prevFlatGrad'),
    prevLoss: savedNumber(saved, 'prevLoss'),
  };
}

/**
 * L-BFGS (Liu and Nocedal, 1989), with the strong Wolfe conditions if asked for. `step` needs a closure that zeroes the
 * gradients, computes the loss, calls backward and returns the loss; it is called several times. One parameter group.
 * Default lr 1.
 */
export class LBFGS extends Optimizer<LBFGSOptions> {
  #memory = fresh();

  constructor(
    params: Params<LBFGSOptions>,
    ...rest: Flexible<
      [
        lr: number,
        maxIter: number,
        maxEval: number | null,
        toleranceGrad: number,
        toleranceChange: number,
        historySize: number,
        lineSearchFn: 'strong_wolfe' | null,
      ],
      Partial<LBFGSOptions>
    >
  ) {
    const base = {
      lr: 1,
      maxIter: 20,
      maxEval: null,
      toleranceGrad: 1e-7,
      toleranceChange: 1e-9,
      historySize: 100,
      lineSearchFn: null,
    };
    // As PyTorch's positional arguments, in their order.
    const order = Object.keys(base) as (keyof LBFGSOptions)[];
    super(params, base, namedFreely<Partial<LBFGSOptions>>(new.target.name, order, rest));
    if (this.paramGroups.length !== 1) {
      throw new ArgumentError("LBFGS doesn't support per-parameter options (parameter groups)");
    }
    const [group] = this.paramGroups;
    group.maxEval ??= Math.floor((group.maxIter * 5) / 4);
  }

  protected override printedConstants(): Record<string, unknown> {
    return {};
  }

  protected override validate({ lr, lineSearchFn }: LBFGSOptions): void {
    checkNonNegative(lr, 'learning rate');
    if (lineSearchFn !== null && lineSearchFn !== 'strong_wolfe')
      throw new ArgumentError(
        `LBFGS: only 'strong_wolfe' is supported for lineSearchFn, but got '${String(lineSearchFn)}'`,
      );
  }

  protected override stepGroup(): void {
    throw new ArgumentError('LBFGS: step needs a closure that computes the loss anew');
  }

  protected override revive(saved: ParamState): ParamState {
    return saved;
  }

  /** As of all optimisers; the updates that are remembered stand stacked, [updates, elements]. */
  override stateDict(): OptimizerStateDict {
    const { d, prevFlatGrad, oldDirs, oldStps, ro, ...numbers } = this.#memory;
    const dict = super.stateDict();
    if (numbers.nIter === 0) return dict;
    const rows = (list: readonly Tensor[]) => (list.length === 0 ? null : stack<Tensor>(list));
    const kept = { oldDirs: rows(oldDirs), oldStps: rows(oldStps), ro: tensor(ro, { dtype: 'float64' }) };
    return { ...dict, state: { 0: { ...numbers, d, prevFlatGrad, ...kept } } };
  }

  override loadStateDict(dict: OptimizerStateDict): void {
    const saved = (dict as Partial<OptimizerStateDict> | null)?.state?.[0];
    const memory = saved === undefined ? fresh() : memoryOf(saved ?? {}); // may throw: nothing has changed yet
    super.loadStateDict({ ...dict, state: {} });
    this.#memory = memory;
  }

  /** One step: up to maxIter iterations. Returns the loss before the step. @throws ArgumentError without a closure */
  override step(): void;
  override step<R>(closure: () => R): R;
  override step<R>(closure?: () => R): R | undefined {
    if (closure === undefined)
      throw new ArgumentError('LBFGS: step needs a closure that computes the loss anew');
    let first: { loss: R } | null = null;
    const evaluate = (): number => {
      const loss = enableGrad(closure);
      first ??= { loss };
      const value = loss instanceof Tensor ? loss.item() : Number(loss);
      return value;
    };
    noGrad(() => this.#run(evaluate));
    return (first as { loss: R } | null)?.loss;
  }

  get #params(): Tensor[] {
    return this.paramGroups[0].params;
  }

  #flatGrad(): Tensor {
    return cat<Tensor>(
      this.#params.map((p) =>
        p.grad ? p.grad.reshape(-1) : zeros([p.numel()], { dtype: p.dtype, device: p.device }),
      ),
      0,
    );
  }

  /** parameters += step·direction */
  #move(step: number, direction: Tensor): void {
    let at = 0;
    for (const p of this.#params) {
      const n = p.numel();
      p.add_(direction.narrow(0, at, n).reshape(p.shape).mul(step));
      at += n;
    }
  }

  #run(evaluate: () => number): void {
    const group = this.paramGroups[0];
    const { lr, maxIter, toleranceGrad, toleranceChange, lineSearchFn } = group;
    const maxEval = group.maxEval ?? Math.floor((maxIter * 5) / 4);
    const memory = this.#memory;
    let loss = evaluate();
    let evaluations = 1;
    memory.funcEvals++;
    let gradient = this.#flatGrad();
    if (largest(gradient) <= toleranceGrad) return;
    for (let n = 0; n < maxIter; ) {
      n++;
      memory.nIter++;
      const d = this.#direction(gradient);
      const before = loss;
      const sum = gradient.abs().sum().item();
      let t = memory.nIter === 1 ? Math.min(1, 1 / sum) * lr : lr;
      memory.prevFlatGrad = gradient.clone();
      memory.prevLoss = before;
      const slope = gradient.dot(d).item();
      memory.d = d;
      if (slope > -toleranceChange) {
        memory.t = t;
        break;
      }
      let used = 0;
      if (lineSearchFn !== null) {
        const start = this.#params.map((p) => p.clone());
        const phi: Phi = (length) => {
          this.#move(length, d);
          const value = evaluate();
          const g = this.#flatGrad();
          for (const [i, p] of this.#params.entries()) p.copy_(start[i]);
          return { loss: value, gradient: g, slope: g.dot(d).item() };
        };
        // As many steps as evaluations are left: PyTorch's rule since 2.13.
        const found = strongWolfe(phi, t, largest(d), { loss, gradient, slope }, maxEval - evaluations);
        ({ loss, gradient } = found.point);
        t = found.step;
        used = found.evaluations;
        this.#move(t, d);
      } else {
        this.#move(t, d);
        if (n !== maxIter) {
          loss = evaluate();
          gradient = this.#flatGrad();
          used = 1;
        }
      }
      memory.t = t;
      evaluations += used;
      memory.funcEvals += used;
      if (n === maxIter || evaluations >= maxEval) break;
      if (largest(gradient) <= toleranceGrad) break;
      if (largest(d.mul(t)) <= toleranceChange) break;
      if (Math.abs(loss - before) < toleranceChange) break;
    }
  }

  /** The two-loop recursion; updates with too little curvature are left out. */
  #direction(gradient: Tensor): Tensor {
    const memory = this.#memory;
    const { historySize } = this.paramGroups[0];
    if (memory.nIter === 1 || memory.d === null || memory.prevFlatGrad === null) {
      Object.assign(memory, { oldDirs: [], oldStps: [], ro: [], hDiag: 1 });
      return gradient.neg();
    }
    const y = gradient.sub(memory.prevFlatGrad);
    const s = memory.d.mul(memory.t);
    const ys = y.dot(s).item();
    if (ys > 1e-10) {
      if (memory.oldDirs.length === historySize) {
        memory.oldDirs.shift();
        memory.oldStps.shift();
        memory.ro.shift();
      }
      memory.oldDirs.push(y);
      memory.oldStps.push(s);
      memory.ro.push(1 / ys);
      memory.hDiag = ys / y.dot(y).item();
    }
    const alphas = new Array<number>(memory.oldDirs.length).fill(0);
    let q = gradient.neg();
    for (let i = alphas.length - 1; i >= 0; i--) {
      alphas[i] = memory.oldStps[i].dot(q).item() * memory.ro[i];
      q = q.sub(memory.oldDirs[i].mul(alphas[i]));
    }
    let d = q.mul(memory.hDiag);
    for (const [i, alpha] of alphas.entries()) {
      const beta = memory.oldDirs[i].dot(d).item() * memory.ro[i];
      d = d.add(memory.oldStps[i].mul(alpha - beta));
    }
    return d;
  }
}
