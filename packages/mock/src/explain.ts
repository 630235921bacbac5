/** For an unexpected call: the nearest expectations, and what differs, field by field. */
import { editDistance } from '@vircommand/core/backend';
import { MASK } from './errors';

/** One field that differs. Texts are for people and hold no secrets. */
export interface Difference {
  readonly field: string;
  readonly expected: string;
  readonly actual: string;
}

/** Something that a call may have been meant for. */
export interface Candidate {
  /** One line. */
  readonly title: string;
  readonly differences: readonly Difference[];
  /** Why it did not take the call, although nothing differs. */
  readonly note?: string | undefined;
}

/** How many are shown. */
const most = 3;
/** More differences than this are not shown. */
const mostDifferences = 8;

/** Long texts are compared by their beginnings: this is for the order of suggestions only. */
const compared = 256;

/** Another program weighs more than other arguments, those more than other circumstances. */
const weight = ({ field, expected, actual }: Difference): number => {
  const distance = editDistance(expected.slice(0, compared), actual.slice(0, compared));
  const share = distance / Math.max(1, expected.length, actual.length);
  if (field === 'program') return 100 + 100 * share;
  return field.startsWith('argument') ? 10 + 5 * share : 1 + share;
};

const score = (candidate: Candidate): number => candidate.differences.reduce((sum, one) => sum + weight(one), 0);

/** Quoted, on one line, and not too long. */
export function show(text: string): string {
  const quoted = `'${text.replace(/[\\\n\r\t]/g, (char) => ({ '\n': '\\n', '\r': '\\r', '\t': '\\t' })[char] ?? '\\\\')}'`;
  return quoted.length > 200 ? `${quoted.slice(0, 190)}…' (${text.length} characters)` : quoted;
}

/** Nothing there. */
export const absent = '(none)';

/** What differs between two lists of arguments; `undefined` holes are arguments that the other side does not have. */
export function argumentDifferences(
  count: number,
  expected: (index: number) => string | undefined,
  actual: (index: number) => string | undefined,
  equal: (index: number) => boolean,
): Difference[] {
  const differences: Difference[] = [];
  for (let index = 0; index < count; index++) {
    if (equal(index)) continue;
    const [want, got] = [expected(index), actual(index)];
    differences.push({
      field: `argument ${index + 1}`,
      expected: want ?? absent,
      actual: got === undefined ? absent : got === MASK ? MASK : show(got),
    });
  }
  return differences;
}

/** The nearest of many, one paragraph each; `where` says where one of them is, which may take a while to find out. */
export function explain(candidates: readonly Candidate[], what: string, where?: (index: number) => string): string {
  if (candidates.length === 0) return `There is no ${what} at all.`;
  const nearest = candidates
    .map((candidate, index) => ({ candidate, index, score: score(candidate) }))
    .sort((a, b) => a.score - b.score)
    .slice(0, most);
  const lines = [`Nearest ${what}s${candidates.length > most ? ` (of ${candidates.length})` : ''}:`];
  nearest.forEach(({ candidate: { title, differences, note }, index }, rank) => {
    lines.push(`  ${rank + 1}. ${title}${where === undefined ? '' : `   (${where(index)})`}`);
    for (const { field, expected, actual } of differences.slice(0, mostDifferences)) {
      lines.push(`     ${field}: expected ${expected}, got ${actual}`);
    }
    if (differences.length > mostDifferences) lines.push(`     … and ${differences.length - mostDifferences} more`);
    if (note !== undefined) lines.push(`     ${note}`);
  });
  return lines.join('\n');
}
