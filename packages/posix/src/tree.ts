/** Signals to a program and to everything that came from it, such that no stranger is ever hit. */
import { Descendants, type Reach } from '@vircommand/core/backend';
import type { Libc } from './libc';
import type { StartedProcess } from './spawn';

const [SIGKILL, SIGSTOP] = [9, 19];

/** The processes of one program. */
export class ProcessTree {
  private readonly descendants: Descendants;
  private readonly pid: number;
  private readonly leadsGroup: boolean;

  constructor(
    private readonly libc: Libc,
    { pid, leadsGroup, parentEnds }: StartedProcess,
  ) {
    this.pid = pid;
    this.leadsGroup = leadsGroup;
    this.descendants = new Descendants(pid, {
      ownGroup: leadsGroup,
      ownPipes: parentEnds.programEnds,
      send: (member, signal) => {
        if (libc.kill(member, signal) < 0) throw new Error('gone, or not ours to signal');
      },
    });
  }

  /** `pinned`: the program is not reaped, so that its number and that of its group are still its own. */
  signal(signal: number, pinned: boolean): { readonly sent: boolean; readonly reached: Reach } {
    const { libc, descendants, leadsGroup, pid } = this;
    const sent = descendants.deliver(signal, pinned, (number) => {
      // Members must not get a signal twice, and are found one by one, unless there is no /proc.
      const group = leadsGroup && (number === SIGSTOP || number === SIGKILL || !descendants.visible);
      return libc.kill(group ? -pid : pid, number) === 0;
    });
    return { sent, reached: descendants.visible ? 'tree' : leadsGroup ? 'group' : 'process' };
  }

  /** Whether somebody whom a signal was sent to is still alive, the program itself left out. */
  get alive(): boolean {
    // When this is asked for the first time the program has just exited, and is not reaped.
    return this.descendants.stillAlive(true);
  }
}
