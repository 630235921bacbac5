/** Exit statuses, as `env(1)` and `timeout(1)` have them, so that a shell script can go on knowing what it knows. */
import { constants } from 'node:os';
import type { CommandError, CommandStartError, ExitStatus } from '@vircommand/core';

/** What our own statuses mean; every other one is the program's. */
export const STATUS = {
  /** `vircommand` itself: wrong usage, what the backend cannot do, a start that failed before the program was executed. */
  failure: 125,
  notExecutable: 126,
  notFound: 127,
  timeout: 124,
} as const;

/** What a shell makes of the end of a program: its exit code, or 128 and the number of the signal. */
export function statusOf({ exitCode, signal }: Pick<ExitStatus, 'exitCode' | 'signal'>): number {
  if (exitCode !== undefined) return exitCode;
  // Somebody else took the status, for instance a parent that ignores SIGCHLD: nobody can say how it ended.
  if (signal === undefined) return STATUS.failure;
  const number = (constants.signals as Readonly<Record<string, number>>)[signal] ?? Number(signal.slice(3));
  return 128 + number;
}

/** Found and not executable, or not found: told apart as `env(1)` does, whatever else the start needed. */
export function statusOfStart({ stage, code }: Pick<CommandStartError, 'stage' | 'code'>): number {
  if (stage !== 'resolve' && stage !== 'exec') return STATUS.failure;
  return code === 'ENOENT' ? STATUS.notFound : STATUS.notExecutable;
}

/** `timeout(1)`: 124, or 137 where only SIGKILL helped. */
export const statusOfTimeout = ({ signal }: Pick<ExitStatus, 'signal'>): number =>
  signal === 'SIGKILL' ? statusOf({ exitCode: undefined, signal }) : STATUS.timeout;

/** A command line that cannot be used, or something that this tool itself cannot do. The message says what to do. */
export class CliError extends Error {
  override readonly name = 'CliError';

  /** Each file that is published has this class for itself, and tells errors that come from another one. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === 'CliError';
  }

  constructor(
    message: string,
    readonly status: number = STATUS.failure,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Recognised by their fields, so that telling them costs nothing where nothing was loaded. */
export const isStartError = (error: CommandError): error is CommandStartError => 'stage' in error;
