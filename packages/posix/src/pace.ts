/**
 * Starts take turns with everything else: a start blocks its thread, so a burst of them is spread over turns of the event
 * loop. A start that comes alone is never late.
 */
import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers';

/** Milliseconds of starting in one turn of the loop, after which the next start waits. One takes about a tenth. */
const budget = 1;

export class Pace {
  private spent = 0;
  private armed = false;
  private readonly waiting: (() => void)[] = [];

  /** Calls `start` now if this turn has time for it, otherwise in a later turn; in the order of the calls. */
  take<T>(start: () => T | Promise<T>): Promise<T> {
    return new Promise((resolve) => {
      this.waiting.push(() => {
        resolve(attempt(start));
      });
      if (this.waiting.length === 1) this.work();
    });
  }

  /** Does what there is time for. */
  private work(): void {
    while (this.spent < budget) {
      const [job] = this.waiting;
      if (job === undefined) break;
      const begun = performance.now();
      job();
      this.spent += performance.now() - begun;
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
