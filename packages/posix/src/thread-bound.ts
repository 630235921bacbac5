/**
 * Descriptors that end with the worker thread that has them. Node closes then the numbers that its own `openSync` gave there and
 * its own `closeSync` has not closed (`trackUnmanagedFds`), whatever they lead to by then: whoever has such a number by then
 * would lose it. So what Node has opened only Node may close.
 */
import { closeSync } from 'node:fs';

/** Closes what Node has opened. That it cannot is no error, as for `close(2)` here: the number is free in any case. */
export function closeOfNode(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // EBADF, or what a network file system has to say.
  }
}
