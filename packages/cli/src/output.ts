/**
 * Writing to our own stdout and stderr. Never through `process.stdout` and `process.stderr`: these make the open file
 * nonblocking, and the program shares it.
 */
import { fstatSync, statSync, writeSync } from 'node:fs';

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
 */
export function writeAll(fd: number, text: string | Uint8Array): boolean {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE' || code === 'EBADF' || code === 'EIO') return false;
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(pause, 0, 0, 1);
    }
  }
  return true;
}

/** The module for terminals brings all streams with it, which no descriptor need pay for that can be none. */
function isTerminal(fd: number): boolean {
  try {
    const stat = fstatSync(fd);
    if (!stat.isCharacterDevice() || stat.rdev === statSync('/dev/null').rdev) return false;
  } catch {
    // It is closed.
    return false;
  }
  return process.getBuiltinModule('node:tty').isatty(fd);
}

const to = (fd: number): Output => ({
  write: (text) => {
    writeAll(fd, text);
  },
  get isTerminal() {
    return isTerminal(fd);
  },
});

export const stdout: Output = to(1);
export const stderr: Output = to(2);

const codes = { red: 31, green: 32, yellow: 33, dim: 2, bold: 1 } as const;
export type Paint = (style: keyof typeof codes, text: string) => string;

/** Colours on a terminal, unless somebody does not want them (https://no-color.org). */
export function painter({ isTerminal }: Output, env: NodeJS.ProcessEnv = process.env): Paint {
  const coloured = isTerminal && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';
  return (style, text) => (coloured && text !== '' ? `\x1b[${codes[style]}m${text}\x1b[0m` : text);
}
