/** Colours, where there is a terminal that shows them. */
import type { WriteStream } from 'node:tty';

/** What is used of a stream; `isTTY` and `hasColors` are there on terminals only. */
export type Output = Pick<NodeJS.WritableStream, 'write'> &
  Partial<Pick<WriteStream, 'isTTY' | 'hasColors' | 'columns'>>;

const codes = { red: 31, green: 32, yellow: 33, dim: 2, bold: 1 } as const;
export type Style = keyof typeof codes;
export type Paint = (style: Style, text: string) => string;

/** `hasColors()` knows `NO_COLOR`, `FORCE_COLOR`, `NODE_DISABLE_COLORS` and dumb terminals. */
export function painter(output: Output): Paint {
  const coloured = output.isTTY === true && output.hasColors?.() === true;
  return (style, text) => (coloured && text !== '' ? `\x1b[${codes[style]}m${text}\x1b[0m` : text);
}
