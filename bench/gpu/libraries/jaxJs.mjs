// @ts-nocheck: its packages are installed only for the runs of this folder.
// Everything under `jit`, which is how it is fastest. It computes when it is asked for results, so it is: for some at a
// time, that it need not wait for the GPU after each.
import * as jax from '@jax-js/jax';
import { uniform, weights } from '../../peers/numbers.mjs';

const { numpy: np, nn, lax, jit, tree, valueAndGrad } = jax;
const array = (values, shape) => np.array(values).reshape(shape);

const AT_ONCE = 8;
let made = [];

async function settle() {
  const results = made;
  made = [];
  await jax.blockUntilReady(results);
  for (const one of results) one.dispose();
}

function keep(result) {
  made.push(result);
  return made.length < AT_ONCE ? undefined : settle();
}

/** A function under jit, with arguments that are kept. */
function job(f, ...inputs) {
  const compiled = jit(f);
  const call = () => compiled(...inputs.map((x) => x.ref));
  return { run: () => keep(call()), read: () => call().data() };
}

const MAPS = {
  add: (x, y) => x.add(y),
  relu: (x) => nn.relu(x),
  exp: (x) => np.exp(x),
  'relu(2x + y) · y': (x, y) => nn.relu(x.mul(2).add(y.ref)).mul(y),
};

function network(sizes) {
  const { w1, b1, w2 } = weights(sizes);
  const { inputs, hidden, outputs } = sizes;
  return {
    parameters: { w1: array(w1, [inputs, hidden]), b1: np.array(b1), w2: array(w2, [hidden, outputs]) },
    x: array(uniform(5, sizes.batch * inputs, 0, 1), [sizes.batch, inputs]),
    predict: (p, x) => np.dot(nn.relu(np.dot(x, p.w1).add(p.b1)), p.w2),
  };
}

const works = {
  matmul({ n }) {
    const [a, b] = [array(uniform(1, n * n), [n, n]), array(uniform(2, n * n), [n, n])];
    return job((x, y) => np.matmul(x, y), a, b);
  },
  map({ name, n }) {
    const inputs = [uniform(1, n), uniform(2, n)].map((values) => np.array(values));
    return job(MAPS[name], ...inputs.slice(0, MAPS[name].length));
  },
  softmax({ rows, columns }) {
    return job((x) => nn.softmax(x, 1), array(uniform(1, rows * columns), [rows, columns]));
  },
  convolution({ count, channels, side, filters }) {
    const x = array(uniform(1, count * channels * side * side), [count, channels, side, side]);
    const w = array(uniform(2, filters * channels * 9), [filters, channels, 3, 3]);
    return job((a, b) => lax.convGeneralDilated(a, b, [1, 1], 'VALID'), x, w);
  },
  train(sizes) {
    const { parameters, x, predict } = network(sizes);
    let p = parameters;
    const y = np.array(
      Int32Array.from({ length: sizes.batch }, (_, i) => i % sizes.outputs),
      { dtype: np.int32 },
    );
    const lossOf = (params, images, targets) =>
      nn
        .logSoftmax(predict(params, images))
        .mul(nn.oneHot(targets, sizes.outputs))
        .sum()
        .mul(-1 / sizes.batch);
    const update = jit((params, images, targets) => {
      const [loss, gradients] = valueAndGrad(lossOf)(tree.ref(params), images, targets);
      return [loss, tree.map((w, d) => w.sub(d.mul(0.1)), params, gradients)];
    });
    const step = () => {
      let loss;
      [loss, p] = update(p, x.ref, y.ref);
      return loss;
    };
    return { run: () => keep(step()), read: () => step().data() };
  },
  infer(sizes) {
    const { parameters, x, predict } = network(sizes);
    const { w1, b1, w2 } = parameters;
    return job((images, a, b, c) => predict({ w1: a, b1: b, w2: c }, images), x, w1, b1, w2);
  },
};

export async function create() {
  const devices = await jax.init('webgpu');
  if (!devices.includes('webgpu')) throw new Error('jax-js found no WebGPU');
  jax.defaultDevice('webgpu');
  return { works, finish: settle };
}
