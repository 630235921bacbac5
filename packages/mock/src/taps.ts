/** Streams that pass everything on and tell a listener what passes. A tap that the caller does not use changes nothing. */
import { Readable, Writable } from 'node:stream';
import { realTime } from '@vircommand/core/backend';

// As large as a pipe's buffer, so that a program whose output nobody reads blocks about where it would without the tap.
const highWaterMark = 65536;
/** How long the end of a pipe may take to arrive after the program's end, in milliseconds. */
const endBound = 50;

/** What an {@link OutputTap} tells its recorder. */
export interface OutputListener {
  onData(chunk: Uint8Array): void;
  onEnd(): void;
  /**
   * The caller reads no more. Answers what is known of the end: `over`, the program still runs, so the recorded output ends
   * here; `held`, the run has waited for the end in vain; `near`, the program has exited, and the end may come soon.
   */
  onClosed(): 'over' | 'held' | 'near';
  /** The end of the stream did not come. */
  onHeld(): void;
}

/** Releases a pipe that its reader has closed. If the end may be near, waits for it for a short time first. */
export function releasePipe(
  ended: Promise<void>,
  listener: OutputListener,
  release: () => void,
  pending: Set<Promise<void>>,
): void {
  const state = listener.onClosed();
  if (state === 'held') listener.onHeld();
  if (state !== 'near') {
    release();
    return;
  }
  const waiting = new Promise<void>((resolve) => {
    let isOver = false;
    const over = (): void => {
      isOver = true;
      release();
      resolve();
    };
    const cancel = realTime.after(endBound, () => {
      realTime.afterTwoTurns(() => {
        if (isOver) return;
        listener.onHeld();
        over();
      });
    });
    void ended.then(() => {
      cancel();
      over();
    });
  });
  pending.add(waiting);
  void waiting.then(() => pending.delete(waiting));
}

/** From the program to the caller. */
export class OutputTap extends Readable {
  /** As sockets have it: a run tells from it how much of the output may still be the program's own. */
  bytesRead = 0;
  private attached = false;
  private over = false;
  private handsOn = true;
  private readonly ended: Promise<void>;
  private markEnded: () => void = () => undefined;

  constructor(
    private readonly source: Readable,
    private readonly listener: OutputListener,
    private readonly pending: Set<Promise<void>>,
  ) {
    super({ highWaterMark });
    this.ended = new Promise((resolve) => {
      this.markEnded = resolve;
    });
  }

  private attach(): void {
    if (this.attached) return;
    this.attached = true;
    const { source, listener } = this;
    source.on('data', (chunk: Uint8Array) => {
      listener.onData(Uint8Array.from(chunk));
      this.bytesRead += chunk.length;
      if (this.handsOn && !this.push(chunk)) source.pause();
    });
    source.once('end', () => {
      this.finish();
      listener.onEnd();
      if (this.handsOn) this.push(null);
    });
    source.on('error', (error) => {
      this.finish();
      if (this.handsOn) this.destroy(error);
    });
    source.once('close', () => {
      if (this.over) return;
      this.finish();
      if (this.handsOn) this.destroy();
    });
    // An empty pipe ends without a reader, and may have emitted its 'end' before we listened.
    if (source.readableEnded) {
      this.finish();
      listener.onEnd();
      if (this.handsOn) this.push(null);
    } else if (source.destroyed) {
      this.finish();
      if (this.handsOn) this.destroy();
    }
  }

  private finish(): void {
    this.over = true;
    this.markEnded();
  }

  override _read(): void {
    this.attach();
    this.source.resume();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.handsOn = false;
    const { source } = this;
    const release = (): void => {
      source.destroy();
    };
    if (this.over || source.destroyed) release();
    else {
      this.attach();
      source.resume();
      releasePipe(this.ended, this.listener, release, this.pending);
    }
    done(error);
  }
}

/** What an {@link InputTap} tells its recorder. */
export interface InputListener {
  onWrite(data: Uint8Array): void;
  onEnd(): void;
  /** The program does not read any more. */
  onBroken(): void;
}

const isEncoding = (value: unknown): value is BufferEncoding => typeof value === 'string';

/**
 * From the caller to the program. The listener is told of data when the caller writes it, not when the pipe takes it, since
 * the program may answer before that.
 */
export class InputTap extends Writable {
  private told = false;

  constructor(
    private readonly sink: Writable,
    private readonly listener: InputListener,
  ) {
    super();
    sink.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') listener.onBroken();
      this.destroy(error);
    });
    sink.once('close', () => {
      if (!this.writableFinished) this.destroy();
    });
  }

  private tell(chunk: unknown, encoding: unknown): void {
    if (this.writableEnded || this.destroyed) return;
    if (typeof chunk === 'string') this.listener.onWrite(Buffer.from(chunk, isEncoding(encoding) ? encoding : 'utf8'));
    else if (chunk instanceof Uint8Array) this.listener.onWrite(Uint8Array.from(chunk));
  }

  override write(chunk: unknown, ...rest: never[]): boolean {
    this.tell(chunk, rest[0]);
    return super.write(chunk, ...rest);
  }

  override end(...given: never[]): this {
    const [chunk, encoding] = given;
    if (!this.writableEnded && !this.destroyed) {
      this.tell(chunk, encoding);
      this.tellEnd();
    }
    return super.end(...given);
  }

  private tellEnd(): void {
    if (this.told) return;
    this.told = true;
    this.listener.onEnd();
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.sink.write(chunk, (error) => {
      // A failure is reported once, by the 'error' event of the stream.
      if (error === null || error === undefined) done();
    });
  }

  override _final(done: (error?: Error | null) => void): void {
    this.sink.end(() => {
      done();
    });
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.tellEnd();
    this.sink.destroy();
    done(error);
  }
}
