// @ts-nocheck: its packages are installed only for the runs of this folder.
import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-webgpu';
import { uniform, weights } from '../../peers/numbers.mjs';

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

const works = {
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
