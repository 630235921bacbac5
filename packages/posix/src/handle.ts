/** A program that was started, as core holds it: its streams, its exit, and signals that never hit a stranger. */
import {
  endWithParent,
  signalNumber,
  type ChildHandle,
  type ExitStatus,
  type LaunchPlan,
  type Reach,
  type SignalName,
} from '@vircommand/core/backend';
import { PipeReader } from './pipe-reader';
import type { LauncherProcess } from './launcher/process';
import type { Libc } from './libc';
import { useLargePages } from './memory';
import { mayNotSignal } from './pidfd';
import { watchExit, type Watch } from './reap';
import { ProgramPipes } from './program-pipes';
import { SIGKILL } from './signal-numbers';
import type { StartedProcess } from './spawn';
import { ProcessTree } from './tree';

/** Only the kernel keeps a program alive after SIGKILL; we wait for it no longer than this, in milliseconds. */
const longestDeath = 5000;

type Ended = ReturnType<ChildHandle['signal']>;

class PosixChild extends ProgramPipes implements ChildHandle {
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
  private readonly readers: PipeReader[] = [];

  constructor(
    libc: Libc,
    private readonly started: StartedProcess,
    endsWithParent: boolean,
    private readonly launcher: LauncherProcess | undefined,
  ) {
    super(libc, started.parentEnds);
    this.handshake = launcher?.handshake;
    this.pid = started.pid;
    this.exited = new Promise((resolve) => {
      this.settle = resolve;
    });
    // It rejects if its launcher never became the program; the start reports that anyway.
    if (launcher !== undefined) this.exited.catch(() => undefined);
    if (endsWithParent) this.outlived = endWithParent(() => this.dispose());
    this.watch = watchExit(libc, started.pid, (status) => {
      this.notice(status);
    });
    // Notice and reap in one call, unless the tree was signalled.
    this.watch.keep = false;
  }

  capture(
    stream: 'stdout' | 'stderr',
    onChunk: (chunk: Uint8Array) => void,
    onEnd: (error?: Error) => void,
  ): Pick<PipeReader, 'destroy'> {
    const fd = this.take(stream);
    if (fd === undefined) {
      process.nextTick(onEnd);
      return { destroy: () => undefined };
    }
    const reader = new PipeReader(this.libc, fd, onChunk, onEnd);
    this.readers.push(reader);
    return reader;
  }

  expectOutput(memory: Uint8Array): void {
    useLargePages(this.libc, memory);
  }

  signal(name: SignalName, target: 'process' | 'tree'): Ended {
    const number = signalNumber(name);
    if (number === undefined) return { sent: false, reached: 'process' };
    if (target === 'tree') return this.signalTree(number);
    // Never send to a pid that another process may have by now.
    this.watch.check();
    const sent = this.watch.state === 'running' && this.libc.kill(this.pid, number) === 0;
    return { sent, reached: 'process' satisfies Reach };
  }

  private signalTree(number: number): Ended {
    this.ending = this.watch.keep = true;
    this.watch.check();
    const ended = this.tree.signal(number, this.watch.state !== 'reaped');
    // After the signal, by which it ends where that is allowed.
    this.launcher?.abandon();
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
      this.signalTree(SIGKILL);
      // One that may not be signalled, as it changed its user, is not waited for, unless it is still held and ends by itself.
      if (!mayNotSignal(this.libc, this.pid) || this.launcher?.isLauncher() === true) this.watch.waitFor(longestDeath);
      this.watch.reap();
    }
    for (const reader of this.readers) reader.destroy();
    this.closePipes();
  }

  private notice(status: ExitStatus): void {
    this.outlived?.();
    // All that the program wrote is in the pipes.
    for (const reader of this.readers) reader.readNow();
    this.treeAlive();
    this.settle(this.launcher === undefined ? status : this.launcher.statusOf(status));
  }
}

/** Takes over a started program with its pipes; `launcher`: it may still be its own launcher. */
export function makeHandle(
  plan: LaunchPlan,
  started: StartedProcess,
  libc: Libc,
  launcher?: LauncherProcess,
): ChildHandle {
  // Even if the kernel kills it: when a worker thread ends, nothing else would reap the program.
  return new PosixChild(libc, started, plan.killOnParentExit !== false, launcher);
}
