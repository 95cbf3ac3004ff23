import { afterEach, describe, expect, it } from 'vitest';
import type { FunctionContext } from '../../src/autogradFunction.ts';
import * as torch from '../../src/index.ts';

const { AutogradError, autograd, optim } = torch;
type Tensor = torch.Tensor;
const list = (x: Tensor | null): number[] => (x === null ? [] : Array.from(x.data, Number));
const leaf = (values: number[], dtype: torch.DType = 'float32') =>
  torch.tensor(values, { dtype, requiresGrad: true });

for (const device of ['cpu', 'reference']) {
  describe(`derivatives on ${device}`, () => {
    it('are not forgotten for a name that Python has', () => {
      const options = { requires_grad: true } as torch.TensorOptions;
      expect(() => torch.tensor([1], options)).toThrow("write requiresGrad, not 'requires_grad'");
      expect(() => torch.zeros(2, options)).toThrow(torch.ArgumentError);
    });

    afterEach(() => torch.setDefaultDevice('cpu'));
    const test = (name: string, body: () => void) =>
      it(name, () => {
        torch.setDefaultDevice(device);
        body();
      });

    test('follow the tutorial: sin and cos, accumulation, zero_ and null', () => {
      const a = torch.tensor([1, 2, 3]);
      const b = torch.tensor([4, 5, 6]);
      expect(a.requiresGrad).toBe(false);
      a.requiresGrad = true;
      b.requiresGrad = true;
      torch.sum(torch.sin(a).add(torch.cos(b))).backward();
      [1, 2, 3].forEach((x, i) => {
        expect(list(a.grad)[i]).toBeCloseTo(Math.cos(x), 6);
      });
      [4, 5, 6].forEach((x, i) => {
        expect(list(b.grad)[i]).toBeCloseTo(-Math.sin(x), 6);
      });
      const kept = a.grad;
      torch.sum(a).backward();
      expect(a.grad).toBe(kept);
      [1, 2, 3].forEach((x, i) => {
        expect(list(a.grad)[i]).toBeCloseTo(Math.cos(x) + 1, 6);
      });
      a.grad?.zero_();
      expect(list(a.grad)).toEqual([0, 0, 0]);
      b.grad = null;
      expect(b.grad).toBeNull();
    });

    test('walk a diamond of 60 once per node, and a chain of 100,000', () => {
      const x = leaf([1]);
      let y = x.mul(1);
      for (let i = 0; i < 60; i++) y = y.add(y);
      y.backward(torch.ones(1));
      expect(list(x.grad)).toEqual([2 ** 60]);
      const start = leaf([1]);
      let z = start.mul(1);
      for (let i = 0; i < 100_000; i++) z = z.neg();
      z.sum().backward();
      expect(list(start.grad)).toEqual([1]);
    });

    test('ignore side branches and visit shared nodes once', () => {
      const w = leaf([1, 2]);
      const h = w.mul(3);
      h.mul(h).sum();
      h.sum().backward();
      expect(list(w.grad)).toEqual([3, 3]);
    });

    test('of a window of the storage know which elements are not of the tensor', () => {
      const raw = torch.tensor([[1, 2, 3], [4, 5, 6]]); // biome-ignore format: two rows
      const x = torch.stack([raw, raw], -1).select(-1, 1).requiresGrad_();
      const w = leaf([1, 2, 3, 4]);
      const y = x.asStrided([4], [1]);
      const [first] = autograd.grad(y.square().mul(w).sum(), x, { createGraph: true });
      expect(list(first)).toEqual([2, 12, 0, 0, 0, 0]);
      first.sum().backward();
      expect(list(w.grad)).toEqual([2, 0, 4, 0]);
      expect(list(x.grad)).toEqual([2, 6, 0, 0, 0, 0]);
    });

    test('give 0 for relu at 0, and share ties as PyTorch', () => {
      const x = leaf([-1, 0, 2, Number.NaN]);
      x.relu().sum().backward();
      expect(list(x.grad)).toEqual([0, 0, 1, 1]);
      const a = leaf([1, 2, 3]);
      const b = leaf([1, 5, 0]);
      torch.maximum(a, b).sum().backward();
      expect(list(a.grad)).toEqual([0.5, 0, 1]);
      expect(list(b.grad)).toEqual([0.5, 1, 0]);
      const c = leaf([4, 7, 7]);
      c.max().backward();
      expect(list(c.grad)).toEqual([0, 0.5, 0.5]);
      const d = leaf([4, 7, 7]);
      d.max(0).values.backward();
      expect(list(d.grad)).toEqual([0, 1, 0]);
    });

    test('undo broadcasting of every operand', () => {
      const a = torch.ones([2, 1, 3], { requiresGrad: true });
      const b = torch.ones([4, 1], { requiresGrad: true });
      a.mul(b).sum().backward();
      expect(a.grad?.shape).toEqual([2, 1, 3]);
      expect(list(a.grad)).toEqual([4, 4, 4, 4, 4, 4]);
      expect(list(b.grad)).toEqual([6, 6, 6, 6]);
      const x = torch.ones([5, 3], { requiresGrad: true });
      const w = torch.ones([4, 3, 2], { requiresGrad: true });
      x.matmul(w).sum().backward();
      expect(list(x.grad)).toEqual(new Array(15).fill(8));
      expect(list(w.grad)).toEqual(new Array(24).fill(5));
    });

    test('own the buffers of gradients: changing one reaches no other', () => {
      const a = leaf([1, 2]);
      const b = leaf([3, 4]);
      a.add(b).sum().backward();
      a.grad?.mul_(10);
      expect(list(b.grad)).toEqual([1, 1]);
      const seed = torch.tensor([5, 6]);
      const c = leaf([1, 2]);
      c.mul(1).backward(seed);
      c.grad?.zero_();
      expect(list(seed)).toEqual([5, 6]);
    });

    test('give second and third derivatives through createGraph', () => {
      const x = leaf([0.7], 'float64');
      const [first] = autograd.grad(x.sin(), x, { createGraph: true });
      const [second] = autograd.grad(first, x, { createGraph: true });
      const [third] = autograd.grad(second, x);
      expect(first.item()).toBeCloseTo(Math.cos(0.7), 12);
      expect(second.item()).toBeCloseTo(-Math.sin(0.7), 12);
      expect(third.item()).toBeCloseTo(-Math.cos(0.7), 12);
      const y = leaf([2]);
      y.pow(3).backward(null, { createGraph: true });
      expect(y.grad?.requiresGrad).toBe(true);
    });

    test('leave .grad alone in autograd.grad, and name unused inputs', () => {
      const x = leaf([2]);
      const unused = leaf([3]);
      const y = x.mul(x);
      expect(list(autograd.grad(y, x, { retainGraph: true })[0])).toEqual([4]);
      expect(x.grad).toBeNull();
      expect(() => autograd.grad(y, [x, unused], { retainGraph: true })).toThrow(
        /number 1.*not have been used/s,
      );
      expect(autograd.grad(y, [x, unused], { allowUnused: true })[1]).toBeNull();
      const middle = x.mul(3);
      expect(list(autograd.grad(middle.mul(middle), middle)[0])).toEqual([12]);
    });

    test('take gradients and options by position and by name, as PyTorch does', () => {
      const x = leaf([1, 2]);
      const seed = torch.tensor([3, 4]);
      const gradOf = (run: (y: torch.Tensor) => void): number[] => {
        const y = x.square();
        run(y);
        const found = list(x.grad);
        x.grad = null;
        return found;
      };
      expect(gradOf((y) => y.backward({ gradient: seed }))).toEqual([6, 16]);
      expect(gradOf((y) => y.sum().backward({ retainGraph: true }))).toEqual([2, 4]);
      expect(gradOf((y) => y.backward(seed, true))).toEqual([6, 16]);
      expect(gradOf((y) => autograd.backward([y], { gradTensors: [seed] }))).toEqual([6, 16]);
      expect(gradOf((y) => autograd.backward(y, seed, { retainGraph: true }))).toEqual([6, 16]);
      for (const keep of [
        (y: torch.Tensor) => y.backward({ retainGraph: true }),
        (y: torch.Tensor) => y.backward(null, true),
        (y: torch.Tensor) => autograd.backward(y, { retainGraph: true }),
        (y: torch.Tensor) => autograd.backward(y, null, true),
        (y: torch.Tensor) => void autograd.grad(y, x, null, true),
      ]) {
        const y = x.square().sum();
        keep(y);
        expect(() => y.backward()).not.toThrow();
        expect(() => y.backward()).toThrow(/second time/);
      }
      for (const given of [[seed], [[seed]], [{ gradOutputs: seed }]])
        expect(list(autograd.grad(x.square(), x, ...(given as [torch.Tensor]))[0])).toEqual([6, 16]);
      expect(autograd.grad(x.square().sum(), x, null, true, true)[0].requiresGrad).toBe(true);
      for (const run of [
        () =>
          x
            .square()
            .sum()
            .backward(2 as never),
        () => autograd.grad(x.square().sum(), x, [2] as never),
      ])
        expect(run).toThrow(/expected the gradient to be a tensor, but got 2/);
    });

    test('free the graph unless told to keep it', () => {
      const x = leaf([2]);
      const y = x.mul(x);
      y.backward(null, { retainGraph: true });
      y.backward();
      expect(list(x.grad)).toEqual([8]);
      expect(() => y.backward()).toThrow(/second time/);
    });

    test('notice saved values that were overwritten', () => {
      const x = leaf([1, 2]);
      const h = x.mul(2);
      const y = h.mul(h);
      h.add_(1);
      expect(() => y.sum().backward()).toThrow(/modified by an inplace operation/);
      const ok = leaf([1, 2]);
      const g = ok.mul(2);
      const z = g.add(1);
      g.add_(1);
      z.sum().backward();
      expect(list(ok.grad)).toEqual([2, 2]);
    });

    const places = () => torch.tensor([0n, 1n, 2n, 2n, 1n, 0n]).reshape(2, 3);
    const withIndices = ({ values, indices }: { values: Tensor; indices: Tensor }): [Tensor, Tensor] => [
      values,
      indices,
    ];
    const F = torch.nn.functional;
    /** What is computed from x, and what backward reads besides x. */
    const readers: Record<string, (x: Tensor) => [Tensor, Tensor]> = {
      gather: (x) => {
        const index = places();
        return [x.gather(1, index), index];
      },
      takeAlongDim: (x) => {
        const index = places();
        return [x.takeAlongDim(index, 1), index];
      },
      scatter: (x) => {
        const index = places();
        return [x.scatter(1, index, 1), index];
      },
      scatterAdd: (x) => {
        const index = places();
        return [torch.zeros(2, 3).scatterAdd(1, index, x), index];
      },
      indexSelect: (x) => {
        const index = torch.tensor([0n, 2n]);
        return [x.indexSelect(1, index), index];
      },
      indexAdd: (x) => {
        const index = torch.tensor([1n, 0n]);
        return [torch.zeros(2, 3).indexAdd(0, index, x), index];
      },
      where: (x) => {
        const condition = x.detach().gt(0);
        return [torch.where(condition, x, 0), condition];
      },
      maskedFill: (x) => {
        const mask = x.detach().gt(0);
        return [x.maskedFill(mask, 0), mask];
      },
      'max of a dimension': (x) => withIndices(x.max(1)),
      'min of a dimension': (x) => withIndices(x.min(1)),
      'median of a dimension': (x) => withIndices(x.median(1)),
      mode: (x) => withIndices(x.mode(1)),
      kthvalue: (x) => withIndices(x.kthvalue(2, 1)),
      sort: (x) => withIndices(x.sort(1)),
      topk: (x) => withIndices(x.topk(2, 1)),
      cummax: (x) => withIndices(x.cummax(1)),
      cummin: (x) => withIndices(x.cummin(1)),
      maxUnpool1d: (x) => {
        const indices = torch.tensor([0n, 2n, 4n, 1n, 3n, 5n]).reshape(1, 2, 3);
        return [F.maxUnpool1d(x.unsqueeze(0), indices, 2), indices];
      },
      'binaryCrossEntropy’s weight': (x) => {
        const weight = torch.ones(3);
        return [F.binaryCrossEntropy(x.sigmoid(), torch.zeros(2, 3), weight), weight];
      },
      'binaryCrossEntropyWithLogits’ weight': (x) => {
        const weight = torch.ones(3);
        return [F.binaryCrossEntropyWithLogits(x, torch.zeros(2, 3), weight), weight];
      },
      'binaryCrossEntropyWithLogits’ posWeight': (x) => {
        const posWeight = torch.ones(3);
        return [F.binaryCrossEntropyWithLogits(x, torch.ones(2, 3), { posWeight }), posWeight];
      },
    };
    for (const [name, read] of Object.entries(readers)) {
      test(`notice what else was overwritten that backward reads, and free it: ${name}`, () => {
        const start = () => leaf([0.3, -0.5, 0.7, 0.2, 0.9, -0.1]).reshape(2, 3);
        const [changed, other] = read(start());
        other.zero_();
        expect(() => changed.sum().backward()).toThrow(
          /modified by an inplace operation: a (int64|bool|float32) tensor/,
        );
        const kept = read(start())[0].sum();
        kept.backward();
        expect(() => kept.backward()).toThrow(/second time/);
      });
    }

    test('notice overwritten targets in the second derivative of crossEntropy', () => {
      const x = leaf([0.3, -0.5, 0.7]);
      const target = torch.tensor([1n]);
      const [first] = autograd.grad(F.crossEntropy(x.reshape(1, 3), target), x, { createGraph: true });
      target.zero_();
      expect(() => first.square().sum().backward()).toThrow(/modified by an inplace operation/);
    });

    test('walk twice through what only moves elements about', () => {
      const x = leaf([1, 2, 3, 4]);
      for (const y of [
        x.flip(0),
        x.roll(1),
        x.repeatInterleave(2),
        F.interpolate(x.reshape(1, 1, 4), { scaleFactor: 2 }),
      ]) {
        x.grad = null;
        const total = y.sum();
        total.backward();
        total.backward();
        const each = (2 * y.numel()) / 4;
        expect(list(x.grad)).toEqual([each, each, each, each]);
      }
    });

    test('never hand out the operand itself, whose shape may then change in place', () => {
      const x = torch.ones(2, 3);
      for (const y of [x.reshape(2, 3), x.reshapeAs(x), torch.reshape(x, [-1, 3])]) {
        y.t_();
        expect([x.shape, y.shape]).toEqual([
          [2, 3],
          [3, 2],
        ]);
      }
      const h = leaf([1, 2]).mul(2);
      const view = h.reshape(2);
      view.mul_(3);
      expect(list(h)).toEqual([6, 12]);
      expect([view.gradFn?.name, h.gradFn?.name]).toEqual(['AsStridedBackward0', 'CopySlices']);
      expect(leaf([1, 2]).reshape(2).gradFn?.name).toBe('ViewBackward0');
      const square = torch.ones(2, 2);
      const one = torch.tensor(5);
      const whole = torch.tensor([1n, 2n]);
      const copies: [Tensor, Tensor][] = [
        [square, torch.matrixPower(square, 1)],
        [square, torch.chainMatmul(square)],
        [square, torch.diff(square, { n: 0 })],
        [one, torch.tensor(1).indexCopy(0, torch.tensor([0n]), one)],
        [one, one.mode(0).values],
        [whole, whole.nanToNum()],
      ];
      for (const [given, copy] of copies) {
        const before = list(given);
        expect(list(copy)).toEqual(before);
        copy.zero_();
        expect(list(given)).toEqual(before);
      }
      expect(one.mode(0).indices.shape).toEqual([]);
    });

    test('hold leaves to PyTorch’s rules of in-place changes', () => {
      const x = leaf([1, 2]);
      expect(() => x.add_(1)).toThrow(/leaf Variable that requires grad/);
      expect(() => x.select(0, 0).mul_(2)).toThrow(/view of a leaf/);
      torch.noGrad(() => x.add_(1));
      expect(list(x)).toEqual([2, 3]);
      expect(() => {
        x.mul(2).requiresGrad = false;
      }).toThrow(/leaf/);
      expect(() => torch.tensor([1n]).requiresGrad_()).toThrow(/floating point/);
    });

    test('carry history through in-place changes, of views and of their base', () => {
      const x = leaf([1, 2, 3, 4]);
      const y = x.mul(2).reshape(2, 2);
      const row = y.select(0, 1);
      row.mul_(10);
      y.sum().backward();
      expect(list(x.grad)).toEqual([2, 2, 20, 20]);
      const u = leaf([1, 2, 3, 4]);
      const v = u.mul(1);
      const view = v.narrow(0, 1, 2);
      v.mul_(3);
      view.sum().backward();
      expect(list(u.grad)).toEqual([0, 3, 3, 0]);
      const p = leaf([1, 2, 3]);
      const q = p.mul(1);
      const other = leaf([7]);
      q.indexPut_([1], other);
      q.mul(torch.tensor([1, 10, 100]))
        .sum()
        .backward();
      expect(list(q)).toEqual([1, 7, 3]);
      expect(list(p.grad)).toEqual([1, 0, 100]);
      expect(list(other.grad)).toEqual([10]);
    });

    test('calls hooks after gradients were added', () => {
      const w = torch.ones(2, { requiresGrad: true });
      const optimizer = new optim.SGD([w], { lr: 0.5 });
      const seen: unknown[] = [];
      const handle = w.registerPostAccumulateGradHook((p) => {
        expect(p).toBe(w);
        seen.push(p.grad?.toArray());
        optimizer.step();
        optimizer.zeroGrad();
      });
      w.mul(2).sum().backward();
      expect(seen).toEqual([[2, 2]]);
      expect(w.toArray()).toEqual([0, 0]);
      expect(w.grad).toBeNull();
      handle.remove();
      w.mul(2).sum().backward();
      expect(seen.length).toBe(1);
      expect(() => w.mul(2).registerPostAccumulateGradHook(() => {})).toThrow(
        'post accumulate grad hooks cannot be registered on non-leaf tensors',
      );
      expect(() => torch.ones(1).registerPostAccumulateGradHook(() => {})).toThrow(AutogradError);
    });

    test('call hooks with the complete gradient and take their replacement', () => {
      const x = leaf([1, 2]);
      const y = x.mul(3);
      const seen: number[][] = [];
      const remove = y.registerHook((g) => {
        seen.push(list(g));
        return g.mul(2);
      });
      y.retainGrad();
      y.add(y).sum().backward();
      expect(seen).toEqual([[2, 2]]);
      expect(list(x.grad)).toEqual([12, 12]);
      expect(list(y.grad)).toEqual([4, 4]);
      remove();
      x.mul(3).sum().backward();
      expect(seen).toHaveLength(1);
      let onLeaf = 0;
      x.registerHook(() => {
        onLeaf++;
      });
      x.mul(1).add(x).sum().backward();
      expect(onLeaf).toBe(1);
    });

    test('keep the hooks of parameters that move to another dtype or device', () => {
      const layer = new torch.nn.Linear(2, 1);
      const seen: string[] = [];
      const remove = layer.weight.registerHook((g) => {
        seen.push(g.dtype);
      });
      const step = (dtype: torch.DType) =>
        layer
          .forward(torch.ones([1, 2], { dtype }))
          .sum()
          .backward();
      layer.to(device);
      step('float32');
      layer.to('float64');
      step('float64');
      expect(seen).toEqual(['float32', 'float64']);
      remove();
      step('float64');
      expect(seen).toHaveLength(2);
      expect(list(layer.weight.grad)).toEqual([3, 3]);
    });

    test('retain gradients as the last hook, in memory of their own, and add up', () => {
      const x = leaf([1, 2]);
      const y = x.mul(2);
      y.retainGrad();
      y.registerHook((g) => g.mul(5));
      const total = y.sum();
      total.backward({ retainGraph: true });
      const once = y.grad;
      total.backward();
      expect([list(y.grad), list(once)]).toEqual([
        [10, 10],
        [5, 5],
      ]);
      const given = torch.ones(2);
      const z = x.mul(2);
      z.retainGrad();
      z.backward(given);
      z.grad?.mul_(10);
      expect(list(given)).toEqual([1, 1]);
      const w = x.mul(2);
      w.grad = torch.ones(2);
      w.retainGrad();
      w.retainGrad();
      w.sum().backward();
      expect(list(w.grad)).toEqual([2, 2]);
      const second = x.mul(2);
      second.retainGrad();
      second.square().sum().backward({ createGraph: true });
      expect(second.grad?.gradFn).not.toBe(null);
    });

    test('retain the gradient of a value as it is after changes in place', () => {
      const x = leaf([1, 2]);
      const y = x.mul(2);
      y.retainGrad();
      y.mul_(3);
      y.sum().backward();
      expect(list(y.grad)).toEqual([1, 1]);
      const base = x.mul(2);
      const view = base.narrow(0, 0, 1);
      base.retainGrad();
      view.retainGrad();
      view.mul_(3);
      base.sum().backward();
      expect(list(base.grad)).toEqual([1, 1]);
      const other = x.mul(2);
      const part = other.narrow(0, 0, 1);
      part.retainGrad();
      other.mul_(3);
      part.sum().backward();
      expect(list(part.grad)).toEqual([1]);
    });

    test('refuse what hooks cannot put in a gradient’s place', () => {
      const run = (replacement: unknown) => () => {
        const x = leaf([1, 2]);
        x.registerHook(() => replacement as Tensor);
        x.sum().backward();
        return list(x.grad);
      };
      expect(run(torch.ones(7))).toThrow('hook has changed the size of value (was [2] got [7])');
      expect(run(torch.ones(2, { dtype: 'float64' }))).toThrow(
        'hook has changed the type of value (was float32 got float64)',
      );
      expect(run(3)).toThrow("expected Variable, but hook returned 'number'");
      expect(run(torch.ones(1).expand(2))()).toEqual([1, 1]);
    });

    test('refuse a leaf as its own gradient, and add to expanded ones out of place', () => {
      const x = leaf([1, 2, 3]);
      expect(() => {
        x.grad = x;
      }).toThrow("can't assign Variable as its own grad");
      expect(() => {
        x.grad = 3 as never;
      }).toThrow('assigned grad expected to be a Tensor or None but got grad of type number');
      const one = torch.ones(1);
      x.grad = one.expand(3);
      x.sum().backward();
      expect(list(x.grad)).toEqual([2, 2, 2]);
      expect(list(one)).toEqual([1]);
    });

    test('want nothing for a leaf that was detached in place', () => {
      const x = leaf([1, 2]);
      expect(x.detach_().requiresGrad).toBe(false);
      const y = leaf([1, 2]).mul(2);
      expect([y.detach_().requiresGrad, y.isLeaf]).toEqual([false, true]);
    });

    test('refuse too few gradients, of user-defined operations and to start from', () => {
      class Product extends autograd.Function {
        static forward(_: FunctionContext, a: Tensor, b: Tensor): Tensor {
          return a.mul(b);
        }
        static backward(_: FunctionContext, grad: Tensor): Tensor {
          return grad;
        }
      }
      const x = leaf([1, 2]);
      expect(() => Product.apply(x, torch.ones(2)).sum().backward()).toThrow(
        'Product.backward returned an incorrect number of gradients (expected 2, got 1)',
      );
      const sums = [x.sum(), x.sum()];
      const one = [torch.tensor(1)];
      expect(() => autograd.grad(sums, x, { gradOutputs: one })).toThrow('got 2 tensors and 1 gradients');
      expect(() => autograd.backward(sums, { gradTensors: one })).toThrow('got 2 tensors and 1 gradients');
    });

    test('switch recording off and on, and restore the mode after an error', () => {
      const x = leaf([1]);
      expect(torch.noGrad(() => x.mul(2)).requiresGrad).toBe(false);
      expect(torch.noGrad(() => torch.enableGrad(() => x.mul(2))).requiresGrad).toBe(true);
      expect(() =>
        torch.noGrad(() => {
          throw new Error('inside');
        }),
      ).toThrow('inside');
      expect(torch.isGradEnabled()).toBe(true);
      expect(() => torch.noGrad(async () => 1)).toThrow(/async/);
      expect(x.detach().requiresGrad).toBe(false);
      expect(x.mul(2).detach().isLeaf).toBe(true);
    });

    test('reject what cannot be differentiated, in PyTorch’s words', () => {
      expect(() => torch.ones(2).sum().backward()).toThrow(/does not require grad/);
      expect(() => leaf([1, 2]).mul(2).backward()).toThrow(/only for scalar outputs/);
      expect(() => leaf([1, 2]).mul(2).backward(torch.ones(3))).toThrow(/Mismatch in shape/);
    });

    test('run operations that users define, once and twice', () => {
      class Cube extends autograd.Function {
        static forward(ctx: FunctionContext, x: Tensor, factor: number): Tensor {
          ctx.saveForBackward(x);
          ctx.factor = factor;
          return x.mul(x).mul(x).mul(factor);
        }
        static backward(ctx: FunctionContext, grad: Tensor) {
          const [x] = ctx.savedTensors;
          expect(ctx.needsInputGrad).toEqual([true, false]);
          return [grad.mul(x.mul(x)).mul(3 * Number(ctx.factor)), null];
        }
      }
      const x = leaf([2], 'float64');
      const y = Cube.apply(x, 5);
      expect(y.gradFn?.name).toBe('CubeBackward');
      const [first] = autograd.grad(y, x, { createGraph: true });
      expect(first.item()).toBe(60);
      expect(autograd.grad(first, x)[0].item()).toBe(60);
      expect(torch.autograd.gradcheck((t) => Cube.apply(t, 2), leaf([0.5, -1.5], 'float64'))).toBe(true);
      expect(torch.autograd.gradgradcheck((t) => Cube.apply(t, 2), leaf([0.5, -1.5], 'float64'))).toBe(true);
    });

    test('run operations whose forward gets no context, as in PyTorch 2', () => {
      class Power extends autograd.Function {
        static forward(x: Tensor, n: number): [Tensor, Tensor] {
          return [x.pow(n), x.neg()];
        }
        static setupContext(ctx: FunctionContext, [x, n]: [Tensor, number], [, negative]: [Tensor, Tensor]) {
          ctx.saveForBackward(x);
          ctx.markNonDifferentiable(negative);
          ctx.n = n;
        }
        static backward(ctx: FunctionContext, grad: Tensor) {
          const [x] = ctx.savedTensors;
          return [grad.mul(x.pow(Number(ctx.n) - 1)).mul(Number(ctx.n)), null];
        }
      }
      const x = leaf([2, 3], 'float64');
      const [y, negative] = Power.apply(x, 3);
      expect(negative.requiresGrad).toBe(false);
      y.sum().backward();
      expect(x.grad?.tolist()).toEqual([12, 27]);
      expect(torch.autograd.gradcheck((t) => Power.apply(t, 3)[0], leaf([0.5, -1.5], 'float64'))).toBe(true);
    });

    test('refuse gradients that are no tensors', () => {
      class Odd extends autograd.Function {
        static forward(_ctx: FunctionContext, x: Tensor): Tensor {
          return x.mul(2);
        }
        static backward(): Tensor {
          return 2 as never;
        }
      }
      expect(() =>
        Odd.apply(leaf([1, 2]))
          .sum()
          .backward(),
      ).toThrow('Odd.backward: expected a Tensor or null (got number) as gradient 0');
    });

    test('take modules where functions stand', () => {
      const layer = new torch.nn.Linear(2, 1, { dtype: 'float64' });
      const x = leaf([1, 2], 'float64');
      expect(torch.autograd.gradcheck(layer, x)).toBe(true);
      expect(torch.autograd.functional.jacobian(layer, x).tolist()).toEqual(layer.weight.tolist());
      expect(torch.autograd.functional.vjp(layer, x)[0].tolist()).toEqual(layer.forward(x).tolist());
      const y = torch.checkpoint(layer, x, { preserveRngState: false });
      y.backward();
      expect(x.grad?.tolist()).toEqual(layer.weight.flatten().tolist());
      expect(() => torch.checkpoint(3 as never, x)).toThrow(
        'checkpoint: expected a function or a Module, but got 3',
      );
    });

    test('are checked by gradcheck, which finds a wrong one', () => {
      class Wrong extends autograd.Function {
        static forward(_: FunctionContext, x: Tensor): Tensor {
          return x.mul(2);
        }
        static backward(_: FunctionContext, grad: Tensor): Tensor {
          return grad.mul(3);
        }
      }
      expect(() => autograd.gradcheck((x) => Wrong.apply(x), leaf([1], 'float64'))).toThrow(
        /numerical [12].*analytical 3/,
      );
      expect(autograd.gradcheck((x) => Wrong.apply(x), leaf([1], 'float64'), { raiseException: false })).toBe(
        false,
      );
      expect(() => autograd.gradcheck((x) => x.mul(2), leaf([1]))).toThrow(/float64/);
    });

    const a64 = () => leaf([0.3, 1.7, -0.6, 0.9, 2.1, -1.2], 'float64');
    const cases: Record<string, (x: Tensor) => Tensor> = {
      softmax: (x) => x.reshape(2, 3).softmax(1),
      'logSoftmax over the first dimension': (x) => x.reshape(2, 3).logSoftmax(0),
      'matmul and transpose': (x) => x.reshape(2, 3).matmul(x.reshape(2, 3).t()),
      'batched matmul': (x) => x.reshape(2, 1, 3).matmul(x.reshape(1, 3, 2)),
      'indexing with tensors and slices': (x) =>
        x
          .reshape(2, 3)
          .index(torch.tensor([0n, 1n, 1n]), torch.slice(0, 2))
          .mul(x.index(torch.tensor([0n, 0n, 5n])).unsqueeze(1)),
      'sum, mean, amax': (x) => x.reshape(2, 3).sum(1).mul(x.mean()).add(x.amax()),
      'power and division': (x) => x.pow(2).add(1).pow(x).div(x.square().add(2)),
      'cat and stack': (x) => torch.cat([x, x.mul(x)]).mul(torch.stack([x, x.exp()]).reshape(-1)),
      'a strided view written in place': (x) => {
        const y = x.mul(1).reshape(2, 3);
        y.t().select(0, 1).mul_(3).add_(y.t().select(0, 2));
        return y.mul(y);
      },
    };
    for (const [name, fn] of Object.entries(cases)) {
      test(`agree with differences, first and second: ${name}`, () => {
        expect(autograd.gradcheck(fn, a64())).toBe(true);
        expect(autograd.gradgradcheck(fn, a64())).toBe(true);
      });
    }
  });
}

describe('gradients by many tensors', () => {
  it('are those of each, also of one that is asked for twice, and of several outputs of one node', () => {
    const list = Array.from({ length: 40 }, (_, i) => torch.full([2], i, { requiresGrad: true }));
    const parts = torch.stack(list).square().unbind(0);
    const loss = parts.reduce((sum, part, i) => sum.add(part.mul(i)), torch.zeros(2)).sum();
    const unused = torch.ones(2, { requiresGrad: true });
    const asked = [...parts, ...list, list[3], parts[5], unused];
    const found = torch.autograd.grad(loss, asked, { allowUnused: true });
    const values = found.map((g) => g?.tolist() ?? null);
    expect(values.slice(0, 40)).toEqual(list.map((_, i) => [i, i]));
    expect(values.slice(40, 80)).toEqual(list.map((_, i) => [2 * i * i, 2 * i * i]));
    expect(values.slice(80)).toEqual([[18, 18], [5, 5], null]);
  });
});
