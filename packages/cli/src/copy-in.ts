/** Copying our own stdin to a program, for who has to see what it reads. */
import { constants, createReadStream, fstatSync, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { pipeline, type Readable, type Writable } from 'node:stream';

/** Opened anew where that can be had: the flag that keeps reads from blocking belongs to the open file, which others share. */
function sourceOf(fd: number): Readable {
  const stat = fstatSync(fd);
  // A terminal or /dev/null is read like a file: there is a thread for that.
  if (!stat.isFIFO() && !stat.isSocket()) return createReadStream('', { fd, autoClose: false });
  try {
    const own = openSync(`/proc/self/fd/${fd}`, constants.O_RDONLY | constants.O_NONBLOCK);
    return new Socket({ fd: own, readable: true, writable: false });
  } catch {
    return new Socket({ fd, readable: true, writable: false });
  }
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
