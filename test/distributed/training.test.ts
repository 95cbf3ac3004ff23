/** The same training by one process and by several, and one that is interrupted and goes on. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Flavour, launch, type Outcome, runCommand, whyNot } from '../support/mpi.ts';

for (const flavour of ['openmpi', 'mpich'] satisfies Flavour[]) {
  const reason = whyNot(flavour);
  describe.skipIf(reason !== undefined)(`on ${flavour}${reason ? `: skipped, ${reason}` : ''}`, () => {
    const run = (processes: number, ...rest: string[]): Promise<Outcome> =>
      launch('train', { flavour, processes, arguments: ['--batch', `${128 / processes}`, ...rest] });

    const agrees = (reference: Outcome, several: Outcome, tolerance = 1e-6) => {
      expect(several.code, several.stderr).toBe(0);
      const [{ losses, names }] = reference.reports;
      for (const report of several.reports) {
        expect(report.digest).toBe(several.reports[0].digest);
        expect(report.names).toEqual(names);
        expect(report.losses).toHaveLength(losses.length);
        losses.forEach((loss: number, step: number) => {
          expect(Math.abs(report.losses[step] / loss - 1)).toBeLessThan(tolerance);
        });
      }
    };

    for (const model of ['mlp', 'norm']) {
      it(`${model}: 2 × 64, 4 × 32 and 8 × 16 are 1 × 128`, async () => {
        const one = await run(1, '--model', model, '--epochs', '1');
        expect(one.code, one.stderr).toBe(0);
        expect(one.reports[0].losses.at(-1)).toBeLessThan(one.reports[0].losses[0]);
        const tolerance = model === 'norm' ? 1e-5 : 1e-6;
        for (const processes of model === 'norm' ? [2] : [2, 4, 8])
          agrees(one, await run(processes, '--model', model, '--epochs', '1'), tolerance);
      });
    }

    it('small buckets and batches in parts change nothing', async () => {
      const one = await run(1);
      agrees(one, await run(2, '--buckets', '0.001'));
      agrees(one, await run(2, '--parts', '2'));
    });

    it('gradients that are large enough to travel by themselves change no bit', async () => {
      const shared = await run(2, '--parts', '2');
      expect(shared.code, shared.stderr).toBe(0);
      const alone = await run(2, '--parts', '2', '--chunk', '0.004');
      expect(alone.reports, alone.stderr).toEqual(shared.reports);
    });

    it('parameters that some processes do not use count as zero there', async () => {
      const { code, stderr, reports } = await run(2, '--model', 'mixed', '--unused');
      expect(code, stderr).toBe(0);
      expect(reports[1].digest).toBe(reports[0].digest);
      // One process has launched buckets that the other waits for until the end.
      for (const size of ['--chunk', '--buckets']) {
        const many = await run(2, '--model', 'mixed', '--unused', size, '0.00005');
        expect(many.reports, many.stderr).toEqual(reports);
      }
    });
  });
}

const missing = whyNot('openmpi');

// What an epoch of MNIST shows: whether losses stay together depends on nothing but rounding. With tanh they do in
// float32, and with ReLU in float64. In float32 a sum that is nearly 0 falls to the other side of ReLU's kink sooner or
// later, and from there on the runs differ visibly: as much as those of one process whose weights begin a bit apart.
describe.skipIf(missing !== undefined)(`an epoch of MNIST${missing ? `: skipped, ${missing}` : ''}`, () => {
  const train = async (processes: number, ...rest: string[]): Promise<number[]> => {
    const { code, stderr, reports } = await launch('mnist', {
      processes,
      arguments: ['--batch', `${128 / processes}`, ...rest],
    });
    expect(code, stderr).toBe(0);
    const [{ losses, digests }] = reports;
    expect(digests).toEqual(new Array(processes).fill(digests[0]));
    return losses;
  };
  const difference = (a: number[], b: number[]): number => {
    expect(b).toHaveLength(a.length);
    return Math.max(...a.map((loss, step) => Math.abs(b[step] / loss - 1)));
  };

  it('2 × 64, 4 × 32 and 8 × 16 are 1 × 128, with tanh', async () => {
    const one = await train(1, '--activation', 'tanh');
    expect(one).toHaveLength(469);
    expect(one[468]).toBeLessThan(0.5);
    for (const processes of [2, 4, 8])
      expect(difference(one, await train(processes, '--activation', 'tanh'))).toBeLessThan(1e-6);
  });

  it('2 × 64 is 1 × 128 with ReLU in float64', async () => {
    const settings = ['--dtype', 'float64', '--momentum', '0.9', '--steps', '120'];
    const one = await train(1, ...settings);
    expect(difference(one, await train(2, ...settings))).toBeLessThan(1e-13);
  });

  it('with ReLU in float32 two processes differ no more than one process does from itself, a bit apart', async () => {
    const one = await train(1);
    const two = await train(2);
    expect(difference(one.slice(0, 10), two.slice(0, 10))).toBeLessThan(1e-7);
    expect(difference(one.slice(0, 20), two.slice(0, 20))).toBeLessThan(1e-6);
    const nudged = difference(one, await train(1, '--nudge'));
    expect(nudged).toBeGreaterThan(1e-6);
    expect(difference(one, two)).toBeLessThan(10 * nudged);
  });
});

describe.skipIf(missing !== undefined)(`the tutorial${missing ? `: skipped, ${missing}` : ''}`, () => {
  const start = (...args: string[]) =>
    runCommand([process.execPath, 'scripts/run.mjs', 'demo/node/tutorial.ts', '--distributed', ...args]);

  it.each(['2', '3'])('section %s by two processes is that by one', async (section) => {
    const short = ['--section', section, '--epochs', '1', '--samples', '2560'];
    const [one, two] = [await start(...short), await start('2', ...short)];
    const loss = ({ stdout }: Outcome): number => Number(/Training Loss: ([\d.]+)/.exec(stdout)?.[1]);
    expect(one.stdout, one.stderr).toMatch(/^1 process of/);
    expect(two.stdout, two.stderr).toMatch(/^2 processes of/);
    expect(two.stdout).toMatch(/the same bits on every process/);
    expect(Math.abs(loss(two) / loss(one) - 1)).toBeLessThan(1e-5);
  });

  it('says what it does not take, before anything starts', async () => {
    const wrong = await start('2', '--section', '1');
    expect([wrong.code, wrong.stderr]).toEqual([
      2,
      "--section must be 2 (from scratch) or 3 (modules) beside --distributed, but got '1'\n",
    ]);
    expect((await start('2', '--bogus')).stderr).toMatch(/^--distributed: Unknown option '--bogus'/);
  });
});

describe.skipIf(missing !== undefined)(`a checkpoint${missing ? `: skipped, ${missing}` : ''}`, () => {
  let folder = '';
  beforeAll(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'wasmgrad-resume-'));
  });
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

  it('continues a run that lost a process, to the same parameters, bit for bit', async () => {
    const train = (name: string, ...rest: string[]) =>
      launch('resume', { arguments: [path.join(folder, name), ...rest] });
    const undisturbed = await train('a');
    expect(undisturbed.code, undisturbed.stderr).toBe(0);
    const killed = await train('b', '23');
    expect(killed.code).not.toBe(0);
    const resumed = await train('b');
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(resumed.reports.map(({ first }) => first)).toEqual([20, 20]);
    expect(resumed.reports[0].digest).toBe(undisturbed.reports[0].digest);
    expect(resumed.reports[1].digest).toBe(undisturbed.reports[0].digest);
  });
});
