/** A table for people: aligned, as wide as the terminal at most, coloured only on one. */
import { styleText } from 'node:util';

/** How a row went: done, not done, or not to be had here. */
export type Mark = 'good' | 'bad' | 'absent';

export interface Row {
  readonly mark: Mark;
  /** What it is about, a command, an answer, and times. */
  readonly cells: readonly string[];
  /** Text of any length, which stands below the row. */
  readonly below: string | undefined;
}

type Format = Parameters<typeof styleText>[0];
const marks: Readonly<Record<Mark, readonly [sign: string, format: Format]>> = {
  good: ['✔', 'green'],
  bad: ['✘', 'red'],
  absent: ['–', 'yellow'],
};
const between = '  ';
/** These give way where the terminal is narrow, down to so many characters. */
const [command, answer, least] = [1, 2, 12];

export class Table {
  private readonly widths: number[];

  constructor(
    private readonly heads: readonly string[],
    private readonly rows: readonly Row[],
    private readonly columns = Math.min(process.stdout.isTTY ? process.stdout.columns : 120, 120),
  ) {
    const longest = (column: number): number =>
      Math.max(heads[column]?.length ?? 0, ...rows.map(({ cells }) => oneLine(cells[column]).length));
    this.widths = heads.map((_, column) => longest(column));
    const width = (column: number): number => this.widths[column] ?? 0;
    const total = (): number => this.widths.reduce((sum, one) => sum + between.length + one, 0);
    while (total() > columns) {
      const widest = width(command) > width(answer) ? command : answer;
      if (width(widest) <= least) break;
      this.widths[widest] = width(widest) - 1;
    }
  }

  text(): string {
    const lines = [paint('dim', between + this.aligned(this.heads).join(between))];
    for (const { mark, cells, below } of this.rows) {
      const [sign, format] = marks[mark];
      const [what = '', line = '', found = '', ...times] = this.aligned(cells);
      lines.push(
        [
          `${paint(format, sign)} ${what}`,
          paint('cyan', line),
          mark === 'good' ? found : paint(format, found),
          paint('dim', times.join(between)),
        ].join(between),
      );
      for (const line of folded(below, this.columns - 4)) lines.push(paint('dim', `    ${line}`));
    }
    return lines.join('\n');
  }

  private aligned(cells: readonly string[]): string[] {
    return cells.map((cell, column) => {
      const width = this.widths[column] ?? 0;
      const line = oneLine(cell);
      const text = line.length > width ? `${line.slice(0, width - 1)}…` : line;
      // Times are numbers: they stand at the right.
      return column <= answer ? text.padEnd(width) : text.padStart(width);
    });
  }
}

/** Lines of at most so many characters, cut between words; a word that is longer is left whole. */
function folded(text: string | undefined, width: number): string[] {
  return (text?.split('\n') ?? []).flatMap((line) => {
    const lines = [''];
    for (const word of line.split(' ')) {
      const last = lines.at(-1) ?? '';
      if (last !== '' && last.length + word.length >= width) lines.push(word);
      else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
    }
    return lines;
  });
}

const oneLine = (text = ''): string => text.replaceAll('\n', ' ');

function paint(format: Format, text: string): string {
  const wanted = process.stdout.isTTY && process.env.NO_COLOR === undefined;
  return wanted ? styleText(format, text) : text;
}
