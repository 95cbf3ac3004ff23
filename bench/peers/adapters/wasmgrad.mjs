// wasmgrad through its public API, as built in dist/. The epoch is a user's: data set, DataLoader, modules, optimiser.
import fs from 'node:fs';
import { uniform, weights } from '../data.mjs';

/** A built module, past the type checker, which would read the bundle. @returns {Promise<any>} */
const built = (/** @type {string} */ file) => import(new URL(`../../../dist/${file}`, import.meta.url).href);
const torch = await built('index.js');
const { MNIST, transforms } = await built('vision/index.js');
const { nn, optim, data } = torch;
const F = nn.functional;

const tensor = (/** @type {Float32Array} */ values, /** @type {number[]} */ shape) =>
  torch.tensor(values).reshape(shape);
const job = (/** @type {() => any} */ run) => ({ run, read: () => run().read() });

/** @type {Record<string, (x: any, y: any) => any>} */
const FUNCTIONS = {
  add: (x, y) => x.add(y),
  mul: (x, y) => x.mul(y),
  relu: (x) => x.relu(),
  'relu in place': (x) => x.relu_(),
  exp: (x) => x.exp(),
  log: (_, y) => y.log(),
  tanh: (x) => x.tanh(),
  sigmoid: (x) => x.sigmoid(),
  sum: (_, y) => y.sum(),
  mean: (_, y) => y.mean(),
  max: (x) => x.max(),
};
/** @type {Record<string, (x: any, row: any, columns: number) => any>} */
const ROW_FUNCTIONS = {
  'add row': (x, row) => x.add(row),
  softmax: (x) => x.softmax(1),
  logSoftmax: (x) => x.logSoftmax(1),
  layerNorm: (x, _, columns) => F.layerNorm(x, [columns]),
};

function network(/** @type {any} */ { w1, b1, w2 }, /** @type {any} */ { inputs, hidden, outputs }) {
  const first = new nn.Linear(inputs, hidden);
  const second = new nn.Linear(hidden, outputs, { bias: false });
  torch.noGrad(() => {
    first.weight.copy_(tensor(w1, [inputs, hidden]).t());
    first.bias.copy_(tensor(b1, [hidden]));
    second.weight.copy_(tensor(w2, [hidden, outputs]).t());
  });
  return new nn.Sequential(first, new nn.ReLU(), second);
}

/** @type {Record<string, (spec: any) => { run: () => any, read: () => any }>} */
const works = {
  matmul({ m, k, n, form, batch }) {
    const stack = batch ? [batch] : [];
    const count = batch ?? 1;
    const a = tensor(uniform(1, count * m * k), [...stack, ...(form === 'TN' ? [k, m] : [m, k])]);
    const b = tensor(uniform(2, count * k * n), [...stack, ...(form === 'NT' ? [n, k] : [k, n])]);
    const left = form === 'TN' ? a.t() : a;
    const right = form === 'NT' ? b.t() : b;
    return job(() => left.matmul(right));
  },
  map({ name, n }) {
    const [x, y] = [tensor(uniform(1, n), [n]), tensor(uniform(2, n, 0.01, 1), [n])];
    return job(() => FUNCTIONS[name](x, y));
  },
  rows({ name, rows, columns }) {
    const x = tensor(uniform(1, rows * columns), [rows, columns]);
    const row = tensor(uniform(2, columns), [columns]);
    return job(() => ROW_FUNCTIONS[name](x, row, columns));
  },
  convolution({ count, channels, side, filters, part }) {
    const x = tensor(uniform(1, count * channels * side * side), [count, channels, side, side]);
    const w = tensor(uniform(2, filters * channels * 9), [filters, channels, 3, 3]);
    if (part === 'forward') return job(() => F.conv2d(x, w));
    const g = tensor(uniform(3, count * filters * (side - 2) ** 2), [count, filters, side - 2, side - 2]);
    x.requiresGrad_();
    w.requiresGrad_();
    return job(() => {
      const [, dw] = torch.autograd.grad(F.conv2d(x, w), [x, w], { gradOutputs: g });
      return dw;
    });
  },
  tiny({ name }) {
    const p = tensor(uniform(1, 16), [16]);
    const q = tensor(uniform(2, 16), [16]);
    if (name === 'add') return job(() => p.add(q));
    p.requiresGrad_();
    const chain = () => {
      let y = p;
      for (let i = 0; i < (name === 'graph' ? 100 : 1); i++) y = y.mul(q);
      return y.sum();
    };
    return job(() => {
      p.grad = null;
      chain().backward();
      return p.grad;
    });
  },
  infer({ batch, sizes }) {
    const model = network(weights(sizes), sizes);
    const x = tensor(uniform(5, batch * sizes.inputs, 0, 1), [batch, sizes.inputs]);
    return job(() => torch.noGrad(() => model.forward(x)));
  },
};

function learner(/** @type {any} */ model) {
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
  return (/** @type {any} */ x, /** @type {any} */ y) => {
    const loss = F.crossEntropy(model.forward(x), y);
    loss.backward();
    optimizer.step();
    optimizer.zeroGrad();
    return loss.item();
  };
}

export async function create(/** @type {number} */ threads) {
  const info = await torch.init({ threads });
  return {
    version: JSON.parse(fs.readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')).version,
    threads: info.threads,
    works,
    trainer(/** @type {any} */ start, /** @type {any} */ sizes) {
      const learn = learner(network(start, sizes));
      return (/** @type {Float32Array} */ x, /** @type {Int32Array} */ y, /** @type {number} */ count) =>
        learn(tensor(x, [count, sizes.inputs]), torch.tensor(y).to('int64'));
    },
    async tutorial(/** @type {any} */ start, /** @type {any} */ sizes, /** @type {any} */ files) {
      const learn = learner(network(start, sizes));
      const { images, labels, order, batch } = files;
      const dataset = await MNIST({ images, labels, transform: transforms.toTensor() });
      const bytes = fs.readFileSync(order);
      const positions = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
      return (/** @type {number} */ first, /** @type {number} */ steps) => {
        const sampler = Array.from(positions.subarray(first * batch, (first + steps) * batch));
        const loader = new data.DataLoader(dataset, { batchSize: batch, sampler: sampler });
        let loss = 0;
        for (const [x, y] of loader) loss += learn(x.reshape(-1, sizes.inputs), y);
        return loss;
      };
    },
  };
}
