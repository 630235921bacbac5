/**
 * Notices the exits of programs that this thread started, and only of those: it never waits for "any child", which would
 * take the exits of libuv's children away from it.
 *
 * An exit is noticed first, and the owner of the watch reaps the program later. Until then the zombie keeps its pid and the
 * number of its process group, so that a signal cannot hit a stranger. One turn of the event loop after the last exit, the
 * reaper has no timer, listener or descriptor any more.
 */
import { realTime, type ExitStatus } from '@vircommand/core/backend';
import { errno } from './errno';
import { ExitProbe, LOOK, REAP } from './exit-probe';
import type { Libc } from './libc';
import { LINUX } from './linux';
import { openPidfd, waitForDeath } from './pidfd';
import { PidfdSet } from './pidfd-set';
import { closeBound } from './thread-bound';

/** Up to this many children we ask for each; above, we ask the kernel which ones have exited. */
const few = 32;
/** Milliseconds between sweeps. Their timer also keeps the event loop alive while a program runs. */
const sweepDelay = 250;
/** The same where neither SIGCHLD nor a pidfd reports exits. */
const pollDelay = 10;

/** The program ended, but its status is lost: SIGCHLD became ignored, or other native code waits for any child. */
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
  /** Whether noticing the exit leaves the zombie. */
  keep = true;

  constructor(
    readonly pid: number,
    private readonly reaper: Reaper,
    /** Our own peak of memory when the program was started, in KiB: the program inherited it. */
    readonly ownPeak: number,
    /** Called once, when the exit is noticed; it may call {@link reap}, or keep the zombie until later. */
    readonly noticed: (status: ExitStatus) => void,
  ) {}

  /** Looks now, and calls `noticed` if the program has exited. */
  check(): void {
    if (this.state === 'running') this.reaper.check(this, this.keep ? LOOK : REAP);
  }

  /** Waits for the exit; returns early when a signal handler of Node has to run. */
  wait(): void {
    if (this.state === 'running') this.reaper.check(this, (this.keep ? LOOK : REAP) & ~LINUX.WNOHANG);
  }

  /** Waits for the exit, but at most that many milliseconds. */
  waitFor(ms: number): void {
    if (this.state === 'running') this.reaper.block(this, ms);
  }

  /** Reaps the zombie, which frees its pid. Does nothing before the exit was noticed. */
  reap(): void {
    if (this.state === 'exited') this.reaper.reap(this);
  }
}

/** The reaper of one thread. */
class Reaper {
  private readonly running = new Map<number, Watch>();
  private readonly probe: ExitProbe;
  /** SIGCHLD has reached our listener, so it will do so again, unless other code removes the listener. */
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
        // If it still runs for us, a tracer has it and is told first: the sweep will see its exit.
        this.pidfds.remove(pid);
      }
    });
  }

  /** Makes a watch that the reaper does not look at: only its owner asks. */
  unattended(pid: number, noticed: (status: ExitStatus) => void): Watch {
    return new Watch(pid, this, this.probe.ownPeak(), noticed);
  }

  watch(pid: number, noticed: (status: ExitStatus) => void): Watch {
    // The kernel has reused the pid, so the program that had it is gone without our notice.
    const before = this.running.get(pid);
    if (before !== undefined) this.lose(before);
    const watch = this.unattended(pid, noticed);
    this.running.set(pid, watch);
    this.arm(pid);
    return watch;
  }

  private arm(pid: number): void {
    if (this.libc.isMainThread && (!this.listening || process.listenerCount('SIGCHLD', this.onSignal) === 0)) {
      // If our listener is gone, other code removed it, and may do so again.
      this.signalsArrive &&= !this.listening;
      this.listening = true;
      process.on('SIGCHLD', this.onSignal);
      // The program may have exited before we listened.
      this.passSoon();
    }
    const told = (this.signalsArrive && this.signalsCanArrive()) || this.pidfds.add(pid);
    this.armTimer(told ? sweepDelay : pollDelay);
  }

  /** Node installs its signal handler with the first listener only: after native code replaced it, attach ours anew. */
  listenAnew(): void {
    this.signalsArrive = false;
    if (!this.listening) return;
    process.removeListener('SIGCHLD', this.onSignal);
    process.on('SIGCHLD', this.onSignal);
  }

  /**
   * Node starts to catch a signal when its own listener of 'newListener' sees ours; `process.removeAllListeners()` removes that
   * one too.
   */
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

  /**
   * Takes exits in the order in which the kernel names them. The kernel names the same zombie again until it is reaped, so a
   * zombie that is not ours hides those after it: then we ask for each.
   */
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

  /** The zombie that hid ours may be gone a turn later. */
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
    // Other code removed all listeners, and may do so again; or there was an exit that no signal reported.
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
      // In a worker do it now: the result may make the main thread terminate the worker, and then no later turn comes.
      if (this.running.size === 0 && !this.libc.isMainThread && !this.expecting) this.disarm();
      else if (this.running.size === 0) this.disarmSoon();
    }
    watch.noticed(status);
  }

  /** Later, since the caller often starts the next program at once, which would need the same again. */
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

/** Call it when native code has changed the handler of SIGCHLD: we do not rely on the signal until it has arrived again. */
export function listenAnew(libc: Libc): void {
  reaperOf(libc).listenAnew();
}

/** Looks soon at all programs that are watched: one may have exited before it was watched. */
export function lookSoon(libc: Libc): void {
  reaperOf(libc).passSoon();
}

/** As {@link watchExit}, for a caller that blocks the event loop: only the methods of the watch notice the exit. */
export function watchBlocking(libc: Libc, pid: number, noticed: (status: ExitStatus) => void): Watch {
  return reaperOf(libc).unattended(pid, noticed);
}
