/** What is saved of a module, and what is said when it does not fit. */
import { formatShape, sameShape } from '../core/shape.ts';
import { Tensor } from '../tensor.ts';

/** Tensors by their dotted names. */
export type StateDict = Record<string, Tensor>;

export interface LoadStateDictOptions {
  /** Missing and unexpected keys are errors. Default true. */
  strict?: boolean;
}

/** What `loadStateDict` found, in PyTorch's words when printed. */
export interface IncompatibleKeys {
  readonly missingKeys: string[];
  readonly unexpectedKeys: string[];
  toString(): string;
}

/** Why `value` cannot be loaded into `target`; empty if it can. */
export function mismatch(name: string, target: Tensor, value: unknown): string[] {
  if (!(value instanceof Tensor)) {
    return [
      `While copying the parameter named "${name}", expected torch.Tensor or Tensor-like object from checkpoint but ` +
        `received ${value === null ? 'null' : typeof value}`,
    ];
  }
  if (sameShape(value.shape, target.shape)) return [];
  const size = (x: Tensor) => `torch.Size(${formatShape(x.shape)})`;
  return [
    `size mismatch for ${name}: copying a param with shape ${size(value)} from checkpoint, the shape in current model is ` +
      `${size(target)}.`,
  ];
}

/** What loading returns, which consoles show as PyTorch prints it. */
export function incompatibleKeys(missingKeys: string[], unexpectedKeys: string[]): IncompatibleKeys {
  const value = () => describeKeys(missingKeys, unexpectedKeys);
  const hidden = { toString: { value }, [Symbol.for('nodejs.util.inspect.custom')]: { value } };
  return Object.defineProperties({ missingKeys, unexpectedKeys }, hidden);
}

function describeKeys(missing: string[], unexpected: string[]): string {
  if (missing.length + unexpected.length === 0) return '<All keys matched successfully>';
  const list = (keys: string[]) => `[${keys.map((key) => `'${key}'`).join(', ')}]`;
  return `_IncompatibleKeys(missing_keys=${list(missing)}, unexpected_keys=${list(unexpected)})`;
}
