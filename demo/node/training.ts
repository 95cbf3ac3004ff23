/** What both networks share: data, the measure of performance, and the book that is kept of a training. */
import type { data, Tensor } from 'wasmgrad';
import type { Progress } from './progress.ts';

export interface Loaders {
  readonly train: data.DataLoader<[Tensor, number], [Tensor, Tensor]>;
  readonly validation: data.DataLoader<[Tensor, number], [Tensor, Tensor]>;
  readonly test: data.DataLoader<[Tensor, number], [Tensor, Tensor]>;
}

/** How far a training is. */
export interface Place {
  epoch: number;
  /** Steps of this epoch that are done. */
  step: number;
  /** The sum of their losses. */
  epochLoss: number;
  /** Time spent before the last start. */
  readonly seconds: number;
  readonly history: History;
}

/** Where a training comes from, and where it may be saved and stopped. */
export interface Journal {
  /** Puts these parts back to where they were saved, if they were, and tells where that is. */
  restore(parts: Readonly<Record<string, object>>): Promise<Place>;
  /** Between two steps. */
  between(parts: Readonly<Record<string, object>>, place: Place): Promise<void>;
}

export interface Settings {
  readonly loaders: Loaders;
  readonly epochs: number;
  readonly learningRate: number;
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly classes: number;
  /** Where to compute: 'cpu' or 'webgpu'. */
  readonly device: string;
  readonly progress: Progress;
  readonly journal: Journal;
}

/** One row per epoch. */
export interface History {
  readonly trainingLoss: number[];
  readonly validationLoss: number[];
  readonly accuracy: number[];
}

export interface Trained {
  readonly history: History;
  /** Class probabilities [n, classes] of a batch of images. */
  readonly predict: (images: Tensor) => Tensor;
  /** The weights by name. */
  readonly state: Readonly<Record<string, Tensor>>;
}

/** The share of samples whose most probable class is the right one. */
export const accuracy = (predictions: Tensor, targets: Tensor): Tensor =>
  predictions.argmax(1).eq(targets).float().mean();

export function newHistory(): History {
  return { trainingLoss: [], validationLoss: [], accuracy: [] };
}

/** The mean of 0-d tensors, read together. */
export async function meanOf(values: readonly Tensor[]): Promise<number> {
  const read = await Promise.all(values.map((value) => value.itemAsync()));
  return read.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The line that the tutorial prints after every epoch. */
export function lastLine({ trainingLoss, validationLoss, accuracy: acc }: History): string {
  const last = (list: number[]) => list[list.length - 1].toFixed(4);
  return `Training Loss: ${last(trainingLoss)}, Validation Loss: ${last(validationLoss)}, Accuracy: ${last(acc)}`;
}
