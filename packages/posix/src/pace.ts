/**
 * Starts take turns with everything else: a start blocks its thread, so a burst of them is spread over turns of the event
 * loop. A start that comes alone is never late.
 */
import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers';

/** Milliseconds of starting in one turn of the loop, after which the next start waits. One takes about a tenth of one. */
const budget = 0.5;

/** A start that could not be made at once. */
export interface Late<T> {
  start(): T | Promise<T>;
  /** Does it without taking time, when there is none left; `undefined`: it cannot. */
  elsewhere?(): Promise<T> | undefined;
}

interface Job {
  here(): void;
  /** Whether that was possible. */
  elsewhere(): boolean;
}

export class Pace {
  private spent = 0;
  private armed = false;
  private readonly waiting: Job[] = [];

  /**
   * Calls `start` now if this turn has time for it, otherwise that of `late()` in a later turn; in the order of the calls.
   *
   * @param late is asked for at once, so that it can keep what may be another by then
   */
  take<T>(start: () => T | Promise<T>, late: () => Late<T>): T | Promise<T> {
    if (this.waiting.length === 0 && this.spent < budget) return this.timed(start);
    const job = late();
    return new Promise((resolve) => {
      this.waiting.push({
        here: () => {
          resolve(attempt(() => this.timed(() => job.start())));
        },
        elsewhere: () => {
          const taken = job.elsewhere?.();
          if (taken !== undefined) resolve(taken);
          return taken !== undefined;
        },
      });
      if (this.waiting.length === 1) this.work();
    });
  }

  private timed<T>(start: () => T): T {
    const begun = performance.now();
    try {
      return start();
    } finally {
      this.spent += performance.now() - begun;
      this.arm();
    }
  }

  /** Does what there is time for. */
  private work(): void {
    for (;;) {
      const [job] = this.waiting;
      if (job === undefined) break;
      if (this.spent < budget) job.here();
      else if (!job.elsewhere()) break;
      this.waiting.shift();
    }
    this.arm();
  }

  /** The next turn has its own time. */
  private arm(): void {
    if (this.armed) return;
    this.armed = true;
    setImmediate(() => {
      this.armed = false;
      this.spent = 0;
      if (this.waiting.length > 0) this.work();
    });
  }
}

/** Calls it now; what it throws is a rejection. */
const attempt = <T>(start: () => T | Promise<T>): Promise<T> =>
  new Promise((resolve) => {
    resolve(start());
  });
