/** Order statistics only: times of programs are not normally distributed, and a mean follows every hiccup. */

/** The value below which the share `q` (0 to 1) of the sorted values lies, interpolated. */
export function quantile(sorted: readonly number[], q: number): number {
  const at = (sorted.length - 1) * q;
  const below = sorted[Math.floor(at)] ?? NaN;
  const above = sorted[Math.ceil(at)] ?? NaN;
  return below + (above - below) * (at - Math.floor(at));
}

export const ascending = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);

export const median = (values: readonly number[]): number => quantile(ascending(values), 0.5);

/** A value and the interval that holds the true one with at least 95 %. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/**
 * How many of the smallest values (and of the largest) can be dropped so that the rest still spans the true median with
 * at least 95 %: each value is below it with probability one half, whatever the distribution (the sign test's interval).
 * `undefined`: there are too few.
 */
export function droppable(count: number): number | undefined {
  let probability = 0.5 ** count;
  let below = probability;
  let dropped: number | undefined;
  for (let k = 0; below <= 0.025; k++) {
    dropped = k;
    probability *= (count - k) / (k + 1);
    below += probability;
  }
  return dropped;
}

/** The median and its interval; with too few values the interval is everything. */
export function estimate(values: readonly number[]): Estimate {
  const sorted = ascending(values);
  const dropped = droppable(sorted.length);
  if (dropped === undefined) return { value: quantile(sorted, 0.5), low: 0, high: Infinity };
  return {
    value: quantile(sorted, 0.5),
    low: sorted[dropped] ?? 0,
    high: sorted[sorted.length - 1 - dropped] ?? Infinity,
  };
}

/**
 * How many times as long `mine` took as `theirs`, round by round: neighbours in time share what the machine did meanwhile,
 * so it cancels out.
 */
export function ratio(mine: readonly number[], theirs: readonly number[]): Estimate {
  return estimate(mine.map((value, round) => value / (theirs[round] ?? NaN)));
}

/** What is counted and not measured has no spread. */
export const certain = ({ value }: Estimate): Estimate => ({ value, low: value, high: value });

/** What can be said of a ratio: nothing, while its interval holds both sides of the border. */
export function compare({ low, high }: Estimate, border = 1): 'below' | 'above' | 'undecided' {
  if (high <= border && low < border) return 'below';
  if (low >= border && high > border) return 'above';
  return low === border && high === border ? 'below' : 'undecided';
}
