/**
 * V8 turns an access beyond Wasm memory into a RuntimeError by its own handler of the signal that the processor raises.
 * Libraries below MPI (UCX) install handlers of theirs, which end the process instead. So the handlers that were there
 * before MPI started are put back after it has.
 */
import type { CFunction, ForeignFunctions } from './ffi.ts';

/** At least sizeof(struct sigaction) on every system that has MPI. */
const SIGACTION_BYTES = 256;

/** SIGILL, SIGFPE, SIGSEGV, and SIGBUS, whose number differs. */
const numbers = (): number[] => [4, 8, 11, process.platform === 'linux' ? 7 : 10];

/** Notes the present handlers; the function that it returns puts them back. Does nothing on Windows. */
export function guardSignals(foreign: ForeignFunctions): () => void {
  if (process.platform === 'win32') return () => {};
  // UCX reads this when it is loaded: no handlers at all.
  process.env.UCX_ERROR_SIGNALS ??= '';
  // Nor shall it put its own code into brk, sbrk and mmap: V8 reserves its code right above the heap of malloc, so that
  // the heap cannot grow there, and with UCX in between malloc sometimes did not notice (a crash in one run of forty).
  process.env.UCX_MEM_EVENTS ??= 'n';
  const sigaction: CFunction = foreign.load(null).func('sigaction', ['int', 'pointer', 'pointer'], 'pointer');
  const kept = numbers().map((signal) => ({ signal, action: new Uint8Array(SIGACTION_BYTES) }));
  for (const { signal, action } of kept) sigaction(signal, 0n, foreign.address(action));
  return () => {
    for (const { signal, action } of kept) sigaction(signal, foreign.address(action), 0n);
  };
}
