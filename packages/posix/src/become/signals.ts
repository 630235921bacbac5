/**
 * What exec keeps of this process's signals: those that are ignored, as Node ignores SIGPIPE, and the mask. By raw system
 * calls, since libc hides two signals of its own, which a process may have inherited as ignored.
 */
import type { Libc } from '../libc';
import { LINUX } from '../linux';
import { SIGUSR1 } from '../signal-numbers';

const SIG_IGN = BigInt(LINUX.SIG_IGN);
const last = 64;
/** The kernel's `struct sigaction`: the handler comes first; zeros are the default, with no flags. */
const actionSize = 32;
const maskSize = 8;

export class OwnSignals {
  private readonly before = new Map<number, Buffer>();
  private readonly mask = Buffer.alloc(maskSize);
  private masked = false;

  constructor(private readonly libc: Libc) {}

  /** As the launcher does it: with the user, others get the right to send the signal that opens Node's inspector. */
  closeInspector(): void {
    const ignored = Buffer.alloc(actionSize);
    ignored.writeBigUInt64LE(SIG_IGN);
    this.before.set(SIGUSR1, this.action(SIGUSR1, ignored));
  }

  /** Every disposition at its default when the program begins, and no signal blocked. */
  reset(): void {
    for (let signal = 1; signal <= last; signal++) {
      const now = this.action(signal, undefined);
      if (now.readBigUInt64LE() !== SIG_IGN) continue;
      if (!this.before.has(signal)) this.before.set(signal, now);
      this.action(signal, Buffer.alloc(actionSize));
    }
    this.setMask(Buffer.alloc(maskSize), this.mask);
    this.masked = true;
  }

  /** As it was. */
  restore(): void {
    if (this.masked) this.setMask(this.mask, undefined);
    for (const [signal, action] of this.before) this.action(signal, action);
  }

  /** Sets a disposition, if one is given; what it was. */
  private action(signal: number, action: Buffer | undefined): Buffer {
    const { libc } = this;
    const { driver } = libc;
    const before = Buffer.alloc(actionSize);
    const address = action === undefined ? 0 : driver.address(action);
    libc.syscall(LINUX.SYS_rt_sigaction, signal, address, driver.address(before), maskSize, 0);
    return before;
  }

  private setMask(mask: Buffer, before: Buffer | undefined): void {
    const { libc } = this;
    const { driver } = libc;
    const address = before === undefined ? 0 : driver.address(before);
    libc.syscall(LINUX.SYS_rt_sigprocmask, LINUX.SIG_SETMASK, driver.address(mask), address, maskSize, 0);
  }
}
