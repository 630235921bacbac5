/**
 * The language of the programs under test. A case says what a program shall do (`'out:hello'`, `'exit:3'`); report.sh and
 * report.js do it for real, and a scripted backend can answer as such a program would, and so pass the same cases.
 *
 * Instructions are arguments, carried out one after another; at their end the program exits with 0.
 *
 * | instruction | what the program does |
 * |---|---|
 * | `out:TEXT` `err:TEXT` | writes the text; escapes as in printf's `%b`: `\n` `\r` `\t` `\\` `\0ooo` (an octal byte) |
 * | `count:A:B` | writes the numbers from A to B to stdout, one a line |
 * | `fill:N` `fillerr:N` | writes N times `0` to stdout, to stderr |
 * | `cat` | copies stdin to stdout until its end |
 * | `read` | reads one line of stdin (or its end) |
 * | `eof` | reads stdin to its end |
 * | `length` | reads stdin to its end and writes the number of bytes |
 * | `close:in` `close:out` `close:err` | closes the stream |
 * | `args` | writes all arguments that follow, each with a NUL byte behind, and exits with 0 |
 * | `argv0` `env` | writes `argv[0]`; the environment (`NAME=value`, each with a NUL byte behind) in its order |
 * | `cwd` `umask` `pid` | writes the working directory, the umask (four octal digits), the pid, and a newline |
 * | `session` | writes `pid pgid sid ppid` and a newline |
 * | `uid` `gid` | writes real, effective, saved and file-system id |
 * | `groups` `nice` `affinity` `nnp` | writes the supplementary groups, the niceness, the processors (`0-1`), 1 or 0 |
 * | `caps` | writes inheritable, permitted, effective, bounding and ambient capabilities, in hexadecimal, one a line |
 * | `signals` | writes the blocked and the ignored signals, in hexadecimal, one a line |
 * | `limit:NAME` | writes the soft and the hard limit (a number or `unlimited`) |
 * | `label` | writes the security label |
 * | `fds` | writes a line ending in ` N -> TARGET` for each open descriptor |
 * | `fd-read:N` `fd-write:N:TEXT` | copies descriptor N to stdout; writes to descriptor N |
 * | `write-file:PATH` | creates an empty file |
 * | `ignore:TERM` | ignores a signal from now on |
 * | `on:TERM:exit:N` `on:TERM:out:TEXT` | exits, or writes, when the signal comes |
 * | `dump-core` | lifts the limit of core dumps |
 * | `kill:KILL` `kill:40` | sends itself a signal, by its name or (where there is no name) its number |
 * | `sleeper` | starts a child that sleeps and has the same descriptors, and writes its pid and a newline |
 * | `sleeper:session` `sleeper:detached` | the same in a session of its own; `detached`: without our descriptors |
 * | `forever` | does not end by itself (for a minute, so that nothing stays for good if the suite breaks) |
 * | `exit:N` | exits |
 */
import { existsSync } from 'node:fs';
import * as path from 'node:path';
import type { LaunchPlan } from '@vircommand/core/backend';

/** Where the programs under test are, as the backend sees it. */
export interface ProgramPaths {
  /** Default: this Node. */
  readonly node: string;
  /** A POSIX shell. Default: `/bin/sh`. */
  readonly shell: string;
  /** The program under test, for Node. */
  readonly reportJs: string;
  /** The program under test, for a shell. */
  readonly reportSh: string;
}

// From src/ as from dist/: both are shipped.
const programs = path.resolve(__dirname, '..', 'src', 'programs');

/** On this machine: this Node, `/bin/sh`, and the programs in this package. */
export const localPaths: ProgramPaths = {
  node: process.execPath,
  shell: '/bin/sh',
  reportJs: path.join(programs, 'report.js'),
  reportSh: path.join(programs, 'report.sh'),
};

/** What only Node does: handlers of signals, sessions, descriptors above 9, and (BusyBox) another `argv[0]`. */
const needsNode = /^(on:|sleeper:|fd-(read|write):\d\d|argv0$)/;
const needsProc = /^(env|fds|session|signals|limit:|affinity|nice|caps|nnp|uid|gid|groups|label)/;
const hasProc = existsSync('/proc/self/environ');

/** The program that carries out the instructions, and its arguments. */
export function helperProgram(
  instructions: readonly string[],
  paths: ProgramPaths = localPaths,
): { readonly program: string; readonly args: readonly string[] } {
  const node =
    process.platform === 'win32' ||
    instructions.some((word) => needsNode.test(word) || (!hasProc && needsProc.test(word)));
  return node
    ? { program: paths.node, args: [paths.reportJs, ...instructions] }
    : { program: paths.shell, args: [paths.reportSh, ...instructions] };
}

/**
 * For scripted backends: the instructions of a plan (and the arguments of `args`), or `undefined` if its program is not
 * the helper.
 */
export function instructionsOf(plan: Pick<LaunchPlan, 'argv'>): readonly LaunchPlan['argv'][number][] | undefined {
  const script = plan.argv[1];
  if (typeof script !== 'string' || !/(^|[\\/])report\.(sh|js)$/.test(script)) return undefined;
  return plan.argv.slice(2);
}
