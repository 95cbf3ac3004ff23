/**
 * The tutorial's network, from bare tensors or with modules, trained by several processes: `npm start -- --distributed 2` starts them with mpirun; under a
 * launcher (`mpirun -np 2 node … --distributed`, srun) this process is one of them, and without any it trains alone.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import { parseArgs } from 'node:util';
import * as torch from 'wasmgrad';
import { data, nn, optim, type Tensor } from 'wasmgrad';
import * as dist from 'wasmgrad/distributed';
import { crossEntropyLoss, relu, softmax } from './fromScratch.ts';
import { loadDatasets } from './loadData.ts';

const F = nn.functional;

const HELP = `npm start -- --distributed N [options]

  --section N        2 from scratch, 3 modules                      (3)
  --distributed N    processes to start with mpirun; no number under mpirun or srun
  --epochs N         passes over the training data                 (5)
  --batch-size N     samples per step, of all processes together    (128)
  --lr X             learning rate                                  (0.1)
  --samples N        use only the first N training images           (all)
  --checkpoint FILE  save after every epoch, and resume from it if it is there`;

/** Starts the processes with the flags that they need. Returns the exit code of all of them. */
function startProcesses(count: number, args: string[]): number {
  const root = typeof process.getuid === 'function' && process.getuid() === 0;
  const flags = [
    ['-np', String(count), '--bind-to', 'none'],
    count > os.availableParallelism() ? ['--oversubscribe'] : [],
    root ? ['--allow-run-as-root'] : [],
  ].flat();
  const version = spawnSync('mpirun', ['--version'], { encoding: 'utf8' });
  if (version.error) {
    console.error(
      '--distributed needs MPI: apt-get install openmpi-bin (Debian, Ubuntu), brew install open-mpi (Mac), or the MPI ' +
        'module of a cluster',
    );
    return 2;
  }
  const openMpi = /Open MPI|Open RTE|PRTE/.test(version.stdout);
  const launcher = openMpi ? flags : ['-np', String(count)];
  // Node 20 has relaxed SIMD behind a flag, which this process set for itself only.
  const relaxed =
    Number(process.versions.node.split('.')[0]) > 20 ? [] : ['--experimental-wasm-relaxed-simd'];
  const program = [process.execPath, ...relaxed, process.argv[1], '--distributed', ...args];
  const child = spawnSync('mpirun', [...launcher, ...program], { stdio: 'inherit' });
  return child.status ?? 1;
}

/** `args`: those of the command line without `--distributed`. */
export async function trainDistributed(args: string[]): Promise<void> {
  const count = /^\d+$/.test(args[0] ?? '') ? Number(args[0]) : 0;
  const rest = count > 0 ? args.slice(1) : args;
  if (rest.includes('--help')) return console.log(HELP);
  const settings = readSettings(rest);
  if (count > 0 && !dist.isLaunched()) {
    process.exitCode = startProcesses(count, rest);
    return;
  }
  dist.initProcessGroup();
  await train(settings);
  dist.destroyProcessGroup();
}

function parseOptions(args: string[]) {
  const text = (value: string) => ({ type: 'string' as const, default: value });
  const options = {
    section: text('3'),
    epochs: text('5'),
    'batch-size': text('128'),
    lr: text('0.1'),
    samples: text('60000'),
    checkpoint: { type: 'string' as const },
  };
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    throw new Error(`--distributed: ${(error as Error).message}\nTry: npm start -- --distributed --help`);
  }
}

/** @throws Error that names the option which cannot be used */
function readSettings(args: string[]): Settings {
  const values = parseOptions(args);
  const positive = (name: 'epochs' | 'batch-size' | 'lr' | 'samples'): number => {
    const x = Number(values[name]);
    if (x > 0 && (name === 'lr' ? Number.isFinite(x) : Number.isInteger(x))) return x;
    throw new Error(
      `--${name} must be a positive ${name === 'lr' ? '' : 'whole '}number, but got '${values[name]}'`,
    );
  };
  if (values.section !== '2' && values.section !== '3') {
    throw new Error(
      `--section must be 2 (from scratch) or 3 (modules) beside --distributed, but got '${values.section}'`,
    );
  }
  return {
    section: values.section,
    epochs: positive('epochs'),
    batchSize: positive('batch-size'),
    lr: positive('lr'),
    samples: positive('samples'),
    checkpoint: values.checkpoint,
  };
}

interface Settings {
  section: '2' | '3';
  epochs: number;
  batchSize: number;
  lr: number;
  samples: number;
  checkpoint: string | undefined;
}

/** What the loop of epochs needs of a network. */
interface Network {
  readonly parts: Readonly<Record<string, object>>;
  readonly state: () => Readonly<Record<string, Tensor>>;
  readonly loss: (images: Tensor, labels: Tensor) => Tensor;
  /** Scores or probabilities [n, 10], on this process alone. */
  readonly predict: (images: Tensor) => Tensor;
  /** Changes the parameters by their gradients. */
  readonly update: () => void;
}

