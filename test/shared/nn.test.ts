/** Modules: state, saving, hooks, printing; layers and losses beyond the golden cases. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';
import { ArgumentError, nn, type Tensor } from '../../src/index.ts';
import { loadGolden } from '../golden.ts';

const F = nn.functional;

class FullyConnected extends nn.Module {
  linear_1: nn.Linear;
  linear_2: nn.Linear;
  constructor(inputs: number, hidden: number, outputs: number) {
    super();
    this.linear_1 = new nn.Linear(inputs, hidden);
    this.linear_2 = new nn.Linear(hidden, outputs, { bias: false });
  }
  forward(x: Tensor): Tensor {
    return this.linear_2.forward(F.relu(this.linear_1.forward(x)));
  }
}

/** A module with every kind of state. */
class Mixed extends nn.Module {
  inner = new nn.Sequential(new nn.Linear(2, 2), new nn.Dropout(0.5));
  scale: nn.Parameter = new nn.Parameter(torch.tensor([1, 2]));
  alias: nn.Parameter = this.scale;
  notState = torch.ones(3);
  constructor() {
    super();
    this.registerBuffer('seen', torch.zeros(1));
    this.registerBuffer('scratch', torch.zeros(2), { persistent: false });
  }
  forward(x: Tensor): Tensor {
    return this.inner.forward(x).mul(this.scale);
  }
}

const values = (x: Tensor) => Array.from(x.data, Number);
const floats = (list: number[]) => list.map(Math.fround);

