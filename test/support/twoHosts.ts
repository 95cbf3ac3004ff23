/**
 * Two hosts on one machine: network namespaces that share nothing but a virtual cable, and a launcher's remote shell
 * that enters them. Linux, as root.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { bundled, type Flavour, type LaunchOptions, launcherLine, type Outcome, runCommand } from './mpi.ts';

const ip = (...args: string[]) => spawnSync('ip', args, { encoding: 'utf8' });

function mustIp(...args: string[]): string {
  const { status, stderr, stdout } = ip(...args);
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** Why two hosts cannot be made here; undefined if they can. */
export function whyNoTwoHosts(): string | undefined {
  if (os.platform() !== 'linux') return 'network namespaces are Linux’s';
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  if (ip('-V').error) return 'ip is not installed (Debian: apt-get install iproute2)';
  if (spawnSync('unshare', ['--version']).error) return 'unshare is not installed (Debian: util-linux)';
  const probe = `wg${process.pid}p`;
  const { status, stderr } = ip('netns', 'add', probe);
  if (status !== 0) return `network namespaces are not allowed here: ${stderr.trim()}`;
  ip('netns', 'del', probe);
  return undefined;
}

/** With these Open MPI notices within some ten seconds that a host cannot be reached. */
export const KEEPALIVE = [
  ['--mca', 'oob_tcp_keepalive_time', '5'],
  ['--mca', 'oob_tcp_keepalive_intvl', '2'],
  ['--mca', 'oob_tcp_keepalive_probes', '3'],
].flat();

export class TwoHosts {
  /** Of the namespaces, and the names of the hosts. */
  readonly #names = ['a', 'b'].map((letter) => `wg${process.pid}${letter}`);
  readonly #folder = fs.mkdtempSync(path.join(os.tmpdir(), 'wasmgrad-hosts-'));
  readonly #addresses = ['10.77.0.1', '10.77.0.2'];

  constructor() {
    const [a, b] = this.#names;
    for (const name of this.#names) mustIp('netns', 'add', name);
    mustIp('link', 'add', a, 'netns', a, 'type', 'veth', 'peer', 'name', b, 'netns', b);
    this.#names.forEach((name, i) => {
      mustIp('-n', name, 'addr', 'add', `${this.#addresses[i]}/24`, 'dev', name);
      mustIp('-n', name, 'link', 'set', 'lo', 'up');
      mustIp('-n', name, 'link', 'set', name, 'up');
    });
    const cases = this.#names.map((name, i) => `${this.#addresses[i]}) host=${name};;`);
    const agent = [
      '#!/bin/sh',
      'address=$1; shift',
      `case $address in ${cases.join(' ')} *) exit 255;; esac`,
      'exec ip netns exec $host unshare --uts sh -c "hostname $host; $*"',
    ];
    fs.writeFileSync(this.#agent, `${agent.join('\n')}\n`, { mode: 0o755 });
  }

  get #agent(): string {
    return path.join(this.#folder, 'agent.sh');
  }

  /** Plugs the cable in, or pulls it out. */
  cable(state: 'up' | 'down'): void {
    mustIp('-n', this.#names[1], 'link', 'set', this.#names[1], state);
  }

  /** Gives the cable a bandwidth, such as 1gbit, in each direction. */
  limit(rate: string): void {
    for (const name of this.#names) {
      const shape = [
        'qdisc',
        'add',
        'dev',
        name,
        'root',
        'tbf',
        'rate',
        rate,
        'burst',
        '1mb',
        'latency',
        '50ms',
      ];
      const { status, stderr, error } = spawnSync('tc', ['-n', name, ...shape], { encoding: 'utf8' });
      if (status !== 0) throw new Error(`tc ${shape.join(' ')}: ${error?.message ?? stderr}`);
    }
  }

  /** How many processes run on the second host. */
  remaining(): number {
    return mustIp('netns', 'pids', this.#names[1]).split('\n').filter(Boolean).length;
  }

  /** Runs a program of test/distributed/programs, one process on each host. */
  launch(program: string, flavour: Flavour, options: LaunchOptions = {}): Promise<Outcome> {
    const command = [process.execPath, bundled(program), ...(options.arguments ?? [])];
    return this.run([...(options.launcher ?? []), ...command], flavour, options);
  }

  /** Runs a command, after more arguments for the launcher, as one process on each host. */
  run(command: string[], flavour: Flavour, options: LaunchOptions = {}): Promise<Outcome> {
    const [host] = this.#names;
    const hosts = this.#addresses;
    const flags =
      flavour === 'openmpi'
        ? [
            ['--host', hosts.map((address) => `${address}:1`).join(',')],
            ['--mca', 'plm', 'rsh', '--mca', 'plm_rsh_agent', this.#agent],
            ['--mca', 'pml', 'ob1', '--mca', 'btl', 'self,tcp'],
            ['--mca', 'btl_tcp_if_include', '10.77.0.0/24', '--mca', 'oob_tcp_if_include', '10.77.0.0/24'],
            ['--wdir', process.cwd()],
          ].flat()
        : ['-hosts', hosts.join(','), '-ppn', '1', '-launcher', 'rsh', '-launcher-exec', this.#agent].concat([
            '-iface',
            host,
            '-wdir',
            process.cwd(),
          ]);
    const enter = ['ip', 'netns', 'exec', host, 'unshare', '--uts', 'sh', '-c'];
    const line = [...enter, `hostname ${host}; exec "$@"`, 'sh', ...launcherLine(flavour, 2), ...flags];
    return runCommand([...line, ...command], options, options.limitMs);
  }

  /** Ends what still runs there, and takes everything away. */
  remove(): void {
    for (const name of this.#names) {
      for (const pid of ip('netns', 'pids', name).stdout.split('\n').filter(Boolean)) {
        try {
          process.kill(Number(pid), 'SIGKILL');
        } catch {
          // It has ended meanwhile.
        }
      }
      ip('netns', 'del', name);
    }
    fs.rmSync(this.#folder, { recursive: true, force: true });
  }
}
