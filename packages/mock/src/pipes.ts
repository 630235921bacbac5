/**
 * The pipes of a fake program: as large as the kernel's, so a program whose output nobody reads does not go on.
 * Node's streams are made only when somebody asks for them.
 */
import { Readable, Writable } from 'node:stream';

/** Bytes in a pipe (Linux), and the most that one read gives. */
const capacity = 65536;

/** What became of a write: taken; taken, but the program has to wait for its reader; nobody reads any more. */
export type Written = 'taken' | 'full' | 'broken';

/** From the program to core. */
export class OutputPipe {
  private waiting: Uint8Array[] = [];
  private size = 0;
  private over = false;
  private closed = false;
  private reader: { onChunk(chunk: Uint8Array): void; onEnd(error?: Error): void } | undefined;
  private stream: Readable | undefined;
  private wanted = false;

  /** `drained` is called when a full pipe has room again. */
  constructor(private readonly drained: () => void) {}

  /** Whether a stream of Node was made of it; its events take a turn of the loop. */
  get streaming(): boolean {
    return this.stream !== undefined && !this.closed;
  }

  /** Whether there may still be a reader. */
  get open(): boolean {
    return !this.closed;
  }

  write(data: Uint8Array): Written {
    if (this.closed) return 'broken';
    if (this.over || data.length === 0) return 'taken';
    if (this.reader !== undefined) {
      this.reader.onChunk(data);
      return 'taken';
    }
    this.waiting.push(data);
    this.size += data.length;
    this.flow();
    return this.size > capacity ? 'full' : 'taken';
  }

  /** The last writer is gone. */
  end(): void {
    if (this.over) return;
    this.over = true;
    if (this.closed) return;
    this.reader?.onEnd();
    this.flow();
  }

  capture(onChunk: (chunk: Uint8Array) => void, onEnd: (error?: Error) => void): { destroy(): void } {
    this.reader = { onChunk, onEnd };
    const { waiting } = this;
    [this.waiting, this.size] = [[], 0];
    for (const chunk of waiting) onChunk(chunk);
    if (this.over) onEnd();
    else if (waiting.length > 0) this.drained();
    return {
      destroy: () => {
        this.close();
      },
    };
  }

  get readable(): Readable {
    return (this.stream ??= new Readable({
      highWaterMark: capacity,
      read: () => {
        this.wanted = true;
        this.flow();
      },
      destroy: (error, done) => {
        this.close();
        done(error);
      },
    }));
  }

  /** Gives the stream what it wants. */
  private flow(): void {
    const { stream } = this;
    if (stream === undefined || !this.wanted || this.closed) return;
    const wasFull = this.size > capacity;
    while (this.wanted && this.waiting.length > 0) {
      const chunk = this.waiting[0] ?? new Uint8Array();
      const piece = chunk.subarray(0, capacity);
      if (piece.length === chunk.length) this.waiting.shift();
      else this.waiting[0] = chunk.subarray(piece.length);
      this.size -= piece.length;
      // A copy: the reader may change what it got, and the answer may be given again.
      this.wanted = stream.push(Buffer.from(piece));
    }
    if (this.over && this.waiting.length === 0) stream.push(null);
    else if (wasFull && this.size <= capacity) this.drained();
  }

  private close(): void {
    if (this.closed) return;
    this.closed = true;
    [this.waiting, this.size] = [[], 0];
    // A program that waits for room finds that nobody reads any more.
    if (!this.over) this.drained();
  }

  /** Lets go of the reader's end. */
  destroy(): void {
    this.close();
    this.stream?.destroy();
  }
}

const brokenPipe = (): Error =>
  Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write', errno: -32 });

/** From core to the program, which reads everything at once, or up to where it stops. */
export class InputPipe {
  /** No more will come. */
  ended = false;
  /** Bytes that came until now. */
  size = 0;
  /** After so many bytes the program reads no more: whoever goes on waits, and learns it. */
  readsUpTo = Infinity;
  private closed = false;
  private stream: Writable | undefined;
  /** Ends the write that waits. */
  private blocked: ((error: Error) => void) | undefined;

  /** What comes is added to `chunks`; `arrived` is called for every piece and for the end. */
  constructor(
    private readonly chunks: Uint8Array[],
    private readonly arrived: () => void,
  ) {}

  get writable(): Writable {
    return (this.stream ??= new Writable({
      write: (chunk: Uint8Array, _encoding, done) => {
        if (this.closed) {
          done(brokenPipe());
          return;
        }
        this.take(Uint8Array.from(chunk));
        if (this.size < this.readsUpTo) done();
        else this.blocked = done;
      },
      final: (done) => {
        this.finish();
        done();
      },
      destroy: (error, done) => {
        this.finish();
        done(error);
      },
    }));
  }

  take(chunk: Uint8Array): void {
    this.chunks.push(chunk);
    this.size += chunk.length;
    this.arrived();
  }

  finish(): void {
    if (this.ended) return;
    this.ended = true;
    this.arrived();
  }

  /** The program reads no more; a caller that writes on gets an error. */
  break(): void {
    this.closed = true;
    this.stream?.destroy(brokenPipe());
    this.unblock();
  }

  private unblock(): void {
    this.blocked?.(brokenPipe());
    this.blocked = undefined;
  }

  /** The program is gone. */
  close(): void {
    this.closed = true;
    this.ended = true;
    this.unblock();
  }

  destroy(): void {
    this.close();
    this.stream?.destroy();
  }
}
