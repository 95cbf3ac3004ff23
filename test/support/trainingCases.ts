/** What a run in a worker must do, wherever the worker comes from. */
import { describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';
import { type TrainingWorker, trainInWorker } from '../../src/training/index.ts';
import type trainingModule from '../fixtures/training.ts';
import type { Report } from '../fixtures/training.ts';

type Module = typeof trainingModule;

/** `brief` leaves out what does not depend on where the worker comes from. */
export function describeTraining(makeWorker: () => TrainingWorker, { brief = false } = {}): void {
  const x = () => {
    torch.manualSeed(0);
    return torch.randn(16, 3);
  };
  const numbers = (tensor: unknown) => (tensor as torch.Tensor).toArray();

  describe('trainInWorker', () => {
    it('reports in order, with tensors as they were, and resolves with the result', async () => {
      const reports: Report[] = [];
      const input = { seed: 1, steps: 5, x: x() };
      const run = trainInWorker<Module>(makeWorker(), { input, onReport: (report) => reports.push(report) });
      const result = await run.result;
      expect(run.status).toBe('finished');
      expect(reports.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5]);
      expect(result.step).toBe(5);
      expect(result.weight).toBeInstanceOf(torch.Tensor);
      expect(numbers(result.tags.get('a'))).toEqual([1, 1]);
      expect(numbers(reports[1].weight)).not.toEqual(numbers(result.weight));

      const again = await trainInWorker<Module>(makeWorker(), { input: { ...input, steps: 2 } }).result;
      expect(numbers(again.weight)).toEqual(numbers(reports[1].weight));
    });

    it('pauses, answers while it rests, resumes, takes messages, and stops with its result', async () => {
      let steps = 0;
      const run = trainInWorker<Module>(makeWorker(), {
        input: { seed: 1, x: x() },
        onReport: ({ step }) => {
          steps = step;
        },
      });
      const first = (await run.state()) as { model: torch.nn.StateDict };
      expect(Object.keys(first.model)).toEqual(['weight', 'bias']);
      await run.pause();
      expect(run.status).toBe('paused');
      const rested = steps;
      const atRest = (await run.state()) as typeof first & { optimizer: { state: Record<string, object> } };
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(steps).toBe(rested);
      expect(numbers(((await run.state()) as typeof first).model.weight)).toEqual(
        numbers(atRest.model.weight),
      );
      await run.send({ lr: 0.125 });
      run.resume();
      expect(run.status).toBe('running');
      while (steps === rested) await new Promise((resolve) => setTimeout(resolve, 5));
      const result = await run.stop();
      expect(result.step).toBeGreaterThan(rested);
      expect(result.lr).toBe(0.125);
      await expect(run.state()).rejects.toThrow(/the run has ended/);
      await run.pause(); // does nothing, and does not hang

      const from = { model: atRest.model };
      const resumed = await trainInWorker<Module>(makeWorker(), {
        input: { seed: 9, steps: 0, x: x(), from },
      }).result;
      expect(numbers(resumed.weight)).toEqual(numbers(atRest.model.weight));
    });

    if (brief) return;

    it('stops while it is paused', async () => {
      const run = trainInWorker<Module>(makeWorker(), { input: { seed: 1, x: x() } });
      await run.pause();
      expect((await run.stop()).step).toBeGreaterThanOrEqual(0);
    });

    it('passes errors on as what they are, reports before them included', async () => {
      const early = trainInWorker<Module>(makeWorker(), { input: { seed: 1, x: x(), fail: 'at once' } });
      await expect(early.result).rejects.toThrow(torch.ShapeError);
      expect(early.status).toBe('failed');
      const reports: number[] = [];
      const late = trainInWorker<Module>(makeWorker(), {
        input: { seed: 1, x: x(), fail: 'late' },
        onReport: ({ step }) => reports.push(step),
      });
      await expect(late.result).rejects.toThrow(/mat1 and mat2 shapes cannot be multiplied/);
      expect(reports).toEqual([1, 2, 3]);
    });

    it('fails with what onReport throws', async () => {
      let reports = 0;
      const run = trainInWorker<Module>(makeWorker(), {
        input: { seed: 1, x: x() },
        onReport: ({ step }) => {
          reports++;
          if (step === 2) throw new RangeError('no more of this');
        },
      });
      await expect(run.result).rejects.toThrow(new RangeError('no more of this'));
      expect([run.status, reports]).toEqual(['failed', 2]);
    });

    it('ends at once when it is terminated', async () => {
      const run = trainInWorker<Module>(makeWorker(), { input: { seed: 1, x: x() } });
      const state = run.state();
      run.terminate();
      await expect(run.result).rejects.toThrow(/terminated/);
      await expect(state).rejects.toThrow(/the run has ended/);
    });

    it('names an input that no worker can get', async () => {
      const input = { seed: 1, x: x(), callback: () => {} };
      await expect(trainInWorker<Module>(makeWorker(), { input }).result).rejects.toThrow(
        /input cannot be sent/,
      );
    });
  });
}
