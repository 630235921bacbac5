/** Copying what a program writes to our own stdout or stderr, counted, up to a limit that is exact to the byte. */
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { writeAll } from './output';

/** Where the bytes go. `take` calls back when more may come. */
interface Target {
  take(chunk: Uint8Array, more: () => void): void;
  end(done: () => void): void;
}

/**
 * A pipe is opened anew: the flag that keeps a slow reader from blocking us belongs to the open file, and others share
 * that. Where this cannot be had, and for files and terminals, writing blocks, which does no harm there.
 */
function pipeOf(fd: number): Writable | undefined {
  try {
    if (!fstatSync(fd).isFIFO()) return undefined;
    const own = openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK);
    try {
      return new Socket({ fd: own, readable: false, writable: true });
    } catch (error) {
      closeSync(own);
      throw error;
    }
  } catch {
    return undefined;
  }
}

function targetOf(fd: number): Target {
  const pipe = pipeOf(fd);
  if (pipe === undefined) {
    return {
      take: (chunk, more) => {
        writeAll(fd, chunk);
        more();
      },
      end: (done) => {
        done();
      },
    };
  }
  // Who does not read any more ends the copying, and the program gets SIGPIPE as it would without us.
  let gone: (() => void) | undefined;
  pipe.on('error', () => gone?.());
  return {
    take: (chunk, more) => {
      gone = more;
      pipe.write(chunk, (error) => {
        if (error === null || error === undefined) more();
      });
    },
    end: (done) => {
      if (pipe.destroyed) done();
      else {
        gone = done;
        pipe.end(done);
      }
    },
  };
}

/** One stream that is being copied. */
export interface Copy {
  /** Bytes that were copied. */
  readonly bytes: number;
  /** More came than may. */
  readonly exceeded: boolean;
  /** Everything is written. */
  readonly done: Promise<void>;
}

/** `exceeded` is called once, when the limit is passed. `written` is called after each piece. */
export function copyOut(
  from: Readable,
  fd: number,
  { limit = Infinity, exceeded = () => undefined }: { limit?: number | undefined; exceeded?: () => void } = {},
): Copy {
  const target = targetOf(fd);
  const copy = { bytes: 0, exceeded: false, done: Promise.resolve() };
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
      target.take(piece, () => from.resume());
      if (copy.exceeded) exceeded();
    });
    from.once('end', end);
    from.once('close', end);
    from.on('error', end);
  });
  return copy;
}
