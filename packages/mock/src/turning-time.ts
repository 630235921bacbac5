/**
 * Real time without what the event loop did not turn in. While it is held up, by busy code or by a debugger, nobody is told
 * of anything and nobody can do anything; then it tells of everything at once.
 */
import { realTime } from '@vircommand/core/backend';

/** Milliseconds that code has waited which looks again and again. */
export class Waiting {
  private waited = 0;
  private lookedAt: number | undefined;

  /** The most that one look counts, in milliseconds. */
  constructor(private readonly mostPerLook: number) {}

  /** Looks, for how long it is by now. */
  look(): number {
    const now = realTime.now();
    this.waited += Math.min(now - (this.lookedAt ?? now), this.mostPerLook);
    this.lookedAt = now;
    return this.waited;
  }

  /** Begins anew. */
  reset(): void {
    this.waited = 0;
    this.lookedAt = undefined;
  }
}

/** Milliseconds from one look to the next. */
const pace = 10;
// What has happened is told within two turns of the loop, so two looks are still at once, and three are not.
const mostPerLook = 40;

/** Tells how far apart events are. */
export class TurningTime {
  private readonly waiting = new Waiting(mostPerLook);
  private time = 0;
  private wantedUntil = 0;
  private looking = false;

  /** What is further apart than `longest` milliseconds is only known to be that. */
  constructor(private readonly longest: number) {}

  now(): number {
    if (!this.looking) {
      this.time = this.waiting.look();
      this.lookAgain();
    }
    this.wantedUntil = this.time + this.longest;
    return this.time;
  }

  private lookAgain(): void {
    this.looking = true;
    const since = realTime.now();
    // At most once in a turn, and after the loop has told. Long turns have a look each: a timer comes in every second only.
    const look = (): void => {
      realTime.nextTurn(() => {
        if (realTime.now() - since < pace) {
          realTime.after(pace, look, { ref: false });
          return;
        }
        this.time = this.waiting.look();
        if (this.time <= this.wantedUntil) this.lookAgain();
        else this.looking = false;
      });
    };
    look();
  }
}
