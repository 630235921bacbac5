/**
 * Whether a number still is the program's. Node says so of those that it reaps, but a library in this process that waits for
 * any child can take one from it: Node is never told, and the number is used again.
 */
import { readFileSync } from 'node:fs';

const linux = process.platform === 'linux';

/** When a process began, in clock ticks since boot, and its parent; `undefined`: there is none, or no `/proc`. */
function read(pid: number): { readonly parent: number; readonly start: string | undefined } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name in parentheses may hold spaces and parentheses itself.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { parent: Number(fields[1]), start: fields[19] };
  } catch {
    return undefined;
  }
}

/** The number of a child that was started in this turn, which nobody can have reaped yet. */
export class OwnNumber {
  /** With the number it names a process for good. */
  private readonly start: string | undefined;

  constructor(private readonly pid: number) {
    const entry = linux ? read(pid) : undefined;
    // A `/proc` of another namespace shows somebody else.
    if (entry?.parent === process.pid) this.start = entry.start;
  }

  /** Whether it is the child's, which may be a zombie; `true` where that cannot be seen. */
  get held(): boolean {
    if (this.start === undefined) return true;
    const entry = read(this.pid);
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
