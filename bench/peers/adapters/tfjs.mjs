// @ts-nocheck: its packages are installed only for the runs of this folder.
// TensorFlow.js with one of its backends. `repaired` replaces the gradient of matMul: tfjs multiplies with transposed
// operands, which its fast kernel does not know; here they are transposed first.
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { uniform, weights } from '../data.mjs';
import { blobsAsFiles } from '../threadsInNode.mjs';

const require = createRequire(import.meta.url);

/** What the factory of the threaded binary takes from the file that it is cut out of. */
const WORKER_NAMES = `
if (typeof require === 'function') {
  const names = { 0: 'fs', 1: 'path', 3: 'perf_hooks', 4: 'os' };
  for (const [i, name] of Object.entries(names)) globalThis['require$$' + i] = require(name);
  globalThis.commonjsGlobal = globalThis;
  globalThis.__filename = __filename;
  globalThis.__dirname = __dirname;
  URL.createObjectURL = (blob) => String(blob);
  URL.revokeObjectURL = () => {};
}
`;

export async function start(backend, threads, { repaired = false } = {}) {
  const warn = console.warn;
  console.warn = () => {}; // the advice to install tfjs-node
  if (threads > 1) {
    blobsAsFiles('.cjs', WORKER_NAMES);
    const cpus = os.cpus();
    require('node:os').cpus = () => Array.from({ length: 2 * threads }, () => cpus[0]); // it uses half of them
  }
  const tf = require('@tensorflow/tfjs');
  let used = 1;
  if (backend === 'wasm') {
    const wasm = require('@tensorflow/tfjs-backend-wasm');
    const folder = path.dirname(require.resolve('@tensorflow/tfjs-backend-wasm'));
    wasm.setWasmPaths(`${folder}${path.sep}`);
    tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', threads > 1);
    if (threads > 1) wasm.setThreadsCount(threads);
    await tf.setBackend('wasm');
    await tf.ready();
    used = threads > 1 ? wasm.getThreadsCount() : 1;
  } else {
    await tf.setBackend(backend);
    await tf.ready();
  }
  console.warn = warn;
  if (repaired) repair(tf);
  return { version: tf.version.tfjs, threads: used, works: worksOf(tf), trainer: trainerOf(tf) };
}

function repair(tf) {
  tf.unregisterGradient('BatchMatMul');
  const t = (x) => tf.transpose(x, x.rank === 2 ? [1, 0] : [0, 2, 1]);
  tf.registerGradient({
    kernelName: 'BatchMatMul',
    inputsToSave: ['a', 'b'],
    gradFunc: (dy, [a, b], { transposeA, transposeB }) => {
      if (transposeA || transposeB) throw new Error('only for plain products');
      return { a: () => tf.matMul(dy, t(b)), b: () => tf.matMul(t(a), dy) };
    },
  });
}

/** The time of `make` includes that its result is let go, as a loop must. */
const job = (make) => ({ run: () => make().dispose(), read: async () => make().data() });

function layerNorm(tf, x) {
  return tf.tidy(() => {
    const { mean, variance } = tf.moments(x, 1, true);
    return x.sub(mean).div(variance.add(1e-5).sqrt());
  });
}

