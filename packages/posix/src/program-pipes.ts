/** Our ends of the pipes to a program, as streams that are made when they are first asked for. */
import type { Readable, Writable } from 'node:stream';
import type { ParentEnds } from './descriptor-set';
import type { Libc } from './libc';
import { readableFrom, writableTo } from './streams';
import { closeBound } from './thread-bound';

/** The streams that were asked for. */
interface Streams {
  stdin: Writable | undefined;
  stdout: Readable | undefined;
  stderr: Readable | undefined;
}

export class ProgramPipes {
  private readonly fds: Record<'stdin' | 'stdout' | 'stderr', number | undefined>;
  private sendFds: readonly number[];
  private readonly streams: Streams = { stdin: undefined, stdout: undefined, stderr: undefined };
  private sendStreams: Writable[] | undefined;

  constructor(
    protected readonly libc: Libc,
    { stdin, stdout, stderr, sendBuffers }: ParentEnds,
  ) {
    this.fds = { stdin, stdout, stderr };
    this.sendFds = sendBuffers;
  }

  get stdin(): Writable | undefined {
    const fd = this.fds.stdin;
    if (fd !== undefined) this.streams.stdin = writableTo(this.libc, fd);
    this.fds.stdin = undefined;
    return this.streams.stdin;
  }

  get stdout(): Readable | undefined {
    return this.output('stdout');
  }

  get stderr(): Readable | undefined {
    return this.output('stderr');
  }

  get sendBuffers(): readonly Writable[] {
    const streams = (this.sendStreams ??= []);
    for (let fd; (fd = this.sendFds[0]) !== undefined; this.sendFds = this.sendFds.slice(1))
      streams.push(writableTo(this.libc, fd));
    return streams;
  }

  private output(name: 'stdout' | 'stderr'): Readable | undefined {
    const fd = this.fds[name];
    if (fd !== undefined) this.streams[name] = readableFrom(this.libc, fd);
    this.fds[name] = undefined;
    return this.streams[name];
  }

  /** A descriptor has one owner: this object, until its stream has been made or a caller takes it. */
  protected take(name: 'stdin' | 'stdout' | 'stderr'): number | undefined {
    const fd = this.fds[name];
    this.fds[name] = undefined;
    return fd;
  }

  protected closePipes(): void {
    for (const name of ['stdin', 'stdout', 'stderr'] as const) {
      const fd = this.take(name);
      if (fd !== undefined) closeBound(this.libc, fd);
      this.streams[name]?.destroy();
    }
    for (const fd of this.sendFds) closeBound(this.libc, fd);
    this.sendFds = [];
    for (const stream of this.sendStreams ?? []) stream.destroy();
  }
}
