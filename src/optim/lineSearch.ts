/** A line search for the strong Wolfe conditions: bracketing, then zooming in with cubic interpolation. */
import type { Tensor } from '../tensor.ts';

/** The function along a line: its value, its gradient, and the derivative along the line. */
export interface Point {
  readonly loss: number;
  readonly gradient: Tensor;
  readonly slope: number;
}
export type Phi = (step: number) => Point;

interface End extends Point {
  readonly step: number;
}

const C1 = 1e-4;
const C2 = 0.9;
const TOLERANCE = 1e-9;

/** The minimum of the cubic through two values and slopes, within bounds (Nocedal and Wright, 3.59). */
function cubicMinimum(a: End, b: End, low: number, high: number): number {
  const [p, q] = a.step <= b.step ? [a, b] : [b, a];
  const d1 = p.slope + q.slope - (3 * (p.loss - q.loss)) / (p.step - q.step);
  const square = d1 * d1 - p.slope * q.slope;
  if (!(square >= 0)) return (low + high) / 2;
  const d2 = Math.sqrt(square);
  const at = q.step - (q.step - p.step) * ((q.slope + d2 - d1) / (q.slope - p.slope + 2 * d2));
  return Math.min(Math.max(at, low), high);
}

/**
 * A step with f(t) ≤ f(0) + c₁·t·f′(0) and |f′(t)| ≤ c₂·|f′(0)| (Nocedal and Wright, algorithms 3.5 and 3.6, with the
 * bounds of minFunc, as PyTorch). `size` is the largest element of the direction; there are `mostSteps` at most, and the
 * first evaluation.
 */
export function strongWolfe(
  phi: Phi,
  first: number,
  size: number,
  start: Point,
  mostSteps: number,
): { point: Point; step: number; evaluations: number } {
  const decreases = (p: End) => p.loss <= start.loss + C1 * p.step * start.slope;
  const flat = (p: Point) => Math.abs(p.slope) <= -C2 * start.slope;
  const at = (step: number): End => ({ step, ...phi(step) });
  let previous: End = { step: 0, ...start };
  let current = at(first);
  let evaluations = 1;
  let bracket: End[] | null = null;
  let done = false;
  let steps = 0;
  for (; steps < mostSteps; steps++) {
    if (!decreases(current) || (steps > 1 && current.loss >= previous.loss)) {
      bracket = [previous, current];
      break;
    }
    if (flat(current)) {
      bracket = [current];
      done = true;
      break;
    }
    if (current.slope >= 0) {
      bracket = [previous, current];
      break;
    }
    const low = current.step + 0.01 * (current.step - previous.step);
    const next = cubicMinimum(previous, current, low, current.step * 10);
    previous = current;
    current = at(next);
    evaluations++;
  }
  bracket ??= [{ step: 0, ...start }, current];
  let [low, high] = bracket.length < 2 ? [0, 0] : bracket[0].loss <= bracket[1].loss ? [0, 1] : [1, 0];
  let stuck = false;
  while (!done && steps < mostSteps) {
    const [left, right] = [Math.min(...bracket.map((p) => p.step)), Math.max(...bracket.map((p) => p.step))];
    if ((right - left) * size < TOLERANCE) break;
    let step = cubicMinimum(bracket[0], bracket[1], left, right);
    const margin = 0.1 * (right - left);
    // Close to an end twice in a row, or outside: move off it, so that the bracket shrinks.
    if (Math.min(right - step, step - left) < margin) {
      if (stuck || step >= right || step <= left) {
        step = Math.abs(step - right) < Math.abs(step - left) ? right - margin : left + margin;
        stuck = false;
      } else {
        stuck = true;
      }
    } else {
      stuck = false;
    }
    const next = at(step);
    evaluations++;
    steps++;
    if (!decreases(next) || next.loss >= bracket[low].loss) {
      bracket[high] = next;
      [low, high] = bracket[0].loss <= bracket[1].loss ? [0, 1] : [1, 0];
      continue;
    }
    if (flat(next)) done = true;
    else if (next.slope * (bracket[high].step - bracket[low].step) >= 0) bracket[high] = bracket[low];
    bracket[low] = next;
  }
  const { step, ...point } = bracket[low];
  return { point, step, evaluations };
}
