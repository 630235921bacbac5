/** Takes a pid file and gives it back: for programs themselves, and for the launcher just before it becomes the program. */
import { closeSync, ftruncateSync, rmSync, writeSync } from 'node:fs';
import { aboveStdio } from '../above-stdio';
import { errno, systemError } from '../errno';
import type { Libc } from '../libc';
import { isStillAt, openPidFile } from './file';
import { lockOwner, lockReader, tryLock } from './lock';
import { readOpenPid } from './text';

/** An error of a pid file, as Node's own: with `code`, `errno`, `syscall` and `path`. */
export interface PidFileError extends NodeJS.ErrnoException {
  /** The process that has the lock, where the system names one. */
  owner?: number | undefined;
}

/** Rounds of 1 ms for a lock that is only passing: a reader that tries it, a remover of the file. */
const patience = 100;

/**
 * Takes the lock of a pid file, which is made if there is none, and writes a pid into it.
 *
 * The descriptor gets its number before it is locked, and must then neither be moved nor be closed: closing any
 * descriptor of the file drops the lock. For the same reason this process must have no lock on the file already.
 *
 * @returns the descriptor, which is the lock
 * @throws PidFileError: EAGAIN with the owner if another process has the lock, without one if it is locked for reading, and the
 * errors of open. Then nothing is open, and a file that could be locked but not written is removed.
 */
export function lockPidFile(libc: Libc, path: string, pid: number): number {
  for (let round = 0; ; round++) {
    const fd = openAboveStdio(libc, path);
    let keep = false;
    try {
      if (tryLock(libc, fd, path)) {
        if (isStillAt(path, fd)) {
          fill(path, fd, pid);
          keep = true;
          return fd;
        }
      } else {
        const owner = lockOwner(libc, fd, path);
        // A process that means to stay writes its pid; until then the lock may be a passing one.
        if (owner !== undefined && (owner <= 0 || owner === readOpenPid(fd) || round >= patience))
          throw heldError(path, owner);
        const reader = round < patience ? undefined : lockReader(libc, fd, path);
        if (reader !== undefined) throw beingRead(path, reader);
      }
      if (round >= patience) throw systemError(errno.EAGAIN, 'fcntl', path, 'others keep making and removing it');
    } finally {
      if (!keep) closeSync(fd);
    }
    pause(1);
  }
}

/** Removes a pid file that this process has locked, while it is locked, and then gives the lock back. */
export function unlockPidFile(path: string, fd: number): void {
  try {
    // Who came before us to remove it may have let another process make its own.
    if (isStillAt(path, fd)) rmSync(path, { force: true });
  } finally {
    closeSync(fd);
  }
}

function openAboveStdio(libc: Libc, path: string): number {
  const fd = aboveStdio(libc, openPidFile(path, 'create'));
  if (fd < 0) throw systemError(-fd, 'fcntl', path, 'no descriptor above 2 is below RLIMIT_NOFILE');
  return fd;
}

function fill(path: string, fd: number, pid: number): void {
  try {
    ftruncateSync(fd);
    writeSync(fd, String(pid), 0, 'latin1');
  } catch (error) {
    rmSync(path, { force: true });
    const { errno: number = -errno.EIO, syscall = 'write' } = error as NodeJS.ErrnoException;
    throw systemError(-number, syscall, path);
  }
}

export function heldError(path: string, owner: number): PidFileError {
  const error: PidFileError = systemError(
    errno.EAGAIN,
    'fcntl',
    path,
    owner > 0 ? `held by pid ${owner}: it runs already` : `held by ${nameOf(owner)}`,
  );
  if (owner > 0) error.owner = owner;
  return error;
}

function beingRead(path: string, reader: number): PidFileError {
  const why = `locked for reading by ${nameOf(reader)}, and so by no daemon: end that, or remove the file`;
  return systemError(errno.EAGAIN, 'fcntl', path, why);
}

const nameOf = (owner: number): string =>
  owner > 0
    ? `pid ${owner}`
    : owner === 0
      ? 'a process outside this pid namespace'
      : 'an open file description, of which the kernel names no process';

/** Blocks this thread, so that it can be used where no event loop may run. */
function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
