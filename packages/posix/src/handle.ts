/** A program that was started, as core holds it: its streams, its exit, and signals that never hit a stranger. */
import type { Readable, Writable } from 'node:stream';
import {
  endWithParent,
  signalNumber,
  type ChildHandle,
  type ExitStatus,
  type LaunchPlan,
  type Reach,
  type SignalName,
} from '@vircommand/core/backend';
import { Capture } from './capture';
import type { Launch } from './launcher/launch';
import type { Libc } from './libc';
import { useLargePages } from './memory';
import { watchExit, type Watch } from './reap';
import type { StartedProcess } from './spawn';
import { readableFrom, writableTo } from './streams';
import { closeBound } from './thread-bound';
import { ProcessTree } from './tree';

const SIGKILL = 9;
/** Only the kernel keeps a program alive after SIGKILL; nobody waits for it longer than this, in milliseconds. */
const longestDeath = 5000;

type Ended = ReturnType<ChildHandle['signal']>;

/** Those that somebody asked for. */
interface Streams {
  stdin: Writable | undefined;
  stdout: Readable | undefined;
  stderr: Readable | undefined;
}

class PosixChild implements ChildHandle {
  readonly pid: number;
  readonly exited: Promise<ExitStatus>;
  readonly handshake: ChildHandle['handshake'];
  private settle!: (status: ExitStatus | Promise<ExitStatus>) => void;
  private readonly watch: Watch;
  /** It is over before the process. */
  private readonly outlived: (() => void) | undefined;
  private madeTree: ProcessTree | undefined;
  /** A signal to the tree was sent: the numbers stay pinned until the tree is gone or killed. */
  private ending = false;
  private readonly fds: Record<'stdin' | 'stdout' | 'stderr', number | undefined>;
  private sendFds: readonly number[];
  private readonly streams: Streams = { stdin: undefined, stdout: undefined, stderr: undefined };
  private sendStreams: Writable[] | undefined;
  private readonly captures: Capture[] = [];

  constructor(
    private readonly libc: Libc,
    private readonly started: StartedProcess,
    endsWithParent: boolean,
    private readonly launch: Launch | undefined,
  ) {
    this.handshake = launch?.handshake;
    const { stdin, stdout, stderr, sendBuffers } = started.parentEnds;
    this.pid = started.pid;
    this.fds = { stdin, stdout, stderr };
    this.sendFds = sendBuffers;
    this.exited = new Promise((resolve) => {
      this.settle = resolve;
    });
    // It rejects if its launcher never became the program, which who started it is told anyway.
    if (launch !== undefined) this.exited.catch(() => undefined);
    if (endsWithParent) this.outlived = endWithParent(() => this.dispose());
    this.watch = watchExit(libc, started.pid, (status) => {
      this.notice(status);
    });
    // Noticed and reaped in one call, until somebody signals the tree.
    this.watch.keep = false;
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

  capture(
    stream: 'stdout' | 'stderr',
    onChunk: (chunk: Uint8Array) => void,
    onEnd: (error?: Error) => void,
  ): Pick<Capture, 'destroy'> {
    const fd = this.take(stream);
    if (fd === undefined) {
      process.nextTick(onEnd);
      return { destroy: () => undefined };
    }
    const capture = new Capture(this.libc, fd, onChunk, onEnd);
    this.captures.push(capture);
    return capture;
  }

  expectOutput(memory: Uint8Array): void {
    useLargePages(this.libc, memory);
  }

  signal(name: SignalName, target: 'process' | 'tree'): Ended {
    const number = signalNumber(name);
    if (number === undefined) return { sent: false, reached: 'process' };
    if (target === 'tree') return this.signalTree(number);
    // Never to a number that somebody else has by now.
    this.watch.check();
    const sent = this.watch.state === 'running' && this.libc.kill(this.pid, number) === 0;
    return { sent, reached: 'process' satisfies Reach };
  }

  private signalTree(number: number): Ended {
    this.ending = this.watch.keep = true;
    this.watch.check();
    const ended = this.tree.signal(number, this.watch.state !== 'reaped');
    if (number === SIGKILL) this.watch.reap();
    return ended;
  }

  /** Most programs end by themselves. */
  private get tree(): ProcessTree {
    return (this.madeTree ??= new ProcessTree(this.libc, this.started));
  }

  treeAlive(): boolean {
    const alive = this.ending && this.tree.alive;
    if (!alive) this.watch.reap();
    return alive;
  }

  dispose(): void {
    if (this.watch.state !== 'reaped') {
      // One that may not be signalled, as it changed its user, is not waited for.
      const { sent } = this.signalTree(SIGKILL);
      if (sent) this.watch.waitFor(longestDeath);
      this.watch.reap();
    }
    for (const capture of this.captures) capture.destroy();
    for (const name of ['stdin', 'stdout', 'stderr'] as const) {
      const fd = this.take(name);
      if (fd !== undefined) closeBound(this.libc, fd);
      this.streams[name]?.destroy();
    }
    for (const fd of this.sendFds) closeBound(this.libc, fd);
    this.sendFds = [];
    for (const stream of this.sendStreams ?? []) stream.destroy();
  }

  private notice(status: ExitStatus): void {
    this.outlived?.();
    // All that the program wrote is in the pipes.
    for (const capture of this.captures) capture.readNow();
    this.treeAlive();
    this.settle(this.launch === undefined ? status : this.launch.statusOf(status));
  }

  private output(name: 'stdout' | 'stderr'): Readable | undefined {
    const fd = this.fds[name];
    if (fd !== undefined) this.streams[name] = readableFrom(this.libc, fd);
    this.fds[name] = undefined;
    return this.streams[name];
  }

  /** A descriptor has one owner: this, until its stream has been made, or somebody takes it. */
  private take(name: 'stdin' | 'stdout' | 'stderr'): number | undefined {
    const fd = this.fds[name];
    this.fds[name] = undefined;
    return fd;
  }
}

/** Takes over a started program with its pipes; `launch`: it may still be its own launcher. */
export function makeHandle(plan: LaunchPlan, started: StartedProcess, libc: Libc, launch?: Launch): ChildHandle {
  // Also if the kernel does it: where a worker thread ends, nobody would reap the program.
  return new PosixChild(libc, started, plan.killOnParentExit !== false, launch);
}
