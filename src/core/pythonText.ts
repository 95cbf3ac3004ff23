/** Values as Python writes them: what printed modules and optimisers show, so that their text is PyTorch's. */

/** A float: always with a point or an exponent, which starts below 1e-4 and from 1e16. */
export function pythonFloat(x: number): string {
  if (Number.isNaN(x)) return 'nan';
  if (!Number.isFinite(x)) return x > 0 ? 'inf' : '-inf';
  const size = Math.abs(x);
  if (size !== 0 && (size < 1e-4 || size >= 1e16)) {
    const [digits, exponent] = x.toExponential().split('e');
    return `${digits}e${exponent[0]}${exponent.slice(1).padStart(2, '0')}`;
  }
  const text = String(x);
  return /[.e]/.test(text) ? text : `${Object.is(x, -0) ? '-0' : text}.0`;
}

/** A number: whole ones as Python's int, others as its float. */
export const pythonNumber = (x: number): string => (Number.isSafeInteger(x) ? String(x) : pythonFloat(x));

/** A value of a keyword argument: True, None, (0.9, 0.999), 'none'. */
export function pythonValue(x: unknown): string {
  if (x === null || x === undefined) return 'None';
  if (typeof x === 'boolean') return x ? 'True' : 'False';
  if (typeof x === 'number') return pythonNumber(x);
  if (typeof x === 'string') return `'${x}'`;
  if (Array.isArray(x))
    return x.length === 1 ? `(${pythonValue(x[0])},)` : `(${x.map(pythonValue).join(', ')})`;
  return String(x);
}

/** camelCase as snake_case: weightDecay → weight_decay. */
export const snakeCase = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** snake_case as camelCase, without the _ of what is private: weight_decay → weightDecay, _last_lr → lastLr. */
export const camelCase = (name: string): string =>
  name.startsWith('__')
    ? name
    : name.replace(/^_/, '').replace(/_(\w)/g, (_, letter) => letter.toUpperCase());
