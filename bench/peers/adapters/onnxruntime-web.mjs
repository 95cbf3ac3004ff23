// @ts-nocheck: its packages are installed only for the runs of this folder.
// onnxruntime-web runs models that others have trained: forward passes only, no gradients. A yardstick for kernels.
import fs from 'node:fs';
import { uniform, weights } from '../data.mjs';
import { onnxModel } from '../onnx.mjs';

const packageFile = new URL('../node_modules/onnxruntime-web/package.json', import.meta.url);

export async function create(threads) {
  const ort = await import('onnxruntime-web');
  ort.env.wasm.numThreads = threads;
  ort.env.logLevel = 'error';
  const version = JSON.parse(fs.readFileSync(packageFile, 'utf8')).version;
  const none = () => {
    throw new Error('onnxruntime-web does not train');
  };
  return { version, threads, works: worksOf(ort), trainer: none };
}

const OPERATORS = {
  add: 'Add',
  mul: 'Mul',
  relu: 'Relu',
  exp: 'Exp',
  log: 'Log',
  tanh: 'Tanh',
  sigmoid: 'Sigmoid',
};

function worksOf(ort) {
  async function job(graph, feeds) {
    const session = await ort.InferenceSession.create(onnxModel(graph), { executionProviders: ['wasm'] });
    const tensors = Object.fromEntries(
      Object.entries(feeds).map(([name, values]) => [
        name,
        new ort.Tensor('float32', values, graph.inputs[name]),
      ]),
    );
    const call = () => session.run(tensors);
    return { run: call, read: async () => (await call()).z.data, close: () => session.release() };
  }
  const node = (op, inputs, integers) => ({ op, inputs, output: 'z', integers });
  return {
    matmul({ m, k, n, form, batch }) {
      if (form !== 'NN') return 'only by a transposition before it';
      const stack = batch ? [batch] : [];
      const count = batch ?? 1;
      const graph = {
        inputs: { x: [...stack, m, k], y: [...stack, k, n] },
        output: { name: 'z', shape: [...stack, m, n] },
        nodes: [node('MatMul', ['x', 'y'])],
      };
      return job(graph, { x: uniform(1, count * m * k), y: uniform(2, count * k * n) });
    },
    map({ name, n }) {
      const op = OPERATORS[name];
      if (!op) return 'left out';
      const [x, y] = [uniform(1, n), uniform(2, n, 0.01, 1)];
      const two = name === 'add' || name === 'mul';
      const graph = {
        inputs: two ? { x: [n], y: [n] } : { x: [n] },
        output: { name: 'z', shape: [n] },
        nodes: [node(op, two ? ['x', 'y'] : ['x'])],
      };
      return job(graph, two ? { x, y } : { x: name === 'log' ? y : x });
    },
    rows({ name, rows, columns }) {
      if (name !== 'softmax' && name !== 'logSoftmax') return 'left out';
      const graph = {
        inputs: { x: [rows, columns] },
        output: { name: 'z', shape: [rows, columns] },
        nodes: [node(name === 'softmax' ? 'Softmax' : 'LogSoftmax', ['x'], { axis: 1 })],
      };
      return job(graph, { x: uniform(1, rows * columns) });
    },
    convolution({ count, channels, side, filters, part }) {
      if (part !== 'forward') return 'has no gradients';
      const out = side - 2;
      const graph = {
        inputs: { x: [count, channels, side, side] },
        output: { name: 'z', shape: [count, filters, out, out] },
        weights: { w: { shape: [filters, channels, 3, 3], values: uniform(2, filters * channels * 9) } },
        nodes: [node('Conv', ['x', 'w'])],
      };
      return job(graph, { x: uniform(1, count * channels * side * side) });
    },
    infer({ batch, sizes }) {
      const { w1, b1, w2 } = weights(sizes);
      const { inputs, hidden, outputs } = sizes;
      const graph = {
        inputs: { x: [batch, inputs] },
        output: { name: 'z', shape: [batch, outputs] },
        weights: {
          w1: { shape: [inputs, hidden], values: w1 },
          b1: { shape: [hidden], values: b1 },
          w2: { shape: [hidden, outputs], values: w2 },
        },
        nodes: [
          { op: 'Gemm', inputs: ['x', 'w1', 'b1'], output: 'h' },
          { op: 'Relu', inputs: ['h'], output: 'r' },
          node('MatMul', ['r', 'w2']),
        ],
      };
      return job(graph, { x: uniform(5, batch * inputs, 0, 1) });
    },
  };
}
