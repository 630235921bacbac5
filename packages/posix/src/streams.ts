/** Our ends of the pipes, as Node's streams. */
import type { Readable, Writable } from 'node:stream';
import { pipeSocket } from './pipe-socket';

/** What the program writes. The descriptor belongs to the stream from now on. */
export function readableFrom(fd: number): Readable {
  return pipeSocket(fd, 'read');
}

/** What the program reads. The descriptor belongs to the stream from now on. */
export function writableTo(fd: number): Writable {
  return pipeSocket(fd, 'write');
}
