/**
 * Whether this process itself has a pid file locked. It must be known before the file is opened: closing any descriptor
 * of it would drop the lock, and the kernel never reports a process's own lock to it.
 *
 * The kernel is asked, not a list of ours: worker threads, a second copy of this package, and a daemon that got the lock
 * from its launcher have the lock too and no such list.
 */
import { fstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { isSame } from './file';

/** The descriptor by which this process has the file locked; `undefined`: it has not, or there is no such file. */
export function ownDescriptor(path: string): number | undefined {
  const file = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (file === undefined) return undefined;
  return descriptors().find((fd) => {
    try {
      return isSame(fstatSync(fd, { bigint: true }), file) && isLocked(fd);
    } catch {
      return false; // Another thread closed it meanwhile.
    }
  });
}

function descriptors(): number[] {
  try {
    return readdirSync('/proc/self/fd').map(Number);
  } catch {
    return []; // Without /proc nothing can be said.
  }
}

/** A descriptor from a parent also shows the lock that the parent has: the line names whose it is, by its number in `/proc`. */
function isLocked(fd: number): boolean {
  const lock = /^lock:.*\bPOSIX\s.*\s(?:READ|WRITE)\s+(\d+)\s/gm;
  const self = readlinkSync('/proc/self');
  for (const [, pid] of readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1').matchAll(lock)) {
    if (pid === self) return true;
  }
  return false;
}
