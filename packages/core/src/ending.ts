/**
 * The end of a program that must end: SIGTERM (and SIGCONT, for those who are stopped) to the tree, SIGKILL after the
 * grace period, and the wait for descendants that are left when the program itself is gone.
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
  /** Descendants use their grace period: the wait for the pipes begins later. */
  treeAlive(): void;
}

/** How often it is looked whether the rest of a tree has ended, in milliseconds. */
const treePoll = 10;
/** The least time that the kernel has for a SIGKILL, in milliseconds. */
const leastForKill = 100;

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
   * SIGTERM, grace, SIGKILL to the tree. A second call can shorten the grace only. One before {@link attach} has nobody to end:
   * who asks for it asks again then.
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
      // SIGCONT may be allowed where SIGTERM is not (same session). It ends nobody, so `reached` ignores it.
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
    // Nothing survives SIGKILL but what the kernel holds: the caller is released all the same.
    if (!this.exited) {
      this.cancelKill = this.clock.after(Math.max(this.drainDelay, leastForKill), () => {
        // An event loop that was busy tells of timers first, and may know of the exit all the same.
        realTime.afterTwoTurns(() => {
          if (this.exited || this.stopped) return;
          // Somebody below it may have got the signal; it lives.
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
      if (this.phase === 'grace' && this.clock.now() < this.graceEnds) this.events.treeAlive();
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
