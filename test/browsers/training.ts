/**
 * Trainings whose results must be the same bits in every engine: all kinds of layers, drawn numbers, a few optimisers.
 * No relaxed SIMD (`deterministic`), any number of threads.
 */
import * as torch from '../../src/index.ts';
import { nn, optim, type Tensor } from '../../src/index.ts';

export interface Trained {
  losses: number[];
  /** SHA-256 over the bytes of all parameters. */
  weights: string;
}

class Convolutional extends nn.Module {
  conv1 = new nn.Conv2d(1, 8, 3, { padding: 1 });
  norm = new nn.BatchNorm2d(8);
  conv2 = new nn.Conv2d(8, 16, 3);
  out = new nn.Linear(16 * 6 * 6, 10);
  forward(x: Tensor): Tensor {
    const first = nn.functional.maxPool2d(nn.functional.gelu(this.norm.forward(this.conv1.forward(x))), 2);
    const second = nn.functional.dropout(torch.tanh(this.conv2.forward(first)), 0.2, this.training);
    return this.out.forward(second.flatten(1));
  }
}

class Recurrent extends nn.Module {
  embedding = new nn.Embedding(20, 16);
  lstm = new nn.LSTM(16, 24, { batchFirst: true });
  norm = new nn.LayerNorm(24);
  out = new nn.Linear(24, 10);
  forward(x: Tensor): Tensor {
    const [states] = this.lstm.forward(this.embedding.forward(x));
    return this.out.forward(this.norm.forward(states.select(1, -1)));
  }
}

type Classifier = nn.Module & { forward(x: Tensor): Tensor };

const cases: Record<string, () => [Classifier, Tensor, (p: Iterable<nn.Parameter>) => optim.Optimizer]> = {
  perceptron: () => [
    new nn.Sequential(
      new nn.Linear(784, 256),
      new nn.ReLU(),
      new nn.Linear(256, 10),
    ) as unknown as Classifier,
    torch.randn(128, 784),
    (p) => new optim.SGD([...p], { lr: 0.1, momentum: 0.9 }),
  ],
  convolutional: () => [
    new Convolutional(),
    torch.rand(32, 1, 16, 16),
    (p) => new optim.AdamW([...p], { lr: 1e-3 }),
  ],
  recurrent: () => [
    new Recurrent(),
    torch.randint(0, 20, [32, 12]),
    (p) => new optim.RMSprop([...p], { lr: 1e-3 }),
  ],
};

const STEPS = 20;

/** Trains every model for a few steps. */
export async function trainAll(): Promise<Record<string, Trained>> {
  await torch.init({ deterministic: true });
  const results: Record<string, Trained> = {};
  for (const [name, make] of Object.entries(cases)) {
    torch.manualSeed(7);
    const [model, x, optimizerOf] = make();
    const labels = torch.randint(0, 10, [x.shape[0]]);
    const optimizer = optimizerOf(model.parameters());
    const losses: number[] = [];
    for (let step = 0; step < STEPS; step++) {
      const loss = nn.functional.crossEntropy(model.forward(x), labels);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      losses.push(loss.item());
    }
    results[name] = { losses, weights: await digest([...model.parameters()]) };
  }
  return results;
}

async function digest(tensors: readonly Tensor[]): Promise<string> {
  const parts = tensors.map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  const bytes = new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