describe.each(['cpu', 'reference'])('on %s', (device) => {
  let before: string;
  beforeEach(() => {
    before = torch.getDefaultDevice();
    torch.setDefaultDevice(device);
    torch.manualSeed(7);
  });
  afterEach(() => torch.setDefaultDevice(before));

  describe('Module', () => {
    it('finds its state in its properties, in their order and each tensor once', () => {
      const model = new Mixed();
      expect(model.namedParameters().map(([name]) => name)).toEqual([
        'scale',
        'inner.0.weight',
        'inner.0.bias',
      ]);
      expect(model.parameters()[0]).toBe(model.scale);
      expect(model.namedBuffers().map(([name]) => name)).toEqual(['seen', 'scratch']);
      expect(model.namedModules().map(([name]) => name)).toEqual(['', 'inner', 'inner.0', 'inner.1']);
      expect(Object.keys(model.stateDict())).toEqual([
        'scale',
        'alias',
        'seen',
        'inner.0.weight',
        'inner.0.bias',
      ]);
      expect(model.getSubmodule('inner.1')).toBe(model.inner[1]);
      expect(() => model.getSubmodule('inner.9')).toThrow(ArgumentError);
      const net = new nn.Sequential(new nn.Linear(2, 2), new nn.BatchNorm1d(2));
      expect(net.getParameter('0.weight')).toBe(net.parameters()[0]);
      expect(net.getBuffer('1.running_mean')).toBe(net.namedBuffers()[0][1]);
      expect(() => net.getParameter('0.gain')).toThrow(
        "getParameter: Linear has no attribute `gain`, in '0.gain'",
      );
      expect(() => net.getParameter('1.running_mean')).toThrow(
        'getParameter: `1.running_mean` is not a Parameter',
      );
      expect(() => net.getBuffer('0.weight')).toThrow('getBuffer: `0.weight` is not a buffer');
    });

    it('draws the weights of PyTorch and stores them so that no product transposes', () => {
      const { weight } = new nn.Linear(7, 5);
      expect(values(weight).slice(0, 3)).toEqual(floats([0.026398959, -0.22768338, 0.12035273]));
      expect(weight.shape).toEqual([5, 7]);
      expect(weight.stride()).toEqual([1, 5]);
      const layer = new nn.Linear(3, 2);
      layer.forward(torch.randn(4, 3)).sum().backward();
      expect(layer.weight.grad?.stride()).toEqual([1, 2]);
    });

    it('fills transposed weights with the values that a row-major weight gets', () => {
      const layer = new nn.Linear(7, 5);
      for (const fill of [
        nn.init.xavierUniform_,
        nn.init.kaimingNormal_,
        (x: Tensor) => nn.init.normal_(x),
      ]) {
        torch.manualSeed(0);
        const expected = values(fill(torch.empty(5, 7)));
        torch.manualSeed(0);
        expect(values(fill(layer.weight))).toEqual(expected);
      }
    });

    it('switches modes, applies, freezes and forgets gradients', () => {
      const model = new Mixed();
      model.eval();
      expect(model.modules().map((m) => m.training)).toEqual([false, false, false, false]);
      expect(model.train()).toBe(model);
      const order: string[] = [];
      model.apply((m) => order.push(m.constructor.name));
      expect(order).toEqual(['Linear', 'Dropout', 'Sequential', 'Mixed']);
      model.forward(torch.ones(1, 2)).sum().backward();
      expect(model.scale.grad).not.toBeNull();
      model.zeroGrad({ setToNone: false });
      expect(values(model.scale.grad!)).toEqual([0, 0]);
      model.zeroGrad();
      expect(model.parameters().every((p) => p.grad === null)).toBe(true);
      model.requiresGrad_(false);
      expect(model.forward(torch.ones(1, 2)).requiresGrad).toBe(false);
    });

    it('gives unseen gradients back at once and leaves seen ones alone', () => {
      const layer = new nn.Linear(2, 2);
      layer.forward(torch.ones(1, 2)).sum().backward();
      const unseen = layer.weight.leaf!.grad!.array.storage;
      const seen = layer.bias!.grad!;
      layer.zeroGrad();
      expect(unseen.freed).toBe(true);
      expect(values(seen)).toEqual([1, 1]);
    });

    it('saves and loads, all or nothing', () => {
      const model = new FullyConnected(3, 4, 2);
      const other = new FullyConnected(3, 4, 2);
      const x = torch.randn(5, 3);
      expect(values(other.forward(x))).not.toEqual(values(model.forward(x)));
      const keys = other.loadStateDict(model.stateDict());
      expect(String(keys)).toBe('<All keys matched successfully>');
      expect(values(other.forward(x))).toEqual(values(model.forward(x)));
      expect(other.linear_1.weight.stride()).toEqual([1, 4]);

      const state = model.stateDict();
      const { 'linear_1.bias': bias, ...rest } = state;
      const kept = values(other.linear_1.weight);
      const bad = { ...rest, 'linear_1.weight': torch.zeros(2, 2), extra: bias };
      expect(() => other.loadStateDict(bad)).toThrow(
        'Error(s) in loading state_dict for FullyConnected:\n\tMissing key(s) in state_dict: "linear_1.bias". \n\t' +
          'Unexpected key(s) in state_dict: "extra". \n\tsize mismatch for linear_1.weight: copying a param with shape ' +
          'torch.Size([2, 2]) from checkpoint, the shape in current model is torch.Size([4, 3]).',
      );
      expect(values(other.linear_1.weight)).toEqual(kept);
      const loose = other.loadStateDict({ ...rest, extra: bias }, { strict: false });
      expect(loose).toMatchObject({ missingKeys: ['linear_1.bias'], unexpectedKeys: ['extra'] });
    });

    it('moves to another dtype without losing the optimiser', () => {
      const model = new FullyConnected(2, 3, 1);
      const optimizer = new torch.optim.SGD(model.parameters(), { lr: 0.5 });
      model.double();
      expect(model.parameters().map((p) => p.dtype)).toEqual(['float64', 'float64', 'float64']);
      expect(model.linear_1.weight.stride()).toEqual([1, 3]);
      const kept = values(model.linear_1.bias!);
      model
        .forward(torch.ones([1, 2], { dtype: 'float64' }))
        .sum()
        .backward();
      optimizer.step();
      expect(values(model.linear_1.bias!)).not.toEqual(kept);
      expect(() => model.to('int64')).toThrow('only accepts floating point dtypes');
    });

    it('is moved whole or not at all', async () => {
      const model = new nn.Sequential(new nn.Linear(2, 2), new nn.Linear(2, 2));
      model.forward(torch.ones(1, 2)).sum().backward();
      const [first, second] = model.parameters().slice(2);
      second.detach = () => {
        throw new Error('on purpose');
      };
      const before = () => [...model.parameters().map((p) => p.dtype), first.grad?.dtype];
      expect(() => model.double()).toThrow('on purpose');
      await expect(model.toAsync('float64')).rejects.toThrow('on purpose');
      expect(before()).toEqual(new Array(5).fill('float32'));
    });

    it('is copied deeply, sharing inside what was shared', () => {
      const model = new Mixed();
      const copy = model.deepcopy();
      expect(copy).toBeInstanceOf(Mixed);
      expect(copy.alias).toBe(copy.scale);
      expect(Object.is(copy.scale, model.scale)).toBe(false);
      expect(copy.namedBuffers().map(([name]) => name)).toEqual(['seen', 'scratch']);
      torch.noGrad(() => copy.scale.fill_(9));
      expect(values(model.scale)).toEqual([1, 2]);
      expect(values(copy.eval().forward(torch.ones(1, 2)))).not.toEqual(
        values(model.eval().forward(torch.ones(1, 2))),
      );
    });

    it('is copied with its hooks, which are called with the copy and removed from the original alone', () => {
      const layer = new nn.Linear(1, 1);
      const seen: unknown[] = [];
      layer.registerForwardPreHook((_, [x]) => [x.add(1)]);
      const handle = layer.registerForwardHook((module) => void seen.push(module));
      const copy = layer.deepcopy();
      handle.remove();
      const x = torch.ones(1, 1);
      expect(copy.forward(x).item()).toBe(layer.forward(x).item());
      expect([seen.length, seen[0] === copy]).toEqual([1, true]);
      copy.deepcopy().forward(x);
      expect(seen.length).toBe(2);
      expect(Object.keys(copy)).toEqual(Object.keys(layer));
    });

    it('keeps in a copy what its own tensors require', () => {
      class Plain extends nn.Module {
        learned = torch.ones(2, { requiresGrad: true });
        constant = torch.ones(2);
        forward = (x: torch.Tensor) => x;
      }
      const copy = new Plain().deepcopy();
      expect([copy.learned.requiresGrad, copy.constant.requiresGrad]).toEqual([true, false]);
    });

    it('calls hooks around forward, however it is called', () => {
      const layer = new nn.Identity();
      const calls: string[] = [];
      const before = layer.registerForwardPreHook((module, [x]) => {
        calls.push(`before ${module.constructor.name}`);
        return [x.add(1)];
      });
      const after = layer.registerForwardHook((_, inputs, output) => {
        calls.push(`after ${inputs[0].item()} ${output.item()}`);
        return output.mul(10);
      });
      expect(layer.forward(torch.tensor(1)).item()).toBe(20);
      expect(new nn.Sequential(layer).forward(torch.tensor(2)).item()).toBe(30);
      expect(calls).toEqual(['before Identity', 'after 2 2', 'before Identity', 'after 3 3']);
      before.remove();
      after();
      expect(layer.forward(torch.tensor(1)).item()).toBe(1);
      expect(Object.hasOwn(layer, 'forward')).toBe(false);
    });

    it('calls a hook that a hook adds from the next time on', () => {
      const layer = new nn.Identity();
      let calls = 0;
      const more = (): void => {
        calls++;
        layer.registerForwardHook(more);
      };
      layer.registerForwardHook(more);
      layer.forward(torch.ones(1));
      expect(calls).toBe(1);
      layer.forward(torch.ones(1));
      expect(calls).toBe(3);
    });

    describe('hooks on gradients, with PyTorch’s answers', () => {
      const made = () => {
        const layer = new nn.Linear(2, 2);
        torch.noGrad(() => {
          layer.weight.copy_(torch.tensor([[1, 2], [3, 4]])); // biome-ignore format: a matrix
          layer.bias!.copy_(torch.tensor([0, 1]));
        });
        return layer;
      };
      const input = () => torch.tensor([[1, -1]], { requiresGrad: true });
      const lists = (grads: readonly (torch.Tensor | null)[]) => grads.map((grad) => grad && values(grad));

      it('see those of inputs and outputs, as long as they are there', () => {
        const layer = made();
        const seen: unknown[] = [];
        const kept: (torch.Tensor | null)[] = [];
        const hook = layer.registerFullBackwardHook((module, gradInput, gradOutput) => {
          seen.push([module === layer, lists(gradInput), lists(gradOutput)]);
          kept.push(...gradInput, ...gradOutput);
        });
        const x = input();
        const step = (given: torch.Tensor) =>
          layer
            .forward(given)
            .mul(torch.tensor([1, 10]))
            .sum()
            .backward();
        step(x);
        expect(seen.pop()).toEqual([true, [[31, 42]], [[1, 10]]]);
        expect([values(x.grad!), values(layer.weight.grad!)]).toEqual([
          [31, 42],
          [1, -1, 10, -10],
        ]);
        expect(lists(kept)).toEqual([[31, 42], [1, 10]]); // biome-ignore format: pairs
        step(x.detach());
        expect(seen.pop()).toEqual([true, [null], [[1, 10]]]);
        torch.noGrad(() => layer.forward(x));
        layer.deepcopy().forward(x).sum().backward();
        expect(seen.pop()).toEqual([false, [[4, 6]], [[1, 1]]]);
        hook.remove();
        step(x);
        expect([seen, Object.hasOwn(layer, 'forward')]).toEqual([[], false]);
      });

      it('replace them, before and behind the module', () => {
        const [behind, before] = [made(), made()];
        behind.registerFullBackwardHook((_, [grad]) => grad!.mul(100));
        before.registerFullBackwardPreHook((_, [grad]) => [grad!.mul(100)]);
        for (const [layer, weight] of [
          [behind, [1, -1, 1, -1]],
          [before, [100, -100, 100, -100]],
        ] as const) {
          const x = input();
          layer.forward(x).sum().backward();
          expect([values(x.grad!), values(layer.weight.grad!)]).toEqual([[400, 600], weight]);
        }
      });

      it('see several inputs and outputs, in their order', () => {
        class Pair extends nn.Module {
          forward(a: torch.Tensor, n: number, b: torch.Tensor): torch.Tensor[] {
            return [a.mul(b), a.add(n)];
          }
        }
        const pair = new Pair();
        const seen: unknown[] = [];
        pair.registerFullBackwardHook((_, gradInput, gradOutput) => {
          seen.push(lists(gradInput), lists(gradOutput));
        });
        const [a, b] = [torch.tensor([2]).requiresGrad_(), torch.tensor([3]).requiresGrad_()];
        pair.forward(a, 5, b)[0].mul(7).sum().backward();
        expect(seen.splice(0)).toEqual([
          [[21], null, [14]],
          [[7], null],
        ]);
        pair.forward(a, 5, b.detach())[1].mul(7).sum().backward();
        expect(seen).toEqual([[[7], null, [0]], [null, [7]]]); // biome-ignore format: pairs
      });

      it('refuse changes in place of what passes through them', () => {
        const rectify = new nn.ReLU({ inplace: true });
        rectify.registerFullBackwardHook(() => {});
        expect(() => rectify.forward(input().mul(2))).toThrow('came through the hooks of a module');
        expect(() => rectify.forward(input())).toThrow('came through the hooks of a module');
        const layer = made();
        layer.registerFullBackwardPreHook(() => {});
        expect(() => layer.forward(input()).relu_()).toThrow('came through the hooks of a module');
        expect(values(layer.forward(input()).relu())).toEqual([0, 0]);
      });

      it('let gradients pass that come by another way than outputs', () => {
        const lstm = new nn.LSTM(3, 4, { batchFirst: true });
        let calls = 0;
        lstm.registerFullBackwardHook(() => void calls++);
        const x = torch.randn(2, 5, 3).requiresGrad_();
        const [out, [last]] = lstm.forward(x);
        last.sum().backward({ retainGraph: true });
        expect([calls, x.grad!.abs().sum().item() > 0]).toEqual([0, true]);
        out.sum().backward({ retainGraph: true });
        expect(calls).toBe(1);
        last.sum().backward(); // what the walk before has left is none of this one's
        expect(calls).toBe(1);
      });

      it('do not take options for an input', () => {
        const attention = new nn.MultiheadAttention(4, 2, { batchFirst: true });
        let shapes: unknown;
        attention.registerFullBackwardHook((_, gradInput) => {
          shapes = gradInput.map((grad) => grad?.shape);
        });
        const query = torch.randn(1, 3, 4).requiresGrad_();
        const key = torch.randn(1, 2, 4);
        attention.forward(query, key, key, { needWeights: false })[0].sum().backward();
        expect(shapes).toEqual([[1, 3, 4], [1, 2, 4], [1, 2, 4]]); // biome-ignore format: shapes
      });

      it('are called in their order, and refused what does not fit', () => {
        const order: unknown[] = [];
        const identity = new nn.Identity();
        identity.registerFullBackwardHook(() => void order.push(1));
        identity.registerFullBackwardHook(() => void order.push(2));
        identity.registerFullBackwardPreHook(() => void order.push('before'));
        identity.registerFullBackwardHook(() => void order.push(0), { prepend: true });
        identity.forward(input()).sum().backward();
        expect(order).toEqual(['before', 0, 1, 2]);
        // @ts-expect-error there is no such option
        expect(() => identity.registerForwardHook(() => {}, { first: true })).toThrow("'first'");
        // @ts-expect-error no function
        expect(() => identity.registerForwardHook(null)).toThrow(
          "registerForwardHook: argument 'hook' must be a function, but got null",
        );
        for (const [wrong, message] of [
          [() => 5, "expected the hook to return a tensor, a list of tensors, or nothing, got 'number'"],
          [() => [5], "expected the hook to return a tensor or null as gradient 0, got 'number'"],
          [
            () => torch.ones(3),
            'expected the hook to return a float32 tensor of shape [1, 2] as gradient 0, got a float32 tensor of shape [3]',
          ],
        ] as const) {
          const module = new nn.Identity();
          module.registerFullBackwardHook(wrong as () => void);
          expect(() => module.forward(input()).sum().backward()).toThrow(message);
        }

        const layer = made();
        const more = layer.registerFullBackwardHook((_, [grad]) => [grad, grad]);
        expect(() => layer.forward(input()).sum().backward()).toThrow(
          'registerFullBackwardHook: expected the hook to return 1 gradient, got 2',
        );
        more.remove();
        layer.registerFullBackwardHook((_, __, [grad]) => [grad]);
        expect(() => layer.forward(input().detach()).sum().backward()).toThrow(
          'no input of the module requires one',
        );
      });
    });

    it('refuses what is no parameter, module or buffer in the place of one', () => {
      const assign = (module: nn.Module, name: string, value: unknown) => Reflect.set(module, name, value);
      const layers = [
        new nn.Linear(2, 2),
        new nn.Bilinear(2, 2, 2),
        new nn.Conv2d(2, 2, 1),
        new nn.Embedding(2, 2),
        new nn.BatchNorm1d(2),
        new nn.LayerNorm(2),
        new nn.RMSNorm(2),
        new nn.GroupNorm(1, 2),
        new nn.PReLU(),
      ];
      for (const layer of layers) {
        assign(layer, 'weight', torch.ones(2, 2));
        const message =
          "cannot assign 'torch.FloatTensor' as parameter 'weight' (torch.nn.Parameter or null expected)";
        expect(() => layer.stateDict()).toThrow(message);
        expect(() => layer.parameters()).toThrow(message);
        assign(layer, 'weight', new nn.Parameter(torch.ones(2, 2)));
        expect(layer.parameters()[0].shape).toEqual([2, 2]);
        assign(layer, 'weight', null);
        expect(Object.keys(layer.stateDict())).not.toContain('weight');
      }
      const rnn = new nn.LSTM(2, 2);
      assign(rnn, 'weight_ih_l0', torch.ones(8, 2, { dtype: 'int64' }));
      expect(() => new nn.Sequential(rnn).parameters()).toThrow(
        "'torch.LongTensor' as parameter 'weight_ih_l0'",
      );

      const model = new Mixed();
      const [[parameter], [child], [buffer]] = [
        model.namedParameters('', false),
        model.namedChildren(),
        model.namedBuffers('', false),
      ].map((found) => found.map(([name]) => name));
      const copy = model.deepcopy();
      assign(copy, child, (x: torch.Tensor) => x);
      expect(() => copy.train()).toThrow('as child module');
      assign(model, child, (x: torch.Tensor) => x);
      expect(() => model.train()).toThrow(
        `cannot assign 'function' as child module '${child}' (torch.nn.Module or null expected)`,
      );
      expect(String(model)).toContain('Mixed');
      Reflect.deleteProperty(model, child);
      model.parameters();
      assign(model, child, 'anything');
      assign(model, buffer, 3);
      expect(() => model.buffers()).toThrow(
        `cannot assign 'number' as buffer '${buffer}' (torch.Tensor or null expected)`,
      );
      assign(model, buffer, torch.ones(1));
      assign(model, parameter, torch.ones(1));
      expect(() => model.zeroGrad()).toThrow(`as parameter '${parameter}'`);
    });

    it('refuses names that keys cannot have', () => {
      const model = new Mixed();
      expect(() => model.registerBuffer('a.b', null)).toThrow('buffer name can\'t contain ".", got: a.b');
      expect(() => model.addModule('', new nn.Identity())).toThrow('module name can\'t be empty string ""');
      const relu = nn.functional.relu as unknown as nn.Module;
      expect(() => new nn.Sequential(new nn.Linear(2, 2), relu)).toThrow(
        /module '1' must be a Module, but got function: nn.ReLU, say, is the module/,
      );
      expect(() => model.registerParameter('forward', null)).toThrow("attribute 'forward' already exists");
    });
  });

  describe('containers', () => {
    const untyped = (x: unknown) => x as never;

    it('hold modules as properties', () => {
      const model = new nn.Sequential({ fc: new nn.Linear(2, 3), act: new nn.ReLU() });
      expect(Object.keys(model.stateDict())).toEqual(['fc.weight', 'fc.bias']);
      const list = new nn.ModuleList<nn.Module>([new nn.ReLU()]).append(new nn.Tanh());
      list.insert(0, new nn.Sigmoid());
      expect([...list].map((m) => m.constructor.name)).toEqual(['Sigmoid', 'ReLU', 'Tanh']);
      expect(list.get(-1)).toBe(list[2]);
      expect(() => list.get(3)).toThrow(torch.IndexError);
      const table = new nn.ModuleDict({ a: new nn.ReLU() });
      expect(table.has('a') && !table.has('b')).toBe(true);
      expect(() => table.set('forward', new nn.ReLU())).toThrow("attribute 'forward' already exists");
      table.pop('a');
      expect(table.keys()).toEqual([]);
    });

    it('take modules out of their midst and put others there', () => {
      const [a, b, c] = [new nn.ReLU(), new nn.Tanh(), new nn.Sigmoid()];
      for (const list of [new nn.ModuleList<nn.Module>([a, c]), new nn.Sequential(a, c)]) {
        list.insert(1, b);
        expect(list.namedChildren()).toEqual([
          ['0', a],
          ['1', b],
          ['2', c],
        ]);
        expect(list.pop(-2)).toBe(b);
        expect(list.namedChildren().map(([name]) => name)).toEqual(['0', '1']);
        expect(() => list.pop(2)).toThrow('index 2 is out of range');
        expect(list.extend(list).length).toBe(4);
      }
      const named = new nn.Sequential({ first: a, second: b, third: c });
      const last = new nn.ReLU();
      expect(named.append(last).namedChildren().at(-1)).toEqual(['3', last]);
      expect(named.pop(3)).toBe(last);
      expect(named.pop(0)).toBe(a);
      expect(named.namedChildren().map(([name]) => name)).toEqual(['0', '1']);
      expect(new nn.ModuleDict({ a, b }).items()).toEqual([
        ['a', a],
        ['b', b],
      ]);
    });

    it('keep the order in which names came, also of those that are numbers', () => {
      const [a, b, c] = [1, 2, 3].map((size) => new nn.Linear(1, size));
      const table = new nn.ModuleDict([
        ['b', a],
        ['1', b],
        ['0', c],
      ]);
      expect([...table]).toEqual(['b', '1', '0']);
      expect(table.values()).toEqual([a, b, c]);
      expect(Object.keys(table.stateDict()).filter((key) => key.endsWith('bias'))).toEqual([
        'b.bias',
        '1.bias',
        '0.bias',
      ]);
      expect(String(table)).toMatch(/\(b\).*\(1\).*\(0\)/s);
      expect([...table.deepcopy()]).toEqual(['b', '1', '0']);
      table.pop('b');
      table.update({ b: a, 1: a });
      expect(table.items()).toEqual([
        ['1', a],
        ['0', c],
        ['b', a],
      ]);
      expect(new nn.ModuleDict(table).keys()).toEqual(['1', '0', 'b']);
      expect([...new nn.ModuleDict(new Map([['z', a]]))]).toEqual(['z']);
      table.clear();
      expect(table.length).toBe(0);
      const weights = new nn.ParameterDict([
        ['x', torch.zeros(1)],
        ['0', torch.zeros(2)],
      ]);
      expect(weights.parameters().map((p) => p.shape)).toEqual([[1], [2]]);
      expect(new nn.ParameterDict(weights).keys()).toEqual(['x', '0']);
      weights.clear();
      expect(weights.keys()).toEqual([]);
    });

    it('are cut into parts: those of Sequential keep their names', () => {
      const all = [1, 2, 3].map((size) => new nn.Linear(size, size + 1, { bias: false }));
      const part = new nn.Sequential(...all).slice(1);
      expect(Object.keys(part.stateDict())).toEqual(['1.weight', '2.weight']);
      expect(part.forward(torch.ones(1, 2)).shape).toEqual([1, 4]);
      expect(() => part.append(all[0])).toThrow("there is a module '2'; write addModule('name', module)");
      expect(Object.keys(new nn.ModuleList(all).slice(-2).stateDict())).toEqual(['0.weight', '1.weight']);
    });

    it('say what they cannot hold', () => {
      const list = new nn.Sequential(new nn.ReLU(), new nn.Tanh());
      expect(() => list.insert(99, new nn.ReLU())).toThrow('Index out of range: 99');
      expect(() => new nn.ModuleList().extend(untyped(new nn.Linear(1, 1)))).toThrow(
        'ModuleList.extend should be called with an iterable, but got Linear',
      );
      list[0] = untyped(3);
      const message = "cannot assign 'number' as child module '0' (torch.nn.Module or null expected)";
      expect(() => list.forward(torch.zeros(1))).toThrow(message);
      expect(() => list.stateDict()).toThrow(message);
      const layer = new nn.Linear(1, 1);
      for (const tensor of [torch.zeros(1), layer.weight.mul(2)]) {
        expect(() => layer.registerParameter('q', untyped(tensor))).toThrow(
          "cannot assign 'torch.FloatTensor' as parameter 'q' (torch.nn.Parameter or null expected)",
        );
      }
      expect(() => layer.registerBuffer('q', untyped(3))).toThrow(
        "cannot assign 'number' as buffer 'q' (torch.Tensor or null expected)",
      );
      expect('q' in layer).toBe(false);
    });

    it('hold parameters, also those that were plain tensors', () => {
      const list = new nn.ParameterList([torch.zeros(2, 3), torch.zeros(1)]);
      expect(list.parameters()).toHaveLength(2);
      expect(String(list)).toBe(
        device === 'cpu'
          ? 'ParameterList(\n    (0): Parameter containing: [torch.float32 of size 2x3]\n' +
              '    (1): Parameter containing: [torch.float32 of size 1]\n)'
          : 'ParameterList(\n    (0): Parameter containing: [torch.float32 of size 2x3 (reference)]\n' +
              '    (1): Parameter containing: [torch.float32 of size 1 (reference)]\n)',
      );
      const table = new nn.ParameterDict({ left: torch.zeros(2) });
      expect(table.namedParameters().map(([name]) => name)).toEqual(['left']);
    });
  });

  describe('printing', () => {
    const made: Record<string, () => unknown> = {
      'mod-linear': () => new nn.Linear(784, 500),
      'mod-seq': () =>
        new nn.Sequential(
          new nn.Linear(2, 3),
          new nn.ReLU(),
          new nn.Dropout(0.5),
          new nn.Linear(3, 1, { bias: false }),
        ),
      'mod-conv': () => new nn.Conv2d(1, 32, { kernelSize: 3, stride: 2, padding: 1 }),
      'mod-cnn': () =>
        new nn.Sequential(
          new nn.Conv2d(1, 4, [3, 5], { groups: 1, bias: false }),
          new nn.BatchNorm2d(4),
          new nn.MaxPool2d(2),
          new nn.Flatten(),
          new nn.LSTM(4, 5, 2, { batchFirst: true }),
          new nn.Embedding(10, 3, { paddingIdx: 0 }),
          new nn.LayerNorm([3]),
          new nn.Softmax({ dim: 1 }),
          new nn.GELU(),
          new nn.LeakyReLU(0.2),
        ),
      'mod-tel': () => new nn.TransformerEncoderLayer(4, 2, 8),
      'mod-list': () => new nn.ModuleList([new nn.Linear(1, 1), new nn.Identity()]),
      'mod-repeat': () => new nn.Sequential(...Array.from({ length: 3 }, () => new nn.ReLU())),
      loss: () => new nn.CrossEntropyLoss(),
      'opt-sgd': () => new torch.optim.SGD([torch.zeros(1)], { lr: 0.1 }),
      'opt-adam': () => new torch.optim.Adam([torch.zeros(1)], { lr: 0.001 }),
    };
    it.each(Object.keys(made))('is that of PyTorch: %s', async (id) => {
      const { cases } = await loadGolden<{ cases: { id: string; repr: string; 'repr_2.13'?: string }[] }>(
        'print',
      );
      const expected = cases.find((c) => c.id === id)!;
      expect(String(made[id]())).toBe(expected['repr_2.13'] ?? expected.repr);
    });

    it('joins equal neighbours of a list', () => {
      const list = new nn.ModuleList([new nn.ReLU(), new nn.ReLU(), new nn.Tanh()]);
      expect(String(list)).toBe('ModuleList(\n  (0-1): 2 x ReLU()\n  (2): Tanh()\n)');
    });

    it('shows arguments as Python does', () => {
      expect(String(new nn.ELU())).toBe('ELU(alpha=1.0)');
      expect(String(new nn.Hardtanh(-2, 2, true))).toBe('Hardtanh(min_val=-2.0, max_val=2.0, inplace=True)');
      expect(String(new nn.Embedding(10, 3, { paddingIdx: -1 }))).toBe('Embedding(10, 3, padding_idx=9)');
      expect(String(new nn.Unflatten(1, [2]))).toBe('Unflatten(dim=1, unflattened_size=(2,))');
      expect(String(new nn.Bilinear(2, 3, 4))).toBe(
        'Bilinear(in1_features=2, in2_features=3, out_features=4, bias=True)',
      );
    });

    it('sums a model up', () => {
      const table = nn.summary(new FullyConnected(3, 4, 2), [1, 3]);
      expect(table.totalParameters).toBe(3 * 4 + 4 + 4 * 2);
      expect(table.rows.map((row) => row.label)).toEqual([
        'FullyConnected',
        '  Linear (linear_1)',
        '  Linear (linear_2)',
      ]);
      expect(table.rows.map((row) => row.output)).toEqual(['[1, 2]', '[1, 4]', '[1, 2]']);
      expect(String(table)).toContain('Total parameters: 24');
      const words = new nn.Sequential(new nn.Embedding(10, 3), new nn.Linear(3, 2));
      expect(nn.summary(words, [4, 5]).rows.map((row) => row.output)).toEqual([
        '[4, 5, 2]',
        '[4, 5, 3]',
        '[4, 5, 2]',
      ]);
      expect(() => nn.summary(new nn.Linear(3, 2), [4, 5])).toThrow(torch.ShapeError);
    });
  });

  it('has distances and angles as modules, as PyTorch', () => {
    const a = torch
      .tensor([
        [1, 2, 3],
        [0, -1, 0.5],
      ])
      .requiresGrad_();
    const b = torch.tensor([
      [2, 0, 1],
      [1, 1, -4],
    ]);
    const numbers = (x: Tensor) =>
      (x.flatten().toArray() as number[]).map((value) => Number(String(value).slice(0, 9)));
    expect(numbers(new nn.CosineSimilarity().forward(a, b))).toEqual([0.5976142, -0.632455]);
    for (const module of [new nn.CosineSimilarity(0), new nn.CosineSimilarity({ dim: 0 })])
      expect(numbers(module.forward(a, b))).toEqual([0.8944271, -0.447213, 0.0797452]);
    expect(numbers(new nn.PairwiseDistance().forward(a, b))).toEqual([3.0000009, 5.0249381]);
    const manhattan = new nn.PairwiseDistance(1, { keepdim: true }).forward(a, b);
    expect([manhattan.shape, numbers(manhattan)]).toEqual([
      [2, 1],
      [5.0000009, 7.499999],
    ]);
    const farthest = new nn.PairwiseDistance({ p: Number.POSITIVE_INFINITY, eps: 0 }).forward(a, b);
    expect(farthest.toArray()).toEqual([2, 4.5]);
    const sum = new nn.CosineSimilarity()
      .forward(a, b)
      .sum()
      .add(new nn.PairwiseDistance(3).forward(a, b).sum());
    sum.backward();
    const wanted = [0.0451076, 0.519634, 0.5964702, 0.1644414, -0.4806547, 0.3488475];
    for (const [i, value] of wanted.entries()) expect(a.grad?.data[i]).toBeCloseTo(value, 6);
    expect(String(new nn.CosineSimilarity())).toBe('CosineSimilarity()');
    expect(String(new nn.PairwiseDistance())).toBe('PairwiseDistance()');
  });

  describe('losses', () => {
    const logits = () =>
      torch.tensor(
        [
          [1, 2, 0.5],
          [0.1, -1, 3],
        ],
        { dtype: 'float64', requiresGrad: true },
      );
    const labels = () => torch.tensor([2n, 0n]);

    it('check classes and shapes before computing', () => {
      expect(() => F.crossEntropy(logits(), torch.tensor([0n, 3n]))).toThrow('Target 3 is out of bounds.');
      expect(() => F.crossEntropy(logits(), torch.tensor([0n, -1n]))).toThrow(torch.IndexError);
      expect(() => F.crossEntropy(logits(), torch.tensor([0n]))).toThrow(
        'Expected input batch_size (2) to match target batch_size (1).',
      );
      expect(() => F.nllLoss(logits(), labels(), { weight: torch.ones(2) })).toThrow(torch.ShapeError);
      expect(() => F.embedding(torch.tensor([-1n]), torch.ones(2, 2))).toThrow('index out of range in self');
      expect(() => F.binaryCrossEntropy(torch.tensor([1.5]), torch.tensor([1]))).toThrow(ArgumentError);
    });

    it('name their nodes as PyTorch', () => {
      const x = torch.tensor([0.5], { requiresGrad: true });
      const y = torch.tensor([1]);
      expect(F.mseLoss(x, y).gradFn?.name).toBe('MseLossBackward0');
      expect(F.smoothL1Loss(x, y).gradFn?.name).toBe('SmoothL1LossBackward0');
      expect(F.crossEntropy(logits(), labels()).gradFn?.name).toBe('NllLossBackward0');
    });

    const weight = () => torch.tensor([0.5, 2, 1], { dtype: 'float64' });
    const twice: [string, (x: Tensor) => Tensor][] = [
      ['crossEntropy', (x) => F.crossEntropy(x, labels())],
      ['crossEntropy none', (x) => F.crossEntropy(x, labels(), { reduction: 'none' }).square().sum()],
      [
        'crossEntropy smoothed',
        (x) => F.crossEntropy(x, labels(), { weight: weight(), labelSmoothing: 0.2 }),
      ],
      ['crossEntropy ignoring', (x) => F.crossEntropy(x, labels(), { ignoreIndex: 2, reduction: 'sum' })],
      ['mseLoss', (x) => F.mseLoss(x, torch.zerosLike(x)).square()],
      ['huberLoss', (x) => F.huberLoss(x, torch.zerosLike(x), { delta: 1.5 }).square()],
      ['bce with logits', (x) => F.binaryCrossEntropyWithLogits(x, torch.onesLike(x)).square()],
      ['gelu', (x) => F.gelu(x).square().sum()],
      ['gelu tanh', (x) => F.gelu(x, 'tanh').square().sum()],
      ['silu', (x) => F.silu(x).square().sum()],
      ['mish', (x) => F.mish(x).square().sum()],
      ['elu', (x) => F.elu(x, 0.7).square().sum()],
      ['selu', (x) => F.selu(x).square().sum()],
      ['softplus', (x) => F.softplus(x, 2).square().sum()],
      ['logsigmoid', (x) => F.logsigmoid(x).square().sum()],
      [
        'cosineSimilarity',
        (x) =>
          F.cosineSimilarity(x, x.flatten().index(torch.tensor([1n, 2n, 0n])))
            .square()
            .sum(),
      ],
      [
        'normalize',
        (x) =>
          F.normalize(x)
            .mul(torch.tensor([1, 2, 3]))
            .square()
            .sum(),
      ],
    ];
    it.each(twice)('have second derivatives: %s', (_, loss) => {
      const direction = torch.tensor(
        [
          [0.3, -0.7, 0.2],
          [0.5, 0.1, -0.4],
        ],
        { dtype: 'float64' },
      );
      const slope = (x: Tensor) =>
        torch.autograd.grad(loss(x), [x], { createGraph: true })[0].mul(direction).sum();
      const x = logits();
      const [second] = torch.autograd.grad(slope(x), [x]);
      const h = 1e-5;
      const base = values(x);
      const numeric = base.map((_, i) => {
        const at = (sign: number) => {
          const moved = base.map((v, j) => (i === j ? v + sign * h : v));
          return slope(torch.tensor(Float64Array.from(moved)).reshape(2, 3).requiresGrad_()).item();
        };
        return (at(1) - at(-1)) / (2 * h);
      });
      for (const [i, value] of values(second).entries()) expect(value).toBeCloseTo(numeric[i], 6);
    });
  });

  it("dropout draws PyTorch's mask, keeps it for the gradient, and rests outside training", () => {
    torch.manualSeed(0);
    const x = torch.arange(1, 16, { dtype: 'float32', requiresGrad: true });
    const y = F.dropout(x, 0.5);
    expect(values(y).slice(0, 8)).toEqual([0, 0, 6, 0, 0, 0, 14, 16]);
    y.sum().backward();
    expect(values(x.grad!).slice(0, 4)).toEqual([0, 0, 2, 0]);
    expect(F.dropout(x, 0.5, false)).toBe(x);
    expect(() => new nn.Dropout(1.5)).toThrow('dropout probability has to be between 0 and 1, but got 1.5');
  });

  it('activations overwrite their input when told to', () => {
    const x = torch.tensor([-1, 2]);
    expect(new nn.ReLU({ inplace: true }).forward(x)).toBe(x);
    expect(values(x)).toEqual([0, 2]);
  });

  it.each([
    ['ReLU', () => [new nn.ReLU(), new nn.ReLU(true)]],
    ['ReLU6', () => [new nn.ReLU6(), new nn.ReLU6(true)]],
    ['SELU', () => [new nn.SELU(), new nn.SELU(true)]],
    ['SiLU', () => [new nn.SiLU(), new nn.SiLU(true)]],
    ['Mish', () => [new nn.Mish(), new nn.Mish(true)]],
    ['Hardswish', () => [new nn.Hardswish(), new nn.Hardswish(true)]],
    ['Hardsigmoid', () => [new nn.Hardsigmoid(), new nn.Hardsigmoid(true)]],
    ['ELU', () => [new nn.ELU(0.7), new nn.ELU(0.7, true)]],
    ['CELU', () => [new nn.CELU(0.7), new nn.CELU(0.7, true)]],
    ['LeakyReLU', () => [new nn.LeakyReLU(0.2), new nn.LeakyReLU(0.2, { inplace: true })]],
    ['RReLU', () => [new nn.RReLU(0.2, 0.4).eval(), new nn.RReLU(0.2, 0.4, true).eval()]],
    ['Hardtanh', () => [new nn.Hardtanh(-0.5, 0.5), new nn.Hardtanh(-0.5, 0.5, true)]],
    ['Threshold', () => [new nn.Threshold(0.1, 0.3), new nn.Threshold(0.1, 0.3, true)]],
  ] as const)('%s in place is the same between layers, gradients too', (_name, make) => {
    const layers = [new nn.Linear(4, 6), new nn.Linear(6, 2)];
    const [apart, inPlace] = make().map((activation) => {
      for (const layer of layers) layer.zeroGrad();
      torch.manualSeed(3);
      const between = layers[0].forward(torch.randn(5, 4));
      const out = activation.forward(between);
      expect(out === between).toBe(activation.inplace);
      const result = layers[1].forward(out);
      result.sum().backward();
      return [result, ...layers.flatMap((layer) => [layer.weight.grad, layer.bias?.grad])].map((x) =>
        x?.toArray(),
      );
    });
    expect(inPlace).toEqual(apart);
  });

  it('clips gradients and flattens parameters', () => {
    const [a, b] = [torch.zeros(2, { requiresGrad: true }), torch.zeros([1, 1], { requiresGrad: true })];
    a.grad = torch.tensor([3, 0]);
    b.grad = torch.tensor([[4]]);
    expect(nn.utils.clipGradNorm_([a, b], 1).item()).toBeCloseTo(5, 6);
    expect(values(a.grad)[0]).toBeCloseTo(0.6, 5);
    nn.utils.clipGradValue_([a, b], 0.5);
    expect([...values(a.grad), ...values(b.grad!)]).toEqual([0.5, 0, 0.5]);
    nn.utils.vectorToParameters(torch.tensor([1, 2, 3]), [a, b]);
    expect(values(nn.utils.parametersToVector([b, a]))).toEqual([3, 1, 2]);
    expect(() => nn.utils.vectorToParameters(torch.ones(2), [a, b])).toThrow(torch.ShapeError);
  });

  it('weights and their gradients can be viewed in any shape, whatever the layer wants of memory', () => {
    torch.manualSeed(0);
    const model = new nn.Sequential(new nn.Linear(3, 4), new nn.ReLU(), new nn.Linear(4, 2));
    const x = torch.randn([5, 3]);
    const before = model.forward(x).toArray();
    const sgd = new torch.optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
    const copy = model.deepcopy();
    for (const net of [model, copy]) {
      const flat = torch.cat(net.parameters().map((p) => p.view(-1)));
      expect(flat.shape).toEqual([26]);
      // PyTorch's norm of a loss's gradient after this seed.
      net.zeroGrad();
      flat.square().sum().mul(0.01).add(net.forward(x).square().mean()).backward();
      const norm = torch.cat(net.parameters().map((p) => p.grad!.view(-1))).norm();
      expect(norm.item()).toBeCloseTo(0.149058, 5);
      expect(net.forward(x).toArray()).toEqual(before);
    }
    sgd.step();
    sgd.step();
    const [weight] = model.parameters();
    torch.noGrad(() => weight.view(-1).fill_(0.5)); // a view, not a copy
    expect(weight.toArray()).toEqual(torch.full([4, 3], 0.5).toArray());
    expect(() => torch.ones(2, 3).t().view(-1)).toThrow('Use .reshape(...) instead');
  });

  it('what is made of a linear layer lies row by row for those who look', () => {
    const layer = (seed = 0) => {
      torch.manualSeed(seed);
      return new nn.Linear(3, 4);
    };
    const flat = values(layer().weight.detach().reshape(-1));
    const { weight } = layer();
    const shown = weight.detach().view(-1);
    expect(values(shown)).toEqual(flat);
    shown.fill_(2);
    expect(weight.toArray()).toEqual(torch.full([4, 3], 2).toArray());
    const rows = layer().weight;
    torch.noGrad(() => rows.narrow(0, 1, 2).view(-1).zero_());
    expect(values(rows.detach().view(-1))).toEqual(flat.map((v, i) => (i < 3 || i >= 9 ? v : 0)));

    const ways: ((w: Tensor, loss: Tensor) => Tensor)[] = [
      (w) => w.clone(),
      (w) => w.mul(2),
      (w) => w.gt(0),
      (w) => w.double(),
      (w) => w.narrow(0, 1, 2),
      (w) => w.unsqueeze(0),
      (w, loss) => torch.autograd.grad(loss, w)[0],
      (w, loss) => torch.autograd.grad(loss, w, { createGraph: true })[0],
    ];
    for (const bias of [true, false])
      for (const way of ways) {
        const net = new nn.Linear(3, 4, { bias });
        const x = torch.randn(2, 3);
        const y = way(net.weight, net.forward(x).square().sum());
        expect(values(y.detach().reshape(-1))).toEqual(values(y.view(-1).detach()));
        net.forward(x).square().sum().backward();
        const { grad } = net.weight;
        const before = grad!.toArray();
        grad!.detach().view(-1).mul_(2); // of the gradient itself
        expect(grad!.toArray()).toEqual(torch.tensor(before).mul(2).toArray());
      }
  });

  it('parts of linear layers are drawn row by row, as in PyTorch', () => {
    const drawn = (w: Tensor, part: Tensor, like: Tensor): number[][] => {
      torch.manualSeed(5);
      torch.noGrad(() => nn.init.normal_(part));
      return [w, torch.randnLike(w), torch.bernoulli(like.sigmoid()), nn.functional.dropout(like)].map((y) =>
        values(y.detach().reshape(-1)),
      );
    };
    for (const part of [
      (w: Tensor) => w.narrow(0, 2, 4),
      (w: Tensor) => w.narrow(1, 1, 2),
      (w: Tensor) => w.t().narrow(0, 1, 3),
      (w: Tensor) => w.detach().select(0, 3),
    ]) {
      const { weight } = new nn.Linear(5, 7);
      const usual = new nn.Parameter(weight.detach().contiguous());
      expect(drawn(weight, part(weight), weight)).toEqual(drawn(usual, part(usual), usual));
    }
  });

  it('embeddings leave the padding row alone', () => {
    const table = new nn.Embedding(4, 2, { paddingIdx: 1 });
    expect(values(table.weight.select(0, 1).detach())).toEqual([0, 0]);
    table
      .forward(torch.tensor([[1n, 2n, 2n]]))
      .sum()
      .backward();
    expect(values(table.weight.grad!)).toEqual([0, 0, 0, 0, 2, 2, 0, 0]);
  });
});
