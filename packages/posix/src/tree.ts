/** Signals to a program and to everything that came from it, such that no stranger is ever hit. */
import { Descendants, type Reach } from '@vircommand/core/backend';
import type { Libc } from './libc';
import type { StartedProcess } from './spawn';

/** The processes of one program. */
export class ProcessTree {
  private readonly descendants: Descendants;
  private readonly pid: number;

  constructor(
    private readonly libc: Libc,
    { pid, leadsGroup, parentEnds }: StartedProcess,
  ) {
    this.pid = pid;
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
    const { libc, descendants, pid } = this;
    const sent = descendants.deliver(
      signal,
      pinned,
      (number, target) => libc.kill(target === 'group' ? -pid : pid, number) === 0,
    );
    return { sent, reached: descendants.reached };
  }

  /** Whether somebody whom a signal was sent to is still alive, the program itself left out. */
  get alive(): boolean {
    // When this is asked for the first time the program has just exited, and is not reaped.
    return this.descendants.stillAlive(true);
  }
}
