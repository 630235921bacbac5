/** The launcher's descriptors: its own out of the way of the program's, and the program's to their places. */
import { readdirSync } from 'node:fs';
import { startError } from '@vircommand/core/backend';
import { arrange, type ActionSink, type Move } from '../descriptors';
import { errno, systemError } from '../errno';
import type { Libc } from '../libc';
import { LINUX } from '../struct';

const CLOSE_RANGE_CLOEXEC = 4;
/** A `long`: the upper half must be there. */
const largest = 0xffffffff;

export class LauncherDescriptors {
  /** The lowest number that {@link place} does not use, neither at the end nor on the way. */
  readonly lowest: number;

  constructor(
    private readonly libc: Libc,
    private readonly stdio: readonly [number, number, number],
    private readonly others: readonly Move[],
  ) {
    this.lowest = lowestAbove(stdio, others);
  }

  /**
   * A duplicate on a number that stays out of the way, closed on exec; the original is closed.
   *
   * @throws CommandStartError, stage `stdio`
   */
  keep(fd: number): number {
    const kept = this.libc.fcntl(fd, LINUX.F_DUPFD_CLOEXEC, this.lowest);
    if (kept < 0) throw startError('stdio', systemError(-kept, 'fcntl', undefined, 'no number is free'));
    this.libc.close(fd);
    return kept;
  }

  /** What a hook starts must not get what is the program's, or the pipe whose end has a meaning. */
  closeAllOnExec(): void {
    markFrom(this.libc, 3);
  }

  /**
   * The program's descriptors to their numbers; all others but one are closed on exec. From now on Node's event loop may
   * have lost its own.
   *
   * @throws CommandStartError, stage `stdio`
   */
  place(except: number | undefined): void {
    arrange(this.stdio, this.others, new Placing(this.libc));
    if (except !== undefined) this.libc.fcntl(except, LINUX.F_SETFD, 0);
  }
}

/** The lowest number that {@link arrange} does not use. */
export function lowestAbove(stdio: readonly [number, number, number], others: readonly Move[]): number {
  const used = [...stdio, ...others.flatMap(({ source, target }) => [source, target])];
  // As many more again, for what is moved out of another's way.
  return Math.max(...used) + 4 + others.length;
}

/** Performs the actions at once. */
export class Placing implements ActionSink {
  constructor(private readonly libc: Libc) {}

  dup2(source: number, target: number): void {
    const { libc } = this;
    const result = source === target ? libc.fcntl(target, LINUX.F_SETFD, 0) : libc.dup2(source, target);
    if (result < 0) throw startError('stdio', systemError(-result, 'dup2', undefined, `${source} to ${target}`));
  }

  close(fd: number): void {
    this.libc.close(fd);
  }

  /** The launcher still needs its own, until exec. */
  closeFrom(lowest: number): void {
    markFrom(this.libc, lowest);
  }
}

function markFrom(libc: Libc, lowest: number): void {
  if (libc.syscall(LINUX.SYS_close_range, lowest, largest, CLOSE_RANGE_CLOEXEC, 0, 0) >= 0) return;
  // Before Linux 5.11.
  for (const name of readdirSync('/proc/self/fd')) {
    const fd = Number(name);
    if (fd < lowest) continue;
    const result = libc.fcntl(fd, LINUX.F_SETFD, LINUX.FD_CLOEXEC);
    // The one that listed the directory is gone.
    if (result < 0 && result !== -errno.EBADF) throw startError('stdio', systemError(-result, 'fcntl'));
  }
}
