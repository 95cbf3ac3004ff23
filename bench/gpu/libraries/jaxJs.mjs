// @ts-nocheck: its packages are installed only for the runs of this folder.
// Everything under `jit`, which is how it is fastest. It computes when it is asked for results, so it is: for some at a
// time, that it need not wait for the GPU after each.
import * as jax from '@jax-js/jax';
import { uniform, weights } from '../../peers/numbers.mjs';
import { cnnNumbers, transformerNumbers } from './networks.mjs';

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

/** `lossOf` is given the weights and the data, each once. */
function training(numbers, data, lossOf) {
  let p = numbers.map(({ values, shape }) => array(values, shape));
  const update = jit((params, ...inputs) => {
    const [loss, gradients] = valueAndGrad((q) => lossOf(q, ...inputs))(tree.ref(params));
    return [loss, tree.map((w, d) => w.sub(d.mul(0.1)), params, gradients)];
  });
  const step = () => {
    let loss;
    [loss, p] = update(p, ...data.map((x) => x.ref));
    return loss;
  };
  return { run: () => keep(step()), read: () => step().data() };
}

function normalized(x) {
  const centered = x.ref.sub(np.mean(x, -1, { keepdims: true }));
  const variance = np.mean(centered.ref.mul(centered.ref), -1, { keepdims: true });
  return centered.div(np.sqrt(variance.add(1e-5)));
}

const works = {
  cnn(sizes) {
    const { x, targets, weights: numbers, flat } = cnnNumbers(sizes);
    const data = [array(x.values, x.shape), np.array(targets, { dtype: np.int32 })];
    return training(numbers, data, ([first, second, last], images, labels) => {
      const one = nn.relu(lax.convGeneralDilated(images, first, [1, 1], 'VALID'));
      const two = nn.relu(lax.convGeneralDilated(one, second, [2, 2], 'VALID'));
      return nn
        .logSoftmax(np.dot(two.reshape([sizes.batch, flat]), last))
        .mul(nn.oneHot(labels, 10))
        .sum()
        .mul(-1 / sizes.batch);
    });
  },
  transformer(sizes) {
    const { batch, length, width, heads } = sizes;
    const { x, direction, weights: numbers } = transformerNumbers(sizes);
    const data = [x, direction].map(({ values, shape }) => array(values, shape));
    const split = (y) => y.reshape([batch, length, heads, width / heads]).transpose([0, 2, 1, 3]);
    const scale = 1 / Math.sqrt(width / heads);
    return training(numbers, data, ([q, k, v, out, grow, shrink], tokens, wanted) => {
      const [queries, keys, values] = [q, k, v].map((w) => split(np.dot(tokens.ref, w)));
      const shares = nn.softmax(np.matmul(queries, keys.transpose([0, 1, 3, 2])).mul(scale), -1);
      const attended = np.matmul(shares, values).transpose([0, 2, 1, 3]).reshape([batch, length, width]);
      const y = normalized(tokens.add(np.dot(attended, out)));
      const grown = np.dot(nn.relu(np.dot(y.ref, grow)), shrink);
      return np.mean(normalized(y.add(grown)).mul(wanted));
    });
  },
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
