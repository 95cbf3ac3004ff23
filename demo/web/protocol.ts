/** What the page and the worker that holds the model say to each other. */

export type DatasetName = 'mnist' | 'fashion';
export type NetworkName = 'mlp' | 'cnn';

/** What a training is made of. A model file carries it, so that the file can be opened again. */
export interface Settings {
  readonly dataset: DatasetName;
  readonly network: NetworkName;
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  /** Neurons of the hidden layer. */
  readonly hidden: number;
  readonly seed: number;
  readonly device: string;
}

export type RunState = 'idle' | 'training' | 'paused' | 'finished' | 'stopped' | 'opened';

/** Where the worker runs. */
export interface Machine {
  readonly threads: number;
  readonly simd: boolean;
  readonly relaxedSimd: boolean;
  readonly devices: readonly string[];
  /** Why something is off. */
  readonly reasons: readonly string[];
}

export interface Sample {
  /** Grey levels in [0, 1], 28 × 28. */
  readonly pixels: Float32Array;
  readonly label: number;
  readonly probabilities: readonly number[];
}

export interface EpochResult {
  /** Counted from 1; 0 for a model from a file, as it came. */
  readonly epoch: number;
  /** NaN where nothing was trained. */
  readonly trainingLoss: number;
  readonly validationLoss: number;
  readonly accuracy: number;
  /** Seconds of training and of validation. */
  readonly seconds: number;
  /** True and predicted classes of the validation images. */
  readonly targets: Uint8Array;
  readonly predictions: Uint8Array;
  readonly samples: readonly Sample[];
}

export interface StepResult {
  readonly epoch: number;
  readonly step: number;
  readonly stepsPerEpoch: number;
  /** Mean loss since the last report. */
  readonly loss: number;
  /** Share of right answers in some of the batches since the last report, before their steps. */
  readonly accuracy: number;
  readonly samplesPerSecond: number;
}

/** Files of a data set that the user chose. */
export interface ChosenFiles {
  readonly trainImages: Blob;
  readonly trainLabels: Blob;
  readonly testImages: Blob;
  readonly testLabels: Blob;
}

export type Request =
  | { readonly type: 'load'; readonly dataset: DatasetName; readonly files?: ChosenFiles }
  | { readonly type: 'start'; readonly settings: Settings }
  | { readonly type: 'pause' | 'resume' | 'stop' | 'reset' | 'weights' | 'download' }
  /** `pixels`: grey levels in [0, 1], 28 × 28. */
  | { readonly type: 'predict'; readonly id: number; readonly pixels: Float32Array }
  | { readonly type: 'upload'; readonly file: File };

/** First-layer weights as pictures: of the linear layer's neurons with the largest weights, or the convolution's kernels. */
export interface WeightPictures {
  readonly size: number;
  readonly pictures: readonly Float32Array[];
}

export type Reply =
  | { readonly type: 'machine'; readonly machine: Machine }
  | {
      readonly type: 'data';
      readonly dataset: DatasetName;
      readonly classes: readonly string[];
      readonly count: number;
    }
  | { readonly type: 'state'; readonly state: RunState }
  /** A file was a model: what was known of the one before is past. */
  | { readonly type: 'opened' }
  /** A model can answer now; its settings, or null if there is none any more. */
  | { readonly type: 'model'; readonly settings: Settings | null; readonly text: string }
  | { readonly type: 'step'; readonly result: StepResult }
  | { readonly type: 'epoch'; readonly result: EpochResult }
  /** Null when there is no model. */
  | { readonly type: 'prediction'; readonly id: number; readonly probabilities: readonly number[] | null }
  | { readonly type: 'weights'; readonly weights: WeightPictures }
  | { readonly type: 'file'; readonly blob: Blob; readonly name: string }
  | { readonly type: 'error'; readonly message: string };
