/** Our ends of the pipes, as Node's streams. */
import type { Readable, Writable } from 'node:stream';
import type { Libc } from './libc';
import { pipeSocket } from './pipe-socket';
import { handOver } from './thread-bound';

/** What the program writes. The descriptor belongs to the stream from now on. */
export function readableFrom(libc: Libc, fd: number): Readable {
  return handOver(libc, fd, (own) => pipeSocket(own, 'read'));
}

/** What the program reads. The descriptor belongs to the stream from now on. */
export function writableTo(libc: Libc, fd: number): Writable {
  return handOver(libc, fd, (own) => pipeSocket(own, 'write'));
}
