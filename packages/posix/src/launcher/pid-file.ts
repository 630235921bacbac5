/** Pid files of starts that failed without a word, and of daemons that have begun. */
import { readdirSync, statSync } from 'node:fs';
import type { Libc } from '../libc';
import { readContent } from '../pidfile/read';
import { discardPidFile } from '../pidfile/remove';

/** Removes the file if nobody has it any more and it still names the process that died. */
export function removeOwnPidFile(libc: Libc, path: string, pid: number): void {
  try {
    discardPidFile(libc, path, pid);
  } catch {
    // It is stale, and the next start takes it over.
  }
}

/**
 * Whether a program lost the lock of its launcher at exec, as a process with threads does before Linux 5.11. One that
 * has ended, or has closed the descriptor as many daemons do with all that they inherit, gave it up itself.
 */
export function hasLostPidFile(libc: Libc, path: string, pid: number): boolean {
  try {
    return readContent(libc, path).owner === undefined && hasOpen(pid, path);
  } catch {
    return false; // It has removed the file by now.
  }
}

function hasOpen(pid: number, path: string): boolean {
  const file = statSync(path, { bigint: true });
  const descriptors = `/proc/${pid}/fd`;
  return readdirSync(descriptors).some((fd) => {
    const open = statSync(`${descriptors}/${fd}`, { bigint: true, throwIfNoEntry: false });
    return open?.ino === file.ino && open.dev === file.dev;
  });
}
