/**
 * The end of a program that must end: SIGTERM (and SIGCONT, for stopped processes) to the tree, SIGKILL after the grace period,
 * and the wait for descendants that are left when the program itself is gone.
 */
import type { Clock } from './clock';
import type { ChildHandle, Reach } from './contract';
import { realTime } from './real-time';
import type { CommandResult, SignalName } from './types';

/** What a run wants to know of its end. */
export interface EndingEvents {
  /** Not even SIGKILL ended it in time. */
  unkillable(): void;
  /** The last descendant is gone. */
  treeGone(): void;
}

/** How often we look whether the rest of a tree has ended, in milliseconds. */
export const treePoll = 10;
/** How long we wait at least for SIGKILL to take effect, in milliseconds. */
export const leastForKill = 100;

/** The end of one run. */
export class Ending {
  /** SIGTERM was sent and the grace period runs, or SIGKILL was sent. */
  phase: 'none' | 'grace' | 'killed' = 'none';
  /** What the signals reached. */
  reached: CommandResult['ended'] = 'none';
  treeGone = true;
  private handle: ChildHandle | undefined;
  private exited = false;
  private stopped = false;
  private graceEnds = Infinity;
  private cancelKill: (() => void) | undefined;
  private cancelPoll: (() => void) | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly drainDelay: number,
    private readonly events: EndingEvents,
  ) {}

  attach(handle: ChildHandle): void {
    this.handle = handle;
  }

  /**
   * Sends SIGTERM to the tree, and SIGKILL after the grace. A second call can only shorten the grace. A call before
   * {@link attach} does nothing: the run calls again when it has attached the program.
   */
  terminate(killDelay: number): void {
    if (this.handle === undefined || this.stopped || this.phase === 'killed' || (this.exited && this.treeGone)) return;
    if (killDelay === 0) {
      this.killNow();
      return;
    }
    const ends = this.clock.now() + killDelay;
    if (this.phase === 'none') {
      this.phase = 'grace';
      this.signalTree('SIGTERM');
      // SIGCONT may be allowed where SIGTERM is not (same session). It ends no process, so `reached` ignores it.
      this.handle.signal('SIGCONT', 'tree');
    } else if (ends >= this.graceEnds) return;
    this.graceEnds = ends;
    this.cancelKill?.();
    this.cancelKill = this.clock.after(killDelay, () => {
      this.killNow();
    });
  }

  killNow(): void {
    this.cancelKill?.();
    this.phase = 'killed';
    this.signalTree('SIGKILL');
    // Only a process that the kernel holds survives SIGKILL; the caller is released even then.
    if (!this.exited) {
      this.cancelKill = this.clock.after(Math.max(this.drainDelay, leastForKill), () => {
        // After a busy period the event loop runs timers first; the exit may be reported right after.
        realTime.afterTwoTurns(() => {
          if (this.exited || this.stopped) return;
          // The program lives, though a descendant may have got the signal.
          this.reached = 'none';
          this.events.unkillable();
        });
      });
    }
  }

  private signalTree(name: SignalName): void {
    const ended = this.handle?.signal(name, 'tree');
    if (ended?.sent === true) this.reached = ended.reached satisfies Reach;
  }

  /** The program is gone; if it was ended, its descendants have the rest of the grace period. */
  programExited(): void {
    this.exited = true;
    if (this.phase !== 'none') this.awaitTree();
  }

  /** For how long descendants still use their grace period, in milliseconds: the wait for the pipes begins after it. */
  get graceLeft(): number {
    return this.phase === 'grace' && !this.treeGone ? Math.max(0, this.graceEnds - this.clock.now()) : 0;
  }

  private awaitTree(): void {
    const alive = (): boolean => this.handle?.treeAlive?.() === true;
    this.treeGone = !alive();
    if (this.treeGone) {
      this.cancelKill?.();
      return;
    }
    const look = (): void => {
      if (this.stopped) return;
      this.treeGone = !alive();
      if (this.treeGone) {
        this.cancelKill?.();
        this.events.treeGone();
        return;
      }
      this.cancelPoll = this.clock.after(treePoll, look);
    };
    this.cancelPoll = this.clock.after(treePoll, look);
  }

  /** The run is over. */
  stop(): void {
    this.stopped = true;
    this.cancelKill?.();
    this.cancelPoll?.();
  }
}
