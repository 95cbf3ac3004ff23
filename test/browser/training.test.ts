/** Training in a worker of a page, and on the page's own thread without freezing it. */
import { describe, expect, it } from 'vitest';
import { tick } from '../../src/index.ts';
import { describeTraining } from '../support/trainingCases.ts';

// The rest of the cases runs in Node: each worker of a page loads the library file by file from the test server.
if (crossOriginIsolated) {
  const makeWorker = () =>
    new Worker(new URL('../fixtures/training.ts', import.meta.url), { type: 'module' });
  describeTraining(makeWorker, { brief: true });
}

describe('tick in a page', () => {
  it('lets frames be drawn, and timers and messages have their turn', async () => {
    const seen = { frames: 0, timers: 0, messages: 0 };
    const countFrame = () => {
      seen.frames++;
      requestAnimationFrame(countFrame);
    };
    requestAnimationFrame(countFrame);
    const timer = setInterval(() => seen.timers++, 10);
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      seen.messages++;
      port2.postMessage(null);
    };
    port2.postMessage(null);
    // Half a second is enough; a busy machine may take its time to draw frames.
    const begun = performance.now();
    const isEnough = () => performance.now() - begun > 500 && Object.values(seen).every((count) => count > 2);
    while (!isEnough() && performance.now() - begun < 60_000) {
      const step = performance.now() + 2;
      while (performance.now() < step); // a step of training
      await tick();
    }
    clearInterval(timer);
    port1.close();
    for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(2);
  });
});
