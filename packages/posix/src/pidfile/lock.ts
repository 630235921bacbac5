/**
 * The lock of a pid file, as libvirt takes it: a record lock (`fcntl`) for writing on the first byte.
 *
 * It belongs to the process, not to the descriptor: it survives execve, is not inherited by fork, does not exclude the
 * process that has it, and goes when that process closes any descriptor of the file.
 */
import { errno, systemError } from '../errno';
import type { Libc } from '../libc';
import { LINUX } from '../linux';
import { FLOCK, SIZE } from '../struct';

/** Referenced for good, so that libc may be given its address. */
const flock = Buffer.alloc(SIZE.flock);

function ask(libc: Libc, fd: number, command: number): number {
  flock.fill(0);
  flock.writeInt16LE(LINUX.F_WRLCK, FLOCK.type);
  flock.writeBigInt64LE(1n, FLOCK.length);
  return libc.fcntl(fd, command, libc.driver.address(flock));
}

/** Takes the lock without waiting; `false`: another process has one. The descriptor must be open for writing. */
export function tryLock(libc: Libc, fd: number, path: string): boolean {
  const result = ask(libc, fd, LINUX.F_SETLK);
  if (result === -errno.EAGAIN || result === -errno.EACCES) return false;
  if (result < 0) throw systemError(-result, 'fcntl', path, 'the file system may have no locks');
  return true;
}

/**
 * Which other process has the lock; `undefined`: none. It is 0 for one outside this pid namespace, and -1 for a lock of
 * an open file description, which belongs to no process. Takes nothing, so it makes nobody fail who starts meanwhile.
 */
export function lockOwner(libc: Libc, fd: number, path: string): number | undefined {
  const result = ask(libc, fd, LINUX.F_GETLK);
  if (result < 0) throw systemError(-result, 'fcntl', path, 'the file system may have no locks');
  return flock.readInt16LE(FLOCK.type) === LINUX.F_UNLCK ? undefined : flock.readInt32LE(FLOCK.pid);
}
