/** A run as a file: what was measured, where and when. */
import type { Result, Skipped } from '../suite/types.ts';

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  /** Unknown in pages. */
  readonly memoryGB?: number;
  readonly system: string;
  readonly engine: string;
  /** The load average over the last minute when the run began; unknown in pages. */
  readonly load?: number;
}

export const FORMAT = 1;

export interface Run {
  readonly format: typeof FORMAT;
  /** When the run began, ISO 8601. */
  readonly date: string;
  readonly machine: Machine;
  readonly device: string;
  readonly simd: 'relaxed' | 'plain';
  readonly results: readonly (Result | Skipped)[];
}

/** Reads a run. @throws Error that says what is wrong with the text */
export function parseRecord(text: string, name: string): Run {
  let value: Partial<Run>;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`${name} is not JSON: ${(error as Error).message}`);
  }
  if (value?.format !== FORMAT || !Array.isArray(value.results))
    throw new Error(`${name} is not a run of this benchmark (format ${FORMAT})`);
  return value as Run;
}

export const measured = ({ results }: Run): Result[] =>
  results.filter((result): result is Result => !('skipped' in result));

const keyOf = ({ group, name, threads }: Result | Skipped): string => `${group}|${name}|${threads}`;

/** An older run with what a newer one measured again, or anew. */
export function merged(older: Run, newer: Run): Run {
  const results = new Map([...older.results, ...newer.results].map((result) => [keyOf(result), result]));
  return { ...newer, results: [...results.values()] };
}

/** One line about a run's origin. */
export function originOf({ date, machine, simd, device }: Run): string {
  const load = machine.load === undefined ? '' : `, load ${machine.load.toFixed(1)}`;
  const where = device === 'cpu' ? `${simd === 'relaxed' ? 'relaxed' : 'plain'} SIMD` : device;
  return `${machine.processor}, ${machine.cores} cores, ${machine.engine}, ${where}${load}, ${date.slice(0, 10)}`;
}
