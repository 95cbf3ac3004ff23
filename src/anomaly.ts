/// <reference lib="esnext.disposable" preserve="true" />
/** `torch.autograd.detectAnomaly`: finds the op that made the first NaN, and where it was called. */

import { anomaly } from './autograd/anomaly.ts';
import { AutogradError } from './core/errors.ts';
import { named } from './ops/options.ts';

export interface AnomalyOptions {
  /** Look for NaN in gradients (default true). */
  checkNan?: boolean;
  /** Look for NaN in what ops give, too, where no input had any (default true; PyTorch looks at gradients only). */
  checkForward?: boolean;
}

/** Ends what it was returned for: `using _ = detectAnomaly()`, or call `remove()`. */
export interface AnomalyHandle extends Disposable {
  remove(): void;
}

/** Switches the search on or off for all that follows. */
export function setDetectAnomaly(
  mode: boolean,
  checkNan: boolean | AnomalyOptions = true,
  options: AnomalyOptions = {},
): void {
  const { checkNan: backward = true, checkForward = true } = named<AnomalyOptions>(
    'set_detect_anomaly',
    'checkNan * checkForward',
    [checkNan, options],
  );
  anomaly.enabled = mode;
  anomaly.checkBackward = mode && backward;
  anomaly.checkForward = mode && checkForward;
}

/** True while the search is on. */
export const isAnomalyEnabled = (): boolean => anomaly.enabled;

/**
 * Looks for the first NaN: in what ops give and in what backward rules give. The error names the op and where it was
 * called. With a function it lasts for the call and returns its result; without, until the handle is removed. It reads
 * every result, so it is slow. @throws AutogradError at the first NaN, or for an async function
 */
export function detectAnomaly<R>(body: () => R, options?: AnomalyOptions): R;
export function detectAnomaly(options?: AnomalyOptions): AnomalyHandle;
export function detectAnomaly<R>(
  first: (() => R) | AnomalyOptions = {},
  options: AnomalyOptions = {},
): R | AnomalyHandle {
  const before = { ...anomaly };
  const remove = () => {
    Object.assign(anomaly, before);
  };
  setDetectAnomaly(true, typeof first === 'function' ? options : first);
  if (typeof first !== 'function') return { remove, [Symbol.dispose]: remove };
  try {
    const result = first();
    if (result instanceof Promise) {
      throw new AutogradError(
        'detectAnomaly: the function must not be async, because the search ends when it returns; ' +
          'use setDetectAnomaly, or the handle that detectAnomaly() returns',
      );
    }
    return result;
  } finally {
    remove();
  }
}
