/**
 * Timers and the clock as they were when this package was loaded. A backend may be loaded with the first start, and that may be in
 * a test which fakes the time: programs must start, end and be reaped all the same, then and afterwards.
 */
import * as timers from 'node:timers';

// Taken out of it, since what is asked of the module later is the fake.
const { clearInterval, clearTimeout, setImmediate, setInterval, setTimeout } = timers;
const hrtime = process.hrtime.bind(process);

/** In milliseconds. Node truncates longer timers to 1 ms. */
export const longestTimer = 2 ** 31 - 1;

/** Of `process.hrtime()`: `performance` would have to be loaded first, which takes a tenth of the time of an import. */
export const milliseconds = ([seconds, nanoseconds]: [number, number]): number => seconds * 1000 + nanoseconds / 1e6;

/** A fake has the promise of another fake, or none. */
const isReal = (): boolean =>
  Reflect.get(setTimeout, Symbol.for('nodejs.util.promisify.custom')) === timers.promises.setTimeout;

/** For what is no matter of the caller's time. Deadlines of his are: see {@link Clock}, which this is one of. */
export const realTime = {
  clearInterval,
  clearTimeout,
  setImmediate,
  setInterval,
  setTimeout,
  /** Milliseconds, monotonic. */
  now: (): number => milliseconds(hrtime()),
  /** At most as late as a timer can be. By turns where time was faked before this package was loaded. */
  after: (ms: number, callback: () => void): (() => void) => {
    if (isReal()) {
      const timer = setTimeout(callback, Math.min(ms, longestTimer));
      return () => {
        clearTimeout(timer);
      };
    }
    const end = process.uptime() * 1000 + ms;
    let wanted = true;
    const look = (): void => {
      if (!wanted) return;
      if (process.uptime() * 1000 < end) void timers.promises.scheduler.yield().then(look);
      else callback();
    };
    look();
    return () => {
      wanted = false;
    };
  },
};
