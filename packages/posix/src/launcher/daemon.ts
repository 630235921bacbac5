/** A daemon as core holds it: ours as long as its launcher is not the program, nobody's afterwards. Its pipes stay ours. */
import { signalNumber, type ChildHandle, type ExitStatus, type SignalName } from '@vircommand/core/backend';
import type { ParentEnds } from '../descriptor-set';
import type { Libc } from '../libc';
import { ProgramPipes } from '../program-pipes';
import type { LauncherProcess } from './process';

type Ended = ReturnType<ChildHandle['signal']>;

export class Daemon extends ProgramPipes implements ChildHandle {
  readonly handshake: ChildHandle['handshake'];

  constructor(
    libc: Libc,
    pipes: ParentEnds,
    private readonly launcher: LauncherProcess,
    /** Resolves when it runs, which is all that is ever known. */
    readonly exited: Promise<ExitStatus>,
    /** Ends what is not the program yet; whether there was something that could be ended. */
    private readonly end: () => boolean,
  ) {
    super(libc, pipes);
    const { handshake } = launcher;
    if (handshake === undefined) return;
    const notify = async (): Promise<void> => {
      await handshake.notify();
      await exited;
    };
    this.handshake = { wait: () => handshake.wait(), notify };
  }

  get pid(): number | undefined {
    return this.launcher.pid;
  }

  signal(name: SignalName, target: 'process' | 'tree'): Ended {
    const number = signalNumber(name);
    // That is its end.
    if (name === 'SIGKILL' && target === 'tree') return { sent: this.end(), reached: 'process' };
    return { sent: number !== undefined && this.launcher.signal(number), reached: 'process' };
  }

  treeAlive(): boolean {
    return false;
  }

  dispose(): void {
    this.end();
    this.launcher.removed();
    this.closePipes();
  }
}
