/**
 * A pipe that is read to its end, cheaper than a stream. Most programs are over within milliseconds and write little: their
 * whole output is read when they end. The others are looked after a few times, and then the event loop reads them; its
 * socket costs more than the rest of a run.
 */
import { AsyncResource } from 'node:async_hooks';
import type { ConnectOpts, Socket } from 'node:net';
import { realTime } from '@vircommand/core/backend';
import { errno, systemError } from './errno';
import type { Libc } from './libc';
import { pipeSocket } from './pipe-socket';
import { closeBound, handOver } from './thread-bound';

/** What libuv reads at most at once, and what a pipe holds. */
const chunkSize = 64 * 1024;
/** One for all readers of this thread: a chunk is valid during the call only. */
let shared: Buffer | undefined;
const sharedChunk = (): Buffer => (shared ??= Buffer.allocUnsafeSlow(chunkSize));

/** Milliseconds from one look to the next; a pipe that fills up earlier stops the program for the rest of that time. */
const delays = [1, 2, 4, 8];
/** Who writes as much between two looks is handed to the event loop. */
const much = chunkSize / 2;
/** So many are looked after in one turn of the loop. */
const perTurn = 32;

/** Readers that began together, and are looked after together. */
class Batch {
  /** That still takes readers. */
  private static open: Batch | undefined;
  private readonly readers = new Set<PipeReader>();
  private todo: PipeReader[] = [];
  private looks = 0;
  private stopTimer: (() => void) | undefined;

  static join(reader: PipeReader): Batch {
    const batch = (Batch.open ??= new Batch());
    batch.readers.add(reader);
    if (batch.stopTimer === undefined) batch.wait();
    return batch;
  }

  leave(reader: PipeReader): void {
    this.readers.delete(reader);
    if (this.readers.size > 0) return;
    this.stopTimer?.();
    this.stopTimer = undefined;
  }

  private wait(): void {
    this.stopTimer = realTime.after(delays[this.looks] ?? 0, this.look);
  }

  private readonly look = (): void => {
    if (Batch.open === this) Batch.open = undefined;
    this.stopTimer = undefined;
    this.looks++;
    this.todo = Array.from(this.readers);
    this.work();
  };

  private readonly work = (): void => {
    for (let left = perTurn; left > 0; left--) {
      const reader = this.todo.pop();
      if (reader === undefined) {
        if (this.readers.size > 0) this.wait();
        return;
      }
      if (!this.readers.has(reader)) continue;
      if (reader.read() >= much || this.looks === delays.length) reader.attach();
    }
    realTime.nextTurn(this.work);
  };
}

/** Reads one pipe to its end. */
export class PipeReader {
  private socket: Socket | undefined;
  private over = false;
  private batch: Batch | undefined;
  /** Where it began: one look is for several readers, and one signal tells of the exits of several programs. */
  private readonly context = new AsyncResource('VircommandCapture');

  constructor(
    private readonly libc: Libc,
    private fd: number,
    private readonly onChunk: (chunk: Uint8Array) => void,
    private readonly onEnd: (error?: Error) => void,
  ) {
    this.batch = Batch.join(this);
  }

  /** Hands the pipe to the event loop. */
  attach(): void {
    this.leaveBatch();
    if (this.over || this.socket !== undefined) return;
    const buffer = sharedChunk();
    const onread: ConnectOpts['onread'] = {
      buffer,
      callback: (size) => {
        this.tell(buffer, size);
        return true;
      },
    };
    let socket: Socket;
    try {
      socket = this.socket = handOver(this.libc, this.fd, (own) => {
        const made = pipeSocket(own, 'read', onread);
        this.fd = own;
        return made;
      });
    } catch (error) {
      // Until a number is free it is looked after.
      if (error instanceof Error && 'code' in error && error.code === 'EMFILE') this.batch = Batch.join(this);
      // Other code closed our descriptor.
      else this.end(error instanceof Error ? error : new Error(String(error)));
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

  /** Reads once what is in the pipe now, before the event loop does; how much it was. */
  read(): number {
    if (this.over) return 0;
    const buffer = sharedChunk();
    const size = this.libc.read(this.fd, buffer, chunkSize);
    if (size > 0) this.tell(buffer, size);
    else if (size !== -errno.EAGAIN && size !== -errno.EINTR) {
      this.end(size === 0 ? undefined : systemError(-size, 'read'));
    }
    return Math.max(size, 0);
  }

  /**
   * Reads what is in the pipe now. What a program wrote is there when its exit is noticed; whoever else still writes must
   * not keep the loop here. Mostly that is the end of it. Otherwise somebody else has the pipe: often only for a moment, as
   * a program that is just being started by another thread has it until it is executed.
   */
  readNow(): void {
    let size = 1;
    for (let chunks = 0; chunks < 32 && size > 0; chunks++) size = this.read();
    if (size > 0) this.attach();
    if (this.over || this.socket !== undefined) return;
    this.leaveBatch();
    this.batch = Batch.join(this);
  }

  /** Stops, without an `onEnd`; idempotent. */
  destroy(): void {
    if (!this.over) this.close();
  }

  private end(error?: Error): void {
    if (this.over) return;
    this.close();
    this.context.runInAsyncScope(this.onEnd, undefined, error);
  }

  private tell(buffer: Buffer, size: number): void {
    this.context.runInAsyncScope(this.onChunk, undefined, buffer.subarray(0, size));
  }

  private close(): void {
    this.over = true;
    this.leaveBatch();
    if (this.socket === undefined) closeBound(this.libc, this.fd);
    else this.socket.destroy();
    this.fd = -1;
  }

  private leaveBatch(): void {
    this.batch?.leave(this);
    this.batch = undefined;
  }
}
