/** A launcher on the event loop, from its start until its program runs or it is known why not. */
import type { Readable } from 'node:stream';
import {
  realTime,
  startError,
  type ChildHandle,
  type CommandStartError,
  type ExitStatus,
  type LaunchPlan,
} from '@vircommand/core/backend';
import { errno, systemError } from '../errno';
import type { Libc } from '../libc';
import { LINUX } from '../linux';
import { unwantedStart } from '../pace';
import { mayNotSignal, openPidfd, waitForDeath } from '../pidfd';
import { SIGKILL } from '../signal-numbers';
import { readableFrom } from '../streams';
import { closeBound } from '../thread-bound';
import type { BegunLauncher } from './client';
import { removeOwnPidFile } from './pid-file';
import { diedBeforeExec, longestLauncherDeath, Progress, saidNothing, withoutLauncher } from './progress';
import type { Baseline } from './protocol';

/** How often it is looked whether a launcher that ends by itself has become the program instead, in milliseconds. */
const escapeSlice = 1;

/** How a launcher ended: as the program, or without a word. */
export type Outcome = { readonly baseline: Baseline } | 'died';

export class LauncherProcess {
  /** Resolves when the program is held, or as {@link outcome}. */
  readonly ready: Promise<'held' | Outcome>;
  /** Resolves when the launcher is the program, or died; rejects with the error of the start. */
  readonly outcome: Promise<Outcome>;
  /** Resolves when the number of a daemon's launcher is known, and pinned. */
  readonly pinned: Promise<void>;
  /** Where the plan asks for one. */
  readonly handshake: ChildHandle['handshake'];
  private readonly progress: Progress;
  private readonly reports: Readable;
  /** Pins the number of a daemon, which is no child of ours. */
  private pidfd = -1;
  private notePinned!: () => void;
  private noteHeld!: () => void;
  private givenUp = false;
  /** A daemon's launcher may not be signalled, as it has changed its user: it ends by itself, or has begun. */
  refused = false;
  /** Nobody will kill the daemon any more. */
  private over = false;
  /** Killed because it reported nothing in time; stays set if a report comes later. */
  silent = false;

  constructor(
    private readonly plan: LaunchPlan,
    private readonly begun: BegunLauncher,
    private readonly libc: Libc,
  ) {
    if (plan.handshake) this.handshake = { wait: () => this.held(), notify: () => this.notify() };
    const progress = (this.progress = new Progress(begun, libc));
    this.reports = readableFrom(libc, begun.report);
    this.pinned = new Promise((resolve) => {
      this.notePinned = resolve;
    });
    const held = new Promise<'held'>((resolve) => {
      this.noteHeld = () => {
        resolve('held');
      };
    });
    this.reports.on('data', (chunk: Buffer) => {
      this.take(chunk);
    });
    this.reports.on('error', () => undefined);
    // An error is told when nothing of the launcher is left: the pipe ends with it.
    const closed = new Promise((resolve) => this.reports.once('close', resolve));
    this.outcome = closed.then(() => {
      progress.closeGo();
      // What it says when nobody lets it go on is not why.
      if (progress.failure !== undefined && !this.givenUp) throw progress.failure;
      return progress.executed === undefined ? this.died() : { baseline: progress.executed };
    });
    this.ready = Promise.race([held, this.outcome]);
    // Whoever is not interested any more need not listen.
    for (const promise of [this.ready, this.outcome]) promise.catch(() => undefined);
  }

  /**
   * How it is ended if it does not say a word for so long, in milliseconds. What the kernel keeps alive is not listened to any
   * more: by that it notices that nobody is there, and ends.
   */
  whenSilent(patience: number, end: () => void): void {
    const look = (): void => {
      if (this.pid !== undefined) return;
      this.silent = true;
      end();
      const leave = realTime.after(longestLauncherDeath, () => this.reports.destroy());
      this.reports.once('close', leave);
    };
    // Not at once: where this thread was busy for so long, the word is there and not read yet.
    const stop = realTime.after(patience, () => realTime.nextTurn(look), { ref: false });
    this.ready.then(stop, stop);
  }

  /** Why it died. */
  async cause(status: Promise<ExitStatus>): Promise<Error> {
    const how = await status;
    if (this.silent) return saidNothing();
    if (this.progress.held) return diedWhileHeld();
    return this.givenUp ? unwantedStart() : diedBeforeExec(how);
  }

  /** Of the process that becomes the program; `undefined`: not known yet. */
  get pid(): number | undefined {
    return this.progress.pid;
  }

  private async held(): Promise<void> {
    if ((await this.ready) === 'died') throw diedWhileHeld();
  }

