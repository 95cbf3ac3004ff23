/** What goes wrong between processes. */
import { WasmgradError } from '../core/errors.ts';

/** A process group that cannot start, or a call between processes that failed. */
export class DistributedError extends WasmgradError {
  override name = 'DistributedError';
}

/** The other processes did not take part in time. The group cannot be used any more. */
export class DistributedTimeoutError extends DistributedError {
  override name = 'DistributedTimeoutError';
}
