/** The names under which modules hold their state, and what may stand there. */
import { ArgumentError } from '../core/errors.ts';
import { Tensor } from '../tensor.ts';

export const joined = (prefix: string, name: string): string => (prefix === '' ? name : `${prefix}.${name}`);

/** @throws ArgumentError for a name that state-dict keys cannot have, or that something else has */
export function checkName(module: object, name: string, kind: string, replaces: boolean): void {
  if (name === '') throw new ArgumentError(`${kind} name can't be empty string ""`);
  if (name.includes('.')) throw new ArgumentError(`${kind} name can't contain ".", got: ${name}`);
  if (replaces || (Object.hasOwn(module, name) && Reflect.get(module, name) == null)) return;
  if (name in module) throw new ArgumentError(`attribute '${name}' already exists`);
}

/** What was assigned in the place of state, and would be neither trained nor saved, is refused. @throws ArgumentError */
export function refuseAssigned(value: unknown, what: string, name: string, expected: string): never {
  const type = value instanceof Tensor ? value.type() : typeof value;
  throw new ArgumentError(
    `cannot assign '${type}' as ${what} '${name}' (torch${expected === 'Tensor' ? '' : '.nn'}.${expected} or null expected)`,
  );
}
