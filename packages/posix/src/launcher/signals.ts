/** Dispositions of signals, as the program is to find them. */
import type { Libc } from '../libc';
import { LINUX } from '../linux';
import { SIGUSR1 } from '../signal-numbers';
import { SIZE } from '../struct';

const last = 64;

/** `SIG_DFL`, no flags and an empty mask: all zero. The handler comes first in both libcs. */
function action(handler: number): Buffer {
  const action = Buffer.alloc(SIZE.sigaction);
  action.writeInt32LE(handler);
  return action;
}

/**
 * Node opens its inspector for whoever may send SIGUSR1, which the user that the program will run as may before the
 * privileges are gone.
 */
export function closeInspector(libc: Libc): void {
  libc.sigaction(SIGUSR1, action(LINUX.SIG_IGN), null);
}

/** Node ignores SIGPIPE and SIGXFSZ, a hook may ignore others, and exec keeps that. libc refuses what is its own. */
export class DefaultSignals {
  private readonly none = action(LINUX.SIG_DFL);

  constructor(private readonly libc: Libc) {}

  set(): void {
    for (let signal = 1; signal <= last; signal++) this.libc.sigaction(signal, this.none, null);
  }
}
