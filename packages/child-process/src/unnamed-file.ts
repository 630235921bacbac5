/** An unnamed file for the output of a synchronous run: while the thread is blocked, nothing would read a pipe. */
import { constants, fstatSync, mkdtempSync, openSync, readSync, rmdirSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startError } from '@vircommand/core/backend';

/** Linux, `asm-generic/fcntl.h`; Node has no name for it. It includes O_DIRECTORY, whose value differs by machine. */
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;
const flags = constants.O_RDWR | constants.O_APPEND;
const mode = 0o600;

/** Opens it to append, since two descriptors may share it. @throws CommandStartError, stage `stdio`. */
export function openUnnamedFile(): number {
  const parent = tmpdir();
  if (process.platform === 'linux') {
    try {
      return openSync(parent, flags | O_TMPFILE, mode);
    } catch {
      // Not every file system has it.
    }
  }
  let directory: string | undefined;
  let file: string | undefined;
  try {
    directory = mkdtempSync(join(parent, 'vircommand-'));
    const name = join(directory, 'output');
    const fd = openSync(name, flags | constants.O_CREAT | constants.O_EXCL, mode);
    file = name;
    return fd;
  } catch (error) {
    throw startError('stdio', error as NodeJS.ErrnoException, parent);
  } finally {
    // Not rmSync(), which needs a descriptor, and there may be none.
    if (file !== undefined) unlinkSync(file);
    if (directory !== undefined) rmdirSync(directory);
  }
}

/** A part of what was written, and how long the whole is. `'last'`: only the end is wanted. */
export function readUnnamedFile(fd: number, most: number, end: 'first' | 'last'): { bytes: Buffer; size: number } {
  const { size } = fstatSync(fd);
  const bytes = Buffer.allocUnsafeSlow(Math.min(size, most));
  const start = end === 'first' ? 0 : size - bytes.length;
  let length = 0;
  while (length < bytes.length) {
    const read = readSync(fd, bytes, length, bytes.length - length, start + length);
    if (read === 0) break;
    length += read;
  }
  return { bytes: bytes.subarray(0, length), size };
}

/** At least as large as what file systems give at once. */
const block = 4096;

/**
 * Whether the program had room for all that it wrote, asked after its end: where another block does not fit now, its own
 * writes may have failed, which only the program was told.
 */
export function hasRoom(fd: number): boolean {
  try {
    return writeSync(fd, Buffer.alloc(block)) === block;
  } catch {
    return false;
  }
}
