/** Our ends of the pipes, as Node's streams. */
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';

/** What the program writes. The descriptor belongs to the stream from now on. */
export function readableFrom(fd: number): Readable {
  return new Socket({ fd, readable: true, writable: false });
}

/** What the program reads. The descriptor belongs to the stream from now on. */
export function writableTo(fd: number): Writable {
  return new Socket({ fd, readable: false, writable: true });
}
