/** Soaks in Node, each in a process of its own, whose memory nobody else has used. */
import { spawn, spawnSync } from 'node:child_process';
import type { Observations } from './judge.ts';
import type { SoakRequest } from './soak.ts';

/**
 * glibc gives each of V8's threads an arena, and keeps in it what was once used: in runs beside busy programs that made the
 * resident set jump by 8 to 26 MB, once, at any time. A leak grows in a single arena as well.
 */
const ENVIRONMENT = { ...process.env, MALLOC_ARENA_MAX: '1' };

export function inNode(): (request: SoakRequest) => Promise<Observations> {
  const bundled = spawnSync(process.execPath, ['scripts/bundle.mjs', 'bench/soak/program.ts'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const file = bundled.stdout.trim();
  return (request) =>
    new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [file, JSON.stringify(request)], {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: ENVIRONMENT,
      });
      let text = '';
      child.stdout.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      child.on('error', reject);
      child.on('close', (code) =>
        code === 0 ? resolve(JSON.parse(text)) : reject(new Error(`the process ended with ${code}`)),
      );
    });
}
