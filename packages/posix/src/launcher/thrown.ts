/** What was thrown, which may be of any kind and may not even be readable, as plain data that another process can be told. */
import { inspect, types } from 'node:util';
import { CommandStartError, printable, type Stage } from '@vircommand/core/backend';

/** What an error says of itself. */
export interface ErrorData {
  readonly message: string;
  readonly code: string | undefined;
  readonly errno: number | undefined;
  readonly syscall: string | undefined;
  readonly path: string | undefined;
  readonly stack: string | undefined;
}

export function dataOf(thrown: unknown): ErrorData {
  try {
    const isError = types.isNativeError(thrown);
    return {
      message: (isError ? text(thrown, 'message') : undefined) ?? inspect(thrown),
      code: text(thrown, 'code'),
      errno: number(thrown, 'errno'),
      syscall: text(thrown, 'syscall'),
      path: text(thrown, 'path'),
      stack: isError ? text(thrown, 'stack') : undefined,
    };
  } catch {
    const message = 'something was thrown that cannot be shown';
    return { message, code: undefined, errno: undefined, syscall: undefined, path: undefined, stack: undefined };
  }
}

function property(thrown: unknown, name: string): unknown {
  return typeof thrown === 'object' && thrown !== null ? Reflect.get(thrown, name) : undefined;
}

function text(thrown: unknown, name: string): string | undefined {
  const value = property(thrown, name);
  return typeof value === 'string' ? value : undefined;
}

function number(thrown: unknown, name: string): number | undefined {
  const value = property(thrown, name);
  return typeof value === 'number' ? value : undefined;
}

/** The error again, as a cause: Node prints the text of that as it is. */
export function errorWith({ message, stack, code, errno, syscall, path }: ErrorData): NodeJS.ErrnoException {
  const error: NodeJS.ErrnoException = new Error(printable(message));
  if (stack !== undefined) error.stack = printable(stack);
  if (code !== undefined) error.code = code;
  if (errno !== undefined) error.errno = errno;
  if (syscall !== undefined) error.syscall = syscall;
  if (path !== undefined) error.path = path;
  return error;
}

/**
 * The error of a start for what foreign code threw: with the code of that, and a copy of it as the cause.
 *
 * @param path where it has none itself
 * @param what happened, said before its message
 */
export function thrownError(stage: Stage, thrown: unknown, path?: string, what?: string): CommandStartError {
  const data = dataOf(thrown);
  const { code, errno, syscall } = data;
  const details = { command: '', code, errno, syscall, path: data.path ?? path, cause: errorWith(data) };
  return new CommandStartError(stage, (what === undefined ? '' : `${what}: `) + reasonOf(data), details);
}

function reasonOf({ message, code }: ErrorData): string {
  // Node's resolver adds its stack of modules below the first line.
  const text =
    code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND' ? (message.split('\n', 1)[0] ?? '') : message;
  return code === undefined || text.includes(code) ? text : `${code}: ${text}`;
}
