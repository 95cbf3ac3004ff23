/** The two networks: the tutorial's, and a small convolutional one. */
import { nn, type Tensor } from 'wasmgrad';
import type { Settings } from '../protocol.ts';

const F = nn.functional;
const CLASSES = 10;
const PIXELS = 28 * 28;

export class FullyConnected extends nn.Module {
  readonly linear_1: nn.Linear;
  readonly linear_2: nn.Linear;

  constructor(hidden: number) {
    super();
    this.linear_1 = new nn.Linear(PIXELS, hidden);
    this.linear_2 = new nn.Linear(hidden, CLASSES, { bias: false });
  }

  override forward(images: Tensor): Tensor {
    return this.linear_2.forward(F.relu(this.linear_1.forward(images.reshape(-1, PIXELS))));
  }
}

export class Convolutional extends nn.Module {
  readonly conv_1 = new nn.Conv2d(1, 8, 5, { stride: 2, padding: 2 });
  readonly conv_2 = new nn.Conv2d(8, 16, 3, { stride: 2, padding: 1 });
  readonly linear_1: nn.Linear;
  readonly linear_2: nn.Linear;

  constructor(hidden: number) {
    super();
    this.linear_1 = new nn.Linear(16 * 7 * 7, hidden);
    this.linear_2 = new nn.Linear(hidden, CLASSES);
  }

  override forward(images: Tensor): Tensor {
    const x = F.relu(this.conv_2.forward(F.relu(this.conv_1.forward(images.reshape(-1, 1, 28, 28)))));
    return this.linear_2.forward(F.relu(this.linear_1.forward(x.flatten(1))));
  }
}

export type Network = FullyConnected | Convolutional;

export function makeNetwork({ network, hidden, device }: Settings): Network {
  const model = network === 'mlp' ? new FullyConnected(hidden) : new Convolutional(hidden);
  return model.to({ device });
}
