// What every sample does: the first section of the tutorial, and steps of training whose numbers are known to the last
// bit. Plain JavaScript, so that it runs wherever the package does.
import * as torch from 'wasmgrad';
import { nn, optim } from 'wasmgrad';

/** The tutorial's first section, printed. */
function tutorial() {
  torch.manualSeed(7);
  const lines = [];
  const print = (x) => lines.push(String(x));
  const a = torch.tensor([1, 2, 3]);
  const b = torch.tensor([4, 5, 6]);
  print(a.add(3));
  print(a.matmul(b));
  a.requiresGrad = true;
  b.requiresGrad = true;
  const value = torch.sum(torch.sin(a).add(torch.cos(b)));
  value.backward();
  print(a.grad);
  print(b.grad);
  torch.sum(a).backward();
  print(a.grad);
  a.grad.zero_();
  b.grad = null;
  print(a.grad);
  return lines;
}

/** Five steps on drawn data, large enough for threads to take part. */
function train() {
  torch.manualSeed(7);
  const images = torch.randn(128, 784);
  const labels = torch.randint(0, 10, [128]);
  const model = new nn.Sequential(
    new nn.Linear(784, 256),
    new nn.ReLU(),
    new nn.Dropout(0.1),
    new nn.Linear(256, 10),
  );
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
  const losses = [];
  for (let step = 0; step < 5; step++) {
    const loss = nn.functional.crossEntropy(model.forward(images), labels);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    losses.push(loss.item());
  }
  return { losses, weights: hash(model.parameters()), model: String(model) };
}

/** FNV-1a over the bytes of tensors. */
function hash(tensors) {
  let h = 0x811c9dc5;
  for (const { data } of tensors)
    for (const byte of new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
      h = Math.imul(h ^ byte, 0x01000193);
  return (h >>> 0).toString(16);
}

/**
 * Everything with two threads where they can be had, and with the same bits on every engine.
 * @param {import('wasmgrad').InitOptions} options
 */
export async function check(options = {}) {
  const { threads } = await torch.init({ deterministic: true, threads: 2, ...options });
  const lines = tutorial();
  const trained = train();
  const { reasons } = torch.backendInfo();
  return { lines, ...trained, threads, reasons };
}
