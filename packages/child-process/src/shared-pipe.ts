/**
 * One real descriptor for stdout and stderr. Node cannot make a pipe, but it can make two connected sockets, and it takes
 * one of them for several of the program's descriptors. libuv makes 0, 1 and 2 blocking in the program.
 */
import { mkdtempSync, openSync, rmSync } from 'node:fs';
import { createServer, connect, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { startError } from '@vircommand/core/backend';

/** The two ends. */
export interface SharedPipe {
  /** For the program; ours is to be destroyed once it has it. */
  readonly write: Socket;
  readonly read: Socket;
}

/** Only we can reach what is in there. */
function privateDirectory(): string {
  return mkdtempSync(path.join(tmpdir(), 'vircommand-'));
}

/** Makes two connected sockets. @throws CommandStartError, stage `stdio`. */
export async function openSharedPipe(): Promise<SharedPipe> {
  let directory: string | undefined;
  let server: Server | undefined;
  let write: Socket | undefined;
  try {
    directory = privateDirectory();
    const address = path.join(directory, 's');
    const listening = createServer();
    server = listening;
    const accepted = new Promise<Socket>((resolve, reject) => {
      listening.once('connection', resolve).once('error', reject);
    });
    listening.listen(address);
    await new Promise<void>((resolve, reject) => {
      listening.once('listening', resolve).once('error', reject);
    });
    const connecting = connect(address);
    write = connecting;
    await new Promise<void>((resolve, reject) => {
      connecting.once('connect', resolve).once('error', reject);
    });
    return { write: connecting, read: await accepted };
  } catch (error) {
    write?.destroy();
    throw startError('stdio', error as NodeJS.ErrnoException);
  } finally {
    server?.close();
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  }
}

/** For a synchronous run, while which nobody reads: a file without a name, to be read afterwards. */
export function openSharedFile(): number {
  let directory: string | undefined;
  try {
    directory = privateDirectory();
    return openSync(path.join(directory, 'output'), 'ax+', 0o600);
  } catch (error) {
    throw startError('stdio', error as NodeJS.ErrnoException);
  } finally {
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  }
}
