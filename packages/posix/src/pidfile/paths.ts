/** Where pid files lie. */
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

/** What {@link constructPath} builds a path from. */
export interface PidFilePlace {
  /** Name of the program. */
  readonly program: string;
  /** Where the machine's pid files lie, `/run` for instance; taken for privileged processes only. */
  readonly stateDirectory: string;
  /** Whether it is the machine's daemon or the user's; default: whether this process runs as root. */
  readonly privileged?: boolean | undefined;
}

/**
 * `directory/name.pid` (`virPidFileBuildPath`).
 *
 * @throws TypeError, code ERR_INVALID_ARG_VALUE, for a name that is more than one part of a path
 *
 * @example
 * ```ts
 * buildPath('/run', 'dnsmasq'); // '/run/dnsmasq.pid'
 * ```
 */
export function buildPath(directory: string, name: string): string {
  if (name === '' || name.includes('/') || name.includes('\0')) {
    const error: NodeJS.ErrnoException = new TypeError(`the name of a pid file is one part of a path, not '${name}'`);
    error.code = 'ERR_INVALID_ARG_VALUE';
    throw error;
  }
  return path.join(directory, `${name}.pid`);
}

/**
 * Where the pid file of a program lies (`virPidFileConstructPath`): `stateDirectory/program.pid` for the machine's daemon,
 * and for a user's the same name in `XDG_RUNTIME_DIR`, or else in the user's directory of caches. The user's directory is
 * made if need be, for him alone. libvirt has its own in `libvirt` below it.
 *
 * @throws TypeError as {@link buildPath}; the errors of mkdir
 *
 * @example
 * ```ts
 * const pidFile = acquirePath(constructPath({ program: 'mydaemon', stateDirectory: '/run' }));
 * ```
 */
export function constructPath({
  program,
  stateDirectory,
  privileged = process.geteuid?.() === 0,
}: PidFilePlace): string {
  const directory = privileged ? stateDirectory : userRuntimeDirectory();
  const file = buildPath(directory, program);
  if (!privileged) mkdirSync(directory, { recursive: true, mode: 0o700 });
  return file;
}

/** As the XDG Base Directory Specification has it; relative values are to be ignored. */
function userRuntimeDirectory(): string {
  const { XDG_RUNTIME_DIR = '', XDG_CACHE_HOME = '' } = process.env;
  if (path.isAbsolute(XDG_RUNTIME_DIR)) return XDG_RUNTIME_DIR;
  return path.isAbsolute(XDG_CACHE_HOME) ? XDG_CACHE_HOME : path.join(homedir(), '.cache');
}
