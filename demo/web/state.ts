/** What the page knows, as signals, and the connection to the worker that tells it. */
import { batch, computed, signal } from '@preact/signals';
import type {
  ChosenFiles,
  DatasetName,
  EpochResult,
  Machine,
  Reply,
  Request,
  RunState,
  Settings,
  StepResult,
  WeightPictures,
} from './protocol.ts';

export const defaults: Settings = {
  dataset: 'mnist',
  network: 'mlp',
  epochs: 5,
  batchSize: 128,
  learningRate: 0.1,
  hidden: 500,
  seed: 7,
  device: 'cpu',
};

/** A point of a curve: epochs that have passed, and a value. */
export type Point = readonly [at: number, value: number];

export const machine = signal<Machine | null>(null);
export const settings = signal<Settings>(defaults);
export const runState = signal<RunState>('idle');
export const loaded = signal<{
  readonly [name in DatasetName]?: { classes: readonly string[]; count: number };
}>({});
export const loading = signal<DatasetName | null>(null);
export const model = signal<{ settings: Settings; text: string } | null>(null);
export const lastStep = signal<StepResult | null>(null);
export const epochs = signal<readonly EpochResult[]>([]);
export const stepLosses = signal<readonly Point[]>([]);
export const stepAccuracies = signal<readonly Point[]>([]);
export const weights = signal<WeightPictures | null>(null);
export const problem = signal<string | null>(null);

export const busy = computed(() => runState.value === 'training' || runState.value === 'paused');
export const classes = computed(() => {
  const of = model.value?.settings.dataset ?? settings.value.dataset;
  return loaded.value[of]?.classes ?? Array.from({ length: 10 }, (_, i) => String(i));
});

const worker = new Worker(new URL('worker.js', import.meta.url), { type: 'module', name: 'trainer' });
worker.onmessage = ({ data }: MessageEvent<Reply>) => batch(() => take(data));
worker.onerror = (event) => {
  problem.value = `The worker that trains could not run: ${event.message || 'its script was refused'}.`;
};
worker.onmessageerror = () => {
  problem.value = 'A message from the worker could not be read.';
};

const send = (request: Request): void => worker.postMessage(request);

const predictions = new Map<number, (probabilities: readonly number[] | null) => void>();
let nextPrediction = 0;

function take(reply: Reply): void {
  switch (reply.type) {
    case 'machine':
      machine.value = reply.machine;
      return;
    case 'data':
      loaded.value = { ...loaded.value, [reply.dataset]: { classes: reply.classes, count: reply.count } };
      loading.value = null;
      return;
    case 'state':
      runState.value = reply.state;
      return;
    case 'opened':
      forget();
      return;
    case 'model':
      model.value = reply.settings && { settings: reply.settings, text: reply.text };
      if (reply.settings === null) weights.value = null;
      return;
    case 'step':
      takeStep(reply.result);
      return;
    case 'epoch':
      epochs.value = [...epochs.value, reply.result];
      return;
    case 'prediction':
      predictions.get(reply.id)?.(reply.probabilities);
      predictions.delete(reply.id);
      return;
    case 'weights':
      weights.value = reply.weights;
      return;
    case 'file':
      offer(reply.blob, reply.name);
      return;
    case 'error':
      problem.value = reply.message;
      loading.value = null;
  }
}

function takeStep(result: StepResult): void {
  const { epoch, step, stepsPerEpoch, loss, accuracy } = result;
  const at = epoch - 1 + step / stepsPerEpoch;
  lastStep.value = result;
  stepLosses.value = [...stepLosses.value, [at, loss]];
  stepAccuracies.value = [...stepAccuracies.value, [at, accuracy]];
}

/** Lets the user save a file. */
function offer(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export function loadDataset(dataset: DatasetName, files?: ChosenFiles): void {
  if (files === undefined && loaded.value[dataset] !== undefined) return;
  loading.value = dataset;
  send({ type: 'load', dataset, ...(files && { files }) });
}

function forget(): void {
  batch(() => {
    epochs.value = [];
    stepLosses.value = [];
    stepAccuracies.value = [];
    lastStep.value = null;
    problem.value = null;
  });
}

export function start(): void {
  if (busy.value) return;
  forget();
  send({ type: 'start', settings: settings.value });
}

export const pause = (): void => send({ type: 'pause' });
export const resume = (): void => send({ type: 'resume' });
export const stop = (): void => send({ type: 'stop' });
export const downloadModel = (): void => send({ type: 'download' });

export function reset(): void {
  forget();
  send({ type: 'reset' });
}

export function uploadModel(file: File): void {
  problem.value = null;
  send({ type: 'upload', file });
}

/** Class probabilities of an image, from the model that is there; null if there is none. */
export function predict(pixels: Float32Array): Promise<readonly number[] | null> {
  const id = nextPrediction++;
  return new Promise((resolve) => {
    predictions.set(id, resolve);
    send({ type: 'predict', id, pixels });
  });
}
