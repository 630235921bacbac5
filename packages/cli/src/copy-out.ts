/** Copying what a program writes to our own stdout or stderr, counted, up to a limit that is exact to the byte. */
import { closeSync, constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { statDescriptor } from '@vircommand/core/backend';
import { writeAll } from './output';

/** Where the bytes go. */
interface Target {
  /** Calls back when more may come; with `false` when nobody reads any more. */
  write(chunk: Uint8Array, then: (read: boolean) => void): void;
  /** Calls back when everything is out. */
  end(then: () => void): void;
}

/** Writing blocks, which does no harm with files and terminals. */
const blocking = (fd: number): Target => ({
  write: (chunk, then) => {
    then(writeAll(fd, chunk));
  },
  end: (then) => {
    then();
  },
});

/**
 * A pipe is opened anew: the flag that keeps a slow reader from blocking us belongs to the open file, which others share.
 */
function toPipe(fd: number): Target {
  const pipe = new Socket({ fd, readable: false, writable: true });
  let next: (() => void) | undefined;
  pipe.on('error', () => undefined);
  pipe.once('close', () => next?.());
  return {
    write: (chunk, then) => {
      next = () => {
        then(false);
      };
      if (pipe.destroyed) next();
      else {
        pipe.write(chunk, (error) => {
          // What went wrong is told by the end of the pipe.
          if (!error) then(true);
        });
      }
    },
    end: (then) => {
      next = undefined;
      if (pipe.destroyed) then();
      else pipe.once('close', then).end();
    },
  };
}

function targetOf(fd: number): Target {
  try {
    if (!statDescriptor(fd).isFIFO()) return blocking(fd);
    const own = openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK);
    try {
      return toPipe(own);
    } catch (error) {
      closeSync(own);
      throw error;
    }
  } catch {
    // There is no /proc, or the pipe belongs to another user.
    return blocking(fd);
  }
}

/** One stream that is being copied. */
export interface Copy {
  /** Bytes that were copied. */
  readonly bytes: number;
  /** More came than may. */
  readonly exceeded: boolean;
  /** Why it could not be written. */
  readonly failure: unknown;
  /** Everything is written that may be, or nobody reads it any more. */
  readonly done: Promise<void>;
}

/** How far to copy. */
export interface CopyOptions {
  /** Bytes. Default: all. */
  readonly limit?: number | undefined;
  /** Called once, when more comes. */
  readonly exceeded?: () => void;
}

/** When nobody reads any more, or nothing can be written, the stream is closed, and the program gets SIGPIPE. */
export function copyOut(from: Readable, fd: number, options: CopyOptions = {}): Copy {
  const { limit = Infinity, exceeded = () => undefined } = options;
  const target = targetOf(fd);
  const copy: { -readonly [Name in keyof Copy]: Copy[Name] } = {
    bytes: 0,
    exceeded: false,
    failure: undefined,
    done: Promise.resolve(),
  };
  copy.done = new Promise((resolve) => {
    let over = false;
    const end = (): void => {
      if (over) return;
      over = true;
      target.end(resolve);
    };
    from.on('data', (chunk: Buffer) => {
      if (copy.exceeded) return;
      const room = limit - copy.bytes;
      const piece = chunk.length > room ? chunk.subarray(0, room) : chunk;
      copy.bytes += piece.length;
      copy.exceeded = chunk.length > room;
      from.pause();
      try {
        target.write(piece, (read) => {
          if (read) from.resume();
          else from.destroy();
          // Whoever writes may never end; from here on it is read only so that nobody has to wait with writing.
          if (copy.exceeded) end();
        });
      } catch (error) {
        copy.failure = error;
        from.destroy();
      }
      if (copy.exceeded) exceeded();
    });
    from.once('end', end);
    from.once('close', end);
    from.on('error', end);
  });
  return copy;
}
