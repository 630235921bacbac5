/** What is written of a whole run, and read again: everything that tables, charts and documents are made of. */
import type { machine } from './machine';
import type { Result } from './verdict';

export interface Report {
  readonly format: 2;
  readonly machine: ReturnType<typeof machine>;
  readonly results: readonly Result[];
}

/** More digits than a measurement has are noise. */
const significant = 4;
const shorter = (value: number): number => Number(value.toPrecision(significant));

export function write(report: Report): string {
  const plain = (_: string, value: unknown): unknown => (typeof value === 'number' ? shorter(value) : value);
  const text = JSON.stringify(report, plain, 1);
  // A list of numbers is one line.
  return `${text.replace(/\[[\d\s.,e+-]+\]/g, (list) => list.replace(/\s+/g, ' ').replace('[ ', '[').replace(' ]', ']'))}\n`;
}

/** @throws Error for something else than a report. */
export function read(text: string): Report {
  // JSON has no Infinity, which is the end of an interval that holds everything.
  const found = JSON.parse(text, (_, value: unknown) => value ?? Infinity) as Partial<Report>;
  if (found.format !== 2 || found.results === undefined) throw new Error('this is no report of this version');
  return found as Report;
}
