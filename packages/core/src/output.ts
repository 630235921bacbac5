/** One output stream of a run: what core does with it, what is kept of it, and whether it was read to its end. */
import type { Readable } from 'node:stream';
import { chunkBytes } from './bytes';
import { Capture, Tail, tailSize, type Budget, type Kept } from './capture';
import type { Clock } from './clock';
import type { ChildHandle } from './contract';
import type { Cause } from './outcome';
import type { StreamUse } from './plan';
import { realTime } from './real-time';
import { keptAtMost, type RunSettings } from './run-options';

export type OutputName = 'stdout' | 'stderr';

/** More than a pipe or a pair of sockets holds, in bytes, whatever a program or a system has made of them. */
const mostInPipe = 16 << 20;

/** What a run wants to know of its streams. */
export interface OutputEvents {
  /** The run must end for this. */
  end(cause: Cause): void;
  /** It ended: that may have been the last thing to wait for. */
  ended(): void;
}

/** One stream. */
export class Output {
  /** Read to its end, given up, or nothing to read. */
  ended: boolean;
  /** No bytes were lost. */
  complete = true;
  private kept: Kept | undefined;
  private source: { destroy(): void } | undefined;
  private handle: ChildHandle | undefined;
  private watched = false;
  private before = '';
  /** Bytes read after which what comes is no longer the program's own. */
  private ownUntil: number | undefined;
  private left = false;

  constructor(
    private readonly name: OutputName,
    readonly use: StreamUse,
    private readonly settings: RunSettings,
    total: Budget,
    private readonly events: OutputEvents,
  ) {
    this.ended = use === 'none' || use === 'pipe';
    if (use === 'tail') this.kept = new Tail(tailSize);
    else if (use === 'text' || use === 'bytes') this.kept = this.capture(use, total);
  }

  private capture(use: 'text' | 'bytes', total: Budget): Capture {
    const { name } = this;
    const { limit } = this.settings;
    const own = keptAtMost(this.settings, name, use);
    const exceeded = (which: 'own' | 'total'): void => {
      this.complete = false;
      const [stream, bytes] = which === 'own' ? ([name, own] as const) : (['total', limit?.total ?? own] as const);
      // Truncation is for limits that the caller set; what no result can hold is always an error.
      if (limit?.onExceed !== 'truncate' || (which === 'own' && limit[name] === undefined)) {
        this.events.end({ kind: 'limit', stream, limit: bytes });
      }
    };
    return new Capture(own, total, exceeded, (memory) => this.handle?.expectOutput?.(memory));
  }

  /** Whether the end of the run waits for this stream. It does not wait for one of which only the tail is kept. */
  get awaited(): boolean {
    return !this.ended && this.use !== 'tail';
  }

  /** What was kept. */
  bytes(): Buffer | undefined {
    return this.kept?.bytes();
  }

  /** Reads the stream of a program that has started. */
  attach(handle: ChildHandle): void {
    if (this.use === 'none') return;
    this.handle = handle;
    const { kept, name } = this;
    if (kept !== undefined && handle.capture !== undefined) {
      this.source = handle.capture(
        name,
        (chunk) => {
          kept.take(chunk, true);
        },
        (error) => {
          this.over(error === undefined, error);
        },
      );
      return;
    }
    const stream = handle[name];
    this.source = stream;
    if (stream === undefined) {
      this.ended = true;
    } else if (this.use === 'pipe') {
      // The caller reads it. An error that the caller does not listen to must not end the process.
      stream.on('error', () => undefined);
    } else {
      this.watch(stream);
      if (kept !== undefined) {
        stream.on('data', (chunk: Uint8Array | string) => {
          kept.take(chunkBytes(chunk, stream));
        });
      }
    }
  }

  /** The run is not over before this stream is read to its end, or given up. */
  watch(stream: Readable): void {
    this.watched = true;
    this.ended = stream.readableEnded || stream.destroyed;
    stream.once('end', () => {
      this.over(true);
    });
    stream.on('error', (error: unknown) => {
      this.over(false, error);
    });
    stream.once('close', () => {
      this.over(false);
    });
  }

