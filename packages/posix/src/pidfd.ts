/** A process, identified by a descriptor: another process that gets its pid later is not mistaken for it. */
import { realTime } from '@vircommand/core/backend';
import { aboveStdio } from './above-stdio';
import { errno } from './errno';
import type { Libc } from './libc';
import { LINUX } from './linux';
import { SIZE } from './struct';
import { bindToThread } from './thread-bound';

/** To be closed with `closeBound()`. Negative: the error. */
export function openPidfd(libc: Libc, pid: number): number {
  return bindToThread(libc, aboveStdio(libc, libc.syscall(LINUX.SYS_pidfd_open, pid, 0, 0, 0, 0)));
}

/**
 * Blocks until the process is dead, reaped or not, for so many milliseconds at most; whether it is. Without a pidfd only the
 * time passes.
 */
export function waitForDeath(libc: Libc, pidfd: number, ms: number): boolean {
  const set = Buffer.alloc(SIZE.pollfd);
  set.writeInt32LE(pidfd, 0);
  set.writeInt16LE(LINUX.POLLIN, 4);
  const end = realTime.now() + ms;
  for (let left = Math.ceil(ms); ; left = Math.ceil(end - realTime.now())) {
    const result = libc.poll(set, 1, Math.max(0, left));
    // A signal, as that of a child's end, interrupts it.
    if (result !== -errno.EINTR) return result !== 0;
  }
}

/** Whether the caller has no right to signal the process of this number. */
export const mayNotSignal = (libc: Libc, pid: number): boolean => libc.kill(pid, 0) === -errno.EPERM;
