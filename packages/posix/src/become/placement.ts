/**
 * The program's descriptors at their numbers in this process, in such a way that it can be undone if exec fails.
 *
 * Threads of Node wait on descriptors by their numbers. So nothing is moved that need not be, and of what is replaced a copy
 * stays open: the end of a pipe or of a set of epoll would wake the thread, which would then use what has its number now.
 */
import { constants } from 'node:fs';
import { startError } from '@vircommand/core/backend';
import type { Move } from '../descriptors';
import { systemError } from '../errno';
import { openDescriptors } from '../file-actions';
import { closeOnExecFrom, giveAs } from '../launcher/descriptors';
import type { Libc } from '../libc';
import { LINUX } from '../linux';

const { O_NONBLOCK } = constants;

export class Placement {
  private readonly moves: readonly Move[];
  private readonly targets: ReadonlySet<number>;
  /** FD_CLOEXEC by number, as it was. */
  private readonly flags = new Map<number, number>();
  /** Of what is replaced; -1: nothing had that number. */
  private readonly copies = new Map<number, number>();
  private nonBlocking: readonly number[] = [];

  constructor(
    private readonly libc: Libc,
    stdio: readonly [number, number, number],
    others: readonly Move[],
  ) {
    this.moves = [...stdio.map((source, target) => ({ source, target })), ...others];
    this.targets = new Set(this.moves.map(({ target }) => target));
  }

  /** @throws CommandStartError, stage `stdio`. Then {@link undo} is to be called, as after everything that fails. */
  place(): void {
    const { libc, flags, copies, moves } = this;
    for (const fd of openDescriptors()) {
      const now = libc.fcntl(fd, LINUX.F_GETFD, 0);
      if (now >= 0) flags.set(fd, now);
    }
    for (const { source, target } of moves) {
      if (source !== target) copies.set(target, flags.has(target) ? this.copyOf(target) : -1);
    }
    closeOnExecFrom(libc, 3);
    // A source that has been replaced is there as its copy.
    for (const { source, target } of moves) giveAs(libc, copies.get(source) ?? source, target);
    // Node makes streams over its own so, and puts it back only when it exits.
    this.nonBlocking = [0, 1, 2].filter((fd) => (libc.fcntl(fd, LINUX.F_GETFL, 0) & O_NONBLOCK) !== 0);
    for (const fd of this.nonBlocking) this.setNonBlocking(fd, false);
  }

  /** All numbers lead where they led before. */
  undo(): void {
    const { libc } = this;
    for (const fd of this.nonBlocking) this.setNonBlocking(fd, true);
    for (const [fd, copy] of this.copies) {
      if (copy >= 0) libc.dup2(copy, fd);
      else libc.close(fd);
    }
    for (const copy of this.copies.values()) if (copy >= 0) libc.close(copy);
    for (const [fd, flags] of this.flags) libc.fcntl(fd, LINUX.F_SETFD, flags);
  }

  /** By a number that the program does not get. */
  private copyOf(fd: number): number {
    const { libc } = this;
    for (let lowest = 3; ;) {
      const copy = libc.fcntl(fd, LINUX.F_DUPFD_CLOEXEC, lowest);
      if (copy < 0) {
        throw startError('stdio', systemError(-copy, 'fcntl', undefined, `no number is free for a copy of ${fd}`));
      }
      if (!this.targets.has(copy)) return copy;
      libc.close(copy);
      lowest = copy + 1;
    }
  }

  private setNonBlocking(fd: number, on: boolean): void {
    const flags = this.libc.fcntl(fd, LINUX.F_GETFL, 0);
    if (flags >= 0) this.libc.fcntl(fd, LINUX.F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
  }
}
