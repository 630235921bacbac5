/** An outcome as text for a terminal. Colours only where they are wanted. */
import { styleText } from 'node:util';
import type { Case } from './case';
import type { Absent } from './measure';
import type { Estimate } from './statistics';
import type { Row, Verdict } from './verdict';

const coloured = process.stdout.isTTY && process.env.NO_COLOR === undefined;
const paint = (format: Parameters<typeof styleText>[0], text: string): string =>
  coloured ? styleText(format, text) : text;

/** Three digits that count. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return '–';
  return value >= 100
    ? value.toFixed(0)
    : value >= 10
      ? value.toFixed(1)
      : value >= 1
        ? value.toFixed(2)
        : value.toFixed(3);
}

const times = (found: Estimate | undefined): string => {
  if (found === undefined) return '';
  const range = Number.isFinite(found.high) ? ` [${found.low.toFixed(2)}–${found.high.toFixed(2)}]` : ' [?]';
  return `${found.value.toFixed(2)} ×${range}`;
};

const marks = { ours: '●', peer: '○', limit: '▪' } as const;
const signs = { good: ['green', '✔'], bad: ['red', '✘'], undecided: ['yellow', '?'] } as const;

export function render({ name, what, unit = 'ms' }: Case, verdict: Verdict, absent: readonly Absent[]): string {
  const heads = [
    '',
    unit,
    'middle half',
    'p99',
    verdict.rows.some(({ toLimit }) => toLimit !== undefined) ? 'to limit' : '',
    verdict.bestPeer === undefined ? '' : 'to best peer',
  ];
  const rows = [...verdict.rows].sort((a, b) => a.median - b.median).map((row) => ({ row, cells: cellsOf(row) }));
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...rows.map(({ cells }) => cells[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      // A column that nobody fills is none.
      .filter((_, column) => (widths[column] ?? 0) > 0)
      .join('  ')
      .trimEnd();
  const out = [`${paint('bold', name)}  ${what}`, paint('dim', `  ${line(heads)}`)];
  for (const { row, cells } of rows) {
    const mark = paint(row.role === 'ours' ? 'cyan' : 'dim', marks[row.role]);
    out.push(`${mark} ${row.role === 'ours' ? paint('cyan', line(cells)) : line(cells)}`);
  }
  for (const { subject, reason } of absent) out.push(paint('dim', `  ${subject.name}: not here (${reason})`));
  for (const { kind, text } of verdict.conclusions) out.push(`${paint(signs[kind][0], signs[kind][1])} ${text}`);
  return out.join('\n');
}

const cellsOf = ({ name, median, quartiles: [low, high], p99, toLimit, toBestPeer }: Row): string[] => [
  name,
  digits(median),
  `${digits(low)}–${digits(high)}`,
  digits(p99),
  times(toLimit),
  times(toBestPeer),
];
