/** What is saved of a module, and what is said when it does not fit. */
import { noGrad } from '../autograd/gradMode.ts';
import { ArgumentError } from '../core/errors.ts';
import { formatShape, sameShape } from '../core/shape.ts';
import { Tensor } from '../tensor.ts';
import { Parameter } from './parameter.ts';

/** Tensors by their dotted names. */
export type StateDict = Record<string, Tensor>;

export interface LoadStateDictOptions {
  /** Missing and unexpected keys are errors. Default true. */
  strict?: boolean;
  /** The module takes the given tensors for its own, with their dtypes and devices. Default false. */
  assign?: boolean;
}

/** A tensor of a module, and the property in which it lies. */
export type SavedState = readonly [key: string, target: Tensor, owner: object, name: string];

/** What `loadStateDict` found, in PyTorch's words when printed. */
export interface IncompatibleKeys {
  readonly missingKeys: string[];
  readonly unexpectedKeys: string[];
  toString(): string;
}

/** States from before PyTorch 0.4.1 lack it, and what is made from them: batch norms keep the one that they have. */
const COUNTER = /(^|\.)num_batches_tracked$/;

/**
 * Copies what `state` holds into the tensors of a module of class `name`, each converted to the dtype it has there, or has it
 * in their places.
 * All is checked before anything changes. @throws ArgumentError for missing and unexpected keys (if strict) and for
 * other shapes
 */
export function loadInto(
  name: string,
  own: readonly SavedState[],
  state: Readonly<StateDict>,
  strict: boolean,
  assign = false,
): IncompatibleKeys {
  const keys = new Set(own.map(([key]) => key));
  const missingKeys = [...keys].filter((key) => !Object.hasOwn(state, key) && !COUNTER.test(key));
  const unexpectedKeys = Object.keys(state).filter((key) => !keys.has(key));
  const loads = own.filter(([key]) => Object.hasOwn(state, key));
  const errors: string[] = [];
  const refuse = (what: string, refused: string[]) => {
    const quoted = refused.map((key) => `"${key}"`).join(', ');
    if (strict && refused.length > 0) errors.push(`${what} key(s) in state_dict: ${quoted}. `);
  };
  refuse('Missing', missingKeys);
  refuse('Unexpected', unexpectedKeys);
  for (const [key, target] of loads) errors.push(...mismatch(key, target, state[key]));
  if (errors.length > 0)
    throw new ArgumentError(`Error(s) in loading state_dict for ${name}:\n\t${errors.join('\n\t')}`);
  noGrad(() => {
    for (const [key, target, owner, name] of loads) {
      const value = state[key];
      // What has no shape yet is not one to stay with its module.
      if (!assign || 'materialize' in target) target.copy_(value.detach().to({ device: target.device }));
      else if (!(target instanceof Parameter)) Reflect.set(owner, name, value);
      else if (value instanceof Parameter) Reflect.set(owner, name, value.requiresGrad_(target.requiresGrad));
      else Reflect.set(owner, name, new Parameter(value, target.requiresGrad));
    }
  });
  return incompatibleKeys(missingKeys, unexpectedKeys);
}

/** Why `value` cannot be loaded into `target`; empty if it can. */
function mismatch(name: string, target: Tensor, value: unknown): string[] {
  if (!(value instanceof Tensor)) {
    return [
      `While copying the parameter named "${name}", expected torch.Tensor or Tensor-like object from checkpoint but ` +
        `received ${value === null ? 'null' : typeof value}`,
    ];
  }
  // What has no shape yet takes any.
  if ('materialize' in target || sameShape(value.shape, target.shape)) return [];
  const size = (x: Tensor) => `torch.Size(${formatShape(x.shape)})`;
  return [
    `size mismatch for ${name}: copying a param with shape ${size(value)} from checkpoint, the shape in current model is ` +
      `${size(target)}.`,
  ];
}

/** What loading returns, which consoles show as PyTorch prints it. */
function incompatibleKeys(missingKeys: string[], unexpectedKeys: string[]): IncompatibleKeys {
  const value = () => describeKeys(missingKeys, unexpectedKeys);
  const hidden = { toString: { value }, [Symbol.for('nodejs.util.inspect.custom')]: { value } };
  return Object.defineProperties({ missingKeys, unexpectedKeys }, hidden);
}

function describeKeys(missing: string[], unexpected: string[]): string {
  if (missing.length + unexpected.length === 0) return '<All keys matched successfully>';
  const list = (keys: string[]) => `[${keys.map((key) => `'${key}'`).join(', ')}]`;
  return `_IncompatibleKeys(missing_keys=${list(missing)}, unexpected_keys=${list(unexpected)})`;
}
