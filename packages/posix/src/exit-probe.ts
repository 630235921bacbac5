/** Asks the kernel of one child: whether it has exited, how, and what it used. */
import { decodeWaitStatus, type ExitStatus } from '@vircommand/core/backend';
import { errno } from './errno';
import type { Libc } from './libc';
import { LINUX } from './linux';
import { Rusage } from './rusage';
import { SIGINFO, SIZE } from './struct';

/** Answers at once, and leaves the zombie, which pins the pid and the number of its process group. */
export const LOOK = LINUX.WEXITED | LINUX.WNOWAIT | LINUX.WNOHANG;
/** Answers at once, and reaps. */
export const REAP = LINUX.WEXITED | LINUX.WNOHANG;

export class ExitProbe {
  private readonly info = Buffer.alloc(SIZE.siginfo);
  private readonly infoInts = new Int32Array(this.info.buffer, this.info.byteOffset, 8);
  private readonly usage = new Rusage();
  private readonly infoAddress: number;
  private readonly usageAddress: number;

  constructor(private readonly libc: Libc) {
    this.infoAddress = libc.driver.address(this.info);
    this.usageAddress = libc.driver.address(this.usage.buffer);
  }

  /** Our own peak of memory until now, in KiB; Infinity if it is not known. */
  ownPeak(): number {
    const { libc, usage } = this;
    return libc.getrusage(LINUX.RUSAGE_SELF, usage.buffer) < 0 ? Infinity : usage.maxRssKiB;
  }

  /**
   * How a child ended; `undefined`: it runs, or the question was interrupted; `'lost'`: it is no child of ours any more.
   *
   * @param ownPeak our own peak of memory when it was started, in KiB
   */
  ask(pid: number, options: number, ownPeak: number): ExitStatus | 'lost' | undefined {
    const { libc, infoInts } = this;
    infoInts[SIGINFO.pid / 4] = 0;
    // libc's own waitid() has no place for the resource usage.
    const result = libc.syscall(LINUX.SYS_waitid, LINUX.P_PID, pid, this.infoAddress, options, this.usageAddress);
    if (result === -errno.EINTR) return undefined;
    if (result < 0) return 'lost';
    return infoInts[SIGINFO.pid / 4] === pid ? this.decode(ownPeak) : undefined;
  }

  /** Some child that has exited, whoever started it; 0: none; -1: nothing can be said. The zombie is left. */
  anyExited(): number {
    const { libc, info, infoInts } = this;
    for (;;) {
      infoInts[SIGINFO.pid / 4] = 0;
      const result = libc.waitid(LINUX.P_ALL, 0, info, LOOK);
      if (result >= 0) return infoInts[SIGINFO.pid / 4] ?? 0;
      if (result !== -errno.EINTR) return -1;
    }
  }

  private decode(ownPeak: number): ExitStatus {
    const { infoInts } = this;
    const code = infoInts[SIGINFO.code / 4] ?? 0;
    const status = infoInts[SIGINFO.status / 4] ?? 0;
    // As wait4 would have put it together.
    const raw = code === LINUX.CLD_EXITED ? (status & 0xff) << 8 : status | (code === LINUX.CLD_DUMPED ? 0x80 : 0);
    const { exitCode, signal, coreDumped } = decodeWaitStatus(raw);
    const used = this.usage.used();
    // Until exec the program had our memory, and the kernel counts that; only what is above is its own.
    const maxRssKiB = used.maxRssKiB > ownPeak ? used.maxRssKiB : undefined;
    return { exitCode, signal, coreDumped, usage: { ...used, maxRssKiB } };
  }
}
