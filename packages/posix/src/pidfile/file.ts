/** Opens pid files, and tells whether the one that is open is still the one of that name. */
import { closeSync, constants, fstatSync, lstatSync, openSync, statSync, type BigIntStats } from 'node:fs';
import { errno, systemError } from '../errno';

const { O_RDONLY, O_RDWR, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = constants;
/** Not to wait for a named pipe's other end, and not to get a terminal that controls us. */
const always = O_NONBLOCK | O_NOCTTY;

/**
 * `create` and `change` refuse a symbolic link: in a directory of others it would have us write where they want. `read` follows
 * it, as libvirt does.
 * Descriptors of Node are closed on exec.
 */
const flags = {
  read: O_RDONLY | always,
  change: O_RDWR | O_NOFOLLOW | always,
  create: O_RDWR | O_CREAT | O_NOFOLLOW | always,
} as const;

/** Opens a regular file. Throws the errors of Node; ELOOP for a symbolic link, EINVAL for what is no regular file. */
export function openPidFile(path: string, mode: keyof typeof flags): number {
  let fd: number;
  try {
    fd = openSync(path, flags[mode], 0o644);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ELOOP') throw error;
    throw systemError(errno.ELOOP, 'open', path, 'it is a symbolic link: name the file itself');
  }
  if (fstatSync(fd).isFile()) return fd;
  closeSync(fd);
  throw systemError(errno.EINVAL, 'open', path, 'it is no regular file');
}

type FileNumbers = Pick<BigIntStats, 'dev' | 'ino'>;

/** Whether both are one file, by whatever names or descriptors; `undefined`: there is none. */
export function isSame(one: FileNumbers | undefined, other: FileNumbers): boolean {
  return one?.ino === other.ino && one.dev === other.dev;
}

/** Whether the path is the open file itself, not a symbolic link, which a user that may write the directory can have lead anywhere. */
export function isItself(path: string, fd: number): boolean {
  return isSame(lstatSync(path, { bigint: true, throwIfNoEntry: false }), fstatSync(fd, { bigint: true }));
}

/** Whether the path still leads to the open file: another process may have removed it and made a new one since. */
export function isStillAt(path: string, fd: number): boolean {
  const open = fstatSync(fd, { bigint: true });
  return isSame(statSync(path, { bigint: true, throwIfNoEntry: false }), open);
}
