/** Section 2 of the tutorial: a fully connected network from bare tensors. */

import type { Tensor } from 'wasmgrad';
import * as torch from 'wasmgrad';
import { accuracy, lastLine, type Settings, type Trained } from './training.ts';

/** The mean cross-entropy between predicted probabilities and the true classes. */
function crossEntropyLoss(predictions: Tensor, targets: Tensor): Tensor {
  const targetPredictions = predictions.index(torch.arange(predictions.shape[0]), targets);
  return torch.log(targetPredictions).mean().neg();
}

/** Rectified linear unit activation function. */
const relu = (x: Tensor): Tensor => torch.maximum(x, 0);

/** Softmax activation function. */
const softmax = (x: Tensor): Tensor => torch.exp(x).div(torch.exp(x).sum(-1, true));

export async function trainFromScratch(settings: Settings): Promise<Trained> {
  const { loaders, epochs, learningRate, inputSize, hiddenSize, classes, progress, journal } = settings;

  // Input to hidden
  const W1 = torch.randn(inputSize, hiddenSize).div(torch.sqrt(torch.tensor(inputSize)));
  W1.requiresGrad_();
  const b = torch.zeros(hiddenSize, { requiresGrad: true });

  // Hidden to output
  const W2 = torch.randn(hiddenSize, classes).div(torch.sqrt(torch.tensor(hiddenSize)));
  W2.requiresGrad_();

  const model = (images: Tensor): Tensor => {
    const x = images.reshape(-1, inputSize); // Flatten the image
    const z = x.matmul(W1).add(b); // First linear transformation
    const h = relu(z); // Hidden layer activation
    return softmax(h.matmul(W2)); // Second linear transformation, output layer activation
  };

  const parts = { W1, b, W2, loader: loaders.train };
  const at = await journal.restore(parts);
  const { history } = at;
  progress.begin(at.epoch, at.seconds);
  while (at.epoch < epochs) {
    for await (const [images, labels] of loaders.train) {
      const predictions = model(images);
      const loss = crossEntropyLoss(predictions, labels);
      loss.backward();

      // Gradient descent step
      torch.noGrad(() => {
        for (const p of [W1, b, W2]) {
          if (p.grad === null) continue;
          p.sub_(p.grad.mul(learningRate)); // Update parameters
          p.grad.zero_(); // Reset gradients
        }
      });

      at.epochLoss += loss.item();
      progress.step(at.step++, images.shape[0], loss.item());
      await journal.between(parts, { ...at, seconds: progress.seconds });
    }
    history.trainingLoss.push(at.epochLoss / loaders.train.length);

    torch.noGrad(() => {
      let validationLoss = 0;
      const predictions: Tensor[] = [];
      const targets: Tensor[] = [];
      for (const [images, labels] of loaders.validation) {
        const batch = model(images);
        validationLoss += crossEntropyLoss(batch, labels).item();
        predictions.push(batch);
        targets.push(labels);
      }
      history.validationLoss.push(validationLoss / loaders.validation.length);
      history.accuracy.push(accuracy(torch.cat(predictions), torch.cat(targets)).item());
    });

    progress.epoch(lastLine(history));
    Object.assign(at, { epoch: at.epoch + 1, step: 0, epochLoss: 0 });
  }
  return { history, predict: (images) => torch.noGrad(() => model(images)), state: { W1, b, W2 } };
}
