/** Pid files of starts that failed without a word, and of daemons that have begun. */
import { closeSync, unlinkSync } from 'node:fs';
import type { Libc } from '../libc';
import { isStillAt, openPidFile } from '../pidfile/file';
import { lockOwner, tryLock } from '../pidfile/lock';
import { readPid } from '../pidfile/text';

/** Removes the file if nobody has it any more and it still names the process that died. */
export function removeOwnPidFile(libc: Libc, path: string, pid: number): void {
  try {
    const fd = openPidFile(path, 'change');
    try {
      if (readPid(fd) === pid && tryLock(libc, fd, path) && isStillAt(path, fd)) unlinkSync(path);
    } finally {
      closeSync(fd);
    }
  } catch {
    // It is stale, and the next start takes it over.
  }
}

/** Whether a program has the lock that its launcher took: before Linux 5.11 a process with threads loses it at exec. */
export function holdsPidFile(libc: Libc, path: string, pid: number): boolean {
  const fd = openPidFile(path, 'read');
  try {
    return lockOwner(libc, fd, path) === pid;
  } finally {
    closeSync(fd);
  }
}
