/** A start that failed: whatever a backend threw, the caller meets a CommandStartError. */
import { types } from 'node:util';
import { CommandStartError } from './errors';
import type { Stage } from './stages';

/**
 * For backends: the error of a failed start. `cause` is the system's error, or a sentence where there is none; core adds
 * the command and the backend.
 */
export function startError(stage: Stage, cause: NodeJS.ErrnoException | string, path?: string): CommandStartError {
  if (typeof cause === 'string') return new CommandStartError(stage, cause, { command: '', path });
  const where = path ?? cause.path;
  const reason = where === undefined || cause.message.includes(where) ? cause.message : `${cause.message}, '${where}'`;
  return new CommandStartError(stage, reason, {
    command: '',
    code: cause.code,
    path: where,
    syscall: cause.syscall,
    errno: cause.errno,
    cause,
  });
}

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
