/** A training that can be paused, and answers questions between steps. */
import * as torch from 'wasmgrad';
import { data, nn, optim, type Tensor } from 'wasmgrad';
import type { EpochResult, Sample, Settings, StepResult } from '../protocol.ts';
import type { Network } from './networks.ts';

const F = nn.functional;
/** Milliseconds of computing between two looks at the messages. */
const BREATH = 24;
/** Milliseconds between two reports. */
const REPORT = 150;
const SAMPLES = 12;
/** Steps between two batches whose right answers are counted: counting all would cost a step in thirty. */
const COUNT_EVERY = 8;
const CLASSES = 10;

type Batches = data.DataLoader<[Tensor, number], [Tensor, Tensor]>;

export interface Watcher {
  /** Lets messages in; waits while the training is paused. False ends the training. */
  breathe(): Promise<boolean>;
  step(result: StepResult): void;
  epoch(result: EpochResult): void;
}

/** Trains until the last epoch or until the watcher says no; true if it came to the end. */
export async function train(
  model: Network,
  training: data.Dataset<[Tensor, number]>,
  validation: data.Dataset<[Tensor, number]>,
  settings: Settings,
  watcher: Watcher,
): Promise<boolean> {
  const { batchSize, learningRate, device } = settings;
  const loader: Batches = new data.DataLoader(training, { batchSize, shuffle: true });
  const optimizer = new optim.SGD(model.parameters(), { lr: learningRate });
  for (let epoch = 1; epoch <= settings.epochs; epoch++) {
    const clock = new Clock();
    const losses = new Average(device);
    const hits = new Average(device);
    let reported = 0;
    let step = 0;
    let seen = 0;
    let epochLoss = 0;
    let accuracy = 0;
    for (const [images, labels] of loader) {
      const logits = model.forward(images.to(device));
      const targets = labels.to(device);
      const loss = F.crossEntropy(logits, targets);
      loss.backward();
      optimizer.step();
      optimizer.zeroGrad();
      losses.add(loss);
      if (step % COUNT_EVERY === 0) hits.add(logits.detach().argmax(1).eq(targets).float().mean());
      step++;
      seen += images.shape[0];
      if (clock.sinceBreath() < BREATH && step < loader.length) continue;
      if (clock.running() - reported > REPORT || step === loader.length) {
        const [mean, right] = await Promise.all([losses.take(), hits.take()]);
        epochLoss += mean.sum;
        accuracy = right.count > 0 ? right.sum / right.count : accuracy;
        const seconds = (clock.running() - reported) / 1000;
        watcher.step({
          epoch,
          step,
          stepsPerEpoch: loader.length,
          loss: mean.sum / mean.count,
          accuracy,
          samplesPerSecond: seen / seconds,
        });
        seen = 0;
        reported = clock.running();
      }
      const goOn = await clock.pausing(watcher.breathe());
      if (!goOn) return false;
    }
    const measured = await measure(model, validation, batchSize, device);
    watcher.epoch({
      epoch,
      trainingLoss: epochLoss / loader.length,
      seconds: clock.running() / 1000,
      ...measured,
    });
  }
  return true;
}

/** Time spent computing: pauses do not count. */
class Clock {
  #start = performance.now();
  #breath = performance.now();

  running(): number {
    return performance.now() - this.#start;
  }
  sinceBreath(): number {
    return performance.now() - this.#breath;
  }
  async pausing<T>(wait: Promise<T>): Promise<T> {
    const before = performance.now();
    const result = await wait;
    this.#breath = performance.now();
    this.#start += this.#breath - before;
    return result;
  }
}

/** Sums numbers where they are, so that one reading serves many steps. */
class Average {
  #sum: Tensor;
  #count = 0;
  constructor(device: string) {
    this.#sum = torch.zeros([], { device });
  }
  add(value: Tensor): void {
    torch.noGrad(() => this.#sum.add_(value));
    this.#count++;
  }
  async take(): Promise<{ sum: number; count: number }> {
    const [sum] = await this.#sum.read();
    const count = this.#count;
    this.#sum.zero_();
    this.#count = 0;
    return { sum: Number(sum), count };
  }
}

type Measured = Pick<EpochResult, 'validationLoss' | 'accuracy' | 'targets' | 'predictions' | 'samples'>;

/** How the network does on images that it did not see. */
export async function measure(
  model: Network,
  validation: data.Dataset<[Tensor, number]>,
  batchSize: number,
  device: string,
): Promise<Measured> {
  model.eval();
  const loader: Batches = new data.DataLoader(validation, { batchSize: Math.max(batchSize, 256) });
  const targets: number[] = [];
  const predictions: number[] = [];
  const samples: Sample[] = [];
  let loss = 0;
  let right = 0;
  for (const [images, labels] of loader) {
    const [probabilities, mean] = torch.noGrad(() => {
      const logits = model.forward(images.to(device));
      return [F.softmax(logits, 1), F.crossEntropy(logits, labels.to(device))] as const;
    });
    const p = await probabilities.read();
    loss += Number((await mean.read())[0]) * labels.shape[0];
    const pixels = images.data;
    for (const [i, label] of [...labels.data].entries()) {
      const row = Array.from({ length: CLASSES }, (_, c) => Number(p[i * CLASSES + c]));
      const predicted = row.indexOf(Math.max(...row));
      const truth = Number(label);
      targets.push(truth);
      predictions.push(predicted);
      if (predicted === truth) right++;
      const wrong = predicted !== truth && samples.filter(isWrong).length < SAMPLES / 3;
      if (samples.length < SAMPLES && (wrong || samples.length < (SAMPLES * 2) / 3)) {
        const image = Float32Array.from({ length: 784 }, (_, at) => Number(pixels[i * 784 + at]));
        samples.push({ pixels: image, label: truth, probabilities: row });
      }
    }
  }
  model.train();
  return {
    validationLoss: loss / validation.length,
    accuracy: right / validation.length,
    targets: Uint8Array.from(targets),
    predictions: Uint8Array.from(predictions),
    samples,
  };
}

const isWrong = ({ label, probabilities }: Sample): boolean =>
  probabilities.indexOf(Math.max(...probabilities)) !== label;
