/** A start that failed: whatever a backend threw, the caller meets a CommandStartError. */
import { types } from 'node:util';
import { CommandStartError } from './errors';
import { printable } from './printable';
import type { Stage } from './stages';

/**
 * For backends: the error of a failed start. `cause` is the system's error, or a sentence where there is none; core adds
 * the command and the backend. Control characters in the text of `cause`, and of its own cause, are written out there too.
 */
export function startError(stage: Stage, cause: NodeJS.ErrnoException | string, path?: string): CommandStartError {
  if (typeof cause !== 'string') for (const error of [cause, cause.cause]) makePrintable(error);
  return errorOf(stage, cause, path);
}

/** Node prints the text of a cause as it is, and the system's error names what the caller gave. Properties it quotes. */
function makePrintable(error: unknown): void {
  if (!types.isNativeError(error)) return;
  const { message, stack } = error;
  if (printable(message) === message) return;
  // Not by assignment, which would throw where it is frozen.
  Reflect.set(error, 'message', printable(message));
  if (typeof stack === 'string') Reflect.set(error, 'stack', printable(stack));
}

function errorOf(stage: Stage, cause: NodeJS.ErrnoException | string, path?: string): CommandStartError {
  if (typeof cause === 'string') return new CommandStartError(stage, cause, { command: '', path });
  const { message } = cause;
  const where = path ?? cause.path;
  const isNamed = where === undefined || printable(message).includes(printable(where));
  const reason = isNamed ? message : `${message}, '${where}'`;
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
  if (!(error instanceof CommandStartError)) return startFailure(errorOf('backend', foreign(error)), command, backend);
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

/** What a backend threw, as an error of the system or a sentence. It is somebody else's, and stays as it is. */
function foreign(error: unknown): NodeJS.ErrnoException | string {
  return types.isNativeError(error) ? error : String(error);
}
