/**
 * Timers and the clock as they were when this package was loaded. A backend may be loaded with the first start, and that may be in
 * a test which fakes the time: programs must start, end and be reaped all the same, then and afterwards.
 */
import * as timers from 'node:timers';

// Taken out of it, since what is asked of the module later is the fake.
const { clearInterval, clearTimeout, setImmediate, setInterval, setTimeout } = timers;
const hrtime = process.hrtime.bind(process);

/** For what is no matter of the caller's time. Deadlines of his are: see `Clock`. */
export const realTime = {
  clearInterval,
  clearTimeout,
  setImmediate,
  setInterval,
  setTimeout,
  /** Milliseconds, monotonic. `performance` would have to be loaded first, which takes a tenth of the time of an import. */
  now(): number {
    const [seconds, nanoseconds] = hrtime();
    return seconds * 1000 + nanoseconds / 1e6;
  },
};