  /** The end of the process as that of the program; rejects if it was never executed, and said why. */
  statusOf(status: ExitStatus): ExitStatus | Promise<ExitStatus> {
    // Not later than it is reaped: a caller that sees by its pid that it has ended must not be told that it was aborted since.
    this.readNow();
    const { executed } = this.progress;
    return executed === undefined ? this.outcome.then(() => status) : withoutLauncher(status, executed);
  }

  /** Whoever is dead has said all that there is. */
  private readNow(): void {
    const chunk = Buffer.allocUnsafe(4096);
    while (!this.reports.destroyed) {
      const count = this.libc.read(this.begun.report, chunk, chunk.length);
      if (count <= 0) return;
      this.take(chunk.subarray(0, count));
    }
  }

  private take(chunk: Uint8Array): void {
    this.progress.take(chunk);
    if (this.plan.daemon) this.pin();
    if (this.progress.held) this.noteHeld();
  }

  /** Lets the program run; resolves at exec. */
  private async notify(): Promise<void> {
    this.progress.tellGo();
    if ((await this.outcome) === 'died') throw diedWhileHeld();
  }

  /**
   * Gives up a held launcher: it learns that it will never go on, and ends by itself, with its pid file, unless it has become the
   * program. This works even if it has changed its user, so that we may not signal it.
   */
  abandon(): void {
    this.progress.closeGo();
  }

  /** Whether it has not said that it is the program. */
  isLauncher(): boolean {
    this.readNow();
    return this.progress.executed === undefined;
  }

  /** Ends a daemon's launcher, or the daemon, if its number is pinned; whether it is. */
  kill(): boolean {
    if (this.over) return false;
    this.givenUp = true;
    this.send(SIGKILL);
    // After the signal: what it can still say is not why it ends.
    this.abandon();
    return this.pidfd >= 0;
  }

  /** Whether it was the program before it was given up, and may not be signalled: it has begun all the same. */
  private escaped(): boolean {
    return this.refused && !this.isLauncher();
  }

  /** Sends a signal to a daemon's launcher while its number is pinned; whether it was sent. The daemon is nobody's. */
  signal(number: number): boolean {
    const sent = this.isLauncher() && this.send(number);
    // It may hit it in the middle of exec: then it has not begun.
    if (sent && number === SIGKILL) this.givenUp = true;
    return sent;
  }

  private send(number: number): boolean {
    this.pinAgain();
    const { libc, pid, pidfd } = this;
    if (pidfd < 0) {
      this.refused = pid !== undefined && mayNotSignal(libc, pid);
      return false;
    }
    const result = libc.syscall(LINUX.SYS_pidfd_send_signal, pidfd, number, 0, 0, 0);
    this.refused = result === -errno.EPERM;
    return result === 0;
  }

  /** Whether it was killed; then nothing is left of it, also if it had become the daemon already. */
  removed(): boolean {
    if (!this.givenUp || this.over) return false;
    const end = realTime.now() + longestLauncherDeath;
    do {
      if (this.escaped()) return false;
      // It holds its pid file until it is dead.
      if (this.pidfd < 0 || waitForDeath(this.libc, this.pidfd, this.refused ? escapeSlice : longestLauncherDeath)) {
        this.removePidFile();
        break;
      }
    } while (realTime.now() < end);
    return true;
  }

  private died(): 'died' {
    this.removePidFile();
    return 'died';
  }

  private removePidFile(): void {
    const { pidFile } = this.begun;
    const { pid } = this;
    if (pidFile !== undefined && pid !== undefined) removeOwnPidFile(this.libc, pidFile, pid);
  }

  /** When it has just said a word, so that its number is its own. */
  private pin(): void {
    const { pid } = this;
    if (pid === undefined || this.pidfd >= 0) return;
    this.keep(openPidfd(this.libc, pid));
    if (this.givenUp) this.kill();
  }

  /** No descriptor was free for the pidfd. Safe now: the unreaped shell pins the group number, so a member of that group is ours. */
  private pinAgain(): void {
    const { pid, libc } = this;
    if (pid === undefined || this.pidfd >= 0 || this.over) return;
    const pidfd = openPidfd(libc, pid);
    if (libc.getpgid(pid) === this.begun.process.pid) this.keep(pidfd);
    else if (pidfd >= 0) closeBound(libc, pidfd);
  }

  private keep(pidfd: number): void {
    this.pidfd = pidfd;
    if (pidfd >= 0) this.notePinned();
  }

  /** Of a daemon, when nobody will kill it. */
  unpin(): void {
    this.over = true;
    if (this.pidfd >= 0) closeBound(this.libc, this.pidfd);
    this.pidfd = -1;
  }
}

/** Somebody killed it, or there was no memory. */
function diedWhileHeld(): CommandStartError {
  return startError(
    'handshake',
    systemError(errno.EPIPE, 'write', undefined, 'the process was ended while it was held'),
  );
}
