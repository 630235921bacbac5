/**
 * Descriptors that end with the worker thread that has them: `terminate()` runs no code in it. But Node closes then the numbers
 * that its own `openSync` gave there and its own `closeSync` has not closed (`trackUnmanagedFds`), whatever they lead to by then.
 * So what libc has made moves to such a number; and what has one only Node may close, since whoever has the number next would
 * lose it. In the main thread nothing of this is done.
 */
import { closeSync, constants, openSync } from 'node:fs';
import { startError } from '@vircommand/core/backend';
import { systemError } from './errno';
import type { Libc } from './libc';
import { LINUX } from './linux';

const { O_RDONLY, O_WRONLY, O_RDWR, O_APPEND, O_NONBLOCK } = constants;
/** Nobody else appends to what he only reads: by this a number is known to be what was opened here. */
const flags = O_RDONLY | O_APPEND | O_NONBLOCK;

/** Numbers that Node closes with this thread. */
const bound = new Set<number>();
let denied = false;

/**
 * Takes a descriptor, and gives the one to use from now on. The same one where it cannot be bound: no number is free, or the
 * permission model denies the file.
 */
export function bindToThread(libc: Libc, fd: number): number {
  if (libc.isMainThread || fd < 0 || denied) return fd;
  let number;
  try {
    number = openSync('/dev/null', flags);
  } catch (error) {
    denied = error instanceof Error && 'code' in error && error.code === 'ERR_ACCESS_DENIED';
    return fd;
  }
  // A faked file system gives numbers that are somebody else's.
  const opened = libc.fcntl(number, LINUX.F_GETFL, 0);
  const isOurs = number > 2 && opened >= 0 && (opened & (O_WRONLY | O_RDWR | flags)) === flags;
  if (!isOurs || libc.dup3(fd, number, LINUX.O_CLOEXEC) < 0) {
    closeOfNode(number);
    return fd;
  }
  libc.close(fd);
  bound.add(number);
  return number;
}

/**
 * Gives it to somebody who closes it himself, by the number that it has then. If he throws it is as it was.
 *
 * @throws CommandStartError, stage `stdio`, if no number is free
 */
export function handOver<T>(libc: Libc, fd: number, take: (own: number) => T): T {
  if (!bound.has(fd)) return take(fd);
  const own = libc.fcntl(fd, LINUX.F_DUPFD_CLOEXEC, 3);
  if (own < 0) throw startError('stdio', systemError(-own, 'fcntl'));
  let taken: T;
  try {
    taken = take(own);
  } catch (error) {
    libc.close(own);
    throw error;
  }
  closeBound(libc, fd);
  return taken;
}

/** Closes what may be bound. */
export function closeBound(libc: Libc, fd: number): void {
  if (bound.delete(fd)) closeOfNode(fd);
  else libc.close(fd);
}

/** Closes what Node has opened. That it cannot is no error, as for `close(2)` here: the number is free in any case. */
export function closeOfNode(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // EBADF, or what a network file system has to say.
  }
}
