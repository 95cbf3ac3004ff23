/**
 * `npm run verify:pytorch`: trains networks here and goes on in PyTorch, then the other way, by files alone: weights as
 * safetensors, the optimiser's state in a checkpoint, and back as `torch.save` wrote them. Needs a python3 with torch and
 * numpy (PYTHON names another one). Ends with 1 if outputs or weights are further apart than rounding makes them.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import * as torch from 'wasmgrad';
import { nn, optim, type Tensor } from 'wasmgrad';
import { loadNpz, loadTorch, save, saveCheckpoint, saveNpz } from 'wasmgrad/io';

const STEPS = 3;
/** As a part of the largest value: after three steps of float32 with other orders of summation. */
const TOLERANCE = 1e-5;

class Recurrent extends nn.Module {
  lstm = new nn.LSTM(5, 6, { numLayers: 2, batchFirst: true, bidirectional: true });
  head = new nn.Linear(12, 3);
  forward(x: Tensor): Tensor {
    return this.head.forward(this.lstm.forward(x)[0].select(1, -1));
  }
}

class Attentive extends nn.Module {
  encoder = new nn.TransformerEncoder(
    new nn.TransformerEncoderLayer(8, 2, 16, { dropout: 0, batchFirst: true }),
    2,
  );
  head = new nn.Linear(8, 3);
  forward(x: Tensor): Tensor {
    return this.head.forward(this.encoder.forward(x).mean(1));
  }
}

type Network = nn.Module & { forward(x: Tensor): Tensor };
type Parameters = ReturnType<nn.Module['parameters']>;

interface Case {
  readonly inputs: readonly number[];
  readonly network: () => Network;
  readonly optimizer: (parameters: Parameters) => optim.Optimizer;
}

/**
 * Gradients that are zero but for rounding (a bias before a batch norm, that of the keys of an attention) are left out or
 * kept small by `eps`: Adam would make whole steps of them, up here and down there.
 */
const cases: Readonly<Record<string, Case>> = {
  linear: {
    inputs: [5, 6],
    network: () => new nn.Sequential(new nn.Linear(6, 8), new nn.ReLU(), new nn.Linear(8, 3)),
    optimizer: (p) => new optim.SGD(p, { lr: 0.1, momentum: 0.9, nesterov: true }),
  },
  convolution: {
    inputs: [5, 2, 8, 8],
    network: () =>
      new nn.Sequential(
        new nn.Conv2d(2, 4, 3, { padding: 1, bias: false }),
        new nn.BatchNorm2d(4),
        new nn.ReLU(),
        new nn.MaxPool2d(2),
        new nn.Flatten(),
        new nn.Linear(64, 3),
      ),
    optimizer: (p) => new optim.Adam(p, { lr: 0.01, amsgrad: true }),
  },
  lstm: {
    inputs: [5, 7, 5],
    network: () => new Recurrent(),
    optimizer: (p) => new optim.RMSprop(p, { lr: 0.01, momentum: 0.5, centered: true }),
  },
  transformer: {
    inputs: [5, 7, 8],
    network: () => new Attentive(),
    optimizer: (p) => new optim.AdamW(p, { lr: 0.01, eps: 1e-3 }),
  },
};

function train(model: Network, optimizer: optim.Optimizer, x: Tensor, y: Tensor): Record<string, Tensor> {
  model.train();
  for (let step = 0; step < STEPS; step++) {
    optimizer.zeroGrad();
    nn.functional.crossEntropy(model.forward(x), y).backward();
    optimizer.step();
  }
  return Object.fromEntries(Object.entries(model.stateDict()).map(([name, one]) => [name, one.clone()]));
}

function outputs(model: Network, x: Tensor): Tensor {
  model.eval();
  return torch.noGrad(() => model.forward(x));
}

/** The largest difference, as a part of the largest value. */
function distance(ours: Tensor, theirs: Tensor): number {
  const a = ours.double();
  return a.sub(theirs.double()).abs().max().item() / Math.max(1, a.abs().max().item());
}

function farthest(ours: Record<string, Tensor>, theirs: Record<string, Tensor>): number {
  const names = Object.keys(ours);
  if (names.join() !== Object.keys(theirs).join())
    throw new Error(`different names: ${names} and ${Object.keys(theirs)}`);
  return Math.max(...names.map((name) => distance(ours[name], theirs[name])));
}

interface Given {
  readonly x: Tensor;
  readonly y: Tensor;
}

/** Trains a network, saves it, and writes down what it gives and where it goes from there. */
async function give(folder: string, name: string): Promise<Given> {
  const { inputs, network, optimizer: make } = cases[name];
  const x = torch.randn(inputs);
  const y = torch.randint(3, [inputs[0]]);
  const model = network();
  const optimizer = make(model.parameters());
  train(model, optimizer, x, y);
  await save(model, path.join(folder, `${name}.safetensors`));
  await saveCheckpoint(path.join(folder, `${name}.checkpoint`), { model, optimizer });
  const seen = outputs(model, x);
  const later = train(model, optimizer, x, y);
  await saveNpz({ x, y, outputs: seen, ...later }, path.join(folder, `${name}.given.npz`));
  return { x, y };
}

/** Goes on with what PyTorch saved. */
async function take(folder: string, name: string, { x, y }: Given): Promise<Distances> {
  const { network, optimizer: make } = cases[name];
  const saved = await loadTorch<{ model: never; optimizer: never; outputs: Tensor }>(
    path.join(folder, `${name}.pt`),
  );
  const model = network();
  const optimizer = make(model.parameters());
  model.loadStateDict(saved.model);
  optimizer.loadStateDict(saved.optimizer);
  return {
    outputs: distance(outputs(model, x), saved.outputs),
    weights: farthest(train(model, optimizer, x, y), await loadNpz(path.join(folder, `${name}.later.npz`))),
  };
}

interface Distances {
  readonly outputs: number;
  readonly weights: number;
}

function inPyTorch(folder: string): { torch: string; seen: Record<string, Distances> } {
  const command = process.env.PYTHON ?? 'python3';
  const { status, stdout, error } = spawnSync(command, ['test/exchange/exchange.py', folder], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ended with ${status}; it needs torch and numpy`);
  return JSON.parse(stdout);
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'wasmgrad-exchange-'));
try {
  torch.manualSeed(7);
  const given: Record<string, Given> = {};
  for (const name of Object.keys(cases)) given[name] = await give(folder, name);
  const { torch: version, seen } = inPyTorch(folder);
  console.log(`PyTorch ${version}; the largest differences, as parts of the largest values`);
  console.log('                saved here, read there      saved there, read here');
  console.log('                outputs    3 steps later    outputs    3 steps later');
  let good = true;
  for (const name of Object.keys(cases)) {
    const back = await take(folder, name, given[name]);
    const all = [seen[name].outputs, seen[name].weights, back.outputs, back.weights];
    if (!all.every((one) => one <= TOLERANCE)) good = false;
    console.log(name.padEnd(16) + all.map((one, i) => one.toExponential(1).padEnd(i % 2 ? 17 : 11)).join(''));
  }
  console.log(good ? 'all within rounding' : `some are beyond ${TOLERANCE}`);
  process.exitCode = good ? 0 : 1;
} finally {
  fs.rmSync(folder, { recursive: true });
}
