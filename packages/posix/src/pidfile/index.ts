/**
 * Pid files, as libvirt has them: `virPidFile*` without that prefix. The lock tells whether a daemon runs; the pid in the file
 * only tells which process to ask.
 *
 * The lock belongs to a process, and is lost when that process closes any descriptor of the file. The functions here know
 * which files this process has locked, and do not open them. Other code must not open them either, not even `readFileSync()`.
 *
 * Files that libvirt made are read, and libvirt reads those made here: a lock for writing (`fcntl`) on the first byte,
 * mode 0644, the number in decimal. Linux 5.3 or later.
 */
import { unlinkSync } from 'node:fs';
import path from 'node:path';
import { GivenOptions } from '@vircommand/core/backend';
import { chosenDriver } from '../ffi';
import { libcThrough, type Libc } from '../libc';
import { heldError, lockPidFile, unlockPidFile } from './acquire';
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
 * Returns the pid in a file, whatever process has that pid by now (`virPidFileReadPath`).
 *
 * @throws PidFileError: the errors of open (ENOENT: no such file), EINVAL if the file has anything other than one pid
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
 * Returns the pid in a file if a process with that pid is alive (`virPidFileReadPathIfAlive`). Pids are reused, so it may be
 * another process: with `executable` it must run that program, and {@link readPathIfLocked} is certain.
 *
 * A process of another user counts as alive. It may be impossible to know which program it runs; then it does not match
 * `executable`. A program that was upgraded meanwhile still matches. A zombie is not alive.
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
 * Returns the pid in a file if that process has the file locked (`virPidFileReadPathIfLocked`), that is, if the program that
 * made the file runs. It looks at the lock without taking it, so it makes no daemon fail that starts at this moment.
 *
 * @returns `undefined` if no process has it locked, or only for a moment
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
 * Takes a pid file for this process: makes the file if there is none, locks it, and writes this process's pid into it
 * (`virPidFileAcquirePath`). The lock ends with the process, in whatever way that ends; {@link releasePath} removes the file too.
 *
 * Blocks up to a tenth of a second if the file is locked and its owner has not written its pid yet.
 *
 * @throws PidFileError: EAGAIN, with `owner`, if the file is locked, even by this process; EAGAIN, without `owner`, if another
 * process has it locked for reading; ELOOP for a symbolic link; the errors of open
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
  if (ownDescriptor(absolute) !== undefined) throw heldError(absolute, process.pid);
  return new AcquiredPidFile(absolute, lockPidFile(libc, absolute, process.pid));
}

/**
 * Removes the file while it is locked, and releases the lock (`virPidFileReleasePath`). A second call does nothing.
 *
 * @throws the errors of unlink, except ENOENT; the lock is released even then
 */
export function releasePath(acquired: AcquiredPidFile): void {
  acquired.release();
}

/**
 * Removes a pid file, even if a process has it locked (`virPidFileDeletePath`). {@link forceCleanupPath} ends that process first.
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
 * Ends the process that has a pid file, and removes the file (`virPidFileForceCleanupPath`): sends SIGTERM, and SIGKILL if the
 * process is left after `killDelay`. A file that no process has is removed; a missing file is no error.
 *
 * Only the process that has the lock is signalled, through a pidfd that was opened while it had the lock, so never another
 * process that got its pid. If another process has the file afterwards, the file is left alone.
 *
 * @throws PidFileError: EPERM if the process may not be signalled, is in this process's own group, or is init; EDEADLK if this
 * process itself has the file; EAGAIN if the process that has the lock is not the one in the file; ETIMEDOUT if the process
 * outlives SIGKILL. In all these cases the file is still there. CommandUsageError for wrong options: nothing was done then.
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
