/** What a script's first line names, as the kernel reads it. */
import { closeSync, openSync, readSync } from 'node:fs';

/** BINPRM_BUF_SIZE: what the kernel looks at. */
const headSize = 256;
/** Scripts may name scripts as interpreters, to this depth. */
export const mostInterpreters = 5;

/** The beginning of a file, with zeros for what it has not; `undefined`: it cannot be read, though it may be executed. */
export function headOf(file: string | Buffer): Buffer | undefined {
  const head = Buffer.alloc(headSize);
  try {
    const fd = openSync(file, 'r');
    try {
      readSync(fd, head, 0, headSize, 0);
      return head;
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
}

/**
 * The path behind `#!`, which may be empty; `undefined`: to the kernel this is no script (`load_script()`). It takes no path
 * that may be cut off, since it could be that of another program.
 */
export function interpreterOf(head: Buffer): Buffer | undefined {
  const text = head.toString('latin1');
  if (!text.startsWith('#!')) return undefined;
  const first = /^[^\0\n]*(?=\n)/.exec(text)?.[0];
  if (first === undefined && !/^#![ \t]*(?:\0|[^ \t\0]+[ \t\0])/.test(text)) return undefined;
  const line = (first ?? text.slice(0, -1)).slice(2).replace(/[ \t]+$/, '');
  if (line === '') return undefined;
  return Buffer.from(/^[ \t]*([^ \t\0]*)/.exec(line)?.[1] ?? '', 'latin1');
}
