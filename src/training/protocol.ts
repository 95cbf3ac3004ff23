/** What the two ends of a training run say to each other. Everything else on the same channel is left alone. */
import {
  ArgumentError,
  AutogradError,
  DataError,
  DeviceError,
  DTypeError,
  IndexError,
  LinAlgError,
  ShapeError,
  StorageFullError,
  WasmgradError,
} from '../core/errors.ts';

export type ToWorker =
  | { readonly wasmgrad: 'hello' }
  | { readonly wasmgrad: 'start'; readonly input: unknown }
  | { readonly wasmgrad: 'pause' | 'resume' | 'stop' | 'end' }
  | { readonly wasmgrad: 'message'; readonly value: unknown }
  | { readonly wasmgrad: 'state'; readonly id: number };

export type FromWorker =
  | { readonly wasmgrad: 'ready' | 'paused' }
  | { readonly wasmgrad: 'reports'; readonly values: readonly unknown[] }
  | { readonly wasmgrad: 'state'; readonly id: number; readonly value: unknown }
  | { readonly wasmgrad: 'no state'; readonly id: number; readonly error: SentError }
  | { readonly wasmgrad: 'done'; readonly value: unknown }
  | { readonly wasmgrad: 'failed'; readonly error: SentError };

/** An error on its way: structured cloning would lose its class. */
export interface SentError {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  /** What else it has and can be sent: a `code`, a `cause`. */
  readonly extras: Readonly<Record<string, unknown>>;
}

export const isMessage = (data: unknown): data is ToWorker | FromWorker =>
  typeof data === 'object' && data !== null && typeof (data as { wasmgrad?: unknown }).wasmgrad === 'string';

export function sendableError(error: unknown): SentError {
  const extras: Record<string, unknown> = {};
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), stack: '', extras };
  const { name, message, stack = '', cause } = error;
  for (const [key, value] of Object.entries({ cause, ...error })) {
    try {
      if (value !== undefined) extras[key] = structuredClone(value);
    } catch {
      // a function, say: the error goes without it
    }
  }
  return { name, message, stack, extras };
}

/** By name. Not as a namespace of errors.ts: in programs that have no such run, bundlers would keep that. */
const classes: Readonly<Record<string, new (text: string) => Error>> = {
  ArgumentError,
  AutogradError,
  DataError,
  DeviceError,
  DTypeError,
  IndexError,
  LinAlgError,
  ShapeError,
  StorageFullError,
  WasmgradError,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

/** The error as it was thrown in the worker: of the same class if it is one of ours or JavaScript's, with the worker's stack. */
export function receivedError({ name, message, stack, extras }: SentError): Error {
  const Class = Object.hasOwn(classes, name) ? classes[name] : Error;
  const error = Object.assign(new Class(message), extras);
  if (Class === Error) error.name = name;
  if (stack !== '') error.stack = `${stack}\n    in a training worker`;
  return error;
}
