/** What may be said of an outcome: ratios with their intervals, and a conclusion only where the spread allows one. */
import type { Bar, Question, Role } from './case';
import type { Outcome, Measured } from './measure';
import { certain, compare, estimate, quantile, ratio, median, type Estimate } from './statistics';

/** One line of the table. */
export interface Row {
  readonly name: string;
  readonly role: Role;
  readonly median: number;
  /** The middle half of all runs. */
  readonly quartiles: readonly [number, number];
  readonly p99: number;
  readonly runs: number;
  readonly toLimit?: Estimate;
  /** Only for ours. */
  readonly toBestPeer?: Estimate;
}

/** One of ours beside the peer with the smallest median. */
export interface Standing {
  readonly subject: string;
  readonly peer: string;
  readonly ratio: Estimate;
  readonly verdict: 'ahead' | 'behind' | 'cannot be told';
}

/** A bar, and what became of it. */
export interface Kept extends Bar {
  /** Left out where one of the two is not here. */
  readonly found?: Estimate;
  readonly verdict: 'met' | 'not met' | 'cannot be told' | 'not measured';
  /** Why it is not measured. */
  readonly reason?: string;
}

/** What is kept of an outcome: plain data. */
export interface Result extends Pick<Question, 'name' | 'what'> {
  readonly unit: NonNullable<Question['unit']>;
  readonly rows: readonly Row[];
  readonly standings: readonly Standing[];
  readonly bars: readonly Kept[];
  readonly absent: readonly { readonly name: string; readonly reason: string }[];
  /** The median of each round. */
  readonly rounds: Readonly<Record<string, readonly number[]>>;
}

export function judge({ question, measured, absent }: Outcome): Result {
  const { name, what, unit = 'ms', bars = [], exact = false } = question;
  const sure = (found: Estimate): Estimate => (exact ? certain(found) : found);
  const limit = measured.find(({ subject }) => subject.role === 'limit');
  const best = bestPeer(measured);
  const rows = measured.map((one): Row => {
    const { subject, samples, rounds } = one;
    return {
      name: subject.name,
      role: subject.role,
      median: median(rounds),
      quartiles: [quantile(samples, 0.25), quantile(samples, 0.75)],
      p99: quantile(samples, 0.99),
      runs: samples.length,
      ...(limit === undefined || limit === one ? {} : { toLimit: sure(ratio(rounds, limit.rounds)) }),
      ...(best === undefined || subject.role !== 'ours' ? {} : { toBestPeer: sure(ratio(rounds, best.rounds)) }),
    };
  });
  return {
    name,
    what,
    unit,
    rows,
    standings: rows.flatMap(({ name: subject, toBestPeer }): Standing[] =>
      toBestPeer === undefined || best === undefined
        ? []
        : [{ subject, peer: best.subject.name, ratio: toBestPeer, verdict: places[compare(toBestPeer)] }],
    ),
    bars: bars.map((bar) => keep(bar, measured, absent, sure)),
    absent: absent.map(({ subject, reason }) => ({ name: subject.name, reason })),
    rounds: Object.fromEntries(measured.map(({ subject, rounds }) => [subject.name, rounds])),
  };
}

const bestPeer = (measured: readonly Measured[]): Measured | undefined =>
  measured
    .filter(({ subject }) => subject.role === 'peer')
    .sort((a, b) => median(a.rounds) - median(b.rounds))
    .at(0);

const places = { below: 'ahead', above: 'behind', undecided: 'cannot be told' } as const;
const outcomes = { below: 'met', above: 'not met', undecided: 'cannot be told' } as const;

function keep(
  bar: Bar,
  measured: Outcome['measured'],
  absent: Outcome['absent'],
  sure: (found: Estimate) => Estimate,
): Kept {
  const roundsOf = (name: string) => measured.find(({ subject }) => subject.name === name)?.rounds;
  const missing = [bar.subject, ...(bar.than === undefined ? [] : [bar.than])].find((name) => !roundsOf(name));
  if (missing !== undefined) {
    const why = absent.find(({ subject }) => subject.name === missing)?.reason ?? 'it takes no part';
    return { ...bar, verdict: 'not measured', reason: `${missing}: ${why}` };
  }
  const mine = roundsOf(bar.subject) ?? [];
  const theirs = bar.than === undefined ? undefined : roundsOf(bar.than);
  const found = sure(theirs === undefined ? estimate(mine) : ratio(mine, theirs));
  return { ...bar, found, verdict: outcomes[compare(found, bar.atMost)] };
}
