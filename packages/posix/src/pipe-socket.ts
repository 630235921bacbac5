/** Node's socket over our end of a pipe. */
import { Socket, type ConnectOpts, type SocketConstructorOpts } from 'node:net';

/**
 * The descriptor belongs to the socket from now on.
 *
 * @param onread takes what is read, into memory that is there already
 */
export function pipeSocket(fd: number, direction: 'read' | 'write', onread?: ConnectOpts['onread']): Socket {
  const readable = direction === 'read';
  const options: SocketConstructorOpts & ConnectOpts = { fd, readable, writable: !readable };
  if (onread !== undefined) options.onread = onread;
  sayNothingElse(options);
  return new Socket(options);
}

/**
 * Node copies the options into an object with a prototype, so to have none does not help: what a polluted one holds would
 * become the encoding of a program's output, for instance. Where it is as it should be this does nothing.
 */
function sayNothingElse(options: object): void {
  for (const name in Object.prototype) if (!Object.hasOwn(options, name)) Reflect.set(options, name, undefined);
}
