/** What a pid file says, and whether that still holds. Nothing here takes the lock, so no start fails because of it. */
import { closeSync } from 'node:fs';
import { errno, systemError } from '../errno';
import type { Libc } from '../libc';
import { runsExecutable } from './executable';
import { isItself, openPidFile } from './file';
import { lockOwner } from './lock';
import { ownDescriptor } from './own';
import { HeldProcess } from './process';
import { CLEANING, parsePid, readText } from './text';

/** The text, and by whom the file is locked: see `lockOwner()`. */
interface Content {
  readonly text: string;
  /** Whether an error may tell it: a symbolic link may lead to what only this process can read. */
  readonly tellable: boolean;
  readonly owner: number | undefined;
}

export function readContent(libc: Libc, path: string): Content {
  const own = ownDescriptor(path);
  // Its descriptor is that of acquirePath() or of the launcher; another one could not be closed again.
  if (own !== undefined) return { text: ownText(path, own), tellable: isItself(path, own), owner: process.pid };
  const fd = openPidFile(path, 'read');
  try {
    // In this order: a program that has the lock before has written before, too.
    const owner = lockOwner(libc, fd, path);
    return { text: readText(fd), tellable: isItself(path, fd), owner };
  } finally {
    closeSync(fd);
  }
}

function ownText(path: string, fd: number): string {
  try {
    return readText(fd);
  } catch {
    const why = 'this process has it locked by a descriptor that cannot be read, and would lose the lock';
    throw systemError(errno.EDEADLK, 'open', path, why);
  }
}

/** The pid in the text. Throws EINVAL if there is none; 0 while the file is removed. */
function pidOf(path: string, { text, tellable }: Content): number {
  const pid = parsePid(text);
  if (pid !== undefined) return pid;
  const told = tellable ? `it holds ${JSON.stringify(text)}` : 'it is a symbolic link to something';
  throw systemError(errno.EINVAL, 'read', path, `${text === '' ? 'it is empty' : told}, which is no pid`);
}

export function readPid(libc: Libc, path: string): number {
  const pid = pidOf(path, readContent(libc, path));
  if (pid === CLEANING) throw systemError(errno.EINVAL, 'read', path, 'it holds 0: somebody is removing it');
  return pid;
}

/** What is in the file, as long as somebody can be meant by it: `undefined` if it is not there, or is just being made or removed. */
export function pidNow(
  libc: Libc,
  path: string,
): { readonly pid: number; readonly owner: number | undefined } | undefined {
  let content: Content;
  try {
    content = readContent(libc, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  if (content.text === '') return undefined;
  const pid = pidOf(path, content);
  return pid === CLEANING ? undefined : { pid, owner: content.owner };
}

export function readIfAlive(libc: Libc, path: string, executable: string | undefined): number | undefined {
  const found = pidNow(libc, path);
  return found !== undefined && isAlive(libc, found.pid, executable) ? found.pid : undefined;
}

export function readIfLocked(libc: Libc, path: string, executable: string | undefined): number | undefined {
  const found = pidNow(libc, path);
  if (found?.owner === undefined) return undefined;
  const { pid, owner } = found;
  // Where the owner has no number here, what it wrote is all there is. Otherwise the lock of one that wrote nothing, or
  // whose number is not in the file, is a passing one.
  return (owner <= 0 || owner === pid) && isAlive(libc, pid, executable) ? pid : undefined;
}

/** Whether a process of this number is alive, and runs the executable, if one is asked for. */
export function isAlive(libc: Libc, pid: number, executable: string | undefined): boolean {
  const held = HeldProcess.open(libc, pid);
  if (held === undefined) return false;
  try {
    // In this order: the number is still its own, so it was the one that was looked at.
    return (executable === undefined || runsExecutable(pid, executable)) && held.isAlive();
  } finally {
    held.close();
  }
}
