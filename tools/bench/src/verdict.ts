/** What may be said of an outcome: ratios with their intervals, and a conclusion only where the spread allows one. */
import type { Outcome, Measured } from './measure';
import { compare, quantile, ratio, median, type Estimate } from './statistics';

/** One line of the table. */
export interface Row {
  readonly name: string;
  readonly role: Measured['subject']['role'];
  readonly median: number;
  /** The middle half of all runs. */
  readonly quartiles: readonly [number, number];
  readonly p99: number;
  readonly runs: number;
  readonly toLimit: Estimate | undefined;
  /** Only for ours. */
  readonly toBestPeer: Estimate | undefined;
}

/** A sentence, and whether it is good news, bad news or none. */
export interface Conclusion {
  readonly kind: 'good' | 'bad' | 'undecided';
  readonly text: string;
}

export interface Verdict {
  readonly rows: readonly Row[];
  readonly bestPeer: string | undefined;
  readonly conclusions: readonly Conclusion[];
}

export function judge({ case: { atMost }, measured }: Outcome): Verdict {
  const limit = measured.find(({ subject }) => subject.role === 'limit');
  const best = measured
    .filter(({ subject }) => subject.role === 'peer')
    .reduce<Measured | undefined>(
      (a, b) => (a === undefined || median(b.rounds) < median(a.rounds) ? b : a),
      undefined,
    );
  const rows = measured.map((one): Row => {
    const { subject, samples, rounds } = one;
    return {
      name: subject.name,
      role: subject.role,
      median: median(rounds),
      quartiles: [quantile(samples, 0.25), quantile(samples, 0.75)],
      p99: quantile(samples, 0.99),
      runs: samples.length,
      toLimit: limit === undefined || limit === one ? undefined : ratio(rounds, limit.rounds),
      toBestPeer: best === undefined || subject.role !== 'ours' ? undefined : ratio(rounds, best.rounds),
    };
  });
  const conclusions = rows.flatMap((row) => {
    if (row.role !== 'ours') return [];
    const found: Conclusion[] = [];
    if (row.toBestPeer !== undefined && best !== undefined) found.push(againstPeer(row.name, best, row.toBestPeer));
    if (row.toLimit !== undefined && atMost !== undefined) found.push(againstBar(row.name, limit, row.toLimit, atMost));
    return found;
  });
  return { rows, bestPeer: best?.subject.name, conclusions };
}

function againstPeer(name: string, { subject }: Measured, found: Estimate): Conclusion {
  const times = found.value < 1 ? 1 / found.value : found.value;
  const by = `${times.toFixed(2)} ×`;
  switch (compare(found)) {
    case 'below':
      return { kind: 'good', text: `${name} is ahead of the best peer, ${subject.name}: ${by} as fast` };
    case 'above':
      return { kind: 'bad', text: `${name} is behind the best peer, ${subject.name}, which is ${by} as fast` };
    case 'undecided':
      return { kind: 'undecided', text: `${name} and ${subject.name}: the spread is larger than the difference` };
  }
}

function againstBar(name: string, limit: Measured | undefined, found: Estimate, atMost: number): Conclusion {
  const percent = (times: number): string => `${((times - 1) * 100).toFixed(1)} %`;
  const text = `${name} takes ${percent(found.value)} more than ${limit?.subject.name ?? 'the limit'}; at most ${percent(atMost)}`;
  switch (compare(found, atMost)) {
    case 'below':
      return { kind: 'good', text: `${text}: met` };
    case 'above':
      return { kind: 'bad', text: `${text}: missed` };
    case 'undecided':
      return { kind: 'undecided', text: `${text}: the spread is too large to say` };
  }
}
