/**
 * Descriptors that end with their worker thread. `worker.terminate()` runs no code in the worker, so descriptors that libc
 * opened there would leak. Node itself closes every number that its own `openSync` returned in the worker and its `closeSync`
 * has not closed (`trackUnmanagedFds`), whatever the number leads to by then. So we move each libc descriptor onto such a
 * number, and close it only through Node: if libc closed it, Node would later close whatever has the number by then. In the
 * main thread nothing of this is done.
 */
import { closeSync, constants, openSync } from 'node:fs';
import { startError } from '@vircommand/core/backend';
import { systemError } from './errno';
import type { Libc } from './libc';
import { LINUX } from './linux';

const { O_RDONLY, O_WRONLY, O_RDWR, O_APPEND, O_NONBLOCK } = constants;
/** O_RDONLY|O_APPEND is a combination nobody else uses, so it identifies our own placeholder. */
const flags = O_RDONLY | O_APPEND | O_NONBLOCK;

/** Numbers that Node closes with this thread. */
const bound = new Set<number>();
let denied = false;

/**
 * Takes a descriptor, and returns the one to use from now on. It is the same one if it cannot be bound, because no number is
 * free or Node's permission model denies the file.
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
  // A faked file system may return numbers that belong to other code.
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
 * Gives a descriptor to a function that takes care of closing it, under the number that it is called with. If the function
 * throws, the descriptor is as it was before.
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

/** Closes a descriptor, whether it is bound to this thread or not. */
export function closeBound(libc: Libc, fd: number): void {
  if (bound.delete(fd)) closeOfNode(fd);
  else libc.close(fd);
}

/** Closes a number that Node opened. A failure is ignored, as that of `close(2)` is here: the number is free in any case. */
export function closeOfNode(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // EBADF, or what a network file system has to say.
  }
}
