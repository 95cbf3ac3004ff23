// @ts-nocheck: its packages are installed only for the runs of this folder.
// jax-js on its wasm backend, everything under `jit`, which is how it is fastest.
import fs from 'node:fs';
import { uniform, weights } from '../data.mjs';
import { blobsAsFiles, WEB_NAMES, WebWorker } from '../threadsInNode.mjs';

const packageFile = new URL('../node_modules/@jax-js/jax/package.json', import.meta.url);

export async function create(threads) {
  if (threads > 1) {
    blobsAsFiles('.mjs', WEB_NAMES);
    globalThis.Worker = WebWorker;
    Object.defineProperty(globalThis, 'navigator', {
      value: { hardwareConcurrency: threads },
      configurable: true,
    });
  }
  const jax = await import('@jax-js/jax');
  await jax.init('wasm');
  jax.defaultDevice('wasm');
  const version = JSON.parse(fs.readFileSync(packageFile, 'utf8')).version;
  return { version, threads, works: worksOf(jax), trainer: trainerOf(jax) };
}

/** A function under jit, with arguments that are kept. */
function jobOf(jax, f, ...inputs) {
  const compiled = jax.jit(f);
  const call = () => compiled(...inputs.map((x) => x.ref));
  return {
    run: async () => {
      const y = call();
      await y.blockUntilReady();
      y.dispose();
    },
    read: async () => call().data(),
  };
}

function worksOf(jax) {
  const { numpy: np, nn, lax } = jax;
  const array = (values, shape) => np.array(values).reshape(shape);
  const functions = {
    add: (x, y) => x.add(y),
    mul: (x, y) => x.mul(y),
    relu: (x) => nn.relu(x),
    exp: (x) => np.exp(x),
    log: (_, y) => np.log(y),
    tanh: (x) => np.tanh(x),
    sigmoid: (x) => nn.sigmoid(x),
    sum: (_, y) => np.sum(y),
    mean: (_, y) => np.mean(y),
    max: (x) => np.max(x),
  };
  const rowFunctions = {
    'add row': (x, row) => x.add(row),
    softmax: (x) => nn.softmax(x, 1),
    logSoftmax: (x) => nn.logSoftmax(x, 1),
    layerNorm: (x) => nn.standardize(x, 1),
  };
  const usesSecond = new Set(['add', 'mul', 'log', 'sum', 'mean', 'add row']);
  const usesFirst = (name) => !['log', 'sum', 'mean'].includes(name);
  const only = (name, f, x, y) => {
    if (usesFirst(name) && usesSecond.has(name)) return jobOf(jax, f, x, y);
    return usesFirst(name) ? jobOf(jax, (a) => f(a), x) : jobOf(jax, (b) => f(undefined, b), y);
  };
  return {
    matmul({ m, k, n, form, batch }) {
      const stack = batch ? [batch] : [];
      const count = batch ?? 1;
      const a = array(uniform(1, count * m * k), [...stack, ...(form === 'TN' ? [k, m] : [m, k])]);
      const b = array(uniform(2, count * k * n), [...stack, ...(form === 'NT' ? [n, k] : [k, n])]);
      const f = (x, y) => np.matmul(form === 'TN' ? np.transpose(x) : x, form === 'NT' ? np.transpose(y) : y);
      return jobOf(jax, f, a, b);
    },
    map: ({ name, n }) =>
      only(name, functions[name], np.array(uniform(1, n)), np.array(uniform(2, n, 0.01, 1))),
    rows({ name, rows, columns }) {
      const x = array(uniform(1, rows * columns), [rows, columns]);
      return only(name, rowFunctions[name], x, np.array(uniform(2, columns)));
    },
    convolution({ count, channels, side, filters, part }) {
      const x = array(uniform(1, count * channels * side * side), [count, channels, side, side]);
      const w = array(uniform(2, filters * channels * 9), [filters, channels, 3, 3]);
      const conv = (a, b) => lax.convGeneralDilated(a, b, [1, 1], 'VALID');
      if (part === 'forward') return jobOf(jax, conv, x, w);
      const out = side - 2;
      const g = array(uniform(3, count * filters * out * out), [count, filters, out, out]);
      const both = jax.jit(jax.grad((a, b, d) => np.sum(conv(a, b).mul(d)), { argnums: [0, 1] }));
      const call = () => both(x.ref, w.ref, g.ref);
      return {
        run: async () => {
          const gradients = call();
          await jax.blockUntilReady(gradients);
          for (const one of gradients) one.dispose();
        },
        read: async () => call()[1].data(),
      };
    },
    tiny({ name }) {
      const [p, q] = [np.array(uniform(1, 16)), np.array(uniform(2, 16))];
      if (name === 'add') return jobOf(jax, (x, y) => x.add(y), p, q);
      const chain = (x, y) => {
        let z = x;
        for (let i = 0; i < (name === 'graph' ? 100 : 1); i++) z = z.mul(y.ref);
        y.dispose();
        return np.sum(z);
      };
      return jobOf(jax, jax.grad(chain), p, q);
    },
    infer({ batch, sizes }) {
      const p = parameters(np, weights(sizes), sizes);
      const x = array(uniform(5, batch * sizes.inputs, 0, 1), [batch, sizes.inputs]);
      const f = (images, w1, b1, w2) => np.dot(nn.relu(np.dot(images, w1).add(b1)), w2);
      return jobOf(jax, f, x, p.w1, p.b1, p.w2);
    },
  };
}

const parameters = (np, { w1, b1, w2 }, { inputs, hidden, outputs }) => ({
  w1: np.array(w1).reshape([inputs, hidden]),
  b1: np.array(b1),
  w2: np.array(w2).reshape([hidden, outputs]),
});

function trainerOf(jax) {
  const { numpy: np, nn, jit, tree, valueAndGrad } = jax;
  return (start, sizes) => {
    let p = parameters(np, start, sizes);
    const predict = ({ w1, b1, w2 }, x) => np.dot(nn.relu(np.dot(x, w1).add(b1)), w2);
    const lossOf = (params, x, y) =>
      nn
        .logSoftmax(predict(params, x))
        .mul(nn.oneHot(y, sizes.outputs))
        .sum()
        .mul(-1 / x.shape[0]);
    const update = jit((params, x, y) => {
      const [loss, gradients] = valueAndGrad(lossOf)(tree.ref(params), x, y);
      return [loss, tree.map((w, d) => w.sub(d.mul(0.1)), params, gradients)];
    });
    return async (x, y, count) => {
      const images = np.array(x.slice()).reshape([count, sizes.inputs]);
      let loss;
      [loss, p] = update(p, images, np.array(y.slice(), { dtype: np.int32 }));
      return (await loss.data())[0];
    };
  };
}
