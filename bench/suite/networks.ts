/** The networks that are trained, each on one fixed batch. */
import * as torch from 'wasmgrad';
import { nn, optim, type Tensor } from 'wasmgrad';
import { MNIST_DENSITY, on } from './inputs.ts';
import type { Setting } from './types.ts';

const F = nn.functional;

/** Rows with MNIST's density, zeros in runs. */
function sparseRows(count: number, width: number): Tensor {
  const runs = torch
    .rand(count, Math.ceil(width / 8))
    .lt(MNIST_DENSITY)
    .float();
  const mask = runs.repeatInterleave(8, 1).narrow(1, 0, width);
  return torch.rand(count, width).mul(mask);
}

/** One step of training, which gives the loss. */
export type Step = () => Tensor;

function trainer(parameters: Iterable<Tensor>, kind: 'sgd' | 'adam', loss: () => Tensor): Step {
  const list = [...parameters];
  const optimizer = kind === 'sgd' ? new optim.SGD(list, { lr: 0.01 }) : new optim.Adam(list, { lr: 0.001 });
  return () => {
    const value = loss();
    value.backward();
    optimizer.step();
    optimizer.zeroGrad();
    return value.detach();
  };
}

/** The tutorial's network on one batch: 784 → 500 → 10, SGD. */
export function mlp(setting: Setting): Step {
  const samples = setting.tiny ? 4 : 128;
  const hidden = setting.tiny ? 8 : 500;
  const model = new nn.Sequential(
    new nn.Linear(784, hidden),
    new nn.ReLU(),
    new nn.Linear(hidden, 10, { bias: false }),
  ).to(setting.device);
  const x = on(sparseRows(samples, 784), setting);
  const y = on(torch.randint(0, 10, [samples]), setting);
  return trainer(model.parameters(), 'sgd', () => F.crossEntropy(model.forward(x), y));
}

/** Two convolutions with pooling and one linear layer, Adam. */
export function cnn(setting: Setting): Step {
  const samples = setting.tiny ? 2 : 32;
  const [first, second] = setting.tiny ? [2, 3] : [32, 64];
  const model = new nn.Sequential(
    new nn.Conv2d(1, first, 3),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Conv2d(first, second, 3),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Linear(second * 25, 10),
  ).to(setting.device);
  const x = on(sparseRows(samples, 784).reshape(samples, 1, 28, 28), setting);
  const y = on(torch.randint(0, 10, [samples]), setting);
  return trainer(model.parameters(), 'adam', () => F.crossEntropy(model.forward(x), y));
}

/** One encoder layer, with a mean squared error against noise, Adam. */
export function transformerLayer(setting: Setting): Step {
  const [samples, length, width, heads] = setting.tiny ? [2, 3, 8, 2] : [8, 64, 128, 4];
  const layer = new nn.TransformerEncoderLayer(width, heads, {
    dimFeedforward: 4 * width,
    dropout: 0.1,
    batchFirst: true,
  }).to(setting.device);
  const x = on(torch.randn(samples, length, width), setting);
  const y = on(torch.randn(samples, length, width), setting);
  return trainer(layer.parameters(), 'adam', () => F.mseLoss(layer.forward(x), y));
}

/** A recurrent layer over sequences, its last state classified, Adam. */
export function lstm(setting: Setting): Step {
  const [samples, length, width] = setting.tiny ? [2, 3, 4] : [32, 28, 128];
  const inputs = 28;
  const layer = new nn.LSTM(inputs, width, { batchFirst: true }).to(setting.device);
  const head = new nn.Linear(width, 10).to(setting.device);
  const x = on(torch.randn(samples, length, inputs), setting);
  const y = on(torch.randint(0, 10, [samples]), setting);
  const parameters = [...layer.parameters(), ...head.parameters()];
  return trainer(parameters, 'adam', () => {
    const [out] = layer.forward(x);
    return F.crossEntropy(head.forward(out.select(1, length - 1)), y);
  });
}
