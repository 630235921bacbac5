/**
 * Lines (or other records) of a stream, with backpressure: a reader that stops reading stops the program, not the
 * machine's memory.
 */
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { chunkBytes } from './bytes';
import type { RunSettings } from './run-options';
import type { CommandIteration, CommandResult } from './types';

/** How much waits for the reader before the stream is paused: so many records, or so much text. */
const mostRecords = 1024;
const mostCharacters = 1 << 20;

/** What a run wants to know of a reader. */
export interface LineEvents {
  /** A record has more than `limit` bytes. Called once. */
  tooLong(limit: number): void;
  /** Bytes come to be read. */
  readonly passed?: ((chunk: Uint8Array) => void) | undefined;
  /** A reader that was {@link LineReader.blocked} goes on. */
  resumed(): void;
}

/** Cuts a stream into records; the end of the last one may be missing. */
export class LineReader {
  private readonly decoder: StringDecoder;
  private readonly encoding: BufferEncoding;
  private readonly separator: string;
  private readonly maxLength: number;
  private waiting: string[] = [];
  private at = 0;
  private partial = '';
  private partialBytes = 0;
  /** Characters that came since the reader had read all. */
  private held = 0;
  private over = false;
  /** The last record had no end. */
  private unfinished = false;
  private wake: (() => void) | undefined;
  private paused = false;

  constructor(
    private readonly stream: Readable,
    settings: Pick<RunSettings, 'encoding' | 'maxLength'>,
    private readonly events: LineEvents,
    separator = '\n',
  ) {
    this.encoding = settings.encoding === 'buffer' ? 'utf8' : settings.encoding;
    this.decoder = new StringDecoder(this.encoding);
    this.separator = separator;
    this.maxLength = settings.maxLength;
    stream.on('data', this.take);
    // If the caller has paused the stream, for instance after it read a header, the listener alone does not make it flow again.
    stream.resume();
    stream.once('end', this.finish);
    stream.once('close', this.finish);
    stream.on('error', this.finish);
    // A stream that is over already emits no more events.
    if (stream.readableEnded || stream.destroyed) this.finish();
  }

  /** The reader has enough for now: the program waits for it. */
  get blocked(): boolean {
    return this.paused;
  }

  /** No more will come. */
  get done(): boolean {
    return this.over;
  }

  private readonly take = (chunk: Uint8Array | string): void => {
    if (this.over) return;
    const bytes = chunkBytes(chunk, this.stream);
    this.events.passed?.(bytes);
    const text = this.decoder.write(bytes);
    // Only what came is searched, and the long beginning of a record is not copied before its end is there.
    const records = text.split(this.separator);
    const tooLong = this.firstTooLong(records, bytes);
    records[0] = this.partial + (records[0] ?? '');
    this.partial = records.pop() ?? '';
    // The reader gets all records before the long one, in this chunk or an earlier one.
    if (tooLong !== undefined) records.length = tooLong;
    if (records.length > 0) this.add(records, text.length);
    if (tooLong === undefined) return;
    this.over = true;
    this.partial = '';
    this.events.tooLong(this.maxLength);
    this.wakeUp();
  };

  private add(records: string[], length: number): void {
    if (this.at >= this.waiting.length) [this.waiting, this.at] = [records, 0];
    else for (const record of records) this.waiting.push(record);
    this.held += length;
    if (this.waiting.length - this.at >= mostRecords || this.held >= mostCharacters) {
      this.paused = true;
      this.stream.pause();
    }
    this.wakeUp();
  }

  /** The first record that is too long, in bytes; counts those of the one that has begun. */
  private firstTooLong(pieces: readonly string[], bytes: Buffer): number | undefined {
    const last = pieces.length - 1;
    const lengthOf =
      this.encoding === 'utf16le' ? (index: number) => 2 * (pieces[index] ?? '').length : this.written(bytes, last);
    for (const [index, piece] of pieces.entries()) {
      const begun = index === 0 ? this.partialBytes : 0;
      // Three bytes are the most that a UTF-16 unit can be; the exact count is for those near the limit.
      const near = begun + 3 * piece.length > this.maxLength;
      if (!near && index < last) continue;
      const length = begun + lengthOf(index);
      // It may be part of the line's end.
      const end = this.isReturn(piece === '' && index === 0 ? this.partial : piece) ? 1 : 0;
      if (length - end > this.maxLength) return index;
      if (index === last) this.partialBytes = length;
    }
    return undefined;
  }

  /**
   * How long the pieces of a chunk are as the program wrote them: of what is malformed, the text does not tell. To be asked for
   * in their order, since each is looked for behind the one before.
   */
  private written(bytes: Buffer, last: number): (index: number) => number {
    const { separator } = this;
    let [at, begin] = [0, 0];
    return (index) => {
      if (index === last) return bytes.length - (bytes.lastIndexOf(separator) + 1);
      for (; at < index; at++) begin = bytes.indexOf(separator, begin) + 1;
      return bytes.indexOf(separator, begin) - begin;
    };
  }

