/**
 * `vircommand status` and `vircommand stop`: which program has a pid file. Its lock says so, and not its number, which a stranger
 * may have by now.
 */
import { existsSync, readlinkSync } from 'node:fs';
import * as path from 'node:path';
import { CommandStartError, nameOfWorkingDirectory, resolveProgram } from '@vircommand/core/backend';
import * as pidFiles from '@vircommand/posix/pidfile';
import { CliError } from './exit-status';
import { readFlags, type Flag, type FlagGroup } from './flag';
import type { Subcommand } from './subcommand';
import { duration } from './values';

/** Statuses of init scripts, as LSB has them. */
const RUNNING = 0;
const DEAD = 1;
const NOT_RUNNING = 3;
const UNKNOWN = 4;

interface Request {
  readonly file: string;
  program?: string;
  killDelay?: number;
  group?: boolean;
}

/** A name is looked for as that of a program that is run: what the process runs is a file and not a name. */
function executableOf(program: string): string {
  // The working directory may have been removed, which is nothing to this.
  if (path.isAbsolute(program)) return program;
  try {
    return resolveProgram(program, { path: process.env.PATH, cwd: nameOfWorkingDirectory() });
  } catch (error) {
    const reason = error instanceof CommandStartError ? error.reason : (error as Error).message;
    throw new CliError(reason, undefined, { cause: error });
  }
}

const program: Flag<Request> = {
  name: 'program',
  short: 'p',
  value: 'FILE',
  help:
    'the program that must be running, needed for one that does not keep the lock (dnsmasq does not); a name is ' +
    'looked for in PATH',
  complete: 'file',
  apply: (request, file) => {
    request.program = executableOf(file);
  },
};

const statusFlags: readonly FlagGroup<Request>[] = [{ title: 'Options', flags: [program] }];
const stopFlags: readonly FlagGroup<Request>[] = [
  {
    title: 'Options',
    flags: [
      program,
      {
        name: 'group',
        short: 'g',
        help: 'end its whole process group',
        apply: (request) => {
          request.group = true;
        },
      },
      {
        name: 'kill-delay',
        short: 'k',
        value: 'DURATION',
        help: 'from SIGTERM to SIGKILL; default 5s',
        apply: (request, text) => {
          request.killDelay = duration(text);
        },
      },
    ],
  },
];

function read(argv: readonly string[], flags: readonly FlagGroup<Request>[]): Request {
  return readFlags(argv, flags, 1, ({ own: [file], program: more }): Request => {
    if (file === undefined) throw new CliError('which pid file?');
    if (file === '') throw new CliError('the path of the pid file is empty');
    if (more[0] !== undefined) throw new CliError(`takes one pid file, and not '${more[0]}' too`);
    return { file };
  });
}

/** What is wrong with the file is no bug of ours. */
function reading<T>(what: () => T): T {
  try {
    return what();
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError((error as Error).message, UNKNOWN, { cause: error });
  }
}

/** One look at the file. */
interface Found {
  readonly state: 'running' | 'other' | 'doubtful' | 'dead' | 'absent';
  readonly pid?: number | undefined;
  /** What is known of a process that may be a stranger. */
  readonly what?: string;
  readonly locked?: boolean;
}

/** What a living process is that is not known to run the program; a user does not see that of another's. */
function stranger(pid: number, executable: string, locked: boolean): Found {
  let runs: string;
  try {
    runs = readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return { state: 'doubtful', pid, locked, what: `and this user cannot see whether it runs ${executable}` };
  }
  // A process that runs a removed program is known to do so; here it is the path that is wrong, and says nothing of it.
  if (!existsSync(executable)) throw new CliError(`--program: there is no ${executable}`);
  return { state: 'other', pid, locked, what: `runs ${runs} and not ${executable}` };
}

