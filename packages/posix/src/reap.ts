/**
 * Notices the exits of programs that this thread started, and only of those: it never waits for "any child", which would
 * take the exits of libuv's children away from it.
 *
 * An exit is noticed first and reaped later, by whoever watches: until then the zombie pins its pid and the number of its
 * process group, so that a signal cannot hit a stranger. A turn of the event loop after the last exit, nothing is left of
 * the reaper.
 */
import { realTime, type ExitStatus } from '@vircommand/core/backend';
import { errno } from './errno';
import { ExitProbe, LOOK, REAP } from './exit-probe';
import type { Libc } from './libc';
import { LINUX } from './linux';
import { openPidfd, waitForDeath } from './pidfd';
import { PidfdSet } from './pidfd-set';
import { closeBound } from './thread-bound';

/** Up to so many children, each is asked for; above, the kernel is asked who has exited. */
const few = 32;
/** Between sweeps, in milliseconds: also what keeps the event loop alive while something runs. */
const sweepDelay = 250;
/** Where nothing else tells of exits. */
const pollDelay = 10;

/** It ended, but somebody else took its status: SIGCHLD became ignored, or a library waits for any child. */
export const unknownStatus: ExitStatus = Object.freeze({
  exitCode: undefined,
  signal: undefined,
  coreDumped: undefined,
  usage: undefined,
});

/** One program, from its start until it is reaped. */
export class Watch {
  /** `exited`: noticed, and still a zombie that pins its numbers. */
  state: 'running' | 'exited' | 'reaped' = 'running';
  /** Whether the zombie is left when the exit is noticed. */
  keep = true;

  constructor(
    readonly pid: number,
    private readonly reaper: Reaper,
    /** Our own peak of memory at its start, in KiB: the program inherited it. */
    readonly ownPeak: number,
    /** Called once, when the exit is noticed; it may call {@link reap}, or keep the zombie until later. */
    readonly noticed: (status: ExitStatus) => void,
  ) {}

  /** Looks now, and calls `noticed` if it has exited. */
  check(): void {
    if (this.state === 'running') this.reaper.check(this, this.keep ? LOOK : REAP);
  }

  /** Waits for the exit; returns early when a signal handler of Node has to run. */
  wait(): void {
    if (this.state === 'running') this.reaper.check(this, (this.keep ? LOOK : REAP) & ~LINUX.WNOHANG);
  }

  /** Waits for the exit, but not longer than so many milliseconds. */
  waitFor(ms: number): void {
    if (this.state === 'running') this.reaper.block(this, ms);
  }

  /** Gives the numbers back. Only after the exit was noticed. */
  reap(): void {
    if (this.state === 'exited') this.reaper.reap(this);
  }
}

/** The reaper of one thread. */
class Reaper {
  private readonly running = new Map<number, Watch>();
  private readonly probe: ExitProbe;
  /** SIGCHLD has reached our listener, so it will again, unless somebody removes it. */
  private signalsArrive = false;
  private listening = false;
  private readonly pidfds: PidfdSet;
  private stopTimer: (() => void) | undefined;
  private timerDelay = 0;
  private passWaits = false;
  private expecting = false;
  private sweepWaits = false;
  private disarmWaits = false;

  constructor(private readonly libc: Libc) {
    this.probe = new ExitProbe(libc);
    this.pidfds = new PidfdSet(libc, (pids) => {
      for (const pid of pids) {
        this.running.get(pid)?.check();
        // Somebody traces it, and is told first: the sweep will see it.
        this.pidfds.remove(pid);
      }
    });
  }

  /** One that nobody is told of: its owner asks. */
  unattended(pid: number, noticed: (status: ExitStatus) => void): Watch {
    return new Watch(pid, this, this.probe.ownPeak(), noticed);
  }

  watch(pid: number, noticed: (status: ExitStatus) => void): Watch {
    // The number was given out again, so whoever had it is gone without our notice.
    const before = this.running.get(pid);
    if (before !== undefined) this.lose(before);
    const watch = this.unattended(pid, noticed);
    this.running.set(pid, watch);
    this.arm(pid);
    return watch;
  }

  private arm(pid: number): void {
    if (this.libc.isMainThread && (!this.listening || process.listenerCount('SIGCHLD', this.onSignal) === 0)) {
      // If it is not there any more, somebody removed it, and may do so again.
      this.signalsArrive &&= !this.listening;
      this.listening = true;
      process.on('SIGCHLD', this.onSignal);
      // It may have exited before anybody listened.
      this.passSoon();
    }
    const told = (this.signalsArrive && this.signalsCanArrive()) || this.pidfds.add(pid);
    this.armTimer(told ? sweepDelay : pollDelay);
  }

  /** Node installs its handler with the first listener only: attach ours anew after native code replaced it. */
  listenAnew(): void {
    this.signalsArrive = false;
    if (!this.listening) return;
    process.removeListener('SIGCHLD', this.onSignal);
    process.on('SIGCHLD', this.onSignal);
  }

  /** Node listens for a signal when a listener of its own is told of ours; `process.removeAllListeners()` takes that too. */
  private signalsCanArrive(): boolean {
    return process.listenerCount('newListener') > 0;
  }

  private armTimer(delay: number): void {
    if (this.stopTimer !== undefined && this.timerDelay <= delay) return;
    this.stopTimer?.();
    this.timerDelay = delay;
    this.stopTimer = realTime.after(delay, this.sweep);
  }

  private readonly onSignal = (): void => {
    this.signalsArrive = true;
    this.passSoon();
  };

