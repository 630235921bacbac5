/** What the system's error of a failed exec means: it has one number for several things that can be wrong. */
import { accessSync, constants, statSync } from 'node:fs';
import { planBytes } from '../bytes';
import type { PlanString } from '../contract';
import type { CommandStartError } from '../errors';
import { startError } from '../start-failure';
import { headOf, interpreterOf, mostInterpreters } from './interpreter';

/** The interpreter of a script that is not there, also if it is that of another interpreter; `undefined`: all are. */
function missingInterpreter(program: Buffer, depth = 0): string | undefined {
  const head = depth < mostInterpreters ? headOf(program) : undefined;
  const interpreter = head && interpreterOf(head);
  if (interpreter === undefined) return undefined;
  // A relative one is relative to where the program begins, which is not known here: it is the likely one.
  const isThere = interpreter[0] === 0x2f && exists(interpreter);
  return isThere ? missingInterpreter(interpreter, depth + 1) : interpreter.toString();
}

const isDirectory = (path: Buffer | string): boolean => {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
};
const exists = (path: Buffer): boolean => {
  try {
    statSync(path);
    return true;
  } catch {
    return false;
  }
};

/** What each error says of a program that exists or not. */
function explain(code: string | undefined, program: Buffer): { reason: string; path: string } | undefined {
  const path = program.toString();
  switch (code) {
    case 'ENOENT': {
      if (!exists(program)) return { reason: `there is no program '${path}'`, path };
      const interpreter = missingInterpreter(program);
      if (interpreter === undefined)
        return { reason: `'${path}' exists, but likely the loader that it names does not`, path };
      const hint = interpreter.endsWith('\r') ? ': its lines end in CRLF' : '';
      return {
        reason: `'${path}' is a script whose interpreter '${interpreter}' does not exist${hint}`,
        path: interpreter,
      };
    }
    case 'EACCES':
      return isDirectory(program)
        ? { reason: `'${path}' is a directory`, path }
        : {
            reason: `'${path}' may not be executed (its mode, that of a directory or an interpreter, or a mount with noexec)`,
            path,
          };
    case 'ENOEXEC':
      return { reason: `'${path}' is no program: neither a binary of this machine nor a script with '#!'`, path };
    case 'ENOTDIR':
      return { reason: `a part of '${path}' is no directory`, path };
    case 'ELOOP':
      return { reason: `'${path}' has too many symbolic links, or a script's interpreter is a script too often`, path };
    case 'E2BIG':
      return { reason: 'arguments and environment are longer than the system takes', path };
    case 'ETXTBSY':
      return { reason: `'${path}' is open for writing`, path };
    default:
      return undefined;
  }
}

/** For local backends: the error of stage `exec`, with the path that is wrong, from the system's error. */
export function execError(error: NodeJS.ErrnoException, program: PlanString): CommandStartError {
  const bytes = planBytes(program);
  const explained = explain(error.code, bytes);
  if (explained === undefined) return startError('exec', error, bytes.toString());
  const { reason, path } = explained;
  const shown = new Error(`${reason} (${error.code ?? ''})`, { cause: error });
  return startError(
    'exec',
    Object.assign(shown, { code: error.code, errno: error.errno, syscall: error.syscall }),
    path,
  );
}

/** For local backends: why a directory cannot be entered, or `undefined` if it can. */
export function directoryError(cwd: string): CommandStartError | undefined {
  try {
    // With the dot, what is no directory is an error. One that is may have a path that is too long for it.
    accessSync(isDirectory(cwd) ? cwd : cwd + '/.', constants.X_OK);
    return undefined;
  } catch (error) {
    return startError('cwd', error as NodeJS.ErrnoException, cwd);
  }
}