  /** Whether this is a pipe that the caller may read without `lines()`. */
  get isCallers(): boolean {
    return this.use === 'pipe' && !this.watched;
  }

  /** If the caller reads the stream itself, makes the run wait until that reader is at the end. Its errors are the caller's. */
  awaitReader(): void {
    const stream = this.handle?.[this.name];
    if (!this.isCallers || stream === undefined || stream.readableEnded || stream.destroyed || !isRead(stream)) return;
    this.ended = false;
    const over = (): void => {
      this.over(true);
    };
    stream.once('end', over).once('close', over);
    this.before = this.rest;
  }

  /** Whether the next bytes may be the program's own, which were in the pipe when this was first asked after the exit. */
  get mayBeItsOwn(): boolean {
    const stream = this.handle?.[this.name];
    if (stream === undefined) return false;
    const read = bytesRead(stream);
    this.ownUntil ??= read + mostInPipe;
    return read - stream.readableLength < this.ownUntil;
  }

  /** How far the caller's reader is, while the end, or data that may be the program's, waits for it; `''`: nothing waits. */
  get rest(): string {
    const stream = this.handle?.[this.name];
    if (stream === undefined || !this.isCallers || this.ended) return '';
    return isAtEnd(stream) || (stream.readableLength > 0 && this.mayBeItsOwn) ? progressOf(stream) : '';
  }

  /** Whether {@link rest} has changed since the last look. */
  readerWentOn(): boolean {
    const stream = this.handle?.[this.name];
    const { before } = this;
    this.before = this.rest;
    // The buffer has room, so the pipe was empty after the exit: data that arrives later is from another process.
    if (stream !== undefined && this.isCallers && stream.readableLength < stream.readableHighWaterMark) {
      this.ownUntil = Math.min(this.ownUntil ?? Infinity, bytesRead(stream));
    }
    return this.before !== before;
  }

  /** The caller reads the stream by lines: keep the end of what it reads, for the message of an error. */
  keepTail(): (chunk: Uint8Array) => void {
    const tail = (this.kept = new Tail(tailSize));
    return (chunk) => {
      tail.take(chunk);
    };
  }

  private over(complete: boolean, error?: unknown): void {
    if (this.ended) return;
    this.ended = true;
    if (!complete && this.use !== 'tail') {
      this.complete = false;
      if (error !== undefined) this.events.end({ kind: 'io', stream: this.name, error });
    }
    this.events.ended();
  }

  /**
   * The program was ended, and the caller may still read what it wrote. A descendant that escaped may hold the pipe: so the
   * stream is closed when nothing arrived and nothing was read for `delay`, or at once if the caller does not read.
   */
  leave(clock: Clock, delay: number): void {
    const stream = this.handle?.[this.name];
    if (stream === undefined || stream.closed || this.left) return;
    if (!isRead(stream)) {
      stream.destroy();
      return;
    }
    this.left = true;
    let cancel: (() => void) | undefined;
    const wait = (): void => {
      const before = progressOf(stream);
      // As for the drain of a run: what a reader does is real code.
      cancel = (stream.readableLength > 0 || isAtEnd(stream) ? realTime : clock).after(delay, () => {
        if (progressOf(stream) === before) stream.destroy();
        else wait();
      });
    };
    wait();
    stream.once('close', () => cancel?.());
  }

  destroy(): void {
    this.source?.destroy();
    // A capture does not report that it was destroyed.
    this.over(false);
  }
}

const isRead = (stream: Readable): boolean => stream.listenerCount('data') + stream.listenerCount('readable') > 0;

/** The end has arrived; the reader may not have got to it yet. */
const isAtEnd = (stream: Readable & { readonly _readableState?: { readonly ended: boolean } }): boolean =>
  stream._readableState?.ended === true;

/** Bytes that arrived so far; 0 if the stream does not say. */
const bytesRead = (stream: Readable): number => (Reflect.get(stream, 'bytesRead') as number | undefined) ?? 0;

/** Changes whenever bytes arrived or were read. */
const progressOf = (stream: Readable): string => `${stream.readableLength} ${bytesRead(stream)}`;
