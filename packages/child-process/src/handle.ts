/** A program that Node started, as core sees it. */
import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import type { ChildHandle, ExitStatus, LaunchPlan, Reach, SignalName } from '@vircommand/core/backend';
import { Descendants, signalNumber } from '@vircommand/core/backend';
import { killWithParent } from './parent-exit';

/** A child process of Node behind the contract. */
export class NodeChild implements ChildHandle {
  readonly pid: number | undefined;
  readonly stdin: Writable | undefined;
  readonly stdout: Readable | undefined;
  readonly stderr: Readable | undefined;
  readonly exited: Promise<ExitStatus>;
  private readonly ownGroup: boolean;
  private readonly ownPipes: readonly number[];
  private descendants: Descendants | undefined;

  constructor(
    private readonly child: ChildProcess,
    plan: LaunchPlan,
    merged: Socket | undefined,
  ) {
    this.pid = child.pid;
    this.stdin = child.stdin ?? undefined;
    this.stdout = merged ?? child.stdout ?? undefined;
    this.stderr = child.stderr ?? undefined;
    // At the exit Node would throw away what nobody has read yet, and cut stdin off from descendants that still read.
    Object.assign(child, { stdin: null, stdout: null, stderr: null, stdio: [] });
    // A signal that may not be sent is an event too; signal() has told it already.
    child.on('error', () => undefined);
    this.ownGroup = plan.group === 'session';
    this.ownPipes = [plan.stdin, plan.stdout, plan.stderr].flatMap(({ type }, fd) => (type === 'pipe' ? [fd] : []));
    this.exited = new Promise((resolve) => {
      child.once('exit', (exitCode, signal) => {
        resolve({
          exitCode: exitCode ?? undefined,
          signal: signal ?? undefined,
          coreDumped: undefined,
          usage: undefined,
        });
      });
    });
    if (plan.killOnParentExit !== false) {
      const forget = killWithParent(() => this.dispose());
      child.once('exit', forget);
    }
  }

  /** Node reaps on this thread and says so in the same turn: until then the number is the program's. */
  private get reaped(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  signal(name: SignalName, target: 'process' | 'tree'): { sent: boolean; reached: Reach } {
    const number = signalNumber(name);
    if (number === undefined) return { sent: false, reached: 'process' };
    if (target === 'process') return { sent: this.send(number), reached: 'process' };
    const alive = !this.reaped;
    const tree = (this.descendants ??= new Descendants(this.pid ?? -1, {
      ownGroup: this.ownGroup,
      ownPipes: this.ownPipes,
    }));
    if (number === signalNumber('SIGKILL')) {
      const before = tree.alive;
      const sent = this.send(number);
      tree.kill(alive, number);
      return { sent: sent || before, reached: this.reach(tree) };
    }
    tree.find(alive);
    const sent = this.send(number);
    return { sent: tree.signal(number) || sent, reached: this.reach(tree) };
  }

  private reach(tree: Descendants): Reach {
    return tree.visible ? 'tree' : this.ownGroup ? 'group' : 'process';
  }

  /** To the program; where it leads a group and `/proc` shows no tree, to the group. */
  private send(number: number): boolean {
    if (this.reaped || this.pid === undefined) return false;
    if (this.ownGroup && process.platform !== 'linux') {
      try {
        return process.kill(-this.pid, number);
      } catch {
        return false;
      }
    }
    return this.child.kill(number);
  }

  treeAlive(): boolean {
    return this.descendants?.alive === true;
  }

  dispose(): void {
    if (!this.reaped) this.signal('SIGKILL', 'tree');
    this.stdin?.destroy();
    this.stdout?.destroy();
    this.stderr?.destroy();
  }
}
