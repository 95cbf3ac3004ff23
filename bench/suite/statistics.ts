/** Robust statistics of a few samples. */

/** The value below which the part `p` of the samples lies, interpolated (R's type 7). @throws RangeError without samples */
export function quantile(samples: readonly number[], p: number): number {
  if (samples.length === 0) throw new RangeError('quantile: expected at least one sample');
  const sorted = Float64Array.from(samples).sort();
  const at = p * (sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.ceil(at);
  return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
}

export const median = (samples: readonly number[]): number => quantile(samples, 0.5);

export interface Summary {
  readonly median: number;
  readonly q1: number;
  readonly q3: number;
  readonly fastest: number;
  readonly samples: number;
}

export function summarize(samples: readonly number[]): Summary {
  return {
    median: median(samples),
    q1: quantile(samples, 0.25),
    q3: quantile(samples, 0.75),
    fastest: Math.min(...samples),
    samples: samples.length,
  };
}
