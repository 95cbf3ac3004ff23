// What every sample must answer.
import assert from 'node:assert/strict';

/** PyTorch's own text for the first section. */
const LINES = [
  'tensor([4., 5., 6.])',
  'tensor(32.)',
  'tensor([ 0.5403, -0.4161, -0.9900])',
  'tensor([0.7568, 0.9589, 0.2794])',
  'tensor([1.5403, 0.5839, 0.0100])',
  'tensor([0., 0., 0.])',
];
const MODEL = `Sequential(
  (0): Linear(in_features=784, out_features=256, bias=True)
  (1): ReLU()
  (2): Dropout(p=0.1, inplace=False)
  (3): Linear(in_features=256, out_features=10, bias=True)
)`;

/**
 * @typedef {{ error?: string, lines: string[], losses: number[], weights: string, model: string, threads: number,
 *   reasons: string[] }} Answer
 */

/** The answer of this Node, which all others are held against, bit for bit. */
let reference = /** @type {Answer | null} */ (null);

/**
 * @param {Answer} answer
 * @param {{ threads: 1 | 2, why?: RegExp }} wanted `why`: what the answer must say of missing threads
 */
export function expectAnswer(answer, { threads, why }) {
  assert.equal(answer.error, undefined);
  assert.deepEqual(answer.lines, LINES);
  assert.equal(answer.model, MODEL);
  assert.equal(answer.threads, threads, answer.reasons.join('; '));
  if (why) assert.match(answer.reasons.join('; '), why);
  assert.equal(answer.losses.length, 5);
  assert.ok(answer.losses[4] < answer.losses[0] * 0.7, `losses ${answer.losses}`);
  reference ??= answer;
  assert.deepEqual(answer.losses, reference.losses);
  assert.equal(answer.weights, reference.weights);
}
