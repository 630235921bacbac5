/**
 * One real descriptor for stdout and stderr. Node makes no pipes, but two connected sockets can be had, and it takes one
 * of them for several of the program's descriptors; libuv makes 0, 1 and 2 blocking in the program.
 */
import { mkdtempSync, rmdirSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { startError } from '@vircommand/core/backend';

/** The two ends. */
export interface SharedPipe {
  /** For the program; ours is to be destroyed once it has it. */
  readonly write: Socket;
  readonly read: Socket;
}

interface Address {
  readonly path: string;
  remove(): void;
}

/** Loading it takes longer than making the command, so it is loaded when it is needed. */
const secret = (): Buffer => process.getBuiltinModule('node:crypto').randomBytes(16);

/** Linux has names without files. Elsewhere it is a file in a directory that only this user can enter. */
function newAddress(): Address {
  if (process.platform === 'linux') {
    return { path: `\0vircommand-${secret().toString('hex')}`, remove: () => undefined };
  }
  const directory = mkdtempSync(join(tmpdir(), 'vircommand-'));
  const path = join(directory, 's');
  return {
    path,
    // Each by itself: removing a tree needs a descriptor, and there may be none.
    remove() {
      rmSync(path, { force: true });
      rmdirSync(directory);
    },
  };
}

/** Waits for the connection that sends the token: any process on this machine can connect to a name without a file. */
function acceptKnown(server: Server, token: Buffer, strangers: Set<Socket>): Promise<Socket> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.on('connection', (socket) => {
      strangers.add(socket);
      const forget = (): void => {
        socket.destroy();
      };
      socket.on('error', forget);
      const look = (): void => {
        const first = socket.read(token.length) as Buffer | null;
        if (first === null) return;
        socket.off('readable', look);
        if (!first.equals(token)) {
          forget();
          return;
        }
        strangers.delete(socket);
        socket.off('error', forget);
        resolve(socket);
      };
      socket.on('readable', look);
    });
  });
}

const once = (emitter: Socket | Server, event: 'connect' | 'listening'): Promise<void> =>
  new Promise((resolve, reject) => {
    emitter.once(event, resolve).once('error', reject);
  });

/** If no descriptor is free, libuv accepts a connection only to close it, and does not report that. */
const dropped = (socket: Socket): Promise<never> =>
  new Promise((_, reject) => {
    const error = Object.assign(new Error('EMFILE: too many open files, accept'), {
      code: 'EMFILE',
      errno: -constants.errno.EMFILE,
      syscall: 'accept',
    });
    socket.resume().once('close', () => {
      reject(error);
    });
  });

/** Makes two connected sockets. @throws CommandStartError, stage `stdio`. */
export async function openSharedPipe(): Promise<SharedPipe> {
  const strangers = new Set<Socket>();
  let address: Address | undefined;
  let server: Server | undefined;
  let write: Socket | undefined;
  try {
    address = newAddress();
    server = createServer();
    server.listen(address.path);
    await once(server, 'listening');
    const token = secret();
    const accepted = acceptKnown(server, token, strangers);
    write = connect(address.path);
    const connected = once(write, 'connect');
    write.write(token);
    const [read] = await Promise.race([Promise.all([accepted, connected]), dropped(write)]);
    write.pause();
    return { write, read };
  } catch (error) {
    write?.destroy();
    const failure = error as NodeJS.ErrnoException;
    // As other programs show an address without a file.
    failure.message = failure.message.replace('\0', '@');
    throw startError('stdio', failure);
  } finally {
    server?.close();
    for (const stranger of strangers) stranger.destroy();
    address?.remove();
  }
}