/** Section 2: every process starts from the weights of process 0, and averages the gradients by itself. */
function fromScratch(lr: number): Network {
  const W1 = torch.randn(784, 500).div(torch.sqrt(torch.tensor(784)));
  const b = torch.zeros(500);
  const W2 = torch.randn(500, 10).div(torch.sqrt(torch.tensor(500)));
  const parameters = [W1, b, W2];
  for (const p of parameters) {
    dist.broadcast(p, 0);
    p.requiresGrad_();
  }
  const predict = (images: Tensor) => {
    const h = relu(images.reshape(-1, 784).matmul(W1).add(b));
    return softmax(h.matmul(W2));
  };
  return {
    parts: { W1, b, W2 },
    state: () => ({ W1, b, W2 }),
    predict,
    loss: (images, labels) => crossEntropyLoss(predict(images), labels),
    update: () =>
      torch.noGrad(() => {
        for (const p of parameters) {
          if (p.grad === null) continue;
          dist.allReduce(p.grad, { op: 'mean' });
          p.sub_(p.grad.mul(lr));
          p.grad.zero_();
        }
      }),
  };
}

/** Section 3: DistributedDataParallel averages the gradients while the backward pass goes on. */
function withModules(lr: number): Network {
  const model = new dist.DistributedDataParallel(
    new nn.Sequential(new nn.Flatten(), new nn.Linear(784, 500), new nn.ReLU(), new nn.Linear(500, 10)),
  );
  const optimizer = new optim.SGD(model.parameters(), { lr, momentum: 0.9 });
  return {
    parts: { model, optimizer },
    state: () => model.stateDict(),
    predict: (images) => model.module.forward(images),
    loss: (images, labels) => F.crossEntropy(model.forward(images), labels),
    update: () => {
      optimizer.step();
      optimizer.zeroGrad();
    },
  };
}

async function train({ section, epochs, batchSize, lr, samples, checkpoint }: Settings): Promise<void> {
  const engine = await torch.init();
  const size = dist.getWorldSize();
  dist.log(
    `${size} process${size > 1 ? 'es' : ''} of ${engine.threads} thread${engine.threads > 1 ? 's' : ''} each`,
  );
  const sets = await loadDatasets({ dataset: 'mnist', data: undefined, download: false, batchSize });
  const trainData = new data.Subset(sets.train, [...new Array(Math.min(samples, sets.train.length)).keys()]);
  torch.manualSeed(7);
  const network = section === '2' ? fromScratch(lr) : withModules(lr);
  const part = Math.max(1, Math.floor(batchSize / size));
  const sampler = new dist.DistributedSampler(trainData);
  const loader = new data.DataLoader(trainData, { batchSize: part, sampler });
  const testSampler = new dist.DistributedSampler(sets.test, { shuffle: false });
  const testLoader = new data.DataLoader(sets.test, { batchSize: part, sampler: testSampler });

  let epoch = 0;
  if (checkpoint !== undefined && dist.allGatherObject(fs.existsSync(checkpoint))[0]) {
    ({ epoch } = await dist.loadCheckpoint<{ epoch: number }>(checkpoint, network.parts));
    dist.log(`resumed after epoch ${epoch}`);
  }
  for (; epoch < epochs; epoch++) {
    const start = performance.now();
    sampler.setEpoch(epoch);
    let total = 0;
    for (const [images, labels] of loader) {
      const loss = network.loss(images, labels);
      loss.backward();
      network.update();
      total += loss.item();
    }
    const seconds = (performance.now() - start) / 1000;
    let right = 0;
    torch.noGrad(() => {
      for (const [images, labels] of testLoader)
        right += network.predict(images).argmax(1).eq(labels).sum().item();
    });
    const means = dist.averageMetrics({ loss: total / loader.length, accuracy: right / testSampler.length });
    dist.log(
      `Epoch ${epoch + 1}: Training Loss: ${means.loss.toFixed(7)}, Test Accuracy: ${means.accuracy.toFixed(4)}, ${seconds.toFixed(2)} s`,
    );
    if (checkpoint !== undefined)
      await dist.saveCheckpoint(checkpoint, { ...network.parts, epoch: epoch + 1 });
  }
  const digest = createHash('sha256');
  for (const x of Object.values(network.state())) digest.update(x.data);
  const all = dist.allGatherObject(digest.digest('hex').slice(0, 16));
  dist.log(
    all.every((one) => one === all[0])
      ? `parameters ${all[0]}, the same bits on every process`
      : `parameters differ between the processes: ${all.join(' ')}`,
  );
}
