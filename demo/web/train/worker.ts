/** The worker that holds data and model, so that the page never waits. */
import * as torch from 'wasmgrad';
import { nn, type Tensor } from 'wasmgrad';
import { openSafetensors, toBlob } from 'wasmgrad/io';
import type { ChosenFiles, DatasetName, Machine, Reply, Request, RunState, Settings } from '../protocol.ts';
import { type ImageSets, loadImages, split } from './dataset.ts';
import { FullyConnected, makeNetwork, type Network } from './networks.ts';
import { measure, train } from './trainer.ts';

const WEIGHT_PICTURES = 24;
/** Where a model file says what it was trained on. */
const DATASET_KEY = 'dataset';

const reply = (message: Reply, transfer: Transferable[] = []): void => postMessage(message, { transfer });

class Session {
  #sets = new Map<DatasetName, Promise<ImageSets>>();
  #model: { network: Network; settings: Settings } | null = null;
  #state: RunState = 'idle';
  /** Trainings begun so far: one that was stopped while it waited finds another number here. */
  #runs = 0;
  #goOn: () => void = () => {};

  async load(name: DatasetName, files?: ChosenFiles): Promise<void> {
    const sets = files === undefined ? this.#served(name) : loadImages(name, files);
    const { train, classes } = await sets;
    this.#sets.set(name, sets);
    reply({ type: 'data', dataset: name, classes, count: train.length });
  }

  /** Images that are served with the page, asked for once. */
  #served(name: DatasetName): Promise<ImageSets> {
    const known = this.#sets.get(name) ?? loadImages(name, undefined);
    this.#sets.set(name, known);
    known.catch(() => this.#sets.delete(name));
    return known;
  }

  async start(settings: Settings): Promise<void> {
    if (this.#isBusy()) return;
    const run = ++this.#runs;
    const goesOn = (): boolean => run === this.#runs && this.#isBusy();
    const breathe = async (): Promise<boolean> => {
      await this.#breathe();
      return goesOn();
    };
    this.#enter('training');
    try {
      const sets = await this.#served(settings.dataset);
      if (settings.device === 'webgpu') await torch.webgpu();
      if (!(await breathe())) return;
      torch.manualSeed(settings.seed);
      const [training, validation] = split(sets);
      const network = makeNetwork(settings);
      this.#use(network, settings);
      const finished = await train(network, training, validation, settings, {
        breathe,
        step: (result) => reply({ type: 'step', result }),
        epoch: (result) => {
          if (!goesOn()) return;
          reply({ type: 'epoch', result });
          this.weights();
        },
      });
      if (finished && goesOn()) this.#enter('finished');
    } catch (error) {
      if (goesOn()) this.#enter('stopped');
      throw error;
    }
  }

  #isBusy(): boolean {
    return this.#state === 'training' || this.#state === 'paused';
  }

  /** Lets messages in; while paused, waits for the one that ends the pause. */
  async #breathe(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve));
    while (this.#state === 'paused') await new Promise<void>((resolve) => (this.#goOn = resolve));
  }

