/**
 * Pid files, as libvirt has them: `virPidFile*` without that prefix. The lock says who runs, the number only whom to ask.
 *
 * The lock belongs to a process and goes when that process closes any descriptor of the file. The functions here know
 * which files this process has locked and do not open them; other code must not either: not even `readFileSync()`.
 *
 * Files that libvirt made are read, and libvirt reads those made here: a lock for writing (`fcntl`) on the first byte,
 * mode 0644, the number in decimal. Linux 5.3 or later.
 */
import { unlinkSync } from 'node:fs';
import path from 'node:path';
import { GivenOptions } from '@vircommand/core/backend';
import { chosenDriver } from '../ffi';
import { libcThrough, type Libc } from '../libc';
import { held, lockPidFile, unlockPidFile } from './acquire';
import { forceCleanup, type Cleanup, type CleanupOptions } from './clean';
import { ownDescriptor } from './own';
import { readIfAlive, readIfLocked, readPid } from './read';

export type { PidFileError } from './acquire';
export type { Cleanup, CleanupOptions } from './clean';
export { buildPath, constructPath, type PidFilePlace } from './paths';

/** The driver that the backend has as well; loaded by the first call. */
function usualLibc(): Libc {
  if (process.platform !== 'linux') throw new Error(`pid files work on Linux only, not on ${process.platform}`);
  return libcThrough(chosenDriver(undefined));
}

/** Which program is meant; see {@link readPathIfAlive}. */
export interface AliveOptions {
  /** Absolute path of the program that the process must run. */
  readonly executable?: string | undefined;
}

/** A pid file that this process has locked, until it is released or the process ends. */
export class AcquiredPidFile {
  private released = false;

  /** @internal */
  constructor(
    /** Absolute. */
    readonly path: string,
    /** The descriptor that is the lock: closed on exec, and never to be closed by others. */
    readonly fd: number,
  ) {}

  /** As {@link releasePath}. */
  release(): void {
    if (this.released) return;
    this.released = true;
    unlockPidFile(this.path, this.fd);
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

/**
 * The pid in a file, whoever that is by now (`virPidFileReadPath`).
 *
 * @throws PidFileError: the errors of open (ENOENT: no such file), EINVAL if there is anything else in it than one pid
 *
 * @example
 * ```ts
 * console.log(readPath('/run/libvirtd.pid'));
 * ```
 */
export function readPath(file: string): number {
  return readPid(usualLibc(), file);
}

/**
 * The pid in a file if a process of that number is alive (`virPidFileReadPathIfAlive`). Numbers are used again, so that
 * may be a stranger: `executable` asks for a program, and {@link readPathIfLocked} is sure.
 *
 * A process of another user is alive, too; which program it runs may not be known then, and it counts as another one. A
 * program that was upgraded meanwhile is the same as before. A zombie is not alive.
 *
 * @returns `undefined` if there is no such process, no file, or nothing in it yet
 * @throws PidFileError as {@link readPath}, but not ENOENT; ENOSYS before Linux 5.3; CommandUsageError for wrong options
 *
 * @example
 * ```ts
 * const pid = readPathIfAlive('/run/dnsmasq.pid', { executable: '/usr/sbin/dnsmasq' });
 * ```
 */
export function readPathIfAlive(file: string, options: AliveOptions = {}): number | undefined {
  return readIfAlive(usualLibc(), file, executableIn('readPathIfAlive()', options));
}

/**
 * The pid in a file if that process has it locked (`virPidFileReadPathIfLocked`): the program that made the file runs.
 * The lock is looked at and never tried, so that no daemon fails which starts at this moment.
 *
 * @returns `undefined` if nobody has it locked, or only in passing
 * @throws PidFileError as {@link readPathIfAlive}
 *
 * @example
 * ```ts
 * const pid = readPathIfLocked('/run/mydaemon.pid');
 * console.log(pid === undefined ? 'stopped' : `running as ${pid}`);
 * ```
 */
export function readPathIfLocked(file: string, options: AliveOptions = {}): number | undefined {
  return readIfLocked(usualLibc(), file, executableIn('readPathIfLocked()', options));
}

/**
 * Makes this process the one that has a pid file: made if need be, locked, and this process's number written into it
 * (`virPidFileAcquirePath`). The lock ends with the process, however that ends; {@link releasePath} removes the file too.
 *
 * Waits up to a tenth of a second, blocking, for a lock whose owner has not written his number.
 *
 * @throws PidFileError: EAGAIN if it is locked, also by this process, with `owner`, or for reading by another one, without;
 * ELOOP for a symbolic link; the errors of open
 *
 * @example
 * ```ts
 * const pidFile = acquirePath('/run/mydaemon.pid');
 * process.once('exit', () => pidFile.release());
 * ```
 */
export function acquirePath(file: string): AcquiredPidFile {
  const libc = usualLibc();
  const absolute = path.resolve(file);
  if (ownDescriptor(absolute) !== undefined) throw held(absolute, process.pid);
  return new AcquiredPidFile(absolute, lockPidFile(libc, absolute, process.pid));
}

/**
 * Removes the file while it is locked, and gives the lock back (`virPidFileReleasePath`). A second time does nothing.
 *
 * @throws the errors of unlink, except ENOENT; the lock is given back all the same
 */
export function releasePath(acquired: AcquiredPidFile): void {
  acquired.release();
}

/**
 * Removes a pid file, whoever has it (`virPidFileDeletePath`). {@link forceCleanupPath} asks first.
 *
 * @returns whether there was one
 * @throws the errors of unlink, except ENOENT
 */
export function deletePath(file: string): boolean {
  try {
    unlinkSync(file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/**
 * Ends the process that has a pid file, and removes the file (`virPidFileForceCleanupPath`): SIGTERM, and SIGKILL to what
 * is left after `killDelay`. A file that nobody has is removed, and one that is not there is no error.
 *
 * Only the process that has the lock is signalled, through a pidfd that was opened while it had it, so never a stranger
 * that got its number. If another process has the file afterwards, it is left alone.
 *
 * @throws PidFileError: EPERM if it may not be signalled, is this process's own group, or init; EDEADLK if this process
 * itself has the file; EAGAIN if it is locked by somebody whose number is not in it; ETIMEDOUT if it outlives SIGKILL.
 * Then the file is still there. CommandUsageError for wrong options: then nothing was done.
 *
 * @example
 * ```ts
 * const { pid, signal } = await forceCleanupPath('/run/mydaemon.pid', { killDelay: 2000 });
 * if (pid !== undefined) console.log(`${pid} ended by ${signal}`);
 * ```
 */
export async function forceCleanupPath(file: string, options: CleanupOptions = {}): Promise<Cleanup> {
  return forceCleanup(usualLibc(), path.resolve(file), options);
}

function executableIn(call: string, options: AliveOptions): string | undefined {
  return new GivenOptions(call, options, ['executable']).absolutePath('executable');
}
