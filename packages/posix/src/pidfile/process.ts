/** A process, held by a pidfd: another process that gets its pid later is not mistaken for it. */
import { errno, systemError } from '../errno';
import type { Libc } from '../libc';
import { LINUX } from '../linux';
import { openPidfd, waitForDeath } from '../pidfd';
import { closeBound } from '../thread-bound';

export class HeldProcess {
  private constructor(
    private readonly libc: Libc,
    readonly pid: number,
    private readonly pidfd: number,
  ) {}

  /** `undefined`: there is no such process. Throws ENOSYS before Linux 5.3, EMFILE without a free descriptor. */
  static open(libc: Libc, pid: number): HeldProcess | undefined {
    const pidfd = openPidfd(libc, pid);
    if (pidfd >= 0) return new HeldProcess(libc, pid, pidfd);
    // EINVAL, or since Linux 6.16 ENOENT: the number is that of a thread.
    if (pidfd === -errno.ESRCH || pidfd === -errno.EINVAL || pidfd === -errno.ENOENT) return undefined;
    throw systemError(-pidfd, 'pidfd_open', undefined, `for pid ${pid}; needs Linux 5.3 or later`);
  }

  /** A zombie is not, also if nobody reaps it. */
  isAlive(): boolean {
    return !waitForDeath(this.libc, this.pidfd, 0);
  }

  /** Whether the signal was sent; `false`: it is gone. */
  signal(signal: number): boolean {
    const result = this.libc.syscall(LINUX.SYS_pidfd_send_signal, this.pidfd, signal, 0, 0, 0);
    if (result >= 0) return true;
    if (result === -errno.ESRCH) return false;
    throw systemError(-result, 'pidfd_send_signal', undefined, `pid ${this.pid} may not be signalled by this user`);
  }

  close(): void {
    closeBound(this.libc, this.pidfd);
  }
}
