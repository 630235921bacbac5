/** A program that Node started, as core sees it. */
import type { ChildProcess } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import {
  Descendants,
  endWithParent,
  realTime,
  signalNumber,
  type ChildHandle,
  type ExitStatus,
  type LaunchPlan,
  type Reach,
  type SignalName,
} from '@vircommand/core/backend';
import { OwnNumber } from './own-number';
import { ownPipes } from './own-pipes';

/** What a signal got to. */
interface Sent {
  readonly sent: boolean;
  readonly reached: Reach;
}

/** A child process of Node behind the contract. */
export class NodeChild implements ChildHandle {
  readonly stdin: Writable | undefined;
  readonly stdout: Readable | undefined;
  readonly stderr: Readable | undefined;
  readonly exited: Promise<ExitStatus>;
  private settle!: (exitCode: number | null, signal: NodeJS.Signals | null) => void;
  private readonly number: OwnNumber;
  private readonly ownGroup: boolean;
  private readonly ownPipes: readonly string[];
  private descendants: Descendants | undefined;

  /** `merged`: where stdout and stderr come together, if they do. */
  constructor(
    private readonly child: ChildProcess,
    readonly pid: number,
    plan: LaunchPlan,
    merged: Readable | undefined,
  ) {
    this.number = new OwnNumber(pid);
    this.stdin = child.stdin ?? undefined;
    this.stdout = merged ?? child.stdout ?? undefined;
    this.stderr = child.stderr ?? undefined;
    // At the exit Node would discard output that has not been read yet, and cut stdin off from descendants that still read.
    Object.assign(child, { stdin: null, stdout: null, stderr: null, stdio: [] });
    this.ownGroup = plan.group === 'session';
    this.ownPipes = ownPipes(pid, plan);
    const kill = (): unknown => this.signal('SIGKILL', 'tree');
    const outlived = plan.killOnParentExit === false ? undefined : endWithParent(kill);
    this.exited = new Promise((resolve) => {
      this.settle = (exitCode, signal) => {
        outlived?.();
        const status = { exitCode: exitCode ?? undefined, signal: signal ?? undefined };
        resolve({ ...status, coreDumped: undefined, usage: undefined });
      };
    });
    child.once('exit', this.settle);
    // A signal that may not be sent is an event too, of which signal() has told already.
    child.on('error', () => undefined);
  }

  /** Whether the program is not reaped, so that its pid, and its group's number, are still its own. */
  private get pinned(): boolean {
    if (this.reaped) return false;
    if (this.number.held) return true;
    this.lose();
    return false;
  }

  /** As far as Node says: it reaps on this thread, and tells of all those in one turn. */
  private get reaped(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Other code reaped it, unless Node still reports the exit in this turn: how it ended is not known. */
  private lose(): void {
    realTime.nextTurn(() => {
      if (this.reaped) return;
      // Node would wait for it for ever.
      this.child.unref();
      this.settle(null, null);
    });
  }

  signal(name: SignalName, target: 'process' | 'tree'): Sent {
    const number = signalNumber(name);
    if (number === undefined) return { sent: false, reached: 'process' };
    if (target === 'process') return { sent: this.send(number, 'process'), reached: 'process' };
    if (process.platform === 'linux') return this.signalTree(number);
    const reached = this.ownGroup ? 'group' : 'process';
    return { sent: this.send(number, reached), reached };
  }

  private signalTree(number: number): Sent {
    const alive = this.pinned;
    if (!alive && this.descendants === undefined) return { sent: false, reached: 'process' };
    const tree = (this.descendants ??= new Descendants(this.pid, {
      ownGroup: this.ownGroup,
      ownPipes: this.ownPipes,
    }));
    const sent = tree.deliver(number, alive, (signal, target) => this.send(signal, target));
    return { sent, reached: tree.reached };
  }

  private send(number: number, target: 'process' | 'group'): boolean {
    if (!this.pinned) return false;
    try {
      // By Windows' handle of the process and not by its number; elsewhere `kill()` refuses signals without a name.
      if (process.platform === 'win32') return this.child.kill(number);
      return process.kill(target === 'group' ? -this.pid : this.pid, number);
    } catch {
      return false; // Another user's by now, or a signal that Windows does not have.
    }
  }

  treeAlive(): boolean {
    return this.descendants?.stillAlive(this.pinned) === true;
  }

  dispose(): void {
    this.signal('SIGKILL', 'tree');
    this.stdin?.destroy();
    this.stdout?.destroy();
    this.stderr?.destroy();
  }
}
