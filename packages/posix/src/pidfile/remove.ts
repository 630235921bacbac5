/** Removes a pid file that no process has: under a lock, so that a daemon that starts meanwhile makes a new one. */
import { closeSync, ftruncateSync, unlinkSync, writeSync } from 'node:fs';
import { errno, systemError } from '../errno';
import type { Libc } from '../libc';
import { isStillAt, openPidFile } from './file';
import { lockOwner, tryLock, tryReadLock } from './lock';
import { ownDescriptor } from './own';
import { CLEANING, readText } from './text';

/** What became of the file. `held`: it is there, and another process has it. */
export type Removal =
  { readonly state: 'absent' | 'removed' | 'kept' } | { readonly state: 'held'; readonly owner: number };

/**
 * Removes the file if it is not locked, or only for reading, and `unwanted` says so of what is in it.
 *
 * @throws PidFileError: EDEADLK if this process has it locked, and the errors of open and unlink
 */
export function removeIfFree(libc: Libc, path: string, unwanted: (text: string) => boolean): Removal {
  if (ownDescriptor(path) !== undefined) {
    throw systemError(errno.EDEADLK, 'fcntl', path, 'this process has it locked itself: release it');
  }
  for (;;) {
    let fd: number;
    try {
      fd = openPidFile(path, 'change');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { state: 'absent' };
      throw error;
    }
    try {
      // Asked for first: a lock that is taken is not even tried.
      const owner = lockOwner(libc, fd, path);
      const text = readText(fd);
      if (owner !== undefined) return { state: 'held', owner };
      if (!unwanted(text)) return { state: 'kept' };
      // Who only reads cannot keep it; and no daemon can have it while we read it, too.
      if (!tryLock(libc, fd, path) && !tryReadLock(libc, fd, path)) continue;
      if (!isStillAt(path, fd)) continue;
      // It may have been another's between the look and the lock.
      if (readText(fd) !== text) continue;
      // libvirt kills the process that the file names when it finds the lock taken; of 0 it knows better.
      ftruncateSync(fd);
      writeSync(fd, String(CLEANING), 0, 'latin1');
      unlinkSync(path);
      return { state: 'removed' };
    } finally {
      closeSync(fd);
    }
  }
}

/** Removes the pid file that a process left when its start failed, unless another process has it by now. */
export function discardPidFile(libc: Libc, path: string, pid: number): Removal {
  return removeIfFree(libc, path, (text) => text === String(pid) || text === '');
}
