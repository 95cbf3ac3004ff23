/** Where figures come from. */
import os from 'node:os';
import type { Machine } from '../report/record.ts';

export function nodeMachine(): Machine {
  return {
    processor: os.cpus()[0]?.model.trim() ?? 'unknown processor',
    cores: os.availableParallelism(),
    memoryGB: Math.round(os.totalmem() / 1e9),
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    engine: `Node ${process.version}, V8 ${process.versions.v8}`,
    load: os.loadavg()[0],
  };
}
