/** Pid files of starts that failed without a word, and of daemons that have begun. */
import { readdirSync, statSync } from 'node:fs';
import { procIsOurs, realTime } from '@vircommand/core/backend';
import type { Libc } from '../libc';
import { isSame } from '../pidfile/file';
import { readContent } from '../pidfile/read';
import { discardPidFile, type Removal } from '../pidfile/remove';
import { longestLauncherDeath } from './progress';

/** Removes the file if nobody has it any more and it still names the process that died, or is about to. */
export function removeOwnPidFile(libc: Libc, path: string, pid: number): void {
  const end = realTime.now() + longestLauncherDeath;
  const isItsOwn = (found: Removal): boolean => found.state === 'held' && found.owner === pid;
  try {
    // The lock is gone a moment after the pipe by which its end is noticed.
    while (isItsOwn(discardPidFile(libc, path, pid)) && realTime.now() < end) libc.poll(null, 0, 1);
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
  if (!procIsOurs()) return false;
  const file = statSync(path, { bigint: true });
  const descriptors = `/proc/${pid}/fd`;
  return readdirSync(descriptors).some((fd) =>
    isSame(statSync(`${descriptors}/${fd}`, { bigint: true, throwIfNoEntry: false }), file),
  );
}
