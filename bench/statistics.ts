/** Medians and percentiles. */

/** What was counted in one run: milliseconds of each answer, and how long the run took. */
export interface Run {
  readonly latencies: readonly number[];
  readonly seconds: number;
}

/** What one run of one figure gave. */
export interface Sample {
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Processor time in microseconds for each answer: of the processes that answer, and of PostgreSQL. */
  readonly answeringCpu: number;
  readonly databaseCpu: number;
}

/** The middle of several runs and how far they lie apart. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** NaN for no values: a figure that was not measured. */
export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  return { median: quantile(sorted, 0.5), min: sorted[0] ?? NaN, max: sorted.at(-1) ?? NaN };
}

/** Linear between neighbours, so that the median of two values is their mean. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const at = (sorted.length - 1) * share;
  const below = sorted[Math.floor(at)] ?? NaN;
  const above = sorted[Math.ceil(at)] ?? NaN;
  return below + (above - below) * (at - Math.floor(at));
}

/** @param latencies milliseconds of each answer. */
export function latencyFigures(latencies: readonly number[]): Pick<Sample, 'p50' | 'p99'> {
  const sorted = Float64Array.from(latencies).sort();
  return { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) };
}
