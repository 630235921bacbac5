/** The processes that are ended together: one, or all of a process group, each held by its pidfd. */
import { readdirSync } from 'node:fs';
import { readEntry } from '@vircommand/core/backend';
import type { Libc } from '../libc';
import { HeldProcess } from './process';

export class Members {
  private readonly held = new Map<number, HeldProcess>();
  /** When the leader of the group started, which may be gone by now; `undefined`: it was gone already. */
  private readonly leaderStart: number | undefined;

  /** @param group the number of the first one's process group, if all of that are meant */
  constructor(
    private readonly libc: Libc,
    first: HeldProcess,
    private readonly group: number | undefined,
  ) {
    this.held.set(first.pid, first);
    this.leaderStart = group === undefined ? undefined : readEntry(group)?.start;
    this.find();
  }

  /** Takes in those of the group that are new since. */
  find(): void {
    if (this.group === undefined) return;
    for (const pid of readdirSync('/proc').map(Number)) {
      if (!(pid > 1) || this.held.has(pid) || readEntry(pid)?.group !== this.group) continue;
      const process = HeldProcess.open(this.libc, pid);
      // Looked at again, since now it cannot be another one.
      if (process?.isAlive() === true && this.isMember(pid)) this.held.set(pid, process);
      else process?.close();
    }
  }

  /** The number of a group goes to another one only with a leader of its own. */
  private isMember(pid: number): boolean {
    if (readEntry(pid)?.group !== this.group) return false;
    const leader = readEntry(this.group ?? 0);
    return leader === undefined || leader.start === this.leaderStart;
  }

  signal(signal: number): void {
    for (const process of this.living()) process.signal(signal);
  }

  /** Whether one is left; also one that was forked since. */
  areAlive(): boolean {
    if (this.living().length > 0) return true;
    this.find();
    return this.living().length > 0;
  }

  private living(): HeldProcess[] {
    for (const [pid, process] of this.held) {
      if (process.isAlive()) continue;
      process.close();
      this.held.delete(pid);
    }
    return Array.from(this.held.values());
  }

  close(): void {
    for (const process of this.held.values()) process.close();
    this.held.clear();
  }
}
