/** A table for people: aligned, as wide as the terminal, coloured only on one. */
import { styleText } from 'node:util';

interface Row {
  readonly good: boolean;
  readonly cells: readonly string[];
}

const most = { command: 34, answer: 36 } as const;

/** Collects rows, so that the columns can be aligned. */
export class Table {
  private readonly rows: Row[] = [];

  constructor(private readonly heads: readonly string[]) {}

  add(row: Row): void {
    this.rows.push(row);
  }

  print(): void {
    const short = (text: string, column: number): string => {
      const limit = column === 1 ? most.command : most.answer;
      const line = text.replaceAll('\n', ' ');
      return line.length > limit ? line.slice(0, limit - 1) + '…' : line;
    };
    const rows = this.rows.map(({ good, cells }) => ({ good, cells: cells.map(short) }));
    const width = (column: number): number =>
      Math.max(this.heads[column]?.length ?? 0, ...rows.map(({ cells }) => cells[column]?.length ?? 0));
    const align = (cells: readonly string[]): string[] =>
      // Times are numbers: they stand at the right.
      cells.map((cell, column) => (column < 3 ? cell.padEnd(width(column)) : cell.padStart(width(column))));
    console.log(paint('dim', `  ${align(this.heads).join('  ')}`.trimEnd()));
    for (const { good, cells } of rows) {
      const [what = '', command = '', answer = '', ...times] = align(cells);
      const mark = good ? paint('green', '✔') : paint('red', '✘');
      console.log(`${mark} ${[what, paint('cyan', command), answer, paint('dim', times.join('  '))].join('  ')}`);
    }
  }
}

function paint(format: Parameters<typeof styleText>[0], text: string): string {
  const wanted = process.stdout.isTTY && process.env.NO_COLOR === undefined;
  return wanted ? styleText(format, text) : text;
}
