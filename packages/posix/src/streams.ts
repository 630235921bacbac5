/** Our ends of the pipes, as Node's streams, and as the cheaper capture that keeps no stream at all. */
import { Socket, type ConnectOpts, type SocketConstructorOpts } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { clearTimeout as cancel, setImmediate as soon, setTimeout as start } from 'node:timers';
import { errno, systemError } from './errno';
import type { Libc } from './libc';

// As they were when this was loaded: tests that fake the time must not stop the output.
const [clearTimeout, setImmediate, setTimeout] = [cancel, soon, start];

/** What libuv reads at most at once. */
const chunkSize = 64 * 1024;

/** What the program writes. The descriptor belongs to the stream from now on. */
export function readableFrom(fd: number): Readable {
  return new Socket({ fd, readable: true, writable: false });
}

/** What the program reads. The descriptor belongs to the stream from now on. */
export function writableTo(fd: number): Writable {
  return new Socket({ fd, readable: false, writable: true });
}

/** One for all captures of this thread: a chunk is valid during the call only. */
let shared: Buffer | undefined;

/**
 * Captures wait this long for the loop to read them, in milliseconds: most programs are over by then, and their whole
 * output is read at once, without a stream. A pipe that fills up earlier stops the program for the rest of that time.
 */
const patience = 1;
/** So many get their streams in one turn of the loop. */
const perTurn = 64;

const waiting = new Set<Capture>();
let timer: NodeJS.Timeout | undefined;

function attachSome(): void {
  let left = perTurn;
  for (const capture of waiting) {
    if (left-- === 0) {
      setImmediate(attachSome);
      return;
    }
    capture.attach();
  }
  timer = undefined;
}

/** Reads one pipe to its end. */
export class Capture {
  private socket: Socket | undefined;
  private over = false;

  constructor(
    private readonly libc: Libc,
    private fd: number,
    private readonly onChunk: (chunk: Uint8Array) => void,
    private readonly onEnd: (error?: Error) => void,
  ) {
    waiting.add(this);
    timer ??= setTimeout(attachSome, patience);
  }

  /** Hands the pipe to the event loop. */
  attach(): void {
    waiting.delete(this);
    if (this.over || this.socket !== undefined) return;
    const buffer = (shared ??= Buffer.allocUnsafeSlow(chunkSize));
    const options: SocketConstructorOpts & ConnectOpts = {
      fd: this.fd,
      readable: true,
      writable: false,
      onread: {
        buffer,
        callback: (size) => {
          this.onChunk(buffer.subarray(0, size));
          return true;
        },
      },
    };
    let socket: Socket;
    try {
      socket = this.socket = new Socket(options);
    } catch (error) {
      // Somebody else closed our descriptor.
      this.end(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    socket.once('end', () => {
      this.end();
    });
    socket.once('error', (error) => {
      this.end(error);
    });
    socket.once('close', () => {
      this.end();
    });
    socket.resume();
  }

  /**
   * Reads what is in the pipe now. What a program wrote is there when its exit is noticed; whoever else still writes must
   * not keep the loop here.
   */
  readNow(): void {
    const buffer = (shared ??= Buffer.allocUnsafeSlow(chunkSize));
    for (let chunks = 0; chunks < 32 && !this.over; chunks++) {
      const size = this.libc.read(this.fd, buffer, buffer.length);
      if (size > 0) this.onChunk(buffer.subarray(0, size));
      else if (size === -errno.EINTR) continue;
      else if (size === -errno.EAGAIN) break;
      else {
        this.end(size === 0 ? undefined : systemError(-size, 'read'));
        return;
      }
    }
    this.attach();
  }

  /** Stops, without an `onEnd`; idempotent. */
  destroy(): void {
    if (!this.over) this.close();
  }

  private end(error?: Error): void {
    if (this.over) return;
    this.close();
    this.onEnd(error);
  }

  private close(): void {
    this.over = true;
    waiting.delete(this);
    if (waiting.size === 0 && timer !== undefined) {
      clearTimeout(timer);
      timer = undefined;
    }
    if (this.socket === undefined) this.libc.close(this.fd);
    else this.socket.destroy();
    this.fd = -1;
  }
}
