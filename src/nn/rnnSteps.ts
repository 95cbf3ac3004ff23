/** One step of each recurrent network; `gates` is the input's share, W_ih·x + b_ih, [B, gates·H]. */
import { linear } from '../ops/matmul.ts';
import type { Tensor } from '../tensor.ts';

const part = (x: Tensor, i: number, size: number): Tensor => x.narrow(-1, i * size, size);

export function rnnStep(
  gates: Tensor,
  h: Tensor,
  wHh: Tensor,
  bHh: Tensor | null,
  nonlinearity: 'tanh' | 'relu',
): Tensor {
  const sum = gates.add(linear<Tensor>(h, wHh, bHh));
  return nonlinearity === 'tanh' ? sum.tanh() : sum.relu();
}

export function gruStep(gates: Tensor, h: Tensor, wHh: Tensor, bHh: Tensor | null): Tensor {
  const size = h.shape[h.ndim - 1];
  const own = linear<Tensor>(h, wHh, bHh);
  const reset = part(gates, 0, size)
    .add(part(own, 0, size))
    .sigmoid();
  const update = part(gates, 1, size)
    .add(part(own, 1, size))
    .sigmoid();
  const candidate = part(gates, 2, size)
    .add(reset.mul(part(own, 2, size)))
    .tanh();
  return candidate.add(update.mul(h.sub(candidate)));
}

export function lstmStep(
  gates: Tensor,
  h: Tensor,
  c: Tensor,
  wHh: Tensor,
  bHh: Tensor | null,
  wHr: Tensor | null,
): [Tensor, Tensor] {
  const size = c.shape[c.ndim - 1];
  const sum = gates.add(linear<Tensor>(h, wHh, bHh));
  const input = part(sum, 0, size).sigmoid();
  const forget = part(sum, 1, size).sigmoid();
  const candidate = part(sum, 2, size).tanh();
  const output = part(sum, 3, size).sigmoid();
  const cell = forget.mul(c).add(input.mul(candidate));
  const hidden = output.mul(cell.tanh());
  return [wHr === null ? hidden : linear<Tensor>(hidden, wHr), cell];
}
