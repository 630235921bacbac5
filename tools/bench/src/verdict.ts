/** What may be said of an outcome: ratios with their intervals, and a conclusion only where the spread allows one. */
import type { Outcome, Measured } from './measure';
import type { Bar } from './case';
import { certain, compare, estimate, quantile, ratio, median, type Estimate } from './statistics';

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

export function judge({ case: { bars = [], unit = 'ms', exact = false }, measured }: Outcome): Verdict {
  const sure = (found: Estimate): Estimate => (exact ? certain(found) : found);
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
      toLimit: limit === undefined || limit === one ? undefined : sure(ratio(rounds, limit.rounds)),
      toBestPeer: best === undefined || subject.role !== 'ours' ? undefined : sure(ratio(rounds, best.rounds)),
    };
  });
  const conclusions = rows.flatMap((row) => {
    if (row.role !== 'ours') return [];
    const found: Conclusion[] = [];
    if (row.toBestPeer !== undefined && best !== undefined) found.push(againstPeer(row.name, best, row.toBestPeer));
    return found;
  });
  for (const bar of bars) {
    const conclusion = againstBar(bar, measured, unit, sure);
    if (conclusion !== undefined) conclusions.push(conclusion);
  }
  return { rows, bestPeer: best?.subject.name, conclusions };
}

const peerSaid = { below: ['good', ''], above: ['bad', ''], undecided: ['undecided', ': too near to tell'] } as const;

function againstPeer(name: string, { subject }: Measured, found: Estimate): Conclusion {
  const [kind, word] = peerSaid[compare(found)];
  return { kind, text: `${name}: ${withRange(found)} × the best peer, ${subject.name}${word}` };
}

const withRange = ({ value, low, high }: Estimate): string =>
  `${value.toFixed(2)}${Number.isFinite(high) && high > low ? ` [${low.toFixed(2)}–${high.toFixed(2)}]` : ''}`;

const verdicts = {
  below: ['good', 'met'],
  above: ['bad', 'missed'],
  undecided: ['undecided', 'cannot be told'],
} as const;

/** `undefined`: one of the two is not here. */
function againstBar(
  bar: Bar,
  measured: readonly Measured[],
  unit: string,
  sure: (found: Estimate) => Estimate,
): Conclusion | undefined {
  const { subject, atMost, than } = bar;
  const roundsOf = (name: string): readonly number[] | undefined =>
    measured.find((one) => one.subject.name === name)?.rounds;
  const mine = roundsOf(subject);
  const theirs = than === undefined ? undefined : roundsOf(than);
  if (mine === undefined || (than !== undefined && theirs === undefined)) return undefined;
  const found = sure(theirs === undefined ? estimate(mine) : ratio(mine, theirs));
  const [kind, word] = verdicts[compare(found, atMost)];
  const of = than === undefined ? unit : `× ${than}`;
  return { kind, text: `${subject}: ${withRange(found)} ${of}, bar ${atMost.toFixed(2)}: ${word}` };
}
