/**
 * Capabilities that go with a program to every other user. The kernel takes them from a process that was root, and
 * from root only if its securebits do not forbid it, which no file says; Node can neither see those bits nor clear the set.
 */
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { startError } from '@vircommand/core/backend';

/** @throws CommandStartError, stage `privileges`: a program of that user would have capabilities, or that cannot be known */
export function checkAmbient(uid: number): void {
  if (uid === 0 || process.platform !== 'linux') return;
  const set = /^CapAmb:\s*(.*)$/m.exec(ownStatus())?.[1] ?? '0';
  if (/^0+$/.test(set)) return;
  const message =
    `EPERM: a program of user ${uid} would keep the ambient capabilities of this process (CapAmb ${set}), ` +
    'which Node cannot clear; @vircommand/posix does';
  throw startError('privileges', Object.assign(new Error(message), { code: 'EPERM', errno: -constants.errno.EPERM }));
}

/** Of this thread: the program begins with what that has. */
function ownStatus(): string {
  try {
    return readFileSync('/proc/thread-self/status', 'latin1');
  } catch (error) {
    throw startError('privileges', error as NodeJS.ErrnoException);
  }
}
