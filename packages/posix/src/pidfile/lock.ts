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

type Kind = typeof LINUX.F_RDLCK | typeof LINUX.F_WRLCK;

function ask(libc: Libc, fd: number, path: string, command: number, kind: Kind): boolean {
  flock.fill(0);
  flock.writeInt16LE(kind, FLOCK.type);
  flock.writeBigInt64LE(1n, FLOCK.length);
  const result = libc.fcntl(fd, command, libc.driver.address(flock));
  if (command === LINUX.F_SETLK && (result === -errno.EAGAIN || result === -errno.EACCES)) return false;
  if (result < 0) throw systemError(-result, 'fcntl', path, 'the file system may have no locks');
  return true;
}

/** Takes the lock without waiting; `false`: another process has one, maybe for reading. The descriptor must be open for writing. */
export function tryLock(libc: Libc, fd: number, path: string): boolean {
  return ask(libc, fd, path, LINUX.F_SETLK, LINUX.F_WRLCK);
}

/** The same for reading, beside other readers: as long as it is there, no process can lock for writing. */
export function tryReadLock(libc: Libc, fd: number, path: string): boolean {
  return ask(libc, fd, path, LINUX.F_SETLK, LINUX.F_RDLCK);
}

/**
 * Which other process has the lock; `undefined`: none. It is 0 for one outside this pid namespace, and -1 for a lock of
 * an open file description, which belongs to no process. It takes no lock, so no daemon fails that starts meanwhile.
 *
 * A lock for reading does not count: any process that may read the file can have one.
 */
export function lockOwner(libc: Libc, fd: number, path: string): number | undefined {
  ask(libc, fd, path, LINUX.F_GETLK, LINUX.F_RDLCK);
  return found(LINUX.F_WRLCK);
}

/** Which other process has it locked for reading, and so keeps others from having the lock; numbers as those of {@link lockOwner}. */
export function lockReader(libc: Libc, fd: number, path: string): number | undefined {
  ask(libc, fd, path, LINUX.F_GETLK, LINUX.F_WRLCK);
  return found(LINUX.F_RDLCK);
}

function found(kind: Kind): number | undefined {
  return flock.readInt16LE(FLOCK.type) === kind ? flock.readInt32LE(FLOCK.pid) : undefined;
}
