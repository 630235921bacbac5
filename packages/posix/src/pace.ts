/**
 * Starts take turns with everything else: a start blocks its thread, so a burst of them is spread over turns of the event
 * loop. A start that comes alone is never late.
 */
import { realTime, startError } from '@vircommand/core/backend';

/** Milliseconds of starting in one turn of the loop, after which the next start waits. One takes about a tenth of one. */
const budget = 0.5;

/** A start that could not be made at once. */
export interface Late<T> {
  start(): T | Promise<T>;
  /** Does it without taking time, when there is none left; `undefined`: it cannot. */
  elsewhere?(): Promise<T> | undefined;
  /** It will not be made. */
  drop?(): void;
}

interface Job {
  readonly key: object;
  here(): void;
  /** Whether that was possible. */
  elsewhere(): boolean;
  cancel(): void;
}

/** Nobody waits for a start, so it is not made. */
export const unwantedStart = (): Error => startError('fork', 'nobody waits for this start any longer');

export class Pace {
  private spent = 0;
  private armed = false;
  private readonly waiting: Job[] = [];

  /**
   * Calls `start` now if this turn has time for it, otherwise that of `late()` in a later turn; in the order of the calls.
   *
   * @param key for {@link cancel}
   * @param late is asked for at once, so that it can keep what may be another by then; `undefined`: this one cannot wait
   */
  take<T>(key: object, start: () => T | Promise<T>, late: () => Late<T> | undefined): T | Promise<T> {
    if (this.waiting.length === 0 && this.spent < budget) return this.timed(start);
    const job = late();
    if (job === undefined) return this.timed(start);
    return new Promise((resolve, reject) => {
      this.waiting.push({
        key,
        here: () => {
          resolve(attempt(() => this.timed(() => job.start())));
        },
        elsewhere: () => {
          const taken = job.elsewhere?.();
          if (taken !== undefined) resolve(taken);
          return taken !== undefined;
        },
        cancel() {
          job.drop?.();
          reject(unwantedStart());
        },
      });
      if (this.waiting.length === 1) this.work();
    });
  }

  /** A start that waits is not made. */
  cancel(key: object): void {
    const index = this.waiting.findIndex((job) => job.key === key);
    if (index >= 0) this.waiting.splice(index, 1)[0]?.cancel();
  }

  private timed<T>(start: () => T): T {
    const begun = realTime.now();
    try {
      return start();
    } finally {
      this.spent += realTime.now() - begun;
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
    realTime.nextTurn(() => {
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
