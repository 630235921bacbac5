/** A start that failed: whatever a backend threw, the caller meets a CommandStartError. */
import { types } from 'node:util';
import { CommandStartError, startError } from './errors';

/** The error of a start as the caller meets it: ours with the command added, or a foreign one wrapped. */
export function startFailure(error: unknown, command: string, backend: string | undefined): CommandStartError {
  if (!(error instanceof CommandStartError))
    return startFailure(startError('backend', foreign(error)), command, backend);
  if (error.command !== '') return error;
  const { stage, code, path, syscall, errno, cause } = error;
  return new CommandStartError(stage, error.reason, {
    command,
    backend,
    code: code === 'ERR_COMMAND_START' ? undefined : code,
    path,
    syscall,
    errno,
    cause,
  });
}

/** What a backend threw, as an error of the system or a sentence. */
function foreign(error: unknown): NodeJS.ErrnoException | string {
  return types.isNativeError(error) ? error : String(error);
}