function worksOf(tf) {
  const functions = {
    add: (x, y) => x.add(y),
    mul: (x, y) => x.mul(y),
    relu: (x) => x.relu(),
    exp: (x) => x.exp(),
    log: (_, y) => y.log(),
    tanh: (x) => x.tanh(),
    sigmoid: (x) => x.sigmoid(),
    sum: (_, y) => y.sum(),
    mean: (_, y) => y.mean(),
    max: (x) => x.max(),
  };
  const rowFunctions = {
    'add row': (x, row) => x.add(row),
    softmax: (x) => x.softmax(),
    logSoftmax: (x) => x.logSoftmax(),
    layerNorm: (x) => layerNorm(tf, x),
  };
  return {
    matmul({ m, k, n, form, batch }) {
      const stack = batch ? [batch] : [];
      const count = batch ?? 1;
      const a = tf.tensor(uniform(1, count * m * k), [...stack, ...(form === 'TN' ? [k, m] : [m, k])]);
      const b = tf.tensor(uniform(2, count * k * n), [...stack, ...(form === 'NT' ? [n, k] : [k, n])]);
      return job(() => tf.matMul(a, b, form === 'TN', form === 'NT'));
    },
    map({ name, n }) {
      if (!functions[name]) return 'has no such operation';
      const [x, y] = [tf.tensor1d(uniform(1, n)), tf.tensor1d(uniform(2, n, 0.01, 1))];
      return job(() => functions[name](x, y));
    },
    rows({ name, rows, columns }) {
      const x = tf.tensor2d(uniform(1, rows * columns), [rows, columns]);
      const row = tf.tensor1d(uniform(2, columns));
      return job(() => rowFunctions[name](x, row));
    },
    convolution({ count, channels, side, filters, part }) {
      // Channels last, which is tfjs' own order; the same numbers.
      const x = tf.tidy(() =>
        tf
          .tensor4d(uniform(1, count * channels * side * side), [count, channels, side, side])
          .transpose([0, 2, 3, 1]),
      );
      const w = tf.tidy(() =>
        tf.tensor4d(uniform(2, filters * channels * 9), [filters, channels, 3, 3]).transpose([2, 3, 1, 0]),
      );
      if (part === 'forward') return { ...job(() => tf.conv2d(x, w, 1, 'valid')), read: firstOrder };
      async function firstOrder() {
        return tf.conv2d(x, w, 1, 'valid').transpose([0, 3, 1, 2]).data();
      }
      const out = side - 2;
      const g = tf.tidy(() =>
        tf
          .tensor4d(uniform(3, count * filters * out * out), [count, filters, out, out])
          .transpose([0, 2, 3, 1]),
      );
      const gradients = tf.grads((a, b) => tf.conv2d(a, b, 1, 'valid'));
      try {
        const both = () => gradients([x, w], g);
        for (const one of both()) one.dispose();
        return {
          run: () => {
            for (const one of both()) one.dispose();
          },
          read: async () => both()[1].transpose([3, 2, 0, 1]).data(),
        };
      } catch (error) {
        return String(error.message).split('\n')[0];
      }
    },
    tiny({ name }) {
      const [p, q] = [tf.tensor1d(uniform(1, 16)), tf.tensor1d(uniform(2, 16))];
      if (name === 'add') return job(() => p.add(q));
      const chain = (x) => {
        let y = x;
        for (let i = 0; i < (name === 'graph' ? 100 : 1); i++) y = y.mul(q);
        return y.sum();
      };
      const gradient = tf.grad(chain);
      return job(() => gradient(p));
    },
    infer({ batch, sizes }) {
      const { w1, b1, w2 } = variables(tf, weights(sizes), sizes);
      const x = tf.tensor2d(uniform(5, batch * sizes.inputs, 0, 1), [batch, sizes.inputs]);
      return job(() => tf.tidy(() => x.matMul(w1).add(b1).relu().matMul(w2)));
    },
  };
}

function variables(tf, { w1, b1, w2 }, { inputs, hidden, outputs }) {
  return {
    w1: tf.variable(tf.tensor2d(w1, [inputs, hidden])),
    b1: tf.variable(tf.tensor1d(b1)),
    w2: tf.variable(tf.tensor2d(w2, [hidden, outputs])),
  };
}

function trainerOf(tf) {
  return (start, sizes) => {
    const { w1, b1, w2 } = variables(tf, start, sizes);
    const optimizer = tf.train.sgd(0.1);
    return (x, y, count) => {
      const cost = tf.tidy(() => {
        const images = tf.tensor2d(x, [count, sizes.inputs]);
        const targets = tf.oneHot(tf.tensor1d(y, 'int32'), sizes.outputs);
        const logits = () => images.matMul(w1).add(b1).relu().matMul(w2);
        return optimizer.minimize(() => tf.losses.softmaxCrossEntropy(targets, logits()), true, [w1, b1, w2]);
      });
      const value = cost.dataSync()[0];
      cost.dispose();
      return value;
    };
  };
}
