/** Letting the event loop run in the middle of long work, so that a page stays alive. */

/** A third of a frame at 60 Hz: the rest is the browser's, and room for a step that takes longer than those before. */
const DEFAULT_BUDGET_MS = 5;
/** How much of the longest step is still expected after another one. */
const REMEMBERED = 0.9;

let lastYield = 0;
let lastCall = 0;
/** Milliseconds that the next step may take: as long as the longest of late. */
let expected = 0;

/**
 * Gives the event loop a turn if this thread has been busy for `budgetMs` since the last one, or would be after another
 * step as long as the longest of the last few; returns at once otherwise. In a loop that awaits it after every step, a page
 * draws its frames and answers its user. It blocks for no longer than the budget, or than one step where a step is longer:
 * that one `tick` cannot divide, and only `trainInWorker` keeps it from the page.
 * @param budgetMs milliseconds, default 5; 0 gives a turn every time
 */
export function tick(budgetMs: number = DEFAULT_BUDGET_MS): Promise<void> {
  const now = performance.now();
  expected = Math.max(now - lastCall, Math.min(expected, budgetMs) * REMEMBERED);
  lastCall = now;
  if (now - lastYield + expected < budgetMs) return DONE;
  return nextTurn().then(noteTurn);
}

const DONE: Promise<void> = /* @__PURE__ */ Promise.resolve();

function noteTurn(): void {
  lastYield = performance.now();
  lastCall = lastYield;
}

/**
 * Resolves in a later task, after those that wait already: messages and timers get their turn too, which they do not
 * with `scheduler.yield`. Costs no 4 ms as timers do, and is not slowed down in hidden pages.
 */
export function nextTurn(): Promise<void> {
  if (typeof setImmediate === 'function') return new Promise((resolve) => void setImmediate(resolve));
  if (typeof MessageChannel === 'function') return turnByMessage();
  return new Promise((resolve) => void setTimeout(resolve));
}

let channel: MessageChannel | undefined;
const waiting: (() => void)[] = [];

function turnByMessage(): Promise<void> {
  if (channel === undefined) {
    channel = new MessageChannel();
    channel.port1.onmessage = () => waiting.shift()?.();
  }
  const { port2 } = channel;
  return new Promise((resolve) => {
    waiting.push(resolve);
    port2.postMessage(null);
  });
}
