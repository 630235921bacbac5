/** Signals to a program and to everything that came from it, such that no stranger is ever hit. */
import { Descendants, type Reach } from '@vircommand/core/backend';
import type { Libc } from './libc';
import { SIGKILL, SIGSTOP } from './signal-numbers';
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
    const sent = descendants.deliver(signal, pinned, (number, target) => {
      const toGroup = target === 'group' && libc.kill(-pid, number) === 0;
      // It may have left its group, also for that of this process, which must never get a signal. Its own number is pinned,
      // and a second SIGSTOP or SIGKILL does nothing: for those nothing depends on where it is at the moment of a look.
      const once = number === SIGSTOP || number === SIGKILL;
      if (target === 'group' && !once && libc.getpgid(pid) === pid) return toGroup;
      return libc.kill(pid, number) === 0 || toGroup;
    });
    return { sent, reached: descendants.reached };
  }

  /** Whether a descendant that got a signal is still alive; the program itself does not count. */
  get alive(): boolean {
    // When this is asked for the first time the program has just exited, and is not reaped.
    return this.descendants.stillAlive(true);
  }
}
