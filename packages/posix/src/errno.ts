/** The names of errors of libc, and Node-like errors made from them. */
import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';
import { printable } from '@vircommand/core/backend';

const names = new Map<number, string>();
for (const [name, number] of Object.entries(constants.errno)) {
  // The first name of a number wins: EAGAIN and not EWOULDBLOCK.
  if (!names.has(number)) names.set(number, name);
}

/** Errors by name: `errno.ENOENT`. Bound functions return them negative. */
export const errno = constants.errno;

/** `'ENOENT'` for 2; `'E'` and the number for what has no name. */
export function errnoName(number: number): string {
  return names.get(number) ?? `E${number}`;
}

/**
 * An error as Node's own: `ENOENT: no such file or directory, open '/x'`, with `code`, `errno` (negative), `syscall`
 * and `path`. `number` is positive; `why` is said in parentheses. Control characters are written out in the message only.
 */
export function systemError(number: number, syscall: string, path?: string, why?: string): NodeJS.ErrnoException {
  const code = errnoName(number);
  const text = getSystemErrorMap().get(-number)?.[1];
  const what = text === undefined ? code : `${code}: ${text}`;
  const where = path === undefined ? '' : ` '${path}'`;
  const because = why === undefined ? '' : ` (${why})`;
  const error: NodeJS.ErrnoException = new Error(printable(`${what}, ${syscall}${where}${because}`));
  error.errno = -number;
  error.code = code;
  error.syscall = syscall;
  if (path !== undefined) error.path = path;
  return error;
}

/** Of a string that libc would take for a shorter one. */
export function nulError(syscall: string, path?: string): NodeJS.ErrnoException {
  return systemError(errno.EINVAL, syscall, path, 'a string contains a NUL byte');
}
