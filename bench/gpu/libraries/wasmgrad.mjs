// @ts-nocheck: it has the shape of its neighbours, whose libraries have no types here.
import * as torch from 'wasmgrad';
import { uniform, weights } from '../../peers/numbers.mjs';
import { cnnNumbers, transformerNumbers } from './networks.mjs';

const { nn, optim } = torch;
const F = nn.functional;
const device = 'webgpu';
const tensor = (values, shape) => torch.tensor(values).reshape(shape).to(device);
const job = (run) => ({ run, read: () => run().read() });

const MAPS = {
  add: (x, y) => x.add(y),
  relu: (x) => x.relu(),
  exp: (x) => x.exp(),
  'relu(2x + y) · y': (x, y) => x.mul(2).add(y).relu().mul(y),
};

function network(sizes) {
  const { w1, b1, w2 } = weights(sizes);
  const first = new nn.Linear(sizes.inputs, sizes.hidden);
  const second = new nn.Linear(sizes.hidden, sizes.outputs, { bias: false });
  torch.noGrad(() => {
    first.weight.copy_(torch.tensor(w1).reshape(sizes.inputs, sizes.hidden).t());
    first.bias.copy_(torch.tensor(b1));
    second.weight.copy_(torch.tensor(w2).reshape(sizes.hidden, sizes.outputs).t());
  });
  return new nn.Sequential(first, new nn.ReLU(), second).to(device);
}

/** A step of SGD on weights of their own; `lossOf` is given them. */
function training(numbers, lossOf) {
  const parameters = numbers.map(({ values, shape }) => tensor(values, shape).requiresGrad_());
  const optimizer = new optim.SGD(parameters, { lr: 0.1 });
  return job(() => {
    const loss = lossOf(...parameters);
    loss.backward();
    optimizer.step();
    optimizer.zeroGrad();
    return loss.detach();
  });
}

const works = {
  cnn(sizes) {
    const { x, weights: numbers } = cnnNumbers(sizes);
    const images = tensor(x.values, x.shape);
    const labels = torch.arange(sizes.batch).remainder(10).to(device);
    return training(numbers, (first, second, last) => {
      const hidden = F.conv2d(F.conv2d(images, first).relu(), second, null, { stride: 2 }).relu();
      return F.crossEntropy(hidden.flatten(1).matmul(last), labels);
    });
  },
  transformer(sizes) {
    const { batch, length, width, heads } = sizes;
    const { x, direction, weights: numbers } = transformerNumbers(sizes);
    const [tokens, wanted] = [x, direction].map(({ values, shape }) => tensor(values, shape));
    const split = (y) => y.reshape(batch, length, heads, width / heads).transpose(1, 2);
    return training(numbers, (q, k, v, out, grow, shrink) => {
      const [queries, keys, values] = [q, k, v].map((w) => split(tokens.matmul(w)));
      const attended = F.scaledDotProductAttention(queries, keys, values).transpose(1, 2);
      const y = F.layerNorm(tokens.add(attended.reshape(batch, length, width).matmul(out)), [width]);
      return F.layerNorm(y.add(y.matmul(grow).relu().matmul(shrink)), [width])
        .mul(wanted)
        .mean();
    });
  },
  matmul({ n }) {
    const [a, b] = [tensor(uniform(1, n * n), [n, n]), tensor(uniform(2, n * n), [n, n])];
    return job(() => a.matmul(b));
  },
  map({ name, n }) {
    const [x, y] = [tensor(uniform(1, n), [n]), tensor(uniform(2, n), [n])];
    return job(() => MAPS[name](x, y));
  },
  softmax({ rows, columns }) {
    const x = tensor(uniform(1, rows * columns), [rows, columns]);
    return job(() => x.softmax(1));
  },
  convolution({ count, channels, side, filters }) {
    const x = tensor(uniform(1, count * channels * side * side), [count, channels, side, side]);
    const w = tensor(uniform(2, filters * channels * 9), [filters, channels, 3, 3]);
    return job(() => F.conv2d(x, w));
  },
  train(sizes) {
    const model = network(sizes);
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
    const x = tensor(uniform(5, sizes.batch * sizes.inputs, 0, 1), [sizes.batch, sizes.inputs]);
    const y = torch.arange(sizes.batch).remainder(sizes.outputs).to(device);
    return job(() => {
      const loss = F.crossEntropy(model.forward(x), y);
      loss.backward();
      optimizer.step();
      optimizer.zeroGrad();
      return loss.detach();
    });
  },
  infer(sizes) {
    const model = network(sizes);
    const x = tensor(uniform(5, sizes.batch * sizes.inputs, 0, 1), [sizes.batch, sizes.inputs]);
    return job(() => torch.noGrad(() => model.forward(x)));
  },
};

export async function create() {
  await torch.webgpu({ powerPreference: 'high-performance' });
  const probe = torch.ones(1, { device });
  return {
    works,
    finish: () => probe.add(1).read(),
    info: () => torch.backendInfo().webgpu,
  };
}
