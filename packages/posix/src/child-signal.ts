/**
 * While SIGCHLD is ignored, the kernel throws away how programs end. Nothing in Node ignores it, but native code in this
 * process can. So it is looked at before each start, 1 µs, and put right, as libuv does before its own.
 */
import type { Libc } from './libc';
import { LINUX } from './linux';
import { listenAnew } from './reap';
import { SIGCHLD } from './signal-numbers';
import { SIGACTION, SIZE } from './struct';

const { SIG_DFL, SIG_IGN, SA_NOCLDWAIT } = LINUX;

export class ChildSignal {
  private readonly action = Buffer.alloc(SIZE.sigaction);
  private readonly words = new Int32Array(this.action.buffer, this.action.byteOffset, SIZE.sigaction / 4);

  constructor(private readonly libc: Libc) {}

  /** Before a start: from now on it is known how the program ends. */
  keepStatuses(): void {
    const { libc, action, words } = this;
    libc.sigaction(SIGCHLD, null, action);
    // The other half of the address, too: that of a function can end in anything.
    const ignored = words[0] === SIG_IGN && words[1] === 0;
    const flags = words[SIGACTION.flags / 4] ?? 0;
    if (!ignored && (flags & SA_NOCLDWAIT) === 0) return;
    if (ignored) words[0] = SIG_DFL;
    words[SIGACTION.flags / 4] = flags & ~SA_NOCLDWAIT;
    libc.sigaction(SIGCHLD, action, null);
    listenAnew(libc);
  }
}
