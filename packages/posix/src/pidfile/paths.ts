/** Where pid files lie. */
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { CommandUsageError } from '@vircommand/core';
import { GivenOptions } from '@vircommand/core/backend';
import { ownVariable } from '../own-variable';

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
 * @throws CommandUsageError for a name that is more than one part of a path
 *
 * @example
 * ```ts
 * buildPath('/run', 'dnsmasq'); // '/run/dnsmasq.pid'
 * ```
 */
export function buildPath(directory: string, name: string): string {
  if (name === '' || name.includes('/') || name.includes('\0')) {
    const reason = `the name of a pid file is one part of a path, not '${name}'`;
    throw new CommandUsageError('buildPath()', reason, { command: '' });
  }
  return path.join(directory, `${name}.pid`);
}

/**
 * Where the pid file of a program lies (`virPidFileConstructPath`): `stateDirectory/program.pid` for the machine's daemon,
 * and for a user's the same name in `XDG_RUNTIME_DIR`, or else in the user's directory of caches. The user's directory is
 * made if need be, for that user alone. libvirt has its own in `libvirt` below it.
 *
 * @throws CommandUsageError for a wrong place; the errors of mkdir
 *
 * @example
 * ```ts
 * const pidFile = acquirePath(constructPath({ program: 'mydaemon', stateDirectory: '/run' }));
 * ```
 */
export function constructPath(place: PidFilePlace): string {
  const given = new GivenOptions('constructPath()', place, ['program', 'stateDirectory', 'privileged']);
  const program = given.required('program', given.text('program'));
  const stateDirectory = given.required('stateDirectory', given.text('stateDirectory'));
  const privileged = given.boolean('privileged') ?? process.geteuid?.() === 0;
  const directory = privileged ? stateDirectory : userRuntimeDirectory();
  const file = buildPath(directory, program);
  if (!privileged) mkdirSync(directory, { recursive: true, mode: 0o700 });
  return file;
}

/** As the XDG Base Directory Specification has it; relative values are to be ignored. */
function userRuntimeDirectory(): string {
  const [runtime = '', caches = ''] = ['XDG_RUNTIME_DIR', 'XDG_CACHE_HOME'].map(ownVariable);
  if (path.isAbsolute(runtime)) return runtime;
  return path.isAbsolute(caches) ? caches : path.join(homedir(), '.cache');
}
