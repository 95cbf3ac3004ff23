/**
 * The error classes that users can catch. Every message names the op, the argument, what was expected and what
 * came; every error is thrown before anything has changed.
 */

/** Base of all errors that this library throws on purpose. */
export class WasmgradError extends Error {
  override name = 'WasmgradError';
}

/** Sizes or numbers of dimensions that do not fit an operation. */
export class ShapeError extends WasmgradError {
  override name = 'ShapeError';
}

/** A dtype that an operation does not take, or a value that a dtype cannot hold. */
export class DTypeError extends WasmgradError {
  override name = 'DTypeError';
}

/** An index or a dimension number out of range. */
export class IndexError extends WasmgradError {
  override name = 'IndexError';
}

/** A device that is missing, lost, out of memory, or not the one that the other operands are on. */
export class DeviceError extends WasmgradError {
  override name = 'DeviceError';
}

/** A misuse of automatic differentiation: no graph, a freed graph, an overwritten saved value. */
export class AutogradError extends WasmgradError {
  override name = 'AutogradError';
}

/** A file or data set that is missing, short, corrupt or not what it claims to be. */
export class DataError extends WasmgradError {
  override name = 'DataError';
}

/** No room for what was to be written: a full disk, or the quota of a page's origin. What was there before is intact. */
export class StorageFullError extends DataError {
  override name = 'StorageFullError';
}

/** An argument of the wrong kind or outside its range, where no more specific class applies. */
export class ArgumentError extends WasmgradError {
  override name = 'ArgumentError';
}

/** A matrix that has no inverse, factor or decomposition of the kind that was asked for: `torch.linalg.LinAlgError`. */
export class LinAlgError extends ArgumentError {
  override name = 'LinAlgError';
}
