// @ts-nocheck: its packages are installed only for the runs of this folder.
import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-webgpu';
import { uniform, weights } from '../../peers/numbers.mjs';
import { cnnNumbers, transformerNumbers } from './networks.mjs';

/** The time of `make` includes that its result is let go, as a loop must. */
const job = (make) => ({ run: () => make().dispose(), read: () => make().data() });

const MAPS = {
  add: (x, y) => x.add(y),
  relu: (x) => x.relu(),
  exp: (x) => x.exp(),
  'relu(2x + y) · y': (x, y) => tf.tidy(() => x.mul(2).add(y).relu().mul(y)),
};

function network(sizes) {
  const { w1, b1, w2 } = weights(sizes);
  const { inputs, hidden, outputs } = sizes;
  const variables = [
    tf.variable(tf.tensor2d(w1, [inputs, hidden])),
    tf.variable(tf.tensor1d(b1)),
    tf.variable(tf.tensor2d(w2, [hidden, outputs])),
  ];
  const x = tf.tensor2d(uniform(5, sizes.batch * inputs, 0, 1), [sizes.batch, inputs]);
  return {
    variables,
    x,
    forward: () => x.matMul(variables[0]).add(variables[1]).relu().matMul(variables[2]),
  };
}

function training(numbers, lossOf) {
  const variables = numbers.map((w) => tf.variable(w));
  const optimizer = tf.train.sgd(0.1);
  return job(() => tf.tidy(() => optimizer.minimize(() => lossOf(...variables), true, variables)));
}

function normalized(x) {
  const centered = x.sub(x.mean(-1, true));
  return centered.div(centered.square().mean(-1, true).add(1e-5).sqrt());
}

const works = {
  cnn(sizes) {
    const { x, targets, weights: numbers, flat } = cnnNumbers(sizes);
    const [, c2] = sizes.channels;
    const left = Math.sqrt(flat / c2);
    // Channels last, which is its own order; the same numbers.
    const images = tf.tidy(() => tf.tensor4d(x.values, x.shape).transpose([0, 2, 3, 1]));
    const labels = tf.oneHot(tf.tensor1d(targets, 'int32'), 10);
    const [first, second] = numbers.map(({ values, shape }) =>
      shape.length === 4 ? tf.tidy(() => tf.tensor4d(values, shape).transpose([2, 3, 1, 0])) : null,
    );
    const last = tf.tidy(() =>
      tf.tensor4d(numbers[2].values, [c2, left, left, 10]).transpose([1, 2, 0, 3]).reshape([flat, 10]),
    );
    return training([first, second, last], (w1, w2, w3) => {
      const hidden = tf.conv2d(tf.conv2d(images, w1, 1, 'valid').relu(), w2, 2, 'valid').relu();
      return tf.losses.softmaxCrossEntropy(labels, hidden.reshape([sizes.batch, flat]).matMul(w3));
    });
  },
  transformer(sizes) {
    const { batch, length, width, heads } = sizes;
    const { x, direction, weights: numbers } = transformerNumbers(sizes);
    const [tokens, wanted] = [x, direction].map(({ values, shape }) => tf.tensor(values, shape));
    const rows = tokens.reshape([batch * length, width]);
    const split = (y) => y.reshape([batch, length, heads, width / heads]).transpose([0, 2, 1, 3]);
    const scale = 1 / Math.sqrt(width / heads);
    return training(
      numbers.map(({ values, shape }) => tf.tensor(values, shape)),
      (q, k, v, out, grow, shrink) => {
        const [queries, keys, values] = [q, k, v].map((w) => split(rows.matMul(w)));
        const shares = tf.matMul(queries, keys, false, true).mul(scale).softmax();
        const attended = tf
          .matMul(shares, values)
          .transpose([0, 2, 1, 3])
          .reshape([batch * length, width]);
        const y = normalized(rows.add(attended.matMul(out)));
        return normalized(y.add(y.matMul(grow).relu().matMul(shrink)))
          .reshape([batch, length, width])
          .mul(wanted)
          .mean();
      },
    );
  },
  matmul({ n }) {
    const [a, b] = [tf.tensor2d(uniform(1, n * n), [n, n]), tf.tensor2d(uniform(2, n * n), [n, n])];
    return job(() => tf.matMul(a, b));
  },
  map({ name, n }) {
    const [x, y] = [tf.tensor1d(uniform(1, n)), tf.tensor1d(uniform(2, n))];
    return job(() => MAPS[name](x, y));
  },
  softmax({ rows, columns }) {
    const x = tf.tensor2d(uniform(1, rows * columns), [rows, columns]);
    return job(() => x.softmax());
  },
  convolution({ count, channels, side, filters }) {
    // Channels last, which is its own order; the same numbers.
    const x = tf.tidy(() =>
      tf
        .tensor4d(uniform(1, count * channels * side * side), [count, channels, side, side])
        .transpose([0, 2, 3, 1]),
    );
    const w = tf.tidy(() =>
      tf.tensor4d(uniform(2, filters * channels * 9), [filters, channels, 3, 3]).transpose([2, 3, 1, 0]),
    );
    const run = () => tf.conv2d(x, w, 1, 'valid');
    return { ...job(run), read: () => tf.tidy(() => run().transpose([0, 3, 1, 2])).data() };
  },
  train(sizes) {
    const { variables, forward } = network(sizes);
    const optimizer = tf.train.sgd(0.1);
    const y = Int32Array.from({ length: sizes.batch }, (_, i) => i % sizes.outputs);
    const targets = tf.oneHot(tf.tensor1d(y, 'int32'), sizes.outputs);
    return job(() =>
      tf.tidy(() =>
        optimizer.minimize(() => tf.losses.softmaxCrossEntropy(targets, forward()), true, variables),
      ),
    );
  },
  infer(sizes) {
    const { forward } = network(sizes);
    return job(() => tf.tidy(forward));
  },
};

export async function create() {
  await tf.setBackend('webgpu');
  await tf.ready();
  if (tf.getBackend() !== 'webgpu') throw new Error('tfjs found no WebGPU');
  // Smaller ones it computes on the processor.
  const probe = tf.ones([4096]);
  return {
    works,
    finish: async () => {
      const next = probe.add(1);
      await next.data();
      next.dispose();
    },
  };
}
