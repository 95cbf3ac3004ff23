/** The tutorial's own job: batches of MNIST through its network, in eager code, with modules and from bare tensors. */
import * as torch from 'wasmgrad';
import { data, nn, optim, type Tensor } from 'wasmgrad';
import { MNIST, transforms } from 'wasmgrad/vision';
import { pictures } from './inputs.ts';
import type { Setting } from './types.ts';

const F = nn.functional;
export const SEED = 7;
/** As MNIST's, of which 5,000 are kept for validation. */
const IMAGES = 60_000;
const TRAINING = 55_000;
const BATCH = 128;
const LEARNING_RATE = 0.1;

export type Loader = data.DataLoader<[Tensor, number], [Tensor, Tensor]>;
/** Trains on a batch and gives the loss. */
export type Step = (images: Tensor, labels: Tensor) => Tensor;

/** Shuffled batches of MNIST, or of pictures like it where the host has no MNIST. */
export async function loader({ host, tiny }: Setting): Promise<{ batches: Loader; what: string }> {
  const own = tiny || host.mnist === undefined;
  const [images, training] = tiny ? [300, 256] : [IMAGES, TRAINING];
  const files = own ? pictures(images) : await host.mnist!();
  const dataset = await MNIST({ ...files, transform: transforms.toTensor() });
  torch.manualSeed(SEED);
  const [train] = data.randomSplit(dataset, [training, images - training]);
  const what = own ? `${training.toLocaleString('en')} pictures of MNIST's size and density` : 'MNIST';
  return { batches: new data.DataLoader(train, { batchSize: BATCH, shuffle: true }), what };
}

/** Section 2 of the tutorial: autograd alone. */
export function fromScratch(): Step {
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
        w.sub_(w.grad!.mul(LEARNING_RATE));
        w.grad!.zero_();
      }
    });
    return loss;
  };
}

/** Section 3: modules, a loss that takes logits, and an optimiser. */
export function withModules(device = 'cpu'): Step {
  const model = new nn.Sequential(
    new nn.Flatten(),
    new nn.Linear(784, 500),
    new nn.ReLU(),
    new nn.Linear(500, 10, { bias: false }),
  ).to(device);
  const optimizer = new optim.SGD(model.parameters(), { lr: LEARNING_RATE });
  return (images, labels) => {
    const loss = F.crossEntropy(model.forward(images), labels);
    loss.backward();
    optimizer.step();
    optimizer.zeroGrad();
    return loss;
  };
}

/** One pass over the data; the mean of the losses, each of which is read as a training program would. */
export function epoch(batches: Loader, step: Step): number {
  let sum = 0;
  for (const [images, labels] of batches) sum += step(images, labels).item();
  return sum / batches.length;
}

/** As `epoch`, on a device whose values have to be awaited: read at the end. */
export async function epochOn(device: string, batches: Loader, step: Step): Promise<number> {
  let sum = torch.zeros([], { device });
  for (const [images, labels] of batches) sum = sum.add(step(images.to(device), labels.to(device)).detach());
  return Number((await sum.read())[0]) / batches.length;
}
