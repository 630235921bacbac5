/** Figures and ratios as words: the same in the terminal, in the documents and in the chart. */
import type { Estimate } from './statistics';
import type { Kept, Result, Row, Standing } from './verdict';

/** Three digits that count. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const places = value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3;
  return value >= 1000 ? Math.round(value).toLocaleString('en') : value.toFixed(places);
}

/** With its interval, unless that is a point or everything. */
export const times = ({ value, low, high }: Estimate): string =>
  Number.isFinite(high) && high > low
    ? `${value.toFixed(2)} × [${low.toFixed(2)}–${high.toFixed(2)}]`
    : `${value.toFixed(2)} ×${high > low ? ' [?]' : ''}`;

const amount = ({ value, low, high }: Estimate, unit: string): string =>
  Number.isFinite(high) && high > low
    ? `${digits(value)} ${unit} [${digits(low)}–${digits(high)}]`
    : `${digits(value)} ${unit}${high > low ? ' [?]' : ''}`;

export const marks = { ours: '●', peer: '○', limit: '▪' } as const;

/** A table: the first row is its head; a column that nobody fills is none. */
export type Table = readonly (readonly string[])[];

export function rowsOf(rows: readonly Row[], unit: string): Table {
  const sorted = [...rows].sort((a, b) => a.median - b.median);
  const lines = sorted.map(({ name, role, median, quartiles: [low, high], p99, toLimit, toBestPeer }) => [
    `${marks[role]} ${name}`,
    digits(median),
    `${digits(low)}–${digits(high)}`,
    digits(p99),
    toLimit === undefined ? '' : times(toLimit),
    toBestPeer === undefined ? '' : times(toBestPeer),
  ]);
  return withoutEmpty([['', unit, 'middle half', 'p99', 'to limit', 'to best peer'], ...lines]);
}

function withoutEmpty(table: Table): Table {
  const [, ...body] = table;
  const filled = (column: number): boolean => body.some((line) => (line[column] ?? '') !== '');
  return table.map((line) => line.filter((_, column) => filled(column)));
}

export const barText = ({ subject, atMost, than }: Kept, unit: string): string =>
  `${subject}: at most ${than === undefined ? `${digits(atMost)} ${unit}` : `${atMost.toFixed(2)} × ${than}`}`;

export const barFound = ({ found, than, reason = '' }: Kept, unit: string): string =>
  found === undefined ? reason : than === undefined ? amount(found, unit) : times(found);

export const standingText = ({ subject, peer, ratio }: Standing): string =>
  `${subject}: ${times(ratio)} the best peer, ${peer}`;

/** Every bar of a run: case, bar, verdict, measured. */
export const barsOf = (results: readonly Pick<Result, 'name' | 'unit' | 'bars'>[]): Table =>
  results.flatMap(({ name, unit, bars }) =>
    bars.map((bar) => [name, barText(bar, unit), bar.verdict, barFound(bar, unit)]),
  );

/** Whichever of ours is best: what a user can have. */
export const bestStanding = (standings: readonly Standing[]): Standing | undefined =>
  [...standings].sort((a, b) => a.ratio.value - b.ratio.value).at(0);

/** Case by case: case, the best of ours, the best peer, verdict, their ratio. */
export const standingsOf = (results: readonly Pick<Result, 'name' | 'standings'>[]): Table =>
  results.flatMap(({ name, standings }) => {
    const best = bestStanding(standings);
    return best === undefined ? [] : [[name, best.subject, best.peer, best.verdict, times(best.ratio)]];
  });
