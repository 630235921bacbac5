/** Text of programs and callers in messages and logs, where a terminal must not act on it. */
import { stripVTControlCharacters } from 'node:util';

const escaped = (character: string): string =>
  character === '\r' ? '\\r' : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;

/** Without colours and the like, and with every other control character but line ends and tabs written out. */
export const printable = (text: string): string =>
  stripVTControlCharacters(text)
    .replaceAll('\r\n', '\n')
    .replaceAll(/[^\P{Cc}\t\n]/gu, escaped);

/** As {@link printable}, in one line. */
export const printableLine = (text: string): string => printable(text).replaceAll('\n', '\\n');
