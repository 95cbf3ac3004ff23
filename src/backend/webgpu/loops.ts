/**
 * The text that turns the flat number of an element into places in the buffers: sizes and strides are uniforms, so one
 * shader serves all shapes of as many dimensions as are left when those that can be walked as one are merged.
 */
import { collapseDims, expandStrides, type Shape, type Strides } from '../../core/shape.ts';
import type { NDArray } from '../array.ts';

/** How one array is read: from its offset on, by strides of the merged dimensions. */
interface Reading {
  readonly name: string;
  readonly offset: number;
  readonly strides: Strides;
}

export interface Loop {
  readonly sizes: Shape;
  readonly readings: readonly Reading[];
  /** What the text depends on. */
  readonly key: string;
  readonly params: readonly (readonly [string, number])[];
}

/** A walk over `shape` in row-major order that reads each array broadcast to it. `prefix` keeps two loops apart. */
export function loopOver(
  shape: Shape,
  arrays: readonly { readonly name: string; readonly array: NDArray }[],
  prefix = 'n',
): Loop {
  const spread = arrays.map(({ array }) => expandStrides(array.shape, array.strides, shape));
  return loopBy(
    shape,
    arrays.map(({ name, array }, i) => ({ name, offset: array.offset, strides: spread[i] })),
    prefix,
  );
}

/** The same for given strides. */
export function loopBy(shape: Shape, arrays: readonly Reading[], prefix = 'n'): Loop {
  const merged = collapseDims(
    shape,
    arrays.map((x) => x.strides),
  );
  const sizes = merged.shape;
  const readings: Reading[] = [];
  const params: [string, number][] = [];
  // Every call of a kernel comes here: no arrays and closures that live for a line.
  for (let d = 1; d < sizes.length; d++) params.push([`${prefix}${d}: u32`, sizes[d]]);
  let key = `${sizes.length}:`;
  for (let i = 0; i < arrays.length; i++) {
    const { name, offset } = arrays[i];
    const strides = merged.strides[i];
    readings.push({ name, offset, strides });
    params.push([`${name}_at: u32`, offset]);
    for (let d = 0; d < strides.length; d++) {
      const s = strides[d];
      key += s === 0 ? '0' : s === 1 ? '1' : 's';
      if (s !== 0 && s !== 1) params.push([`${name}_s${d}: u32`, s]);
    }
    key += ',';
  }
  return { sizes, readings, key, params };
}

/** Declares `${name}_i`, the place of each array's element, for the element whose flat number is the expression `at`. */
export function placesText({ sizes, readings }: Loop, at: string, prefix = 'n'): string {
  const lines: string[] = [];
  const rank = sizes.length;
  if (rank === 1) lines.push(`let ${prefix}c0 = ${at};`);
  else if (rank > 1) {
    lines.push(`var ${prefix}rest = ${at};`);
    for (let d = rank - 1; d > 0; d--) {
      lines.push(
        `let ${prefix}c${d} = ${prefix}rest % P.${prefix}${d};`,
        `${prefix}rest = ${prefix}rest / P.${prefix}${d};`,
      );
    }
    lines.push(`let ${prefix}c0 = ${prefix}rest;`);
  }
  for (const { name, strides } of readings) {
    const terms = strides.flatMap((s, d) =>
      s === 0 ? [] : s === 1 ? [`${prefix}c${d}`] : [`${prefix}c${d} * P.${name}_s${d}`],
    );
    lines.push(`let ${name}_i = ${[`P.${name}_at`, ...terms].join(' + ')};`);
  }
  return lines.join('\n');
}
