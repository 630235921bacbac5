import type { Libc } from './libc';
import { LINUX } from './linux';

/**
 * Where the caller closed 0, 1 or 2, a new descriptor gets that number; libuv never closes it and the program would inherit it.
 * Moves it to 3 or above. Negative: errno, and `fd` is closed.
 */
export function aboveStdio(libc: Libc, fd: number): number {
  if (fd > 2 || fd < 0) return fd;
  const raised = libc.fcntl(fd, LINUX.F_DUPFD_CLOEXEC, 3);
  libc.close(fd);
  return raised;
}

/** Why no thread of Node's may be made: its event loop would get a number below 3, and libuv aborts when it closes that. */
export function closedStdio(libc: Libc): string | undefined {
  const closed = [0, 1, 2].filter((fd) => libc.fcntl(fd, LINUX.F_GETFD, 0) < 0);
  return closed.length === 0 ? undefined : `descriptor ${closed.join(' and ')} of this process is closed`;
}
