/**
 * The launcher's descriptors. Those of the program have their numbers before Node begins, which then takes others for itself.
 * None of its own may be replaced while it runs: its threads wait on them by their numbers, and would read what is the program's.
 */
import { readdirSync } from 'node:fs';
import { startError } from '@vircommand/core/backend';
import { errno, systemError } from '../errno';
import type { Libc } from '../libc';
import { LINUX } from '../linux';
import type { Order } from './protocol';

/** A `long`: the upper half must be there. */
const largest = 0xffffffff;

export class LauncherDescriptors {
  constructor(
    private readonly libc: Libc,
    private readonly order: Pick<Order, 'stdio' | 'others'>,
  ) {}

  /** What a hook starts must not get what is the program's, or the pipe whose end has a meaning. */
  closeAllOnExec(): void {
    closeOnExecFrom(this.libc, 3);
  }

  /**
   * The program's streams to 0, 1 and 2; all others but what is the program's are closed on exec.
   *
   * @throws CommandStartError, stage `stdio`
   */
  place(pidFile: number | undefined): void {
    const { libc, order } = this;
    // Also what a hook has opened.
    closeOnExecFrom(libc, 3);
    for (const fd of order.others) giveAs(libc, fd, fd);
    if (pidFile !== undefined) giveAs(libc, pidFile, pidFile);
    // Last: an error that ends Node is not to be written to the program's.
    order.stdio.forEach((source, target) => {
      giveAs(libc, source, target);
    });
  }
}

/**
 * The program has the one as the other. Nothing is closed if they are the same.
 *
 * @throws CommandStartError, stage `stdio`
 */
export function giveAs(libc: Libc, source: number, target: number): void {
  const result = source === target ? libc.fcntl(target, LINUX.F_SETFD, 0) : libc.dup2(source, target);
  if (result < 0) throw startError('stdio', systemError(-result, 'dup2', undefined, `${source} to ${target}`));
}

/** @throws CommandStartError, stage `stdio` */
export function closeOnExecFrom(libc: Libc, lowest: number): void {
  if (libc.syscall(LINUX.SYS_close_range, lowest, largest, LINUX.CLOSE_RANGE_CLOEXEC, 0, 0) >= 0) return;
  // Before Linux 5.11.
  for (const name of readdirSync('/proc/self/fd')) {
    const fd = Number(name);
    if (fd < lowest) continue;
    const result = libc.fcntl(fd, LINUX.F_SETFD, LINUX.FD_CLOEXEC);
    // The one that listed the directory is gone.
    if (result < 0 && result !== -errno.EBADF) throw startError('stdio', systemError(-result, 'fcntl'));
  }
}
