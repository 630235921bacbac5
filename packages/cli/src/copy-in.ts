/** Copying our own stdin to a program, for a recording, which has to see what it reads. */
import { constants, createReadStream, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { pipeline, type Readable, type Writable } from 'node:stream';
import { isatty, ReadStream } from 'node:tty';
import { statDescriptor } from '@vircommand/core/backend';

/** Opened anew where that can be had: the flag that keeps reads from blocking belongs to the open file, which others share. */
function own(fd: number, flags: number): number {
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_RDONLY | flags);
  } catch {
    return fd;
  }
}

function sourceOf(fd: number): Readable {
  // A thread that waits for a line would hold us up when the program has ended, and take the line from the next reader.
  if (isatty(fd)) return new ReadStream(own(fd, constants.O_NOCTTY));
  const stat = statDescriptor(fd);
  // /dev/null is read like a file.
  if (!stat.isFIFO() && !stat.isSocket()) return createReadStream('', { fd, autoClose: false });
  return new Socket({ fd: own(fd, constants.O_NONBLOCK), readable: true, writable: false });
}

/** Copies until either side ends, or it is disposed. A program that does not read on is no error. */
export function copyIn(fd: number, to: Writable): Disposable {
  const from = sourceOf(fd);
  pipeline(from, to, () => undefined);
  return {
    [Symbol.dispose]: () => {
      from.destroy();
    },
  };
}
