/** The cores of this machine, and which of them this process may use. */

export interface ProcessorShare {
  /** The machine's name: processes with the same one share its cores. */
  readonly host: string;
  /** Cores of the machine. */
  readonly cores: number;
  /** Cores that this process may use. */
  readonly available: number;
  /** Which ones, as the system writes it; empty where it does not tell. */
  readonly allowed: string;
}

export function processorShare(): ProcessorShare {
  const os = process.getBuiltinModule('node:os');
  const fs = process.getBuiltinModule('node:fs');
  let allowed = '';
  try {
    const status = fs.readFileSync('/proc/self/status', 'utf8');
    allowed = /^Cpus_allowed_list:\s*(.*)$/m.exec(status)?.[1] ?? '';
  } catch {
    // Not Linux: nothing binds processes to cores there.
  }
  const available = os.availableParallelism();
  return { host: os.hostname(), cores: Math.max(os.cpus().length, available), available, allowed };
}
