/** Section 2 of the tutorial: a fully connected network from bare tensors. */

import type { Tensor } from 'wasmgrad';
import * as torch from 'wasmgrad';
import { accuracy, lastLine, meanOf, type Settings, type Trained } from './training.ts';

/** The mean cross-entropy between predicted probabilities and the true classes. */
export function crossEntropyLoss(predictions: Tensor, targets: Tensor): Tensor {
  const targetPredictions = predictions.index(
    torch.arange(predictions.shape[0], { device: targets.device }),
    targets,
  );
  return torch.log(targetPredictions).mean().neg();
}

/** Rectified linear unit activation function. */
export const relu = (x: Tensor): Tensor => torch.maximum(x, 0);

/** Softmax activation function. */
export const softmax = (x: Tensor): Tensor => torch.exp(x).div(torch.exp(x).sum(-1, true));

export async function trainFromScratch(settings: Settings): Promise<Trained> {
  const { loaders, epochs, learningRate, inputSize, hiddenSize, classes, device, progress, journal } =
    settings;

  // Input to hidden
  const W1 = torch
    .randn(inputSize, hiddenSize)
    .div(torch.sqrt(torch.tensor(inputSize)))
    .to(device);
  W1.requiresGrad_();
  const b = torch.zeros(hiddenSize, { requiresGrad: true, device });

  // Hidden to output
  const W2 = torch
    .randn(hiddenSize, classes)
    .div(torch.sqrt(torch.tensor(hiddenSize)))
    .to(device);
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
      const predictions = model(images.to(device));
      const loss = crossEntropyLoss(predictions, labels.to(device));
      loss.backward();

      // Gradient descent step
      torch.noGrad(() => {
        for (const p of [W1, b, W2]) {
          if (p.grad === null) continue;
          p.sub_(p.grad.mul(learningRate)); // Update parameters
          p.grad.zero_(); // Reset gradients
        }
      });

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
        const batch = model(images.to(device));
        losses.push(crossEntropyLoss(batch, labels.to(device)));
        predictions.push(batch);
        targets.push(labels.to(device));
      }
    });
    history.validationLoss.push(await meanOf(losses));
    history.accuracy.push(await accuracy(torch.cat(predictions), torch.cat(targets)).itemAsync());

    progress.epoch(lastLine(history));
    Object.assign(at, { epoch: at.epoch + 1, step: 0, epochLoss: 0 });
  }
  return { history, predict: (images) => torch.noGrad(() => model(images.to(device))), state: { W1, b, W2 } };
}
