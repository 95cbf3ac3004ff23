/** Training across two hosts, and what a cable does to it that is pulled out. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Flavour, type LaunchOptions, launch, type Outcome, whyNot } from '../support/mpi.ts';
import { KEEPALIVE, TwoHosts, whyNoTwoHosts } from '../support/twoHosts.ts';

const CUT_MS = 4000;
/** Until Open MPI has given a host up, and until the processes there have noticed it too. */
const GIVEN_UP_MS = 30_000;
/** Between two steps, so that the cable can be pulled out in mid-training. */
const PAUSE_MS = 100;

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const noHosts = whyNoTwoHosts();
const because = (reason: string | undefined) => (reason === undefined ? '' : `: skipped, ${reason}`);

describe.skipIf(noHosts !== undefined)(`two hosts${because(noHosts)}`, () => {
  let hosts: TwoHosts;
  let folder = '';
  beforeAll(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'wasmgrad-two-hosts-'));
    hosts = new TwoHosts();
  });
  afterAll(() => {
    hosts?.remove();
    fs.rmSync(folder, { recursive: true, force: true });
  });

  const file = (name: string): string => path.join(folder, name);

  for (const flavour of ['openmpi', 'mpich'] satisfies Flavour[]) {
    const reason = whyNot(flavour);
    it.skipIf(reason !== undefined)(`train as one does, on ${flavour}${because(reason)}`, async () => {
      const together = await launch('train', { flavour, arguments: ['--epochs', '1'] });
      const apart = await hosts.launch('train', flavour, { arguments: ['--epochs', '1'] });
      expect(apart.code, apart.stderr).toBe(0);
      expect(together.reports.map(({ onThisHost }) => onThisHost)).toEqual([2, 2]);
      expect(apart.reports).toEqual(together.reports.map((report) => ({ ...report, onThisHost: 1 })));
      expect(apart.reports[0].losses.at(-1)).toBeLessThan(apart.reports[0].losses[0]);
    });
  }

  const missing = whyNot('openmpi');
  describe.skipIf(missing !== undefined)(`the cable${because(missing)}`, () => {
    let undisturbed: Outcome;
    beforeAll(async () => {
      undisturbed = await launch('resume', { arguments: [file('undisturbed')] });
      expect(undisturbed.code, undisturbed.stderr).toBe(0);
    });

    /** Trains with checkpoints, slowly; `then` happens when step 12 is done. */
    const train = (name: string, then: () => void, options: LaunchOptions = {}) => {
      let said = '';
      let done = false;
      return hosts.launch('resume', 'openmpi', {
        ...options,
        arguments: [file(name), '0', `${PAUSE_MS}`],
        onOutput: (text) => {
          said += text;
          if (done || !said.includes('step 12\n')) return;
          done = true;
          then();
        },
      });
    };

    it('is out for 4 s: nothing is lost', async () => {
      let cut = false;
      const { code, stderr, reports, ms } = await train(
        'short',
        async () => {
          hosts.cable('down');
          cut = true;
          await sleep(CUT_MS);
          hosts.cable('up');
        },
        { launcher: KEEPALIVE },
      );
      expect(cut).toBe(true);
      expect(code, stderr).toBe(0);
      expect(ms).toBeGreaterThan(CUT_MS + 30 * PAUSE_MS);
      expect(reports).toEqual(undisturbed.reports);
    });

    it('stays out: all end, say why, and the training resumes to the same parameters', async () => {
      const lost = await train('long', () => hosts.cable('down'), { launcher: KEEPALIVE });
      expect(lost.code, lost.stderr).not.toBe(0);
      expect(lost.code).not.toBe(null);
      expect(lost.stderr).toMatch(/lost communication with a remote daemon/);
      expect(lost.reports).toEqual([]);
      expect(lost.ms).toBeLessThan(GIVEN_UP_MS);
      for (const end = performance.now() + GIVEN_UP_MS; hosts.remaining() > 0 && performance.now() < end; )
        await sleep(100);
      expect(hosts.remaining()).toBe(0);

      hosts.cable('up');
      const resumed = await hosts.launch('resume', 'openmpi', { arguments: [file('long')] });
      expect(resumed.code, resumed.stderr).toBe(0);
      expect(resumed.reports.map(({ first }) => first)).toEqual([10, 10]);
      expect(resumed.reports.map(({ digest }) => digest)).toEqual(
        undisturbed.reports.map(({ digest }) => digest),
      );
    });
  });
});
