/** One program to run, as the command line describes it, while its flags are being read. */
import type { Backend, Command, RunOptions } from '@vircommand/core';
import { bindCommand } from '@vircommand/core/backend';
import { CliError } from './exit-status';
import { readFlags, type FlagGroup } from './flag';
import { rawArguments } from './raw-arguments';
import type { Surroundings } from './subcommand';

/** Files in place of our own stdin, stdout and stderr. */
export interface Redirections {
  stdin?: string;
  stdout?: string;
  stderr?: string;
  append?: boolean;
}

/** Attributes of the program go to `command` at once; what is left here is for the code that runs it. */
export interface Job {
  readonly command: Command;
  /** Positional arguments of the subcommand itself. */
  readonly own: readonly string[];
  readonly options: { -readonly [Name in 'timeout' | 'killDelay']?: RunOptions[Name] };
  readonly files: Redirections;
  /** The usual one, for what a flag has to run itself. */
  readonly backend: () => Backend;
  /** What the program is run by, when the command line is known to be right. */
  runBy?: Backend;
  /** Why the group is not known; `undefined` where it is, or nobody asked for another user. */
  groupUnknown?: string | undefined;
  hook?: { module: string; export?: string };
  hookData?: string;
  daemon?: boolean;
  dieWithParent?: boolean;
  session?: boolean;
  /** Do not become the program. */
  stay?: boolean;
  outputLimit?: number;
  dryRun?: boolean;
  stats?: boolean;
  live?: boolean;
}

/** What may be said only together with something else, or only in one way. */
function finish(job: Job): void {
  if (job.groupUnknown !== undefined) throw new CliError(job.groupUnknown);
  const { hook, hookData } = job;
  if (hook === undefined) {
    if (hookData !== undefined) throw new CliError('--hook-data: is for --hook, which is not there');
    return;
  }
  let data: unknown = null;
  try {
    if (hookData !== undefined) data = JSON.parse(hookData);
  } catch (error) {
    throw new CliError(`--hook-data: is no JSON: ${(error as Error).message}`);
  }
  job.command.setPreExecHook({ ...hook, data: data as null });
}

/**
 * Reads the command line of a subcommand that runs a program.
 *
 * @throws CliError that names the flag, or says what is missing.
 */
export function readJob<Target extends Job>(
  argv: readonly string[],
  flags: readonly FlagGroup<Target>[],
  own: readonly string[],
  { backend }: Surroundings,
  extend: (job: Job) => Target,
): Target {
  const job = readFlags(argv, flags, own.length, (positionals): Target => {
    const missing = own[positionals.own.length];
    if (missing !== undefined) throw new CliError(`which ${missing}?`);
    const [program, ...args] = rawArguments(positionals.program);
    if (program === undefined) throw new CliError('which program? It follows after --');
    const Command = bindCommand(() => made.runBy ?? made.backend());
    const command = new Command(program, args);
    const made = extend({ command, own: positionals.own, options: {}, files: {}, backend });
    return made;
  });
  finish(job);
  return job;
}
