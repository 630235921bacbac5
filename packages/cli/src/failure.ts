/** What went wrong, as one message for stderr and an exit status. */
import { CommandError, CommandTimeoutError, CommandUsageError, UnsupportedFeatureError } from '@vircommand/core';
import { CliError, isStartError, STATUS, statusOfStart, statusOfTimeout } from './exit-status';
import { flagOfCall, flatten, type FlagGroup } from './flag';

/** What to say, and the exit status. */
export interface Failure {
  readonly message: string;
  readonly status: number;
}

/** Node's error where a relative path is to be made absolute. */
const lacksDirectory = (error: unknown): boolean =>
  error instanceof Error && 'syscall' in error && error.syscall === 'uv_cwd';

/** What the library says, in the words of the command line. */
const inWordsOf = (flags: readonly FlagGroup<never>[], reason: string): string =>
  flatten(flags)
    .flatMap(({ words = [] }) => words)
    .reduce((text, [library, here]) => text.replace(library, () => here), reason);

/** A wrong use of the library is one of a flag, or of the program that is named. */
function messageOfUsage({ call, reason, message }: CommandUsageError, flags: readonly FlagGroup<never>[]): string {
  const option = /^option '(\w+)' (.*)$/s.exec(reason);
  const flag = flagOfCall(flags, option === null ? call : `${option[1] ?? ''}()`);
  if (flag !== undefined) return `--${flag}: ${inWordsOf(flags, option?.[2] ?? reason)}`;
  return call.startsWith('new Command') ? reason : message;
}

/** @throws what is neither core's nor ours: a bug, which needs its stack. */
export function failureOf(error: unknown, flags: readonly FlagGroup<never>[]): Failure {
  if (error instanceof CliError) return { message: error.message, status: error.status };
  if (lacksDirectory(error)) {
    const message = 'this needs the working directory, which was removed: change to one that is there, with cd';
    return { message, status: STATUS.failure };
  }
  if (!(error instanceof CommandError)) throw error;
  if (error instanceof CommandTimeoutError) return { message: error.message, status: statusOfTimeout(error.result) };
  if (error instanceof CommandUsageError) return { message: messageOfUsage(error, flags), status: STATUS.failure };
  if (error instanceof UnsupportedFeatureError) {
    return { message: `${error.message}\nvircommand doctor says what can be done here`, status: STATUS.failure };
  }
  if (!isStartError(error)) return { message: error.message, status: STATUS.failure };
  // Not in what the message says of the command: that is the caller's.
  const message = error.message.replace(error.reason, (reason) => inWordsOf(flags, reason));
  return { message, status: statusOfStart(error) };
}
