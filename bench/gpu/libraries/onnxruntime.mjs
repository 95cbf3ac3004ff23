// @ts-nocheck: its packages are installed only for the runs of this folder.
// onnxruntime-web runs models that others have trained: forward passes only. Inputs and results stay on the GPU.
import * as ort from 'onnxruntime-web/webgpu';
import { uniform, weights } from '../../peers/numbers.mjs';
import { onnxModel } from '../../peers/onnx.mjs';

async function job(graph, feeds) {
  const session = await ort.InferenceSession.create(onnxModel(graph), {
    executionProviders: ['webgpu'],
    preferredOutputLocation: 'gpu-buffer',
  });
  const device = await ort.env.webgpu.device;
  const tensors = Object.fromEntries(
    Object.entries(feeds).map(([name, values]) => {
      const size = Math.ceil(values.byteLength / 16) * 16;
      const { STORAGE, COPY_SRC, COPY_DST } = GPUBufferUsage;
      const buffer = device.createBuffer({ size, usage: STORAGE | COPY_SRC | COPY_DST });
      device.queue.writeBuffer(buffer, 0, values);
      return [name, ort.Tensor.fromGpuBuffer(buffer, { dataType: 'float32', dims: graph.inputs[name] })];
    }),
  );
  return {
    run: async () => (await session.run(tensors)).z.dispose(),
    read: async () => (await session.run(tensors)).z.getData(true),
    finish: () => device.queue.onSubmittedWorkDone(),
    close: () => session.release(),
  };
}

const node = (op, inputs, output = 'z', integers = undefined) => ({ op, inputs, output, integers });

function map({ name, n }) {
  const [x, y] = [uniform(1, n), uniform(2, n)];
  const graph = (inputs, nodes, constants = {}) => ({
    inputs: Object.fromEntries(inputs.map((input) => [input, [n]])),
    output: { name: 'z', shape: [n] },
    weights: constants,
    nodes,
  });
  if (name === 'add') return job(graph(['x', 'y'], [node('Add', ['x', 'y'])]), { x, y });
  if (name === 'relu') return job(graph(['x'], [node('Relu', ['x'])]), { x });
  if (name === 'exp') return job(graph(['x'], [node('Exp', ['x'])]), { x });
  const nodes = [
    node('Mul', ['x', 'two'], 'a'),
    node('Add', ['a', 'y'], 'b'),
    node('Relu', ['b'], 'c'),
    node('Mul', ['c', 'y']),
  ];
  return job(graph(['x', 'y'], nodes, { two: { shape: [1], values: Float32Array.of(2) } }), { x, y });
}

const works = {
  matmul({ n }) {
    const graph = {
      inputs: { x: [n, n], y: [n, n] },
      output: { name: 'z', shape: [n, n] },
      nodes: [node('MatMul', ['x', 'y'])],
    };
    return job(graph, { x: uniform(1, n * n), y: uniform(2, n * n) });
  },
  map,
  softmax({ rows, columns }) {
    const graph = {
      inputs: { x: [rows, columns] },
      output: { name: 'z', shape: [rows, columns] },
      nodes: [node('Softmax', ['x'], 'z', { axis: 1 })],
    };
    return job(graph, { x: uniform(1, rows * columns) });
  },
  convolution({ count, channels, side, filters }) {
    const graph = {
      inputs: { x: [count, channels, side, side] },
      output: { name: 'z', shape: [count, filters, side - 2, side - 2] },
      weights: { w: { shape: [filters, channels, 3, 3], values: uniform(2, filters * channels * 9) } },
      nodes: [node('Conv', ['x', 'w'])],
    };
    return job(graph, { x: uniform(1, count * channels * side * side) });
  },
  infer(sizes) {
    const { w1, b1, w2 } = weights(sizes);
    const { inputs, hidden, outputs, batch } = sizes;
    const graph = {
      inputs: { x: [batch, inputs] },
      output: { name: 'z', shape: [batch, outputs] },
      weights: {
        w1: { shape: [inputs, hidden], values: w1 },
        b1: { shape: [hidden], values: b1 },
        w2: { shape: [hidden, outputs], values: w2 },
      },
      nodes: [node('Gemm', ['x', 'w1', 'b1'], 'h'), node('Relu', ['h'], 'r'), node('MatMul', ['r', 'w2'])],
    };
    return job(graph, { x: uniform(5, batch * inputs, 0, 1) });
  },
};

export async function create() {
  if (typeof document === 'undefined') throw new Error('its WebGPU wants a page');
  ort.env.wasm.wasmPaths = new URL('./ort/', location.href).href;
  ort.env.logLevel = 'error';
  return { works };
}