  /** No more will come: what is there is the last record. */
  readonly finish = (): void => {
    if (this.over) return;
    this.over = true;
    this.partial += this.decoder.end();
    if (this.partialBytes > this.maxLength) this.events.tooLong(this.maxLength);
    // While it is paused, the rest of the last record is in the pipe.
    else if (this.partial !== '' && !this.paused) {
      this.waiting.push(this.partial);
      this.unfinished = true;
    }
    this.partial = '';
    this.stream.off('data', this.take);
    this.wakeUp();
  };

  /** Nobody reads any more: what still comes flows away, so that a full pipe does not hold up the end. */
  discard(): void {
    this.over = true;
    this.paused = false;
    [this.waiting, this.at, this.partial] = [[], 0, ''];
    this.stream.off('data', this.take);
    this.stream.resume();
    this.wakeUp();
  }

  private wakeUp(): void {
    const { wake } = this;
    this.wake = undefined;
    wake?.();
  }

  /** The next record if it is there; `undefined`: wait for {@link more}. */
  shift(): string | undefined {
    if (this.at >= this.waiting.length) return undefined;
    const record = this.waiting[this.at++];
    if (this.at >= this.waiting.length) {
      this.held = 0;
      if (this.paused) {
        this.paused = false;
        this.stream.resume();
        this.events.resumed();
      }
    }
    const ended = !this.unfinished || this.at < this.waiting.length;
    return ended && this.isReturn(record) ? record.slice(0, -1) : record;
  }

  /** A carriage return before the newline belongs to the line's end, as in Go's Scanner and Python's text mode. */
  private isReturn(record: string | undefined): record is string {
    return this.separator === '\n' && record?.endsWith('\r') === true;
  }

  /** Resolves when there may be a record; `false`: none will come. */
  async more(): Promise<boolean> {
    if (this.at >= this.waiting.length && !this.over) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    return this.at < this.waiting.length;
  }
}

/** What an iteration over a command's records needs. */
export interface LineSource {
  readonly reader: LineReader;
  /**
   * Resolves when the program ended well, rejects as `run()` would. With `left` it always rejects: how the program ended by
   * itself is then in the `result` of a CommandAbortedError.
   */
  done(left?: boolean): Promise<CommandResult>;
  /** Ends the program; never rejects. */
  abort(): Promise<void>;
}

/** The iteration. The first `next()` opens it; leaving the loop aborts the program; if the program fails, it rejects after the last record. */
export class LineIterator implements CommandIteration<string> {
  private settle!: { readonly resolve: (result: CommandResult) => void; readonly reject: (error: unknown) => void };
  /** Settles when the loop is over, not when the program is: the caller may still leave the loop before the last record. */
  readonly result = new Promise<CommandResult>((resolve, reject) => (this.settle = { resolve, reject }));
  private source: LineSource | undefined;
  private opening: Promise<LineSource> | undefined;
  private finished = false;
  private end: CommandResult | undefined;
  /** Calls of `next()` that wait are answered in their order. */
  private last: Promise<unknown> = Promise.resolve();
  private pending = 0;
  /** The loop was left, while a `next()` may still wait. */
  private left = false;
  private leaving: Promise<void> | undefined;

  /** `open` is called with `true` if the loop was left before the first `next()`: then it must not start anything, and rejects. */
  constructor(private readonly open: (left: boolean) => Promise<LineSource>) {
    // The loop itself reports the error.
    this.result.catch(() => undefined);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<string, CommandResult | undefined>> {
    if (this.pending === 0 && !this.finished) {
      const record = this.source?.reader.shift();
      if (record !== undefined) return Promise.resolve({ value: record, done: false });
    }
    this.pending++;
    const answer = this.last.then(() => this.slowNext());
    this.last = answer.then(
      () => this.pending--,
      () => this.pending--,
    );
    return answer;
  }

  private async slowNext(): Promise<IteratorResult<string, CommandResult | undefined>> {
    if (this.finished) return { value: this.end, done: true };
    try {
      this.source ??= await (this.opening = this.open(false));
      const { reader } = this.source;
      for (;;) {
        const record = reader.shift();
        if (record !== undefined) return { value: record, done: false };
        if (!(await reader.more())) break;
      }
      if (!this.left) this.settle.resolve((this.end = await this.source.done()));
    } catch (error) {
      this.finished = true;
      this.settle.reject(error);
      throw error;
    }
    this.finished = true;
    return { value: this.end, done: true };
  }

  async return(): Promise<IteratorResult<string, undefined>> {
    if (!this.finished) {
      this.finished = this.left = true;
      this.leaving = this.leave();
    }
    await this.leaving;
    return { value: undefined, done: true };
  }

  private async leave(): Promise<void> {
    try {
      const source = this.source ?? (await (this.opening ?? this.open(true)));
      source.reader.discard();
      await source.abort();
      // Not waited for: a daemon may be sent something for long.
      source.done(true).catch(this.settle.reject);
    } catch (error) {
      this.settle.reject(error);
    }
  }

  async throw(error?: unknown): Promise<IteratorResult<string, undefined>> {
    await this.return();
    throw error;
  }
}
