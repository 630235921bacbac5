/** Results as text for a terminal. Colours only where they are wanted. */
import { styleText } from 'node:util';
import type { Result } from './verdict';
import { barFound, barsOf, barText, marks, rowsOf, standingsOf, standingText, type Table } from './words';

type Format = Parameters<typeof styleText>[0];

const coloured = process.stdout.isTTY && process.env.NO_COLOR === undefined;
const paint = (format: Format, text: string): string => (coloured ? styleText(format, text) : text);

const signs: Readonly<Record<string, readonly [Format, string]>> = {
  met: ['green', '✔'],
  ahead: ['green', '✔'],
  'not met': ['red', '✘'],
  behind: ['red', '✘'],
  'cannot be told': ['yellow', '?'],
  'not measured': ['dim', '–'],
};

/** Columns under each other. Those in `left` are words. */
export function aligned(table: Table, left: readonly number[] = [0]): string[] {
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((line) => line[column]?.length ?? 0)));
  return table.map((line) =>
    line
      .map((cell, column) =>
        left.includes(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}

export function render({ name, what, unit, rows, standings, bars, absent }: Result): string {
  const [head = '', ...lines] = rows.length === 0 ? [] : aligned(rowsOf(rows, unit));
  const out = [`${paint('bold', name)}  ${what}`, ...(head === '' ? [] : [paint('dim', head)])];
  for (const line of lines) out.push(line.startsWith(marks.ours) ? paint('cyan', line) : line);
  for (const { name: subject, reason } of absent) out.push(paint('dim', `  ${subject}: not here (${reason})`));
  const said = (verdict: string, text: string): void => {
    const [format, sign] = signs[verdict] ?? ['dim', ' '];
    out.push(`${paint(format, sign)} ${text}: ${verdict}`);
  };
  for (const standing of standings) said(standing.verdict, standingText(standing));
  for (const bar of bars) said(bar.verdict, `${barText(bar, unit)}; ${barFound(bar, unit)}`);
  return out.join('\n');
}

/** What stands at the end of a run: where we are beside the best peer, and every bar. */
export function summary(results: readonly Result[]): string {
  const part = (title: string, table: Table): string[] => {
    if (table.length === 0) return [];
    const lines = aligned(table, [0, 1, 2, 3, 4]).map((line, index) => {
      const [format, sign] = Object.entries(signs).find(([verdict]) => table[index]?.includes(verdict))?.[1] ?? [
        'dim',
        ' ',
      ];
      return `${paint(format, sign)} ${line}`;
    });
    return [paint('bold', title), ...lines, ''];
  };
  return [...part('Beside the best peer', standingsOf(results)), ...part('Bars', barsOf(results))].join('\n');
}
