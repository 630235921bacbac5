/**
 * Whether a number still is the program's. Node says so of those that it reaps, but a library in this process that waits for
 * any child can take one from it: Node is never told, and the number is used again.
 */
import { readEntry } from '@vircommand/core/backend';

const linux = process.platform === 'linux';

/** The number of a child that was started in this turn, which nobody can have reaped yet. */
export class OwnNumber {
  /** With the number it names a process for good. */
  private readonly start: number | undefined;

  constructor(private readonly pid: number) {
    const entry = linux ? readEntry(pid) : undefined;
    // A `/proc` of another namespace shows somebody else.
    if (entry?.parent === process.pid) this.start = entry.start;
  }

  /** Whether it is the child's, which may be a zombie; `true` where that cannot be seen. */
  get held(): boolean {
    if (this.start === undefined) return true;
    const entry = readEntry(this.pid);
    return entry === undefined ? this.hidden() : entry.start === this.start;
  }

  /** `/proc` can hide those of other users, as a program can become. */
  private hidden(): boolean {
    try {
      return process.kill(this.pid, 0);
    } catch (error) {
      return (error as NodeJS.ErrnoException).code !== 'ESRCH';
    }
  }
}
