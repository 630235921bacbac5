/**
 * The shell that starts a daemon's launcher, and ends at once. It leads the group that the launcher is in: as long as its
 * zombie is there that number is nobody else's, and by it a launcher is ended that has not told its own.
 */
import type { ExitStatus } from '@vircommand/core/backend';
import type { Libc } from '../libc';
import { watchExit, type Watch } from '../reap';
import { SIGKILL } from '../signal-numbers';

export class LauncherShell {
  /** Resolves when it has ended, reaped or not. */
  readonly ended: Promise<ExitStatus>;
  private readonly watch: Watch;
  private needed = true;

  constructor(
    private readonly libc: Libc,
    private readonly pid: number,
  ) {
    let notice: (status: ExitStatus) => void;
    this.ended = new Promise((resolve) => {
      notice = resolve;
    });
    this.watch = watchExit(libc, pid, (status) => {
      if (!this.needed) this.watch.reap();
      notice(status);
    });
  }

  /** Kills it and what it has started, unless its number was given back; whether there was something. */
  killGroup(): boolean {
    return this.needed && this.watch.state !== 'reaped' && this.libc.kill(-this.pid, SIGKILL) === 0;
  }

  /** Gives the number back, as soon as it has ended. */
  release(): void {
    this.needed = false;
    this.watch.reap();
  }
}
