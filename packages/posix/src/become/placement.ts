/** The program's descriptors at their numbers in this process, in such a way that it can be undone if exec fails. */
import { constants } from 'node:fs';
import { startError } from '@vircommand/core/backend';
import { arrange, type ActionSink, type Move } from '../descriptors';
import { systemError } from '../errno';
import { openDescriptors } from '../file-actions';
import { lowestAbove, Placing } from '../launcher/descriptors';
import type { Libc } from '../libc';
import { LINUX } from '../struct';

const { O_NONBLOCK } = constants;

/** What a number was before. */
interface Before {
  /** -1: it was not open. */
  readonly copy: number;
  readonly flags: number;
}

export class Placement implements ActionSink {
  private readonly before = new Map<number, Before>();
  /** Others that were not closed on exec. */
  private inheritable: readonly number[] = [];
  private nonBlocking: readonly number[] = [];
  private readonly placing: Placing;
  private readonly lowest: number;

  constructor(
    private readonly libc: Libc,
    private readonly stdio: readonly [number, number, number],
    private readonly others: readonly Move[],
  ) {
    this.placing = new Placing(libc);
    this.lowest = lowestAbove(stdio, others);
  }

  /** @throws CommandStartError, stage `stdio`. Then {@link undo} is to be called, as after everything that fails. */
  place(): void {
    const { libc } = this;
    arrange(this.stdio, this.others, this);
    // Node makes streams over its own so, and puts it back only when it exits.
    this.nonBlocking = [0, 1, 2].filter((fd) => (libc.fcntl(fd, LINUX.F_GETFL, 0) & O_NONBLOCK) !== 0);
    for (const fd of this.nonBlocking) this.setNonBlocking(fd, false);
  }

  /** All numbers lead where they led before. */
  undo(): void {
    const { libc } = this;
    for (const fd of this.nonBlocking) this.setNonBlocking(fd, true);
    for (const [fd, { copy, flags }] of this.before) {
      if (copy < 0) {
        libc.close(fd);
        continue;
      }
      libc.dup2(copy, fd);
      libc.fcntl(fd, LINUX.F_SETFD, flags);
      libc.close(copy);
    }
    for (const fd of this.inheritable) libc.fcntl(fd, LINUX.F_SETFD, 0);
  }

  dup2(source: number, target: number): void {
    this.remember(target);
    this.placing.dup2(source, target);
  }

  close(fd: number): void {
    this.remember(fd);
    this.placing.close(fd);
  }

  closeFrom(lowest: number): void {
    const { libc } = this;
    this.inheritable = openDescriptors().filter(
      (fd) => fd >= lowest && !this.before.has(fd) && libc.fcntl(fd, LINUX.F_GETFD, 0) === 0,
    );
    this.placing.closeFrom(lowest);
  }

  private remember(fd: number): void {
    if (this.before.has(fd)) return;
    const { libc } = this;
    const flags = libc.fcntl(fd, LINUX.F_GETFD, 0);
    const copy = flags < 0 ? -1 : libc.fcntl(fd, LINUX.F_DUPFD_CLOEXEC, this.lowest);
    if (flags >= 0 && copy < 0) {
      throw startError('stdio', systemError(-copy, 'fcntl', undefined, `no number is free for a copy of ${fd}`));
    }
    this.before.set(fd, { copy, flags });
  }

  private setNonBlocking(fd: number, on: boolean): void {
    const flags = this.libc.fcntl(fd, LINUX.F_GETFL, 0);
    if (flags >= 0) this.libc.fcntl(fd, LINUX.F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
  }
}
