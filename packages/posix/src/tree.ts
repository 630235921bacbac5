/** Signals to a program and to everything that came from it, such that no stranger is ever hit. */
import { Descendants, type Reach } from '@vircommand/core/backend';
import type { Libc } from './libc';
import type { StartedProcess } from './spawn';

const SIGKILL = 9;

/** The processes of one program. */
export class ProcessTree {
  private readonly descendants: Descendants;
  private readonly pid: number;
  private readonly leadsGroup: boolean;
  /** Members of the program's group have the signal from there. */
  private groupHasIt = false;

  constructor(
    private readonly libc: Libc,
    { pid, leadsGroup, parentEnds }: StartedProcess,
  ) {
    this.pid = pid;
    this.leadsGroup = leadsGroup;
    const { stdin, stdout, stderr } = parentEnds;
    this.descendants = new Descendants(pid, {
      ownGroup: leadsGroup,
      ownPipes: [stdin, stdout, stderr].flatMap((fd, number) => (fd === undefined ? [] : [number])),
      send: (member, signal) => {
        if (this.groupHasIt && libc.getpgid(member) === pid) return;
        if (libc.kill(member, signal) < 0) throw new Error('gone, or not ours to signal');
      },
    });
  }

  /** `pinned`: the program is not reaped, so that its number and that of its group are still its own. */
  signal(signal: number, pinned: boolean): { readonly sent: boolean; readonly reached: Reach } {
    const { libc, descendants, leadsGroup } = this;
    // Before the signal: those whose parent is gone are not found any more.
    descendants.find(pinned);
    let sent = pinned && libc.kill(leadsGroup ? -this.pid : this.pid, signal) === 0;
    this.groupHasIt = sent && leadsGroup && signal !== SIGKILL;
    if (descendants.signal(signal)) sent = true;
    this.groupHasIt = false;
    // What was forked meanwhile has to go too.
    if (signal === SIGKILL) descendants.kill(pinned, signal);
    return { sent, reached: descendants.visible ? 'tree' : leadsGroup ? 'group' : 'process' };
  }

  /** Whether somebody whom a signal was sent to is still alive, the program itself left out. */
  get alive(): boolean {
    return this.descendants.alive;
  }
}
