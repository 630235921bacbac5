/** What is in a pid file: the number in decimal. */
import { readSync } from 'node:fs';

/** No pid is longer, with what editors leave behind it. */
const longest = 32;
const largest = 0x7fffffff;

/** The content of the file while a process removes it, as libvirt marks it: no process has this pid. */
export const CLEANING = 0;

/**
 * The number in a pid file; `undefined`: there is none. Only digits and white space after them are one, so a pid is never
 * negative; it is 0 while somebody removes the file.
 */
export function parsePid(text: string): number | undefined {
  if (text.length > longest || !/^\d{1,10}\s*$/.test(text)) return undefined;
  const pid = Number(text);
  return pid <= largest ? pid : undefined;
}

/** The beginning of an open file, with one byte more than may be there. The descriptor keeps its position. */
export function readText(fd: number): string {
  const bytes = Buffer.alloc(longest + 1);
  let length = 0;
  for (;;) {
    const count = readSync(fd, bytes, length, bytes.length - length, length);
    length += count;
    if (count === 0 || length === bytes.length) return bytes.toString('latin1', 0, length);
  }
}

/** The number in an open pid file; `undefined`: there is none. */
export function readOpenPid(fd: number): number | undefined {
  return parsePid(readText(fd));
}
