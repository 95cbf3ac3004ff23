/** Whatever happens to one process, the others end soon, with a word about it and an exit code that is not 0. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { bundled, type Flavour, launch, runCommand, whyNot } from '../support/mpi.ts';

/** Until the launcher has noticed and ended everything: seconds, on a machine that does other things too. */
const SOON_MS = 20_000;

/** Open MPI 5 says this of the network of some virtual machines, to a program in C that does nothing too; two at once. */
const INTERFACES =
  /\[\S+btl_tcp_proc\.c:|mca_btl_tcp_proc_create_interface_graph\]|Unable to find reachable pairing between local and remote interfaces/;
const withoutInterfaces = (stderr: string): string =>
  stderr
    .split('\n')
    .filter((line) => line.trim() !== '' && !INTERFACES.test(line))
    .join('\n');

for (const flavour of ['openmpi', 'mpich'] satisfies Flavour[]) {
  const reason = whyNot(flavour);
  const run = (how: string, ...rest: string[]) => launch('fail', { flavour, arguments: [how, ...rest] });

  describe.skipIf(reason !== undefined)(`on ${flavour}${reason ? `: skipped, ${reason}` : ''}`, () => {
    const ends = async (how: string, message: RegExp, ...rest: string[]) => {
      const { code, stderr, stdout, ms, reports } = await run(how, ...rest);
      expect(code, stderr + stdout).not.toBe(0);
      expect(stderr + stdout).toMatch(message);
      expect(reports).toEqual([]);
      expect(ms).toBeLessThan(SOON_MS);
      return { code, stderr };
    };

    it('nothing happens: all end well', async () => {
      const { code, reports, stderr } = await run('never');
      expect([code, withoutInterfaces(stderr)]).toEqual([0, '']);
      expect(reports).toHaveLength(2);
    });

    it('process.exit(0) after destroyProcessGroup ends well', async () => {
      const { code, reports, stderr } = await run('destroyed');
      expect([code, withoutInterfaces(stderr)]).toEqual([0, '']);
      expect(reports).toHaveLength(2);
    });

    it('an exception', async () => {
      const { code } = await ends('throw', /\[rank 1\] Error: broken on purpose\n +at fail/);
      expect(code).toBe(1);
    });

    it('a promise that is rejected', async () => {
      await ends('reject', /\[rank 1\] Error: rejected on purpose/);
    });

    it('kill -9', async () => {
      // MPICH tells of the process that it saw end first: the killed one, or the other, which lost its peer.
      await ends('kill', /signal 9|BAD TERMINATION/);
    });

    it('process.exit(0) in the middle', async () => {
      await ends('exit0', /\[rank 1\] the process exits with code 0 before destroyProcessGroup\(\)/);
    });

    it('an end with an exit code that was set', async () => {
      await ends('exitCode', /\[rank 1\] the process ends with exit code 3/);
    });

    it('a process that hangs: the deadline', async () => {
      const { stderr } = await ends(
        'hang',
        /\[rank 0\] DistributedTimeoutError: allReduce \(mean\) of a float32 tensor \[\d+\] on rank 0 of 2: not complete after 1500 ms/,
        '1500',
      );
      expect(stderr).toMatch(/Another process does not make the same call: it hangs, is busy elsewhere/);
    });

    it('different models: the first difference by name, on both', async () => {
      const { stderr } = await ends('models', /the processes have different models/);
      expect(stderr).toMatch(
        /number 0 of the parameters and buffers is '0.weight' \(float32 \[8, 4\]\) on rank 0, but '0.weight' \(float32 \[9, 4\]\) on rank 1/,
      );
    });

    it('different calls, in debug mode', async () => {
      await ends(
        'differ',
        /the processes do different things: rank 0 calls allReduce.*, rank 1 calls broadcast from rank 0 of a float32 tensor \[7\]/,
      );
    });

    it('the library of another launcher', async () => {
      const library = flavour === 'openmpi' ? 'libmpich.so.12' : 'libmpi.so.40';
      if (whyNot(flavour === 'openmpi' ? 'mpich' : 'openmpi')) return;
      const { code, stderr } = await launch('fail', {
        flavour,
        arguments: ['never'],
        env: { WASMGRAD_MPI_LIBRARY: library },
      });
      expect(code).not.toBe(0);
      expect(stderr).toMatch(
        /started 2 processes, but the library .* does not understand it: each process is alone/,
      );
      expect(stderr).toMatch(/set WASMGRAD_MPI_LIBRARY to the library of the launcher/);
    });
  });
}

describe('without MPI', () => {
  it('says which libraries were tried and what to install', async () => {
    const env = { WASMGRAD_MPI_LIBRARY: 'libnowhere.so.1' };
    const { code, stderr } = await runCommand([process.execPath, bundled('fail'), 'never'], { env });
    expect(code).toBe(1);
    expect(stderr).toMatch(/no MPI library could be loaded: tried libnowhere.so.1/);
    expect(stderr).toMatch(/apt-get install openmpi-bin \(or mpich\)/);
  });

  it('koffi is named if it is missing', () => {
    const script = `
      import { createRequire } from 'node:module';
      process.argv[1] = '/'; process.chdir('/');
      const dist = await import('${process.cwd()}/dist/distributed/index.js');
      dist.initProcessGroup({ backend: 'mpi' });`;
    const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(/the package koffi, which is not installed: npm install koffi/);
  });
});
