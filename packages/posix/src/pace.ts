/**
 * Starts take turns with everything else: a start blocks its thread, so a burst of them is spread over turns of the event
 * loop. A start that comes alone is never late.
 */
import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers';

/** Milliseconds of starting in one turn of the loop, after which the next start waits. One takes about a tenth. */
const budget = 1;

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
   * Calls `start` now if this turn has time for it, otherwise in a later turn; in the order of the calls.
   *
   * @param elsewhere does it without taking time, when there is none left; `undefined`: it cannot
   */
  take<T>(start: () => T | Promise<T>, elsewhere?: () => Promise<T> | undefined): Promise<T> {
    return new Promise((resolve) => {
      this.waiting.push({
        here: () => {
          resolve(attempt(start));
        },
        elsewhere: () => {
          const taken = elsewhere?.();
          if (taken !== undefined) resolve(taken);
          return taken !== undefined;
        },
      });
      if (this.waiting.length === 1) this.work();
    });
  }

  /** Does what there is time for. */
  private work(): void {
    for (;;) {
      const [job] = this.waiting;
      if (job === undefined) break;
      if (this.spent < budget) {
        const begun = performance.now();
        job.here();
        this.spent += performance.now() - begun;
      } else if (!job.elsewhere()) break;
      this.waiting.shift();
    }
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
