/** Help that reads well in a terminal of 80 columns. */
import type { Flag, FlagGroup } from './flag';
import type { Paint } from './output';

/** No line of a help is longer. */
export const width = 80;
const indent = '  ';
const flagColumn = 26;

/** Words in lines of at most so many characters. A word that is longer has a line of its own. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= columns) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** A term, and what it means beside it or, where the term is too long, below. */
export function entry(term: string, meaning: string, column: number, paint: (term: string) => string): string {
  const lines = wrap(meaning, width - column);
  const pad = ' '.repeat(column);
  const fits = indent.length + term.length + 2 <= column;
  const first = indent + paint(term) + (fits ? ' '.repeat(column - indent.length - term.length) : `\n${pad}`);
  return `${first}${lines.join(`\n${pad}`)}\n`;
}

const usageOfFlag = ({ name, short, value }: Flag<never>): string =>
  `${short === undefined ? '' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`;

/** All flags of a subcommand, group by group. */
export function flagsHelp(groups: readonly FlagGroup<never>[], paint: Paint): string {
  return groups
    .map(({ title, note, flags }) => {
      const lines = flags.map((flag) =>
        entry(usageOfFlag(flag), flag.help, flagColumn, (term) => paint('green', term)),
      );
      const remark = note === undefined ? '' : `${indent}${wrap(note, width - indent.length).join(`\n${indent}`)}\n`;
      return `\n${paint('bold', `${title}:`)}\n${remark}${lines.join('')}`;
    })
    .join('');
}

/** A paragraph. */
export const paragraph = (text: string): string => `${wrap(text, width).join('\n')}\n`;
