/** Section 3 of the tutorial: the same network with modules, functionals and an optimiser. */
import * as torch from 'wasmgrad';
import { nn, optim, type Tensor } from 'wasmgrad';
import { accuracy, lastLine, meanOf, type Settings, type Trained } from './training.ts';

const F = nn.functional;

class FullyConnected extends nn.Module {
  readonly linear_1: nn.Linear;
  readonly linear_2: nn.Linear;
  readonly #inputSize: number;

  constructor(inputSize: number, hiddenSize: number, outputSize: number) {
    super();
    this.#inputSize = inputSize;
    this.linear_1 = new nn.Linear(inputSize, hiddenSize);
    this.linear_2 = new nn.Linear(hiddenSize, outputSize, { bias: false });
  }

  override forward(images: Tensor): Tensor {
    const x = images.reshape(-1, this.#inputSize);
    const z = this.linear_1.forward(x);
    const h = F.relu(z);
    return this.linear_2.forward(h); // No softmax: the loss expects logits
  }
}

export async function trainWithModules(settings: Settings): Promise<Trained> {
  const { loaders, epochs, learningRate, inputSize, hiddenSize, classes, device, progress, journal } =
    settings;
  const model = new FullyConnected(inputSize, hiddenSize, classes).to(device);
  const optimizer = new optim.SGD(model.parameters(), { lr: learningRate });

  const parts = { model, optimizer, loader: loaders.train };
  const at = await journal.restore(parts);
  const { history } = at;
  progress.begin(at.epoch, at.seconds);
  while (at.epoch < epochs) {
    for await (const [images, labels] of loaders.train) {
      const logits = model.forward(images.to(device));
      const loss = F.crossEntropy(logits, labels.to(device));
      loss.backward();
      optimizer.step();
      optimizer.zeroGrad();

      const value = await loss.itemAsync();
      at.epochLoss += value;
      progress.step(at.step++, images.shape[0], value);
      await journal.between(parts, { ...at, seconds: progress.seconds });
    }
    history.trainingLoss.push(at.epochLoss / loaders.train.length);

    const losses: Tensor[] = [];
    const predictions: Tensor[] = [];
    const targets: Tensor[] = [];
    torch.noGrad(() => {
      for (const [images, labels] of loaders.validation) {
        const logits = model.forward(images.to(device));
        losses.push(F.crossEntropy(logits, labels.to(device)));
        predictions.push(F.softmax(logits, 1));
        targets.push(labels.to(device));
      }
    });
    history.validationLoss.push(await meanOf(losses));
    history.accuracy.push(await accuracy(torch.cat(predictions), torch.cat(targets)).itemAsync());

    progress.epoch(lastLine(history));
    Object.assign(at, { epoch: at.epoch + 1, step: 0, epochLoss: 0 });
  }
  return {
    history,
    predict: (images) => torch.noGrad(() => F.softmax(model.forward(images.to(device)), 1)),
    state: model.stateDict(),
  };
}