function look({ file, program: executable }: Request): Found {
  const { readPath, readPathIfAlive, readPathIfLocked } = pidFiles;
  const locked = readPathIfLocked(file);
  const running = executable === undefined ? locked : readPathIfAlive(file, { executable });
  if (running !== undefined) return { state: 'running', pid: running };
  const alive = locked ?? readPathIfAlive(file);
  if (alive !== undefined) {
    if (executable !== undefined) return stranger(alive, executable, locked !== undefined);
    return { state: 'doubtful', pid: alive, what: 'say what it must be with --program' };
  }
  try {
    return { state: 'dead', pid: readPath(file) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { state: 'absent' };
    throw error;
  }
}

const doubt = ({ pid, what, locked }: Found): string =>
  locked === true
    ? `process ${pid ?? ''} has the file locked, ${what ?? ''}`
    : `a process ${pid ?? ''} is alive, but has no lock on the file: it may be a stranger that got this number; ${what ?? ''}`;

const other = ({ pid, what, locked }: Found): string =>
  `process ${pid ?? ''} ${what ?? ''}, and ${locked === true ? 'has the file locked' : 'the file was left'}`;

const answers: Readonly<Record<Found['state'], readonly [status: number, text: (found: Found) => string]>> = {
  running: [RUNNING, ({ pid }) => `running, pid ${pid ?? ''}`],
  other: [DEAD, (found) => `not running: ${other(found)}`],
  dead: [DEAD, ({ pid }) => `not running: process ${pid ?? ''} is gone, and its file was left`],
  absent: [NOT_RUNNING, () => 'not running: there is no such file'],
  doubtful: [UNKNOWN, doubt],
};

export const status: Subcommand = {
  name: 'status',
  summary: 'say whether the daemon of a pid file runs',
  own: [{ usage: 'PIDFILE', complete: 'file' }],
  program: false,
  details: [
    'Exit status, as of init scripts: 0 it runs, 1 it died and left the file, or another program than --program has it, 3 there is no file, 4 nobody can say. ' +
      'It runs if it has the file locked, as daemons of vircommand run --daemon and of libvirt have.',
  ],
  flags: statusFlags,
  examples: ['vircommand status /run/web.pid'],
  run: (argv, { stdout }) => {
    const request = read(argv, statusFlags);
    const found = reading(() => look(request));
    const [code, text] = answers[found.state];
    stdout.write(`${request.file}: ${text(found)}\n`);
    return Promise.resolve(code);
  },
};

export const stop: Subcommand = {
  name: 'stop',
  summary: 'end the daemon of a pid file, and remove the file',
  own: [{ usage: 'PIDFILE', complete: 'file' }],
  program: false,
  details: [
    'SIGTERM, and SIGKILL to what is left after the delay. Only the process that has the file locked is ended, and never ' +
      'one that merely got its number. Exit status 0 also if nothing ran; 125 if it could not be ended.',
  ],
  flags: stopFlags,
  examples: ['vircommand stop --kill-delay 30s /run/web.pid'],
  run: async (argv, { stdout }) => {
    const request = read(argv, stopFlags);
    const { file, killDelay, group, program: executable } = request;
    try {
      const found = look(request);
      // Whoever wrote it has no lock; to remove the file of one that is alive would be to lose it.
      if (found.state === 'doubtful') throw new CliError(`${file}: ${doubt(found)}`);
      if (found.state === 'other' && found.locked === true) throw new CliError(`${file}: ${other(found)}`);
      const { pid, signal, removed } = await pidFiles.forceCleanupPath(file, { killDelay, group, executable });
      const end = pid === undefined ? 'nothing ran' : `process ${pid} ended by ${signal ?? ''}`;
      stdout.write(`${file}: ${end}${removed && pid === undefined ? '; the file that was left is removed' : ''}\n`);
      return 0;
    } catch (error) {
      if (error instanceof CliError) throw error;
      throw new CliError((error as Error).message, undefined, { cause: error });
    }
  },
};
