/** `vircommand status` and `vircommand stop`: who has a pid file. Its lock says so, and not its number, which a stranger may have by now. */
import * as path from 'node:path';
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

const program: Flag<Request> = {
  name: 'program',
  short: 'p',
  value: 'FILE',
  help: 'the program that must be running, for one that does not keep the lock (dnsmasq does not)',
  complete: 'file',
  apply: (request, file) => {
    request.program = path.resolve(file);
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
    if (more[0] !== undefined) throw new CliError(`takes one pid file, and not '${more[0]}' too`);
    return { file };
  });
}

/** What is wrong with the file is no bug of ours. */
function reading<T>(what: () => T): T {
  try {
    return what();
  } catch (error) {
    throw new CliError((error as Error).message, UNKNOWN, { cause: error });
  }
}

/** One look at the file. */
interface Found {
  readonly state: 'running' | 'doubtful' | 'dead' | 'absent';
  readonly pid?: number | undefined;
}

function look({ file, program: executable }: Request): Found {
  const { readPath, readPathIfAlive, readPathIfLocked } = pidFiles;
  const locked = readPathIfLocked(file);
  if (locked !== undefined) return { state: 'running', pid: locked };
  const alive = readPathIfAlive(file, { executable });
  if (alive !== undefined) return { state: executable === undefined ? 'doubtful' : 'running', pid: alive };
  try {
    return { state: 'dead', pid: readPath(file) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { state: 'absent' };
    throw error;
  }
}

const doubt = (pid: number | undefined): string =>
  `a process ${pid ?? ''} is alive, but has no lock on the file: it may be a stranger that got this number; ` +
  'say what it must be with --program';

const answers: Readonly<Record<Found['state'], readonly [status: number, text: (found: Found) => string]>> = {
  running: [RUNNING, ({ pid }) => `running, pid ${pid ?? ''}`],
  dead: [DEAD, ({ pid }) => `not running: process ${pid ?? ''} is gone, and its file was left`],
  absent: [NOT_RUNNING, () => 'not running: there is no such file'],
  doubtful: [UNKNOWN, ({ pid }) => doubt(pid)],
};

export const status: Subcommand = {
  name: 'status',
  summary: 'say whether the daemon of a pid file runs',
  own: [{ usage: 'PIDFILE', complete: 'file' }],
  program: false,
  details: [
    'Exit status, as of init scripts: 0 it runs, 1 it died and left the file, 3 there is no file, 4 nobody can say. ' +
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
      if (found.state === 'doubtful') throw new CliError(`${file}: ${doubt(found.pid)}`);
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
