/** The device webgpu: what the golden cases do not ask. The CPU is the oracle; tolerances say what WGSL allows. */
import { afterAll, describe, expect, it } from 'vitest';
import { inOp } from '../../src/core/inOp.ts';
import * as torch from '../../src/index.ts';
import { nn, optim, type Tensor } from '../../src/index.ts';
import { compare, distance, there } from '../support/compareDevices.ts';
import { webgpuMissing } from '../support/webgpu.ts';

const missing = await webgpuMissing();
const F = nn.functional;

const like = (place: Tensor, x: Tensor) => x.to(place.device);
const info = () => torch.backendInfo().webgpu as torch.WebGPUInfo;
describe.skipIf(missing !== null)(missing ?? 'webgpu', () => {
  describe('tensors', () => {
    it('hold every dtype but float64, with all of its values', async () => {
      const values = {
        float32: Float32Array.of(1.5, -0, Infinity, Number.NaN),
        int64: BigInt64Array.of(2n ** 62n + 1n, -(2n ** 63n), -1n),
        int32: Int32Array.of(2 ** 31 - 1, -(2 ** 31), 7),
        int16: Int16Array.of(32767, -32768, 5),
        int8: Int8Array.of(127, -128, 3),
        uint8: Uint8Array.of(255, 0, 9),
      };
      for (const [dtype, data] of Object.entries(values)) {
        const x = torch.tensor(data, { device: 'webgpu' });
        expect(x.dtype).toBe(dtype);
        expect(await x.read()).toEqual(data);
        expect((await x.toAsync('cpu')).data).toEqual(data);
      }
      const flags = torch.tensor([true, false], { device: 'webgpu' });
      expect(Array.from(await flags.read(), Number)).toEqual([1, 0]);
      expect(() => torch.zeros(2, { dtype: 'float64', device: 'webgpu' })).toThrow(torch.DTypeError);
      expect(() => torch.zeros(2, { dtype: 'float64' }).to('webgpu')).toThrow(
        /float64 does not exist on webgpu/,
      );
    });

    it('refuse to be read at once, and say how to read them', () => {
      const x = torch.ones(1, { device: 'webgpu' });
      for (const read of [() => x.item(), () => x.data, () => x.toArray(), () => x.to('cpu')])
        expect(read).toThrow(/read\(\)/);
      expect(() => x.data).toThrow(torch.DeviceError);
    });

    it('print without values', () => {
      expect(String(torch.ones(2, 3, { device: 'webgpu' }))).toBe(
        "tensor(..., device='webgpu', size=(2, 3))",
      );
      expect(String(torch.ones(2, { device: 'webgpu', requiresGrad: true }))).toContain('requires_grad=True');
    });

    it('are read many at a time, as they were when they were asked for', async () => {
      const x = there(torch.arange(4, { dtype: 'float32' }));
      const y = x.mul(2);
      const before = info();
      const reads = [x.read(), y.read(), x.select(0, 3).itemAsync()];
      x.zero_();
      const [first, second, third] = await Promise.all(reads);
      expect([Array.from(first as Float32Array), Array.from(second as Float32Array), third]).toEqual([
        [0, 1, 2, 3],
        [0, 2, 4, 6],
        3,
      ]);
      expect(info().maps - before.maps).toBe(1);
      expect(Array.from(await x.read(), Number)).toEqual([0, 0, 0, 0]);
    });

    it('are computed by many ops in one submission', async () => {
      let x = there(torch.eye(8));
      const twice = x.mul(2);
      await twice.read();
      const before = info();
      for (let i = 0; i < 40; i++) x = x.matmul(twice);
      expect(await x.sum().itemAsync()).toBe(8 * 2 ** 40);
      expect(info().dispatches - before.dispatches).toBe(41);
      expect(info().submissions - before.submissions).toBe(1);
    });

    it('meet only tensors of their own device', () => {
      const x = torch.ones(2, { device: 'webgpu' });
      expect(() => x.add(torch.ones(2))).toThrow(torch.DeviceError);
      expect(() => torch.ones(2).matmul(x)).toThrow(torch.DeviceError);
      for (const [a, b] of [
        [x, torch.ones(2)],
        [torch.ones(2), x],
      ])
        for (const [name, op] of Object.entries({
          searchsorted: torch.searchsorted,
          bucketize: (v: Tensor, edges: Tensor) => torch.bucketize(v, edges),
          meshgrid: (v: Tensor, w: Tensor) => torch.meshgrid(v, w),
        }))
          expect(() => op(a, b)).toThrow(`${name}: Expected all tensors to be on the same device, but found`);
      const rows = torch.ones(1, 2, { device: 'webgpu' });
      expect(() => torch.searchsorted(rows, torch.ones(3, 2, { device: 'webgpu' }))).toThrow(/must match/);
    });

    it('larger than one dispatch, and larger than a buffer may be', async () => {
      const n = 65536 * 64 + 77;
      const x = torch.zeros(n, { dtype: 'int32', device: 'webgpu' }).add(3);
      expect(await x.sum().itemAsync()).toBe(3 * n);
      expect(() => torch.empty(info().maxTensorBytes / 4 + 1, { device: 'webgpu' })).toThrow(
        /larger than a buffer of this device/,
      );
    });

    it('change in place, also through overlapping views', async () => {
      const make = (device: string) => torch.arange(12, { dtype: 'float32', device }).reshape(3, 4);
      const change = (x: Tensor) => {
        x.select(0, 1).add_(x.select(0, 0));
        x.t().mul_(x.t());
        x.narrow(1, 0, 3).copy_(x.narrow(1, 1, 3).clone());
        x.index(torch.slice(), 0).fill_(7);
        return x;
      };
      expect(await change(make('webgpu')).read()).toEqual(change(make('cpu')).data);
      const twice = (x: Tensor, at: Tensor) => x.scatter(0, at, x.add(2), { reduce: 'multiply' });
      const at = torch.tensor([0n, 1n, 0n, 0n, 1n]);
      const few = torch.arange(5, { dtype: 'float32' }).add(1);
      expect(await twice(there(few), there(at)).read()).toEqual(twice(few, at).data);
      const x = there(torch.eye(3)).add_(there(torch.arange(3, { dtype: 'float32' })));
      expect(Array.from(await x.addmm(x, x.t()).read(), Number)).toEqual(
        Array.from(
          (() => {
            const y = torch.eye(3).add_(torch.arange(3, { dtype: 'float32' }));
            return y.addmm(y, y.t()).data as Float32Array;
          })(),
        ),
      );
    });
  });

  describe('numbers', () => {
    it('of int64 are exact over the whole range', async () => {
      let state = 88172645463325252n;
      const next = () => {
        state = BigInt.asUintN(64, state ^ (state << 13n));
        state ^= state >> 7n;
        state = BigInt.asUintN(64, state ^ (state << 17n));
        return BigInt.asIntN(64, state) >> (state % 60n);
      };
      const edge = [0n, 1n, -1n, 2n ** 31n, -(2n ** 31n), 2n ** 32n, 2n ** 63n - 1n, 5n, -7n];
      const list = [...edge, ...Array.from({ length: 55 }, next)];
      const a = torch.tensor(BigInt64Array.from(list));
      const b = torch.tensor(BigInt64Array.from(list.toReversed(), (v) => (v === 0n ? 3n : v)));
      const shift = torch.tensor(BigInt64Array.from(list, (_, i) => BigInt(i % 63)));
      const ops: ((x: Tensor, y: Tensor, s: Tensor) => Tensor)[] = [
        (x, y) => x.add(y),
        (x, y) => x.sub(y),
        (x, y) => x.mul(y),
        (x, y) => x.floorDivide(y),
        (x, y) => x.remainder(y),
        (x, y) => x.fmod(y),
        (x, y) => x.maximum(y),
        (x, y) => x.minimum(y),
        (x, y) => x.lt(y),
        (x, y) => x.ge(y),
        (x, y) => x.eq(y),
        (x, y) => x.bitwiseXor(y),
        (x) => x.abs(),
        (x) => x.neg(),
        (x) => x.sign(),
        (x) => x.float(),
        (x) => x.int(),
        (x) => x.bool(),
        (x, _, s) => x.bitwiseLeftShift(s),
        (x, _, s) => x.bitwiseRightShift(s),
        (x) => x.sum(),
        (x) => x.cumsum(0),
        (x) => x.sort(0).values,
        (x) => x.argmax(),
        (x) => x.amin(),
        (x, y) => x.gcd(y),
      ];
      for (const op of ops) {
        const [expected, got] = [op(a, b, shift), op(there(a), there(b), there(shift))];
        expect(await got.read()).toEqual(expected.data);
      }
    });

    it('of narrow integers wrap', async () => {
      for (const dtype of ['int8', 'uint8', 'int16', 'int32'] as const) {
        const x = torch.arange(-300, 300, 7).to(dtype);
        const y = torch.arange(600, 0, -7).to(dtype);
        for (const op of [
          (a: Tensor, b: Tensor) => a.add(b),
          (a: Tensor, b: Tensor) => a.mul(b),
          (a: Tensor, b: Tensor) => a.sub(b).neg(),
          (a: Tensor) => a.sum(),
          (a: Tensor, b: Tensor) => a.gt(b),
        ])
          await compare(op, [x, y]);
      }
    });

    it('of no elements, and of windows of integers, are the CPU’s', async () => {
      for (const dtype of ['int64', 'int32', 'float32'] as const) {
        const none = torch.zeros([0, 0], { dtype });
        await compare((x) => x.matmul(x), [none]);
        await compare((x) => x.matmul(x.t()), [torch.zeros([3, 0], { dtype })]);
      }
      // What was refused would spoil the commands beside it.
      expect(await there(torch.ones(3)).add(1).sum().itemAsync()).toBe(6);
      for (const dtype of ['int64', 'int32', 'int8', 'uint8', 'float32'] as const) {
        const columns = torch
          .arange(2 * 8 * 4)
          .mul(5)
          .reshape(2, 8, 4)
          .to(dtype);
        await compare((x) => F.fold(x, [3, 3], 2), [columns]);
        await compare((x) => F.unfold(x, 2), [columns.reshape(2, 1, 8, 4)]);
      }
      for (const size of [2, 3])
        await compare(
          (x) => F.localResponseNorm(x, size, 1, 0.75, 1),
          [torch.arange(-5, 19).reshape(2, 3, 4)],
          2e-7,
        );
      expect(() => F.localResponseNorm(torch.ones(2, 3, 4, { dtype: 'int32' }), 2)).toThrow(torch.DTypeError);
    });

    it('of windows of nothing but padding, and of bytes at another size, are the CPU’s', async () => {
      for (const dtype of ['float32', 'int64', 'int32', 'int8', 'uint8'] as const) {
        const x = torch.ones(1, 2, 1, 3, { dtype });
        const settings = { dilation: 2, padding: 1, returnIndices: true } as const;
        await compare((t) => F.maxPool2d(t, 2, settings)[0], [x]);
        await compare((t) => F.maxPool2d(t, 2, settings)[1], [x]);
      }
      const large = torch.tensor([2n ** 40n, 5n, -7n, -(2n ** 41n)]).reshape(1, 1, 4);
      await compare((t) => F.avgPool1d(t, 2), [large]);
      const bytes = torch.randint(0, 256, [1, 2, 5, 7]).to('uint8');
      for (const mode of ['nearest', 'bilinear', 'bicubic'] as const)
        await compare((t) => F.interpolate(t, { size: [8, 3], mode }), [bytes]);
    });

    it('of integers at the ends of their ranges are the CPU’s', async () => {
      const ends = {
        int32: [0, 1, -1, 7, -7, 2147483647, -2147483648, 31, 32, 33],
        int16: [0, 1, -1, 7, -7, 32767, -32768, 15, 16, 17],
        int8: [0, 1, -1, 7, -7, 127, -128, 8, 9, 33],
        uint8: [0, 1, 2, 7, 255, 128, 8, 9, 33, 100],
      };
      for (const [dtype, values] of Object.entries(ends)) {
        const grid = values.flatMap((v) => values.map((w) => [v, w]));
        const [a, b] = [0, 1].map((i) =>
          torch.tensor(
            grid.map((pair) => pair[i]),
            { dtype: dtype as torch.DType },
          ),
        );
        for (const op of [
          torch.bitwiseLeftShift,
          torch.bitwiseRightShift,
          torch.gcd,
          torch.lcm,
          torch.heaviside,
          torch.mul,
          torch.maximum,
        ])
          await compare((x, y) => op<Tensor>(x, y), [a, b]);
        await compare((x, y) => x.reshape(10, 10).matmul(y.reshape(10, 10)), [a, b]);
        await compare((x) => x.abs(), [a]);
      }
    });

    it('are converted as on the CPU', async () => {
      const x = torch.tensor([
        0,
        -0.9,
        1.5,
        -2.5,
        255.9,
        300,
        -129,
        3e9,
        -3e9,
        1e20,
        Number.NaN,
        Infinity,
        1e-40,
      ]);
      for (const dtype of ['int64', 'int32', 'int16', 'int8', 'uint8', 'bool'] as const)
        await compare((a) => a.to(dtype), [x]);
    });

    it('quantiles of what is not NaN are those of the CPU', async () => {
      torch.manualSeed(6);
      const drawn = torch.randn(46, 5);
      const x = torch.where(drawn.gt(1), Number.NaN, drawn);
      for (const interpolation of ['linear', 'higher', 'nearest'] as const)
        await compare((y) => y.nanquantile([0, 0.3, 0.7, 1], 0, { interpolation }), [x], 1e-6);
    });

    it('of analysis are near the CPU’s', async () => {
      const special = [0, -0, 1, -1, Infinity, -Infinity, Number.NaN, 88.7, -87, 1e-30, 0.5, 20, -20];
      const x = torch.tensor([...special, ...Array.from({ length: 500 }, (_, i) => (i - 250) / 17)]);
      // Relative to max(1, |value|): the bound of what WGSL and our polynomials leave.
      const rough: { [name: string]: number } = {
        tan: 1e-5,
        lgamma: 1e-5,
        digamma: 2e-5,
        erfinv: 1e-5,
        exp: 2e-6,
        sinh: 2e-6,
        cosh: 2e-6,
        expm1: 2e-6,
        exp2: 2e-6,
      };
      const names = [
        'sin',
        'cos',
        'tan',
        'exp',
        'exp2',
        'expm1',
        'log',
        'log2',
        'log10',
        'log1p',
        'sqrt',
        'rsqrt',
        'tanh',
        'sinh',
        'cosh',
        'sigmoid',
        'erf',
        'erfc',
        'erfinv',
        'atan',
        'asin',
        'acos',
        'asinh',
        'acosh',
        'atanh',
        'lgamma',
        'digamma',
        'floor',
        'ceil',
        'round',
        'trunc',
        'frac',
        'sign',
        'abs',
        'isnan',
        'isinf',
        'isfinite',
        'signbit',
        'reciprocal',
        'relu',
      ] as const;
      for (const name of names) {
        const fn = (x: Tensor) => x[name]();
        const expected = fn(x);
        const got = await fn(there(x)).read();
        expect([name, distance(got, expected.data) <= (rough[name] ?? 1e-6)]).toEqual([name, true]);
      }
    });

    it('of gamma functions just below whole numbers are as near as elsewhere', async () => {
      const x = torch.tensor([-1e-30, -1e-20, -1e-10, -1e-6, -1e-4, -2.0001, -3.9999, -0.5, -100.25]);
      const trigamma = (y: Tensor) => torch.autograd.grad(torch.digamma(y.requiresGrad_()).sum(), y)[0];
      for (const fn of [torch.lgamma, torch.digamma, trigamma])
        expect(distance(await fn(there(x)).read(), fn(x).data)).toBeLessThan(1e-5);
    });

    it('of large angles are as near as those of small ones', async () => {
      const angles = [
        8191.5,
        8192,
        12345.678,
        1e5,
        355 * 2 ** 20,
        2 ** 31,
        1.6e10,
        1e20,
        1e30,
        1e38,
        3.4e38,
        16367173 * 2 ** 72,
      ];
      for (let e = 13; e < 128; e++) angles.push(2 ** e * 1.1, 2 ** e * 1.9999999);
      const x = torch.tensor(angles.flatMap((v) => [v, -v]));
      const given = Array.from(x.data, Number);
      for (const name of ['sin', 'cos', 'tan'] as const) {
        const got = Array.from(await there(x)[name]().read(), Number);
        const worst = Math.max(...given.map((v, i) => Math.abs(got[i] / Math[name](v) - 1)));
        expect([name, worst < 1e-6]).toEqual([name, true]);
      }
    });

    it('that are the rest of a division are exact, however large its quotient', async () => {
      const values = [1e38, -1e38, 3.4e38, 1e10, 300, 7.5, 1e-3, 1e-30, 3, 0.1, Infinity, 0, -0, Number.NaN];
      const grid = values.flatMap((a) => values.map((b) => [a, b]));
      const [a, b] = [0, 1].map((i) => torch.tensor(grid.map((pair) => pair[i])));
      for (const op of [torch.fmod, torch.remainder]) await compare((x, y) => op<Tensor>(x, y), [a, b]);
      await compare((x) => torch.floorDivide<Tensor>(x, 0), [a]);
      await compare((x) => torch.floorDivide<Tensor>(x, -0), [a]);
    });

    it('that are NaN and infinite go where the CPU’s go', async () => {
      const values = [Number.NaN, Infinity, -Infinity, 0, -0, 1, -1, 2.5, 1e38];
      const grid = values.flatMap((a) => values.map((b) => [a, b]));
      const a = torch.tensor(grid.map(([v]) => v));
      const b = torch.tensor(grid.map(([, v]) => v));
      for (const op of [
        torch.maximum,
        torch.minimum,
        torch.fmax,
        torch.fmin,
        torch.eq,
        torch.ne,
        torch.lt,
        torch.ge,
        torch.add,
        torch.mul,
        torch.div,
        torch.pow,
        torch.atan2,
        torch.hypot,
        torch.copysign,
        torch.logaddexp,
        torch.xlogy,
      ])
        await compare((x, y) => op<Tensor>(x, y), [a, b], 2e-6);
      for (const exponent of [0.5, -0.5, 2, -2, 3, 0, 1, 1 / 3])
        await compare((x) => x.pow(exponent), [a], 2e-6);
      await compare((x) => x.clamp(-1, 1), [a]);
      await compare((x) => x.amax(), [a]);
      await compare((x) => x.argmin(), [a]);
      await compare((x) => torch.nanToNum(x), [a]);
    });

    it('drawn at random are the CPU’s', async () => {
      const draw = (device: string) => {
        torch.manualSeed(5);
        return [
          torch.randn(7, { device }),
          torch.rand(5, { device }),
          F.dropout(torch.ones(9, { device }), 0.5),
          torch.randperm(9, { device }),
        ];
      };
      const expected = draw('cpu').map((x) => x.data);
      expect(await Promise.all(draw('webgpu').map((x) => x.read()))).toEqual(expected);
    });
  });

  describe('kernels', () => {
    it('multiply matrices of any shape and layout', async () => {
      torch.manualSeed(1);
      for (const [m, k, n] of [
        [1, 1, 1],
        [1, 700, 3],
        [7, 9, 8],
        [33, 17, 65],
        [64, 64, 64],
        [40, 1100, 24],
        [70, 3, 300],
      ]) {
        const a = torch.randn(m, k);
        const b = torch.randn(k, n);
        await compare((x, y) => x.matmul(y), [a, b], 1e-4);
        await compare((x, y) => x.t().matmul(y.t()), [torch.randn(k, m), torch.randn(n, k)], 1e-4);
      }
      await compare((x, y) => x.matmul(y), [torch.randn(2, 1, 20, 30), torch.randn(3, 30, 40)], 1e-4);
      await compare((x, y) => x.matmul(y), [torch.arange(12).reshape(3, 4), torch.arange(20).reshape(4, 5)]);
      await compare(
        (x, w, b) => F.linear(x, w, b).relu(),
        [torch.randn(40, 30), torch.randn(50, 30), torch.randn(50)],
        1e-5,
      );
    });

    it('fold short, long and very long axes', async () => {
      for (const shape of [[3, 5], [2, 300], [300, 2], [20000], [3, 9001], [2, 70, 3]]) {
        const x = torch.randn(shape);
        for (const dim of shape.keys()) {
          await compare((y) => y.sum(dim), [x], 1e-5);
          await compare((y) => y.argmax(dim), [x]);
        }
        await compare((y) => y.sum(), [x], 1e-5);
        await compare((y) => y.amin(), [x]);
      }
      // Quotients in the kernel that folds by parts: with branches in them SwiftShader never was done compiling it.
      const long = torch.randn(16385);
      await compare((y) => y.norm(), [long], 1e-5);
      await compare((y) => y.std(), [long], 1e-5);
      const ties = torch.tensor([1, 3, 3, Number.NaN, 2, Number.NaN]);
      await compare((y) => y.argmax(), [ties]);
      await compare((y) => y.max(0).values, [ties]);
    });

    it('look for elements in long lists, and for the commonest ones', async () => {
      const list = torch.randn(5000).mul(900).round().sort().values;
      const looked = torch.cat([torch.randn(3000).mul(900).round(), torch.tensor([Number.NaN, Infinity])]);
      const rows = torch.stack([list, list.mul(2)]);
      for (const right of [false, true]) {
        await compare((a, b) => torch.searchsorted(a, b, { right }), [list, looked]);
        await compare((a, b) => torch.searchsorted(a, b.expand(2, -1), { right }), [rows, looked]);
        await compare(
          (a, b) => torch.searchsorted(a.long(), b.narrow(0, 0, 3000), { right }),
          [list, looked],
        );
      }
      for (const invert of [false, true]) {
        await compare((a, b) => torch.isin(a, b, { invert }), [looked, list]);
        await compare((a, b) => torch.isin(a, b.narrow(0, 0, 0), { invert }), [looked, list]);
      }
      const lines = torch.randn(3, 4000).mul(50).round();
      lines.select(0, 1).narrow(0, 5, 900).fill_(Number.NaN);
      lines.select(0, 2).fill_(Number.NaN);
      for (const dim of [0, 1]) {
        await compare((x) => x.mode(dim).values, [lines]);
        await compare((x) => x.mode(dim, true).indices, [lines]);
      }
    });

    it('sort and scan long axes', async () => {
      // Just longer than what is sorted by counting.
      const x = torch.randn(3, 1100).mul(20).round();
      x.select(0, 1).narrow(0, 5, 3).fill_(Number.NaN);
      for (const [y, descending] of [
        [x, true],
        [x.narrow(1, 0, 300), false],
      ] as const) {
        await compare(
          (z) => {
            const { values, indices } = z.sort(1, descending);
            return torch.stack([values, indices.float()]);
          },
          [y],
        );
        await compare((z) => z.sort(0, !descending).indices, [y]);
      }
      const long = torch.randn(9000);
      const before = torch.backendInfo().webgpu!.dispatches;
      await compare((y) => y.sort().indices, [long]);
      // Loaded, sorted in blocks, merged to runs of 2, 4, 8 and 16 blocks, stored.
      expect(torch.backendInfo().webgpu!.dispatches - before).toBe(
        2 + (1 + 1) + (2 + 1) + (3 + 1) + (4 + 1) + 1,
      );
      await compare((y) => y.cumsum(1), [torch.randn(2, 2000)], 1e-4);
      await compare((y) => y.cummax(1).indices, [x]);
      await compare((y) => y.cummin(1).values, [x]);
    });

    it('scatter several sources to one place in order, the same bits every time', async () => {
      const source = torch.randn(1000, 3);
      const index = torch.randint(0, 11, [1000]);
      await compare((s, i) => torch.zeros(11, 3, { device: s.device }).indexAdd(0, i, s), [source, index]);
      await compare(
        (s, i) => torch.zeros(11, 3, { device: s.device }).indexAdd(0, i, s),
        [source.narrow(0, 0, 100), index.narrow(0, 0, 100)],
      );
      const wide = torch.randint(0, 4, [40, 5]);
      await compare(
        (s, i) => torch.zeros(40, 5, { device: s.device }).scatterAdd(0, i, s),
        [torch.randn(40, 5), wide],
      );
      for (const reduce of ['amax', 'amin', 'mean'] as const)
        for (const includeSelf of [true, false])
          await compare(
            (s, i) => torch.ones(40, 5, { device: s.device }).scatterReduce(0, i, s, reduce, { includeSelf }),
            [torch.randn(40, 5), wide],
          );
      await compare(
        (s, i) => torch.zeros(40, 5, { device: s.device }).scatter(0, i, s),
        [torch.randn(40, 5), wide],
      );
      await compare(
        (s, i) => torch.zeros(11, { device: s.device }).put(i, s, true),
        [torch.randn(600), index.narrow(0, 0, 600)],
      );
    });

    it('convolve with every kind of geometry, forward and back', async () => {
      const cases: [number[], number[], object][] = [
        [[2, 3, 9], [4, 3, 3], { padding: 1 }],
        [[2, 4, 8, 7], [6, 2, 3, 2], { stride: [2, 1], padding: [1, 0], groups: 2 }],
        [[1, 2, 6, 6], [3, 2, 2, 2], { dilation: 2 }],
        [[1, 2, 4, 5, 4], [2, 2, 2, 3, 2], { padding: 1 }],
        [[3, 8, 10, 10], [16, 8, 3, 3], { padding: 1 }],
      ];
      for (const [shape, weight, options] of cases) {
        const conv = [F.conv1d, F.conv2d, F.conv3d][shape.length - 3] as unknown as (
          x: Tensor,
          w: Tensor,
          b: null,
          o: object,
        ) => Tensor;
        const run = async (device: string): Promise<ArrayLike<number>[]> => {
          torch.manualSeed(2);
          const x = torch.randn(shape).to(device).requiresGrad_();
          const w = torch.randn(weight).to(device).requiresGrad_();
          const y = conv(x, w, null, options);
          y.square().sum().backward();
          const all = [y, x.grad as Tensor, w.grad as Tensor];
          return (await Promise.all(all.map((t) => t.read()))) as Float32Array[];
        };
        const [expected, got] = [await run('cpu'), await run('webgpu')];
        for (const [i, values] of got.entries()) expect(distance(values, expected[i])).toBeLessThan(2e-4);
      }
    });
  });

  describe('what only the values can tell', () => {
    it('decides how the gradient of a product is found: by quotients, or where an element is 0 without', async () => {
      const rows = [[2, 3, 4], [0, 3, 4], [0, 0, 4], [Number.NaN, 3, 4], [0, Number.NaN, 4], [Infinity, 3, 4], [0, Infinity, 4]]; // biome-ignore format: a row each
      const gradient = (x: Tensor) => torch.autograd.grad(x.prod(), x)[0];
      const second = (x: Tensor) => {
        const [first] = torch.autograd.grad(x.prod(), x, { createGraph: true });
        return torch.autograd.grad(first.sum(), x)[0];
      };
      for (const row of rows) {
        const x = torch.tensor(row, { requiresGrad: true });
        await compare((y) => gradient(y.detach().requiresGrad_()), [x], 1e-6);
        if (row.every(Number.isFinite)) await compare((y) => second(y.detach().requiresGrad_()), [x], 1e-6);
      }
      const wide = torch.tensor([[2, 3, 0], [4, 5, 6]]); // biome-ignore format: two rows
      const along = (y: Tensor) => {
        const leaf = y.detach().requiresGrad_();
        return torch.autograd.grad(leaf.prod(1), leaf, torch.tensor([1, 2]).to(leaf.device))[0];
      };
      await compare(along, [wide], 1e-6);
    });

    it('draws by computed weights what the CPU draws', async () => {
      const weights = torch.rand(4, 30);
      weights.select(1, 3).fill_(0);
      const draws: ((w: Tensor) => Tensor)[] = [
        (w) => w.multinomial(1),
        (w) => w.multinomial(29),
        (w) => w.multinomial(200, true),
        (w) => w.select(0, 1).multinomial(50, true),
        (w) => w.select(0, 1).multinomial(3),
        (w) => w.bernoulli(),
      ];
      for (const draw of draws)
        await compare(
          (w) => {
            torch.manualSeed(8);
            return draw(w.mul(0.5)).float();
          },
          [weights],
        );
      const late = (values: number[], draw: (w: Tensor) => Tensor) =>
        expect(draw(there(torch.tensor(values)).mul(1)).read()).rejects;
      await late([1, -1], (w) => w.multinomial(1)).toThrow(/multinomial: expected weights that are finite/);
      await late([0, 0], (w) => w.multinomial(2, true)).toThrow(/multinomial: .* a sum greater than 0/);
      await late([0, 2], (w) => w.bernoulli()).toThrow(/bernoulli: expected probabilities to be in \[0, 1\]/);
    });

    it('is an error that names the op, unless the host still knows the values', () => {
      const known = torch.tensor([0, 1, 0, 2], { device: 'webgpu' });
      const before = torch.backendInfo();
      expect(torch.nonzero(known).shape).toEqual([2, 1]);
      const after = torch.backendInfo();
      expect(after.fallbacks - before.fallbacks).toBe(1);
      expect((after.fallbackOps.nonzero ?? 0) - (before.fallbackOps.nonzero ?? 0)).toBe(1);
      const computed = known.mul(2);
      for (const op of [
        () => torch.nonzero(computed),
        () => computed.index(computed.gt(1)),
        () => torch.poisson(computed),
      ]) {
        expect(op).toThrow(torch.DeviceError);
        expect(op).toThrow(/nonzero|poisson|index/);
        expect(op).toThrow(/toAsync\('cpu'\)/);
      }
      expect(torch.backendInfo().fallbacks).toBe(after.fallbacks);
    });

    it('a decomposition on the host of a matrix that was given, with gradients on the device', async () => {
      const { linalg } = torch;
      torch.manualSeed(4);
      const x = torch.randn(4, 4);
      const a = x.matmul(x.t()).add(torch.eye(4));
      const b = torch.randn(4, 2);
      // What is solved for may be computed, and gradients are.
      const solving: { [name: string]: (a: Tensor, b: Tensor) => Tensor } = {
        cholesky: (m) => linalg.cholesky(m),
        inv: (m) => linalg.inv(m),
        det: (m) => linalg.det(m),
        slogdet: (m) => linalg.slogdet(m).logabsdet,
        solve: (m, v) => linalg.solve(m, v.mul(2)),
        solveTriangular: (m, v) => linalg.solveTriangular(m, v.mul(2), { upper: false }),
        qr: (m) => linalg.qr(m).R,
        eigh: (m) => linalg.eigh(m).eigenvectors.square(),
        svd: (m) => linalg.svd(m).U.square(),
        pinv: (m) => linalg.pinv(m),
        lstsq: (m, v) => linalg.lstsq(m, v.mul(2)).solution,
        cond: (m) => linalg.cond(m),
      };
      for (const [name, fn] of Object.entries(solving)) {
        const before = torch.backendInfo().fallbacks;
        const [here, device] = [
          [a, b],
          [there(a), there(b)],
        ].map((list) => list.map((each) => each.detach().requiresGrad_()));
        const [wanted, got] = [fn(here[0], here[1]), fn(device[0], device[1])];
        expect(distance(await got.read(), wanted.data), name).toBeLessThan(1e-4);
        wanted.square().sum().backward();
        got.square().sum().backward();
        const gradient = (await device[0].grad?.read()) ?? [];
        expect(distance(gradient, here[0].grad?.data ?? []), name).toBeLessThan(1e-2);
        expect(torch.backendInfo().fallbacks, name).toBeGreaterThan(before);
      }
      expect(() => linalg.inv(there(a).mul(2))).toThrow(/linalg\.inv: needs the values .*toAsync\('cpu'\)/);
      const singular = there(torch.ones(2, 2));
      expect(() => linalg.solve(singular, singular)).toThrow(/linalg\.solve: The solver failed because/);
      expect(() => linalg.inv(singular)).toThrow(/linalg\.inv: The diagonal element 2 is zero/);
    });

    it('an index out of range: at once if it was given, with the next values if it was computed', async () => {
      const x = there(torch.arange(5, { dtype: 'float32' }));
      for (const bad of [7n, 5n, -6n, 2n ** 32n, -(2n ** 63n), 2n ** 63n - 1n])
        expect(() => x.index(torch.tensor([0n, bad]).to('webgpu'))).toThrow(torch.IndexError);
      const ends = x.index(torch.tensor([-5n, 4n]).to('webgpu'));
      expect(Array.from(await ends.read(), Number)).toEqual([0, 4]);
      const computed = there(torch.tensor([1n, 2n])).mul(3);
      const picked = x.index(computed);
      await expect(picked.read()).rejects.toThrow(/index 6 is out of bounds/);
      await expect(x.narrow(0, 0, 0).index(computed).read()).rejects.toThrow(/index 3 is out of bounds/);
      const again = x.index(there(torch.tensor([1n, 2n])).mul(2));
      expect(Array.from(await again.read(), Number)).toEqual([2, 4]);
      const logits = there(torch.randn(2, 3));
      await expect(F.crossEntropy(logits, computed).read()).rejects.toThrow(/Target \d is out of bounds/);
      await expect(
        F.binaryCrossEntropy(there(torch.tensor([2])), there(torch.tensor([1]))).read(),
      ).rejects.toThrow(torch.ArgumentError);
    });

    it('a value out of range, in the words of the CPU and under the name of the op, whenever it was found', async () => {
      const ids = (...values: number[]) => torch.tensor(values.map(BigInt));
      const x = () => torch.ones(2, 3);
      const outer = (name: string, body: () => Tensor) => inOp(name, () => inOp('inner', body));
      const cases: readonly (readonly [(bad: Tensor) => Tensor, Tensor])[] = [
        [(bad) => F.crossEntropy(like(bad, x()), bad), ids(1, 3)],
        [(bad) => F.nllLoss(like(bad, x()), bad), ids(-1, 2)],
        [(bad) => F.multiMarginLoss(like(bad, x()), bad), ids(1, 7)],
        [(bad) => F.multilabelMarginLoss(like(bad, x()), bad.reshape([1, 3]).expand(2, 3)), ids(0, 5, -1)],
        [(bad) => F.ctcLoss(like(bad, torch.randn(4, 1, 3)), bad.reshape([1, 2]), [4], [2]), ids(1, 9)],
        [(bad) => F.embedding(bad, like(bad, x())), ids(0, 2)],
        [(bad) => F.embeddingBag(bad.reshape([1, 2]), like(bad, x())), ids(0, -1)],
        [(bad) => F.oneHot(bad, 3), ids(3, 0)],
        [(bad) => F.oneHot(bad, 3), ids(2, -4)],
        [(bad) => like(bad, x()).index(null, bad), ids(0, -4)],
        [(bad) => like(bad, x()).indexPut_([bad], 1), ids(2)],
        [(bad) => like(bad, x()).take(bad), ids(6)],
        [(bad) => like(bad, x()).put(bad, like(bad, torch.ones(1))), ids(-7)],
        [(bad) => like(bad, x()).indexSelect(0, bad), ids(2)],
        [(bad) => like(bad, x()).indexFill(1, bad, 0), ids(3)],
        [(bad) => like(bad, x()).gather(0, bad.reshape([1, 1])), ids(-1)],
        [(bad) => like(bad, x()).scatter(1, bad.reshape([1, 1]), 1), ids(3)],
        [(bad) => like(bad, x()).takeAlongDim(bad.reshape([1, 1]), 1), ids(3)],
        [(bad) => outer('outer_op', () => like(bad, x()).index(bad)), ids(2)],
        [(bad) => F.binaryCrossEntropy(bad.float(), like(bad, torch.ones(1))), ids(2)],
        [(bad) => F.gaussianNllLoss(bad.float(), bad.float(), bad.float()), ids(-2)],
      ];
      for (const [op, bad] of cases) {
        const said = async (picks: Tensor) => {
          try {
            await op(picks).read();
          } catch (error) {
            return String(error);
          }
          return 'nothing';
        };
        const wanted = await said(bad);
        expect(wanted).toMatch(/^\w+Error: /);
        // What was given is mostly known at once, what is computed is not.
        expect(await said(there(bad))).toBe(wanted);
        expect(await said(there(bad).mul(1))).toBe(wanted);
      }
    });

    it('a gradient that would have to be waited for', () => {
      const leaf = torch.ones(2, { requiresGrad: true });
      expect(() => leaf.to('webgpu').sum().backward()).toThrow(/make the leaf itself/);
    });
  });

  describe('training', () => {
    it('takes packed sequences, sorted there', async () => {
      torch.manualSeed(3);
      const layer = new nn.LSTM(3, 4, { bidirectional: true });
      const list = [2, 4, 1].map((length) => torch.randn(length, 3));
      const { rnn } = nn.utils;
      const run = (device: string) => {
        layer.to(device);
        const packed = rnn.packSequence(
          list.map((x) => x.to(device)),
          { enforceSorted: false },
        );
        const [output, [hidden]] = layer.forward(packed.to(device));
        const [padded, lengths] = rnn.padPackedSequence(output, { totalLength: 5 });
        expect([padded.device, lengths.toArray()]).toEqual([device, [2, 4, 1]]);
        return [padded, hidden];
      };
      const here = run('cpu').map((x) => x.detach().data);
      const results = run('webgpu');
      for (const [i, x] of results.entries())
        expect(distance(await x.detach().read(), here[i])).toBeLessThan(1e-5);
    });

    type Net = nn.Module & { forward(x: Tensor): Tensor };
    class Attention extends nn.Module {
      layer = new nn.TransformerEncoderLayer(16, 4, 32, { dropout: 0.1, batchFirst: true });
      head = new nn.Linear(16, 10);
      forward(x: Tensor): Tensor {
        return this.head.forward(this.layer.forward(x).mean(1));
      }
    }
    const nets: { [name: string]: [shape: number[], make: () => Net, step: (net: Net) => optim.Optimizer] } =
      {
        'the tutorial’s network': [
          [16, 784],
          () =>
            new nn.Sequential(new nn.Linear(784, 50), new nn.ReLU(), new nn.Linear(50, 10, { bias: false })),
          (net) => new optim.SGD(net.parameters(), { lr: 0.1 }),
        ],
        'a convolutional network': [
          [4, 1, 12, 12],
          () =>
            new nn.Sequential(
              new nn.Conv2d(1, 8, 3, { padding: 1 }),
              new nn.BatchNorm2d(8),
              new nn.ReLU(),
              new nn.MaxPool2d(2),
              new nn.Conv2d(8, 16, 3),
              new nn.ReLU(),
              new nn.AvgPool2d(2),
              new nn.Flatten(),
              new nn.Dropout(0.2),
              new nn.Linear(64, 10),
            ),
          (net) => new optim.AdamW(net.parameters(), { lr: 0.01 }),
        ],
        'a transformer layer': [
          [4, 6, 16],
          () => new Attention(),
          (net) => new optim.Adam(net.parameters(), { lr: 0.01, amsgrad: true }),
        ],
      };

    async function train(
      device: string,
      [shape, make, optimizerOf]: (typeof nets)[string],
    ): Promise<number[]> {
      torch.manualSeed(3);
      const net = make().to(device);
      const optimizer = optimizerOf(net);
      const losses: Promise<number>[] = [];
      for (let step = 0; step < 4; step++) {
        const x = torch.randn(shape).to(device);
        const y = torch.randint(0, 10, [shape[0]]).to(device);
        const loss = F.crossEntropy(net.forward(x), y);
        loss.backward();
        optimizer.step();
        optimizer.zeroGrad();
        losses.push(loss.itemAsync());
      }
      return Promise.all(losses);
    }

    for (const [name, net] of Object.entries(nets)) {
      it(`${name} takes the CPU’s steps, and nothing of it falls back`, async () => {
        const before = torch.backendInfo().fallbacks;
        const got = await train('webgpu', net);
        expect(torch.backendInfo().fallbacks).toBe(before);
        expect(distance(got, await train('cpu', net))).toBeLessThan(2e-5);
      });
    }

    it('from bare tensors, as the tutorial does', async () => {
      const run = async (device: string): Promise<number[]> => {
        torch.manualSeed(7);
        const w1 = torch.randn(20, 30).div(Math.sqrt(20)).to(device).requiresGrad_();
        const b = torch.zeros(30, { device, requiresGrad: true });
        const w2 = torch.randn(30, 10).div(Math.sqrt(30)).to(device).requiresGrad_();
        const softmax = (x: Tensor) => torch.exp(x).div(torch.exp(x).sum(-1, true));
        const losses: Promise<number>[] = [];
        for (let step = 0; step < 3; step++) {
          const x = torch.randn(8, 20).to(device);
          const y = torch.randint(0, 10, [8]).to(device);
          const p = softmax(torch.maximum(x.matmul(w1).add(b), 0).matmul(w2));
          const loss = torch
            .log(p.index(torch.arange(8, { device }), y))
            .mean()
            .neg();
          loss.backward();
          torch.noGrad(() => {
            for (const w of [w1, b, w2]) {
              w.sub_((w.grad as Tensor).mul(0.1));
              (w.grad as Tensor).zero_();
            }
          });
          losses.push(loss.itemAsync(), p.argmax(1).eq(y).float().mean().itemAsync());
        }
        return Promise.all(losses);
      };
      expect(distance(await run('webgpu'), await run('cpu'))).toBeLessThan(1e-5);
    });

    it('holds no more memory after many steps than after a few', async () => {
      const net = new nn.Sequential(new nn.Linear(64, 64), new nn.ReLU(), new nn.Linear(64, 10)).to('webgpu');
      const optimizer = new optim.SGD(net.parameters(), { lr: 0.01, momentum: 0.9 });
      const x = torch.randn(32, 64).to('webgpu');
      const y = torch.randint(0, 10, [32]).to('webgpu');
      const step = () => {
        const loss = F.crossEntropy(net.forward(x), y);
        loss.backward();
        optimizer.step();
        optimizer.zeroGrad();
        return loss;
      };
      for (let i = 0; i < 5; i++) await step().itemAsync();
      const before = torch.memoryStats().webgpu;
      for (let i = 0; i < 40; i++) step();
      await step().itemAsync();
      const after = torch.memoryStats().webgpu;
      if (!before || !after) throw new Error('no statistics');
      // The loss and the logits of a step are the user's: the walk frees all else.
      expect(after.storages - before.storages).toBeLessThan(41 * 8);
      expect(after.bytesInUse - before.bytesInUse).toBeLessThan(41 * 32 * 64 * 4 * 4);
    });
  });

  describe('devices that fail', () => {
    async function ownDevice(): Promise<GPUDevice> {
      const { create } = (await import('webgpu')) as unknown as { create(flags: string[]): GPU };
      const gpu = create([]);
      kept.push(gpu);
      const adapter = await gpu.requestAdapter();
      return (adapter as GPUAdapter).requestDevice();
    }
    // Dawn's devices die with the object that they came from.
    const kept: GPU[] = [];
    afterAll(async () => {
      await torch.webgpu();
    });

    it('that are lost throw from the next op on, and training goes on on the CPU', async () => {
      const device = await ownDevice();
      await torch.webgpu({ device });
      const net = new nn.Linear(3, 2).to('webgpu');
      const optimizer = new optim.SGD(net.parameters(), { lr: 0.1 });
      const step = (x: Tensor) => {
        const loss = net.forward(x).square().sum();
        optimizer.zeroGrad();
        loss.backward();
        optimizer.step();
        return loss;
      };
      await step(torch.ones(1, 3, { device: 'webgpu' })).itemAsync();
      const saved = await Promise.all(Object.values(net.stateDict()).map((x) => x.toAsync('cpu')));
      const pending = net.weight.add(1).read();
      device.destroy();
      await device.lost;
      await expect(pending).rejects.toThrow(torch.DeviceError);
      expect(() => net.weight.add(1)).toThrow(/was lost \(it was destroyed\)/);
      expect(() => step(torch.ones(1, 3, { device: 'webgpu' }))).toThrow(torch.DeviceError);
      await expect(net.weight.read()).rejects.toThrow(/was lost/);
      expect(info().lost).toBe(true);
      expect(String(net.weight)).toContain('...');

      const fresh = new nn.Linear(3, 2);
      fresh.loadStateDict(
        Object.fromEntries(Object.keys(fresh.stateDict()).map((name, i) => [name, saved[i]])),
      );
      const [x] = [torch.ones(1, 3)];
      fresh.forward(x).square().sum().backward();
      new optim.SGD(fresh.parameters(), { lr: 0.1 }).step();
      expect(Array.from(fresh.weight.data as Float32Array).every(Number.isFinite)).toBe(true);

      await torch.webgpu();
      expect(info().lost).toBe(false);
      for (const op of [
        () => torch.ones(1, 2, { device: 'webgpu' }).matmul(net.weight),
        () => torch.ones(2, 3, { device: 'webgpu' }).add(net.weight),
        () => torch.ones(2, 3, { device: 'webgpu' }).mul_(net.weight),
      ])
        expect(op).toThrow(/earlier webgpu device/);
      expect(await torch.ones(3, { device: 'webgpu' }).sum().itemAsync()).toBe(3);
    });

    it('that run out of memory spoil what was written then, and nothing else', async () => {
      const device = await ownDevice();
      await torch.webgpu({ device });
      const good = torch.ones(4, { device: 'webgpu' });
      await good.read();
      const pop = device.popErrorScope.bind(device);
      let failing = true;
      Object.defineProperty(device, 'popErrorScope', {
        value: async () => {
          const error = await pop();
          if (!failing) return error;
          failing = false;
          return { message: 'not enough memory left' };
        },
      });
      const bad = good.add(1);
      await expect(bad.read()).rejects.toThrow(/not enough memory left/);
      expect(() => bad.mul(2)).toThrow(torch.DeviceError);
      expect(Array.from(await good.read(), Number)).toEqual([1, 1, 1, 1]);
      expect(Array.from(await good.add(2).read(), Number)).toEqual([3, 3, 3, 3]);
    });
  });
});
