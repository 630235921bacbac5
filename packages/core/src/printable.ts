/** Text of programs and callers in messages and logs, where a terminal must not act on it. */
import { stripVTControlCharacters } from 'node:util';

const escaped = (character: string): string =>
  character === '\r' ? '\\r' : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;

/**
 * With every control character but line ends and tabs written out. None is left out: a name without those that it has would
 * be another name.
 */
export const printable = (text: string): string => text.replaceAll(/[^\P{Cc}\t\n]/gu, escaped);

/** As {@link printable}, in one line. */
export const printableLine = (text: string): string => printable(text).replaceAll('\n', '\\n');

/** What a program wrote, without what it says to a terminal only: colours, titles, cursor movement, where a link leads. */
export const withoutSequences = (output: string): string => stripVTControlCharacters(output).replaceAll('\r\n', '\n');