  expect(more: boolean): void {
    if (this.expecting === more) return;
    this.expecting = more;
    if (!more && this.running.size === 0) this.disarmSoon();
  }

  /** One pass per turn of the loop, however many exits there were. */
  passSoon(): void {
    if (this.passWaits) return;
    this.passWaits = true;
    realTime.nextTurn(this.pass);
  }

  private readonly pass = (): void => {
    this.passWaits = false;
    if (this.running.size <= few) this.checkAll();
    else this.askKernel();
  };

  private checkAll(): void {
    for (const watch of this.running.values()) watch.check();
  }

  /** Takes exits as the kernel names them. Somebody else's zombie hides those behind it: then each is asked for. */
  private askKernel(): void {
    for (let pid = this.probe.anyExited(); pid !== 0; pid = this.probe.anyExited()) {
      const watch = this.running.get(pid);
      watch?.check();
      if (watch?.state === 'reaped') continue;
      this.checkAll();
      if (this.running.size > 0) this.sweepSoon();
      return;
    }
  }

  /** Whoever hid ours may be gone a turn later. */
  private sweepSoon(): void {
    if (this.sweepWaits) return;
    this.sweepWaits = true;
    realTime.nextTurn(() => {
      this.sweepWaits = false;
      this.checkAll();
    });
  }

  private readonly sweep = (): void => {
    this.stopTimer = realTime.after(this.timerDelay, this.sweep);
    const removed = this.listening && process.listenerCount('SIGCHLD', this.onSignal) === 0;
    if (removed) process.on('SIGCHLD', this.onSignal);
    const before = this.running.size;
    this.checkAll();
    // Somebody removed all listeners, and may do so again; or an exit came that no signal told of.
    if (!removed && (this.running.size === before || this.passWaits)) return;
    this.signalsArrive = false;
    for (const pid of this.running.keys()) if (!this.pidfds.add(pid)) this.armTimer(pollDelay);
  };

  check(watch: Watch, options: number): void {
    const answer = this.probe.ask(watch.pid, options, watch.ownPeak);
    if (answer === 'lost') this.lose(watch);
    else if (answer !== undefined) this.notice(watch, watch.keep ? 'exited' : 'reaped', answer);
  }

  block(watch: Watch, ms: number): void {
    const { libc } = this;
    const end = realTime.now() + ms;
    const pidfd = openPidfd(libc, watch.pid);
    for (;;) {
      watch.check();
      const left = Math.ceil(end - realTime.now());
      if (watch.state !== 'running' || left <= 0) break;
      waitForDeath(libc, pidfd, pidfd < 0 ? 1 : left);
    }
    if (pidfd >= 0) closeBound(libc, pidfd);
  }

  reap(watch: Watch): void {
    watch.state = 'reaped';
    while (this.libc.wait4(watch.pid, null, LINUX.WNOHANG, null) === -errno.EINTR);
  }

  private lose(watch: Watch): void {
    this.notice(watch, 'reaped', unknownStatus);
  }

  private notice(watch: Watch, state: 'exited' | 'reaped', status: ExitStatus): void {
    watch.state = state;
    if (this.running.get(watch.pid) === watch) {
      this.running.delete(watch.pid);
      this.pidfds.remove(watch.pid);
      // Who gets the result in a worker may terminate it at once, and then no later turn comes.
      if (this.running.size === 0 && !this.libc.isMainThread && !this.expecting) this.disarm();
      else if (this.running.size === 0) this.disarmSoon();
    }
    watch.noticed(status);
  }

  /** The next program is mostly started at once by who waited for this one, and needs the same again. */
  private disarmSoon(): void {
    if (this.disarmWaits) return;
    this.disarmWaits = true;
    realTime.nextTurn(() => {
      this.disarmWaits = false;
      if (this.running.size === 0 && !this.expecting) this.disarm();
    });
  }

  private disarm(): void {
    this.stopTimer?.();
    this.stopTimer = undefined;
    this.pidfds.close();
    if (!this.listening) return;
    this.listening = false;
    process.removeListener('SIGCHLD', this.onSignal);
  }
}

const reapers = new WeakMap<Libc, Reaper>();

function reaperOf(libc: Libc): Reaper {
  let reaper = reapers.get(libc);
  if (reaper === undefined) reapers.set(libc, (reaper = new Reaper(libc)));
  return reaper;
}

/**
 * Watches a child of this process until it exits; the event loop stays alive until then.
 *
 * @param noticed is called once, synchronously from whatever looked: a pass of the event loop, or a method of the watch
 */
export function watchExit(libc: Libc, pid: number, noticed: (status: ExitStatus) => void): Watch {
  return reaperOf(libc).watch(pid, noticed);
}

/** While more is about to be watched, nothing is torn down. */
export function expectMore(libc: Libc, more: boolean): void {
  reaperOf(libc).expect(more);
}

/** Native code has changed what becomes of SIGCHLD: nobody here may rely on it until it has arrived again. */
export function listenAnew(libc: Libc): void {
  reaperOf(libc).listenAnew();
}

/** Looks at all that is watched, soon: one of them may have exited before it was watched. */
export function lookSoon(libc: Libc): void {
  reaperOf(libc).passSoon();
}

/** As {@link watchExit}, for who blocks the event loop: an exit is noticed only by the methods of the watch. */
export function watchBlocking(libc: Libc, pid: number, noticed: (status: ExitStatus) => void): Watch {
  return reaperOf(libc).unattended(pid, noticed);
}
