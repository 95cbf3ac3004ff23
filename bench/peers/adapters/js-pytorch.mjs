// @ts-nocheck: its packages are installed only for the runs of this folder.
// js-pytorch on its cpu device: tensors are nested arrays of numbers.
import fs from 'node:fs';
import { uniform, weights } from '../data.mjs';

const packageFile = new URL('../node_modules/js-pytorch/package.json', import.meta.url);

export async function create() {
  const { torch } = await import('js-pytorch');
  const version = JSON.parse(fs.readFileSync(packageFile, 'utf8')).version;
  return { version, threads: 1, works: worksOf(torch), trainer: trainerOf(torch) };
}

function nested(values, shape) {
  if (shape.length === 1) return Array.from(values.subarray(0, shape[0]));
  const [count, ...rest] = shape;
  const size = values.length / count;
  return Array.from({ length: count }, (_, i) => nested(values.subarray(i * size, (i + 1) * size), rest));
}

function worksOf(torch) {
  const { nn } = torch;
  const tensor = (values, shape, requiresGrad = false) => torch.tensor(nested(values, shape), requiresGrad);
  const job = (run) => ({ run, read: async () => [run().data].flat(Number.POSITIVE_INFINITY) });
  const relu = new nn.ReLU();
  const softmax = new nn.Softmax();
  const functions = {
    add: (x, y) => x.add(y),
    mul: (x, y) => x.mul(y),
    relu: (x) => relu.forward(x),
    exp: (x) => x.exp(),
    log: (_, y) => y.log(),
    sum: (_, y) => y.sum(),
    mean: (_, y) => y.mean(),
  };
  return {
    matmul({ m, k, n, form, batch }) {
      const stack = batch ? [batch] : [];
      const count = batch ?? 1;
      const a = tensor(uniform(1, count * m * k), [...stack, ...(form === 'TN' ? [k, m] : [m, k])]);
      const b = tensor(uniform(2, count * k * n), [...stack, ...(form === 'NT' ? [n, k] : [k, n])]);
      const left = form === 'TN' ? a.transpose(0, 1) : a;
      const right = form === 'NT' ? b.transpose(0, 1) : b;
      return job(() => left.matmul(right));
    },
    map({ name, n }) {
      const f = functions[name];
      if (!f) return 'has no such operation';
      const [x, y] = [tensor(uniform(1, n), [n]), tensor(uniform(2, n, 0.01, 1), [n])];
      return job(() => f(x, y));
    },
    rows({ name, rows, columns }) {
      if (name !== 'softmax' && name !== 'add row') return 'has no such operation';
      const x = tensor(uniform(1, rows * columns), [rows, columns]);
      const row = tensor(uniform(2, columns), [columns]);
      return job(() => (name === 'softmax' ? softmax.forward(x, -1) : x.add(row)));
    },
    tiny({ name }) {
      const p = tensor(uniform(1, 16), [16], name !== 'add');
      const q = tensor(uniform(2, 16), [16]);
      if (name === 'add') return job(() => p.add(q));
      return {
        run: () => {
          p.zero_grad();
          let y = p;
          for (let i = 0; i < (name === 'graph' ? 100 : 1); i++) y = y.mul(q);
          const loss = y.sum();
          loss.backward();
          loss.zero_grad_graph();
        },
        read: async () => {
          p.zero_grad();
          let y = p;
          for (let i = 0; i < (name === 'graph' ? 100 : 1); i++) y = y.mul(q);
          y.sum().backward();
          return [p._grad.data].flat(Number.POSITIVE_INFINITY);
        },
      };
    },
    infer({ batch, sizes }) {
      const model = network(torch, weights(sizes), sizes);
      const x = tensor(uniform(5, batch * sizes.inputs, 0, 1), [batch, sizes.inputs]);
      return job(() => model.forward(x));
    },
  };
}

function network(torch, { w1, b1, w2 }, { inputs, hidden, outputs }) {
  const { nn } = torch;
  const first = new nn.Linear(inputs, hidden);
  const second = new nn.Linear(hidden, outputs, 'cpu', false);
  const relu = new nn.ReLU();
  first.W = torch.tensor(nested(w1, [inputs, hidden]), true);
  first.b = torch.tensor(nested(b1, [hidden]), true);
  second.W = torch.tensor(nested(w2, [hidden, outputs]), true);
  return { first, second, forward: (x) => second.forward(relu.forward(first.forward(x))) };
}

/** w ← w − lr·g in place: the library has only Adam. */
function descend(w, g, lr) {
  for (let i = 0; i < w.length; i++) {
    if (Array.isArray(w[i])) descend(w[i], g[i], lr);
    else w[i] -= lr * g[i];
  }
}

function trainerOf(torch) {
  return (start, sizes) => {
    const model = network(torch, start, sizes);
    const lossOf = new torch.nn.CrossEntropyLoss();
    return (x, y, count) => {
      const images = torch.tensor(nested(x, [count, sizes.inputs]));
      const loss = lossOf.forward(model.forward(images), torch.tensor(Array.from(y)));
      loss.backward();
      for (const p of [model.first.W, model.first.b, model.second.W]) descend(p._data, p._grad._data, 0.1);
      const value = Number([loss.data].flat(Number.POSITIVE_INFINITY)[0]);
      loss.zero_grad_graph();
      return value;
    };
  };
}
