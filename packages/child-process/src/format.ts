/**
 * That a program is something the kernel executes, looked at before the start: on ENOEXEC glibc's `execvp()`, which libuv
 * calls, runs the file with `/bin/sh`, and there is to be no shell, ever.
 */
import {
  accessSync,
  closeSync,
  constants,
  openSync,
  readFileSync,
  readdirSync,
  readSync,
  statSync,
  type Stats,
} from 'node:fs';
import { execError } from '@vircommand/core/backend';

/** What the kernel looks at. */
const headSize = 256;
/** e_machine of what this machine's kernel can run, by Node's name of it. */
const machines: Readonly<Record<string, readonly number[]>> = {
  x64: [62, 3],
  arm64: [183, 40],
  arm: [40],
  ia32: [3],
};
/** Scripts may name scripts as interpreters, to this depth. */
const deepest = 5;

// One for all: nothing here waits.
const buffer = Buffer.alloc(headSize);

/** Binaries that were looked at, by path: as they were then. The same program is started again and again. */
const binaries = new Map<string, string>();
const mostBinaries = 256;

const identityOf = ({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string =>
  `${dev} ${ino} ${size} ${mtimeMs} ${ctimeMs}`;

function isKnownBinary(file: string, stats: Stats): boolean {
  return binaries.get(file) === identityOf(stats);
}

function remember(file: string, stats: Stats): void {
  if (binaries.size >= mostBinaries) binaries.clear();
  binaries.set(file, identityOf(stats));
}

const statsOf = (file: string): Stats | undefined => {
  try {
    return statSync(file, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
};

/** The first bytes, or `undefined` where the start itself shall tell what is wrong. */
function headOf(file: string): Buffer | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(file, constants.O_RDONLY);
    return buffer.subarray(0, readSync(fd, buffer, 0, headSize, 0));
  } catch {
    return undefined; // It may be executable and not readable.
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function isElf(head: Buffer): boolean {
  if (head.length < 52 || head.readUInt32BE(0) !== 0x7f454c46) return false;
  const bigEndian = head[5] === 2;
  const half = (at: number): number => (bigEndian ? head.readUInt16BE(at) : head.readUInt16LE(at));
  const [executable, sharedObject] = [2, 3];
  const known = machines[process.arch];
  return [executable, sharedObject].includes(half(16)) && (known === undefined || known.includes(half(18)));
}

const registry = '/proc/sys/fs/binfmt_misc';

/** Whether one registered format takes the file, from the kernel's description of the format. */
function matches(description: string, head: Buffer, file: string): boolean {
  if (!description.startsWith('enabled')) return false;
  const field = (name: string): string | undefined => new RegExp(`^${name} (.*)$`, 'm').exec(description)?.[1];
  const extension = field('extension');
  if (extension !== undefined) return file.endsWith(extension);
  const magic = Buffer.from(field('magic') ?? '', 'hex');
  const mask = Buffer.from(field('mask') ?? '', 'hex');
  const offset = Number(field('offset') ?? 0);
  return (
    magic.length > 0 &&
    magic.every((byte, index) => {
      const bits = mask[index] ?? 0xff;
      return ((head[offset + index] ?? -1) & bits) === (byte & bits);
    })
  );
}

/** Formats that the administrator has added to the kernel: emulators, Java, Wine. */
function isRegistered(head: Buffer, file: string): boolean {
  try {
    if (!readFileSync(`${registry}/status`, 'latin1').startsWith('enabled')) return false;
    const formats = readdirSync(registry).filter((name) => name !== 'register' && name !== 'status');
    return formats.some((name) => matches(readFileSync(`${registry}/${name}`, 'latin1'), head, file));
  } catch {
    // A container shares the kernel's formats and does not see them. What is no text may be one of them.
    return head.includes(0);
  }
}

/** Whoever may not execute it gets to know that first. */
function isForbidden(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return false;
  } catch {
    return true;
  }
}

function isExecutable(file: string, depth: number): boolean {
  const stats = statsOf(file);
  // A device or named pipe must not be opened just to look at it.
  if (stats?.isFile() !== true || isKnownBinary(file, stats)) return true;
  const head = headOf(file);
  if (head === undefined) return true;
  if (isElf(head)) {
    remember(file, stats);
    return true;
  }
  if (head[0] !== 0x23 || head[1] !== 0x21) return isRegistered(head, file) || isForbidden(file);
  const interpreter = /^#![ \t]*([^ \t\n\0]+)/.exec(head.toString('latin1'))?.[1];
  if (interpreter === undefined) return isForbidden(file);
  // A relative one is relative to the program's directory, not to ours.
  return !interpreter.startsWith('/') || depth === deepest || isExecutable(interpreter, depth + 1);
}

/** Linux only: elsewhere libuv does not fall back to a shell. @throws CommandStartError, stage `exec`, `ENOEXEC`. */
export function checkFormat(file: string): void {
  if (process.platform !== 'linux' || isExecutable(file, 0)) return;
  const error: NodeJS.ErrnoException = Object.assign(new Error('ENOEXEC: exec format error'), { code: 'ENOEXEC' });
  throw execError(Object.assign(error, { errno: -8, syscall: 'execve' }), file);
}
