/** What went wrong, as one message for stderr and an exit status. */
import { CommandError, CommandTimeoutError, CommandUsageError, UnsupportedFeatureError } from '@vircommand/core';
import { CliError, isStartError, STATUS, statusOfStart, statusOfTimeout } from './exit-status';
import { flagOfCall, type FlagGroup } from './flag';

/** What to say, and the exit status. */
export interface Failure {
  readonly message: string;
  readonly status: number;
}

/** Node's error where a relative path is to be made absolute. */
const lacksDirectory = (error: unknown): boolean =>
  error instanceof Error && 'syscall' in error && error.syscall === 'uv_cwd';

/** @throws what is neither core's nor ours: a bug, which needs its stack. */
export function failureOf(error: unknown, flags: readonly FlagGroup<never>[]): Failure {
  if (error instanceof CliError) return { message: error.message, status: error.status };
  if (lacksDirectory(error)) {
    const message = 'this needs the working directory, which was removed: change to one that is there, with cd';
    return { message, status: STATUS.failure };
  }
  if (!(error instanceof CommandError)) throw error;
  if (error instanceof CommandTimeoutError) return { message: error.message, status: statusOfTimeout(error.result) };
  if (error instanceof CommandUsageError) {
    // In the words of the command line, where there is a flag for it.
    const option = /^option '(\w+)' (.*)$/s.exec(error.reason);
    const flag = flagOfCall(flags, option === null ? error.call : `${option[1] ?? ''}()`);
    const message = flag === undefined ? error.message : `--${flag}: ${option?.[2] ?? error.reason}`;
    return { message, status: STATUS.failure };
  }
  if (error instanceof UnsupportedFeatureError) {
    return { message: `${error.message}\nvircommand doctor says what can be done here`, status: STATUS.failure };
  }
  return { message: error.message, status: isStartError(error) ? statusOfStart(error) : STATUS.failure };
}
