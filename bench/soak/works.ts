/**
 * What programs do for hours, in small: a training of many steps, one of many passes over a small set, and models and
 * loaders that come and go. Each as a loop that never lets the event loop run, and as one that does.
 */
import * as torch from 'wasmgrad';
import { data, nn, optim, type Tensor } from 'wasmgrad';

/** One turn of the loop. */
type Turn = () => void;
type AsyncTurn = () => Promise<void>;

export interface Work {
  readonly name: string;
  readonly turns: number;
  /**
   * Turns before the first look: 15 to 20 s in Node, until it has compiled what it compiles and its heap has the size that it
   * needs. With half of that JavaScript's heap still grew by 2 %.
   */
  readonly warmUp: number;
  /** Makes everything that the loop holds. */
  start(): { turn: Turn; asyncTurn: AsyncTurn };
}

const F = nn.functional;
const FEATURES = 64;
const CLASSES = 10;

const network = (hidden: number): nn.Sequential =>
  new nn.Sequential(
    new nn.Linear(FEATURES, hidden),
    new nn.BatchNorm1d(hidden),
    new nn.ReLU(),
    new nn.Dropout(0.1),
    new nn.Linear(hidden, CLASSES),
  );

const samples = (count: number) =>
  new data.TensorDataset(torch.randn(count, FEATURES), torch.randint(CLASSES, [count]));

type Optimizer = optim.SGD | optim.Adam;

function step(model: nn.Sequential, optimizer: Optimizer, x: Tensor, y: Tensor): number {
  const loss = F.crossEntropy(model.forward(x), y);
  optimizer.zeroGrad();
  loss.backward();
  optimizer.step();
  const value = loss.item();
  if (!Number.isFinite(value)) throw new Error(`the loss is ${value}`);
  return value;
}

/** The reading of a batch that a validation makes: what it keeps is joined at the end. */
const predicted = (model: nn.Sequential, x: Tensor): Tensor => torch.noGrad(() => model.forward(x).argmax(1));

const steps: Work = {
  name: 'steps',
  turns: 100_000,
  warmUp: 100_000,
  start() {
    const model = network(32);
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.01, momentum: 0.9 });
    const turn = () => {
      const x = torch.randn(16, FEATURES);
      step(model, optimizer, x, torch.randint(CLASSES, [16]));
    };
    return {
      turn,
      asyncTurn: async () => {
        turn();
        await torch.tick();
      },
    };
  },
};

const epochs: Work = {
  name: 'epochs',
  turns: 1_000,
  warmUp: 3_000,
  start() {
    const model = network(64);
    const optimizer = new optim.Adam(model.parameters(), { lr: 0.001 });
    const scheduler = new optim.lrScheduler.StepLR(optimizer, 100, 0.9);
    const loader = new data.DataLoader(samples(1024), { batchSize: 64, shuffle: true });
    const validation = new data.DataLoader(samples(256), { batchSize: 64 });
    const end = (kept: readonly Tensor[], labels: readonly Tensor[]) => {
      scheduler.step();
      torch.cat(kept).eq(torch.cat(labels)).float().mean().item();
    };
    return {
      turn: () => {
        model.train();
        for (const [x, y] of loader) step(model, optimizer, x, y);
        model.eval();
        const batches = [...validation];
        end(
          batches.map(([x]) => predicted(model, x)),
          batches.map(([, y]) => y),
        );
      },
      asyncTurn: async () => {
        model.train();
        for await (const [x, y] of loader) {
          step(model, optimizer, x, y);
          await torch.tick();
        }
        model.eval();
        const kept: Tensor[] = [];
        const labels: Tensor[] = [];
        for await (const [x, y] of validation) {
          kept.push(predicted(model, x));
          labels.push(y);
        }
        end(kept, labels);
      },
    };
  },
};

const models: Work = {
  name: 'models and loaders',
  turns: 10_000,
  warmUp: 30_000,
  start() {
    const make = () => {
      const model = network(64);
      const optimizer = new optim.Adam(model.parameters());
      return { model, optimizer, loader: new data.DataLoader(samples(32), { batchSize: 16, shuffle: true }) };
    };
    return {
      turn: () => {
        const { model, optimizer, loader } = make();
        for (const [x, y] of loader) {
          step(model, optimizer, x, y);
          break; // a pass that is left open is dropped, too
        }
      },
      asyncTurn: async () => {
        const { model, optimizer, loader } = make();
        for await (const [x, y] of loader) {
          step(model, optimizer, x, y);
          break;
        }
        await torch.tick();
      },
    };
  },
};

export const WORKS: readonly Work[] = [steps, epochs, models];