  pause(): void {
    if (this.#state === 'training') this.#enter('paused');
  }
  resume(): void {
    if (this.#state === 'paused') this.#enter('training');
  }
  stop(): void {
    if (this.#isBusy()) this.#enter('stopped');
  }
  reset(): void {
    this.stop();
    this.#model = null;
    reply({ type: 'model', settings: null, text: '' });
    this.#enter('idle');
  }

  #enter(state: RunState): void {
    this.#state = state;
    reply({ type: 'state', state });
    this.#goOn();
  }

  #use(network: Network, settings: Settings): void {
    this.#model = { network, settings };
    reply({ type: 'model', settings, text: String(network) });
    this.weights();
  }

  async predict(id: number, pixels: Float32Array): Promise<void> {
    if (this.#model === null) return reply({ type: 'prediction', id, probabilities: null });
    const { network, settings } = this.#model;
    const image = torch.tensor(pixels).reshape(1, 1, 28, 28).to(settings.device);
    const p = torch.noGrad(() => nn.functional.softmax(network.forward(image), 1));
    const probabilities = Array.from(await p.read(), Number);
    reply({ type: 'prediction', id, probabilities });
  }

  /** What the first layer looks for, as pictures. */
  async weights(): Promise<void> {
    if (this.#model === null) return;
    const { network } = this.#model;
    const [weight, size] =
      network instanceof FullyConnected ? [network.linear_1.weight, 28] : [network.conv_1.weight, 5];
    const rows: Tensor = weight.detach().reshape(-1, size * size);
    const count = Math.min(WEIGHT_PICTURES, rows.shape[0]);
    const { indices } = torch.topk(rows.square().sum(1), count);
    const values = (await rows.indexSelect(0, indices).read()) as Float32Array;
    const pictures = Array.from({ length: count }, (_, i) =>
      values.slice(i * size * size, (i + 1) * size * size),
    );
    reply({ type: 'weights', weights: { size, pictures } });
  }

  async download(): Promise<void> {
    if (this.#model === null) return;
    const { network, settings } = this.#model;
    const state = Object.fromEntries(
      Object.entries(network.stateDict()).map(([name, tensor]) => [name, tensor.cpu()]),
    );
    const blob = await toBlob(state, { metadata: { format: 'pt', [DATASET_KEY]: settings.dataset } });
    reply({ type: 'file', blob, name: `${settings.dataset}-${settings.network}.safetensors` });
  }

  /** A model from a file: it answers drawings at once, and is measured if the images are there. */
  async upload(file: File): Promise<void> {
    const { network, settings } = await read(file).catch((error: unknown) => {
      throw new Error(`No model of this page: ${error instanceof Error ? error.message : error}`);
    });
    this.stop();
    reply({ type: 'opened' });
    this.#use(network, settings);
    this.#enter('opened');
    const sets = await this.#sets.get(settings.dataset);
    if (sets === undefined || this.#model?.network !== network || this.#state !== 'opened') return;
    const start = performance.now();
    const measured = await measure(network, sets.test, settings.batchSize, settings.device);
    const seconds = (performance.now() - start) / 1000;
    reply({ type: 'epoch', result: { epoch: 0, trainingLoss: Number.NaN, seconds, ...measured } });
  }
}

/** The model in a file: its weights say which network it is. */
async function read(file: File): Promise<{ network: Network; settings: Settings }> {
  await using opened = await openSafetensors(file);
  const state: Record<string, Tensor> = {};
  for (const name of opened.keys()) state[name] = await opened.get(name);
  const settings = settingsFor(state, opened.metadata[DATASET_KEY] === 'fashion' ? 'fashion' : 'mnist');
  const network = makeNetwork(settings);
  network.loadStateDict(state);
  return { network, settings };
}

/** The settings whose network has these weights. @throws Error naming what the file holds instead */
function settingsFor(state: Record<string, Tensor>, dataset: DatasetName): Settings {
  const hidden = state['linear_1.weight']?.shape[0];
  const network = 'conv_1.weight' in state ? 'cnn' : 'mlp';
  if (hidden === undefined) {
    throw new Error(
      `The file holds ${Object.keys(state).slice(0, 4).join(', ') || 'no tensors'}; a model of this page has linear_1.weight.`,
    );
  }
  return {
    dataset,
    network,
    hidden,
    epochs: 0,
    batchSize: 128,
    learningRate: 0.1,
    seed: 7,
    device: 'cpu',
  };
}

/** Whether the browser would give this page a GPU. */
async function hasGPU(): Promise<boolean> {
  if (!('gpu' in navigator)) return false;
  const adapter = await navigator.gpu.requestAdapter().catch(() => null);
  return adapter !== null;
}

async function describeMachine(): Promise<Machine> {
  const { threads, simd, relaxedSimd, reasons } = await torch.init();
  return { threads, simd, relaxedSimd, reasons, devices: (await hasGPU()) ? ['cpu', 'webgpu'] : ['cpu'] };
}

const session = new Session();

async function handle(request: Request): Promise<void> {
  switch (request.type) {
    case 'load':
      return session.load(request.dataset, request.files);
    case 'start':
      return session.start(request.settings);
    case 'predict':
      return session.predict(request.id, request.pixels);
    case 'upload':
      return session.upload(request.file);
    default:
      return session[request.type]();
  }
}

self.onmessage = ({ data: request }: MessageEvent<Request>) => {
  handle(request).catch((error: unknown) =>
    reply({ type: 'error', message: error instanceof Error ? error.message : String(error) }),
  );
};

describeMachine().then(
  (machine) => reply({ type: 'machine', machine }),
  (error: unknown) => reply({ type: 'error', message: String(error) }),
);
