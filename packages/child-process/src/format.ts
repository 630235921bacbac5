/**
 * That a program is something the kernel executes, looked at before the start: on ENOEXEC glibc's `execvp()`, which libuv
 * calls, runs the file with `/bin/sh`, and there is to be no shell, ever.
 */
import { accessSync, constants, statSync, type Stats } from 'node:fs';
import { execError, headOf, interpreterOf, mostInterpreters } from '@vircommand/core/backend';
import { isNativeBinary } from './elf';
import { isRegistered } from './registered-formats';

/** Binaries that were looked at, by path: as they were then. The same program is started again and again. */
const binaries = new Map<string, string>();
const mostBinaries = 256;

const identityOf = ({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string =>
  `${dev} ${ino} ${size} ${mtimeMs} ${ctimeMs}`;

function isKnownBinary(file: Buffer, stats: Stats): boolean {
  return binaries.get(file.toString('latin1')) === identityOf(stats);
}

function remember(file: Buffer, stats: Stats): void {
  if (binaries.size >= mostBinaries) binaries.clear();
  binaries.set(file.toString('latin1'), identityOf(stats));
}

const statsOf = (file: Buffer): Stats | undefined => {
  try {
    return statSync(file, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
};

/** Whoever may not execute it gets to know that first. */
function isForbidden(file: Buffer): boolean {
  try {
    accessSync(file, constants.X_OK);
    return false;
  } catch {
    return true;
  }
}

/** Whether what the script names is executable; the kernel looks for a relative path where the program begins. */
function hasInterpreter(head: Buffer, directory: string, depth: number): boolean {
  const interpreter = interpreterOf(head);
  if (interpreter === undefined) return false;
  // An empty path, and too many scripts, are other errors.
  if (interpreter.length === 0 || depth === mostInterpreters) return true;
  const isAbsolute = interpreter[0] === 0x2f;
  const file = isAbsolute ? interpreter : Buffer.concat([Buffer.from(`${directory}/`), interpreter]);
  return isExecutable(file, directory, depth + 1);
}

function isExecutable(file: Buffer, directory: string, depth: number): boolean {
  const stats = statsOf(file);
  // A device or named pipe must not be opened just to look at it.
  if (stats?.isFile() !== true || isKnownBinary(file, stats)) return true;
  const head = headOf(file);
  // A shell may not look at it either: a binary runs, and anything else is not run.
  if (head === undefined) return true;
  if (isNativeBinary(file, head)) {
    remember(file, stats);
    return true;
  }
  return hasInterpreter(head, directory, depth) || isRegistered(file, head) || isForbidden(file);
}

/**
 * Linux only: elsewhere libuv does not fall back to a shell.
 *
 * @param directory where the program begins
 * @throws CommandStartError, stage `exec`, `ENOEXEC`.
 */
export function checkFormat(file: string, directory = '.'): void {
  if (process.platform !== 'linux' || isExecutable(Buffer.from(file), directory, 0)) return;
  const error: NodeJS.ErrnoException = Object.assign(new Error('ENOEXEC: exec format error'), { code: 'ENOEXEC' });
  throw execError(Object.assign(error, { errno: -8, syscall: 'execve' }), file);
}
