/**
 * Writing to our own stdout and stderr. Never through `process.stdout` and `process.stderr`: these make the open file
 * nonblocking, and the program shares it.
 */
import { statSync, writeSync } from 'node:fs';
import { statDescriptor } from '@vircommand/core/backend';
import { CliError } from './exit-status';

/** Where text goes. */
export interface Output {
  write(text: string | Uint8Array): void;
  readonly isTerminal: boolean;
}

const pause = new Int32Array(new SharedArrayBuffer(4));

/**
 * Writes all of it, also where somebody else made the open file nonblocking.
 *
 * @returns `false` if nobody reads it any more.
 * @throws CliError if it cannot be written, for instance because a disk is full.
 */
export function writeAll(fd: number, text: string | Uint8Array): boolean {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE' || code === 'EBADF' || code === 'EIO') return false;
      if (code !== 'EAGAIN') {
        throw new CliError(`${fd === 1 ? 'stdout' : 'stderr'} cannot be written: ${message}`, undefined, {
          cause: error,
        });
      }
      Atomics.wait(pause, 0, 0, 1);
    }
  }
  return true;
}

/** The module for terminals brings all streams with it, which no descriptor need pay for that can be none. */
function isTerminal(fd: number): boolean {
  try {
    const stat = statDescriptor(fd);
    if (!stat.isCharacterDevice() || stat.rdev === statSync('/dev/null', { bigint: true }).rdev) return false;
  } catch {
    // It is closed.
    return false;
  }
  return process.getBuiltinModule('node:tty').isatty(fd);
}

export const stdout: Output = {
  write: (text) => {
    writeAll(1, text);
  },
  get isTerminal() {
    return isTerminal(1);
  },
};

export const stderr: Output = {
  write: (text) => {
    try {
      writeAll(2, text);
    } catch {
      // There is no other place to say it, and how a program ended is not to be lost over a report.
    }
  },
  get isTerminal() {
    return isTerminal(2);
  },
};

const codes = { red: 31, green: 32, yellow: 33, dim: 2, bold: 1 } as const;
export type Paint = (style: keyof typeof codes, text: string) => string;

/** Colours on a terminal, unless somebody does not want them (https://no-color.org). */
export function painter({ isTerminal }: Output, env: NodeJS.ProcessEnv = process.env): Paint {
  const coloured = isTerminal && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';
  return (style, text) => (coloured && text !== '' ? `\x1b[${codes[style]}m${text}\x1b[0m` : text);
}
